"""Safe loading of model and state files from strangers.

No pickle is loaded: `torch.load(weights_only=True)` makes only tensors and plain containers, safetensors only tensors.
The remaining risk is size: a file of a few kilobytes could unpack to terabytes. Such files are refused.
"""

__all__ = ["load_tensors", "refuse_expanded", "refuse_packed"]

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from translate.utils.errors import short_reason


def load_tensors(path: Path, device: torch.device | str = "cpu") -> Any:
    """Load the tensors and plain containers that `torch.save` wrote.

    Raises:
        pickle.UnpicklingError: the file holds other objects, which could run code; no code was run.
        OSError: the file cannot be read.
        ValueError: the file is damaged, or would unpack to more than its size.
    """
    try:
        refuse_packed(path)
        return torch.load(path, map_location=device, weights_only=True)
    except (pickle.UnpicklingError, OSError):
        raise
    except Exception as error:  # damaged files make torch raise nearly everything
        raise ValueError(short_reason(error)) from error


def refuse_packed(path: Path) -> None:
    """Raise ValueError if a file is a zip archive with compressed parts; `torch.save` never compresses."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
            raise ValueError("its parts are compressed, as torch never writes them")


def refuse_expanded(tensors: Mapping[str, Tensor]) -> None:
    """Raise ValueError if a tensor is larger than its storage in the file, because it repeats elements."""
    for name, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.untyped_storage().nbytes() < tensor.nbytes:
            raise ValueError(f"{name} is no plain tensor")
