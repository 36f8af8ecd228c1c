"""Norm statistics: the means and variances by which networks normalise a picture.

Generators normalise every picture by its own statistics (instance norm), as in training: "exact", the default. The
other kinds replace instance norms by norms with other statistics, in copies of the networks that share their weights:

- "frozen": of a thumbnail of the picture, or of one reference picture for all pictures;
- "local": of neighbourhoods, interpolated by `translate.inference.tiling`;
- "smooth": of a video up to a frame. They follow slowly, so that a new object does not change the colours of
  everything else, and restart at a cut.

Networks without instance norm give the same result with every kind.
"""

__all__ = ["STATISTICS", "NormStatistics"]

import copy
import hashlib
import threading
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from translate.inference.request import Variant
from translate.inference.video.scene_cuts import SceneCutDetector, thumbnail
from translate.networks.blocks import BatchNorm, InstanceNorm
from translate.networks.norms.frozen_norm import freeze_norms, frozen_norms, update_statistics
from translate.utils.errors import OptionError

STATISTICS = ("exact", "frozen", "local", "smooth")
MIN_THUMBNAIL_SIDE_PX = 512  # long side; statistics of smaller thumbnails lack fine texture
MIN_SMOOTHING_WEIGHT = 0.05  # of a new frame: half of the statistics are replaced in 14 frames, about half a second
MAX_CACHED_NETS = 16  # for one direction and variant each; every entry has its own norms

Pass = Callable[[nn.ModuleDict, Tensor], object]  # runs networks on (1, C, H, W) to gather their statistics


class _VideoNorms:
    """Networks whose statistics follow the frames of a video."""

    def __init__(self, nets: nn.ModuleDict) -> None:
        self.nets: nn.ModuleDict = freeze_norms(nets)  # type: ignore[assignment]
        self.cuts, self.frames = SceneCutDetector(), 0

    def prepare(self, x: Tensor) -> nn.ModuleDict:
        """Return networks that update their statistics in the pass over the frame x."""
        self.frames = 1 if self.cuts(x) else self.frames + 1
        for norm in frozen_norms(self.nets):
            norm.momentum = max(1 / self.frames, MIN_SMOOTHING_WEIGHT)
        return self.nets

    def state(self) -> dict[str, Any]:
        norms = [(norm.mean.cpu(), norm.variance.cpu()) for norm in frozen_norms(self.nets)]
        return copy.deepcopy({"norms": norms, "frames": self.frames, "cuts": self.cuts.state()})

    def restore(self, state: dict[str, Any]) -> None:
        for norm, (mean, variance) in zip(frozen_norms(self.nets), state["norms"], strict=True):
            norm.mean.copy_(mean)
            norm.variance.copy_(variance)
        self.frames = state["frames"]
        self.cuts.restore(state["cuts"])


class NormStatistics:
    """Provides networks that normalise a picture by the chosen statistics.

    If `per_picture`, every picture needs its own networks, so pictures cannot share a batch. If `sequential`, pictures
    must be translated one at a time, in order. `description` is the kind and the name of the reference,
    `reference_hash` that of its content; "" without one.
    """

    def __init__(
        self, kind: str = "exact", references: Mapping[str, Tensor | None] | None = None, name: str = "",
        side: int = MIN_THUMBNAIL_SIDE_PX,
    ) -> None:  # fmt: skip
        """Choose statistics; `side` is that of pictures in training, px.

        For "frozen", `references` are the reference picture called `name` as the network input of each direction, (1,
        C, H, W), uint8 or float in [-1, 1]; without them, each picture is its own reference.

        Raises:
            OptionError: an unknown kind, or a reference for another kind than frozen.
        """
        if kind not in STATISTICS:
            raise OptionError(f"stats {kind!r} is unknown; choose from {', '.join(STATISTICS)}")
        if references and kind != "frozen":
            raise OptionError(f"a reference picture is for frozen statistics; leave it out, or say frozen, not {kind}")
        self.kind, self.description, self.side = kind, f"{kind} {name}".strip(), max(side, MIN_THUMBNAIL_SIDE_PX)
        self._references = {d: thumbnail(x, self.side) for d, x in (references or {}).items() if x is not None}
        pixels = (x.cpu().contiguous().numpy().tobytes() for x in self._references.values())
        self.reference_hash = hashlib.sha256(b"".join(pixels)).hexdigest()[:32] if self._references else ""
        self.per_picture = kind == "smooth" or (kind == "frozen" and not references)
        self.sequential = kind == "smooth"
        self._lock = threading.Lock()
        self._frozen: dict[str, nn.ModuleDict] = {}
        self._videos: dict[str, _VideoNorms] = {}
        self._restored: dict[str, dict[str, Any]] = {}

    def nets_for(
        self, nets: nn.ModuleDict, x: Tensor, direction: str, variant: Variant, run: Pass, whole: bool = True
    ) -> nn.ModuleDict:
        """Return the networks that translate x, (1, C, H, W), or any batch unless `per_picture`.

        x is uint8 or float in [-1, 1]. `run` makes the passes that gather statistics. Unless x is translated as a
        `whole`, in one pass, smooth statistics are those of its thumbnail.
        """
        if self.kind in ("exact", "local") or not any(isinstance(m, (InstanceNorm, BatchNorm)) for m in nets.modules()):
            return nets
        key = _key(direction, variant)
        if self.sequential:
            return self._follow_video(nets, x, key, run, whole)
        if self._references:
            return self._freeze_on_reference(nets, self._references[direction], key, run)
        if max(x.shape[2:]) <= self.side:
            return nets
        return self._freeze_on(nets, thumbnail(x, self.side), run)

    @staticmethod
    def _freeze_on(nets: nn.ModuleDict, small: Tensor, run: Pass) -> nn.ModuleDict:
        frozen: nn.ModuleDict = freeze_norms(nets)  # type: ignore[assignment]
        update_statistics(frozen, 1.0, lambda: run(frozen, small))
        return frozen

    def _freeze_on_reference(self, nets: nn.ModuleDict, reference: Tensor, key: str, run: Pass) -> nn.ModuleDict:
        with self._lock:
            if key not in self._frozen:
                if len(self._frozen) >= MAX_CACHED_NETS:
                    self._frozen.pop(next(iter(self._frozen)))
                threads = torch.get_num_threads()
                torch.set_num_threads(1)  # the order of sums must not depend on the picture that comes first
                try:
                    self._frozen[key] = self._freeze_on(nets, reference, run)
                finally:
                    torch.set_num_threads(threads)
            return self._frozen[key]

    def _follow_video(self, nets: nn.ModuleDict, x: Tensor, key: str, run: Pass, whole: bool) -> nn.ModuleDict:
        if key not in self._videos:
            self._videos[key] = _VideoNorms(nets)
            if key in self._restored:
                self._videos[key].restore(self._restored.pop(key))
        following = self._videos[key].prepare(x)
        if not whole:
            run(following, thumbnail(x, self.side))
            for norm in frozen_norms(following):
                norm.momentum = 0.0
        return following

    def state(self) -> dict[str, Any]:
        """Return the state of smooth statistics: plain containers of tensors and numbers."""
        return self._restored | {key: video.state() for key, video in self._videos.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a state."""
        self._videos.clear()
        self._restored = dict(state)


def _key(direction: str, variant: Variant) -> str:
    code = "" if variant.z is None else hashlib.sha256(variant.z.cpu().numpy().tobytes()).hexdigest()[:16]
    return f"{direction} {variant.seed} {code}"
