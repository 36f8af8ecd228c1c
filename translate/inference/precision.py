"""In which precision and layout a network answers fastest here, and still answers the same."""

__all__ = ["Choice", "Mode", "arranged", "pick_inference_precision"]

import copy
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.utils.device import bf16_is_sound
from translate.utils.errors import OptionError

_ROUGH = 0.5  # grey levels that bf16 may stray from fp32 in the mean
_ENOUGH = 0.8  # seconds, after which no further candidate is tried
_SLOW = 0.03  # seconds; a network that takes longer is tried on a quarter of the picture
_BODIES = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


class Mode(NamedTuple):
    """How a network computes: its precision, "fp32" or "bf16", and the layout of its tensors."""

    precision: str
    channels_last: bool = True

    def __str__(self) -> str:
        return f"{self.precision}, {'channels_last' if self.channels_last else 'contiguous'}"


class Choice(NamedTuple):
    """A mode, and one line that says what it was chosen by; "" where nothing was measured."""

    mode: Mode
    note: str = ""


class _Trial(NamedTuple):
    seconds: float
    error: float  # mean difference from fp32, grey levels; NaN where either answer is


Pass = Callable[[Tensor], Tensor]  # pictures (B, 3, H, W) in [-1, 1] -> pictures

_EXACT = Mode("fp32")
_MODES = (_EXACT, Mode("bf16"), Mode("bf16", channels_last=False), Mode("fp32", channels_last=False))


def arranged(nets: nn.ModuleDict, mode: Mode) -> nn.ModuleDict:
    """Return networks for a mode: for bf16 copies, whose convolutions and linear layers are cast once and for all.

    Autocast would cast them again in every pass. Norms and what else has weights stay in fp32, as it wants them.
    """
    if mode.precision == "bf16":
        nets = copy.deepcopy(nets)
        for layer in nets.modules():
            if type(layer) in _BODIES:
                layer.bfloat16()
    layout = torch.channels_last if mode.channels_last else torch.contiguous_format
    return nets.to(memory_format=layout)  # type: ignore[call-overload]


def pick_inference_precision(
    prepare: Callable[[Mode], Pass], device: torch.device, precision: str = "auto", size: int = 256
) -> Choice:
    """Return how to compute: as asked, or with "auto" in the mode that is fastest on `device` among the sound ones.

    fp32 is sound, and bf16 where its answer to a picture differs from that of fp32 by less than half a grey level in
    the mean. It must be a tenth faster, and a layout other than channels_last a twentieth.

    Args:
        prepare: gives the pass of a mode, which takes (1, 3, H, W) in [-1, 1]; not called unless "auto" is asked.
        device: where it computes.
        precision: "auto", "bf16" or "fp32".
        size: of the picture that it is tried on, px; half of it for a slow network.

    Raises:
        OptionError: no such precision.
    """
    if precision in ("bf16", "fp32"):
        return Choice(Mode(precision))
    if precision != "auto":
        raise OptionError(f"precision {precision!r} is unknown; choose auto, bf16 or fp32")
    if device.type not in ("cpu", "cuda"):
        return Choice(_EXACT)
    natively = bf16_is_sound(device) if device.type == "cuda" else _convolves_faster_in_bf16()
    began = time.perf_counter()
    size = _affordable(prepare(_EXACT), size, device)
    trials = _try_out(prepare, _example(size).to(device), natively, began + _ENOUGH)
    sound = {mode: trial for mode, trial in trials.items() if mode.precision == "fp32" or trial.error < _ROUGH}
    mode = min(sound, key=lambda mode: sound[mode].seconds * _handicap(mode))
    return Choice(mode, _note(mode, trials, size))


def _affordable(run: Pass, size: int, device: torch.device) -> int:
    """Return `size`, or half of it where even that takes its time."""
    x = _example(size // 2).to(device)
    run(x)
    return size // 2 if _seconds(lambda: run(x), device, 1) > _SLOW else size


def _try_out(prepare: Callable[[Mode], Pass], x: Tensor, natively: bool, until: float) -> dict[Mode, _Trial]:
    """Time the modes that this machine has, fp32 first, until a moment of the clock has come."""
    exact, first = _timed(prepare(_EXACT), x)
    trials = {_EXACT: _Trial(first, 0.0)}
    for mode in _MODES[1:]:
        if mode.precision == "bf16" and not natively:
            continue
        if len(trials) > natively and time.perf_counter() > until:  # fp32 and bf16 once are a must
            break
        answer, seconds = _timed(prepare(mode), x)
        trials[mode] = _Trial(seconds, (answer - exact).abs().mean().item() * 127.5)
    return trials


def _timed(run: Pass, x: Tensor) -> tuple[Tensor, float]:
    """Return the answer to `x`, in [-1, 1] as it would be shown, and the least time that it took."""
    answer = run(x).float().clamp(-1, 1)  # not timed: the first pass prepares
    return answer, _seconds(lambda: run(x), x.device)


def _handicap(mode: Mode) -> float:
    return (1.0 if mode.precision == "fp32" else 1 / 0.9) * (1.0 if mode.channels_last else 1.05)


def _note(mode: Mode, trials: dict[Mode, _Trial], size: int) -> str:
    """Say what was chosen, and why; or why bf16 was not."""
    seconds = {name: min(t.seconds for m, t in trials.items() if m.precision == name) for name, _ in trials}
    line = f"{mode}: {1000 * trials[mode].seconds:.3g} ms for {size} px"
    if "bf16" not in seconds:
        return f"{line}; bf16 is no faster on this machine"
    error = trials[Mode("bf16")].error
    if mode.precision == "bf16":
        times = seconds["fp32"] / trials[mode].seconds
        return f"{line}, {times:.1f} times fp32; mean difference from fp32 {trials[mode].error:.2f} grey levels"
    takes = f"{1000 * seconds['bf16']:.3g} ms"
    if seconds["bf16"] >= 0.9 * seconds["fp32"]:
        return f"{line}; bf16 is hardly faster ({takes})"
    return f"{line}; bf16 would be faster ({takes}), but differs from fp32 by {error:.2f} grey levels in the mean"


def _example(size: int) -> Tensor:
    """Return something like a picture, (1, 3, size, size) in [-1, 1]: large areas, small ones, and fine grain."""
    drawn = torch.Generator().manual_seed(0)
    x = torch.zeros(1, 3, size, size)
    for cells, strength in ((3, 0.7), (size // 16, 0.35), (size // 4, 0.15), (size, 0.05)):
        noise = torch.rand(1, 3, max(cells, 1), max(cells, 1), generator=drawn) * 2 - 1
        x += strength * F.interpolate(noise, size=(size, size), mode="bilinear", align_corners=False)
    return x.clamp_(-1, 1)


def _convolves_faster_in_bf16() -> bool:
    """Time one small convolution first: where bf16 is emulated, a whole network would take minutes."""
    x, weight = torch.rand(1, 32, 32, 32), torch.rand(32, 32, 3, 3)
    rough = x.bfloat16(), weight.bfloat16()
    with torch.inference_mode():
        return _seconds(lambda: torch.conv2d(*rough)) < 2 * _seconds(lambda: torch.conv2d(x, weight))


def _seconds(work: Callable[[], Any], device: torch.device | None = None, repeats: int = 4) -> float:
    """Return the least time that `work` took."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        if device is not None and device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - began)
    return min(times)
