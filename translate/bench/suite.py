"""What a benchmark consists of: parts that are checked at once and measured one after the other."""

__all__ = ["Part", "growth", "training", "translation"]

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.table import Table

from translate.bench.cases import PRESETS, make_case
from translate.bench.original_repo import Peer
from translate.bench.roofline import Ceiling
from translate.bench.scaling import measure_growth
from translate.bench.tables import growth_tables, training_table, translation_table
from translate.bench.training import compare_training
from translate.bench.translation import check_translation, compare_translation
from translate.tasks import TASKS

ROUNDS, SECONDS = 15, 90.0  # of a comparison, where the user gives no number of rounds
ALWAYS = 1e9  # s; the user did

Found = tuple[Any, list[Table]]  # a dataclass with everything, and its tables


class Part(NamedTuple):
    """One part.

    Attributes:
        name: its place in the report: "training", "translation" or "growth".
        title: what the user sees while it is measured.
        measure: does so, given the machine's ceiling.
    """

    name: str
    title: str
    measure: Callable[[Ceiling], Found]


def training(
    tasks: Sequence[str],
    presets: Sequence[str],
    device: torch.device,
    *,
    rounds: int,
    peer: Peer | None,
    **options: Any,
) -> list[Part]:
    """Return a part for every task and preset; none given: all tasks; those of `cases.PRESETS`.

    Args:
        tasks: of `TASKS`.
        presets: of configs/.
        device: where.
        rounds: turns of each candidate; 0: as fits.
        peer: a checkout of the original.
        options: more of `cases.make_case`.

    Raises:
        OptionError: an unknown name, or a size that the networks cannot take.
    """
    how: dict[str, Any] = {"rounds": rounds or ROUNDS, "seconds": ALWAYS if rounds else SECONDS, "peer": peer}
    parts = []
    for task in tasks or TASKS:
        for preset in presets or PRESETS:
            case = make_case(task, preset, device, **options)

            def measure(ceiling: Ceiling, case: Any = case) -> Found:
                found = compare_training(case, ceiling, **how)
                return found, [training_table(found, ceiling)]

            parts.append(Part("training", f"training {task}, {preset}, {case.size} px", measure))
    return parts


def translation(
    model: Path, images: Path, device: torch.device, precision: str, *, rounds: int, peer: Peer | None
) -> Part:
    """Return the part that translates a folder; the arguments are those of `compare_translation`.

    Raises:
        UserError: no such model, one that translates no pictures, or a folder without pictures.
    """
    check_translation(model, images)
    how: dict[str, Any] = {"rounds": rounds or ROUNDS, "seconds": ALWAYS if rounds else SECONDS, "peer": peer}

    def measure(ceiling: Ceiling) -> Found:
        found = compare_translation(model, images, device, precision, **how)
        return found, [translation_table(found, ceiling)]

    return Part("translation", f"translating {images}", measure)


def growth(task: str, preset: str, device: torch.device, **options: Any) -> Part:
    """Return the part that shows how cost grows; the arguments are those of `measure_growth`.

    Raises:
        OptionError: an unknown name.
    """
    make_case(task, preset, device, **options)

    def measure(_: Ceiling) -> Found:
        found = measure_growth(task, preset, device, **options)
        return found, growth_tables(found)

    return Part("growth", f"growth of {task}, {preset}", measure)
