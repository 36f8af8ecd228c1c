"""A trained generator as one callable: seeds and labels in, new pictures out."""

__all__ = ["Label", "Sampler"]

import math
from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from translate.checkpoints.recipe import Recipe
from translate.inference.inputs.labels import Label, check_seeds, class_weights
from translate.inference.onnx.recipe import is_onnx
from translate.inference.request import check_whole
from translate.utils.errors import OptionError, UserError
from translate.utils.program import command_form

if TYPE_CHECKING:  # torch is imported with the first model that needs it: an ONNX file does not
    import torch
    from torch import Tensor, nn

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
        self, recipe: Recipe, nets: "nn.ModuleDict", device: "str | torch.device" = "cpu", precision: str = "fp32"
    ) -> None:
        import torch

        from translate.tasks import TASKS

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
    def load(
        cls, model: str | Path, device: str = "auto", precision: str = "auto", weights: str = "last", base: str = ""
    ) -> "Sampler":
        """Load a run folder, a model.safetensors, hf://user/name@revision, or an .onnx file, which runs without torch.

        The device is "auto", "cpu", "cuda", "cuda:1" or "mps".

        Of a run folder, `weights` are the "last", the "best", with the best score while training, or an "average".
        Precision "bf16" is faster on some machines; "auto" is "fp32", so that a seed gives the same picture everywhere.
        `base` is the model that an adapter corrects; "": at the path that the adapter recorded, or beside it.

        Raises:
            OptionError: an unknown device or precision.
            UserError: a model that is missing, damaged, or generates no pictures.
        """
        if is_onnx(model):
            from translate.inference.onnx.sampler import load_onnx

            return load_onnx(model, device, precision, weights, base)
        from translate.checkpoints.model_file import load_model, model_file
        from translate.utils.device import pick_device

        torch_device = pick_device(device)
        recipe, nets = load_model(model, torch_device, weights, base)
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
        return self._generate(seeds, label, truncation)

    def _generate(self, seeds: Sequence[int], label: Label, truncation: float) -> np.ndarray:
        return self.draw(self.styles_of(seeds, label, truncation))

    def latents(self, seeds: Sequence[int]) -> "Tensor":
        """Draw latent vectors z, (n, z_dim): each a function of its seed alone, the same on every device.

        Raises:
            OptionError: a seed that is no whole number from 0 on, or no seed.
        """
        from translate.tasks.latents import draw_latents

        return draw_latents(self.G, check_seeds(seeds)).to(self.device)

    # ---- labels

    def weights_of(self, seeds: Sequence[int], label: Label = None) -> "Tensor | None":
        """Return the weights of K classes for each seed, (n, K), each row of sum 1; None for a model without labels.

        A label is a class ("7"), or weights of several classes ({"3": 0.5, "8": 0.5}, also as text: "3:0.5,8:0.5"),
        which need not sum to 1; None: class number `seed` modulo K.

        Raises:
            OptionError: an unknown class, weights below 0 or all 0, or a model without labels.
        """
        import torch

        weights = class_weights(self.classes, seeds, label)
        return None if weights is None else torch.from_numpy(weights).to(self.device)

    # ---- styles

    def styles(self, z: "Tensor", weights: "Tensor | None" = None, truncation: float = 1.0) -> "Tensor":
        """Map latent vectors z (n, z_dim) to styles w (n, w_dim) float32; differentiable.

        `weights` (n, K) are from `weights_of`; None: one class after the other. `truncation` scales the distance to the
        mean style of the label: 1 leaves styles unchanged, 0.7 makes them more typical and less varied, 0 is the mean
        (Karras et al. 2019, https://arxiv.org/abs/1812.04948, appendix B).

        Raises:
            OptionError: a truncation below 0.
        """
        check_truncation(truncation)
        z = z.to(self.device)
        weights = self.weights_of(range(len(z))) if weights is None else weights.to(self.device)
        w = self._map(z, weights)
        if truncation == 1:
            return w
        mean = self.mean_styles(weights)
        return mean + truncation * (w - mean)

    def styles_of(self, seeds: Sequence[int], label: Label = None, truncation: float = 1.0) -> "Tensor":
        """Map seeds to styles, (n, w_dim), by `latents`, `weights_of` and `styles`."""
        seeds = check_seeds(seeds)
        return self.styles(self.latents(seeds), self.weights_of(seeds, label), truncation)

    def mean_styles(self, weights: "Tensor | None" = None) -> "Tensor":
        """Return the mean style for each row of `weights`, (n, w_dim); without weights (1, w_dim)."""
        if weights is None:
            return self._mean(())[None]
        import torch

        return torch.stack([self._mean(tuple(row)) for row in weights.tolist()])

    def _mean(self, row: tuple[float, ...]) -> "Tensor":
        import torch

        if row not in self._means:
            z = self.latents(MEAN_STYLE_SEEDS)
            weights = torch.tensor(row, device=self.device).expand(len(z), -1) if row else None
            self._means[row] = self._map(z, weights).mean(0)
        return self._means[row]

    def _map(self, z: "Tensor", weights: "Tensor | None") -> "Tensor":
        from translate.inference.latent.passes import in_batches
        from translate.utils.device import autocast

        inputs = (z,) if weights is None else (z, weights)
        with autocast(self.device, self.precision):
            return in_batches(self.G.style, *inputs).float()

    # ---- pictures

    def draw(self, w: "Tensor") -> np.ndarray:
        """Generate (n, size, size, 3) uint8 RGB from styles (n, w_dim), each picture from its style alone."""
        import torch

        from translate.inference.latent.passes import as_arrays, batches

        with torch.inference_mode():
            return np.concatenate([as_arrays(self.draw_tensor(batch)[:n]) for batch, n in batches(w)])

    def draw_tensor(self, w: "Tensor") -> "Tensor":
        """Generate (n, C, size, size) float32 in [-1, 1] from styles (n, w_dim) in one pass; differentiable."""
        from translate.utils.device import autocast

        with autocast(self.device, self.precision):
            return self.G.draw(w.to(self.device)).float()


def check_truncation(truncation: float) -> None:
    """Raise OptionError unless a truncation is a number from 0 on."""
    if not (isinstance(truncation, Real) and math.isfinite(truncation) and truncation >= 0):
        raise OptionError(f"truncation {truncation!r} is out of range; give 0 to 1, or a little more")
