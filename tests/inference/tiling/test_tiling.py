"""Tile by tile against the whole picture at once."""

import copy
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from tests.conftest import picture
from translate import Translator
from translate.checkpoints.recipe import Recipe
from translate.inference.tiling import trace
from translate.inference.tiling.disk_raster import DiskRaster
from translate.inference.tiling.engine import run_tiled
from translate.inference.tiling.feature_maps import FeatureMap, FeatureMapStore, MemoryPlan, choose_memory_plan
from translate.inference.tiling.regions import Moments, Region, crop, tiles
from translate.inference.tiling.trace import NotTileable, plan_tiling
from translate.networks import EXPORTABLE, INPAINTERS
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import Factory
from translate.utils.memory import parse_bytes

NETS = {
    "resnet": {"name": "resnet_9blocks", "width": 4, "blocks": 2},
    "resnet of CUT": {"name": "resnet_9blocks", "width": 4, "blocks": 1, "antialias": "both"},
    "resnet, batch norm": {"name": "resnet_9blocks", "width": 4, "blocks": 1, "norm": "batch", "antialias": "up"},
    "resnet, no norm": {"name": "resnet_9blocks", "width": 4, "blocks": 2, "norm": "none", "antialias": "down"},
    "skip_resnet": {"name": "skip_resnet", "width": 8, "trunk": 8, "blocks": 2},
    "skip_style_resnet": {"name": "skip_style_resnet", "width": 4, "trunk": 8, "blocks": 1, "z_dim": 4, "style_dim": 8},
    "compact_resnet": {"name": "compact_resnet", "width": 8, "trunk": 8, "z_dim": 4, "style_dim": 8},
    "compact_resnet, no norm": {"name": "compact_resnet", "width": 8, "trunk": 8, "blocks": 1, "norm": "none"},
    "style_resnet": {"name": "style_resnet", "width": 8, "most": 16, "blocks": 2, "z_dim": 4, "style_dim": 8},
    "style_resnet, bilinear": {
        "name": "style_resnet",
        "width": 8,
        "most": 16,
        "blocks": 2,
        "z_dim": 4,
        "style_dim": 8,
        "upsample": "bilinear",
    },
    "style_resnet, one answer": {"name": "style_resnet", "width": 4, "most": 8, "blocks": 1},
    "unet": {"name": "unet_256", "width": 4, "levels": 5, "dropout": 0.0},
    "unet, instance norm": {"name": "unet_256", "width": 4, "levels": 4, "dropout": 0.0, "norm": "instance"},
}
RAM = MemoryPlan(tile=32)


def made(kind, seed=0):
    """Return a network whose every weight and bias matters."""
    torch.manual_seed(seed)
    net = Factory(NETS[kind] | {"in_channels": 3, "out_channels": 3}, INPAINTERS, "net")().eval()
    for p in net.parameters():
        if p.ndim == 4:
            nn.init.normal_(p, 0, p[0].numel() ** -0.5)
        else:
            nn.init.normal_(p, 0.1, 0.2)
    return net.requires_grad_(False)


def run(net, x, z=None, memory_plan=RAM):
    """Return the result of tiles, NaN where none was written, and how often each pixel was."""
    plan = plan_tiling(net, x.shape[1], *x.shape[2:], z)
    result, times = torch.full_like(x, float("nan")), torch.zeros(x.shape[2:])

    def write(region, y):
        result[:, :, region.top : region.bottom, region.left : region.right] = y
        times[region.top : region.bottom, region.left : region.right] += 1

    run_tiled(plan, lambda r: x[:, :, r.top : r.bottom, r.left : r.right], write, z=z, memory_plan=memory_plan)
    assert (times == 1).all()
    return result


