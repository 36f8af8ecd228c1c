import cv2
import numpy as np
import pytest
from PIL import Image

from tests.conftest import picture
from translate.data.checks.pair_checks import check_headers, direction_note, exchanged_pairs, inspect_pairs
from translate.data.sources.pair import Pair
from translate.utils.errors import UserError


def sketch(seed, side=64, thickness=1):
    rng, page = np.random.default_rng(seed), np.full((side, side), 255, np.uint8)
    for _ in range(3):
        corners = rng.integers(4, side - 4, (5, 2)).astype(np.int32)
        cv2.polylines(page, [corners], True, 0, thickness, cv2.LINE_AA if seed % 2 else cv2.LINE_8)
    return page


def labels(seed, classes=5, side=64):
    blocks = np.random.default_rng(seed).integers(0, classes, (8, 8))
    return np.kron(blocks, np.ones((side // 8, side // 8), int)).astype(np.uint8)


PALETTE = np.random.default_rng(5).integers(0, 256, (256, 3), np.uint8)


def make(folder, a, b, count=6):
    """Write pairs of what `a` and `b` return for a number: an array, or a Pillow image."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = []
    for i in range(count):
        files = []
        for side, draw in (("a", a), ("b", b)):
            image = draw(i)
            files.append(folder / f"{i}{side}.png")
            (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(files[-1])
        pairs.append(Pair(str(i), *files))
    return pairs


def photo(seed):
    return picture(seed, 64, 64)


def test_sketches_and_photos(tmp_path):
    a, b = inspect_pairs(make(tmp_path, sketch, photo))
    assert (a.gray, a.drawing, a.colours, a.size) == (True, True, 0, 64)
    assert (b.gray, b.drawing, b.colours, b.size) == (False, False, 0, 64)


def test_black_and_white_drawings_are_not_label_maps(tmp_path):
    pairs = make(tmp_path, lambda i: sketch(2 * i), lambda i: 255 - sketch(2 * i))
    a, b = inspect_pairs(pairs)
    assert (a.drawing, a.colours) == (True, 0)
    assert (b.drawing, b.colours) == (False, 0)  # white lines on black: not what sketch models know, nor labels


@pytest.mark.parametrize(
    ("draw", "gray", "colours"),
    [
        (lambda i: PALETTE[labels(i)], False, 5),
        (lambda i: labels(i) * 20, True, 5),
        (lambda i: labels(i, 2) * 255, True, 2),  # a mask
        (lambda i: Image.fromarray(labels(i, 200), "P"), None, None),
    ],
)
def test_label_maps(tmp_path, draw, gray, colours):
    def drawn(i):
        image = draw(i)
        if isinstance(image, Image.Image):
            image.putpalette(PALETTE.tobytes())
        return image

    a, b = inspect_pairs(make(tmp_path, photo, drawn))
    assert a.colours == 0
    if colours is None:
        assert 40 < b.colours <= 200  # more than 40, but one palette for all
    else:
        assert (b.colours, b.gray) == (colours, gray)


def test_a_photo_with_its_own_palette_is_not_a_label_map(tmp_path):
    def reduced(i):
        return Image.fromarray(photo(i)).quantize(64)

    _, b = inspect_pairs(make(tmp_path, photo, reduced))
    assert b.colours == 0


def test_a_compressed_gray_picture_is_gray_and_a_red_mark_is_not(tmp_path):
    def jpeg_gray(i):
        gray = np.repeat(photo(i)[..., :1], 3, axis=2).copy()
        gray[..., 0] = np.clip(gray[..., 0].astype(int) + i % 4, 0, 255)
        return gray

    def marked(i):
        page = np.repeat(sketch(i)[..., None], 3, axis=2)
        page[:20, :20] = (200, 40, 40)
        return page

    a, b = inspect_pairs(make(tmp_path, jpeg_gray, marked))
    assert (a.gray, b.gray) == (True, False)


def test_unreadable_pairs_are_skipped_unless_all_are_unreadable(tmp_path):
    pairs = make(tmp_path, sketch, photo)
    pairs[0].b.write_bytes(b"no picture")
    assert inspect_pairs(pairs)[0].drawing
    for pair in pairs:
        pair.a.write_bytes(b"no picture")
    with pytest.raises(UserError, match="none of 6 pairs tried can be read; the first: .*0a.png: cannot be read"):
        inspect_pairs(pairs)


@pytest.mark.parametrize(
    ("a", "b", "direction", "message"),
    [
        (photo, sketch, "ab", "look like line drawings and the sources like photos: is --direction ba meant"),
        (photo, sketch, "ba", "is --direction ab meant"),
        (photo, lambda i: PALETTE[labels(i)], "ab", "the target pictures look like label maps"),
        (photo, lambda i: photo(i)[..., 0], "ab", "the target pictures look like gray pictures"),
        (sketch, photo, "ab", ""),
        (photo, lambda i: photo(i + 50), "ab", ""),
        (sketch, lambda i: labels(i) * 20, "ab", ""),
    ],
)
def test_a_suspicious_direction_is_questioned(tmp_path, a, b, direction, message):
    note = direction_note(inspect_pairs(make(tmp_path, a, b)), direction)
    assert message in note
    assert bool(message) == bool(note)


# --- exchanged pairs


def stacked(pairs):
    return [np.concatenate([np.atleast_3d(a), np.atleast_3d(b)], axis=2) for a, b in pairs]


@pytest.mark.parametrize("gray", [True, False])
def test_exchanged_pairs_are_named(gray):
    def side(page):
        return page if gray else np.repeat(page[..., None], 3, axis=2)

    pairs = [(side(sketch(i)), photo(i)) for i in range(40)]
    for i in (3, 17):
        turned = photo(i)
        pairs[i] = (cv2.cvtColor(turned, cv2.COLOR_RGB2GRAY) if gray else turned, np.dstack([sketch(i)] * 3))
    names = [f"n{i}" for i in range(40)]
    channels = (1 if gray else 3, 3)
    assert exchanged_pairs(stacked(pairs), names, channels) == ["n3", "n17"]


def test_similar_sides_have_no_exchanged_pairs():
    pairs = [(photo(i), photo(100 + i)) for i in range(40)]
    assert exchanged_pairs(stacked(pairs), [str(i) for i in range(40)], (3, 3)) == []
    assert exchanged_pairs(stacked([(sketch(0), photo(0))]), ["0"], (1, 3)) == []


# --- headers


def test_wrong_sizes_are_found_from_the_headers(tmp_path):
    pairs = make(tmp_path, photo, photo)
    check_headers(pairs)
    Image.new("RGB", (64, 80)).save(pairs[4].b)
    with pytest.raises(UserError, match=r"4a.png is 64 x 64 px but .*4b.png is 64 x 80 px"):
        check_headers(pairs)
    Image.new("RGB", (63, 31)).save(pairs[0].a)
    with pytest.raises(UserError, match="0a.png is 63 px wide"):
        check_headers([Pair("0", pairs[0].a, pairs[0].a)])
    pairs[4].b.write_bytes(b"no picture")
    check_headers(pairs[1:])


def test_a_rotated_picture_is_measured_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 40)).save(tmp_path / "a.jpg", exif=exif)
    Image.new("RGB", (40, 30)).save(tmp_path / "b.jpg")
    check_headers([Pair("x", tmp_path / "a.jpg", tmp_path / "b.jpg")])
