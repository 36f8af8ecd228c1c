"""The scorers against the scores that `evaluate` computes from the same pictures, and what they must leave alone."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.conftest import picture
from translate.evaluation.generation import score_set
from translate.evaluation.panel import Panel
from translate.evaluation.tally import Tally, distances
from translate.images.tensors import from_uint8, to_array, to_tensor, to_uint8
from translate.metrics.dct_features import DctFeatures
from translate.metrics.image_sets import DescribedSet
from translate.metrics.inpainting import l1_inside
from translate.metrics.similarity import l1, psnr
from translate.networks.upscale_resnet import Enlarge
from translate.tasks.cycle import Cycle
from translate.tasks.generate import Generate
from translate.tasks.inpaint import Inpaint
from translate.tasks.latents import draw_latents
from translate.tasks.pix2pix import Pix2pix
from translate.tasks.upscale import Upscale
from translate.training.scores.scorers import SCORERS

CPU = torch.device("cpu")


class Dimmed(nn.Module):
    """A generator with a batch norm's buffers and noise, both of which a score must leave as they are."""

    random, z_dim = False, 0

    def __init__(self, gain, planes=3):
        super().__init__()
        self.norm, self.gain, self.planes = nn.BatchNorm2d(3), gain, planes
        self.spec = {"name": "dimmed", "in_channels": planes}

    def forward(self, x):
        return self.gain * self.norm(x[:, :3]) + 0.01 * torch.randn_like(x[:, :3])


def task_of(cls):
    """A task without its networks: the scorers use what its class says."""
    return cls.__new__(cls)


def batch_of(count, seed):
    pixels = np.stack([picture(seed + i, 32, 32) for i in range(count)])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def nets_of(**nets):
    return nn.ModuleDict(nets).eval().requires_grad_(False)


def kernel(answers, reals):
    """The kernel distance times 1000 and its error, as `evaluate` tallies them."""
    panel = Panel([DctFeatures()])
    sets = []
    for pictures in (answers, reals):
        tally = Tally(panel)
        for one in pictures:
            tally.add(one)
        sets.append(tally.all_features())
    found = distances(*sets)["DCT"]
    return 1000 * found.value, 1000 * found.error


def arrays(pictures):
    return [to_array(one) if one.is_floating_point() else one.permute(1, 2, 0).numpy() for one in pictures]


def test_translations_are_scored_in_both_directions_as_evaluate_does():
    pictures = {"a": batch_of(18, 0), "b": batch_of(21, 100)}
    nets = nets_of(G_ab=Dimmed(0.5), G_ba=Dimmed(0.0))
    score = SCORERS["unpaired"](task_of(Cycle), pictures, CPU, 4)(nets)
    numbers = score.numbers
    plain = Cycle.predict(nets, {"b": to_pictures(pictures["b"])}, direction="ba")
    value, _ = kernel(arrays(plain), arrays(pictures["a"]))
    assert numbers["kernel_ba"] == pytest.approx(value, rel=0.02)  # but for the noise
    assert numbers["kernel"] == pytest.approx((numbers["kernel_ab"] + numbers["kernel_ba"]) / 2)
    assert "l1" not in numbers and numbers["kernel_error"] > 0


def to_pictures(eight_bits):
    return torch.cat([to_tensor(one.permute(1, 2, 0).numpy()) for one in eight_bits])


def test_pairs_have_the_distance_to_the_truth():
    pictures = {"a": batch_of(17, 0), "b": batch_of(17, 100)}
    score = SCORERS["paired"](task_of(Pix2pix), pictures, CPU, 8)(nets_of(G=Dimmed(0.0)))
    gray = torch.zeros(17, 3, 32, 32)
    assert score.numbers["l1"] == pytest.approx(l1(gray, to_pictures(pictures["b"])).mean().item(), abs=1.0)
    assert {*score.numbers} == {"kernel", "kernel_error", "l1"}