@pytest.mark.parametrize("kind", NETS)
@settings(max_examples=6, deadline=None)
@given(rows=st.integers(1, 6), columns=st.integers(1, 7), tile=st.integers(5, 70), seed=st.integers(0, 99))
def test_tiles_equal_the_whole_picture(kind, rows, columns, tile, seed):
    net = made(kind, seed)
    x = torch.rand(1, 3, 16 * max(rows, 2), 16 * max(columns, 2)) * 2 - 1
    x = x[:, :, : x.shape[2] // net.multiple * net.multiple, : x.shape[3] // net.multiple * net.multiple]
    z = torch.randn(1, 4) if net.z_dim else None
    # In float64, for one pass in float32 is at times further from it, by 2e-5, than its tiles are.
    whole = copy.deepcopy(net).double()(*(t.double() for t in (x, z) if t is not None))
    assert (run(net, x, z, MemoryPlan(tile)) - whole).abs().max() < 1e-5


@pytest.mark.parametrize("kind", NETS)
def test_maps_in_files_are_as_exact_as_in_memory(kind):
    net = made(kind)
    x = torch.rand(1, 3, 64, 96) * 2 - 1
    z = torch.randn(1, 4) if net.z_dim else None
    expected = run(net, x, z)
    for map_bytes in (0, 20_000, 200_000):  # none, some, and most of them in memory
        assert torch.equal(run(net, x, z, MemoryPlan(32, map_bytes)), expected)


def test_tiles_see_their_true_neighbours():
    net = made("resnet")
    x = torch.rand(1, 3, 64, 64) * 2 - 1
    alone = torch.cat([torch.cat([net(x[:, :, a : a + 32, b : b + 32]) for b in (0, 32)], 3) for a in (0, 32)], 2)
    assert (alone - net(x)).abs().max() > 0.01  # tiles by themselves have other norms and other neighbours
    assert (run(net, x) - net(x)).abs().max() < 1e-5


def test_tiles_take_little_more_arithmetic_than_one_pass(monkeypatch):
    monkeypatch.setattr(trace, "MAX_KEPT_VALUES_PER_PIXEL", 4.0)  # the published width has 16
    net = Factory({"name": "resnet_9blocks", "width": 16}, INPAINTERS, "net")().eval().requires_grad_(False)
    x, plan = torch.zeros(1, 3, 512, 512), plan_tiling(net, 3, 512, 512)

    def tiled():
        memory_plan = MemoryPlan(256)
        run_tiled(plan, partial(crop, x, Region(0, 512, 0, 512)), lambda region, y: None, memory_plan=memory_plan)

    flops = []
    for run in (lambda: net(x), tiled):
        with FlopCounterMode(display=False) as counter:
            run()
        flops.append(counter.get_total_flops())
    assert flops[1] < 1.2 * flops[0]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"name": "unet_256", "width": 4, "levels": 6}, "dropout draws numbers for the whole picture"),
        ({"name": "fourier_resnet", "in_channels": 4}, "fourier_resnet cannot be"),
        (
            {"name": "vit_unet", "width": 4, "blocks": 1},
            "its Transformer needs the whole picture at once; leave out --memory and --stats local for one pass",
        ),
        ({"name": "unet_256", "width": 4, "levels": 5, "noise": "add"}, "randn_like needs the whole picture at once"),
    ],
)
def test_operations_on_the_whole_picture_are_refused_with_the_reason(spec, reason):
    net = Factory(spec, INPAINTERS, "net")().eval()
    with pytest.raises(NotTileable, match=reason):
        plan_tiling(net, spec.get("in_channels", 3), 64, 64)


def test_merged_moments_equal_those_of_the_whole_map():
    x = torch.randn(1, 5, 37, 41) * 3 + 1000
    moments = Moments()
    for region in tiles(37, 41, 16):
        moments.merge(moments.partial(crop(x, Region(0, 37, 0, 41), region), region))
    variance, mean = torch.var_mean(x.double(), (0, 2, 3), correction=0)
    torch.testing.assert_close(moments.mean, mean, rtol=1e-6, atol=0)
    torch.testing.assert_close(moments.squares / moments.count, variance, rtol=1e-5, atol=0)
    expected = nn.functional.instance_norm(x.double(), eps=1e-5).float()
    torch.testing.assert_close(
        moments.normalise(x, Region(0, 37, 0, 41), 1e-5), expected, rtol=1e-4, atol=1e-3
    )  # float32 of 1000


def test_tiles_cover_each_pixel_once():
    times = torch.zeros(50, 33)
    for region in tiles(50, 33, 20):
        times[region.top : region.bottom, region.left : region.right] += 1
    assert (times == 1).all()
    assert Region(-3, 9, 2, 99).clip(5, 7) == (0, 5, 2, 7)


