import copy

import numpy as np
import pytest
import torch
from torch import nn

from translate.checkpoints.recipe import Recipe
from translate.images.io import read_rgb8, save_png
from translate.inference.folder.run import translate_folder
from translate.inference.options import FolderOptions
from translate.inference.tiling.engine import run_tiled
from translate.inference.tiling.feature_maps import MemoryPlan
from translate.inference.tiling.trace import plan_tiling
from translate.inference.translator import Translator
from translate.inference.video.scene_cuts import thumbnail
from translate.networks import GENERATORS
from translate.networks.blocks import BatchNorm, InstanceNorm
from translate.networks.norms.frozen_norm import FrozenNorm, freeze_norms
from translate.networks.style_resnet import StyleNorm
from translate.utils.errors import OptionError
from translate.utils.factory import Factory

QUIET = FolderOptions(progress=False)

TINY = {
    "resnet_6blocks": {"width": 4},
    "resnet_9blocks": {"width": 4},
    "unet_128": {"width": 4},
    "unet_256": {"width": 4},
    "unet": {"width": 4},
    "resnet": {"width": 4},
    "skip_resnet": {"width": 4, "trunk": 8, "blocks": 1},
    "style_resnet": {"width": 4},
    "skip_style_resnet": {"width": 4},
    "vit_unet": {"width": 4, "most": 8, "blocks": 1},
}


def generator(name, seed=0, **options):
    torch.manual_seed(seed)
    net = Factory({"name": name} | TINY.get(name, {}) | options, GENERATORS, "generator")()
    return net.eval().requires_grad_(False)


def picture(*size, seed=0):
    """Something with large areas and detail, (1, 3, H, W) in [-1, 1]."""
    drawn = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 3, 4, generator=drawn) * 2 - 1
    x = nn.functional.interpolate(coarse, size=size, mode="bicubic").clamp(-1, 1)
    return (x * 0.8 + 0.2 * (torch.rand(1, 3, *size, generator=drawn) * 2 - 1)).clamp(-1, 1)


def own_norms(net):
    return [m for m in net.modules() if isinstance(m, (InstanceNorm, BatchNorm))]


def translator(stats="", reference=None, name="skip_resnet", size=32):
    recipe = Recipe(task="cycle", nets={}, domains=("photos", "monet"), size=size, preset="fast", steps=1, data="none")
    made = Translator(recipe, nn.ModuleDict({"G_ab": generator(name), "G_ba": generator(name, seed=1)}))
    return made.with_norm_statistics(stats, reference)


def array(*size, seed=0):
    return ((picture(*size, seed=seed)[0].permute(1, 2, 0).numpy() + 1) * 127.5).round().astype(np.uint8)


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_frozen_on_itself_is_exact_and_shares_the_weights(name):
    net = generator(name)
    multiple = getattr(net, "multiple", 1)
    x = picture(max(multiple, 32), 2 * max(multiple, 32))
    torch.manual_seed(0)  # of dropout
    steady = freeze_norms(net, x)
    assert not own_norms(steady)
    assert {id(p) for p in steady.parameters()} == {id(p) for p in net.parameters()}
    torch.manual_seed(0)
    expected = net(x)
    torch.manual_seed(0)
    assert torch.allclose(steady(x), expected, atol=2e-5)


def test_another_picture_is_normalised_by_the_first():
    net = nn.Sequential(InstanceNorm(3), nn.Identity())
    first, second = picture(20, 30), picture(20, 30, seed=1)
    mean, std = first.double().mean((2, 3), keepdim=True), first.double().std((2, 3), correction=0, keepdim=True)
    expected = (second.double() - mean) / (std.square() + 1e-5).sqrt()
    assert torch.allclose(freeze_norms(net, first)(second).double(), expected, atol=1e-5)


def test_statistics_in_bf16_stay_in_fp32():
    net = freeze_norms(nn.Sequential(InstanceNorm(3)), picture(20, 30))
    rough = net(picture(20, 30).bfloat16())
    assert rough.dtype == torch.bfloat16
    assert torch.allclose(rough.float(), net(picture(20, 30)), atol=0.03)


def test_updated_statistics_are_those_of_the_weighted_pixels():
    frames = [picture(8, 9, seed=k).double() for k in range(3)]
    norm = FrozenNorm(3, 1e-5)
    for frame, momentum in zip(frames, (1.0, 0.5, 0.2), strict=True):
        norm.momentum = momentum
        norm(frame.float())
    weights = torch.tensor([0.4, 0.4, 0.2], dtype=torch.float64)
    means = torch.stack([f.mean((0, 2, 3)) for f in frames])
    squares = torch.stack([f.square().mean((0, 2, 3)) for f in frames])
    mean = weights @ means
    assert torch.allclose(norm.mean.double(), mean, atol=1e-6)
    assert torch.allclose(norm.variance.double(), weights @ squares - mean.square(), atol=1e-6)


@pytest.mark.parametrize("name", ["resnet_6blocks", "skip_resnet", "style_resnet"])
def test_tiles_equal_the_whole_picture_with_frozen_statistics(name):
    net = freeze_norms(generator(name), picture(64, 64, seed=3))
    x = picture(96, 160)
    plan = plan_tiling(net, 3, 96, 160)
    assert not plan.norms
    result = torch.empty(1, 3, 96, 160)

    def write(region, y):
        result[:, :, region.top : region.bottom, region.left : region.right] = y

    run_tiled(plan, lambda r: x[:, :, r.top : r.bottom, r.left : r.right], write, memory_plan=MemoryPlan(32))
    assert (result - net(x)).abs().max() < 1e-5


