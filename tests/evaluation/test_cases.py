import numpy as np
import pytest

from tests.metrics.test_inpainting import box, scene
from translate.evaluation.cases import InpaintingCase
from translate.evaluation.panel import Panel
from translate.evaluation.tally import Tally
from translate.metrics.inpainting import l1_inside, psnr_inside, seam, ssim_inside


@pytest.fixture
def case() -> InpaintingCase:
    return InpaintingCase(scene(), box(10, 14, 20, 17))


@pytest.fixture
def result(case) -> np.ndarray:
    noise = np.random.default_rng(1).integers(-30, 30, case.truth.shape)
    return np.where(case.hole[..., None], np.clip(case.truth + noise, 0, 255), case.truth).astype(np.uint8)


def test_who_fills_a_hole_does_not_see_the_truth(case):
    assert (case.picture[case.hole] == 128).all()
    np.testing.assert_array_equal(case.picture[~case.hole], case.truth[~case.hole])
    assert not (case.truth[case.hole] == 128).all()


def test_the_tally_collects_all_scores(case, result):
    tally = Tally(Panel())
    filled = case.apply(lambda picture, *, mask: result if np.array_equal(mask, case.hole) else picture)
    tally.add(filled, **case.score(filled))
    row = tally.row("mine", Panel().describe(case.truth))
    pictures = result, case.truth, case.hole
    assert (row.l1, row.psnr) == (l1_inside(*pictures), psnr_inside(*pictures))
    assert (row.ssim, row.seam, row.kernels) == (ssim_inside(*pictures), seam(*pictures), {})
    with pytest.raises(AssertionError):  # known pixels are not the filler's to change
        case.apply(lambda picture, *, mask: picture // 2)
