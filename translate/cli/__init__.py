"""The command line: words in, an exit status out."""

__all__ = ["COMMANDS", "main"]

from translate.cli.run import COMMANDS, main
