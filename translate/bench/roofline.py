"""The machine's limits: highest rates of convolutions, matrix products and copies."""

__all__ = ["Ceiling", "measure_ceiling"]

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F

from translate.bench.timing import mean_seconds, synchronize
from translate.utils.device import bf16_is_sound

TRIAL_S, SUSTAINED_S = 0.05, 0.2  # of each shape, to find the fastest; and of the fastest, to measure its rate
REPEATS = 3  # of the sustained run: other programs may slow down some of them
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
CONVOLUTIONS = ((64, 128), (128, 128), (256, 64), (512, 32))  # channels and side, px, as in common generators
MATMUL_SIDES = {"cpu": (1024, 2048), "cuda": (4096, 8192)}
BATCH_SIZE = {"cpu": 1, "cuda": 32}
COPY_BYTES = {"cpu": 2**28, "cuda": 2**30}  # many times the size of any cache
MAX_BF16_SLOWDOWN = 4  # over fp32; hardware with bf16 is no slower, so that beyond this it must be emulated


@dataclass(frozen=True)
class Ceiling:
    """Highest sustained rates by type: "fp32" and, if it is sound and not emulated, "bf16"."""

    convolution: dict[str, float]  # 3 x 3 kernels in the faster memory layout, GFLOP/s
    matmul: dict[str, float]  # square matrices, GFLOP/s
    shapes: dict[str, str]  # the fastest shape in words, by "convolution fp32" and so on
    copy: float  # bandwidth of a large copy, read and written bytes together, GB/s

    def best(self, dtype: str) -> float:
        """Return the highest rate of a type, GFLOP/s."""
        return max(self.convolution[dtype], self.matmul[dtype])

    def has_fast_bf16(self) -> bool:
        """Whether bf16 was measured, hence is sound and not emulated."""
        return "bf16" in self.convolution


Trial = tuple[str, float, Callable[[], object]]  # the shape in words, GFLOP, and the work


def measure_ceiling(device: torch.device) -> Ceiling:
    """Measure the rates of `device`, which takes a few seconds."""
    rates: dict[str, dict[str, float]] = {"convolution": {}, "matmul": {}}
    shapes: dict[str, str] = {}
    for dtype in DTYPES:
        if dtype == "bf16" and not _bf16_is_native(device):
            continue
        for kind, trials in (("convolution", _convolutions(device, dtype)), ("matmul", _matmuls(device, dtype))):
            rates[kind][dtype], shapes[f"{kind} {dtype}"] = _highest_rate(trials, device)
    return Ceiling(rates["convolution"], rates["matmul"], shapes, _copy_rate(device))


def _bf16_is_native(device: torch.device) -> bool:
    """Whether bf16 is numerically sound, and too fast to be emulated."""
    if not bf16_is_sound(device):
        return False
    trials = [next(_convolutions(device, dtype)) for dtype in DTYPES]
    fp32, bf16 = (min(mean_seconds(work, device) for _ in range(3)) for _, _, work in trials)
    return bf16 < MAX_BF16_SLOWDOWN * fp32


@torch.inference_mode()
def _highest_rate(trials: Iterator[Trial], device: torch.device) -> tuple[float, str]:
    """Return the sustained rate of the fastest trial, GFLOP/s, and its shape in words."""
    tried = [(gflop / _repeat_for(TRIAL_S, work, device), name, gflop, work) for name, gflop, work in trials]
    _, name, gflop, work = max(tried, key=lambda t: t[0])
    return gflop / _sustained_seconds(work, device), name


def _sustained_seconds(work: Callable[[], object], device: torch.device) -> float:
    return min(_repeat_for(SUSTAINED_S, work, device) for _ in range(REPEATS))


def _repeat_for(seconds: float, work: Callable[[], object], device: torch.device) -> float:
    """Repeat `work` for about `seconds`; return its mean time, s."""
    work()
    once = mean_seconds(work, device)
    return mean_seconds(work, device, max(1, round(seconds / max(once, 1e-5))))


def _convolutions(device: torch.device, dtype: str) -> Iterator[Trial]:
    batch = BATCH_SIZE.get(device.type, 1)
    for channels, side in CONVOLUTIONS:
        for layout, name in ((torch.contiguous_format, "NCHW"), (torch.channels_last, "NHWC")):
            x = torch.randn(batch, channels, side, side, device=device, dtype=DTYPES[dtype])
            weight = torch.randn(channels, channels, 3, 3, device=device, dtype=DTYPES[dtype])
            x, weight = x.contiguous(memory_format=layout), weight.contiguous(memory_format=layout)
            gflop = 2e-9 * batch * 9 * channels**2 * side**2
            yield f"{channels} channels, {side} px, {name}", gflop, partial(F.conv2d, x, weight, padding=1)


def _matmuls(device: torch.device, dtype: str) -> Iterator[Trial]:
    for side in MATMUL_SIDES.get(device.type, MATMUL_SIDES["cpu"]):
        a, b = (torch.randn(side, side, device=device, dtype=DTYPES[dtype]) for _ in range(2))
        yield f"{side} x {side}", 2e-9 * side**3, partial(torch.matmul, a, b)


def _copy_rate(device: torch.device) -> float:
    """Return the rate of bytes read and written by a copy, GB/s."""
    source = torch.ones(COPY_BYTES.get(device.type, COPY_BYTES["cpu"]), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    synchronize(device)
    return 2e-9 * len(source) / _sustained_seconds(lambda: target.copy_(source), device)
