"""The networks of a model as one pass over pictures of any size: padding, precision, and the memory that it takes."""

__all__ = ["ModelRunner", "Tiled", "ProgressCallback"]

import copy
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import DTypeLike
from torch import Tensor, nn

from translate.checkpoints.recipe import Recipe
from translate.images.tensors import HostCopy, pad_to_multiple, to_device
from translate.inference.norm_statistics import Statistics
from translate.inference.precision import Mode, Pass, arranged, pick_inference_precision
from translate.inference.request import Variant
from translate.inference.tiling.engine import run_tiled
from translate.inference.tiling.feature_maps import choose_memory_plan
from translate.inference.tiling.regions import Region, crop
from translate.inference.tiling.trace import NotTileable, plan_tiling
from translate.tasks import TASKS
from translate.utils import memory
from translate.utils.concurrency import CpuSlots
from translate.utils.device import autocast
from translate.utils.errors import OptionError, UserError

ProgressCallback = Callable[[str, float], None]  # what is being done, and which share of it is
_MINIMUM = 16  # px; below, networks that shrink a picture leave their norms nothing to average over
_PROBE = 64  # px of the smaller picture that memory is measured with
_ALWAYS_FITS = 2**20  # pixels; memory is not asked about for pictures up to this
_BESIDE = 40  # bytes a pixel of the copies around the networks' pass, of three channels on both sides
_SIDE = 512  # px; a picture up to the square of this is worth one core, and a larger one all
_TRIED = 256  # px at most, of the picture that precisions are compared on
_MOST = 32  # pictures of a batch
_CELL = 512  # px; the neighbourhoods of local statistics


@dataclass(frozen=True)
class Tiled:
    """A picture that is read and written region by region.

    Attributes:
        size: height and width, px.
        read: gives a region, (1, C, h, w), uint8 or float in [-1, 1].
        write: takes a region of the result, (1, C', h, w).
        fixed: bytes that the result takes in memory.
        small: gives the picture, or a smaller copy of it, (1, C, h, w), for its statistics.
    """

    size: tuple[int, int]
    read: Callable[[Region], Tensor]
    write: Callable[[Region, Tensor], None]
    fixed: int
    small: Callable[[], Tensor]


