import cv2
import numpy as np
import pytest
import torch

from translate.images.sketch_extraction import extract_sketch, extract_sketches
from translate.utils.errors import OptionError


def boxes(size: int = 96, colour=(200, 40, 40)) -> tuple[np.ndarray, np.ndarray]:
    """A coloured disc and a box on light gray, and where their outlines are: (H, W, 3) and (H, W) bool."""
    photo = np.full((size, size, 3), 225, np.uint8)
    outline = np.zeros((size, size), np.uint8)
    box, centre = ((size // 8, size // 8), (size // 2, size // 3)), (int(size * 0.65), int(size * 0.7))
    for canvas, value, thick in ((photo, colour, -1), (outline, 1, 1)):
        cv2.rectangle(canvas, *box, value, thick)
        cv2.circle(canvas, centre, size // 5, value, thick, cv2.LINE_AA if thick < 0 else 8)
    return photo, outline > 0


def away_from(mask: np.ndarray) -> np.ndarray:
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


@pytest.mark.parametrize("colour", [(200, 40, 40), (20, 20, 20), (225, 190, 225), (180, 240, 225)])
def test_outlines_are_drawn_where_they_are_and_nowhere_else(colour):
    photo, outline = boxes(colour=colour)
    sketch = extract_sketch(photo)
    assert sketch.shape == photo.shape[:2] and sketch.dtype == np.uint8
    lines = sketch < 128
    assert away_from(outline)[lines].max() < 2.5
    assert (away_from(lines)[outline] <= 2).mean() > 0.95


def test_lines_are_dark_on_white_and_about_a_pen_wide():
    sketch = extract_sketch(boxes(128)[0])
    assert np.median(sketch) == 255 and sketch.min() == 0
    across = 255 - sketch[30, :40].astype(float)  # one line, the left side of the box
    assert 1.2 < across.sum() / 255 < 2.5


def test_a_slanted_edge_has_no_stairs():
    rows, columns = np.mgrid[:80, :80]
    edge = 40 + 0.3 * (rows - 40)
    photo = (255 * np.clip(columns - edge + 0.5, 0, 1)).astype(np.uint8)[..., None].repeat(3, 2)
    ink = 255.0 - extract_sketch(photo)[15:65]
    middle = (ink * columns[15:65]).sum(1) / ink.sum(1)
    assert np.abs(middle - edge[15:65, 0]).max() < 0.35  # px; without the place between pixels it is 0.5


def test_nothing_is_drawn_on_flat_or_noisy_pictures():
    noise = np.random.default_rng(0).normal(128, 6, (64, 64, 3)).astype(np.uint8)
    for photo in (np.full((64, 64, 3), 90, np.uint8), np.zeros((64, 64, 3), np.uint8), noise):
        assert (extract_sketch(photo) == 255).all()


def test_weak_contrast_is_drawn_too():
    photo, outline = boxes()
    foggy = (200 + photo // 6).astype(np.uint8)
    assert (away_from(extract_sketch(foggy) < 128)[outline] <= 2).mean() > 0.9


def test_more_detail_draws_more():
    rng = np.random.default_rng(1)
    photo = cv2.GaussianBlur(rng.integers(0, 256, (96, 96, 3), np.uint8), (0, 0), 3)
    photo[20:70, 20:70] //= 3
    drawn = [(extract_sketch(photo, detail=detail) < 128).sum() for detail in (0, 0.5, 1)]
    assert drawn[0] < drawn[1] < drawn[2]


def test_short_lines_are_left_out():
    photo = np.full((96, 96, 3), 255, np.uint8)
    photo[10:60, 20:60] = 0
    photo[80:86, 80:86] = 0  # its outline is about 20 px long
    assert (extract_sketch(photo, min_length=10)[75:, 75:] < 128).any()
    assert not (extract_sketch(photo, min_length=40)[75:, 75:] < 128).any()
    assert (extract_sketch(photo, min_length=40) < 128).any()


def test_large_photos_get_lines_that_survive_being_shrunk():
    sketch = extract_sketch(boxes(1100)[0])
    assert sketch.shape == (1100, 1100)
    small = cv2.resize(sketch, (256, 256), interpolation=cv2.INTER_AREA)
    outline = boxes(256)[1]
    assert (away_from(small < 100)[outline] <= 2).mean() > 0.9


def test_a_batch_is_drawn_as_its_pictures_are_alone():
    photos = [boxes()[0], np.ascontiguousarray(boxes()[0][::-1]), np.full((96, 96, 3), 9, np.uint8)]
    batch = extract_sketches(torch.from_numpy(np.stack(photos)).permute(0, 3, 1, 2) / 255)
    assert batch.shape == (3, 1, 96, 96) and batch.min() >= 0 and batch.max() <= 1
    for drawn, photo in zip(batch, photos, strict=True):
        np.testing.assert_allclose(drawn[0].numpy() * 255, extract_sketch(photo), atol=1)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 5), (40, 2)])
def test_tiny_photos(size):
    assert extract_sketch(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)).shape == size


@pytest.mark.parametrize(("detail", "length"), [(-0.1, 0), (1.5, 0), (float("nan"), 0), (0.5, -1)])
def test_impossible_wishes(detail, length):
    with pytest.raises(OptionError, match="--min-length" if length else "--detail"):
        extract_sketch(boxes()[0], detail=detail, min_length=length)
