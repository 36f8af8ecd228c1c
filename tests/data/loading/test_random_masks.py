import time

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.conftest import picture
from translate.data.loading.random_masks import (
    BANDS,
    DEFAULT_KINDS,
    KINDS,
    check_mask_options,
    draw_mask,
    evaluation_mask,
)
from translate.data.sources.mask_files import StoredMasks, open_masks, read_mask, resize_to_cover
from translate.utils.errors import OptionError, UserError

SHARED = [kind for kind in KINDS if kind != "centre"]


def rng(*words):
    return np.random.default_rng(words)


def centred(side=40, hole=12):
    """A mask with `hole` x `hole` px of hole a little off the middle."""
    mask = np.zeros((side, side), bool)
    mask[8 : 8 + hole, 10 : 10 + hole] = True
    return mask


def write(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


def gray(mask, inside=255, outside=0):
    return np.where(mask, inside, outside).astype(np.uint8)


# ---- drawn


@pytest.mark.parametrize("kind", SHARED)
@pytest.mark.parametrize(("height", "width"), [(64, 64), (48, 130), (200, 256)])
def test_a_kind_covers_the_share_that_is_wanted(kind, height, width):
    for share in (0.05, 0.25, 0.6):
        areas = []
        for seed in range(8):
            mask = KINDS[kind](height, width, rng(seed), share)
            assert mask.dtype == bool and mask.shape == (height, width)
            areas.append(mask.mean())
        assert np.abs(np.array(areas) / share - 1).max() < 0.35
        assert abs(np.mean(areas) / share - 1) < 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_follows_from_the_generator(kind):
    first, again = (KINDS[kind](64, 80, rng(3), 0.2) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    distinct = {KINDS[kind](64, 80, rng(seed), 0.2).tobytes() for seed in range(10)}
    assert (len(distinct) == 1) if kind == "centre" else (len(distinct) >= 8)  # upright halves are but four


def widths(mask):
    """The width of the widest place, px."""
    inside = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)
    return 2 * inside.max()


def pieces(mask):
    return cv2.connectedComponents(mask.astype(np.uint8))[0] - 1


def test_each_kind_is_what_it_is_called():
    drawn = {kind: [KINDS[kind](256, 256, rng(seed), 0.1) for seed in range(12)] for kind in KINDS}
    assert all(widths(mask) > 0.04 * 256 for mask in drawn["strokes"])
    assert all(widths(mask) < 12 for mask in drawn["scratches"])  # several may cross at a point
    assert all(pieces(mask) > 100 for mask in drawn["salt"])
    assert all(pieces(mask) <= 12 for kind in ("strokes", "boxes", "blobs") for mask in drawn[kind])
    for mask in drawn["boxes"]:  # as many rows alike as columns say: all corners are right angles
        assert len({row.tobytes() for row in mask}) <= 1 + 2 * 12
    assert any(pieces(mask) == 1 for mask in drawn["blobs"])
    for mask in drawn["halves"]:
        assert pieces(mask) == 1 and pieces(~mask) == 1
        outline, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        assert cv2.contourArea(cv2.convexHull(outline[0])) < 1.05 * cv2.contourArea(outline[0])
    tops = {(mask[0].all(), mask[-1].all(), mask[:, 0].all(), mask[:, -1].all()) for mask in drawn["halves"]}
    assert len(tops) >= 3


def test_strokes_are_wider_in_larger_holes_and_scratches_in_larger_pictures():
    wide = [np.mean([widths(KINDS["strokes"](128, 128, rng(s), share)) for s in range(15)]) for share in (0.03, 0.3)]
    assert 1.8 * wide[0] < wide[1]
    thin = [np.median([widths(KINDS["scratches"](n, n, rng(s), 0.01)) for s in range(15)]) for n in (256, 1024)]
    assert 2 * thin[0] < thin[1]


def test_the_centre_is_half_of_each_side():
    mask = KINDS["centre"](128, 64, rng(0), 0.9)
    expected = np.zeros((128, 64), bool)
    expected[32:96, 16:48] = True
    np.testing.assert_array_equal(mask, expected)
    np.testing.assert_array_equal(draw_mask(128, 64, rng(1), kinds=("centre",), low=0.4, high=0.5), expected)


@pytest.mark.parametrize(("low", "high"), [(0.02, 0.6), (0.4, 0.42), (0.0, 1.0), (0.9, 0.99)])
def test_a_drawn_mask_has_an_area_between_the_limits(low, high):
    masks = [draw_mask(48, 64, rng(seed), low=low, high=high) for seed in range(60)]
    areas = np.array([mask.mean() for mask in masks])
    assert ((areas >= low) & (areas <= high)).all()
    assert all(mask.any() and not mask.all() for mask in masks)
    assert np.ptp(areas) > 0.5 * (high - low)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (3, 3), (8, 8), (1, 300), (5, 200)])