def test_a_small_picture_is_its_own_thumbnail():
    image = array(40, 60)
    assert (translator("frozen")(image) == translator("exact")(image)).all()


def test_a_large_picture_is_normalised_by_its_thumbnail():
    image = array(48, 600)
    frozen, exact = translator("frozen"), translator("exact")
    x = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1
    like = thumbnail(x, 512)
    assert like.shape == (1, 3, 41, 512)
    padded = nn.functional.pad(like, (0, 0, 1, 2), mode="reflect")  # as the network gets it, to a multiple of 4
    expected = freeze_norms(exact.nets["G_ab"], padded)(x)[0].permute(1, 2, 0)
    assert np.abs(frozen(image) - ((expected.numpy() + 1) * 127.5).clip(0, 255)).max() <= 1
    assert (frozen(image) != exact(image)).any()


def test_one_reference_serves_all_pictures_in_both_directions():
    reference, image = array(32, 32, seed=5), array(32, 32)
    steady, exact = translator(reference=reference), translator()
    for direction in ("ab", "ba"):
        assert (steady(reference, direction) == exact(reference, direction)).mean() > 0.99
        assert (steady(image, direction) != exact(image, direction)).any()
    both = np.stack([steady(image), steady(image)])
    assert (both[0] == both[1]).all()
    batch = torch.cat([picture(32, 32), picture(32, 32, seed=5)])
    assert torch.allclose(steady(batch)[0], steady(batch[0]), atol=1e-6)


def test_smooth_statistics_start_exact_follow_slowly_and_restart_at_a_cut():
    smooth, exact = translator("smooth"), translator()
    scene, other = array(48, 64), 255 - array(48, 64, seed=7)
    with_ball = scene.copy()
    with_ball[10:20, 20:30] = 255
    assert np.abs(smooth(scene).astype(int) - exact(scene)).max() <= 1
    for _ in range(30):
        still = smooth(scene)
    assert np.abs(still.astype(int) - exact(scene)).max() <= 1
    far = np.s_[:, 56:]  # out of reach of the ball's neighbourhood
    moved = np.abs(smooth(with_ball)[far].astype(float) - still[far]).mean()
    moved_exact = np.abs(exact(with_ball)[far].astype(float) - exact(scene)[far]).mean()
    assert moved < 0.25 * moved_exact
    assert np.abs(smooth(other).astype(int) - exact(other)).max() <= 1


def test_smooth_statistics_resume_bit_for_bit():
    frames = [array(32, 48, seed=k // 3) for k in range(8)]
    whole = translator("smooth")
    expected = [whole(frame) for frame in frames]
    first, second = translator("smooth"), translator("smooth")
    for frame in frames[:5]:
        first(frame)
    state = copy.deepcopy(first.statistics.state())
    first(frames[0])
    second.statistics.restore(state)
    for frame, wanted in zip(frames[5:], expected[5:], strict=True):
        assert (second(frame) == wanted).all()


def test_style_norms_are_frozen_too():
    norm = StyleNorm(3, 5)
    nn.init.normal_(norm.constant)
    net = nn.ModuleDict({"one": norm})
    x, style = picture(16, 16), torch.randn(1, 5)
    changed = freeze_norms(net)
    inner = changed["one"].inner.norm
    inner.momentum = 1.0
    assert torch.allclose(changed["one"](x, style), norm(x, style), atol=1e-5)
    assert isinstance(norm.norm, InstanceNorm)  # the model itself is as it was


@pytest.mark.parametrize(
    ("stats", "reference", "said"),
    [("slow", None, "exact, frozen, local, smooth"), ("smooth", np.zeros((32, 32, 3), np.uint8), "leave it out")],
)
def test_wrong_statistics_are_refused(stats, reference, said):
    with pytest.raises(OptionError, match=said) as error:
        translator(stats, reference)
    assert "\n" not in str(error.value)


def test_a_folder_of_frames_goes_in_order_with_smooth_statistics(tmp_path):
    frames = [array(32, 48, seed=k // 3) for k in range(6)]
    for k, frame in enumerate(frames):
        save_png(tmp_path / "in" / f"{k:03d}.png", frame)
    save_png(tmp_path / "reference.png", frames[4])
    one_by_one = translator("smooth")
    report = translate_folder(translator("smooth"), tmp_path / "in", tmp_path / "out", QUIET)
    assert report.done == 6
    for k, frame in enumerate(frames):
        assert (read_rgb8(tmp_path / "out" / f"{k:03d}.png") == one_by_one(frame)).all()
    other = translator(reference=tmp_path / "reference.png")
    with pytest.raises(OptionError, match="was made without --reference, not with --reference"):
        translate_folder(other, tmp_path / "in", tmp_path / "out", QUIET)
    again = FolderOptions(progress=False, overwrite=True)
    assert translate_folder(other, tmp_path / "in", tmp_path / "out", again).done == 6
    frozen = translator(reference=frames[4])(frames[0])
    assert (read_rgb8(tmp_path / "out" / "000.png") == frozen).all()
