"""The commands: one dataclass of options and one function each. Parse, call, print; no logic.

Nothing heavy is imported before a command runs, so that --help answers at once.
"""

__all__ = ["main"]

import contextlib
import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import arg

from translate.errors import OptionError, UserError, did_you_mean
from translate.signals import STOPPED, Stopped

PRESETS = "(default: the preset's)"
Length = Annotated[float, arg(metavar="N", help_behavior_hint=PRESETS)]
Words = Annotated[str, arg(metavar="X", help_behavior_hint="")]
PathWord = Annotated[str, arg(metavar="PATH", help_behavior_hint="")]
Direction = Literal["ab", "ba"]


@dataclass(frozen=True, kw_only=True)
class TrainCycle:
    """Learn to turn the pictures of one folder into the look of another, and back (CycleGAN).

    Repeat a command to go on with an interrupted run, exactly. Every key of a recipe is an option too, for example
    --lambda-identity 0, --train.lr 1e-4, --generator.width 64: see configs/cycle_fast.toml.

    Attributes:
        a: First domain: a folder, a quoted pattern, a text file of paths, or a name of the catalog.
        b: Second domain, likewise.
        data: In place of both: a folder with trainA and trainB, or a data set of the catalog.
        out: Run folder (default: runs/A2B, after the domains).
        size: Resolution to train at, px; "auto": 256, or less where the pictures are smaller.
        steps: Length of the run in updates; give one of --steps, --epochs, --minutes.
        epochs: Length in passes over the larger domain.
        minutes: Length in minutes: the step is timed first, then the number of steps is fixed.
        batch_size: Pictures of each domain in a step.
        preset: "fast": what looks best within minutes or hours; "paper": the published recipe to the letter.
        seed: Of everything random.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto" times the real step and takes the faster of those that are sound here.
        init: Start from the weights of this model file or run.
        config: TOML file with any of these options and any sections of a recipe; flags win over it.
    """

    a: Words = ""
    b: Words = ""
    data: Words = ""
    out: PathWord = ""
    size: Annotated[int | Literal["auto"], arg(metavar="N|auto")] = "auto"
    steps: Annotated[int, arg(metavar="N", help_behavior_hint=PRESETS)] = 0
    epochs: Length = 0.0
    minutes: Length = 0.0
    batch_size: Annotated[int, arg(metavar="N", help_behavior_hint=PRESETS)] = 0
    preset: Literal["fast", "paper"] = "fast"
    seed: int = 0
    device: str = "auto"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    init: PathWord = ""
    config: PathWord = ""


RECIPE_KEYS = {
    "a": "data.a", "b": "data.b", "data": "data.root", "size": "data.size", "batch_size": "data.batch_size",
    "steps": "train.steps", "epochs": "train.epochs", "minutes": "train.minutes", "seed": "train.seed",
    "device": "train.device", "precision": "train.precision", "init": "train.init",
}  # fmt: skip
SECTIONS = ("method", "generator", "discriminator", "data", "train")


def train_cycle(options: TrainCycle, sections: Mapping[str, Any], unknown: Sequence[str]) -> int:
    """Train a CycleGAN."""
    from translate.config import load_config
    from translate.recipes import recipe_layer
    from translate.train import train

    flags = recipe_layer(unknown, "cycle", [f.name for f in fields(options)])
    config = load_config("cycle", options.preset, sections, recipe_of(options), flags)
    out = train(config)
    print(f"{out}/model.safetensors is ready; pictures in {out}/samples. Next:")
    print(f"  python tools/translate_folder.py --model {out} --input FOLDER --output FOLDER")
    print(f"  python tools/evaluate.py --model {out}")
    return 0


def recipe_of(options: TrainCycle) -> dict[str, Any]:
    """Return the configuration layer that a command's own options make up: those that were given."""
    layer: dict[str, Any] = {"out": options.out}
    for f in fields(options):
        value = getattr(options, f.name)
        if f.name in RECIPE_KEYS and value != f.default:
            section, key = RECIPE_KEYS[f.name].split(".")
            layer.setdefault(section, {})[key] = value
    return layer


