import numpy as np
import pytest
from PIL import Image

from tests.conftest import picture
from translate.data.sources.mask_files import StoredMasks, open_masks, read_mask, resize_to_cover
from translate.utils.errors import UserError


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


def test_soft_masks_are_split_at_half_with_a_note(tmp_path):
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


def test_other_files_are_refused(tmp_path):
    (tmp_path / "x.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"x\.png: cannot be read as an image"):
        read_mask(tmp_path / "x.png")


# ---- polarity


@pytest.mark.parametrize("hole_is", ["white", "black"])
def test_the_hole_is_the_rarer_colour_of_all_masks(tmp_path, hole_is):
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


def test_white_is_the_hole_if_both_colours_are_equally_frequent(tmp_path):
    mask = np.zeros((20, 20), np.uint8)
    mask[:11] = 255
    assert open_masks(str(write(tmp_path / "half.png", mask))).white_is_hole
    mask[:13] = 255
    assert not open_masks(str(write(tmp_path / "half.png", mask))).white_is_hole


def test_useless_masks_are_left_out_with_a_note(tmp_path):
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


def test_bad_mask_folders_are_refused(tmp_path):
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


def test_stored_masks_are_cropped_and_mirrored_at_random(tmp_path):
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


def test_a_crop_is_neither_empty_nor_full(tmp_path):
    mask = np.zeros((32, 900), bool)
    mask[:, 5:8] = True
    masks = StoredMasks([write(tmp_path / "a.png", gray(mask))], white_is_hole=True, side=32)
    cuts = [masks(32, 32, rng(seed)) for seed in range(50)]
    assert all(cut.any() and not cut.all() for cut in cuts)


def test_resized_masks_keep_their_shape_and_share():
    mask = centred(100, 30)
    for height, width in ((50, 50), (30, 77), (250, 100)):
        made = resize_to_cover(mask, height, width)
        assert made.shape == (max(height, width),) * 2
        assert abs(made.mean() - 0.09) < 0.02
    np.testing.assert_array_equal(resize_to_cover(mask, 50, 50), mask[1::2, 1::2])
    assert resize_to_cover(mask, 100, 100) is mask
