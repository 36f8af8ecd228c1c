"""An ONNX file as a sampler, without torch."""

__all__ = ["OnnxSampler", "load_onnx"]

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from translate.images.picture import to_depth
from translate.inference.inputs.labels import Label, check_seeds, class_weights
from translate.inference.onnx.file import open_onnx
from translate.inference.onnx.recipe import OnnxRecipe
from translate.inference.onnx.runner import OnnxRunner, check_precision
from translate.inference.onnx.translator import ORIGINAL, REFUSED, as_recipe
from translate.inference.request import Variant
from translate.inference.sampler import Sampler, check_truncation
from translate.utils.errors import OptionError, UserError
from translate.utils.program import command_form

NO_STYLES = f"an ONNX file goes from z to the picture and gives no styles; {ORIGINAL}"


class OnnxSampler(Sampler):
    """Generates new pictures with an ONNX file: a seed and a label give the picture that they give with the model.

    What needs styles (truncation, interpolation, sums, projection, edits) is answered by an error that says so.

    Attributes:
        onnx: the recipe of the file.
        runner: runs its graph.
    """

    w_dim = 0

    def __init__(self, content: bytes, onnx: OnnxRecipe, file: Path, device: str = "auto") -> None:
        if onnx.kind != "generate":
            raise UserError(f"{file}: makes no pictures of its own; use {command_form('translate-folder')}")
        shapes = {entry.name: entry.shape for entry in onnx.inputs}
        self.classes = onnx.classes if "label" in shapes else ()
        expected = {"z": onnx.z.dim if onnx.z else 0} | ({"label": len(self.classes)} if self.classes else {})
        if shapes != {name: ("batch", count) for name, count in expected.items()} or onnx.z is None:
            raise UserError(f"{file}: its recipe is damaged: it makes pictures from other inputs than z and label")
        self.onnx, self.file, self.recipe = onnx, file, as_recipe(onnx)
        self.runner = OnnxRunner(content, onnx, str(file), device)
        self.size, self.z_dim = onnx.fixed, onnx.z.dim
        self.gray, self.precision = onnx.channels[1] == 1, onnx.precision

    def __repr__(self) -> str:
        classes = f", {len(self.classes)} classes" if self.classes else ""
        return f"OnnxSampler({self.recipe.domains[0]}, {self.onnx.task}{classes}, {self.precision})"

    def planes(self, seeds: Sequence[int], label: Label = None) -> np.ndarray:
        """Generate (n, C, size, size) float32 in [-1, 1], each picture in a pass of its own.

        Raises:
            OptionError: as for a call.
            UserError: the file makes pictures of another size than it says.
        """
        seeds = check_seeds(seeds)
        weights = class_weights(self.classes, seeds, label)
        shape = (1, self.onnx.channels[1], self.size, self.size)
        pictures = []
        for i, seed in enumerate(seeds):
            feeds = {"z": self.runner.style_code(Variant(seed=seed))[None]}
            y = self.runner.run(feeds if weights is None else feeds | {"label": weights[i : i + 1]})
            if y.shape != shape:
                raise UserError(f"{self.file}: makes pictures of shape {y.shape}, and says that they have {shape}")
            pictures.append(y)
        return np.concatenate(pictures)

    def _generate(self, seeds: Sequence[int], label: Label, truncation: float) -> np.ndarray:
        check_truncation(truncation)
        if truncation != 1:
            raise OptionError(f"truncation needs styles: {NO_STYLES}")
        unit = ((self.planes(seeds, label) + np.float32(1)) / np.float32(2)).clip(0, 1).transpose(0, 2, 3, 1)
        return np.repeat(to_depth(unit, np.uint8), 3 if self.gray else 1, axis=3)

    # ---- what needs the network itself

    def _refuse(self, *values: Any, **options: Any) -> NoReturn:
        """Raise OptionError: the file has no styles."""
        raise OptionError(NO_STYLES)

    G = property(_refuse)
    latents = weights_of = styles = styles_of = mean_styles = draw = draw_tensor = _refuse


def load_onnx(path: str | Path, device: str, precision: str, weights: str, base: str) -> OnnxSampler:
    """Load an ONNX file that makes pictures.

    Raises:
        OptionError: an option that the file does not have.
        UserError: a file that is missing, damaged, translates pictures, or may do harm.
    """
    if weights != "last":
        raise OptionError(REFUSED["weights"])
    if base:
        raise OptionError(REFUSED["base"])
    content, recipe, _ = open_onnx(path)
    check_precision(path, recipe, precision)
    return OnnxSampler(content, recipe, Path(path).expanduser(), device)
