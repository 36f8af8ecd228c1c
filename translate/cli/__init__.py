"""The command line: arguments in, an exit status out.

Nothing heavier than `tyro` is imported before a command runs.

    commands/         the commands, one file each
    foreign_options   options of other programs, and the whole command translated
    interrupts        Ctrl-C before a command works
    output_files      check what a command is to write
    parsing           parse the command line and the --config file
    recipe_help       --help-all: every key of a recipe, its meaning and its value
    recipe_options    recipe keys as options of the training commands
    repeat            training one recipe with several seeds
    run               find and call a command; turn errors into one line and an exit status
    run_commands      the commands of a run in words, for its report
    values            texts of the command line as values of an option's type
"""

__all__ = ["main"]

from translate.cli.interrupts import exit_on_early_interrupt, exit_on_late_interrupt, leave


def main(command: str = "") -> None:
    """Run a command of the command line, by default the first word, and exit; see `run.main`."""
    exit_on_early_interrupt()
    try:
        from translate.cli.run import main as run

        run(command)
    except KeyboardInterrupt:  # between two imports
        leave()
    finally:
        exit_on_late_interrupt()
