"""What a network costs: multiplications, which are the same everywhere, and seconds on this machine."""

__all__ = ["MIN_ROUNDS", "count_multiplications", "count_parameters", "example_input", "shortest_in_turns"]

import copy
import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from translate.utils.factory import spec_of

MIN_ROUNDS = 3  # of timings
Pass = Callable[[], object]


def count_multiplications(net: nn.Module, size: int) -> int:
    """Count the multiplications of convolutions and linear layers for one picture of `size` px.

    PyTorch counts a multiplication and an addition as two operations. Nothing is computed, on the device "meta".
    """
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        meta = copy.deepcopy(net).float().to("meta")
        meta(*example_input(meta, size))
    return counter.get_total_flops() // 2


def count_parameters(nets: nn.ModuleDict) -> int:
    """Count the numbers in networks."""
    return sum(p.numel() for p in nets.parameters())


def example_input(net: nn.Module, size: int) -> tuple[Tensor, ...]:
    """Return a source (1, C, size, size) and, if the network takes one, z (1, z_dim), on its device."""
    device, z_dim = next(net.parameters()).device, int(getattr(net, "z_dim", 0))
    source = torch.zeros(1, spec_of(net).get("in_channels", 3), size, size, device=device)
    return (source, torch.zeros(1, z_dim, device=device)) if z_dim else (source,)


def shortest_in_turns(
    passes: Mapping[str, Pass], device: torch.device, *, rounds: int, seconds: float
) -> dict[str, float]:
    """Return the shortest of several timings of each of `passes`, which take turns, in seconds.

    The shortest is what other programs disturbed least; on a CPU it is the time of this thread, without interruptions.
    No round begins after `seconds`, but for the first `MIN_ROUNDS`.
    """
    clock = time.thread_time if device.type == "cpu" else time.perf_counter
    times: dict[str, list[float]] = {name: [] for name in passes}
    for run in passes.values():  # the first pass allocates
        run()
    began = time.perf_counter()
    for done in range(rounds):
        if done >= MIN_ROUNDS and time.perf_counter() - began > seconds:
            break
        for name, run in passes.items():
            synchronize(device)
            start = clock()
            run()
            synchronize(device)
            times[name].append(clock() - start)
    return {name: min(each) for name, each in times.items()}


def synchronize(device: torch.device) -> None:
    """Wait until `device` has finished all work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
