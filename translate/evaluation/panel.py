"""The panel of networks that judge pictures: DCT features, which nothing has trained, and semantic ones if any.

DCT features describe strokes, grain and colours, and can prefer a regular pattern, or even the untouched input, to a
better picture. Semantic features are those of networks that have learned to tell things apart. A network whose features
took part in the training of a model cannot judge it.
"""

__all__ = ["DCT", "Description", "Panel", "PooledFeatures", "load_panel"]

import importlib.util
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.images.tensors import to_tensor
from translate.metrics.dct_features import DctFeatures
from translate.metrics.lattice import phase_maps
from translate.metrics.squeezenet_features import SqueezeNetFeatures
from translate.networks.features.efficientnet_lite import EfficientNetLite
from translate.networks.features.load import INSTALL, PACKAGE, build, lite_file, read_weights, vgg_of
from translate.networks.features.vgg import BLOCKS, VGG16
from translate.utils.errors import OptionError, UserError, short_reason

DCT = DctFeatures.title
INPUT_SIDE_PX = 224  # of pictures when the networks were trained
LEAST_SIDE_PX = 128  # of enlarged thumbnails; more than twice the size would only cost time
AT_ONCE = 4  # pictures; on a CPU, the system needs longer to hand out the memory of more
KNOWN = (SqueezeNetFeatures.title, VGG16.title, EfficientNetLite.title)
REMEDY = f"give the weights of {', '.join(KNOWN[:-1])} or {KNOWN[-1]}: --features FILE"


K = TypeVar("K", bound=Hashable)


class Judge(Protocol):
    """A network that maps pictures (B, 3, H, W) in [-1, 1] to features (B, d)."""

    title: str  # in a word
    version: str  # to report with every number computed from its features

    def __call__(self, pictures: Tensor) -> Tensor: ...


class PooledFeatures:
    """Mean activations of the last layer of a frozen network, divided by their root mean square."""

    def __init__(self, net: nn.Module, layer: str) -> None:
        self.net = net.eval().requires_grad_(False)
        self.title: str = net.title  # type: ignore[assignment]
        self.version = f"{self.title}, {layer}"

    @torch.no_grad()
    def __call__(self, pictures: Tensor) -> Tensor:
        """Compute the features of (B, 3, H, W) in [-1, 1]: (B, d) float32."""
        side = min(INPUT_SIDE_PX, max(LEAST_SIDE_PX, 2 * max(pictures.shape[-2:])))
        x = F.interpolate(pictures.float(), (side, side), mode="bilinear", antialias=True)
        features = torch.cat([self.net(part)[-1].mean(dim=(2, 3)) for part in x.split(AT_ONCE)])
        # a mean square of 1 gives all pictures the same weight in the cubic kernel
        return features / features.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-6)


@dataclass(frozen=True)
class Description:
    """What the panel sees in N pictures."""

    features: dict[str, Tensor]  # (N, d) by the titles of networks
    phases: Tensor  # (4 N, 8, 8), see `phase_maps`

    def __len__(self) -> int:
        return len(self.phases) // 4


@dataclass
class Panel:
    """The networks that judge the pictures of one model.

    Attributes:
        judges: the networks; DCT features first.
        notes: on networks that are left out.
    """

    judges: Sequence[Judge] = field(default_factory=lambda: [DctFeatures()])
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        self._known: dict[Hashable, Description] = {}

    @property
    def versions(self) -> dict[str, str]:
        """The versions of the networks by title, to report with the scores."""
        return {judge.title: judge.version for judge in self.judges}

    def describe(self, picture: np.ndarray, key: Hashable = None) -> Description:
        """Describe (H, W, 3) uint8; a picture with a `key` is described once."""
        if key is not None and key in self._known:
            return self._known[key]
        x = to_tensor(picture)
        found = Description({judge.title: judge(x) for judge in self.judges}, phase_maps(x))
        if key is not None:
            self._known[key] = found
        return found

    def describe_all(self, pictures: Iterable[tuple[K, np.ndarray]]) -> Description:
        """Describe pictures, each with its key or None."""
        return self.join([self.describe(picture, key) for key, picture in pictures])

    def join(self, parts: Sequence[Description]) -> Description:
        """Join descriptions; without any, there are no rows."""
        if not parts:
            return Description({judge.title: torch.empty(0, 1) for judge in self.judges}, torch.empty(0, 8, 8))
        features = {judge.title: torch.cat([part.features[judge.title] for part in parts]) for judge in self.judges}
        return Description(features, torch.cat([part.phases for part in parts]))


def load_panel(file: str = "", trained_with: Sequence[str] = ()) -> Panel:
    """Load DCT features, the network in `file` if given, and EfficientNet-Lite0 if its package is installed.

    Args:
        file: weights of SqueezeNet 1.0, VGG-16 or EfficientNet-Lite0.
        trained_with: titles of the networks whose features took part in the training of the model.

    Raises:
        OptionError: the network in `file` took part in the training.
        UserError: `file` cannot be used.
    """
    judges: list[Judge] = [DctFeatures()]
    if file:
        judges.append(load_judge(Path(file).expanduser()))
        if judges[-1].title in trained_with:
            reason = f"{judges[-1].title} took part in the training of this model and cannot judge it"
            raise OptionError(f"--features {file}: {reason}; give the weights of another network, or none")
    lite, notes = EfficientNetLite.title, []
    if lite in trained_with:
        notes.append(f"no column of {lite}, as its features took part in the training of this model")
    elif importlib.util.find_spec(PACKAGE) and lite not in [judge.title for judge in judges]:
        judges.append(load_judge(lite_file()))
    if len(judges) == 1:
        others = [title for title in KNOWN if title not in trained_with]
        remedy = f"no semantic features: give the weights of {' or '.join(others)} with --features FILE"
        notes = ["; ".join([*notes, remedy + f", or {INSTALL}" * (lite in others)])]
    return Panel(judges, notes)


def load_judge(path: Path) -> Judge:
    """Load the network that the weights in a file show.

    Raises:
        UserError: the file is missing, damaged, or holds no known network.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; {REMEDY}")
    weights = read_weights(path)
    first = weights.get("features.0.weight")
    if first is not None and first.shape[0] == 96:
        return SqueezeNetFeatures(path)
    try:
        if first is not None:
            return PooledFeatures(vgg_of(path, weights, len(BLOCKS)), "pool5")
        return PooledFeatures(build(path, weights), "last stage")
    except KeyError as error:
        raise UserError(f"{path}: holds no known network ({error} is missing); {REMEDY}") from None
    except RuntimeError as error:  # shapes do not fit
        raise UserError(f"{path}: holds other weights ({short_reason(error)[:80]}); {REMEDY}") from None
