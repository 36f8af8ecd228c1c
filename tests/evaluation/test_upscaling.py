import io

import cv2
import numpy as np
import pytest
from rich.console import Console

from tests.conftest import picture
from translate.data.loading.degradation import degrade
from translate.data.sources.image_set import resolve_images
from translate.evaluation.panel import Panel
from translate.evaluation.report import MODEL
from translate.evaluation.upscaling import UpscalingEvaluation, enlarge_bicubic
from translate.images.tensors import to_tensor
from translate.inference.enlargement import match_means
from translate.metrics.dct_features import DctFeatures
from translate.metrics.similarity import MAX_PSNR, psnr
from translate.reports.examples import answer_to, examples_of
from translate.reports.measures import measures_of
from translate.utils.errors import OptionError, UserError

SIZE = 48


def write(folder, count, seed, sides=(60, 70)):
    folder.mkdir(parents=True)
    for i in range(count):
        cv2.imwrite(str(folder / f"{i:03d}.png"), picture(seed + i, *sides)[..., ::-1])


@pytest.fixture
def images(tmp_path):
    write(tmp_path / "photos" / "train", 16, 0)
    write(tmp_path / "photos" / "test", 12, 100)
    return resolve_images(str(tmp_path / "photos"), "", tmp_path)


class Oracle:
    """Stands for a translator: knows the pictures, and adds `error` to them."""

    def __init__(self, images, scale, kind, error=0):
        self.error, self.scale, self.asked = error, scale, []
        self.truths = [source.read()[6:54, 11:59] for source in images.test]
        self.smalls = [
            degrade(truth, scale, kind, np.random.default_rng([0, 4, i])) for i, truth in enumerate(self.truths)
        ]

    def __call__(self, small, *, consistent=False):
        index = next(i for i, one in enumerate(self.smalls) if np.array_equal(one, small))
        self.asked.append((index, consistent))
        answer = np.clip(self.truths[index].astype(int) + self.error, 0, 255).astype(np.uint8)
        return match_means(answer, small) if consistent else answer


def evaluation(translator, images, scale=4, **options):
    panel = Panel([DctFeatures()])
    return UpscalingEvaluation(translator=translator, images=images, size=SIZE, scale=scale, panel=panel, **options)


@pytest.mark.parametrize(("scale", "kind"), [(2, "clean"), (4, "real"), (3, "clean")])
def test_the_right_answer_beats_simple_enlargements(images, scale, kind):
    oracle = Oracle(images, scale, kind)
    report = evaluation(oracle, images, scale, degrade=kind).run(progress=False)
    rows = {row.name: row for row in report.part.rows}
    assert list(rows) == ["bicubic", "Lanczos", MODEL, f"{MODEL}, consistent", "other real pictures"]
    right, bicubic, consistent = rows[MODEL], rows["bicubic"], rows[f"{MODEL}, consistent"]
    assert right.psnr == MAX_PSNR and right.l1 == 0 and consistent.back == pytest.approx(0, abs=1e-3)
    expected = [
        psnr(to_tensor(enlarge_bicubic(small, scale)), to_tensor(truth)).item()
        for small, truth in zip(oracle.smalls, oracle.truths, strict=True)
    ]
    assert bicubic.psnr == pytest.approx(np.mean(expected), abs=1e-4)
    title = DctFeatures.title
    assert right.kernels[title].value < bicubic.kernels[title].value
    assert (right.back < 0.3) == (kind == "clean")
    assert report.pictures == 12 and report.others == 16
    assert {measure.part for measure in measures_of(report)} == {
        f"{scale} times as wide and high",
        f"{scale} times as wide and high, consistent",
    }


def test_the_table_and_the_dict_say_it_all(images):
    report = evaluation(Oracle(images, 4, "clean", error=5), images).run(progress=False)
    console = Console(file=io.StringIO(), width=120)
    console.print(report.table())
    text = console.file.getvalue()
    for words in (
        "4 times as wide and high",
        "bicubic",
        "PSNR",
        "back",
        "12 test pictures of photos, the middle 48 px",
    ):
        assert words in text
    rows = {row["name"]: row for row in report.to_dict()["part"]["rows"]}
    assert rows[MODEL]["l1"] == pytest.approx(5, abs=0.2) and rows[MODEL]["back"] == pytest.approx(5, abs=0.3)


def test_grid_and_examples_show_the_same_pictures(images):
    oracle = Oracle(images, 4, "clean")
    made = evaluation(oracle, images)
    assert made.grid(3).ndim == 3
    [found] = examples_of(made, 4)
    assert len(found.examples) == 4 and len(found.describe_targets()) == 12
    for example in found.examples:
        assert np.array_equal(answer_to(made, example), example.truth)


def test_unfit_pictures_are_left_out_or_named(images, tmp_path):
    write(tmp_path / "tiny" / "train", 12, 0)
    write(tmp_path / "tiny" / "test", 10, 0, (40, 40))
    tiny = resolve_images(str(tmp_path / "tiny"), "", tmp_path)
    with pytest.raises(UserError, match="none of the 10 held-out pictures of tiny can be used"):
        evaluation(Oracle(images, 4, "clean"), tiny).run(progress=False)
    with pytest.raises(OptionError, match="--limit 0"):
        evaluation(None, images, limit=0)