def test_tiny_and_narrow_pictures_have_a_hole_and_a_rest(kind, shape):
    for seed in range(5):
        mask = draw_mask(*shape, rng(seed), kinds=(kind,), low=0.05, high=0.2)
        assert mask.shape == shape and mask.any() and not mask.all()


def test_kinds_are_drawn_as_often_as_they_are_named():
    usual = {kind: DEFAULT_KINDS.count(kind) for kind in KINDS}
    assert usual["strokes"] == max(usual.values()) and usual["centre"] == 0
    assert usual["strokes"] + usual["boxes"] + usual["blobs"] > 4 * (usual["halves"] + usual["salt"])
    both = [draw_mask(32, 32, rng(seed), kinds=("centre", "centre", "salt")) for seed in range(90)]
    assert 45 < sum(pieces(mask) == 1 for mask in both) < 75
    assert draw_mask(32, 32, rng(0), kinds=()).any()


def test_thin_masks_stay_thin_unless_more_is_asked_for():
    assert max(draw_mask(64, 64, rng(seed), kinds=("scratches",)).mean() for seed in range(20)) <= 0.11
    assert min(draw_mask(64, 64, rng(s), kinds=("scratches",), low=0.3, high=0.5).mean() for s in range(5)) >= 0.3
    assert min(draw_mask(64, 64, rng(seed), kinds=("halves",)).mean() for seed in range(20)) >= 0.29


def test_a_mask_costs_less_than_a_millisecond():
    took = []
    for seed in range(60):
        began = time.perf_counter()
        draw_mask(256, 256, rng(seed % 20))
        took.append(time.perf_counter() - began)
    assert np.median(took) < 0.001


@pytest.mark.parametrize("band", range(3))
def test_evaluation_masks_lie_in_their_band_and_never_change(band):
    low, high = BANDS[band]
    for shape in ((64, 64), (40, 72)):
        masks = [evaluation_mask(*shape, band, index) for index in range(40)]
        areas = np.array([mask.mean() for mask in masks])
        assert ((areas >= low) & (areas <= high)).all()
        assert np.ptp(areas) > 0.6 * (high - low)
        assert len({mask.tobytes() for mask in masks}) == 40
        np.testing.assert_array_equal(masks[7], evaluation_mask(*shape, band, 7, 0))
        assert (masks[7] != evaluation_mask(*shape, band, 7, seed=1)).any()


def test_the_bands_are_those_of_the_literature():
    assert BANDS == ((0.01, 0.2), (0.2, 0.4), (0.4, 0.6))


@pytest.mark.parametrize(
    ("kinds", "low", "high", "message"),
    [
        (("stroke",), 0.1, 0.2, "--mask-kinds: unknown kind 'stroke'; did you mean 'strokes'"),
        ((), 0.3, 0.3, "--mask-low 0.3 and --mask-high 0.3 should"),
        ((), -0.1, 0.3, "between 0 and 1"),
        ((), 0.1, 1.3, "between 0 and 1"),
    ],
)
def test_wishes_that_cannot_be_drawn(kinds, low, high, message):
    with pytest.raises(OptionError, match=message):
        check_mask_options(kinds, low, high)
    check_mask_options(("boxes", "centre"), 0.0, 1.0)


