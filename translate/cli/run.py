"""The command line: find the command, parse its options, call it, turn errors into one line and a status.

Nothing heavy is imported before a command runs, so that --help answers at once.
"""

__all__ = ["main"]

import contextlib
import io
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import tyro

from translate.cli.commands.bench import Bench, bench
from translate.cli.commands.check_data import CheckData, check_data
from translate.cli.commands.evaluate import Evaluate, evaluate
from translate.cli.commands.import_checkpoint import ImportCheckpoint, import_checkpoint
from translate.cli.commands.make_sketches import MakeSketches, make_sketches
from translate.cli.commands.prepare_dataset import PrepareDataset, prepare_dataset
from translate.cli.commands.sample import Sample, sample
from translate.cli.commands.train import SECTIONS, train_task
from translate.cli.commands.train_cycle import TrainCycle
from translate.cli.commands.train_gan import TrainGan
from translate.cli.commands.train_inpaint import TrainInpaint
from translate.cli.commands.train_pix2pix import TrainPix2pix
from translate.cli.commands.translate_folder import TranslateFolder, translate_folder
from translate.cli.legacy_options import check_words
from translate.utils.errors import OptionError, UserError, did_you_mean
from translate.utils.signals import STOPPED, Stopped
from translate.utils.terminal import say
from translate.utils.trust import MAX_PIXELS, TRUST

COMMANDS: dict[str, tuple[type, Any]] = {
    "train-cycle": (TrainCycle, train_task),
    "train-pix2pix": (TrainPix2pix, train_task),
    "train-gan": (TrainGan, train_task),
    "train-inpaint": (TrainInpaint, train_task),
    "translate-folder": (TranslateFolder, translate_folder),
    "sample": (Sample, sample),
    "evaluate": (Evaluate, evaluate),
    "bench": (Bench, bench),
    "check-data": (CheckData, check_data),
    "import-checkpoint": (ImportCheckpoint, import_checkpoint),
    "prepare-dataset": (PrepareDataset, prepare_dataset),
    "make-sketches": (MakeSketches, make_sketches),
}


def main(command: str = "", arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 something failed, 2 wrong options, 75 saved and stopped on a signal."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name may have letters that the terminal has not
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
        sys.exit(told(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        say(f"error: {error.filename or 'the system'}: {error.strerror or error}", sys.stderr)
        sys.exit(1)
    except (MemoryError, RuntimeError) as error:
        if "memory" not in f"{type(error).__name__} {error}".lower():
            raise
        print("error: out of memory; lower --size, --data.crop or --batch-size", file=sys.stderr)
        sys.exit(1)


def one_of_several() -> bool:
    """Whether this is a process of torchrun's, and not the first of them."""
    return os.environ.get("WORLD_SIZE", "1") != "1" and os.environ.get("RANK", "0") != "0"


def told(error: UserError) -> int:
    """Print `error`, unless all processes raise it and another one prints it; return the exit status."""
    stopped, shared = isinstance(error, Stopped), isinstance(error, OptionError | Stopped)
    if not (shared and one_of_several()):
        print(f"{'' if stopped else 'error: '}{error}", file=sys.stderr)
    return STOPPED if stopped else 2 if shared else 1


def run(command: str, words: list[str]) -> int:
    """Parse `words` for `command` and call it."""
    options_class, function = COMMANDS[command]
    check_words(words, [f.name for f in fields(options_class)])
    words = joined(filled(words, getattr(options_class, "bare", {})))
    defaults, sections = from_file(options_class, words)
    options, unknown = parse(options_class, command, words, defaults)
    set_trust(getattr(options, "max_pixels", 0), follow_links=getattr(options, "follow_links", False))
    if function is train_task:
        return function(options, sections, unknown)
    if unknown or sections:
        word = (unknown or list(sections))[0]
        names = [f"--{f.name.replace('_', '-')}" for f in fields(options_class)]
        raise OptionError(f"unknown option {word}{did_you_mean(word, names)}")
    return function(options)


def set_trust(max_pixels: int, *, follow_links: bool) -> None:
    """Trust files as far as the options say; 0 pixels: as far as usual.

    Raises:
        OptionError: a negative number of pixels.
    """
    if max_pixels < 0:
        raise OptionError(f"--max-pixels should be at least 1, got {max_pixels}")
    TRUST.max_pixels, TRUST.follow_links = max_pixels or MAX_PIXELS, follow_links


def filled(words: Sequence[str], bare: Mapping[str, str]) -> list[str]:
    """Put its meaning after each option of `bare` that stands without a value."""
    found: list[str] = []
    for word, following in zip_longest(words, words[1:], fillvalue="--"):
        found.append(word)
        if word.removeprefix("--") in bare and following.startswith("--"):
            found.append(bare[word.removeprefix("--")])
    return found


def joined(words: Sequence[str]) -> list[str]:
    """Tie a range such as -1000,3000 to its option: by itself it looks like one."""
    found: list[str] = []
    for word in words:
        if found and found[-1] in ("--value-range", "--data.value_range"):
            found[-1] += f"={word}"
        else:
            found.append(word)
    return found


def from_file(options_class: type, words: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read --config, if `words` has one: return the command's options in it, and the sections of a recipe."""
    path = config_word(words)
    if not path:
        return {}, {}
    from translate.utils.factory import check_type
    from translate.utils.toml_files import read_toml

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
