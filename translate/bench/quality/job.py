"""One recipe on one set with one seed: what is asked for, and the folder of its results."""

__all__ = ["ORIGINAL", "Job", "QualityRecipe", "find_recipe"]

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from translate.bench.quality.picture_set import PictureSet, Question
from translate.images.io import read_rgb8, write_picture
from translate.images.picture import Picture
from translate.tasks import TASKS
from translate.training.config import Config, changed_options, describe_changes, from_dict, load_config, preset_task
from translate.training.setup import check_recipe
from translate.utils.errors import OptionError, did_you_mean
from translate.utils.files import write_json
from translate.utils.plugins import recipes
from translate.utils.toml_files import read_toml

ORIGINAL = "original"  # the name of the recipe of --peer
TRIAL_STEPS = 10**6  # more than any trial takes


@dataclass(frozen=True, kw_only=True)
class Job:
    """One recipe on one set with one seed, at a budget."""

    folder: Path
    pictures: PictureSet
    recipe: str  # name of the row
    config: Config  # with a data.size; its steps are chosen by a trial
    cpu_seconds: float
    limit: int  # of held-out pictures
    peer: str = ""  # checkout whose code trains instead of ours

    @property
    def kind(self) -> str:
        """`Task.data` of the recipe."""
        return TASKS[self.config.task].data

    @property
    def title(self) -> str:
        """The job in words."""
        return f"{self.pictures.name}, {self.recipe}, seed {self.config.train.seed}"

    def asked(self) -> dict[str, Any]:
        """Return what is asked for, as JSON values; a job with other values is another one."""
        return {
            "pictures": asdict(self.pictures), "recipe": self.recipe, "cpu_seconds": self.cpu_seconds,
            "limit": self.limit, "peer": self.peer, "config": asdict(self.config),
        }  # fmt: skip

    @classmethod
    def load(cls, folder: Path) -> "Job":
        """Return the job that was asked for in `folder`."""
        asked = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        pictures = asked.pop("pictures")
        place = PictureSet(pictures["name"], pictures["place"], tuple(pictures["kinds"]))
        return cls(folder=folder, pictures=place, **asked | {"config": from_dict(Config, asked["config"])})

    def changes(self) -> list[str]:
        """Return what differs from the job that `folder` holds, if any, in words."""
        if not (self.folder / "job.json").exists():
            return []
        old, new = Job.load(self.folder), self.asked()
        words = {name: (new[name], getattr(old, name)) for name in ("cpu_seconds", "limit", "peer")}
        words = {name: (ours, theirs) for name, (ours, theirs) in words.items() if ours != theirs}
        return describe_changes(words | changed_options(self.config, asdict(old.config)))

    def questions(self) -> list[Question]:
        """Return the questions to the model."""
        return self.pictures.questions(self.kind, self.config.data.size, self.limit)

    def answer_file(self, question: Question, number: int) -> Path:
        """Return the file of an answer."""
        return self.folder / "answers" / question.key / f"{number:05d}.png"

    def write_answer(self, question: Question, number: int, answer: np.ndarray) -> None:
        """Write an answer, (H, W, 3) uint8."""
        file = self.answer_file(question, number)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_picture(file, Picture(answer))

    def answers(self, question: Question) -> bool:
        """Whether the model has answers to a question: some learn one direction only."""
        return self.answer_file(question, 0).exists()

    def read_answers(self, question: Question) -> list[np.ndarray]:
        """Read the answers to all pictures of a question, in their order."""
        count = len(question.sources or question.real)
        return [read_rgb8(self.answer_file(question, number)) for number in range(count)]

    def result(self) -> dict[str, Any] | None:
        """Return the facts of the finished job; None before its end."""
        file = self.folder / "result.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None

    def finish(self, **facts: Any) -> None:
        """Write the facts of the job, which is complete with them."""
        write_json(self.folder / "result.json", facts)


class QualityRecipe(NamedTuple):
    """A recipe by name."""

    name: str  # of its row
    task: str
    preset: str
    layer: Mapping[str, Any] = {}  # of its file

    @property
    def kind(self) -> str:
        """`Task.data` of the task that it trains."""
        return TASKS[preset_task(self.task, self.preset)].data

    def config(self, data: Mapping[str, Any], seed: int, out: Path) -> Config:
        """Return the configuration of a run that is long enough for its trial; raise OptionError if it is wrong."""
        # compiling pays in long runs only
        train = {"seed": seed, "steps": TRIAL_STEPS, "device": "cpu", "compile": "off", "previews": 0, "evaluations": 0}
        config = load_config(self.task, self.preset, self.layer, {"data": dict(data), "train": train}, out=str(out))
        check_recipe(config)
        return config


def find_recipe(text: str) -> QualityRecipe:
    """Return the recipe of a name, TASK_PRESET, or of a TOML file that says only what differs from one.

    A file is named after what it differs from, TASK_PRESET_ANYTHING.toml; TASK_ANYTHING.toml differs from TASK_fast.

    Raises:
        OptionError: there is no such recipe.
    """
    file = Path(text).expanduser()
    is_file = file.suffix == ".toml"
    name = file.stem if is_file else text
    known = recipes().loaded()
    base = (longest(name, known) or f"{longest(name, TASKS.loaded())}_fast") if is_file else name
    task = longest(base, TASKS.loaded())
    if is_file and not file.is_file():
        raise OptionError(f"--recipes {text}: no such file")
    if is_file and not task:
        raise OptionError(f"--recipes {text}: begin its name with that of its task, as in cycle_mine.toml")
    if base not in known:
        raise OptionError(f"--recipes {text}: no such recipe{did_you_mean(base, known)}; or a .toml file")
    return QualityRecipe(name, task, base.removeprefix(f"{task}_"), read_toml(file) if is_file else {})


def longest(name: str, known: Iterable[str]) -> str:
    """Return the longest of `known` that `name` continues with an underscore, or ""."""
    return max((prefix for prefix in known if name.startswith(f"{prefix}_")), key=len, default="")