# ---- read


def test_masks_of_any_kind_of_file_are_read(tmp_path):
    hole = centred()
    soft_photo = picture(0, 40, 40)
    files = {
        "gray.png": gray(hole),
        "rgb.png": np.repeat(gray(hole)[..., None], 3, 2),
        "red.png": np.where(hole[..., None], (255, 0, 0), (0, 0, 0)).astype(np.uint8),
        "on_blue.png": np.where(hole[..., None], (255, 255, 255), (0, 0, 255)).astype(np.uint8),
        "labels.png": hole.astype(np.uint8),
        "bit.png": hole,
        "deep.png": np.where(hole, 65535, 0).astype(np.uint16),
        "cut_out.png": np.dstack([soft_photo, gray(hole)]),
        "opaque.png": np.dstack([np.repeat(gray(hole)[..., None], 3, 2), np.full(hole.shape, 255, np.uint8)]),
    }
    for name, array in files.items():
        mask, soft = read_mask(write(tmp_path / name, array))
        np.testing.assert_array_equal(mask, hole, err_msg=name)
        assert mask.dtype == bool and soft == 0, name
        np.testing.assert_array_equal(read_mask(tmp_path / name, white_is_hole=False)[0], ~hole)
    assert Image.open(tmp_path / "bit.png").mode == "1"
    mask, soft = read_mask(write(tmp_path / "gray.jpg", gray(hole), quality=90))
    np.testing.assert_array_equal(mask, hole)


def test_soft_masks_are_split_at_half_and_told(tmp_path):
    ramp = np.tile(np.arange(256, dtype=np.uint8), (4, 1))
    mask, soft = read_mask(write(tmp_path / "ramp.png", ramp))
    np.testing.assert_array_equal(mask, ramp >= 128)
    assert soft == pytest.approx(0.8, abs=0.005)
    inverse, soft = read_mask(tmp_path / "ramp.png", white_is_hole=False)
    np.testing.assert_array_equal(inverse, ramp < 128)
    write(tmp_path / "hard.png", gray(centred(64)))
    found = open_masks(str(tmp_path))
    assert len(found.notes) == 2
    assert found.notes[1] == (
        "masks: 1 of 2 have gray values between black and white (80 % of ramp.png); they are split at half"
    )


