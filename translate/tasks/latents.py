"""What tasks share whose pictures are generated from latent vectors z, and from class labels if there are any."""

__all__ = ["LatentTask", "draw_latents", "draw_latents_like", "one_hot"]

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks import LATENT_GENERATORS
from translate.tasks.base import Batch, Task
from translate.utils import dist
from translate.utils.errors import OptionError
from translate.utils.factory import Factory


class LatentTask(Task):
    """Training of G: z (and label) -> picture."""

    data = "images"
    exports = ("G",)
    generators = LATENT_GENERATORS
    from_latents = True

    @staticmethod
    def make_generator(generator: Factory, **fixed: Any) -> nn.Module:
        """Build G with the options that the task decides; raise OptionError if its z has no dimension."""
        if (z_dim := generator.options.get("z_dim", 1)) < 1:
            raise OptionError(f"--z-dim should be at least 1, got {z_dim}: pictures differ by their z; try 64")
        return generator(**fixed)

    @staticmethod
    def predict(
        nets: nn.ModuleDict, batch: Batch, *, z: Tensor | None = None, seed: int | None = None, **options: Any
    ) -> Tensor:
        """Generate pictures (B, C, size, size) in [-1, 1] from `z` (B, z_dim), or from `seed`, seed + 1, ...

        If the model has classes, batch["label"] holds their weights (B, classes).
        """
        label = batch.get("label")
        if z is None:
            count = 1 if label is None else len(label)
            z = draw_latents(nets["G"], range(seed or 0, (seed or 0) + count))
        return nets["G"](z, label)

    @staticmethod
    def preview(nets: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """Return rows of eight samples from fixed z: eight rows, or one for each of up to 16 classes."""
        G: Any = nets["G"]
        z = draw_latents(G, range(64)).to(batch["image"])
        if not G.classes:
            return {f"samples {i}": row.expand(-1, 3, -1, -1) for i, row in enumerate(G(z).split(8))}
        rows = {}
        for k in range(min(G.classes, 16)):
            label = one_hot(torch.full((8,), k, device=z.device), G.classes)
            rows[f"class {k}"] = G(z[:8], label).expand(-1, 3, -1, -1)
        return rows


def draw_latents(G: Any, seeds: Any) -> Tensor:
    """Draw z (n, z_dim) from N(0, 1), or U(-1, 1) if G wants it, each from one of `seeds`, equal on every device."""
    rngs = [np.random.default_rng(seed) for seed in seeds]
    uniform = G.z_kind == "uniform"
    z = [rng.uniform(-1, 1, G.z_dim) if uniform else rng.standard_normal(G.z_dim) for rng in rngs]
    return torch.from_numpy(np.stack(z).astype(np.float32))


def draw_latents_like(real: Tensor, z_dim: int, kind: str) -> Tensor:
    """Draw z (B, z_dim) for `real` (B, C, H, W), on its device."""
    if kind == "uniform":
        return dist.draw_local_rows(lambda n: torch.empty(n, z_dim, device=real.device).uniform_(-1, 1), len(real))
    return dist.draw_local_rows(lambda n: torch.randn(n, z_dim, device=real.device), len(real))


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """Convert class numbers (B,) to (B, classes) float, -1 to a row of zeros."""
    return F.one_hot(labels.clamp_min(0), classes).float() * (labels >= 0)[:, None]
