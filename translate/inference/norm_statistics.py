"""Means and variances that networks normalise a picture by: its own, those of a thumbnail or reference, or of a film.

Generators normalise every picture by its own statistics (instance norm). That is what they were trained with, and the
default: "exact". Where statistics are taken from elsewhere, a `FrozenNorm` stands in the place of each such norm, in a
copy of the networks that shares their weights:

- "frozen": those of a thumbnail of the picture, or of one reference picture for all.
- "local": those of neighbourhoods, blended into each other; `translate.inference.tiling` does that.
- "smooth": pictures are the frames of a film, in their order. Means and variances follow slowly, so that what comes
  into view does not change the colours of all the rest; at a cut they begin anew.

Networks without instance norm give the same answer with all of them.
"""

__all__ = ["STATISTICS", "SceneCutDetector", "Statistics", "thumbnail"]

import copy
import hashlib
import threading
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.images.tensors import to_device
from translate.inference.request import Variant
from translate.networks.blocks import BatchNorm, InstanceNorm
from translate.networks.frozen_norm import _norms, _take_from, freeze_norms
from translate.utils.errors import OptionError

STATISTICS = ("exact", "frozen", "local", "smooth")
Pass = Callable[[nn.ModuleDict, Tensor], object]  # runs networks on (1, C, H, W), for the statistics' sake

_SIDE = 512  # px of a thumbnail's long side, at least
_RATE = 0.05  # of the old statistics that a frame replaces: half of them in 14 frames
_KEPT = 16  # answers for which the statistics of a reference are kept
_GRID = (18, 32)  # rows and columns that frames are compared on
_CUT, _SUDDEN = 0.04, 4.0  # part of the full range by which frames must differ at a cut; times as much as they did


