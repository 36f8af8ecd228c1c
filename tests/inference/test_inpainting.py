import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from tests.inference.tiling.test_windows import HOLES, SIZE, patch, salt, scratch
from translate.images.picture import Picture
from translate.inference import inpainting
from translate.inference.inpainting import fill_hole, restore_known
from translate.inference.tiling.windows import plan_windows


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
        result = fill_hole(picture, hole, network, channels=channels, size=SIZE)
        assert result.pixels.dtype == dtype and result.gray == gray
        assert (result.pixels[~hole] == picture.pixels[~hole]).all() and (result.pixels[hole] != pixels[hole]).any()
        assert not gray or (result.pixels == result.pixels[..., :1]).all()
        if alpha:
            assert (result.alpha[~hole] == picture.alpha[~hole]).all()
            assert (result.alpha[hole] == (1 if dtype == np.float32 else np.iinfo(dtype).max)).all()
    assert (picture.pixels == before[0]).all() and (before[1] is None or (picture.alpha == before[1]).all())


def test_the_network_gets_the_picture_and_the_mask():
    picture, hole = Picture(noise(40, 50, 3)), patch(40, 50, (10, 10, 9, 9))
    network = Watching()
    fill_hole(picture, hole, network, channels=3, size=SIZE)
    (x,) = network.seen
    assert x.shape == (1, 4, 40, 50) and ((x[0, 3] == 1).numpy() == hole).all() and x[0, 3].unique().tolist() == [-1, 1]
    assert np.allclose(x[0, :3].permute(1, 2, 0).numpy()[~hole], picture.pixels[~hole] / 127.5 - 1, atol=1e-6)


def test_no_colour_of_the_hole_leaks_into_a_shrunk_view():
    pixels = np.full((400, 400, 3), 200, np.uint8)
    hole = patch(400, 400, (101, 103, 151, 149)) | salt(400, 400, 0.02)
    pixels[hole] = 0
    network = Watching()
    fill_hole(Picture(pixels), hole, network, channels=3, size=SIZE)
    assert min(x.shape[2] for x in network.seen) == 64
    shrunk = network.seen[0]
    known = shrunk[:, 3:] < 0
    assert known.any() and (~known).any()
    for x in network.seen[:1]:
        assert (x[:, :3] - (200 / 127.5 - 1)).abs()[known.expand(-1, 3, -1, -1)].max() < 0.01


def test_filled_pixels_are_known_to_later_windows():
    network = Watching(blurring)
    fill_hole(Picture(noise(300, 500, 3)), scratch(300, 500), network, channels=3, size=SIZE)
    shares = [float((x[:, -1] > 0).float().mean()) for x in network.seen]
    alone = [float(scratch(300, 500)[w.view].mean()) for w in plan_windows(scratch(300, 500), SIZE)]
    assert len(shares) == len(alone) and all(a <= b for a, b in zip(shares, alone, strict=True))
    assert np.mean(shares) < 0.8 * np.mean(alone)


@pytest.mark.parametrize(("known", "left"), [(0.52, 0.9), (0.8, 0.4), (1.0, 0.19)])
def test_a_step_at_the_rim_fades_inside_the_hole_only_and_a_large_one_stays(known, left):
    truth = np.full((64, 64, 3), known, np.float32)
    hole = patch(64, 64, (16, 16, 32, 32))
    row = fill_hole(Picture(truth), hole, grey, channels=3, size=SIZE).pixels[32, :, 0]
    assert (row[:16] == np.float32(known)).all() and (row[48:] == np.float32(known)).all()
    step = known - 0.5
    damped = step / (1 + (step / inpainting.LARGE_STEP) ** 2)
    depth = np.arange(16) + 1
    np.testing.assert_allclose(
        row[16:32], 0.5 + damped * np.exp(-depth / 4), atol=0.02 * step
    )  # 4 px of a window of 64
    assert damped / step > left


@pytest.mark.parametrize("shape", [(90, 120), (400, 500)])
def test_a_constant_offset_leaves_no_seam(shape):
    truth, hole = smooth(*shape), patch(*shape, (40, 40, 30, 30))
    ((view, _, _),) = plan_windows(hole, SIZE)
    off = torch.from_numpy(truth[view]).permute(2, 0, 1)[None] * 2 - 1 + 0.2  # by a tenth of full scale
    result = fill_hole(Picture(truth), hole, lambda x: off, channels=3, size=SIZE).pixels
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
    result = fill_hole(Picture(holed), hole, blurring, channels=3, size=SIZE, fixed=fixed).pixels
    assert (result[~hole] == truth[~hole]).all() and result[hole].min() > 0.05
    if name in ("one box", "scratch", "salt"):
        assert np.abs(result - truth)[hole].mean() < 0.03


def test_the_cost_depends_on_the_holes_not_on_the_picture():
    hole = patch(3000, 4000, (100, 100, 40, 50), (1500, 2000, 60, 30), (2950, 3900, 50, 100))
    network = Watching()
    pixels = np.broadcast_to(noise(1, 4000, 3), (3000, 4000, 3)).copy()
    result = fill_hole(Picture(pixels), hole, network, channels=3, size=SIZE)
    assert len(network.seen) <= 4 and all(max(x.shape) <= SIZE for x in network.seen)
    assert (result.pixels[~hole] == pixels[~hole]).all()


def test_rounded_known_pixels_are_restored():
    hole = patch(8, 9, (2, 2, 3, 3))
    image, result = noise(8, 9, dtype=np.float64), np.zeros((8, 9))
    assert (restore_known(image, result, hole) == np.where(hole, 0, image)).all()
    colours = Image.fromarray(noise(8, 9, 4), "CMYK")
    mixed = np.asarray(restore_known(colours, Image.new("CMYK", (9, 8)), hole))
    assert (mixed == np.where(hole[..., None], 0, np.asarray(colours))).all()
