import time

import numpy as np
import pytest
import torch
from torch import nn

from translate.checkpoints.recipe import Recipe
from translate.inference import precision
from translate.inference.precision import Mode, apply_mode, given_mode, pick_mode
from translate.inference.translator import Translator
from translate.networks import EXPORTABLE
from translate.utils.errors import OptionError
from translate.utils.factory import Factory

CPU = torch.device("cpu")
RECIPE = Recipe(task="cycle", nets={}, domains=("photos", "monet"), size=64, preset="fast", steps=1, data="none")
USUAL = {Mode("fp32"): 0.02, Mode("fp32", False): 0.03, Mode("bf16"): 0.01, Mode("bf16", False): 0.015}


@pytest.fixture
def clock(monkeypatch):
    """A clock that only the passes move."""
    now = [0.0]
    for name in ("perf_counter", "thread_time"):
        monkeypatch.setattr(time, name, lambda: now[0])
    monkeypatch.setattr(precision, "_convolves_faster_in_bf16", lambda: True)
    return now


def pick(clock, seconds, levels=0.1, size=64):
    """Pick between passes that take so long, bf16 being so many grey levels off; return what was tried too."""
    tried = []

    def prepare(mode):
        def run(x):
            clock[0] += seconds[mode] * (x.shape[-1] / size) ** 2
            return x + (mode.precision == "bf16") * levels * 2 / 255 * (-1) ** torch.arange(x.shape[-1])

        tried.append(mode)
        return run

    return pick_mode(prepare, CPU, size=size), tried


@pytest.mark.parametrize(
    "changed, levels, mode, note",
    [
        ({}, 0.1, Mode("bf16"), "bf16, channels_last: 10 ms for 64 px, 2.0 times fp32; mean difference from fp32 0.10"),
        ({Mode("bf16", False): 0.008}, 0.1, Mode("bf16", False), "bf16, contiguous: 8 ms for 64 px, 2.5 times fp32"),
        ({Mode("bf16", False): 0.0098}, 0.1, Mode("bf16"), "bf16, channels_last"),
        ({Mode("fp32"): 0.0105, Mode("fp32", False): 0.0104}, 0.1, Mode("fp32"), "; bf16 is hardly faster (10 ms)"),
        ({Mode("fp32", False): 0.004}, 0.1, Mode("fp32", False), "fp32, contiguous: 4 ms for 64 px; bf16 is hardly"),
        (
            {}, 0.8, Mode("fp32"),
            "fp32, channels_last: 20 ms for 64 px; bf16 would be faster (10 ms), but differs from fp32 by 0.80 grey"
            " levels in the mean",
        ),
        ({}, float("nan"), Mode("fp32"), "but differs from fp32 by nan grey levels in the mean"),
    ],
)  # fmt: skip
def test_the_fastest_accurate_mode_is_picked(clock, changed, levels, mode, note):
    (chosen, why), tried = pick(clock, USUAL | changed, levels)
    assert chosen == mode and note in why and set(tried) == set(USUAL)


def test_a_slow_network_is_tried_on_a_small_picture(clock):
    (chosen, why), tried = pick(clock, {mode: 20 * s for mode, s in USUAL.items()})
    assert chosen == Mode("bf16") and set(tried) == set(USUAL)
    assert why.startswith("bf16, channels_last: 50 ms for 32 px, 2.0 times fp32")


def test_a_disturbance_that_lasts_for_most_of_the_trial_changes_nothing(clock):
    """Another program takes the cores until shortly before the end, when each mode has a quiet moment."""
    passes = []

    def prepare(mode):
        def run(x):
            passes.append(mode)
            quiet = len(passes) % 8 > 3 or x.shape[-1] < 64
            clock[0] += USUAL[mode] * (1 if quiet else 5 + 90 * (mode == Mode("bf16")))
            return x

        return run

    chosen, why = pick_mode(prepare, CPU, 64)
    assert chosen == Mode("bf16") and "10 ms for 64 px, 2.0 times" in why


