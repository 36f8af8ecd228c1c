"""Several runs side by side: what differs between their recipes, their scores, and what they cost."""

__all__ = ["Comparison", "Recipe", "ScoredRun", "Spread", "compare_runs", "why_incomparable"]

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from translate.reports.measures import Measure
from translate.reports.scores import ScoreOptions, scores_of
from translate.reports.trained_run import TrainedRun, read_run
from translate.training.config import flatten
from translate.utils.errors import UserError

SEED = "train.seed"
NO_DIFFERENCE = ("out", SEED)  # options that make no other recipe
# kinds of data whose pictures are compared at the training resolution
SIZED_KINDS = ("images", "labelled", "masked", "reduced")
SEED_SUFFIX = "_seed"  # of the folders of one recipe
Key = tuple[str, str]  # part and name of a measure


@dataclass(frozen=True, kw_only=True)
class ScoredRun:
    """A run and its scores."""

    name: str
    run: TrainedRun
    measures: list[Measure]  # [] if it cannot be scored, or not be compared with the first run

    @property
    def options(self) -> dict[str, Any]:
        """The configuration by dotted name."""
        return flatten(self.run.config)

    @property
    def model_bytes(self) -> int:
        """The size of the model file."""
        return (self.run.folder / "model.safetensors").stat().st_size

    def to_dict(self) -> dict[str, Any]:
        """Return the facts and scores, ready for JSON."""
        run = self.run
        return {
            "name": self.name, "run": str(run.folder), "task": run.recipe.task, "seed": run.seed,
            "steps": run.recipe.steps, "complete": run.is_complete, "seconds": run.seconds,
            "parameters": run.parameters, "model_bytes": self.model_bytes, "data": run.recipe.data,
            "scores": [asdict(measure) for measure in self.measures],
        }  # fmt: skip


@dataclass(frozen=True)
class Spread:
    """A number of several seeds."""

    mean: float
    spread: float | None  # standard deviation between the seeds; None for one
    count: int  # of seeds

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the mean and the standard deviation of values."""
        return cls(mean(values), stdev(values) if len(values) > 1 else None, len(values))


@dataclass(frozen=True)
class Recipe:
    """The runs of one configuration, which differ in their seeds alone."""

    runs: list[ScoredRun]

    @property
    def name(self) -> str:
        """The name of the run, or what the names of several have in common."""
        names = [run.name for run in self.runs]
        stems = {name.rpartition(SEED_SUFFIX)[0] for name in names}
        return names[0] if len(names) == 1 else next(iter(stems)) if len(stems) == 1 and "" not in stems else names[0]

    def scores(self) -> dict[Key, Spread]:
        """Return the mean and the spread of each measure that all runs have."""
        found = [{(measure.part, measure.name): measure.value for measure in run.measures} for run in self.runs]
        return {key: Spread.of([each[key] for each in found]) for key in found[0] if all(key in each for each in found)}

    def error(self, key: Key) -> float | None:
        """Return the standard error of a measure of a single run, if it is known."""
        (only,) = self.runs
        return next(measure.error for measure in only.measures if (measure.part, measure.name) == key)


@dataclass(frozen=True)
class Comparison:
    """Runs side by side."""

    runs: list[ScoredRun]
    notes: list[str]  # what cannot be compared, and why

    @property
    def recipes(self) -> list[Recipe]:
        """The runs by configuration, without their seeds."""
        found: dict[str, list[ScoredRun]] = {}
        for each in self.runs:
            same = {name: value for name, value in each.options.items() if name not in NO_DIFFERENCE}
            found.setdefault(repr(sorted(same.items())), []).append(each)
        return [Recipe(runs) for runs in found.values()]

    def differences(self) -> dict[str, list[Any]]:
        """Return the options that differ, by dotted name: their value in each run, None where there is none."""
        tables = [each.options for each in self.runs]
        names = dict.fromkeys(name for table in tables for name in table if name != "out")
        values = {name: [table.get(name) for table in tables] for name in names}
        return {name: found for name, found in values.items() if any(value != found[0] for value in found)}

    def keys(self) -> list[Key]:
        """Return part and name of every measure that some run has, part by part."""
        keys = dict.fromkeys((measure.part, measure.name) for each in self.runs for measure in each.measures)
        parts = list(dict.fromkeys(part for part, _ in keys))
        return sorted(keys, key=lambda key: parts.index(key[0]))

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return {
            "runs": [each.to_dict() for each in self.runs],
            "differences": self.differences(),
            "recipes": [
                {
                    "name": recipe.name,
                    "runs": [each.name for each in recipe.runs],
                    "scores": [
                        {"part": part, "name": name, **asdict(spread)}
                        for (part, name), spread in recipe.scores().items()
                    ],
                }
                for recipe in self.recipes
            ],
            "notes": self.notes,
        }


def compare_runs(paths: Sequence[str | Path], options: ScoreOptions) -> Comparison:
    """Score runs and lay them side by side; those that cannot be compared with the first have no scores, but a note.

    Raises:
        UserError: a run cannot be read, or the first cannot be scored.
    """
    runs = [read_run(path) for path in paths]
    names = short_names([run.folder for run in runs])
    scored, notes = [], list[str]()
    for name, run in zip(names, runs, strict=True):
        measures: list[Measure] = []
        if reason := why_incomparable(runs[0], run):
            notes.append(f"{name}: {reason}: its scores and answers cannot be compared with those of {names[0]}")
        else:
            try:
                measures = scores_of(run.folder, options)
            except UserError as error:
                notes.append(f"{name}: not scored: {error}")
        if not run.is_complete:
            notes.append(f"{name}: has {run.recipe.steps} of {run.plan['steps']} steps")
        scored.append(ScoredRun(name=name, run=run, measures=measures))
    return Comparison(scored, notes)


def why_incomparable(first: TrainedRun, other: TrainedRun) -> str:
    """Return why the scores of two runs cannot be compared, in words; "" if they can."""
    if first.kind != other.kind:
        return f"another kind of task ({other.recipe.task}, not {first.recipe.task})"
    if _pictures(first) != _pictures(other):
        return f"other held-out pictures ({', '.join(other.recipe.domains)})"
    if first.kind in SIZED_KINDS and first.recipe.size != other.recipe.size:
        return f"pictures of {other.recipe.size} px, not {first.recipe.size} px"
    return ""


def _pictures(run: TrainedRun) -> Any:
    """Return what identifies the held-out pictures of a run and their order as source and target."""
    named = [str(run.data.get(key, "")) for key in ("a", "b", "root", "images")]
    return run.held_out() or named, run.recipe.domains if run.kind == "paired" else ()


def short_names(folders: Sequence[Path]) -> list[str]:
    """Return the names of folders, with as many parents as tell them apart."""
    parts = [folder.absolute().parts for folder in folders]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(each[-depth:]) for each in parts]
        if len({*names}) == len(names):
            return names
    return [str(folder) for folder in folders]
