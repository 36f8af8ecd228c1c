"""The command line: arguments in, an exit status out.

Nothing heavier than `tyro` is imported before a command runs.

    commands/         the commands, one file each
    legacy_options    options of pytorch-CycleGAN-and-pix2pix and CUT, and their names here
    parsing           parse the command line and the --config file
    recipe_options    recipe keys as options of the training commands
    run               find and call a command; turn errors into one line and an exit status
"""

__all__ = ["COMMANDS", "main"]

from translate.cli.run import COMMANDS, main
