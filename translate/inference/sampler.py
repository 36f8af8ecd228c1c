"""A trained generator as one callable: seeds and labels in, new pictures out."""

__all__ = ["Label", "Sampler"]

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from operator import index
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from translate.checkpoints.model_file import load_model, model_file
from translate.checkpoints.recipe import Recipe
from translate.images.tensors import to_uint8
from translate.inference.request import check_whole
from translate.tasks import TASKS
from translate.tasks.latents import draw_latents
from translate.utils.device import autocast, pick_device
from translate.utils.errors import OptionError, UserError, did_you_mean, short_repr
from translate.utils.program import command_form

Label = str | Mapping[str, float] | None  # a class, or weights of several; None: for each seed the class seed modulo K
BATCH_SIZE = 8  # of every pass, padded if need be: another size would change the last bits of pictures
MEAN_STYLE_SEEDS = range(2**40, 2**40 + 1024)  # far from the seeds that people use


class Sampler:
    """Generates new pictures with a model of the task `generate`.

    `Sampler.load("runs/faces")(count=16)` are sixteen faces. A seed (and a label) always gives the same picture,
    whatever the other seeds of the call are.

    Attributes:
        recipe: of the model.
        G: the generator, in eval mode and frozen.
        device, precision: of its passes; "fp32" or "bf16".
        classes: names of the classes; () for a model without labels.
        size: of pictures, px.
        z_dim, w_dim: sizes of a latent vector z and of a style w.
        gray: whether pictures are gray.
        file: the model file, or None if the network was given.
    """

    def __init__(
        self, recipe: Recipe, nets: nn.ModuleDict, device: str | torch.device = "cpu", precision: str = "fp32"
    ) -> None:
        if TASKS[recipe.task].data != "images":
            raise UserError(
                f"a model of the task {recipe.task!r} makes no pictures of its own;"
                f" use {command_form('translate-folder')}, or give a model from {command_form('train-gan')}"
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

    def __repr__(self) -> str:
        classes = f", {len(self.classes)} classes" if self.classes else ""
        return f"Sampler({self.recipe.summary}{classes}, {self.device} {self.precision})"

    @classmethod
    def load(cls, model: str | Path, device: str = "auto", precision: str = "auto", weights: str = "last") -> "Sampler":
        """Load a run folder, a model.safetensors or hf://user/name@revision.

        The device is "auto", "cpu", "cuda", "cuda:1" or "mps".

        Of a run folder, `weights` are the "last", the "best", with the best score while training, or an "average".
        Precision "bf16" is faster on some machines; "auto" is "fp32", so that a seed gives the same picture everywhere.

        Raises:
            OptionError: an unknown device or precision.
            UserError: a model that is missing, damaged, or generates no pictures.
        """
        torch_device = pick_device(device)
        recipe, nets = load_model(model, torch_device, weights)
        sampler = cls(recipe, nets, torch_device, "fp32" if precision == "auto" else precision)
        sampler.file = model_file(model, weights)
        return sampler

    def __call__(
        self, count: int = 1, *, seed: int = 0, seeds: Sequence[int] | None = None, label: Label = None,
        truncation: float = 1.0,
    ) -> np.ndarray:  # fmt: skip
        """Generate the pictures of `seeds`, or of `count` seeds from `seed` on: (n, size, size, 3) uint8 RGB.

        The label is as for `weights_of`, truncation as for `styles`.

        Raises:
            OptionError: a count, seed, label or truncation that is out of range or that the model lacks.
        """
        if seeds is None:
            check_whole("count", count, 1)
            check_whole("seed", seed, 0)
            seeds = range(seed, seed + count)
        return self.draw(self.styles_of(seeds, label, truncation))

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """Draw latent vectors z, (n, z_dim): each a function of its seed alone, the same on every device.

        Raises:
            OptionError: a seed that is no whole number from 0 on, or no seed.
        """
        return draw_latents(self.G, _check_seeds(seeds)).to(self.device)

    # ---- labels

    def weights_of(self, seeds: Sequence[int], label: Label = None) -> Tensor | None:
        """Return the weights of K classes for each seed, (n, K), each row of sum 1; None for a model without labels.

        A label is a class ("7"), or weights of several classes ({"3": 0.5, "8": 0.5}, also as text: "3:0.5,8:0.5"),
        which need not sum to 1; None: class number `seed` modulo K.

        Raises:
            OptionError: an unknown class, weights below 0 or all 0, or a model without labels.
        """
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
        """Return the weight of each class in `label`; raise OptionError as `weights_of`."""
        if isinstance(label, Mapping):
            weights = {str(name): _parse_weight(weight, str(dict(label))) for name, weight in label.items()}
        else:
            weights = {str(label): 1.0} if str(label) in self.classes else _parse_mix(str(label))
        for name in weights:
            if name not in self.classes:
                raise OptionError(f"the model knows no class {name!r}{did_you_mean(name, self.classes)}")
        total = sum(weights.values())
        if not (math.isfinite(total) and total > 0 and min(weights.values()) >= 0):
            raise OptionError(f"label {label!r}: weights are 0 or more, and not all 0")
        return weights

    # ---- styles

    def styles(self, z: Tensor, weights: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Map latent vectors z (n, z_dim) to styles w (n, w_dim) float32; differentiable.

        `weights` (n, K) are from `weights_of`; None: one class after the other. `truncation` scales the distance to the
        mean style of the label: 1 leaves styles unchanged, 0.7 makes them more typical and less varied, 0 is the mean
        (Karras et al. 2019, https://arxiv.org/abs/1812.04948, appendix B).

        Raises:
            OptionError: a truncation below 0.
        """
        if not (isinstance(truncation, Real) and math.isfinite(truncation) and truncation >= 0):
            raise OptionError(f"truncation {truncation!r} is out of range; give 0 to 1, or a little more")
        z = z.to(self.device)
        weights = self.weights_of(range(len(z))) if weights is None else weights.to(self.device)
        w = self._map(z, weights)
        if truncation == 1:
            return w
        mean = self.mean_styles(weights)
        return mean + truncation * (w - mean)

    def styles_of(self, seeds: Sequence[int], label: Label = None, truncation: float = 1.0) -> Tensor:
        """Map seeds to styles, (n, w_dim), by `latents`, `weights_of` and `styles`."""
        seeds = _check_seeds(seeds)
        return self.styles(self.latents(seeds), self.weights_of(seeds, label), truncation)

    def mean_styles(self, weights: Tensor | None = None) -> Tensor:
        """Return the mean style for each row of `weights`, (n, w_dim); without weights (1, w_dim)."""
        if weights is None:
            return self._mean(())[None]
        return torch.stack([self._mean(tuple(row)) for row in weights.tolist()])

    def _mean(self, row: tuple[float, ...]) -> Tensor:
        if row not in self._means:
            z = self.latents(MEAN_STYLE_SEEDS)
            weights = torch.tensor(row, device=self.device).expand(len(z), -1) if row else None
            self._means[row] = self._map(z, weights).mean(0)
        return self._means[row]

    def _map(self, z: Tensor, weights: Tensor | None) -> Tensor:
        inputs = (z,) if weights is None else (z, weights)
        with autocast(self.device, self.precision):
            return _in_batches(self.G.style, *inputs).float()

    # ---- pictures

    def draw(self, w: Tensor) -> np.ndarray:
        """Generate (n, size, size, 3) uint8 RGB from styles (n, w_dim), each picture from its style alone."""
        with torch.inference_mode():
            return np.concatenate([_as_arrays(self.draw_tensor(batch)[:n]) for batch, n in _batches(w)])

    def draw_tensor(self, w: Tensor) -> Tensor:
        """Generate (n, C, size, size) float32 in [-1, 1] from styles (n, w_dim) in one pass; differentiable."""
        with autocast(self.device, self.precision):
            return self.G.draw(w.to(self.device)).float()


def _parse_mix(text: str) -> dict[str, float]:
    """Parse "3:0.5,8:0.5"; a class without weight counts 1."""
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, colon, weight = part.strip().rpartition(":")
        weights[name if colon else weight] = _parse_weight(weight, text) if colon else 1.0
    return weights


def _parse_weight(weight: Any, label: str) -> float:
    try:
        return float(weight)
    except (TypeError, ValueError):
        raise OptionError(f"label {label!r}: the weight {weight!r} is no number; write 3:0.5,8:0.5") from None


def _check_seeds(seeds: Iterable[int]) -> list[int]:
    """Return seeds as a list; raise OptionError unless they are whole numbers from 0 on, at least one."""
    try:
        numbers = [index(seed) for seed in seeds]
    except TypeError:
        raise OptionError(f"seeds {short_repr(seeds)} are no whole numbers; give a list such as [3, 8]") from None
    if not numbers:
        raise OptionError("no seeds are given; give one or more")
    if min(numbers) < 0:
        raise OptionError(f"seed {min(numbers)} is out of range; give a whole number from 0 on")
    return numbers


def _batches(x: Tensor) -> list[tuple[Tensor, int]]:
    """Split (n, d) into full batches, the last padded with its last row; return each with its number of real rows."""
    pieces = x.split(BATCH_SIZE)
    return [(torch.cat([p, p[-1:].expand(BATCH_SIZE - len(p), -1)]), len(p)) for p in pieces]


def _in_batches(function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """Call `function` on batches of its inputs, all (n, ...), and concatenate the results."""
    split = zip(*map(_batches, inputs), strict=True)
    return torch.cat([function(*(x for x, _ in batch))[: batch[0][1]] for batch in split])


def _as_arrays(pictures: Tensor) -> np.ndarray:
    """Convert (n, 1 or 3, H, W) in [-1, 1] to (n, H, W, 3) uint8."""
    return to_uint8(pictures.expand(-1, 3, -1, -1)).permute(0, 2, 3, 1).contiguous().cpu().numpy()
