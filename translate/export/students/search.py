"""The student's generator: of networks of one family, the largest that is small enough, and fast enough here."""

__all__ = ["Found", "candidates", "find_student"]

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import nn

from translate.export.students.cost import count_multiplications, example_input, shortest_in_turns
from translate.inference.precision import Mode, apply_mode
from translate.networks import GENERATORS
from translate.networks.blocks import BatchNorm, InstanceNorm
from translate.utils.device import autocast
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import Factory, spec_of

FAMILY = "compact_resnet"  # of the students: narrow networks of the other families are hardly faster
FOLDS = (2, 4)
WIDTHS = (64, 48, 32, 24, 16, 12, 8)
BLOCKS = (4, 2, 1)
ROUNDS, TRIAL_SECONDS = 12, 0.4  # of the timing of one candidate
TIME_SHARE = 0.5  # of a speed-up of multiplications, in seconds: small networks wait for memory more than large ones
MIN_SPEEDUP = 1.5  # of the smallest student: else the teacher is tiny itself


@dataclass(frozen=True)
class Found:
    """A network for the student, and how it compares with the teacher's."""

    spec: dict[str, Any]  # name and options, without those that the task decides
    fewer: float  # times as few multiplications
    faster: float  # times as fast, here

    @property
    def reach(self) -> float:
        """The largest --speedup that this network would meet."""
        return min(self.fewer, self.faster / TIME_SHARE)

    def __str__(self) -> str:
        options = ", ".join(f"{key} {value}" for key, value in self.spec.items() if key != "name")
        costs = f"{self.fewer:.1f} times fewer multiplications, {self.faster:.1f} times as fast here"
        return f"{self.spec['name']} ({options}): {costs}"


def candidates(norm: str, size: int) -> Iterator[dict[str, Any]]:
    """Yield networks of the family for pictures of `size` px."""
    for fold, width, blocks in product(FOLDS, WIDTHS, BLOCKS):
        if size % (2 * fold) == 0:
            trunk = max(16, round(width * 1.5 / 8) * 8)
            yield {"name": FAMILY, "width": width, "trunk": trunk, "blocks": blocks, "fold": fold, "norm": norm}


def find_student(teacher: nn.Module, size: int, speedup: float, mode: Mode, device: torch.device) -> Found:
    """Return the network of most multiplications that has `speedup` times fewer than `teacher`, and is fast enough.

    It is at least `TIME_SHARE` of `speedup` times as fast on `device`, where both translate one picture of `size` px in
    one `mode`, in turns.

    Raises:
        OptionError: No network is; the message says what can be reached.
        UserError: The teacher is as small as its students would be.
    """
    spec = spec_of(teacher)
    of_teacher = count_multiplications(teacher, size)
    normed = any(isinstance(module, InstanceNorm | BatchNorm) for module in teacher.modules())
    # most multiplications first
    fixed: dict[str, Any] = {key: spec[key] for key in ("in_channels", "out_channels", "z_dim") if key in spec}
    with torch.device("meta"):  # where weights need not be drawn
        family = candidates("instance" if normed else "none", size)
        counts = [(count_multiplications(_build(one, fixed), size), one) for one in family]
    counts.sort(key=lambda each: -each[0])
    # the first that is fast enough
    run_teacher = _make_pass(copy.deepcopy(teacher), size, mode, device)
    best = Found({}, 0.0, 0.0)
    for count, one in [each for each in counts if each[0] * speedup <= of_teacher] or counts[-1:]:
        passes = {"teacher": run_teacher, "student": _make_pass(_build(one, fixed), size, mode, device)}
        seconds = shortest_in_turns(passes, device, rounds=ROUNDS, seconds=TRIAL_SECONDS)
        found = Found(one, of_teacher / count, seconds["teacher"] / seconds["student"])
        if found.reach >= speedup:
            return found
        best = max(best, found, key=lambda each: each.reach)
    smallest = (
        f"the smallest student has {best.fewer:.1f} times fewer multiplications, and is {best.faster:.1f} times as fast"
    )
    if best.reach < MIN_SPEEDUP:
        raise UserError(f"the model is tiny itself: {smallest}")
    raise OptionError(
        f"--speedup {speedup:g} is out of reach here: {smallest}; say --speedup {int(10 * best.reach) / 10:g} or less"
    )


def _build(spec: Mapping[str, Any], fixed: Mapping[str, Any]) -> nn.Module:
    return Factory(spec, GENERATORS, "generator")(**fixed)


def _make_pass(net: nn.Module, size: int, mode: Mode, device: torch.device) -> Callable[[], object]:
    """Return a pass of `net` over one picture."""
    G = apply_mode(nn.ModuleDict({"G": net}).to(device).eval().requires_grad_(False), mode)["G"]
    layout = torch.channels_last if mode.channels_last else torch.contiguous_format
    source, *codes = example_input(G, size)
    source = source.contiguous(memory_format=layout)

    def run() -> object:
        with torch.inference_mode(), autocast(device, mode.precision):
            return G(source, *codes)

    return run