def test_inpainting_has_the_distance_in_the_hole_and_keeps_known_pixels():
    masks = torch.zeros(16, 1, 32, 32, dtype=torch.uint8)
    masks[:, :, 8:24, 8:20] = 255
    pictures = {"image": batch_of(16, 0), "mask": masks}
    score = SCORERS["masked"](task_of(Inpaint), pictures, CPU, 8)(nets_of(G=Dimmed(0.0, planes=4)))
    hole = masks[0, 0].numpy() > 0
    truths = arrays(pictures["image"])
    expected = np.mean([l1_inside(np.full_like(truth, 128), truth, hole) for truth in truths])
    assert score.numbers["l1_hole"] == pytest.approx(expected, abs=1.0)
    filled = [np.where(hole[..., None], np.uint8(128), truth) for truth in truths]
    assert score.numbers["kernel"] == pytest.approx(kernel(filled, truths)[0], rel=0.1)


class Calling(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def test_enlargements_have_their_gain_on_the_bicubic_one():
    truths = batch_of(16, 0)
    small = F.avg_pool2d(truths.float(), 4).round().to(torch.uint8)
    bicubic = Enlarge(4)
    for G, least, most in ((bicubic, -0.01, 0.01), (lambda x: F.interpolate(x, scale_factor=4), -20.0, -0.5)):
        pictures = {"image": truths, "small": small}
        score = SCORERS["reduced"](task_of(Upscale), pictures, CPU, 8)(nets_of(G=Calling(G)))
        assert {*score.numbers} == {"kernel", "kernel_error", "psnr", "psnr_gain"}
        assert least <= score.numbers["psnr_gain"] <= most
        answers = to_uint8(G(from_uint8(small)))
        expected = psnr(to_pictures(answers), to_pictures(truths)).mean().item()
        assert score.numbers["psnr"] == pytest.approx(expected, abs=1e-3)


class Painter(nn.Module):
    """A generator of plain colours from z, and of a label."""

    z_dim, z_kind, classes, size, out_channels = 3, "normal", 2, 32, 3

    def forward(self, z, label=None):
        colours = (z * 0.3 + label[:, :1]).clamp(-1, 1)[..., None, None]
        return colours.expand(-1, -1, 32, 32)


def test_samples_have_the_numbers_of_the_report_of_samples():
    pictures, nets = {"image": batch_of(20, 0)}, nets_of(G=Painter())
    score = SCORERS["images"](task_of(Generate), pictures, CPU, 8)(nets)
    labels = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).repeat(10, 1)
    samples = nets["G"](draw_latents(nets["G"], range(20)), labels)
    describe = {"DCT": DctFeatures()}
    sets = [DescribedSet.of(np.stack(arrays(x)), describe) for x in (samples, pictures["image"])]
    row = score_set("samples", *sets)
    assert score.numbers["kernel"] == pytest.approx(row.scores["DCT"].kernel, rel=1e-4)
    assert score.numbers["kernel_error"] == pytest.approx(row.scores["DCT"].kernel_error, rel=1e-3)
    assert score.numbers["variety"] == pytest.approx(row.variety, rel=1e-4)


def test_a_score_repeats_to_the_bit_and_touches_neither_random_numbers_nor_networks():
    pictures, nets = {"a": batch_of(16, 0), "b": batch_of(16, 50)}, nets_of(G_ab=Dimmed(0.7), G_ba=Dimmed(0.7))
    scorer = SCORERS["unpaired"](task_of(Cycle), pictures, CPU, 8)
    before = {name: x.clone() for name, x in nets.state_dict().items()}
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = scorer(nets)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(3)
    assert scorer(nets) == first
    assert all(torch.equal(x, before[name]) for name, x in nets.state_dict().items())
    assert not any(net.training for net in nets.modules())


def test_gray_and_deep_pictures_are_scored():
    gray = {"a": batch_of(16, 0)[:, :1] / 127.5 - 1, "b": batch_of(16, 50)[:, :1] / 127.5 - 1}
    nets = nets_of(G_ab=nn.Identity(), G_ba=nn.Identity())
    score = SCORERS["unpaired"](task_of(Cycle), gray, CPU, 8)(nets)
    same = SCORERS["unpaired"](task_of(Cycle), {"a": gray["a"], "b": gray["a"]}, CPU, 8)(nets)
    assert same.distance.value < score.distance.value
