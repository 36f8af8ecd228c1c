"""The parts of a benchmark: all are checked first, then measured one by one."""

__all__ = ["Part", "scaling_part", "training_parts", "translation_part"]

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.table import Table

from translate.bench.cases import PRESETS, Case, make_case
from translate.bench.original_repo import OriginalRepo
from translate.bench.roofline import Ceiling
from translate.bench.scaling import measure_scaling
from translate.bench.tables import scaling_tables, training_table, translation_table
from translate.bench.training import compare_training
from translate.bench.translation import check_translation, compare_translation
from translate.tasks import TASKS
from translate.utils.plugins import BUILT_IN

Result = tuple[Any, list[Table]]  # a dataclass of all measurements, and its tables


class Part(NamedTuple):
    """A part of a benchmark."""

    name: str  # its key in the report
    title: str
    measure: Callable[[Ceiling], Result]


def training_parts(
    tasks: Sequence[str], presets: Sequence[str], device: torch.device, *, rounds: int, peer: OriginalRepo | None,
    **options: Any,
) -> list[Part]:  # fmt: skip
    """Return a part for every task (default: all but plugins') and preset (default: `PRESETS`).

    Each candidate takes `rounds` turns (0: as many as fit into a minute or two); `options` are those of `make_case`.

    Raises:
        OptionError: an unknown name, or a size that the networks cannot accept.
    """

    def part(case: Case) -> Part:
        def measure(ceiling: Ceiling) -> Result:
            result = compare_training(case, ceiling, peer=peer, **_limits(rounds))
            return result, [training_table(result, ceiling)]

        return Part("training", f"training {case.config.task}, {case.config.preset}, {case.size} px", measure)

    tasks = tasks or [
        name for name, task in TASKS.loaded().items() if TASKS.origin(name) == BUILT_IN and not task.taught
    ]
    return [part(make_case(task, preset, device, **options)) for task in tasks for preset in presets or PRESETS]


def translation_part(
    model: Path, images: Path, device: torch.device, precision: str, *, rounds: int, peer: OriginalRepo | None
) -> Part:
    """Return the part that translates a folder, as `compare_translation`; raise as `check_translation`."""
    check_translation(model, images)

    def measure(ceiling: Ceiling) -> Result:
        result = compare_translation(model, images, device, precision, peer=peer, **_limits(rounds))
        return result, [translation_table(result, ceiling)]

    return Part("translation", f"translating {images}", measure)


def scaling_part(task: str, preset: str, device: torch.device, **options: Any) -> Part:
    """Return the part that measures scaling, as `measure_scaling`; raise as `make_case`."""
    make_case(task, preset, device, **options)

    def measure(_: Ceiling) -> Result:
        result = measure_scaling(task, preset, device, **options)
        return result, scaling_tables(result)

    return Part("growth", f"growth of {task}, {preset}", measure)


def _limits(rounds: int) -> dict[str, Any]:
    """Return the limits of a comparison: the given number of rounds, or up to 15 in 90 s."""
    return {"rounds": rounds, "seconds": float("inf")} if rounds else {"rounds": 15, "seconds": 90.0}
