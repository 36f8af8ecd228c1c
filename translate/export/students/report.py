"""Teacher and student side by side: what each costs, and how near the student's answers are to the teacher's."""

__all__ = ["StudentReport", "compare_with_teacher"]

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any, TypeVar

import numpy as np
import torch
from rich.table import Table
from torch import Tensor, nn

from translate.data.sources.pair import Pair, read_pair
from translate.data.sources.run_data import run_data, run_domains, run_images, run_pairs
from translate.export.students.cost import count_multiplications, count_parameters, shortest_in_turns
from translate.images.grid import make_grid
from translate.images.io import read_rgb8
from translate.images.tensors import to_tensor
from translate.inference.request import Variant
from translate.inference.translator import Translator
from translate.metrics.dct_features import DctFeatures
from translate.metrics.kernel_distance import KERNEL_SCALE, kernel_distance
from translate.metrics.similarity import psnr
from translate.tasks import TASKS
from translate.utils.errors import UserError
from translate.utils.progress import track
from translate.utils.sequences import spread, subsample

MAX_PICTURES = 200  # of a direction: more hardly narrow the errors
MIN_TARGETS = 20  # fewer held-out pictures do not represent a domain, so that training pictures are used
ROUNDS, TIMING_SECONDS = 40, 3.0
COLUMNS = 6  # of the sheet
T = TypeVar("T")
Read = Callable[[], np.ndarray]  # reads a picture (H, W, 3) uint8


@dataclass(frozen=True)
class Sources:
    """The held-out pictures of one direction, and pictures of its target."""

    title: str
    direction: str
    inputs: list[Read]
    targets: list[Read]  # none if only sources are known


@dataclass(frozen=True, kw_only=True)
class Nearness:
    """How near the student's answers are to the teacher's in one direction."""

    title: str
    pictures: int
    psnr: float  # of the student's answers, the teacher's being the truth, dB
    # of the answers to real pictures, by DCT features, times KERNEL_SCALE, and its standard error; None without targets
    teacher: tuple[float, float] | None
    student: tuple[float, float] | None

    def __str__(self) -> str:
        words = f"{self.title}: PSNR to the teacher {self.psnr:.1f} dB, on {self.pictures} held-out pictures"
        if self.teacher is None or self.student is None:
            return f"{words}; no kernel distance: no pictures of the target are known"
        (value, error), (own, own_error) = self.teacher, self.student
        change = f", {own / value - 1:+.0%}" if value > error else ""
        return f"{words}; kernel distance {own:.1f} ± {own_error:.1f}, the teacher's {value:.1f} ± {error:.1f}{change}"