def test_what_is_no_picture_is_refused(tmp_path):
    (tmp_path / "x.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"x\.png: cannot be read as an image"):
        read_mask(tmp_path / "x.png")


# ---- polarity


@pytest.mark.parametrize("hole_is", ["white", "black"])
def test_the_hole_is_the_colour_of_the_smaller_part_of_all_masks(tmp_path, hole_is):
    colours = {"inside": 255, "outside": 0} if hole_is == "white" else {"inside": 0, "outside": 255}
    large = np.ones((40, 40), bool)
    large[:4] = False  # most of this one is hole
    for i, mask in enumerate((centred(), centred(), centred(hole=8), large)):
        write(tmp_path / f"{i}.png", gray(mask, **colours))
    found, other = open_masks(str(tmp_path)), "black" if hole_is == "white" else "white"
    assert found.white_is_hole == (hole_is == "white")
    assert found.holes == pytest.approx((0.09, 0.09, 0.04, 0.9))
    assert found.notes == (f"masks: {hole_is} is the hole (28 % of the pixels); say --invert-masks if {other} is",)
    turned = open_masks(str(tmp_path / "*.png"), invert=True)
    assert turned.white_is_hole == (hole_is == "black") and turned.holes == pytest.approx((0.91, 0.91, 0.96, 0.1))
    assert turned.notes == (f"masks: {other} is the hole (72 % of the pixels), as --invert-masks says",)
    one = open_masks(str(tmp_path / "0.png"), invert=False)
    assert len(one.files) == 1 and one.white_is_hole == (hole_is == "white") and "(9 % of" in one.notes[0]


def test_in_doubt_white_is_the_hole(tmp_path):
    mask = np.zeros((20, 20), np.uint8)
    mask[:11] = 255
    assert open_masks(str(write(tmp_path / "half.png", mask))).white_is_hole
    mask[:13] = 255
    assert not open_masks(str(write(tmp_path / "half.png", mask))).white_is_hole


def test_useless_masks_are_left_out_and_told(tmp_path):
    for name, mask in {"a": centred(), "empty": np.zeros((40, 40)), "full": np.ones((40, 40)), "b": centred()}.items():
        write(tmp_path / f"{name}.png", gray(mask > 0))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    found = open_masks(str(tmp_path))
    assert [file.stem for file in found.files] == ["a", "b", "empty", "full"]
    assert "1 of 5 are left out; the first: " in found.notes[1] and "broken.png" in found.notes[1]
    usable = found.usable()
    assert [file.stem for file in usable.files] == ["a", "b"] and usable.holes == pytest.approx((0.09, 0.09))
    assert usable.notes[:2] == found.notes
    assert usable.notes[2].startswith("masks: 2 of 4 are empty or full and are left out: ")
    assert usable.usable() is usable


def test_bad_mask_folders(tmp_path):
    with pytest.raises(UserError, match="^--masks: no file or folder"):
        open_masks(str(tmp_path / "nowhere"))
    (tmp_path / "x").mkdir()
    with pytest.raises(UserError, match="^--masks: folder .* is empty"):
        open_masks(str(tmp_path / "x"))
    (tmp_path / "x" / "a.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"^--masks: none of 1 masks can be read; the first: .*a\.png"):
        open_masks(str(tmp_path / "x"))
    for name, level in (("a", 0), ("b", 0), ("c", 255)):
        write(tmp_path / "x" / f"{name}.png", np.full((20, 20), level, np.uint8))
    with pytest.raises(UserError, match="^--masks: all 3 masks are empty or full; give masks with a hole"):
        open_masks(str(tmp_path / "x")).usable()


# ---- stored


def test_stored_masks_cover_the_crop_mirrored_and_cut_at_random(tmp_path):
    mask = np.zeros((64, 160), bool)
    mask[10:20, ::4] = True
    mask[10:20, 1::4] = True  # a comb: every cut along it has some
    masks = StoredMasks([write(tmp_path / "a.png", gray(mask, 0, 255))], white_is_hole=False, side=64)
    cuts = [masks(64, 64, rng(seed)) for seed in range(40)]
    assert all(cut.shape == (64, 64) and cut.sum() == 320 for cut in cuts)
    assert {bool(cut[15].any()) for cut in cuts} == {True, False}  # upside down, some
    assert len({cut.tobytes() for cut in cuts}) >= 4
    np.testing.assert_array_equal(cuts[3], masks(64, 64, rng(3)))
    small = masks(32, 32, rng(0))
    assert small.shape == (32, 32) and abs(small.mean() - 320 / 4096) < 0.03
    assert masks(96, 80, rng(0)).shape == (96, 80)


def test_a_cut_is_neither_empty_nor_full(tmp_path):
    mask = np.zeros((32, 900), bool)
    mask[:, 5:8] = True
    masks = StoredMasks([write(tmp_path / "a.png", gray(mask))], white_is_hole=True, side=32)
    cuts = [masks(32, 32, rng(seed)) for seed in range(50)]
    assert all(cut.any() and not cut.all() for cut in cuts)


def test_resized_masks_have_the_shape_and_the_share_of_their_own():
    mask = centred(100, 30)
    for height, width in ((50, 50), (30, 77), (250, 100)):
        made = resize_to_cover(mask, height, width)
        assert made.shape == (max(height, width),) * 2
        assert abs(made.mean() - 0.09) < 0.02
    np.testing.assert_array_equal(resize_to_cover(mask, 50, 50), mask[1::2, 1::2])
    assert resize_to_cover(mask, 100, 100) is mask