@dataclass(frozen=True, kw_only=True)
class TranslateFolder:
    """Translate every picture of a folder: same names, sub-folders and sizes; what is done already is skipped.

    Attributes:
        model: Run folder or model.safetensors.
        input: Folder (with sub-folders), one picture, a quoted pattern, or a text file of paths.
        output: Folder for the results.
        direction: "ab": from the first domain to the second; "ba": back.
        overwrite: Translate again what is there already.
        quality: Of JPEG and WebP files, 1 to 100.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto", "bf16" or "fp32".
        config: TOML file with any of these options; flags win over it.
    """

    model: PathWord
    input: PathWord
    output: PathWord
    direction: Direction = "ab"
    overwrite: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    quality: int = 95
    device: str = "auto"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    config: PathWord = ""


def translate_folder(options: TranslateFolder) -> int:
    """Translate a folder; exit status 1 if a file failed."""
    from translate.folder import translate_folder
    from translate.translator import Translator

    translator = Translator.load(options.model, options.device, options.precision)
    report = translate_folder(
        translator, options.input, options.output,
        direction=options.direction, overwrite=options.overwrite, quality=options.quality,
    )  # fmt: skip
    for line in report.notes:
        print(line)
    for path, reason in report.failed:
        print(f"failed: {path}: {reason}", file=sys.stderr)
    print(report.summary())
    return 1 if report.failed else 0


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Score a model on held-out pictures, beside the untouched input and a plain transfer of colours.

    Attributes:
        model: Run folder or model.safetensors.
        a: First domain (default: what the run was trained on).
        b: Second domain.
        data: In place of both: a folder with testA and testB, or a data set of the catalog.
        limit: At most so many pictures of each domain; 0 = all.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto", "bf16" or "fp32".
        json: Write the table to this file as well.
        grid: Write a picture to this file: test pictures, their translations, and the truth where it is known.
        config: TOML file with any of these options; flags win over it.
    """

    model: PathWord
    a: Words = ""
    b: Words = ""
    data: Words = ""
    limit: int = 0
    device: str = "auto"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    json: PathWord = ""
    grid: PathWord = ""
    config: PathWord = ""


def evaluate(options: Evaluate) -> int:
    """Print the table of scores."""
    from rich.console import Console

    from translate.evaluate import contact_sheet, evaluate, trained_on
    from translate.images import Picture, atomic_write, write_picture
    from translate.translator import Translator

    translator = Translator.load(options.model, options.device, options.precision)
    a, b = trained_on(options.model, options.a, options.b, options.data)
    scores = evaluate(translator, a, b, limit=options.limit or None)
    Console().print(scores.table())
    if options.json:
        with atomic_write(options.json) as temporary:
            temporary.write_text(json.dumps(scores.to_dict(), indent=2) + "\n", encoding="utf-8")
    if options.grid:
        write_picture(options.grid, Picture(contact_sheet(translator, a, b)), quality=88)
    return 0


@dataclass(frozen=True, kw_only=True)
class PrepareDataset:
    """Render or download a data set of the catalog; without a name, list the catalog.

    Attributes:
        name: Name of the data set.
        root: Folder that data sets are put in.
    """

    name: Annotated[str, tyro.conf.Positional] = ""
    root: str = "data"


def prepare_dataset(options: PrepareDataset) -> int:
    """Prepare one data set, or print the catalog."""
    from rich.console import Console

    from translate.data.catalog import describe, load_catalog, prepare

    if options.name:
        path = prepare(options.name, Path(options.root))
        dataset = load_catalog()[options.name]
        print(f"{path}: {dataset.title}\nlicence: {dataset.licence}\nplease cite: {dataset.citation}")
    else:
        Console().print(describe(Path(options.root)))
    return 0


COMMANDS: dict[str, tuple[type, Any]] = {
    "train-cycle": (TrainCycle, train_cycle),
    "translate-folder": (TranslateFolder, translate_folder),
    "evaluate": (Evaluate, evaluate),
    "prepare-dataset": (PrepareDataset, prepare_dataset),
}


def main(command: str = "", arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 something failed, 2 wrong options, 75 saved and stopped on a signal."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if not command:
            command = words.pop(0) if words else "--help"
            if command in ("-h", "--help"):
                print("usage: translate COMMAND [OPTIONS]\n\ncommands: " + ", ".join(COMMANDS))
                sys.exit(0)
            if command not in COMMANDS:
                raise OptionError(f"unknown command {command!r}{did_you_mean(command, COMMANDS)}")
        sys.exit(run(command, words))
    except UserError as error:
        status = status_of(error)
        print(f"{'' if status == STOPPED else 'error: '}{error}", file=sys.stderr)
        sys.exit(status)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        print(f"error: {error.filename or 'the system'}: {error.strerror or error}", file=sys.stderr)
        sys.exit(1)
    except (MemoryError, RuntimeError) as error:
        if "memory" not in f"{type(error).__name__} {error}".lower():
            raise
        print("error: out of memory; lower --size, --data.crop or --batch-size", file=sys.stderr)
        sys.exit(1)


def status_of(error: UserError) -> int:
    """Return the exit status that `error` stands for."""
    if isinstance(error, Stopped):
        return STOPPED
    return 2 if isinstance(error, OptionError) else 1


def run(command: str, words: list[str]) -> int:
    """Parse `words` for `command` and call it."""
    options_class, function = COMMANDS[command]
    defaults, sections = from_file(options_class, words)
    options, unknown = parse(options_class, command, words, defaults)
    if options_class is TrainCycle:
        return function(options, sections, unknown)
    if unknown or sections:
        word = (unknown or list(sections))[0]
        names = [f"--{f.name.replace('_', '-')}" for f in fields(options_class)]
        raise OptionError(f"unknown option {word}{did_you_mean(word, names)}")
    return function(options)


def from_file(options_class: type, words: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read --config, if `words` has one: return the command's options in it, and the sections of a recipe."""
    path = config_word(words)
    if not path:
        return {}, {}
    from translate.build import check_type
    from translate.config import read_toml

    known = {f.name: f for f in fields(options_class)}
    values, sections = {}, {}
    for name, value in read_toml(Path(path)).items():
        if isinstance(value, Mapping) and name in SECTIONS:
            sections[name] = value
        elif name not in known:
            raise OptionError(f"{path}: unknown option {name}{did_you_mean(name, [*known, *SECTIONS])}")
        else:
            if isinstance(known[name].default, bool | int | float | str) and name != "size":
                check_type(f"{path}: {name}", value, type(known[name].default))
            values[name] = value
    return values, sections