@dataclass(frozen=True, kw_only=True)
class StudentReport:
    """Costs and nearness of teacher and student; each pair is teacher, student."""

    size: int  # of the picture that is timed, px
    device: str
    multiplications: tuple[int, int]  # of one picture, by the default direction
    parameters: tuple[int, int]
    bytes: tuple[int, int]  # of the model files
    seconds: tuple[float, float]  # of the networks, for one picture
    nearness: Sequence[Nearness]
    sheet: np.ndarray | None = field(
        repr=False, default=None
    )  # rows of sources, the teacher's and the student's answers

    @property
    def speedup(self) -> float:
        """How many times as fast the student is."""
        return self.seconds[0] / self.seconds[1]

    def table(self) -> Table:
        """Return the costs as a table."""
        table = Table(box=None, pad_edge=False)
        for title in ("", "teacher", "student", ""):
            table.add_column(title, justify="left" if not title else "right")
        for title, values, form in (
            (f"multiplications, {self.size} px", self.multiplications, lambda n: f"{n / 1e6:,.0f} M"),
            (f"seconds, {self.size} px, {self.device}", self.seconds, lambda s: f"{s:.4f}"),
            ("parameters", self.parameters, lambda n: f"{n:,}"),
            ("model file", self.bytes, lambda n: f"{n / 2**20:.1f} MB"),
        ):
            ratio = values[0] / values[1]
            table.add_row(title, *map(form, values), f"{ratio:.1f} times {'as fast' if 'seconds' in title else 'less'}")
        return table

    def lines(self) -> list[str]:
        """Return the nearness in words, a line for each direction."""
        return list(map(str, self.nearness)) or ["no held-out pictures to compare the answers on"]

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as plain data."""
        values = {key: value for key, value in vars(self).items() if key not in ("sheet", "nearness")}
        return values | {"kernel_scale": KERNEL_SCALE, "nearness": [asdict(each) for each in self.nearness]}


def compare_with_teacher(
    teacher: str | Path, student: str | Path, device: str = "auto", precision: str = "auto", *, progress: bool = True
) -> StudentReport:
    """Compare a student, the folder of its run, with its teacher on the held-out pictures of that run.

    Answers are those of the default strength, and of a model with many answers that of seed i for picture i, so that
    both are asked for the same look.

    Raises:
        UserError: A model or the pictures cannot be read.
    """
    models = [Translator.load(path, device, precision) for path in (teacher, student)]
    way, size = models[1].recipe.directions[0], models[1].recipe.size
    nearness, rows = [], list[list[np.ndarray]]()
    for sources in find_sources(Path(student), models[1]):
        near, cells = compare_answers(sources, *models, progress=progress)
        nearness.append(near)
        rows += cells
    return StudentReport(
        size=size, device=str(models[0].device),
        multiplications=_both(count_multiplications(_generator(model, way), size) for model in models),
        seconds=time_networks(models, way, size),
        parameters=_both(count_parameters(model.nets) for model in models),
        bytes=_both(model.file.stat().st_size for model in models if model.file),
        nearness=nearness, sheet=make_grid(rows) if rows else None,
    )  # fmt: skip


def _both(values: Iterable[T]) -> tuple[T, T]:
    one, other = values
    return one, other


def _generator(model: Translator, way: str) -> nn.Module:
    return TASKS[model.recipe.task].generator_for(model.nets, way, None, None)[0]


def time_networks(models: Sequence[Translator], way: str, size: int) -> tuple[float, float]:
    """Return the seconds of the networks of two models for a picture of `size` px, each in its own mode, in turns."""
    source = torch.rand(1, models[0].runner.channels(way)[0], size, size) * 2 - 1
    passes = {
        str(k): partial(model.runner, source, model.recipe.directions[0], Variant(), None, "noise")
        for k, model in enumerate(models)
    }
    return _both(shortest_in_turns(passes, models[0].device, rounds=ROUNDS, seconds=TIMING_SECONDS).values())


def find_sources(run: Path, model: Translator) -> Iterator[Sources]:
    """Yield the held-out pictures of a student's run, direction by direction; nothing for pictures with bands."""
    recipe = model.recipe
    read = partial(read_rgb8, values=model.values)
    if not {recipe.channels["a"], recipe.channels["b"]} <= {1, 3}:
        return
    way = recipe.directions[0]
    if run_data(run).get("images"):
        yield Sources(recipe.domains[0], way, [one.read for one in run_images(run).test], [])
    elif TASKS[recipe.task].data == "paired":
        pairs = run_pairs(run, direction=way)
        inputs, targets = (_reads(partial(_read_side, side=side, read=read), pairs.test) for side in (0, 1))
        yield Sources(" -> ".join(pairs.names), way, inputs, targets)
    else:
        domains = dict(zip("ab", run_domains(run), strict=True))
        for way in sorted(recipe.directions):
            source, target = domains[way[0]], domains[way[1]]
            known = target.test if len(target.test) >= MIN_TARGETS else target.train
            title = f"{source.name} -> {target.name}"
            yield Sources(title, way, _reads(read, source.test), _reads(read, known))


def _reads(read: Callable[[Any], np.ndarray], items: Iterable[Any]) -> list[Read]:
    return [partial(read, item) for item in items]


def _read_side(pair: Pair, side: int, read: Callable[[Path], np.ndarray]) -> np.ndarray:
    return read_pair(pair, read=(read, read))[side]


def compare_answers(
    sources: Sources, teacher: Translator, student: Translator, *, progress: bool
) -> tuple[Nearness, list[list[np.ndarray]]]:
    """Compare the answers of two models to the pictures of one direction; return also the rows of a sheet.

    Raises:
        UserError: No picture can be read.
    """
    describe = DctFeatures()
    inputs = list(_readable(sources.inputs, f"Comparing {sources.title}", progress))
    if not inputs:
        raise UserError(f"{sources.title}: no held-out picture can be read; nothing can be compared")
    answers = [[_ask(model, sources.direction, x, k) for k, x in enumerate(inputs)] for model in (teacher, student)]
    near = [psnr(to_tensor(mine), to_tensor(truth)).item() for truth, mine in zip(*answers, strict=True)]
    targets = [describe(to_tensor(x)) for x in _readable(sources.targets, "Describing the target", progress)]
    kernels: list[tuple[float, float] | None] = [None, None]
    if min(len(targets), len(inputs)) >= 2:
        kernels = [_distance([describe(to_tensor(x)) for x in each], targets) for each in answers]
    found = Nearness(
        title=sources.title, pictures=len(inputs), psnr=fmean(near), teacher=kernels[0], student=kernels[1]
    )
    return found, [spread(row, COLUMNS) for row in (inputs, *answers)]


def _ask(model: Translator, way: str, picture: np.ndarray, seed: int) -> np.ndarray:
    options: Any = {"seed": seed} if model.random else {}
    return model(picture, None if len(model.recipe.directions) == 1 else way, **options)


def _readable(reads: Sequence[Read], label: str, progress: bool) -> Iterator[np.ndarray]:
    """Yield at most `MAX_PICTURES` of the pictures that can be read."""
    chosen = subsample(reads, MAX_PICTURES)
    for read in track(chosen, label, len(chosen), progress):
        with contextlib.suppress(UserError):
            yield read()


def _distance(features: Sequence[Tensor], targets: Sequence[Tensor]) -> tuple[float, float]:
    found = kernel_distance(torch.cat(list(features)), torch.cat(list(targets)))
    return found.value * KERNEL_SCALE, found.error * KERNEL_SCALE