def test_the_fastest_plan_that_fits_is_chosen_and_the_minimum_is_named():
    plan = plan_tiling(made("resnet"), 3, 400, 400)
    plan.kept_values_per_pixel = 100.0
    kept = 400 * 400 * 400  # bytes
    budgets = (kept + 10**6, kept + 150_000, 2 * kept // 3, 150_000)
    plans = [choose_memory_plan(plan, budget, 1.0, 0, "x.png") for budget in budgets]
    assert [(chosen.tile, chosen.all_in_memory) for chosen in plans] == [
        (512, True), (256, True), (512, False), (256, False),
    ]  # fmt: skip
    assert [chosen.map_bytes for chosen in plans] == [kept, kept, budgets[2] - 464**2, budgets[3] - 320**2]
    assert [chosen.peak_bytes for chosen in plans] == [kept + 464**2, kept + 320**2, budgets[2], budgets[3]]
    half = choose_memory_plan(plan, kept // 2 + 10**6, 1.0, 0, "x.png", compute_dtype=torch.bfloat16)
    assert (half.map_bytes, half.all_in_memory) == (kept // 2, True)
    with pytest.raises(UserError, match=r"x.png: 400 x 400 px need at least .*GB .* say --memory"):
        choose_memory_plan(plan, 10_000, 1.0, 0, "x.png")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("on_disk", [False, True])
def test_a_feature_map_returns_what_was_written(dtype, on_disk):
    maps = FeatureMapStore(MemoryPlan(16, 0 if on_disk else 10**6), torch.device("cpu"))
    x = torch.randn(1, 6, 40, 50).to(dtype)
    one = FeatureMap(maps, (6, 40, 50))
    for region in tiles(40, 50, 16):
        one.write(region, crop(x, Region(0, 40, 0, 50), region))
    part = Region(3, 37, 11, 49)
    found = one.read(part)
    assert found.dtype == dtype and isinstance(one.buffer, DiskRaster) == on_disk
    torch.testing.assert_close(found, crop(x, Region(0, 40, 0, 50), part), rtol=0, atol=0)
    maps.release(one)
    others = [FeatureMap(maps, (6, 40, 50)) for _ in range(2)]
    for other in others:
        other.write(Region(0, 4, 0, 4), x[:, :, :4, :4])
    assert others[0].buffer is one.buffer and others[1].buffer is not one.buffer


def test_maps_are_in_memory_as_far_as_it_goes():
    maps = FeatureMapStore(MemoryPlan(16, 2 * 4 * 6 * 40 * 50), torch.device("cpu"))

    def kept(channels=6):
        one = FeatureMap(maps, (channels, 40, 50))
        one.write(Region(0, 40, 0, 50), torch.zeros(1, channels, 40, 50))
        return one

    first, second, third = kept(), kept(), kept()
    assert [isinstance(one.buffer, Tensor) for one in (first, second, third)] == [True, True, False]
    maps.release(first)
    maps.release(third)
    fourth, fifth = kept(), kept()
    assert fourth.buffer is first.buffer and fifth.buffer is third.buffer
    maps.release(fourth)
    assert isinstance(kept(5).buffer, Tensor) and not isinstance(kept().buffer, Tensor)


@pytest.mark.parametrize("full", ["raises", "writes less"])
def test_a_full_disk_raises_an_error(full, monkeypatch):
    def pwrite(descriptor, data, at):
        if full == "raises":
            raise OSError(28, "No space left on device")
        return len(data) - 1

    monkeypatch.setattr("os.pwrite", pwrite)
    one = FeatureMap(FeatureMapStore(MemoryPlan(128, 0), torch.device("cpu")), (4, 8, 8))
    with pytest.raises(UserError, match=r"cannot be written to \(No space left on device\); make room .* TMPDIR"):
        one.write(Region(0, 8, 0, 8), torch.zeros(1, 4, 8, 8))


@pytest.mark.parametrize(
    ("text", "size"), [("3GB", 3 * 10**9), ("800 mb", 8 * 10**8), ("2GiB", 2 * 1024**3), ("1.5g", 15 * 10**8)]
)
def test_amounts_of_memory(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["much", "3 gallons", "-1GB", ""])
def test_wrong_amounts_of_memory_are_refused(text):
    with pytest.raises(OptionError, match="write it as 3GB"):
        parse_bytes(text)


# ---- in a translator


def translator(kind, task="cycle", precision="fp32"):
    nets = {"G_ab" if task == "cycle" else "G": made(kind)}
    if task == "pix2pix":
        nets["E"] = Factory({"name": "style_encoder", "in_channels": 3, "z_dim": 4}, EXPORTABLE, "E")()
    recipe = Recipe(
        task=task, nets={name: net.spec for name, net in nets.items()}, domains=("a", "b"), size=64, preset="",
        steps=1, data="", directions=("ab",),
    )  # fmt: skip
    return Translator(recipe, nn.ModuleDict(nets), "cpu", precision)


@pytest.mark.parametrize("kind", ["resnet", "skip_resnet"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(203, 350), (131, 97)])
def test_a_translator_with_little_memory_gives_the_same_picture(kind, dtype, size, monkeypatch):
    whole = translator(kind)
    image = (picture(4, *size).astype(np.float64) / 255 * np.iinfo(dtype).max).astype(dtype)
    expected = whole(image)
    little = translator(kind)
    told = []
    monkeypatch.setattr("translate.inference.tiling.tiled_pass.ALWAYS_FITS_PX", 0)
    little.runner.on_progress = lambda doing, share: told.append((doing, share))
    monkeypatch.setattr(little.runner, "_tile_budget", lambda height, width: 10**9)
    found = little(image)
    assert found.dtype == dtype and found.shape == expected.shape
    tenth = np.iinfo(dtype).max // 2550  # of a grey level
    assert abs(found.astype(int) - expected).max() <= max(tenth, 1)
    assert told[0][1] == 0 and told[-1][1] == 1
    assert f"{size[1]} x {size[0]} px in tiles of" in told[0][0]


@pytest.mark.parametrize("kind", ["resnet", "skip_resnet", "unet, instance norm"])
@pytest.mark.parametrize("budget", [4 * 10**7, 10**9])
def test_fp32_streams_the_pixels_of_one_pass(kind, budget, monkeypatch):
    """A saturated network on a picture whose maps the smaller budget does not hold in 32 bits."""
    one = translator(kind)
    monkeypatch.setattr(type(one.runner.memory), "bytes_per_pixel", 200.0)
    [p for p in one.nets["G_ab"].parameters() if p.ndim == 4][-1].mul_(4)
    image = picture(5, 600, 800)
    expected = one(image).astype(int)
    assert 0.02 < ((expected == 0) | (expected == 255)).mean() < 0.9
    monkeypatch.setattr(one.runner, "_tile_budget", lambda height, width: budget)
    differences = np.abs(one(image) - expected).max(-1)
    assert differences.max() <= 1 and (differences > 0).mean() <= 1e-3


@pytest.mark.parametrize("kind", ["resnet", "resnet of CUT", "skip_resnet"])
def test_tiles_in_bf16_are_as_accurate_as_one_pass(kind, monkeypatch):
    exact, whole, little = translator(kind), translator(kind, precision="bf16"), translator(kind, precision="bf16")
    monkeypatch.setattr(little.runner, "_tile_budget", lambda height, width: 10**9)
    image = np.random.default_rng(0).integers(0, 255, (140, 204, 3), np.uint8)
    errors = [np.abs(t(image).astype(int) - exact(image)).mean() for t in (whole, little)]
    assert errors[1] < 1.2 * errors[0] + 0.1


def test_a_picture_that_fits_is_not_tiled():
    one = translator("resnet")
    one.watch = lambda doing, share: pytest.fail("it fits")
    one(picture(1, 64, 64))


def test_style_codes_give_the_same_result_in_tiles(monkeypatch):
    whole, little = (translator("style_resnet", "pix2pix") for _ in range(2))
    z = np.array([0.5, -1, 0.2, 2], np.float32)
    expected = whole(picture(2, 96, 128), z=z)
    monkeypatch.setattr(little.runner, "_tile_budget", lambda height, width: 10**9)
    assert abs(little(picture(2, 96, 128), z=z).astype(int) - expected).max() <= 1


def test_too_little_memory_is_refused_and_the_minimum_is_named():
    little = translator("resnet")
    little.runner.memory.limit = 1
    with pytest.raises(UserError, match=r"need at least .*GB of memory, even tile by tile; say --memory"):
        little(picture(0, 300, 300))


@pytest.mark.parametrize("text", ["10", "999", "0.5MB", "0"])
def test_a_forgotten_unit_is_no_amount_of_memory(text):
    with pytest.raises(OptionError, match="bytes, in which nothing fits; write it as .*GB"):
        parse_bytes(text)
