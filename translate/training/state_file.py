"""The file of one training state: tensors in plain containers, which cannot execute code."""

__all__ = ["check_state", "load_state", "write_state"]

import errno
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from translate.utils.errors import UserError, short_reason
from translate.utils.safe_load import load_tensors, refuse_packed


def write_state(path: Path, step: int, parts: Mapping[str, Any]) -> None:
    """Write and flush the state of `parts`, which have a `state_dict`, after `step` steps.

    Raises:
        OSError: The disk is full, or broken.
    """
    state = {"step": step} | {name: part.state_dict() for name, part in parts.items()}
    with path.open("wb") as file:
        try:
            torch.save(state, file)
        except RuntimeError as error:  # torch hides the file's error, and Ctrl-C, behind its own
            raise error.__context__ or error from None
        file.flush()
        os.fsync(file.fileno())


def check_state(path: Path) -> None:
    """Verify the checksums in a state file, which is a zip archive.

    Raises:
        OSError: The file is cut short or damaged.
    """
    try:
        refuse_packed(path)
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, RuntimeError, struct.error, zlib.error) as e:
        raise OSError(errno.EIO, f"it is cut short or damaged: {e}") from None
    if damaged is not None:
        raise OSError(errno.EIO, f"it is damaged: {damaged} is not as it was written")


def load_state(path: Path, parts: Mapping[str, Any], device: torch.device) -> int:
    """Load the state in `path` into `parts` and return its step.

    Modules and optimizers have to be in the file; other parts may be missing from files of earlier versions.

    Raises:
        UserError: The file is damaged, or of other networks.
    """
    try:
        check_state(path)
        state = load_tensors(path, device)
        for name, part in parts.items():
            if name in state or isinstance(part, nn.Module | Optimizer):
                part.load_state_dict(state[name])
        return int(state["step"])
    except Exception as error:  # a foreign state makes modules and optimizers raise nearly everything
        raise UserError(f"{path}: is not a state of this run ({short_reason(error)})") from None
