"""The folder of all data sets of the catalog."""

__all__ = ["data_root", "set_data_root"]

import os
from pathlib import Path

_VARIABLE = "TRANSLATE_DATA"  # an environment variable, so that worker processes see the same folder


def data_root() -> Path:
    """Return the folder that TRANSLATE_DATA names, else "data"."""
    return Path(os.environ.get(_VARIABLE) or "data").expanduser()


def set_data_root(folder: str) -> None:
    """Let `folder` be the folder of all data sets, for this process and those that it starts."""
    os.environ[_VARIABLE] = folder