def test_time_of_other_programs_does_not_count(monkeypatch):
    """The faster mode is interrupted in every single pass."""
    monkeypatch.setattr(precision, "_convolves_faster_in_bf16", lambda: False)

    def prepare(mode):
        def run(x):
            began = time.thread_time()
            while time.thread_time() - began < (0.001 if mode == Mode("fp32") else 0.003):
                pass
            time.sleep(0.01 if mode == Mode("fp32") else 0.0)
            return x

        return run

    assert pick_mode(prepare, CPU, 64)[0] == Mode("fp32")


def test_a_requested_precision_is_not_measured():
    for name in ("bf16", "fp32"):
        assert given_mode(name, CPU) == Mode(name)
    assert given_mode("auto", torch.device("mps")) == Mode("fp32") and given_mode("auto", CPU) is None
    with pytest.raises(OptionError, match="precision 'fp16' is unknown; choose auto, bf16 or fp32"):
        given_mode("fp16", CPU)
    with pytest.raises(OptionError, match="precision 'fp16' is unknown"):
        Translator(RECIPE, generators(), precision="fp16")


def test_emulated_bf16_is_not_tried(clock, monkeypatch):
    monkeypatch.setattr(precision, "_convolves_faster_in_bf16", lambda: False)
    (chosen, why), tried = pick(clock, USUAL)
    assert chosen == Mode("fp32") and {mode.precision for mode in tried} == {"fp32"}
    assert why == "fp32, channels_last: 20 ms for 64 px; bf16 is no faster on this machine"


def test_weights_are_cast_once_and_norms_are_not():
    nets = nn.ModuleDict({"G": nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8, 2))})
    halved = apply_mode(nets, Mode("bf16"))["G"]
    assert [p.dtype for p in halved.parameters()] == [torch.bfloat16] * 2 + [torch.float32] * 2 + [torch.bfloat16] * 2
    assert all(p.dtype == torch.float32 for p in nets.parameters())
    assert halved[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(halved[0].weight, nets["G"][0].weight.bfloat16())
    assert apply_mode(nets, Mode("fp32", channels_last=False))["G"][0].weight.is_contiguous()


def generators(seed=0):
    torch.manual_seed(seed)
    spec = {"name": "skip_resnet", "width": 8, "trunk": 8, "blocks": 1}
    return nn.ModuleDict({name: Factory(spec, EXPORTABLE, "generator")() for name in ("G_ab", "G_ba")})


def test_bf16_equals_fp32_with_autocast():
    image = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
    nets = generators()
    x = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        expected = nets["G_ab"](x.contiguous(memory_format=torch.channels_last)).float()
    fast, exact = Translator(RECIPE, nets, precision="bf16"), Translator(RECIPE, nets)
    assert (fast(x) - expected).abs().max() < 0.02 and (fast(x) != exact(x)).any()
    assert np.abs(fast(image).astype(int) - exact(image)).mean() < 0.5
    assert fast.note == exact.note == "" and exact.precision == "fp32"


class Constant(nn.Module):
    multiple = 4

    def forward(self, x):
        return torch.zeros_like(x)


class Broken(Constant):
    def forward(self, x):
        return x * float("nan")


@pytest.mark.parametrize("net, allowed", [(Constant, ("fp32", "bf16")), (Broken, ("fp32",))])
def test_degenerate_networks_are_no_error(net, allowed, monkeypatch):
    monkeypatch.setattr(precision, "_convolves_faster_in_bf16", lambda: True)
    translator = Translator(RECIPE, nn.ModuleDict({"G_ab": net(), "G_ba": net()}), precision="auto")
    assert translator.mode.precision in allowed and translator.note.startswith(translator.precision)
    translator(np.zeros((32, 32, 3), np.uint8))


def test_auto_reports_the_chosen_mode():
    translator = Translator(RECIPE, generators(), precision="auto")
    assert translator.note == "" and translator.precision in ("bf16", "fp32")
    assert translator.note.startswith(translator.precision) and " px" in translator.note and "\n" not in translator.note
