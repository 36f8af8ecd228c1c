"""Find a command, call it with its options, and turn errors into one line and an exit status.

Nothing heavy is imported before a command runs, so that --help prints at once.
"""

__all__ = ["COMMANDS", "main"]

import io
import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from translate.cli.commands.bench import Bench, bench
from translate.cli.commands.check_data import CheckData, check_data
from translate.cli.commands.evaluate import Evaluate, evaluate
from translate.cli.commands.import_checkpoint import ImportCheckpoint, import_checkpoint
from translate.cli.commands.make_sketches import MakeSketches, make_sketches
from translate.cli.commands.options import flag_name
from translate.cli.commands.prepare_dataset import PrepareDataset, prepare_dataset
from translate.cli.commands.sample import sample
from translate.cli.commands.sample_options import Sample
from translate.cli.commands.train import train_task
from translate.cli.commands.train_cycle import TrainCycle
from translate.cli.commands.train_gan import TrainGan
from translate.cli.commands.train_inpaint import TrainInpaint
from translate.cli.commands.train_pix2pix import TrainPix2pix
from translate.cli.commands.translate_folder import TranslateFolder, translate_folder
from translate.cli.legacy_options import refuse_legacy_options
from translate.cli.parsing import complete_words, parse_options, read_config
from translate.utils.errors import OptionError, UserError, did_you_mean
from translate.utils.signals import EXIT_STOPPED, Stopped
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
        sys.stdout.reconfigure(errors="backslashreplace")  # the terminal's encoding may lack letters of file names
    try:
        # find the command and run it
        if not command:
            command = words.pop(0) if words else "--help"
            if command in ("-h", "--help"):
                print("usage: translate COMMAND [OPTIONS]\n\ncommands: " + ", ".join(COMMANDS))
                sys.exit(0)
            if command not in COMMANDS:
                raise OptionError(f"unknown command {command!r}{did_you_mean(command, COMMANDS)}")
        sys.exit(run_command(command, words))
    # turn errors into one line and a status
    except UserError as error:
        sys.exit(print_error(error))
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


def print_error(error: UserError) -> int:
    """Print `error`, unless the main process of a distributed run prints it for all; return the exit status."""
    is_stop, on_all_ranks = isinstance(error, Stopped), isinstance(error, OptionError | Stopped)
    if not (on_all_ranks and is_secondary_process()):
        print(f"{'' if is_stop else 'error: '}{error}", file=sys.stderr)
    return EXIT_STOPPED if is_stop else 2 if on_all_ranks else 1


def is_secondary_process() -> bool:
    """Whether torchrun started this process with a rank above 0; `utils.dist` would import torch to find out."""
    return os.environ.get("WORLD_SIZE", "1") != "1" and os.environ.get("RANK", "0") != "0"


def run_command(command: str, words: list[str]) -> int:
    """Parse `words` for `command` and call it."""
    options_class, function = COMMANDS[command]
    names = [f.name for f in fields(options_class)]
    refuse_legacy_options(words, names)
    words = complete_words(words, getattr(options_class, "implied_values", {}))
    defaults, sections = read_config(options_class, words)
    options, unknown = parse_options(options_class, command, words, defaults)
    set_trust(getattr(options, "max_pixels", 0), follow_links=getattr(options, "follow_links", False))
    if function is train_task:
        return function(options, sections, unknown)
    if unknown or sections:
        word = (unknown or list(sections))[0]
        raise OptionError(f"unknown option {word}{did_you_mean(word, map(flag_name, names))}")
    return function(options)


def set_trust(max_pixels: int, *, follow_links: bool) -> None:
    """Set the global limits of trust in files; `max_pixels` 0 is the default limit.

    Raises:
        OptionError: a negative number of pixels.
    """
    if max_pixels < 0:
        raise OptionError(f"--max-pixels should be at least 1, got {max_pixels}")
    TRUST.max_pixels, TRUST.follow_links = max_pixels or MAX_PIXELS, follow_links
