import io
import json

import cv2
import numpy as np
import pytest
import torch
from rich.console import Console

from tests.metrics.test_inpainting import scene
from translate.data.loading.random_masks import BANDS, evaluation_mask
from translate.data.sources.image_set import ImageSet, resolve_images
from translate.evaluation.inpainting import FLOOR, InpaintingEvaluation
from translate.evaluation.report import MODEL
from translate.images.tensors import to_tensor
from translate.metrics.dct_features import DctFeatures
from translate.metrics.kernel_distance import kernel_distance
from translate.metrics.similarity import MAX_PSNR
from translate.utils.errors import OptionError, UserError

SIZE = 48
MEAN, TELEA, STOKES = "mean colour", "OpenCV, Telea", "OpenCV, Navier-Stokes"


def write(folder, count, seed, size=(SIZE, SIZE)):
    folder.mkdir(parents=True)
    for i in range(count):
        cv2.imwrite(str(folder / f"{i:03d}.png"), scene(seed + i, max(size))[: size[0], : size[1], ::-1])
    return folder


@pytest.fixture
def images(tmp_path) -> ImageSet:
    """Smooth pictures with some grain: 16 to train on, 6 held out."""
    write(tmp_path / "clouds" / "train", 16, 0)
    write(tmp_path / "clouds" / "test", 6, 100)
    return resolve_images(str(tmp_path / "clouds"), "", tmp_path)


class Painter:
    """Stands for a translator: knows the test pictures, and adds `error` to what it fills in."""

    def __init__(self, images, error=0, random=False):
        self.truths = [source.read() for source in images.test if source.file.stat().st_size > 100]
        self.error, self.random, self.asked = error, random, []

    def __call__(self, picture, *, mask, count=None, seed=None):
        assert picture.dtype == np.uint8 and mask.dtype == bool and (picture[mask] == 128).all()
        number = next(i for i, truth in enumerate(self.truths) if np.array_equal(truth[~mask], picture[~mask]))
        self.asked.append((number, round(float(mask.mean()), 4), count, seed))
        answers = [picture.copy() for _ in range(count or 1)]
        for k, answer in enumerate(answers):
            answer[mask] = np.clip(self.truths[number][mask].astype(int) + self.error + 6 * k, 0, 255)
        return answers if count else answers[0]


def score(translator, images, **options):
    return InpaintingEvaluation(translator, images, SIZE, **options).run(progress=False)


def draw(translator, images, columns=6):
    return InpaintingEvaluation(translator, images, SIZE).grid(columns)


def rows(scores, band=0):
    return {row.name: row for row in scores.bands[band].rows}


def printed(scores) -> str:
    console = Console(width=132, file=io.StringIO(), record=True)
    console.print(scores.table())
    return console.export_text()


def test_a_perfect_answer_gets_full_marks_in_every_band(images):
    painter = Painter(images)
    scores = score(painter, images)
    assert len(scores.bands) == 3 and (scores.pictures, scores.others, scores.size) == (6, 16, SIZE)
    for number in range(3):
        found = rows(scores, number)
        assert list(found) == [MEAN, TELEA, STOKES, MODEL, FLOOR]
        mine, floor = found[MODEL], found[FLOOR]
        assert (mine.l1, mine.psnr, mine.seam) == (0, MAX_PSNR, 1) and mine.ssim == pytest.approx(1, abs=1e-5)
        assert mine.kernels["DCT"].value < min(found[MEAN].kernels["DCT"].value, floor.kernels["DCT"].value)
        assert (floor.l1, floor.psnr, floor.ssim, floor.seam) == (None,) * 4
        assert found[MEAN].l1 > found[TELEA].l1 > 1
    assert len(painter.asked) == 18


def test_the_bands_are_respected_and_the_holes_always_the_same(images):
    painter = Painter(images)
    scores = score(painter, images)
    for number, (low, high) in enumerate(BANDS):
        areas = [area for _, area, _, _ in painter.asked[number::3]]
        assert all(low <= area <= high for area in areas) and len(set(areas)) > 1
        assert (scores.bands[number].low, scores.bands[number].high) == (low, high)
        assert scores.bands[number].area == pytest.approx(np.mean(areas), abs=1e-3)
    again = Painter(images)
    assert score(again, images) == scores and again.asked == painter.asked


def test_a_picture_keeps_its_holes_when_fewer_are_looked_at(images):
    everything, some = Painter(images), Painter(images)
    score(everything, images)
    scores = score(some, images, limit=3)
    assert scores.pictures == 3 and scores.others == 3
    assert some.asked == [asked for asked in everything.asked if asked[0] in (0, 2, 4)]


def test_the_numbers_of_a_constant_error(images):
    scores = score(Painter(images, error=10), images)
    for number in range(3):
        mine = rows(scores, number)[MODEL]
        assert mine.l1 == pytest.approx(10, abs=0.1)
        assert mine.psnr == pytest.approx(20 * np.log10(25.5), abs=0.1)
        assert mine.seam > 1.3


def test_the_mean_colour_has_a_seam(images):
    found = rows(score(Painter(images), images), 2)
    assert found[MEAN].seam > 3 > found[TELEA].seam


