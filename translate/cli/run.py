"""Find a command, call it with its options, and turn errors into one line and an exit status.

Nothing heavy is imported before a command runs, so that --help prints at once.
"""

__all__ = ["COMMANDS", "main"]

import io
import sys
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from shlex import join
from typing import Any

import translate
from translate.cli.commands.bench import Bench, bench
from translate.cli.commands.check_data import CheckData, check_data
from translate.cli.commands.compare import Compare, compare
from translate.cli.commands.evaluate import Evaluate, evaluate
from translate.cli.commands.make_sketches import MakeSketches, make_sketches
from translate.cli.commands.models.distill import Distill, distill
from translate.cli.commands.models.export import ExportModel, export_model
from translate.cli.commands.models.import_checkpoint import ImportCheckpoint, import_checkpoint
from translate.cli.commands.models.share import Share, share
from translate.cli.commands.models.train_stargan import TrainStargan
from translate.cli.commands.models.train_upscale import TrainUpscale
from translate.cli.commands.options import flag_name, given_options
from translate.cli.commands.prepare_dataset import PrepareDataset, prepare_dataset
from translate.cli.commands.report import Report, report
from translate.cli.commands.sample import sample
from translate.cli.commands.sample_options import Sample
from translate.cli.commands.studio import StudioOptions, studio
from translate.cli.commands.train import Train, train_task
from translate.cli.commands.train_cut import TrainCut
from translate.cli.commands.train_cycle import TrainCycle
from translate.cli.commands.train_drift import TrainDrift
from translate.cli.commands.train_gan import TrainGan
from translate.cli.commands.train_inpaint import TrainInpaint
from translate.cli.commands.train_pix2pix import TrainPix2pix
from translate.cli.commands.translate_folder import TranslateFolder, translate_folder
from translate.cli.foreign_options import refuse_foreign_options
from translate.cli.interrupts import EXIT_INTERRUPTED
from translate.cli.output_files import check_outputs
from translate.cli.parsing import OPTION_LIKENESS, parse_options, print_help, task_of
from translate.data.catalog.root import set_data_root
from translate.utils.errors import OptionError, UserError, close_match, shorten
from translate.utils.plugins import load_plugin
from translate.utils.program import command_form, is_secondary_process
from translate.utils.signals import EXIT_STOPPED, Stopped
from translate.utils.terminal import flush_output, say, set_output
from translate.utils.trust import MAX_PIXELS, TRUST

COMMANDS: dict[str, tuple[type, Any]] = {
    "train-cycle": (TrainCycle, train_task),
    "train-drift": (TrainDrift, train_task),
    "train-cut": (TrainCut, train_task),
    "train-pix2pix": (TrainPix2pix, train_task),
    "train-gan": (TrainGan, train_task),
    "train-inpaint": (TrainInpaint, train_task),
    "train-stargan": (TrainStargan, train_task),
    "train-upscale": (TrainUpscale, train_task),
    "train": (Train, train_task),
    "translate-folder": (TranslateFolder, translate_folder),
    "sample": (Sample, sample),
    "evaluate": (Evaluate, evaluate),
    "report": (Report, report),
    "compare": (Compare, compare),
    "bench": (Bench, bench),
    "check-data": (CheckData, check_data),
    "distill": (Distill, distill),
    "export": (ExportModel, export_model),
    "import-checkpoint": (ImportCheckpoint, import_checkpoint),
    "share": (Share, share),
    "prepare-dataset": (PrepareDataset, prepare_dataset),
    "make-sketches": (MakeSketches, make_sketches),
    "studio": (StudioOptions, studio),
}


