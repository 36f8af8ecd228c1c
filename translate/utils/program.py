"""How this program was called: hints and next commands are written as the caller would type them."""

__all__ = ["command_form", "is_secondary_process"]

import os
import sys
from pathlib import Path
from shlex import quote

import translate

_CHECKOUT = Path(translate.__file__).parents[1]  # or the folder of installed packages


def command_form(command: str) -> str:
    """Return how to call `command`, such as train-cycle, in the way in which this process was called.

    From a script of a checkout: "python tools/train_cycle.py"; from `python -m translate`: "python -m translate
    train-cycle"; from the installed command: "translate train-cycle". From anything else, such as a notebook: the
    script if there is one, else the command.
    """
    program = Path(sys.argv[0] if sys.argv else "")
    script = Path("tools", f"{command.replace('-', '_')}.py")
    if program.suffix == ".py" and (program.parent / script.name).is_file() and program.parent.name == "tools":
        return f"python {quote(str(program.parent / script.name))}"
    if program.name == "__main__.py" and program.parent.name == "translate":
        return f"python -m translate {command}"
    if program.stem != "translate" and (_CHECKOUT / script).is_file():
        return f"python {script}"
    return f"translate {command}"


def is_secondary_process() -> bool:
    """Whether torchrun started this process with a rank above 0; `utils.dist` would import torch to find out."""
    return os.environ.get("WORLD_SIZE", "1") != "1" and os.environ.get("RANK", "0") != "0"