class ModelRunner:
    """A pass through the networks of a model.

    Attributes:
        recipe: what the model is.
        nets: its networks, in eval mode and frozen.
        device: where they compute.
        mode: precision and layout that they compute in.
        note: why those, in a line; "" where nothing was measured.
        z_dim: numbers in a look; 0: there is none.
        random: whether a seed changes the answer.
        draws: whether the networks themselves draw numbers, from torch's one generator: then one pass at a time.
        masked: whether it fills holes: its sources have one more channel, last, that is 1 in the hole and -1 elsewhere.
        fixed: px; where the networks take squares of this side alone. 0: they take any size.
        usual: the direction that it goes if not told; "": it has none.
        memory: bytes that the process may hold; None: half of what is free.
        statistics: what the networks normalise a picture by.
    """

    def __init__(
        self, recipe: Recipe, nets: nn.ModuleDict, device: torch.device, precision: str = "fp32",
        memory: int | None = None,
    ) -> None:  # fmt: skip
        self.memory, self.statistics = memory, Statistics()
        nets = nets.to(device).eval().requires_grad_(False)
        self.recipe, self.device = recipe, device
        self.z_dim = max(int(getattr(net, "z_dim", 0)) for net in nets.values())
        self.random = self.z_dim > 0 or any(getattr(net, "random", False) for net in nets.values())
        self._one_by_one = self.random and not self.z_dim
        self.masked = TASKS[recipe.task].data == "masked"
        self.draws = self._one_by_one or (self.random and self.masked)
        self.usual = recipe.directions[0] if recipe.directions else ""
        self.fixed = max(int(getattr(net, "fixed", 0)) for net in nets.values())
        self._multiple = self.fixed or max(int(getattr(net, "multiple", 1)) for net in nets.values())
        self.mode, self.note = pick_inference_precision(
            partial(self._prepared, nets), device, precision, min(max(recipe.size, 64), _TRIED)
        )
        self._given, self.nets = nets, arranged(nets, self.mode)

    def steadied(self, stats: str, references: Mapping[str, Tensor | None], name: str) -> "ModelRunner":
        """Return the same networks with other `Statistics`.

        Raises:
            OptionError: as `Statistics`, or the model's pictures cannot go through tile by tile, as local ones must.
        """
        if stats == "local" and not self.can_tile:
            raise OptionError("local statistics are not for models of line drawings or with hints; choose frozen")
        other = copy.copy(self)
        other.statistics = Statistics(stats, references, name, self.recipe.size)
        return other

    def arranged(self, mode: Mode) -> "ModelRunner":
        """Return the same in a mode that another run has chosen."""
        other = copy.copy(self)
        other.mode, other.nets = mode, arranged(self._given, mode)
        return other

    def places(self, direction: str) -> tuple[str, str]:
        """Return where source and target of `direction` stand in a batch: ("a", "b"), ("b", "a"), or both "image"."""
        if self.masked:
            return "image", "image"
        if len(self.recipe.directions) == 1:  # its data were turned round before it was trained
            return "a", "b"
        return direction[0], direction[1]

    def channels(self, direction: str) -> tuple[int, int]:
        """Return how many channels the pictures of source and target of `direction` have."""
        source, target = self.places(direction)
        return self.recipe.channels[source], self.recipe.channels[target]

    def __call__(
        self, x: Tensor, direction: str, answer: Variant, hint: Tensor | None = None, name: str = "the picture"
    ) -> Tensor:
        """Translate a batch.

        Args:
            x: (B, C, H, W) in [-1, 1] or uint8, any size; for a model that fills holes (B, C + 1, H, W), the hole as
                last plane.
            direction: "ab" or "ba".
            answer: which of the model's answers.
            hint: (1 or B, 4, H, W) RGBA in [-1, 1].
            name: what errors call the picture.

        Returns:
            (B, C', H, W) float32 in [-1, 1] on the device.

        Raises:
            UserError: its pass would take more memory than there is.
        """
        batch, _, height, width = x.shape
        self.check_memory(batch, height, width, name)
        # Chance inside the networks is drawn for a whole batch: by itself, each picture meets the same.
        pieces = x.split(1 if self._one_by_one or self.statistics.each else len(x))
        hints = [None] * len(pieces) if hint is None else hint.expand(len(x), -1, -1, -1).split(len(pieces[0]))
        nets = partial(self._nets_for, direction, answer)
        try:
            passes = zip(pieces, hints, strict=True)
            return torch.cat([self._run(nets(p, h), self.mode, p, direction, answer, h) for p, h in passes])
        except RuntimeError as error:  # the estimate was too low, or others took the memory meanwhile
            if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
                raise self._too_large(batch, height, width, name, memory.free_bytes(self.device) or 0) from None
            raise

    def _nets_for(
        self, direction: str, answer: Variant, x: Tensor, hint: Tensor | None = None, whole: bool = True
    ) -> nn.ModuleDict:
        """Return the networks that normalise x as is asked."""

        def run(nets: nn.ModuleDict, small: Tensor) -> None:
            layer = None if hint is None else F.interpolate(hint, small.shape[2:])
            self._run(nets, self.mode, small, direction, answer, layer)

        return self.statistics.nets_for(self.nets, x, direction, answer, run, whole)

    @property
    def can_tile(self) -> bool:
        """Whether pictures can be translated tile by tile, as far as the model's kind tells."""
        return not (self.masked or "hint" in self.recipe.channels or self.recipe.facts.get("sketch"))

    def tile_if_needed(
        self, x: Tensor, direction: str, answer: Variant, dtype: DTypeLike, name: str, watch: ProgressCallback
    ) -> np.ndarray | None:
        """Translate a picture tile by tile if one pass would take more memory than it may; None: it would not.

        Args:
            x: (1, C, H, W), uint8 or float in [-1, 1].
            direction: "ab" or "ba".
            answer: which of the model's answers.
            dtype: of the result.
            name: what errors call the picture.
            watch: told, of a picture over a megapixel, what is done, and then which share of it.

        Returns:
            (H, W, C') of `dtype`.

        Raises:
            UserError: it needs more memory all the same, or the network cannot be taken apart.
        """
        height, width = x.shape[2:]
        budget = self._budget(height, width)
        if budget is None or not self.can_tile:
            return None
        result = np.empty((height, width, self.channels(direction)[1]), dtype)

        def write(region: Region, y: Tensor) -> None:
            result[region.top : region.bottom, region.left : region.right] = HostCopy(y, dtype).array(0)

        whole = Region(0, height, 0, width)
        tiled = Tiled((height, width), partial(crop, x, whole), write, result.nbytes, lambda: x)
        try:
            self.run_tiles(tiled, direction, answer, budget, name, watch)
        except NotTileable:
            if self.memory is None and self.statistics.kind != "local":
                return None  # then it has to be one pass, which may yet find its memory
            raise
        return result

    def run_tiles(
        self, tiled: Tiled, direction: str, answer: Variant, budget: int, name: str, watch: ProgressCallback
    ) -> None:  # fmt: skip
        """Translate a picture tile by tile, in so many bytes; else as `tile_if_needed`.

        Raises:
            NotStreamable: the network cannot be taken apart.
            UserError: the picture needs more memory all the same.
        """
        height, width = tiled.size
        nets = self._nets_for(direction, answer, tiled.small(), whole=False)
        net, z = TASKS[self.recipe.task].generator_for(nets, direction, answer.z, answer.seed)
        z = None if z is None else z.to(self.device)
        rows, columns = (_mirrored(side, self._multiple) for side in (height, width))
        plan = plan_tiling(net, self.channels(direction)[0], len(rows), len(columns), z)
        computed = torch.bfloat16 if self.mode.precision == "bf16" else torch.float32
        workers = torch.get_num_threads() if self.device.type == "cpu" else 1
        per_pixel = self._bytes_per_pixel + self._beside
        memory_plan = choose_memory_plan(
            plan, budget, per_pixel, tiled.fixed, name, compute_dtype=computed, workers=workers
        )
        memory_plan = replace(memory_plan, norm_cell=_CELL if self.statistics.kind == "local" else 0)
        where, peak = "in files" if memory_plan.on_disk else "in memory", memory.gigabytes(memory_plan.peak_bytes)
        said = f"{name}: {width} x {height} px in tiles of {memory_plan.tile} px, about {peak}, {where}"
        advance = partial(watch, said) if height * width > _ALWAYS_FITS else lambda share: None
        top, left = ((len(rows) - height) // 2, (len(columns) - width) // 2)
        layout = torch.channels_last if self.mode.channels_last else torch.contiguous_format

        def picture(region: Region) -> Tensor:
            down, along = rows[region.top : region.bottom], columns[region.left : region.right]
            box = Region(int(down.min()), int(down.max()) + 1, int(along.min()), int(along.max()) + 1)
            part = tiled.read(box)[:, :, down - box.top][..., along - box.left]
            return to_device(part, self.device).contiguous(memory_format=layout)

        def write(region: Region, y: Tensor) -> None:
            inside = region.shift(-top, -left).clip(height, width)
            tiled.write(inside, crop(y, region, inside.shift(top, left)))

        context = partial(autocast, self.device, self.mode.precision)
        run_tiled(
            plan, picture, write, z=z, memory_plan=memory_plan, device=self.device, advance=advance, context=context
        )

    def room(self) -> int | None:
        """Return the bytes that a picture may take beside what is held already, or None where nothing tells."""
        if self.memory is not None:
            return self.memory - memory.resident_bytes()
        free = memory.free_bytes(self.device)
        return None if free is None else free // 2  # others want some of it, too

    def _budget(self, height: int, width: int) -> int | None:
        """Return the bytes that a picture may take in tiles, or None where it is to go through in one pass."""
        if self.statistics.kind == "local":
            room = self.room()
            return sys.maxsize if room is None else room
        if height * width <= _ALWAYS_FITS and self.memory is None:
            return None
        free = self.room()
        return free if free is not None and self.peak_bytes(height, width) > free else None

    def look(self, photos: Tensor) -> Tensor:
        """Read z back from pictures of the target domain: (B, C, H, W) in [-1, 1] to (B, z_dim) float32."""
        task, encoder = TASKS[self.recipe.task], self.nets["E"]
        x, _ = pad_to_multiple(to_device(photos, self.device), int(getattr(encoder, "multiple", 1)), _MINIMUM)
        with torch.inference_mode(), autocast(self.device, self.mode.precision):
            return task.look(self.nets, x).float()  # type: ignore[attr-defined]

    def batch_of(self, height: int, width: int) -> int:
        """Return how many pictures of this size travel together at best: on a CPU each by itself, from core to core."""
        together = self.device.type == "cuda" and not self.statistics.each
        return max(1, min(_MOST, _ALWAYS_FITS // (height * width))) if together else 1

    def lanes(self) -> CpuSlots:
        """Return as many lanes as there are cores for small pictures, and memory; one where that cannot be."""
        threads = torch.get_num_threads()
        if self.device.type != "cpu" or self.draws or self.statistics.in_order:
            return CpuSlots(1)
        free = memory.free_bytes(self.device) if threads * _SIDE**2 > _ALWAYS_FITS else None
        fitting = threads if free is None else free // self.peak_bytes(_SIDE, _SIDE)
        return CpuSlots(max(1, min(threads, fitting)))

    def is_small(self, height: int, width: int) -> bool:
        """Whether a picture is to be translated on one core, with others on the others."""
        return height * width <= _SIDE**2 and self.statistics.kind != "local"

    def peak_bytes(self, height: int, width: int) -> int:
        """Estimate the memory that translating a picture of height x width px takes, beside the model."""
        rows, columns = (-(-max(size, _MINIMUM) // self._multiple) * self._multiple for size in (height, width))
        return round(rows * columns * (self._bytes_per_pixel + self._beside))

    def check_memory(self, batch: int, height: int, width: int, name: str) -> None:
        """Raise UserError if so many pictures of this size would take more memory than there is."""
        if batch * height * width > _ALWAYS_FITS:
            free = memory.free_bytes(self.device)
            if free is not None and batch * self.peak_bytes(height, width) > free:
                raise self._too_large(batch, height, width, name, free)

    def _too_large(self, batch: int, height: int, width: int, name: str, free: int) -> UserError:
        need, there = memory.gigabytes(batch * self.peak_bytes(height, width)), memory.gigabytes(free)
        return UserError(
            f"{name}: {width} x {height} px would need about {need} of memory, {there} are free;"
            " shrink it first or use a machine with more memory"
        )

    @property
    def _beside(self) -> float:
        return _BESIDE * max(1.0, sum(self.channels(self.usual)) / 6)

    @cached_property
    def _bytes_per_pixel(self) -> float:
        # Counted in fp32 for both precisions: with bf16 the tensors take less, the backend's own copies more.
        small = max(_PROBE, self._multiple)  # smaller, both probes would be padded to the same size
        exact = Mode("fp32", self.mode.channels_last)
        return memory.bytes_per_pixel(self._prepared(copy.deepcopy(self.nets).float(), exact), self.device, small)

    def _prepared(self, nets: nn.ModuleDict, mode: Mode) -> Pass:
        """Return what runs the usual direction of `nets` in that mode."""
        return partial(self._probe, arranged(nets, mode), mode)

    def _probe(self, nets: nn.ModuleDict, mode: Mode, x: Tensor) -> Tensor:
        """Run the usual direction on (B, 3, H, W), whatever the model's channels and sizes are."""
        channels, _ = self.channels(self.usual)
        fitting = x if channels == 3 else x[:, :1].expand(-1, channels, -1, -1)
        if self.masked:
            fitting = torch.cat([fitting, _hole_in_the_middle(x)], 1)
        return self._run(nets, mode, _tiles(fitting, self.fixed) if self.fixed else fitting, self.usual, Variant())

    def _run(
        self, nets: nn.ModuleDict, mode: Mode, x: Tensor, direction: str, answer: Variant, hint: Tensor | None = None
    ) -> Tensor:
        x = to_device(x, self.device)
        padded, inside = pad_to_multiple(x, self._multiple, _MINIMUM)
        if self.recipe.facts.get("sketch"):  # a mirrored edge would draw lines that are not there
            padded = _framed(x, 1.0, padded, inside)
        source, _ = self.channels(direction)
        layout = torch.channels_last if mode.channels_last else torch.contiguous_format
        batch = {self.places(direction)[0]: padded[:, :source].contiguous(memory_format=layout)}
        if self.masked:
            batch["mask"] = padded[:, source:]
        if "hint" in self.recipe.channels:
            layer = x.new_full((1, self.recipe.channels["hint"], *x.shape[2:]), -1.0) if hint is None else hint
            batch["hint"] = _framed(layer.to(x), -1.0, padded, inside)
        looks = None if answer.z is None else answer.z.to(self.device).expand(len(x), -1)
        chance = {name: value for name, value in (("z", looks), ("seed", answer.seed)) if value is not None}
        with torch.inference_mode(), autocast(self.device, mode.precision):
            y = TASKS[self.recipe.task].predict(nets, batch, direction=direction, **chance)
        assert y.shape[2:] == padded.shape[2:], (y.shape, padded.shape)
        return y[(..., *inside)].float()


def _mirrored(side: int, multiple: int) -> Tensor:
    """Return the rows, or columns, of a picture of `side` px that `pad_to_multiple` puts one after the other."""
    line = torch.arange(side, dtype=torch.float64).view(1, 1, side, 1).expand(1, 1, side, max(multiple, _MINIMUM))
    return pad_to_multiple(line, multiple, _MINIMUM)[0][0, 0, :, 0].long()


def _hole_in_the_middle(x: Tensor) -> Tensor:
    """Return a plane (B, 1, H, W) for pictures of that size that is 1 in its middle and -1 elsewhere."""
    plane = x.new_full((len(x), 1, *x.shape[2:]), -1.0)
    height, width = x.shape[2:]
    plane[..., height // 4 : -(height // 4), width // 4 : -(width // 4)] = 1
    return plane


def _tiles(x: Tensor, side: int) -> Tensor:
    """Cut (B, C, H, W) into (B', C, side, side), after filling up the last row and column of tiles."""
    x, _ = pad_to_multiple(x, side)
    rows = torch.cat(x.split(side, dim=2))
    return torch.cat(rows.split(side, dim=3))


def _framed(x: Tensor, ground: float, like: Tensor, inside: tuple[slice, slice]) -> Tensor:
    """Put x (B or 1, C, h, w) inside a plain ground of the batch and size of `like`."""
    framed = like.new_full((len(like), x.shape[1], *like.shape[2:]), ground)
    framed[(..., *inside)] = x
    return framed
