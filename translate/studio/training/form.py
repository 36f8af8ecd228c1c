"""The form of the Train page: what can be chosen, and the configuration of what was chosen."""

__all__ = ["build_config", "check_arguments", "check_place", "describe_form"]

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from translate.data.catalog.catalog import load_catalog, owner_of_domain
from translate.data.files.naming import is_bare_name
from translate.tasks import TASKS
from translate.training.command_line import COMMANDS, RECIPE_KEYS
from translate.training.config import Config, load_config
from translate.training.setup import check_recipe
from translate.utils.errors import OptionError, did_you_mean, shorten
from translate.utils.plugins import presets, read_recipe

TITLES = {  # of the built-in tasks, as a user would ask for them
    "cycle": "Turn one look into another, and back",
    "cut": "Turn one look into another, in one direction",
    "drift": "Give pictures another look, at a strength chosen later",
    "pix2pix": "Learn from pairs, such as sketches and photos",
    "generate": "Make new pictures like these",
    "inpaint": "Fill holes in pictures",
    "stargan": "Give pictures attributes, or take them away",
    "upscale": "Enlarge pictures",
}
INPUTS = {  # by kind of data: the options that name it, each a list of alternatives
    "unpaired": (("a", "b"), ("data",)),
    "paired": (("data",), ("a", "b")),
    "images": (("images",),),
    "labelled": (("images",),),
    "masked": (("images",),),
    "reduced": (("images",),),
}
CATALOG_KINDS = {"unpaired": ("unpaired",), "paired": ("paired",), "images": ("images", "labelled")}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
_PLACES = ("data.a", "data.b", "data.root", "data.images", "data.masks", "data.classes", "data.class_names")
_MAX_FURTHER_CHARS = 10_000


def describe_form() -> dict[str, Any]:
    """Return the tasks with their inputs and presets, and the data sets of the catalog, as plain data."""
    # variants are presets of other tasks; students have a command of their own
    tasks = [task for task in TASKS if presets(task) and not TASKS[task].taught]
    return {
        "tasks": [
            {
                "name": task, "title": TITLES.get(task, task), "kind": TASKS[task].data,
                "inputs": INPUTS[TASKS[task].data], "own_command": task in COMMANDS,
                "presets": [_describe_preset(*one) for one in presets(task).items()],
            }
            for task in tasks
        ],
        "catalog": [
            {
                "name": dataset.name, "title": dataset.title, "kind": dataset.kind, "domains": list(dataset.domains),
                "drawn_here": dataset.render is not None, "by_hand": dataset.manual is not None,
            }
            for dataset in load_catalog().values()
        ],
    }  # fmt: skip


def _describe_preset(name: str, file: Path) -> dict[str, Any]:
    """Return the name of a preset and what it sets of length and size."""
    recipe = read_recipe(file)
    train, data = recipe.get("train", {}), recipe.get("data", {})
    lengths = {key: train[key] for key in ("steps", "epochs", "minutes") if train.get(key)}
    return {"name": name, **lengths, "size": data.get("size", 0), "batch_size": data.get("batch_size", 1)}


def build_config(form: Mapping[str, Any], root: Path, allowed: Iterable[Path]) -> Config:
    """Build the checked configuration of a filled-in form; its run folder is `root` / name.

    Args:
        form: task, preset, name, options (flags of the commands, or dotted recipe keys) and `further`, lines of TOML.
        root: folder of all runs.
        allowed: folders in which the data, or any other file that an option names, may lie.

    Raises:
        OptionError: an option is missing, unknown, ill-typed or out of range, or names a place that is not allowed.
    """
    name, task, preset = (str(form.get(key) or "") for key in ("name", "task", "preset"))
    if not _NAME.fullmatch(name):
        raise OptionError(f"the name {shorten(name)!r} is no name of a run; use letters, digits, _ . and -")
    options = _options_layer(form)
    init = options.get("train", {}).get("init")
    if isinstance(init, str) and _NAME.fullmatch(init) and (root / init).is_dir():  # a run, by its name
        options["train"]["init"] = str(root / init)
    config = load_config(task, preset or "fast", _further_layer(form), options, {"out": str(root / name)})
    check_recipe(config)
    _check_inputs(config, task)
    _check_files(config, tuple(allowed))
    return config


