"""A model's calibration: what tells how unlike its training pictures an input is, stored in the model file.

Two descriptions of a picture count, each with a distribution of its own: its appearance and layout, which needs no
trained weights, and its content by EfficientNet-Lite0, where that is installed. The calibration also holds the
distances of held-out pictures, so that a p-value needs no other file.
"""

__all__ = ["FLAGGED", "SIDE_PX", "Calibration", "PictureDescriber", "load_calibrations", "store_calibrations"]

import base64
import binascii
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, load_file, save
from torch import Tensor

from translate.images.tensors import to_tensor
from translate.metrics.dct_features import DctFeatures
from translate.metrics.novelty import Gaussian, p_values
from translate.networks.features.load import Features, load_features
from translate.utils.errors import UserError
from translate.utils.files import atomic_write

FLAGGED = 0.05  # largest p-value of a picture that counts as unlike the training pictures
KEY = "image-translate-calibration"  # of the metadata: base64 of a safetensors file
SIDE_PX = 128  # shorter side of the copy that is described: less than most pictures have, so sizes do not count
MAX_ASPECT = 4  # of the copy; the ends of longer pictures are not seen
LAYOUT_SIDE = 8  # cells across the layout
LAYOUT_SCALE = 2.0  # brings colours in [-1, 1] to the spread of DCT features
MAX_TEXT_CHARS = 2**24  # real calibrations have a few hundred thousand
FIELDS = ("mean", "basis", "variances", "rest")
HALF_PRECISION = ("mean", "basis")  # saves half of the file, and no p-value changes
NAMES = ("appearance", "content")  # of the descriptions


class PictureDescriber:
    """Describes pictures by their appearance and, where EfficientNet-Lite0 is installed, their content; thread-safe."""

    def __init__(self, features: Features | None) -> None:
        self._dct, self._features = DctFeatures(), features

    @classmethod
    @functools.cache
    def load(cls) -> "PictureDescriber":
        """Load the networks, once a process; a damaged package counts as missing."""
        try:
            return cls(load_features("auto"))
        except UserError:
            return cls(None)

    @torch.no_grad()
    def __call__(self, pixels: np.ndarray) -> dict[str, Tensor]:
        """Describe (H, W, 3) uint8 RGB: one row (1, d) by name."""
        x = shrink(to_tensor(pixels))
        layout = F.adaptive_avg_pool2d(x, LAYOUT_SIDE).flatten(1) * LAYOUT_SCALE
        rows = {"appearance": torch.cat([self._dct(x), layout], dim=1)}
        if self._features:
            rows["content"] = self._features(x)[-1].float().mean(dim=(2, 3))
        return rows


def shrink(x: Tensor) -> Tensor:
    """Resize (1, 3, H, W) to a shorter side of SIDE_PX, and cut off what is beyond MAX_ASPECT times that."""
    height, width = x.shape[2:]
    longest = MAX_ASPECT * min(height, width)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    x = x[:, :, top : top + longest, left : left + longest]
    scale = SIDE_PX / min(height, width)
    size = [round(side * scale) for side in x.shape[2:]]
    return F.interpolate(x, size, mode="bilinear", antialias=True, align_corners=False).clamp(-1, 1)


@dataclass(frozen=True)
class Calibration:
    """The distributions of a set of pictures by the names of descriptions, and the distances of n held-out pictures."""

    gaussians: Mapping[str, Gaussian]
    held_out: Mapping[str, Tensor]  # (n,) each, of the same pictures

    @property
    def count(self) -> int:
        """The number of held-out pictures."""
        return len(next(iter(self.held_out.values())))

    def p_value(self, description: Mapping[str, Tensor]) -> float:
        """Return the p-value of a described picture, by all descriptions that it shares with the calibration."""
        return float(self.p_values(description)[0])

    def p_values(self, descriptions: Mapping[str, Tensor]) -> Tensor:
        """Return the p-values of m described pictures, rows (m, d) by name: (m,)."""
        shared = [name for name in self.gaussians if name in descriptions]
        distances = torch.stack([self.gaussians[name].distances(descriptions[name]) for name in shared])
        return p_values(distances.sum(dim=0), torch.stack([self.held_out[name] for name in shared]).sum(dim=0))


