"""The configuration of a student's run, from the options of the command: its data, its teacher and its generator."""

__all__ = ["Lesson", "plan_lesson"]

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from translate.checkpoints.model_file import model_file, read_recipe
from translate.checkpoints.recipe import Recipe
from translate.data.sources.run_data import run_data
from translate.export.students.search import find_student
from translate.inference.translator import Translator
from translate.tasks import TASKS
from translate.tasks.distill import DEEDS, KINDS, MAKES
from translate.training.config import Config, load_config
from translate.training.start.messages import print_note
from translate.utils import dist
from translate.utils.device import pick_device
from translate.utils.errors import OptionError, UserError
from translate.utils.toml_files import read_toml

PRESETS = {"unpaired": "fast", "paired": "pairs", "images": "images"}  # by kind of data
MIN_SPEEDUP, MAX_SPEEDUP = 1.5, 1000.0
KEPT_DATA = ("zoom", "square", "labels", "value_range", "direction", "hints")  # of the teacher's run


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What a student is to learn, as `tools/distill.py` is told; the names are those of its options."""

    model: str
    weights: str = "last"
    speedup: float = 8.0
    a: str = ""
    b: str = ""
    data: str = ""
    images: str = ""
    one_way: bool = False
    out: str = ""
    train: Mapping[str, Any]  # options of the section [train]

    def __post_init__(self) -> None:
        if not MIN_SPEEDUP <= self.speedup <= MAX_SPEEDUP:
            raise OptionError(f"--speedup should lie between {MIN_SPEEDUP} and {MAX_SPEEDUP:g}, got {self.speedup:g}")
        if self.images and (self.a or self.b or self.data):
            raise OptionError("--images are sources alone; leave out --a, --b and --data, or --images")

    @property
    def file(self) -> Path:
        """The model file of the teacher."""
        return model_file(self.model, self.weights)

    @property
    def folder(self) -> Path:
        """The folder of the student's run."""
        if self.out:
            return Path(self.out).expanduser()
        path = Path(self.model).expanduser()
        run = path if path.is_dir() else path.parent
        run = run if run.name else run.absolute()
        return run.with_name(f"{run.name}_student")


def plan_lesson(lesson: Lesson) -> Config:
    """Return the configuration of the student's run; its generator is searched by timing, unless the run exists.

    Raises:
        OptionError: An option is out of range, the speed-up is out of reach, or there are no data to learn from.
        UserError: The teacher is missing, does not translate, or is tiny itself.
    """
    recipe = read_recipe(lesson.file)
    if recipe.facts.get("maps"):
        raise UserError(f"{lesson.file}: takes or answers one-hot label maps, which no student learns yet")
    kind = TASKS[recipe.task].data
    if kind not in KINDS:
        raise UserError(f"{lesson.model}: {DEEDS.get(kind, MAKES)}; students are taught by models that translate")
    data = _choose_data(lesson, recipe, kind)
    preset = PRESETS["images" if data.get("images") else kind]
    method = {"teacher": str(lesson.file), "one_way": lesson.one_way, "speedup": float(lesson.speedup)}
    layer = {"method": method, "data": data, "train": dict(lesson.train)}
    config = load_config("distill", preset, layer, out=str(lesson.folder))
    dist.init(pick_device(config.train.device), config.data.batch_size)
    generator = dist.broadcast_from_main(lambda: _known_generator(lesson) or _search(lesson, recipe, config))
    return replace(config, generator=generator)


def _choose_data(lesson: Lesson, recipe: Recipe, kind: str) -> dict[str, Any]:
    """Return the section [data]: the pictures of the teacher's run, or those that are named, at the teacher's size."""
    of_run = run_data(lesson.model)
    named = {"a": lesson.a, "b": lesson.b, "root": lesson.data, "images": lesson.images}
    if not any(named.values()):
        named = {key: of_run.get(key, "") for key in named}
        if not any(named.values()):
            others = "--a X --b Y, --data X, or --images X"
            raise OptionError(f"{lesson.model} lies in no run folder; say what the student learns from: {others}")
    if named["images"]:
        return {"images": named["images"], "size": recipe.size}
    kept = {key: of_run[key] for key in KEPT_DATA if key in of_run}
    if kind == "paired":
        kept |= {"direction": recipe.directions[0], "hints": "hint" in recipe.channels}
    return {key: value for key, value in named.items() if value} | kept | {"size": recipe.size}


def _known_generator(lesson: Lesson) -> dict[str, Any]:
    """Return the generator of the run in the folder of the student, if there is one: it is not searched again."""
    file = lesson.folder / "config.toml"
    return dict(read_toml(file).get("generator", {})) if file.is_file() else {}


def _search(lesson: Lesson, recipe: Recipe, config: Config) -> dict[str, Any]:
    """Search the generator by timing, and print what was found."""
    translator = Translator.load(lesson.file, config.train.device, config.train.precision)
    G, _ = TASKS[recipe.task].generator_for(translator.nets, recipe.directions[0], None, None)
    found = find_student(G, config.data.size, lesson.speedup, translator.mode, translator.device)
    print_note(str(found), "student")
    return found.spec
