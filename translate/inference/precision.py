"""The choice of the precision and memory layout in which a network is fastest on this machine."""

__all__ = ["Mode", "Pass", "apply_mode", "central_hole", "given_mode", "pick_mode", "split_into_squares"]

import copy
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.images.tensors import pad_to_multiple
from translate.utils.device import bf16_is_sound
from translate.utils.errors import OptionError

MAX_BF16_ERROR_LEVELS = 0.5  # mean difference from fp32; no more than the error of rounding to 8 bits
MIN_ROUNDS, MAX_ROUNDS = 3, 12  # of timings; the shortest counts, as that which other programs disturbed least
TRIAL_SECONDS = 0.8  # after which no further round begins, so that the first picture need not wait long
SLOW_PASS_SECONDS = 0.03  # a network that takes longer is tried on a quarter of the pixels
_CAST_LAYERS = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


class Mode(NamedTuple):
    """How a network computes: its precision, "fp32" or "bf16", and the layout of its tensors."""

    precision: str
    channels_last: bool = True

    def __str__(self) -> str:
        return f"{self.precision}, {'channels_last' if self.channels_last else 'contiguous'}"


class _Trial(NamedTuple):
    seconds: float
    error: float  # mean difference from fp32, grey levels; NaN if either result is


Pass = Callable[[Tensor], Tensor]  # pictures (B, 3, H, W) in [-1, 1] -> pictures

_EXACT = Mode("fp32")
_MODES = (_EXACT, Mode("bf16"), Mode("bf16", channels_last=False), Mode("fp32", channels_last=False))


def apply_mode(nets: nn.ModuleDict, mode: Mode) -> nn.ModuleDict:
    """Return networks in a mode; for bf16, copies with cast convolutions and linear layers.

    Autocast would cast these layers in every pass. Norms and other layers stay in fp32, as autocast expects.
    """
    if mode.precision == "bf16":
        nets = copy.deepcopy(nets)
        for layer in nets.modules():
            if type(layer) in _CAST_LAYERS:
                layer.bfloat16()
    layout = torch.channels_last if mode.channels_last else torch.contiguous_format
    return nets.to(memory_format=layout)  # type: ignore[call-overload]


def given_mode(precision: str, device: torch.device) -> Mode | None:
    """Return the mode of a precision on `device`; None for "auto" where modes have to be timed.

    Raises:
        OptionError: an unknown precision.
    """
    if precision in ("bf16", "fp32"):
        return Mode(precision)
    if precision != "auto":
        raise OptionError(f"precision {precision!r} is unknown; choose auto, bf16 or fp32")
    return None if device.type in ("cpu", "cuda") else _EXACT


def pick_mode(prepare: Callable[[Mode], Pass], device: torch.device, size: int = 256) -> tuple[Mode, str]:
    """Pick the fastest accurate mode on a picture of `size` px; return it with the times in words.

    bf16 is accurate if its result differs from that of fp32 by less than half a grey level in the mean. It must be a
    tenth faster, and a layout other than channels_last a twentieth, so that near ties always go to the same mode.
    `prepare` returns the pass of a mode; the passes of all modes are used in turn.
    """
    # 1. time the modes
    native = bf16_is_sound(device) if device.type == "cuda" else _convolves_faster_in_bf16()
    passes = {mode: prepare(mode) for mode in _MODES if native or mode.precision == "fp32"}
    size = _trial_size(passes[_EXACT], size, device)
    trials = _run_trials(passes, _trial_picture(size).to(device))
    # 2. pick the fastest accurate mode
    accurate = [mode for mode in trials if mode.precision == "fp32" or trials[mode].error < MAX_BF16_ERROR_LEVELS]
    mode = min(accurate, key=lambda mode: trials[mode].seconds * _handicap(mode))
    return mode, _explain(mode, trials, size)


