"""What this machine can do at best: the rates against which everything else is held."""

__all__ = ["Ceiling", "measure_ceiling"]

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from translate.bench.timing import timed, wait_for
from translate.utils.device import bf16_is_sound

TRIAL, SUSTAINED = 0.05, 0.2  # s that each shape is tried, and the best one is kept running
REPEATS = 3  # of the latter: others use the machine as well
TIMES = {"fp32": torch.float32, "bf16": torch.bfloat16}
CONVOLUTIONS = ((64, 128), (128, 128), (256, 64), (512, 32))  # channels, side: those of the usual generators
MATMULS = {"cpu": (1024, 2048), "cuda": (4096, 8192)}
BATCH = {"cpu": 1, "cuda": 32}
COPIED = {"cpu": 2**28, "cuda": 2**30}  # bytes, many times what a cache holds
EMULATED = 4  # times slower than fp32: no hardware does that on purpose


@dataclass(frozen=True)
class Ceiling:
    """Largest sustained rates by type, "fp32" and, where it is sound and not emulated, "bf16".

    Attributes:
        convolution: of 3 x 3 kernels in either memory layout, GFLOP/s.
        matmul: of square matrices, GFLOP/s.
        shapes: what was fastest, in words, by "convolution fp32" and so on.
        copy: bandwidth of a large copy, read and written bytes together, GB/s.
    """

    convolution: dict[str, float]
    matmul: dict[str, float]
    shapes: dict[str, str]
    copy: float

    def best(self, dtype: str) -> float:
        """Return the larger rate of a type, GFLOP/s."""
        return max(self.convolution[dtype], self.matmul[dtype])

    def fast_bf16(self) -> bool:
        """Whether bf16 is worth trying here."""
        return "bf16" in self.convolution


Trial = tuple[str, float, Callable[[], object]]  # what it is, GFLOP, and what does it


def measure_ceiling(device: torch.device) -> Ceiling:
    """Measure the rates on `device`; takes a few seconds."""
    found: dict[str, dict[str, float]] = {"convolution": {}, "matmul": {}}
    shapes: dict[str, str] = {}
    for dtype in TIMES:
        if dtype == "bf16" and not _bf16_is_real(device):
            continue
        for kind, trials in (("convolution", _convolutions(device, dtype)), ("matmul", _matmuls(device, dtype))):
            found[kind][dtype], shapes[f"{kind} {dtype}"] = _largest_rate(trials, device)
    return Ceiling(found["convolution"], found["matmul"], shapes, _copy_rate(device))


def _bf16_is_real(device: torch.device) -> bool:
    """Whether bf16 is right here, and not so slow that it has to be emulated."""
    if not bf16_is_sound(device):
        return False
    work = [next(_convolutions(device, dtype))[2] for dtype in TIMES]
    fp32, bf16 = (min(timed(w, device) for _ in range(3)) for w in work)
    return bf16 < EMULATED * fp32


@torch.inference_mode()
def _largest_rate(trials: Iterator[Trial], device: torch.device) -> tuple[float, str]:
    """Return the rate of the fastest trial when it is kept running, GFLOP/s, and what it is."""
    tried = [(operations / _seconds(work, device, TRIAL), name, operations, work) for name, operations, work in trials]
    _, name, operations, work = max(tried, key=lambda t: t[0])
    return operations / _undisturbed(work, device), name


def _undisturbed(work: Callable[[], object], device: torch.device) -> float:
    """Return the mean seconds of `work` over the best of some times that it is kept running."""
    return min(_seconds(work, device, SUSTAINED) for _ in range(REPEATS))


def _seconds(work: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Return the mean seconds of `work`, repeated for about so many seconds."""
    work()
    once = timed(work, device)
    return timed(work, device, max(1, round(seconds / max(once, 1e-5))))


def _convolutions(device: torch.device, dtype: str) -> Iterator[Trial]:
    batch = BATCH.get(device.type, 1)
    for channels, side in CONVOLUTIONS:
        for layout in (torch.contiguous_format, torch.channels_last):
            x = torch.randn(batch, channels, side, side, device=device, dtype=TIMES[dtype])
            weight = torch.randn(channels, channels, 3, 3, device=device, dtype=TIMES[dtype])
            x, weight = x.contiguous(memory_format=layout), weight.contiguous(memory_format=layout)
            words = f"{channels} channels, {side} px, {'NCHW' if layout is torch.contiguous_format else 'NHWC'}"
            yield words, 2e-9 * batch * 9 * channels**2 * side**2, _convolution(x, weight)


def _convolution(x: Tensor, weight: Tensor) -> Callable[[], object]:
    return lambda: F.conv2d(x, weight, padding=1)


def _matmuls(device: torch.device, dtype: str) -> Iterator[Trial]:
    for side in MATMULS.get(device.type, MATMULS["cpu"]):
        a, b = (torch.randn(side, side, device=device, dtype=TIMES[dtype]) for _ in range(2))
        yield f"{side} x {side}", 2e-9 * side**3, _matmul(a, b)


def _matmul(a: Tensor, b: Tensor) -> Callable[[], object]:
    return lambda: a @ b


def _copy_rate(device: torch.device) -> float:
    """Return the bytes read and written by copying, GB/s."""
    source = torch.ones(COPIED.get(device.type, COPIED["cpu"]), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    wait_for(device)
    return 2e-9 * len(source) / _undisturbed(lambda: target.copy_(source), device)