def test_the_kernel_distance_compares_with_the_whole_pictures(images):
    scores, describe = score(Painter(images, error=40), images), DctFeatures()
    plain = torch.cat([describe(to_tensor(source.read())) for source in images.test])
    completed = []
    for i, source in enumerate(images.test):
        picture, hole = source.read(), evaluation_mask(SIZE, SIZE, 2, i)
        picture[hole] = np.clip(picture[hole].astype(int) + 40, 0, 255)
        completed.append(describe(to_tensor(picture)))
    expected = kernel_distance(torch.cat(completed), plain, seed=0)
    assert rows(scores, 2)[MODEL].kernels["DCT"].value == pytest.approx(1000 * expected.value)
    others = torch.cat([describe(to_tensor(source.read())) for source in images.train])
    assert rows(scores, 0)[FLOOR].kernels["DCT"].value == pytest.approx(
        1000 * kernel_distance(others, plain, seed=0).value
    )


def test_several_answers_are_compared_with_each_other(images):
    painter = Painter(images, random=True)
    scores = score(painter, images, count=3)
    assert [band.apart for band in scores.bands] == pytest.approx([8, 8, 8], abs=0.1)  # 6, 6 and 12 levels
    assert {(count, seed) for _, _, count, seed in painter.asked} == {(None, None), (3, 0)}
    assert "holes up to 20 %: the answers to one hole are 8.0 levels apart" in printed(scores)
    assert "3 to each of the holes of 6 pictures" in printed(scores)
    assert score(Painter(images, random=True), images).bands[0].apart is None


def test_pictures_of_any_size_are_brought_to_that_of_the_model(tmp_path):
    write(tmp_path / "wide" / "train", 3, 0, size=(60, 90))
    write(tmp_path / "wide" / "test", 2, 50, size=(90, 50))
    images = resolve_images(str(tmp_path / "wide"), "", tmp_path)
    shapes = set()

    def fill(picture, *, mask):
        shapes.add((picture.shape, mask.shape))
        return picture

    assert score(fill, images).others == 3
    assert shapes == {((SIZE, SIZE, 3), (SIZE, SIZE))}


def test_a_model_of_gray_pictures_gets_gray_ones(images):
    def fill(picture, *, mask):
        assert (picture == picture[..., :1]).all() and picture.shape == (SIZE, SIZE, 3)
        return picture

    assert score(fill, images, gray=True).pictures == 6


def test_table_and_json(images):
    scores = score(Painter(images, error=3), images)
    text = printed(scores)
    for word in ("holes up to 20 %", "holes of 20 to 40 %", "holes of 40 to 60 %", "L1", "PSNR", "SSIM", "seam"):
        assert word in text
    assert "6 test pictures of clouds, 48 px, against themselves before" in text and "…" not in text
    found = scores.to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert [row["name"] for row in found["bands"][2]["rows"]] == [MEAN, TELEA, STOKES, MODEL, FLOOR]


def test_what_cannot_be_read_is_left_out(images):
    painter = Painter(images)
    images.test[1].file.write_text("no picture")
    images.train[0].file.write_text("no picture")
    scores = score(painter, images)
    assert (scores.pictures, scores.others) == (5, 15)
    assert scores.remarks[1:] == ["2 unreadable files were left out"]
    for source in images.test:
        source.file.write_text("no picture")
    for ask in (score, draw):
        with pytest.raises(UserError, match="none of the 6 held-out pictures of clouds can be read"):
            ask(painter, images)


def test_one_picture_has_no_kernel_distance(images):
    scores = score(Painter(images), images, limit=1)
    assert all(row.kernels == {} for row in scores.bands[0].rows)
    assert any("no kernel distance" in remark for remark in scores.remarks)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit": 0}, "--limit 0 must be at least 1"),
        ({"limit": -3}, "--limit -3"),
        ({"count": 1}, "--count 1 must be at least 2"),
        ({"count": -1}, "--count -1 must be at least 2"),
        ({"count": 4}, "--count 4: this model has one answer to each hole"),
    ],
)
def test_options_out_of_range(images, options, message):
    with pytest.raises(OptionError, match=message):
        score(Painter(images), images, **options)


def test_no_held_out_pictures(images):
    none = ImageSet("clouds", images.train, [])
    for ask in (score, draw):
        with pytest.raises(UserError, match="clouds has no held-out pictures"):
            ask(Painter(images), none)


def test_the_sheet_shows_holes_both_fillings_and_the_truth(images):
    sheet = draw(Painter(images, error=9), images, columns=3)
    assert sheet.shape == (4 * 50 - 2, 3 * 50 - 2, 3)
    for column, place in enumerate((0, 2, 4)):
        cells = [sheet[50 * row : 50 * row + 48, 50 * column : 50 * column + 48] for row in range(4)]
        truth, hole = images.test[place].read(), evaluation_mask(SIZE, SIZE, column, place)
        np.testing.assert_array_equal(cells[3], truth)
        assert (cells[0][hole] == 128).all()
        for cell in cells[:3]:
            np.testing.assert_array_equal(cell[~hole], truth[~hole])
        assert 0 < np.abs(cells[1][hole].astype(int) - truth[hole]).mean() < 60
        np.testing.assert_array_equal(cells[2][hole], np.clip(truth[hole].astype(int) + 9, 0, 255))