def _trial_size(run: Pass, size: int, device: torch.device) -> int:
    """Return `size`, or half the size if even that takes long."""
    x = _trial_picture(size // 2).to(device)
    run(x)
    return size // 2 if _seconds(lambda: run(x), device) > SLOW_PASS_SECONDS else size


def _run_trials(passes: Mapping[Mode, Pass], x: Tensor) -> dict[Mode, _Trial]:
    """Time the modes in turn, so that a passing disturbance hits all of them."""
    # 1. warm up, and compare the results
    results = {mode: run(x).float().clamp(-1, 1) for mode, run in passes.items()}
    errors = {mode: (y - results[_EXACT]).abs().mean().item() * 127.5 for mode, y in results.items()}
    # 2. time
    times: dict[Mode, list[float]] = {mode: [] for mode in passes}
    began = time.perf_counter()
    for done in range(MAX_ROUNDS):
        if done >= MIN_ROUNDS and time.perf_counter() - began > TRIAL_SECONDS:
            break
        for mode, run in passes.items():
            times[mode].append(_seconds(partial(run, x), x.device, 1))
    return {mode: _Trial(min(times[mode]), errors[mode]) for mode in passes}


def _handicap(mode: Mode) -> float:
    """Return the factor by which the seconds of a mode count, so that small gains change nothing."""
    return (1.0 if mode.precision == "fp32" else 1 / 0.9) * (1.0 if mode.channels_last else 1.05)


def _explain(mode: Mode, trials: dict[Mode, _Trial], size: int) -> str:
    """Return one line on the chosen mode, and the reason for or against bf16."""
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


def _trial_picture(size: int) -> Tensor:
    """Return noise of several scales, similar to a photo, (1, 3, size, size) in [-1, 1]."""
    generator = torch.Generator().manual_seed(0)
    x = torch.zeros(1, 3, size, size)
    for cells, strength in ((3, 0.7), (size // 16, 0.35), (size // 4, 0.15), (size, 0.05)):
        noise = torch.rand(1, 3, max(cells, 1), max(cells, 1), generator=generator) * 2 - 1
        x += strength * F.interpolate(noise, size=(size, size), mode="bilinear", align_corners=False)
    return x.clamp_(-1, 1)


def _convolves_faster_in_bf16() -> bool:
    """Time one small convolution: where bf16 is emulated, a whole network would take minutes."""
    x, weight = torch.rand(1, 32, 32, 32), torch.rand(32, 32, 3, 3)
    x_bf16, weight_bf16 = x.bfloat16(), weight.bfloat16()
    with torch.inference_mode():
        return _seconds(lambda: torch.conv2d(x_bf16, weight_bf16)) < 2 * _seconds(lambda: torch.conv2d(x, weight))


def _seconds(work: Callable[[], Any], device: torch.device | None = None, repeats: int = 3) -> float:
    """Return the shortest of several timings of `work`; on a CPU of this thread's own time, without interruptions."""
    on_gpu = device is not None and device.type == "cuda"
    clock, times = time.perf_counter if on_gpu else time.thread_time, []
    for _ in range(repeats):
        began = clock()
        work()
        if on_gpu:
            torch.cuda.synchronize(device)
        times.append(clock() - began)
    return min(times)


def central_hole(x: Tensor) -> Tensor:
    """Return a mask (B, 1, H, W) for pictures (B, C, H, W), 1 in the middle and -1 elsewhere."""
    height, width = x.shape[2:]
    mask = x.new_full((len(x), 1, height, width), -1.0)
    mask[..., height // 4 : -(height // 4), width // 4 : -(width // 4)] = 1
    return mask


def split_into_squares(x: Tensor, side: int) -> Tensor:
    """Cut (B, C, H, W) into (B', C, side, side), padding the last row and column of squares."""
    x, _ = pad_to_multiple(x, side)
    rows = torch.cat(x.split(side, dim=2))
    return torch.cat(rows.split(side, dim=3))
