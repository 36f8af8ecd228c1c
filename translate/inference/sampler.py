"""A trained generator as one callable: seeds and labels in, new pictures out."""

__all__ = ["Label", "Sampler"]

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from translate.checkpoints.model_file import load_model, model_file
from translate.checkpoints.recipe import Recipe
from translate.images.tensors import to_uint8
from translate.tasks import TASKS
from translate.tasks.generate import draw_latents
from translate.utils.device import autocast, pick_device
from translate.utils.errors import OptionError, UserError, did_you_mean

Label = str | Mapping[str, float] | None  # a class, or weights of several; None: each seed's own class
_BATCH = 8  # pictures that are drawn at once, always: another number would change their last bits
_MEAN_OF = range(2**40, 2**40 + 1024)  # seeds that a mean style is taken over, far from those that people use


class Sampler:
    """Draws pictures that nobody has seen before with a model of the task `generate`.

    `Sampler.load("runs/faces")(count=16)` are sixteen faces. A seed (and a label) always gives the same picture,
    whatever else is asked for in the same call.

    Attributes:
        recipe: what the model is.
        G: the generator, in eval mode and frozen.
        device: where it computes.
        precision: "fp32" or "bf16".
        classes: the names of its classes; () where it has none.
        size: of its pictures, px.
        z_dim: numbers in a latent vector z.
        w_dim: numbers in a style w.
        gray: whether its pictures are gray.
        file: the model file, or None where the network was given.
    """

    def __init__(
        self, recipe: Recipe, nets: nn.ModuleDict, device: str | torch.device = "cpu", precision: str = "fp32"
    ) -> None:
        if TASKS[recipe.task].data != "images":
            raise UserError(
                f"a model of the task {recipe.task!r} makes no pictures of its own;"
                " use tools/translate_folder.py, or give a model from tools/train_gan.py"
            )
        if precision not in ("fp32", "bf16"):
            raise OptionError(f"precision {precision!r} is unknown; choose auto, bf16 or fp32")
        self.recipe, self.device, self.precision = recipe, torch.device(device), precision
        self.G: Any = nets["G"].to(self.device).eval().requires_grad_(False)
        self.size, self.z_dim, self.w_dim = (int(getattr(self.G, name)) for name in ("size", "z_dim", "w_dim"))
        self.classes: tuple[str, ...] = tuple(recipe.facts.get("classes", ())) if self.G.classes else ()
        self.gray = bool(self.G.out_channels == 1)
        self.file: Path | None = None
        self._means: dict[tuple[float, ...], Tensor] = {}

    @classmethod
    def load(cls, model: str | Path, device: str = "auto", precision: str = "auto") -> "Sampler":
        """Load a run folder or a model.safetensors.

        Args:
            model: the run folder or the file.
            device: "auto", "cpu", "cuda", "cuda:1" or "mps".
            precision: "fp32", or "bf16", which is faster on some machines; "auto" is "fp32", so that a seed gives
                the same picture everywhere.

        Raises:
            OptionError: no such device or precision.
            UserError: there is no model, it is damaged, or it makes no pictures of its own.
        """
        where = pick_device(device)
        recipe, nets = load_model(model, where)
        sampler = cls(recipe, nets, where, "fp32" if precision == "auto" else precision)
        sampler.file = model_file(model)
        return sampler

    def __call__(
        self,
        count: int = 1,
        *,
        seed: int = 0,
        seeds: Sequence[int] | None = None,
        label: Label = None,
        truncation: float = 1.0,
    ) -> np.ndarray:
        """Draw pictures.

        Args:
            count: how many, of the seeds `seed`, `seed` + 1 and so on.
            seed: the first of them.
            seeds: in place of both.
            label: a class, or weights of several, as `weights`; None: as `weights_of`.
            truncation: as `styles`.

        Returns:
            (n, size, size, 3) uint8 RGB.

        Raises:
            OptionError: a count, seed, label or truncation that is out of range or that the model does not have.
        """
        if seeds is None:
            if count < 1:
                raise OptionError(f"count {count} is out of range; give a whole number from 1 on")
            seeds = range(seed, seed + count)
        return self.draw(self.styles_of(seeds, label, truncation))

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """Return the latent vectors z of seeds, (n, z_dim): of each seed alone, and the same on every device.

        Raises:
            OptionError: a seed below 0, or none at all.
        """
        if not len(seeds):
            raise OptionError("no seeds are given; give one or more")
        if min(seeds) < 0:
            raise OptionError(f"seed {min(seeds)} is out of range; give a whole number from 0 on")
        return draw_latents(self.G, seeds).to(self.device)

    # ---- labels

    def weights(self, label: Label, count: int) -> Tensor | None:
        """Return the weights of the classes in `count` pictures, (count, K), each of sum 1.

        Args:
            label: a class ("7"); weights of several ({"3": 0.5, "8": 0.5}, also as text: "3:0.5,8:0.5"), which
                need not sum to 1; or None: the classes in turn.
            count: how many.

        Returns:
            On the device; None for a model without labels.

        Raises:
            OptionError: a class that the model does not know, weights below 0 or all 0, or a model without labels.
        """
        return self.weights_of(range(count), label)

    def weights_of(self, seeds: Sequence[int], label: Label = None) -> Tensor | None:
        """Return `weights` of seeds: those of `label`; without one, class number `seed` modulo K."""
        if not self.classes:
            if label is not None:
                raise OptionError("this model was trained without labels; leave --label out")
            return None
        if label is None:
            chosen = torch.tensor([int(seed) % len(self.classes) for seed in seeds])
            return nn.functional.one_hot(chosen, len(self.classes)).float().to(self.device)
        row = torch.zeros(len(self.classes))
        for name, weight in self._parse(label).items():
            row[self.classes.index(name)] = weight
        return (row / row.sum()).to(self.device).expand(len(seeds), -1)

    def _parse(self, label: str | Mapping[str, float]) -> dict[str, float]:
        """Return the weight of each class that `label` names, checked."""
        if isinstance(label, Mapping):
            found = {str(name): float(weight) for name, weight in label.items()}
        else:
            found = {str(label): 1.0} if str(label) in self.classes else _parse_mix(str(label))
        for name in found:
            if name not in self.classes:
                raise OptionError(f"the model knows no class {name!r}{did_you_mean(name, self.classes)}")
        total = sum(found.values())
        if not (math.isfinite(total) and total > 0 and min(found.values()) >= 0):
            raise OptionError(f"label {label!r}: weights are 0 or more, and not all 0")
        return found

    # ---- styles

    def styles(self, z: Tensor, weights: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Return the styles w of latent vectors; differentiable.

        Args:
            z: (n, z_dim).
            weights: (n, K), from `weights`; None: the classes in turn, where the model has any.
            truncation: how far styles keep from the mean style of their label: 1 as they are, 0.7 more usual and
                less varied, 0 the mean itself (Karras et al. 2019, https://arxiv.org/abs/1812.04948, appendix B).

        Returns:
            (n, w_dim) float32.

        Raises:
            OptionError: a truncation below 0.
        """
        if not (math.isfinite(truncation) and truncation >= 0):
            raise OptionError(f"truncation {truncation:g} is out of range; give 0 to 1, or a little more")
        z = z.to(self.device)
        weights = self.weights(None, len(z)) if weights is None else weights.to(self.device)
        w = self._style(z, weights)
        if truncation == 1:
            return w
        mean = self.mean_styles(weights)
        return mean + truncation * (w - mean)

    def styles_of(self, seeds: Sequence[int], label: Label = None, truncation: float = 1.0) -> Tensor:
        """Return the styles of seeds, (n, w_dim); see `latents`, `weights_of` and `styles`."""
        return self.styles(self.latents(seeds), self.weights_of(seeds, label), truncation)

    def mean_styles(self, weights: Tensor | None = None) -> Tensor:
        """Return the mean style under each row of `weights`, (n, w_dim); without weights (1, w_dim)."""
        if weights is None:
            return self._mean(())[None]
        return torch.stack([self._mean(tuple(row)) for row in weights.tolist()])

    def _mean(self, row: tuple[float, ...]) -> Tensor:
        if row not in self._means:
            z = self.latents(_MEAN_OF)
            weights = torch.tensor(row, device=self.device).expand(len(z), -1) if row else None
            self._means[row] = self._style(z, weights).mean(0)
        return self._means[row]

    def _style(self, z: Tensor, weights: Tensor | None) -> Tensor:
        given = (z,) if weights is None else (z, weights)
        with autocast(self.device, self.precision):
            return _in_batches(self.G.style, *given).float()

    # ---- pictures

    def draw(self, w: Tensor) -> np.ndarray:
        """Draw styles (n, w_dim) as (n, size, size, 3) uint8 RGB; each picture depends on its own style alone."""
        with torch.inference_mode():
            return np.concatenate([_as_arrays(self.draw_tensor(batch)[:n]) for batch, n in _batches(w)])

    def draw_tensor(self, w: Tensor) -> Tensor:
        """Draw styles (n, w_dim) as (n, C, size, size) float32 in [-1, 1], all at once; differentiable."""
        with autocast(self.device, self.precision):
            return self.G.draw(w.to(self.device)).float()


def _parse_mix(text: str) -> dict[str, float]:
    """Read "3:0.5,8:0.5"; what carries no weight counts 1."""
    found: dict[str, float] = {}
    for part in text.split(","):
        name, colon, weight = part.strip().rpartition(":")
        try:
            found[name if colon else weight] = float(weight) if colon else 1.0
        except ValueError:
            raise OptionError(f"label {text!r}: the weight {weight!r} is no number; write 3:0.5,8:0.5") from None
    return found


def _batches(x: Tensor) -> list[tuple[Tensor, int]]:
    """Split (n, d) into full batches, the last one filled up with its last row, and how many rows of each count."""
    pieces = x.split(_BATCH)
    return [(torch.cat([p, p[-1:].expand(_BATCH - len(p), -1)]), len(p)) for p in pieces]


def _in_batches(function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """Call `function` on batches of its inputs, all (n, ...), and join the results."""
    split = zip(*map(_batches, inputs), strict=True)
    return torch.cat([function(*(x for x, _ in batch))[: batch[0][1]] for batch in split])


def _as_arrays(pictures: Tensor) -> np.ndarray:
    """Convert (n, 1 or 3, H, W) in [-1, 1] to (n, H, W, 3) uint8."""
    return to_uint8(pictures.expand(-1, 3, -1, -1)).permute(0, 2, 3, 1).contiguous().cpu().numpy()