def _options_layer(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration layer of the options that are filled in."""
    options = form.get("options") or {}
    if not isinstance(options, Mapping):
        raise OptionError("options should be a table of names and values")
    layer: dict[str, Any] = {}
    for option, value in options.items():
        if value is None or value == "":
            continue
        section, dot, key = RECIPE_KEYS.get(str(option), str(option)).partition(".")
        if not dot:
            raise OptionError(f"unknown option {shorten(section)}{did_you_mean(section, RECIPE_KEYS)}")
        layer.setdefault(section, {})[key] = 0 if (option, value) == ("size", "auto") else value
    return layer


def _further_layer(form: Mapping[str, Any]) -> dict[str, Any]:
    """Parse further recipe keys, lines such as `generator.width = 48`."""
    text = str(form.get("further") or "")[:_MAX_FURTHER_CHARS]
    try:
        layer = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise OptionError(f"further options: {error}; write lines such as generator.width = 48") from None
    if wrong := [key for key, value in layer.items() if not isinstance(value, Mapping)]:
        raise OptionError(f"further options: {shorten(wrong[0])!r} is in no section; write train.{shorten(wrong[0])}")
    return layer


def _check_inputs(config: Config, task: str) -> None:
    """Raise OptionError unless the data of the task is named, in one of its ways."""
    values = {"a": config.data.a, "b": config.data.b, "data": config.data.root, "images": config.data.images}
    ways = INPUTS[TASKS[task].data]
    given = {name for name, value in values.items() if value}
    if not any(given == set(way) for way in ways):
        choices = ", or ".join(" and ".join(f"--{name}" for name in way) for way in ways)
        raise OptionError(f"choose what to learn from: {choices}")


def _check_files(config: Config, allowed: tuple[Path, ...]) -> None:
    """Raise OptionError if the data lies nowhere, or if an option names a file outside the allowed folders."""
    for section, table in asdict(config).items():
        for key, value in table.items() if isinstance(table, Mapping) else ():
            if not isinstance(value, str) or not value or (section, key, value) == ("data", "classes", "auto"):
                continue
            if f"{section}.{key}" in _PLACES:
                check_place(value, allowed)
            elif "/" in value or "\\" in value or value.startswith(("~", ".")):
                _resolve_below(value, allowed)


def check_place(spec: str, allowed: Iterable[Path]) -> None:
    """Raise OptionError unless `spec` is a name of the catalog, or a folder or file below one of `allowed`."""
    if is_bare_name(spec) and not _exists(Path(spec)):
        catalog = load_catalog()
        if spec in catalog or owner_of_domain(spec):
            return
        names = [*catalog, *(domain for dataset in catalog.values() for domain in dataset.domains)]
        raise OptionError(f"no folder or data set {shorten(spec)!r}{did_you_mean(spec, names)}")
    if not _exists(_resolve_below(spec, allowed)):
        raise OptionError(f"{shorten(spec)}: no such folder; choose one, or a data set of the catalog")


def _exists(path: Path) -> bool:
    """Whether a path exists; one that no file can have does not."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _resolve_below(spec: str, allowed: Iterable[Path]) -> Path:
    """Return the real path of `spec`; raise OptionError if it lies outside the allowed folders."""
    allowed = [folder.resolve() for folder in allowed]
    try:
        path = Path(spec).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        raise OptionError(f"{shorten(spec)}: is no path") from None
    if not any(path.is_relative_to(folder) for folder in allowed):
        places = " or ".join(map(str, allowed)) or "nowhere"
        raise OptionError(f"{shorten(spec)}: lies outside the folders that the studio may read, {places}")
    return path


def check_arguments(form: Mapping[str, Any], allowed: Iterable[Path]) -> list[str]:
    """Return the arguments of check-data for the data of a form.

    Raises:
        OptionError: the data is not named, or lies in a place that is not allowed.
    """
    task = str(form.get("task") or "")
    options = _options_layer(form).get("data", {})
    names = {"a": "a", "b": "b", "root": "data", "images": "images"}
    given = {flag: str(options[key]) for key, flag in names.items() if options.get(key)}
    if not given:
        raise OptionError("choose what to learn from first")
    for value in given.values():
        check_place(value, allowed)
    words = [word for flag, value in given.items() for word in (f"--{flag}", value)]
    return words + (["--pairs"] if task in TASKS and TASKS[task].data == "paired" and "a" in given else [])
