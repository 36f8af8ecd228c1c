import cv2
import numpy as np
import pytest

from translate.images.line_drawings import ink_share, is_line_drawing, tidy_sketch

RNG = np.random.default_rng(0)


def drawing(size: int = 256, pen: int = 3) -> np.ndarray:
    """A house drawn in black on white, (H, W, 3) uint8."""
    sheet = np.full((size, size, 3), 255, np.uint8)
    at = lambda *xy: tuple(int(size * v) for v in xy)  # noqa: E731
    cv2.rectangle(sheet, at(0.25, 0.45), at(0.75, 0.85), (0, 0, 0), pen, cv2.LINE_AA)
    cv2.polylines(sheet, [np.array([at(0.2, 0.45), at(0.5, 0.15), at(0.8, 0.45)])], True, (0, 0, 0), pen, cv2.LINE_AA)
    cv2.circle(sheet, at(0.5, 0.65), size // 12, (0, 0, 0), pen, cv2.LINE_AA)
    return sheet


def inked(pen_colour, paper=(255, 255, 255), **options) -> np.ndarray:
    share = drawing(**options) / 255
    return (share * np.array(paper) + (1 - share) * np.array(pen_colour)).astype(np.uint8)


def photographed() -> np.ndarray:
    """In pencil on yellowish paper, brighter on the right, with grain."""
    page = inked((90, 85, 80), (250, 240, 215), size=800, pen=6).astype(float)
    light = np.linspace(0.45, 1, 800)[None, :, None]
    return np.clip(page * light + RNG.normal(0, 5, page.shape), 0, 255).astype(np.uint8)


def shaded() -> np.ndarray:
    tone = np.full((256, 256), 255, np.uint8)
    cv2.rectangle(tone, (80, 120), (180, 210), 170, -1)
    return np.minimum(drawing(), cv2.GaussianBlur(tone, (0, 0), 10)[..., None])


KINDS = {
    "black on white": drawing(),
    "gray sheet": drawing()[..., 0],
    "white on black": 255 - drawing(),
    "blue pen": inked((30, 60, 200)),
    "yellow pen": inked((240, 220, 40)),
    "faint pencil": inked((200, 200, 200), (240, 240, 240)),
    "photographed": photographed(),
    "shaded": shaded(),
    "large": drawing(2000, 20),
    "hairlines": drawing(1600, 2),
    "tiny": cv2.resize(drawing(), (64, 64), interpolation=cv2.INTER_AREA),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", [256, 64])
def test_every_kind_of_drawing_becomes_the_same_dark_lines_on_white(kind, side):
    tidied = tidy_sketch(KINDS[kind], side)
    assert tidied.shape == (side, side) and tidied.dtype == np.uint8
    assert np.median(tidied) == 255 and (tidied < 60).sum() > 0.5 * (tidied < 200).sum() > 0
    wanted = cv2.resize(drawing()[..., 0], (side, side), interpolation=cv2.INTER_AREA) < 200
    near = max(2, side // 64)
    for one, other in ((tidied < 128, wanted), (wanted, tidied < 128)):
        away = cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, 5)
        assert (away[one] <= near).mean() > 0.97


@pytest.mark.parametrize("kind", ["large", "hairlines"])
def test_lines_stay_a_pen_wide_when_shrunk(kind):
    tidied = tidy_sketch(KINDS[kind], 64)
    across = (255 - tidied[int(0.6 * 64), 10:24].astype(float)).sum() / 255  # the left wall
    assert 1.2 <= across <= 2.6


def test_the_shape_of_the_page_is_kept():
    wide = np.hstack([drawing(), np.full((256, 256, 3), 255, np.uint8)])
    assert tidy_sketch(wide, 64).shape == (64, 128)
    assert tidy_sketch(np.rot90(wide), 64).shape == (128, 64)
    assert tidy_sketch(wide[:40, :30], 64).shape == (85, 64)


def test_a_tidy_drawing_stays_as_it_is():
    tidied = tidy_sketch(drawing(), 256)
    assert np.abs(tidied.astype(int) - drawing()[..., 0]).mean() < 3


@pytest.mark.parametrize(
    "empty",
    [
        np.full((80, 90, 3), 255, np.uint8),
        np.zeros((80, 90, 3), np.uint8),
        np.clip(RNG.normal(190, 5, (300, 300, 3)) * np.linspace(0.6, 1, 300)[None, :, None], 0, 255).astype(np.uint8),
    ],
    ids=["white", "black", "photographed"],
)
def test_an_empty_page_has_no_ink(empty):
    tidied = tidy_sketch(empty, 64)
    assert ink_share(tidied) == 0 and (tidied == 255).all()
    assert not is_line_drawing(empty)


def test_ink_is_the_share_of_line():
    sheet = np.full((10, 10, 3), 255, np.uint8)
    assert ink_share(sheet) == 0
    sheet[:2, :, 0] = 0  # a pen of any colour
    assert ink_share(sheet) == 0.2 and ink_share(sheet[..., 0]) == 0.2


@pytest.mark.parametrize("kind", ["black on white", "gray sheet", "large", "hairlines", "tiny", "faint pencil"])
def test_drawings_are_known(kind):
    assert is_line_drawing(KINDS[kind])


def filled() -> np.ndarray:
    """A gray object on white, as a photo of a product."""
    sheet = np.full((256, 256), 255, np.uint8)
    cv2.ellipse(sheet, (128, 128), (90, 50), 0, 0, 360, 90, -1)
    return cv2.GaussianBlur(sheet, (0, 0), 4)[..., None].repeat(3, 2)


@pytest.mark.parametrize(
    "picture",
    [
        filled(),
        np.minimum(drawing(), [200, 90, 90]).astype(np.uint8),
        inked((30, 60, 200)),
        255 - drawing(),
        cv2.GaussianBlur(RNG.integers(0, 256, (96, 96, 3), np.uint8), (0, 0), 4),
        RNG.integers(0, 256, (96, 96), np.uint8),
        cv2.resize(RNG.integers(0, 4, (9, 9), np.uint8) * 60 + 60, (96, 96), interpolation=cv2.INTER_NEAREST),
    ],
    ids=["product", "coloured paper", "coloured pen", "light on dark", "photo", "noise", "label map"],
)
def test_other_pictures_are_not(picture):
    assert not is_line_drawing(picture)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (3, 4)])
def test_tiny_pictures(size):
    assert min(tidy_sketch(RNG.integers(0, 256, (*size, 3), np.uint8), 16).shape) == 16
    is_line_drawing(RNG.integers(0, 256, (*size, 3), np.uint8))
