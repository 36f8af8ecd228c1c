import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from translate.images.picture import Picture, to_depth
from translate.inference import inpainting as holes_module
from translate.inference.inpainting import fill, hole_in, hole_of, holes_of_batch, keep_known, resized_hole, windows
from translate.utils.errors import UserError

SIZE = 64


def noise(*shape, dtype=np.uint8, seed=0):
    full = np.random.default_rng(seed).random(shape)
    return full.astype(dtype) if np.dtype(dtype).kind == "f" else (full * np.iinfo(dtype).max).astype(dtype)


def smooth(height, width):
    """A picture of slow gradients, (H, W, 3) float32 in [0.1, 0.9]."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = [np.sin(x / 90 + k) * np.cos(y / 70 - k) for k in range(3)]
    return 0.5 + 0.4 * np.stack(waves, 2)


def grey(x):
    """A network that answers grey, everywhere."""
    return torch.zeros_like(x[:, :-1])


def blurring(x):
    """A network that answers with the mean of the known pixels nearby."""
    known = (x[:, -1:] < 0).float()
    return F.avg_pool2d(x[:, :-1] * known, 31, 1, 15) / F.avg_pool2d(known, 31, 1, 15).clamp_min(1e-3)


class Watching:
    """Keeps what its network is shown."""

    def __init__(self, network=grey):
        self.network, self.seen = network, []

    def __call__(self, x):
        self.seen.append(x.clone())
        return self.network(x)


def patch(height, width, *boxes):
    hole = np.zeros((height, width), bool)
    for top, left, down, across in boxes:
        hole[top : top + down, left : left + across] = True
    return hole


def scratch(height, width, thickness=3):
    drawn = cv2.line(np.zeros((height, width), np.uint8), (5, 8), (width - 9, height - 4), 1, thickness)
    return drawn.astype(bool)


def salt(height, width, share=0.05):
    return np.random.default_rng(0).random((height, width)) < share


HOLES = {
    "small picture": patch(50, 70, (10, 10, 20, 20)),
    "one box": patch(300, 400, (100, 200, 20, 30)),
    "corners": patch(300, 400, (0, 0, 20, 30), (290, 390, 10, 10), (299, 0, 1, 1)),
    "scratch": scratch(300, 500),
    "salt": salt(200, 260),
    "thick": patch(400, 500, (100, 100, 200, 220)),
    "half": patch(300, 500, (0, 0, 300, 250)),
    "frame": ~patch(300, 300, (120, 120, 60, 60)),
    "strip": patch(20, 1000, (0, 300, 20, 100)),
    "column": patch(1000, 3, (0, 0, 900, 3)),
    "nearly all": ~patch(300, 400, (150, 200, 1, 1)),
    "nested": patch(
        300, 300, (20, 20, 260, 4), (20, 276, 260, 4), (20, 20, 4, 260), (276, 20, 4, 260), (150, 150, 5, 5)
    ),
}  # fmt: skip


# ---- windows


@pytest.mark.parametrize("fixed", [0, 48, 128])
@pytest.mark.parametrize("hole", HOLES.values(), ids=HOLES)
def test_windows_take_each_pixel_of_the_hole_once_and_always_see_something_known(hole, fixed):
    left, longest = hole.copy(), max(hole.shape)
    for view, own, seen in windows(hole, SIZE, fixed):
        rows, columns = view
        assert 0 <= rows.start < rows.stop <= hole.shape[0] and 0 <= columns.start < columns.stop <= hole.shape[1]
        assert own.shape == left[view].shape and own.any() and (left[view] | ~own).all()
        assert not left[view].all()
        if fixed:
            assert max(seen) <= fixed and (max(seen) == fixed or min(hole.shape) < max(hole.shape))
        else:
            assert max(seen) <= max(2 * SIZE, hole.shape[0] * (seen[0] == hole.shape[0]))
        trained = fixed or SIZE
        if own.shape[0] > seen[0] and max(own.shape) < longest:  # seen smaller, and not all of the picture
            thickness = 2 * cv2.distanceTransform(own.astype(np.uint8), cv2.DIST_L2, 5).max()
            assert thickness * seen[0] / own.shape[0] <= trained / 2 + 2
        left[view][own] = False
    assert not left.any()


def test_a_small_picture_is_one_window_at_its_own_size():
    for shape in ((96, 128), (128, 96), (30, 128), (5, 7)):
        hole = patch(*shape, (1, 1, 2, 2))
        ((view, own, seen),) = windows(hole, SIZE)
        assert seen == shape == hole[view].shape and (own == hole).all()
    assert len(list(windows(patch(97, 100, (1, 1, 2, 2)), SIZE))) == 1
    assert next(windows(patch(97, 100, (1, 1, 2, 2)), SIZE)).seen == (64, 64)


def test_holes_far_apart_have_windows_of_their_own_with_the_hole_in_the_middle():
    hole = patch(300, 400, (100, 100, 10, 12), (200, 300, 6, 6), (110, 118, 4, 4))  # the last is near the first
    found = list(windows(hole, SIZE))
    assert len(found) == 2
    first, second = sorted(found, key=lambda w: w.view[0].start)
    assert first.own.sum() == 136 and second.own.sum() == 36
    assert second.view == (slice(203 - 32, 203 + 32), slice(303 - 32, 303 + 32))
    assert all(window.seen == (64, 64) for window in found)


def test_a_long_scratch_is_filled_piece_by_piece_at_full_scale():
    found = list(windows(scratch(300, 500), SIZE))
    assert len(found) >= 500 // 32 and {window.seen for window in found} == {(64, 64)}


def test_a_thick_hole_is_seen_at_a_scale_at_which_it_is_not_thick():
    ((view, own, seen),) = windows(patch(600, 600, (250, 250, 100, 100)), SIZE)
    side = view[0].stop - view[0].start
    assert side == pytest.approx(64 * 100 / 32, rel=0.05) and seen == (64, 64)
    ((view, _, seen),) = windows(patch(600, 800, (0, 0, 600, 400)), SIZE)  # one side is known: as hard as twice that
    assert view == (slice(0, 600), slice(0, 800)) and seen == (48, 64)


def test_a_network_of_one_size_sees_squares_of_it():
    assert [w.seen for w in windows(patch(50, 50, (10, 10, 5, 5)), SIZE, 128)] == [(128, 128)]
    assert [w.seen for w in windows(patch(50, 25, (10, 10, 5, 5)), SIZE, 128)] == [(128, 64)]  # to be padded
    ((view, _, seen),) = windows(patch(500, 500, (250, 250, 5, 5)), SIZE, 128)
    assert view[0].stop - view[0].start == 128 and seen == (128, 128)


# ---- filling


@pytest.mark.parametrize("network", [grey, blurring])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("gray, alpha", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("channels", [1, 3])
def test_known_pixels_stay_bit_for_bit(network, dtype, gray, alpha, channels):
    pixels = noise(131, 177, 1 if gray else 3, dtype=dtype)
    picture = Picture(
        pixels.repeat(3, 2) if gray else pixels, noise(131, 177, dtype=dtype, seed=1) if alpha else None, gray
    )
    before = picture.pixels.copy(), None if picture.alpha is None else picture.alpha.copy()
    for hole in (patch(131, 177, (60, 80, 20, 30)), salt(131, 177), patch(131, 177, (0, 0, 131, 90))):
        result = fill(picture, hole, network, channels=channels, size=SIZE)
        assert result.pixels.dtype == dtype and result.gray == gray
        assert (result.pixels[~hole] == picture.pixels[~hole]).all() and (result.pixels[hole] != pixels[hole]).any()
        assert not gray or (result.pixels == result.pixels[..., :1]).all()
        if alpha:
            assert (result.alpha[~hole] == picture.alpha[~hole]).all()
            assert (result.alpha[hole] == (1 if dtype == np.float32 else np.iinfo(dtype).max)).all()
    assert (picture.pixels == before[0]).all() and (before[1] is None or (picture.alpha == before[1]).all())


def test_the_network_sees_the_picture_as_it_is_and_the_mask():
    picture, hole = Picture(noise(40, 50, 3)), patch(40, 50, (10, 10, 9, 9))
    network = Watching()
    fill(picture, hole, network, channels=3, size=SIZE)
    (x,) = network.seen
    assert x.shape == (1, 4, 40, 50) and ((x[0, 3] == 1).numpy() == hole).all() and x[0, 3].unique().tolist() == [-1, 1]
    assert np.allclose(x[0, :3].permute(1, 2, 0).numpy()[~hole], picture.pixels[~hole] / 127.5 - 1, atol=1e-6)


def test_nothing_of_the_hole_reaches_a_network_that_sees_it_smaller():
    pixels = np.full((400, 400, 3), 200, np.uint8)
    hole = patch(400, 400, (101, 103, 151, 149)) | salt(400, 400, 0.02)
    pixels[hole] = 0
    network = Watching()
    fill(Picture(pixels), hole, network, channels=3, size=SIZE)
    assert min(x.shape[2] for x in network.seen) == 64
    shrunk = network.seen[0]
    known = shrunk[:, 3:] < 0
    assert known.any() and (~known).any()
    for x in network.seen[:1]:
        assert (x[:, :3] - (200 / 127.5 - 1)).abs()[known.expand(-1, 3, -1, -1)].max() < 0.01


def test_later_windows_see_what_was_filled_as_known():
    network = Watching(blurring)
    fill(Picture(noise(300, 500, 3)), scratch(300, 500), network, channels=3, size=SIZE)
    shares = [float((x[:, -1] > 0).float().mean()) for x in network.seen]
    alone = [float(scratch(300, 500)[w.view].mean()) for w in windows(scratch(300, 500), SIZE)]
    assert len(shares) == len(alone) and all(a <= b for a, b in zip(shares, alone, strict=True))
    assert np.mean(shares) < 0.8 * np.mean(alone)


@pytest.mark.parametrize(("known", "left"), [(0.52, 0.9), (0.8, 0.4), (1.0, 0.19)])
def test_a_step_at_the_rim_fades_inside_the_hole_only_and_a_large_one_stays(known, left):
    truth = np.full((64, 64, 3), known, np.float32)
    hole = patch(64, 64, (16, 16, 32, 32))
    row = fill(Picture(truth), hole, grey, channels=3, size=SIZE).pixels[32, :, 0]
    assert (row[:16] == np.float32(known)).all() and (row[48:] == np.float32(known)).all()
    step = known - 0.5
    damped = step / (1 + (step / holes_module.LARGE) ** 2)
    depth = np.arange(16) + 1
    np.testing.assert_allclose(
        row[16:32], 0.5 + damped * np.exp(-depth / 4), atol=0.02 * step
    )  # 4 px of a window of 64
    assert damped / step > left


@pytest.mark.parametrize("shape", [(90, 120), (400, 500)])
def test_an_answer_that_is_off_by_a_constant_shows_no_edge(shape):
    truth, hole = smooth(*shape), patch(*shape, (40, 40, 30, 30))
    ((view, _, _),) = windows(hole, SIZE)
    off = torch.from_numpy(truth[view]).permute(2, 0, 1)[None] * 2 - 1 + 0.2  # by a tenth of full scale
    result = fill(Picture(truth), hole, lambda x: off, channels=3, size=SIZE).pixels
    middle = (result - truth)[50:60, 50:60]
    assert middle.min() > 0.085
    for axis in (0, 1):
        before, after = (np.abs(np.diff(x, axis=axis)).max() for x in (truth, result))
        assert after < before + 0.08 < 0.1


@pytest.mark.parametrize("name", ["one box", "scratch", "salt", "thick", "half", "nearly all"])
@pytest.mark.parametrize("fixed", [0, 48])
def test_smooth_pictures_are_filled_smoothly(name, fixed):
    hole = HOLES[name]
    truth = smooth(*hole.shape)
    holed = np.where(hole[..., None], np.float32(0), truth)
    result = fill(Picture(holed), hole, blurring, channels=3, size=SIZE, fixed=fixed).pixels
    assert (result[~hole] == truth[~hole]).all() and result[hole].min() > 0.05
    if name in ("one box", "scratch", "salt"):
        assert np.abs(result - truth)[hole].mean() < 0.03


def test_a_large_picture_with_small_holes_is_a_matter_of_the_holes():
    hole = patch(3000, 4000, (100, 100, 40, 50), (1500, 2000, 60, 30), (2950, 3900, 50, 100))
    network = Watching()
    pixels = np.broadcast_to(noise(1, 4000, 3), (3000, 4000, 3)).copy()
    result = fill(Picture(pixels), hole, network, channels=3, size=SIZE)
    assert len(network.seen) <= 4 and all(max(x.shape) <= SIZE for x in network.seen)
    assert (result.pixels[~hole] == pixels[~hole]).all()


# ---- which pixels


def test_masks_of_any_kind(tmp_path):
    hole = patch(20, 30, (5, 6, 7, 8))
    white = hole.astype(np.uint8) * 255
    Image.fromarray(white).save(tmp_path / "mask.png")
    rgba = np.dstack((np.full((20, 30, 3), 90, np.uint8), white))
    for mask in (
        hole, white, hole.astype(np.uint8), hole.astype(np.int64), white.astype(np.uint16) * 257,
        hole.astype(np.float64), white.astype(np.int32), hole[..., None], hole[None], np.dstack([white] * 3), rgba,
        torch.from_numpy(hole), torch.from_numpy(hole).float()[None], torch.from_numpy(hole).bfloat16() * 2 - 1,
        Image.fromarray(white), Image.fromarray(white).convert("1"), Image.fromarray(white).convert("RGB"),
        Image.fromarray(white).convert("P"), Image.fromarray(rgba), tmp_path / "mask.png", str(tmp_path / "mask.png"),
    ):  # fmt: skip
        found, name = hole_of(mask)
        assert found.dtype == bool and (found == hole).all(), type(mask)
        assert name == (str(mask) if "mask.png" in str(mask) else "the mask")
    assert (hole_of(np.where(hole, 128, 127).astype(np.uint8))[0] == hole).all()  # white is half of full scale or more


@pytest.mark.parametrize(
    "mask, message",
    [
        ([[True]], "a list is no mask; give a path, PIL image, array or tensor"),
        (np.zeros((2, 3, 4, 5), bool), "an array of shape (2, 3, 4, 5) is no mask"),
        (np.zeros((0, 4), bool), "an array of shape (0, 4) is no mask"),
        (np.full((4, 4), 255.0), "the mask: its values go up to 255; give bool, floats up to 1, or integers"),
        (np.full((4, 4), np.nan), "the mask: its values go up to nan"),
        (np.array([["a"]]), "a ndarray is no mask"),
        ("nowhere.png", "nowhere.png: cannot be read as an image"),
    ],
)
def test_what_is_no_mask(mask, message):
    with pytest.raises(UserError) as caught:
        hole_of(mask)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_all_that_is_not_fully_opaque_is_the_hole(dtype):
    alpha = to_depth(np.full((9, 9), 255, np.uint8), dtype)
    alpha[3:5, 3:5] = 0
    alpha[8, 8] = alpha[0, 0] * dtype(0.9) if dtype == np.float32 else alpha[0, 0] - 1
    hole = hole_in(Picture(noise(9, 9, 3, dtype=dtype), alpha), None, "x")
    assert hole.sum() == 5 and hole[3:5, 3:5].all() and hole[8, 8]
    given = patch(9, 9, (0, 0, 2, 2))
    assert hole_in(Picture(noise(9, 9, 3, dtype=dtype), alpha), (given, "m"), "x") is given


@pytest.mark.parametrize(
    "alpha, mask, message",
    [
        (None, None, "x.png: has no hole: give a mask (--masks), or make the hole transparent"),
        (255, None, "x.png: has no hole"),
        (0, None, "x.png: is transparent everywhere: nothing is known to go by"),
        (None, np.zeros((9, 9), bool), "m.png: is empty: there is no hole to fill"),
        (None, np.ones((9, 9), bool), "m.png: covers all of the picture: nothing is known to go by"),
        (
            None,
            np.ones((8, 7), bool),
            "m.png: the mask is 7 x 8 px, the picture 9 x 9 px; make them one size, or say --resize-masks",
        ),
    ],
)
def test_what_is_no_hole(alpha, mask, message):
    picture = Picture(noise(9, 9, 3), None if alpha is None else np.full((9, 9), alpha, np.uint8))
    with pytest.raises(UserError) as caught:
        hole_in(picture, None if mask is None else (mask, "m.png"), "x.png")
    assert str(caught.value).startswith(message)


def test_masks_are_resized_without_values_in_between():
    hole = patch(10, 10, (2, 3, 4, 5))
    assert resized_hole(hole, (10, 10)) is hole
    assert (resized_hole(hole, (20, 30)) == np.kron(hole, np.ones((2, 3), bool))).all()


def test_holes_of_a_batch():
    x = torch.zeros(2, 3, 8, 9)
    hole = patch(8, 9, (2, 2, 3, 3))
    both = torch.from_numpy(np.stack([hole, hole[::-1]])[:, None].copy())
    for mask in (hole, torch.from_numpy(hole)[None], hole[None, None]):
        found = holes_of_batch(mask, x)
        assert found.shape == (2, 1, 8, 9) and found.dtype == torch.bool and (found[1, 0].numpy() == hole).all()
    assert (holes_of_batch(both, x) == both).all() and (holes_of_batch(both.float() * 2 - 1, x) == both).all()
    for mask, message in (
        (None, "the tensor: has no hole: give a mask"),
        (hole[:4], "does not fit a tensor of shape"),
        (torch.zeros(3, 1, 8, 9), "does not fit"),
        (torch.cat([both[:1], torch.zeros_like(both[:1])]), "is empty"),
        (torch.ones(8, 9), "covers all"),
    ):
        with pytest.raises(UserError, match=message):
            holes_of_batch(mask, x)


def test_what_was_rounded_on_the_way_is_put_back():
    hole = patch(8, 9, (2, 2, 3, 3))
    image, result = noise(8, 9, dtype=np.float64), np.zeros((8, 9))
    assert (keep_known(image, result, hole) == np.where(hole, 0, image)).all()
    colours = Image.fromarray(noise(8, 9, 4), "CMYK")
    mixed = np.asarray(keep_known(colours, Image.new("CMYK", (9, 8)), hole))
    assert (mixed == np.where(hole[..., None], 0, np.asarray(colours))).all()
