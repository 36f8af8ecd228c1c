"""Whether a file computes what the model computes: both run on the same real pictures, in turns."""

__all__ = ["MAX_DIFFERENCE", "Case", "Row", "compare", "make_cases", "parity_table"]

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from translate.checkpoints.recipe import Recipe
from translate.export.pictures import hole_mask, strokes, to_size
from translate.images.tensors import from_uint8
from translate.inference.onnx.noise import TorchNoise
from translate.inference.onnx.recipe import OnnxRecipe
from translate.tasks import TASKS

if TYPE_CHECKING:
    from rich.table import Table

MAX_DIFFERENCE = 1e-4  # of outputs in [-1, 1], in fp32
TURNS = 3  # of either, of which the fastest counts
SEED = 1
MIN_CELLS = 2  # multiples of the network's in a picture: norms need more than one value
Feeds = dict[str, np.ndarray]
Run = Callable[[Feeds], np.ndarray]


@dataclass(frozen=True)
class Case:
    """Inputs of one comparison."""

    feeds: Feeds  # by name of the input
    batch: int
    height: int
    width: int

    @property
    def title(self) -> str:
        """The size in words."""
        return f"{self.batch} x {self.width} x {self.height}"


@dataclass(frozen=True)
class Row:
    """What a comparison has found."""

    title: str
    difference: float  # the largest, of outputs in [-1, 1], from those of the model in float64
    own_difference: float  # that of the model in fp32, whose norms of flat pictures lose digits
    psnr: float  # dB; infinite if both are equal
    own_seconds: float  # of the model
    seconds: float  # of the file


def make_cases(recipe: OnnxRecipe, pictures: Sequence[np.ndarray]) -> list[Case]:
    """Return three sizes, and a batch of two: the trained size, a wide one, and a small one."""
    if recipe.fixed:
        sizes = [(1, recipe.fixed, recipe.fixed), (2, recipe.fixed, recipe.fixed), (3, recipe.fixed, recipe.fixed)]
    else:
        step = recipe.multiple
        side = max(MIN_CELLS * step, -(-recipe.size // step) * step)
        if recipe.multiple >= recipe.size:  # a U-Net as deep as its pictures are large
            side = step
        small = max(min(side, MIN_CELLS * step), side // 2 // step * step)
        wide = -(-3 * side // 2 // step) * step
        third = (1, small, small) if small < side else (1, 2 * side, side)
        sizes = [(1, side, side), (1, side, wide), third, (2, side, side)]
    return [make_case(recipe, pictures, *size) for size in sizes]


def make_case(recipe: OnnxRecipe, pictures: Sequence[np.ndarray], batch: int, height: int, width: int) -> Case:
    """Return the inputs of one size, from the first `batch` pictures."""
    chosen = [pictures[i % len(pictures)] for i in range(batch)] if recipe.channels[0] else []
    planes = [to_size(picture, recipe.channels[0], height, width) for picture in chosen]
    feeds: Feeds = {}
    rng, noise = np.random.default_rng(SEED), TorchNoise(SEED)
    for entry in recipe.inputs:
        if entry.name == "mask":
            made = np.repeat(_to_chw(hole_mask(height, width)), batch, 0)
        elif entry.name == "hints":
            made = np.concatenate([_to_chw(strokes(picture)) for picture in planes])
        elif entry.name == "label":
            made = np.eye(int(entry.shape[1]), dtype=np.float32)[rng.integers(int(entry.shape[1]), size=batch)]
        elif entry.name == "z":
            strength = recipe.z is not None and recipe.z.drawn == "strength"
            made = rng.random((batch, 1)) if strength else rng.standard_normal((batch, int(entry.shape[1])))
        elif "noise" in entry.name:
            factor = 8 if "height/8" in entry.shape else 1
            made = np.repeat(noise.normal(1, int(entry.shape[1]), height // factor, width // factor), batch, 0)
        else:
            made = from_uint8(torch.from_numpy(np.stack(planes).transpose(0, 3, 1, 2))).numpy()
        feeds[entry.name] = np.ascontiguousarray(made, np.float32)
    return Case(feeds, batch, height, width)


def _to_chw(planes: np.ndarray) -> np.ndarray:
    return planes.transpose(2, 0, 1)[None]


def own_run(recipe: Recipe, nets: nn.ModuleDict, direction: str, dtype: torch.dtype = torch.float32) -> Run:
    """Return the pass of the model itself, as `Task.predict` defines it, with noise drawn by the same seed."""
    nets = copy.deepcopy(nets).to(dtype)
    task = TASKS[recipe.task]
    key = {"masked": "image", "images": "image", "reduced": "small"}.get(task.data) or (
        direction[0] if len(recipe.directions) > 1 else "a"
    )

    @torch.inference_mode()
    def run(feeds: Feeds) -> np.ndarray:
        given = {name: torch.from_numpy(array).to(dtype) for name, array in feeds.items()}
        names = {"picture": key, "mask": "mask", "hints": "hint", "label": "label"}
        batch: dict[str, Tensor] = {names[name]: x for name, x in given.items() if name in names}
        if "picture" in given:
            batch[key] = batch[key].contiguous(memory_format=torch.channels_last)
        options: dict[str, Any] = {"z": given["z"]} if "z" in given else {}
        y = task.predict(nets, batch, direction=direction, seed=SEED, **options)
        return y.contiguous().numpy()

    return run


def compare(cases: Sequence[Case], own: Run, other: Run, exact: Run) -> list[Row]:
    """Run both on each case in turns, and compare the results with those of `exact`, the model in float64.

    Networks that insist on float32 in between have no pass in float64; their own result is then what counts.
    """
    rows = []
    for case in cases:
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(TURNS):
            results = []
            for run, times in zip((own, other), seconds, strict=True):
                start = time.perf_counter()
                results.append(run(case.feeds))
                times.append(time.perf_counter() - start)
        mine, found = results
        try:
            expected = exact(case.feeds)
        except RuntimeError:
            expected = mine
        error = found.astype(np.float64) - expected
        difference = float(np.abs(error).max()) if np.isfinite(found).all() else float("inf")
        square = float(np.square(error).mean())
        psnr = 10 * np.log10(4 / square) if square else float("inf")
        own_difference = float(np.abs(mine.astype(np.float64) - expected).max())
        rows.append(Row(case.title, difference, own_difference, float(psnr), min(seconds[0]), min(seconds[1])))
    return rows


def parity_table(rows: Sequence[Row], title: str, other: str) -> "Table":
    """Return the rows as a table for the terminal; `other` is the program that ran the file."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left")
    for column in ("batch x px", "difference", "torch's own", "PSNR, dB", "torch, s", f"{other}, s", "speed"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        speed = f"{row.own_seconds / row.seconds:.2f} x"
        times = f"{row.own_seconds:.3f}", f"{row.seconds:.3f}"
        differences = f"{row.difference:.1e}", f"{row.own_difference:.1e}"
        table.add_row(row.title, *differences, f"{row.psnr:.1f}", *times, speed)
    return table