def main(command: str = "", arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit.

    Exit status: 0 done, 1 something failed, 2 wrong options, 75 saved and stopped on a signal, 130 interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the terminal's encoding may lack letters of file names
    status = 1
    try:
        status = run_command(command, words) if command else find_command(words)
    # turn errors into one line and a status
    except UserError as error:
        status = print_error(error)
    except KeyboardInterrupt:
        say("interrupted", sys.stderr)
        status = EXIT_INTERRUPTED
    except OSError as error:
        status = print_error(UserError(f"{error.filename or 'the system'}: {error.strerror or error}"))
    except (MemoryError, RuntimeError) as error:
        if "memory" not in f"{type(error).__name__} {error}".lower():
            raise
        say("error: out of memory; lower --size, --data.crop or --batch-size", sys.stderr)
    finally:
        flush_output()
        set_output()
        TRUST.max_pixels, TRUST.follow_links = MAX_PIXELS, False  # the process may call more commands
    sys.exit(status)


def print_error(error: UserError) -> int:
    """Print `error`, unless the main process of a distributed run prints it for all; return the exit status."""
    is_stop, on_all_ranks = isinstance(error, Stopped), isinstance(error, OptionError | Stopped)
    if not (on_all_ranks and is_secondary_process()):
        say(f"{'' if is_stop else 'error: '}{error}", sys.stderr)
    return EXIT_STOPPED if is_stop else 2 if on_all_ranks else 1


def find_command(words: list[str]) -> int:
    """Run the command that the first word names, or list the commands."""
    name = words.pop(0) if words else "--help"
    if name in ("--version", "-V"):
        say(f"image-translate {translate.__version__}")
    elif name in ("--help", "-h", "help"):
        list_commands()
    elif (command := name.removesuffix(".py").replace("_", "-")) in COMMANDS:
        return run_command(command, words)
    else:
        hint = close_match(name, COMMANDS) or "; see translate --help"
        raise OptionError(f"unknown command {name!r}{hint}")
    return 0


def list_commands() -> None:
    """Print a line for each command."""
    width = max(map(len, COMMANDS)) + 3
    say("usage: translate COMMAND [OPTIONS]")
    say("")
    for command, (options_class, _) in COMMANDS.items():
        summary, _, _ = (options_class.__doc__ or "").partition("\n")
        say(f"  {command:{width}}{summary}")
    say("")
    say("translate COMMAND --help lists the options of a command; translate --version prints the version.")


def run_command(command: str, words: list[str]) -> int:
    """Parse `words` for `command` and call it."""
    options_class, function = COMMANDS[command]
    if show_instead(command, words):
        return 0
    # the options
    refuse_foreign_options(command, words, [f.name for f in fields(options_class)])
    options, sections, others = parse_options(options_class, command, words)
    if function is not train_task and (others or sections):
        refuse_unknown(command, (others or list(sections))[0])
    check_outputs(options)
    # what they set for the whole process
    log = "" if is_secondary_process() else options.log
    title = f"# {datetime.now():%Y-%m-%d %H:%M:%S} {command_form(command)} {join(words)}"
    set_output(quiet=options.quiet, log=log, title=title)
    set_trust(options)
    if root := getattr(options, "root", ""):
        set_data_root(root)
    for plugin in getattr(options, "plugin", ()):
        load_plugin(plugin)
    return function(options, sections, others) if function is train_task else function(options)


def show_instead(command: str, words: Sequence[str]) -> bool:
    """Print a help text or the version, if `words` ask for it, and return True."""
    options_class, _ = COMMANDS[command]
    if "--version" in words:
        say(f"image-translate {translate.__version__}")
    elif not {"--help", "--help-all", "-h"} & set(words):
        return False
    elif "--help-all" in words and command.startswith("train"):
        from translate.cli.recipe_help import print_recipe

        print_recipe(options_class, command, words)
    else:
        print_help(options_class, command, task_of(options_class, words))
    return True


def refuse_unknown(command: str, word: str) -> None:
    """Raise OptionError for an argument that `command` does not know."""
    help_hint = f"see {command_form(command)} --help"
    if not word.startswith("--"):
        is_dashed = word.startswith("-")
        hint = f"options begin with two dashes; {help_hint}" if is_dashed else "put quotes around a pattern"
        raise OptionError(f"unexpected argument {shorten(word)!r}; {hint}")
    name = word.partition("=")[0]
    hint = close_match(name, [flag_name(f.name) for f in fields(COMMANDS[command][0])], OPTION_LIKENESS)
    raise OptionError(f"unknown option {shorten(name)}{hint or f'; {help_hint}'}")


def set_trust(options: Any) -> None:
    """Set the global limits of trust in files.

    Raises:
        OptionError: fewer pixels than 1.
    """
    pixels = getattr(options, "max_pixels", 0)
    if "max_pixels" in given_options(options) and pixels < 1:
        raise OptionError(f"--max-pixels should be at least 1, got {pixels}")
    TRUST.max_pixels, TRUST.follow_links = pixels or MAX_PIXELS, getattr(options, "follow_links", False)
