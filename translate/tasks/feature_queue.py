"""The newest features or patches of real pictures, class by class: many points for the price of one batch."""

__all__ = ["FeatureQueue"]

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.utils import dist


class FeatureQueue(nn.Module):
    """The points of the newest `size` pictures of each of `classes`, in the type and on the device of the first ones.

    They are part of the state dict, so that a resumed run continues exactly, and equal in all processes. No operation
    makes the host wait for the device.
    """

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.classes, self.size = classes, size
        self.features: list[Tensor] = []  # of each kind, (classes * size + 1, ...): the last row is for what is dropped
        self.counts = torch.zeros(classes, dtype=torch.int64)  # pictures of each class so far

    def get_extra_state(self) -> dict[str, object]:
        return {"features": [x[:-1].cpu() for x in self.features], "counts": self.counts.cpu()}

    def set_extra_state(self, state: dict[str, object]) -> None:
        features: Sequence[Tensor] = state["features"]  # type: ignore[assignment]
        self.features = [torch.cat([x, torch.zeros_like(x[:1])]) for x in features]
        self.counts = state["counts"].clone()  # type: ignore[attr-defined]

    def _load_from_state_dict(self, state_dict: dict[str, object], prefix: str, *arguments: Any) -> None:
        """Load a state; that of a run of before drifted translation had this queue fills it anew."""
        for name in [name for name in state_dict if name.startswith((f"{prefix}points_", f"{prefix}filled"))]:
            del state_dict[name]
            state_dict[f"{prefix}_extra_state"] = self.get_extra_state()
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    @torch.no_grad()
    def push(self, features: Sequence[Tensor], label: Tensor | None = None) -> None:
        """Replace the oldest pictures of their classes by new ones, (B, ...) of each kind, `label` (B,); -1 is dropped.

        Of more than `size` pictures of a class the last ones are kept.
        """
        label = features[0].new_zeros(len(features[0])) if label is None else label.float()
        features, label = [dist.all_gather_rows(x) for x in features], dist.all_gather_rows(label).long()
        self._allocate(features)
        # the slot of each picture: one after the other within its class
        member = F.one_hot(label.clamp_min(0), self.classes) * (label >= 0)[:, None]
        place = (member.cumsum(0) * member).sum(1) - 1
        of_class = label.clamp_min(0)
        kept = (label >= 0) & (place >= member.sum(0)[of_class] - self.size)
        slot = of_class * self.size + (self.counts[of_class] + place) % self.size
        slot = torch.where(kept, slot, self.classes * self.size)
        for old, new in zip(self.features, features, strict=True):
            old.index_copy_(0, slot, new)
        self.counts += member.sum(0)

    def groups(self) -> Tensor:
        """Return the class of each row, (classes * size,), -1 where no picture has come yet."""
        device = self.counts.device
        rows = torch.arange(self.size, device=device) < self.counts[:, None]
        return torch.where(rows, torch.arange(self.classes, device=device)[:, None], -1).flatten()

    def read(self) -> list[Tensor]:
        """Return the features of each kind, (classes * size, ...)."""
        return [x[:-1] for x in self.features]

    def _allocate(self, features: Sequence[Tensor]) -> None:
        """Allocate all rows on the device of `features`, or move there what a state held."""
        device = features[0].device
        if not self.features:
            self.features = [x.new_zeros(self.classes * self.size + 1, *x.shape[1:]) for x in features]
        if self.counts.device != device or self.features[0].device != device:
            self.features, self.counts = [x.to(device) for x in self.features], self.counts.to(device)