def store_calibrations(file: Path, calibrations: Mapping[str, Calibration]) -> None:
    """Store calibrations, by direction, in the metadata of a model file, whose weights and recipe stay as they are."""
    with safe_open(file, framework="pt") as opened:
        metadata = opened.metadata()
    packed = base64.b64encode(save(_tensors(calibrations))).decode("ascii")
    content = save(load_file(file), metadata=metadata | {KEY: packed})
    with atomic_write(file) as temporary:
        temporary.write_bytes(sort_metadata(content))


def sort_metadata(content: bytes) -> bytes:
    """Return the bytes of a safetensors file with its metadata in order: the library writes them in a random one."""
    start = 8 + int.from_bytes(content[:8], "little")  # the length of the header stands before it
    header = json.loads(content[8:start])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8 bytes
    return len(text).to_bytes(8, "little") + text + content[start:]


def load_calibrations(file: Path) -> dict[str, Calibration]:
    """Return the calibrations in a model file, by direction; {} if it has none.

    Raises:
        UserError: they are damaged.
    """
    try:
        with safe_open(file, framework="pt") as opened:
            packed = (opened.metadata() or {}).get(KEY, "")
    except (SafetensorError, OSError):  # an original checkpoint
        return {}
    try:
        if len(packed) > MAX_TEXT_CHARS:
            raise ValueError(f"{len(packed):,} characters, which none has")
        return _from_tensors(load(base64.b64decode(packed, validate=True))) if packed else {}
    except (SafetensorError, binascii.Error, ValueError, KeyError) as error:
        raise UserError(f"{file}: its calibration is damaged ({error}); make it anew: evaluate --calibrate") from None


def _tensors(calibrations: Mapping[str, Calibration]) -> dict[str, Tensor]:
    """Return all numbers of calibrations, named DIRECTION/DESCRIPTION/FIELD."""
    tensors = {}
    for direction, calibration in calibrations.items():
        for name, gaussian in calibration.gaussians.items():
            for field in FIELDS:
                values = getattr(gaussian, field)
                tensors[f"{direction}/{name}/{field}"] = values.half() if field in HALF_PRECISION else values
            tensors[f"{direction}/{name}/held_out"] = calibration.held_out[name]
    return {name: values.contiguous().clone() for name, values in tensors.items()}


def _from_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Calibration]:
    """Return the calibrations that `_tensors` has named; raise ValueError or KeyError if they are none."""
    found = {}
    for direction in sorted({name.partition("/")[0] for name in tensors}):
        parts = {
            name: {field: tensors[f"{direction}/{name}/{field}"].float() for field in (*FIELDS, "held_out")}
            for name in NAMES
            if f"{direction}/{name}/mean" in tensors
        }
        for name, part in parts.items():
            _check(name, part)
        held_out = {name: part.pop("held_out") for name, part in parts.items()}
        if len({len(values) for values in held_out.values()}) != 1:
            raise ValueError("its descriptions are of other pictures")
        found[direction] = Calibration({name: Gaussian(**part) for name, part in parts.items()}, held_out)
    return found


def _check(name: str, part: Mapping[str, Tensor]) -> None:
    """Raise ValueError unless the shapes fit each other, and all numbers are finite and variances positive."""
    (count, dimensions), shapes = part["basis"].shape, {field: tuple(values.shape) for field, values in part.items()}
    expected = {"mean": (dimensions,), "variances": (count,), "rest": ()}
    if any(shapes[field] != shape for field, shape in expected.items()) or part["held_out"].ndim != 1:
        raise ValueError(f"its {name} has the shapes {shapes}")
    if not all(values.isfinite().all() for values in part.values()):
        raise ValueError(f"its {name} is not finite")
    if not (part["held_out"].numel() and part["rest"] > 0 and (part["variances"] > 0).all()):
        raise ValueError(f"its {name} has no spread")