def config_word(words: Sequence[str]) -> str:
    """Return the file that --config names, or ""."""
    for i, word in enumerate(words):
        if word.startswith("--config="):
            return word.partition("=")[2]
        if word == "--config" and i + 1 < len(words):
            return words[i + 1]
    return ""


def parse(
    options_class: type, command: str, words: Sequence[str], defaults: Mapping[str, Any]
) -> tuple[Any, list[str]]:
    """Parse `words` over `defaults`; return the options, and the words that are none of them.

    Raises:
        OptionError: A value is missing or of the wrong kind.
    """
    start = options_class(**{f.name: tyro.MISSING for f in fields(options_class)} | plain_defaults(options_class))
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(
                options_class, prog=f"translate {command}", args=words,
                default=replace(start, **defaults), return_unknown_args=True,
            )  # fmt: skip
    except SystemExit as error:
        if error.code in (0, None):
            raise
        raise OptionError(first_sentence(complaint.getvalue(), command)) from None


def plain_defaults(options_class: type) -> dict[str, Any]:
    """Return the defaults that a command's options class declares."""
    return {f.name: f.default for f in fields(options_class) if f.default is not MISSING}


def first_sentence(box: str, command: str) -> str:
    """Reduce the framed complaint of the argument parser to one line."""
    lines = [line.strip(" │") for line in box.splitlines()[1:]]
    end = next((i for i, line in enumerate(lines) if not line or set(line) <= set("─╰╯")), len(lines))
    return f"{' '.join(lines[:end])} (see translate {command} --help)"