def thumbnail(x: Tensor, side: int) -> Tensor:
    """Return pictures (B, C, H, W), uint8 or float in [-1, 1], with a long side of `side` px at most, as float."""
    longest = max(x.shape[2:])
    height, width = (max(1, round(n * side / longest)) for n in x.shape[2:])
    step = max(1, longest // (4 * side))  # a picture of gigabytes is not turned into floats for this
    x = x[..., ::step, ::step]
    x = to_device(x, x.device)
    return F.adaptive_avg_pool2d(x, (height, width)) if longest > side else x


class SceneCutDetector:
    """Tells where a film cuts to another scene: frames differ much, and suddenly more than they did.

    Attributes:
        last: what is kept of the last frame, (1, C, 18, 32) in [-1, 1]; None before the first.
        usual: by which part of the full range frames differed lately, in the mean.
    """

    def __init__(self) -> None:
        self.last: Tensor | None = None
        self.usual = 0.0

    def __call__(self, x: Tensor) -> bool:
        """Whether a scene begins with x, (1, C, H, W), uint8 or float in [-1, 1]; the first frame begins one."""
        now = F.adaptive_avg_pool2d(thumbnail(x, 4 * max(_GRID)), _GRID).cpu()
        last, self.last = self.last, now
        if last is None or last.shape != now.shape:
            return True
        differ = float((now - last).abs().mean()) / 2
        cut = differ > max(_CUT, _SUDDEN * self.usual)
        self.usual = 0.0 if cut else 0.8 * self.usual + 0.2 * differ
        return cut

    def state(self) -> dict[str, Any]:
        """Return all that `restore` needs."""
        return {"last": self.last, "usual": self.usual}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was asked for."""
        self.last, self.usual = state["last"], state["usual"]


class _Film:
    """Networks whose statistics follow the frames of a film."""

    def __init__(self, nets: nn.ModuleDict) -> None:
        self.nets: nn.ModuleDict = freeze_norms(nets)  # type: ignore[assignment]
        self.cuts, self.frames = SceneCutDetector(), 0

    def prepare(self, x: Tensor) -> nn.ModuleDict:
        """Return the networks, which take on the statistics of the frame x as it goes through."""
        self.frames = 1 if self.cuts(x) else self.frames + 1
        for norm in _norms(self.nets):
            norm.momentum = max(1 / self.frames, _RATE)
        return self.nets

    def state(self) -> dict[str, Any]:
        norms = [(norm.mean.cpu(), norm.variance.cpu()) for norm in _norms(self.nets)]
        return copy.deepcopy({"norms": norms, "frames": self.frames, "cuts": self.cuts.state()})

    def restore(self, state: dict[str, Any]) -> None:
        for norm, (mean, variance) in zip(_norms(self.nets), state["norms"], strict=True):
            norm.mean.copy_(mean)
            norm.variance.copy_(variance)
        self.frames = state["frames"]
        self.cuts.restore(state["cuts"])


class Statistics:
    """Gives, for each picture, the networks that normalise it as is asked.

    Attributes:
        kind: one of STATISTICS.
        said: it and the name of the reference.
        each: whether every picture has networks of its own, so that none may go in a batch with others.
        in_order: whether pictures must come one at a time, in their order.
    """

    def __init__(
        self, kind: str = "exact", references: Mapping[str, Tensor | None] | None = None, name: str = "",
        side: int = _SIDE,
    ) -> None:  # fmt: skip
        """Choose the statistics.

        Args:
            kind: one of STATISTICS.
            references: for "frozen", the picture whose statistics are those of all, by the direction that it is shown
                for: (1, C, H, W), uint8 or float in [-1, 1]. None or empty: each picture has its own.
            name: of the reference.
            side: px of a thumbnail's long side; of the pictures that were trained on, if that is more than 512.

        Raises:
            OptionError: no such kind, or a reference for one that takes none.
        """
        if kind not in STATISTICS:
            raise OptionError(f"stats {kind!r} is unknown; choose from {', '.join(STATISTICS)}")
        if references and kind != "frozen":
            raise OptionError(f"a reference picture is for frozen statistics; leave it out, or say frozen, not {kind}")
        self.kind, self.said, self.side = kind, f"{kind} {name}".strip(), max(side, _SIDE)
        found = (references or {}).items()
        self._references = {way: thumbnail(x, self.side) for way, x in found if x is not None}
        self.each = kind == "smooth" or (kind == "frozen" and not references)
        self.in_order = kind == "smooth"
        self._lock = threading.Lock()
        self._frozen: dict[str, nn.ModuleDict] = {}
        self._films: dict[str, _Film] = {}
        self._saved: dict[str, dict[str, Any]] = {}

    def nets_for(
        self, nets: nn.ModuleDict, x: Tensor, direction: str, answer: Variant, run: Pass, whole: bool = True
    ) -> nn.ModuleDict:
        """Return the networks to translate x with.

        Args:
            nets: of the model.
            x: (1, C, H, W), uint8 or float in [-1, 1]; with a reference or exact statistics, any batch.
            direction: of the pass.
            answer: which of the model's answers is wanted.
            run: makes that pass.
            whole: whether x will go through in one pass; else smooth statistics are taken from its thumbnail, too.
        """
        if self.kind in ("exact", "local") or not any(isinstance(m, (InstanceNorm, BatchNorm)) for m in nets.modules()):
            return nets
        key = _key(direction, answer)
        if self.in_order:
            return self._on_film(nets, x, key, run, whole)
        if self._references:
            return self._by_reference(nets, self._references[direction], key, run)
        if max(x.shape[2:]) <= self.side:
            return nets
        return self._frozen_on(nets, thumbnail(x, self.side), run)

    @staticmethod
    def _frozen_on(nets: nn.ModuleDict, small: Tensor, run: Pass) -> nn.ModuleDict:
        steady: nn.ModuleDict = freeze_norms(nets)  # type: ignore[assignment]
        _take_from(steady, 1.0, lambda: run(steady, small))
        return steady

    def _by_reference(self, nets: nn.ModuleDict, reference: Tensor, key: str, run: Pass) -> nn.ModuleDict:
        with self._lock:
            if key not in self._frozen:
                if len(self._frozen) >= _KEPT:
                    self._frozen.pop(next(iter(self._frozen)))
                threads = torch.get_num_threads()
                torch.set_num_threads(1)  # sums do not depend on which picture, in which lane, comes first
                try:
                    self._frozen[key] = self._frozen_on(nets, reference, run)
                finally:
                    torch.set_num_threads(threads)
            return self._frozen[key]

    def _on_film(self, nets: nn.ModuleDict, x: Tensor, key: str, run: Pass, whole: bool) -> nn.ModuleDict:
        if key not in self._films:
            self._films[key] = _Film(nets)
            if key in self._saved:
                self._films[key].restore(self._saved.pop(key))
        steady = self._films[key].prepare(x)
        if not whole:
            run(steady, thumbnail(x, self.side))
            for norm in _norms(steady):
                norm.momentum = 0.0
        return steady

    def state(self) -> dict[str, Any]:
        """Return where smooth statistics stand: plain containers of tensors and numbers."""
        return self._saved | {key: film.state() for key, film in self._films.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was asked for."""
        self._films.clear()
        self._saved = dict(state)


def _key(direction: str, answer: Variant) -> str:
    """Name a direction and an answer."""
    look = "" if answer.z is None else hashlib.sha256(answer.z.cpu().numpy().tobytes()).hexdigest()[:16]
    return f"{direction} {answer.seed} {look}"
