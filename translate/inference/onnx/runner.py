"""Passes of an ONNX file over prepared pictures."""

__all__ = ["OnnxRunner", "check_precision", "to_network"]

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from translate.images.picture import to_depth
from translate.inference.inpainting import fill_pixels
from translate.inference.onnx.file import EXTRA
from translate.inference.onnx.noise import TorchNoise
from translate.inference.onnx.recipe import OnnxRecipe
from translate.inference.postprocess import PendingResult
from translate.inference.request import PreparedImage, Request, Variant
from translate.utils.errors import OptionError, UserError, short_reason

LOOK_JITTER = 0.1  # of the spread of the looks, as `tasks.pix2pix.draw_code`
QUIET = 3  # errors alone


class OnnxRunner:
    """Runs the graph of an ONNX file.

    Attributes:
        recipe: of the file.
        masked, paired, scale, random, z_dim, strength, fixed_size, can_tile: as those of `ModelRunner`.
    """

    can_tile = can_stream = False
    classes = None  # of one-hot label maps, which no file has

    def __init__(self, content: bytes, recipe: OnnxRecipe, name: str, device: str = "auto") -> None:
        """Load the content of a checked file, whose `name` is for errors.

        Raises:
            OptionError: a device that this onnxruntime has not.
            UserError: onnxruntime is missing, or refuses the file.
        """
        try:
            import onnxruntime
        except ImportError:
            raise UserError(f"{name}: an ONNX file needs onnx and onnxruntime; install them: {EXTRA}") from None
        self.recipe, self._name = recipe, name
        options = onnxruntime.SessionOptions()
        options.log_severity_level = QUIET
        options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or 0)  # 0: all cores
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=_providers(device, onnxruntime.get_available_providers())
            )
        except OptionError:
            raise
        except Exception as error:
            raise UserError(f"{name}: onnxruntime refuses it ({short_reason(error)})") from None
        self.masked, self.paired, self.scale = recipe.kind == "inpaint", recipe.paired, recipe.scale
        self.random, self.z_dim, self.fixed_size = recipe.random, recipe.z.dim if recipe.z else 0, recipe.fixed
        self.strength = recipe.z.default[0] if recipe.z and recipe.z.drawn == "strength" else None

    def channels(self, direction: str) -> tuple[int, int]:
        """Return the number of channels of source and target."""
        return self.recipe.channels

    def max_batch(self, image: PreparedImage) -> int:
        """Return 1: on a CPU, batches gain nothing."""
        return 1

    def run_batch(self, images: Sequence[PreparedImage], request: Request) -> list[PendingResult]:
        """Translate pictures, or fill their holes, once for each variant; raise UserError if they are too large."""
        kept: Any = {"paired": self.paired, "scale": self.scale, "consistent": request.consistent}
        return [PendingResult(self._results(image, request), image.picture, **kept) for image in images]

    def _results(self, image: PreparedImage, request: Request) -> list[Any]:
        if image.hole is not None:
            sizes = {"channels": self.recipe.channels[0], "size": self.recipe.size, "fixed": self.recipe.fixed}
            networks = [partial(self._fill, variant=variant) for variant in request.variants]
            return [fill_pixels(image.picture, image.hole, network, **sizes) for network in networks]
        x, depth = np.asarray(image.network_input), image.picture.pixels.dtype
        hint = None if image.hint is None else np.asarray(image.hint)
        outputs = (self.translate(x, variant, hint, image.name) for variant in request.variants)
        return [to_depth(np.ascontiguousarray(y[0].transpose(1, 2, 0)), depth) for y in outputs]

    def _fill(self, planes: np.ndarray, variant: Variant) -> np.ndarray:
        """Run on (h, w, C + 1), picture and hole in [-1, 1]; return (h, w, C) in [0, 1]."""
        y = self.translate(planes.transpose(2, 0, 1)[None], variant)
        return np.ascontiguousarray(y[0].transpose(1, 2, 0))

    def translate(
        self, x: np.ndarray, variant: Variant, hint: np.ndarray | None = None, name: str = "the picture"
    ) -> np.ndarray:
        """Run on x (1, C, H, W) of any size, float in [-1, 1]; for inpainting, its last channel is the mask.

        Returns:
            (1, C', scale H, scale W) float32 in [0, 1].

        Raises:
            UserError: the picture is too large, or the file makes results of another size than it says.
        """
        self._check_memory(x.shape[2], x.shape[3], name)
        margins = _margins(x.shape[2:], self.recipe)
        source = self.recipe.channels[0]
        padded = _pad(x, margins, 1.0 if self.recipe.sketch else None)
        height, width = padded.shape[2:]
        names = [entry.name for entry in self.recipe.inputs]
        feeds = {names[0]: padded[:, :source]}
        if self.masked:
            feeds["mask"] = padded[:, source:]
        if "hints" in names:
            layer = np.full((1, 4, *x.shape[2:]), -1, np.float32) if hint is None else hint
            feeds["hints"] = _pad(layer, margins, -1.0)
        feeds |= self._drawn(names, variant, height, width)
        y = self.run(feeds)
        if y.shape != (1, self.recipe.channels[1], self.scale * height, self.scale * width):
            raise UserError(f"{self._name}: makes a result of shape {y.shape} of {width} x {height} px")
        rows, columns = (
            slice(self.scale * before, self.scale * (before + side))
            for (before, _), side in zip(margins, x.shape[2:], strict=True)
        )
        y = y[:, :, rows, columns]
        return ((y + np.float32(1)) / np.float32(2)).clip(0, 1)

    def run(self, feeds: dict[str, np.ndarray]) -> np.ndarray:
        """Run the graph as it is; raise UserError if it fails."""
        contiguous = {name: np.ascontiguousarray(array, np.float32) for name, array in feeds.items()}
        try:
            return self._session.run([self.recipe.output], contiguous)[0]
        except Exception as error:
            raise UserError(f"{self._name}: onnxruntime cannot run it ({short_reason(error)})") from None

    def _drawn(self, names: list[str], variant: Variant, height: int, width: int) -> dict[str, np.ndarray]:
        """Return the style code and the noise of a variant, as the model itself draws them from a seed."""
        feeds = {}
        if "z" in names:
            feeds["z"] = self.style_code(variant)[None]
        noise = TorchNoise(variant.seed or 0)
        for entry in self.recipe.inputs:
            if "noise" in entry.name:
                factor = 8 if "height/8" in entry.shape else 1
                feeds[entry.name] = noise.normal(1, int(entry.shape[1]), height // factor, width // factor)
        return feeds

    def style_code(self, variant: Variant) -> np.ndarray:
        """Return the z of a variant, (z_dim,) float32: given, drawn from its seed, or the default."""
        z = self.recipe.z
        assert z is not None
        if variant.z is not None:
            return np.asarray(variant.z, np.float32)
        if variant.seed is None or z.drawn == "strength":
            return np.array(z.default, np.float32)
        rng = np.random.default_rng(variant.seed)
        if z.drawn == "looks":
            looks = np.array(z.looks, np.float32)
            chosen = looks[int(rng.integers(len(looks)))]
            return chosen + np.float32(LOOK_JITTER) * looks.std(0, ddof=1) * rng.standard_normal(z.dim, np.float32)
        return (rng.uniform(-1, 1, z.dim) if z.drawn == "uniform" else rng.standard_normal(z.dim)).astype(np.float32)

    def _check_memory(self, height: int, width: int, name: str) -> None:
        needed, free = height * width * self.recipe.bytes_per_pixel, psutil.virtual_memory().available
        if needed > free:
            raise UserError(
                f"{name}: {width} x {height} px take about {needed / 2**30:.1f} GB, and {free / 2**30:.1f} GB are free;"
                " an ONNX file does not work tile by tile, the model that it was exported from does"
            )


def check_precision(path: str | Path, recipe: OnnxRecipe, precision: str) -> None:
    """Raise OptionError for another precision than that of the file."""
    if precision not in ("auto", recipe.precision):
        raise OptionError(f"{path}: was exported in {recipe.precision}; leave out --precision {precision}")


def _providers(device: str, available: Sequence[str]) -> list[str]:
    """Return the execution providers for a device; raise OptionError if there is none."""
    if device.startswith("cuda") and "CUDAExecutionProvider" not in available:
        raise OptionError(f"--device {device}: this onnxruntime runs on the CPU alone; install onnxruntime-gpu")
    if device not in ("auto", "cpu") and not device.startswith("cuda"):
        raise OptionError(f"--device {device} is unknown to ONNX files; choose auto, cpu or cuda")
    wanted = ["CPUExecutionProvider"] if device == "cpu" else ["CUDAExecutionProvider", "CPUExecutionProvider"]
    return [name for name in wanted if name in available]


def _margins(size: tuple[int, ...], recipe: OnnxRecipe) -> list[tuple[int, int]]:
    """Return what is missing above and below, left and right, as `images.tensors.pad_to_multiple`."""
    missing = [-(-max(side, recipe.min_side) // recipe.multiple) * recipe.multiple - side for side in size]
    return [(gap // 2, gap - gap // 2) for gap in missing]


def _pad(x: np.ndarray, margins: Sequence[tuple[int, int]], value: float | None) -> np.ndarray:
    """Pad (1, C, H, W) with a value; None: by reflection, or the edge of what is too small to be reflected."""
    for axis, margin in zip((2, 3), margins, strict=True):
        widths = [(0, 0)] * 4
        widths[axis] = margin
        if value is not None:
            x = np.pad(x, widths, constant_values=value)
        elif any(margin):
            x = np.pad(x, widths, "reflect" if max(margin) < x.shape[axis] else "edge")
    return x


def to_network(planes: np.ndarray) -> np.ndarray:
    """Convert (H, W, C) of any depth to (1, C, H, W) float32 in [-1, 1]."""
    if planes.dtype == np.uint8:
        return (planes.astype(np.float32) / np.float32(127.5) - np.float32(1)).transpose(2, 0, 1)[None]
    return (to_depth(planes, np.float32) * np.float32(2) - np.float32(1)).transpose(2, 0, 1)[None]
