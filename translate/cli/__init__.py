"""The command line: words in, an exit status out.

No more than `tyro` is imported before a command runs.

    commands/         the commands, one file each
    legacy_options    what options of pytorch-CycleGAN-and-pix2pix and CUT are called here
    parsing           command line and --config file to a command's options
    recipe_options    recipe keys as options of the training commands
    run               find a command, call it, turn errors into one line and an exit status
"""

__all__ = ["COMMANDS", "main"]

from translate.cli.run import COMMANDS, main
