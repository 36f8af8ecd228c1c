"""The networks of a model as passes over pictures of any size: batches, padding, precision, statistics, memory."""

__all__ = ["ModelRunner"]

import copy
import sys
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.checkpoints.recipe import Recipe
from translate.images.picture import Picture
from translate.images.tensors import HostCopy, pad_to_multiple, to_device
from translate.inference.inpainting import Network, fill_hole
from translate.inference.memory_budget import ALWAYS_FITS_PX, MIN_SIDE_PX, MemoryBudget
from translate.inference.norm_statistics import NormStatistics
from translate.inference.postprocess import PendingResult
from translate.inference.precision import Mode, Pass, apply_mode, pick_mode
from translate.inference.request import PreparedImage, Request, Variant
from translate.inference.tiled_pass import ProgressCallback, TiledImage, run_tiled_pass
from translate.inference.tiling.trace import NotTileable
from translate.tasks import TASKS
from translate.utils import memory
from translate.utils.concurrency import CpuSlots
from translate.utils.device import autocast
from translate.utils.errors import OptionError

MEMORY_PROBE_PX = 64  # side of the smaller of two probes, whose difference is the memory of a pixel
ONE_CORE_MAX_SIDE_PX = 512  # a picture up to its square is computed on one core: more would wait for each other
PRECISION_TRIAL_PX = 256  # largest picture that precisions are compared on, so that loading stays fast
MAX_BATCH = 32  # pictures; for small ones, of which ALWAYS_FITS_PX would allow hundreds
LOCAL_NORM_CELL_PX = 512  # side of the neighbourhoods of local statistics: no smaller than the usual training pictures


class ModelRunner:
    """Runs the networks of a model.

    Attributes:
        recipe: the model's.
        nets: its networks, in eval mode and frozen.
        device: where they compute.
        mode: their precision and layout.
        note: one line on why that mode; "" if nothing was measured.
        z_dim: size of a style code; 0: the model has none.
        random: whether a seed changes the result.
        uses_global_rng: whether the networks draw from torch's global generator, so that passes cannot run in parallel.
        masked: whether it is for inpainting: its sources have one more channel, last, 1 in the hole and -1 elsewhere.
        paired: whether it learned from pairs.
        fixed_size: side of the only squares that the networks take, px; 0: they take any size.
        default_direction: "" if there are no directions.
        memory: what passes take, and what is free for them.
        statistics: by which the networks normalise pictures.
        on_progress: called while a picture of more than a megapixel is translated tile by tile.
    """

    def __init__(
        self, recipe: Recipe, nets: nn.ModuleDict, device: torch.device, precision: str = "fp32",
        memory: int | None = None,
    ) -> None:  # fmt: skip
        nets = nets.to(device).eval().requires_grad_(False)
        self.recipe, self.device, self.statistics = recipe, device, NormStatistics()
        self.on_progress: ProgressCallback = lambda doing, share: None
        # 1. what the model is
        self.z_dim = max(int(getattr(net, "z_dim", 0)) for net in nets.values())
        self.random = self.z_dim > 0 or any(getattr(net, "random", False) for net in nets.values())
        self.masked, self.paired = (TASKS[recipe.task].data == kind for kind in ("masked", "paired"))
        self._one_by_one = self.random and not self.z_dim  # dropout draws for a whole batch
        self.uses_global_rng = self._one_by_one or (self.random and self.masked)
        self.default_direction = recipe.directions[0] if recipe.directions else ""
        self.fixed_size = max(int(getattr(net, "fixed", 0)) for net in nets.values())
        self._multiple = self.fixed_size or max(int(getattr(net, "multiple", 1)) for net in nets.values())
        # 2. how it computes here
        trial_size = min(max(recipe.size, 64), PRECISION_TRIAL_PX)
        self.mode, self.note = pick_mode(partial(self._probe_pass, nets), device, precision, trial_size)
        self._original_nets, self.nets = nets, apply_mode(nets, self.mode)
        channels = sum(self.channels(self.default_direction))
        self.memory = MemoryBudget(
            device, memory, multiple=self._multiple, channels=channels, measure=self._measure_bytes_per_pixel
        )

    def with_norm_statistics(self, kind: str, references: Mapping[str, Tensor | None], name: str) -> "ModelRunner":
        """Return the same networks with other `NormStatistics`.

        Raises:
            OptionError: as for `NormStatistics`, or local ones for a model that cannot run tile by tile.
        """
        if kind == "local" and not self.can_tile:
            raise OptionError("local statistics are not for models of line drawings or with hints; choose frozen")
        other = copy.copy(self)
        other.statistics = NormStatistics(kind, references, name, self.recipe.size)
        return other

    def with_mode(self, mode: Mode) -> "ModelRunner":
        """Return the same networks in the mode that another run has chosen."""
        other = copy.copy(self)
        other.mode, other.nets = mode, apply_mode(self._original_nets, mode)
        return other

    def batch_keys(self, direction: str) -> tuple[str, str]:
        """Return the keys of source and target in a batch: ("a", "b"), ("b", "a"), or both "image"."""
        if self.masked:
            return "image", "image"
        if len(self.recipe.directions) == 1:  # the data of a one-way model are swapped before training
            return "a", "b"
        return direction[0], direction[1]

    def channels(self, direction: str) -> tuple[int, int]:
        """Return the number of channels of source and target."""
        source, target = self.batch_keys(direction)
        return self.recipe.channels[source], self.recipe.channels[target]

    # ---- batches

    def run_batch(self, images: Sequence[PreparedImage], request: Request) -> list[PendingResult]:
        """Run the networks on pictures of one `batch_key`; those with a hint or a hole must come alone.

        Raises:
            UserError: the pass would take more memory than there is.
        """
        first, direction = images[0], request.direction
        # 1. fill a hole window by window
        if first.hole is not None:
            return [PendingResult(self._fill_hole(first, request), first.picture)]
        # 2. translate a picture that is too large for one pass tile by tile
        if len(images) == 1 and (arrays := self._run_if_tiled(first, request)) is not None:
            return [PendingResult(arrays, first.picture, self.paired)]
        # 3. run the networks once for each variant
        inputs = [image.network_input for image in images if image.network_input is not None]
        x = torch.cat(inputs) if len(inputs) > 1 else inputs[0]
        outputs = (self(x, direction, variant, first.hint, first.name) for variant in request.variants)
        # 4. start to copy each result to the host, while the next one is computed
        copies = [HostCopy(y, first.picture.pixels.dtype) for y in outputs]
        return [PendingResult(copies, image.picture, self.paired, i) for i, image in enumerate(images)]

    def _fill_hole(self, image: PreparedImage, request: Request) -> list[Picture]:
        """Return a picture with its hole filled by each variant."""
        assert image.hole is not None
        channels, _ = self.channels(request.direction)
        sizes = {"channels": channels, "size": self.recipe.size, "fixed": self.fixed_size}
        networks = (self.network(request.direction, variant, name=image.name) for variant in request.variants)
        return [fill_hole(image.picture, image.hole, network, **sizes) for network in networks]

    def max_batch(self, image: PreparedImage) -> int:
        """Return how many pictures like this one to run in one batch; 1 on a CPU, where each runs on its own core.

        Deep pictures run alone: in a batch, the last of their 16 bits may differ.
        """
        plain = image.network_input is not None and image.network_input.dtype == torch.uint8 and image.hint is None
        return self._max_batch(*image.size) if plain else 1

    def _max_batch(self, height: int, width: int) -> int:
        batches = self.device.type == "cuda" and not self.statistics.per_picture
        return max(1, min(MAX_BATCH, ALWAYS_FITS_PX // (height * width))) if batches else 1

    def cpu_slots(self) -> CpuSlots:
        """Return as many slots for small pictures as there are cores, and memory; one if passes must not overlap."""
        threads = torch.get_num_threads()
        if self.device.type != "cpu" or self.uses_global_rng or self.statistics.sequential:
            return CpuSlots(1)
        side = ONE_CORE_MAX_SIDE_PX
        free = memory.free_bytes(self.device) if threads * side**2 > ALWAYS_FITS_PX else None
        count = threads if free is None else free // self.memory.peak_bytes(side, side)
        return CpuSlots(max(1, min(threads, count)))

    def is_small(self, image: PreparedImage) -> bool:
        """Whether a picture is to be translated on one core, with others on the others."""
        height, width = image.size
        return height * width <= ONE_CORE_MAX_SIDE_PX**2 and self.statistics.kind != "local"

    # ---- one pass

    def network(self, direction: str, variant: Variant, hint: Tensor | None = None, name: str = "") -> Network:
        """Return the pass of a variant as a function of its input alone."""
        return lambda x: self(x, direction, variant, hint, name)

    def __call__(
        self, x: Tensor, direction: str, variant: Variant, hint: Tensor | None = None, name: str = "the picture"
    ) -> Tensor:
        """Translate a batch x (B, C, H, W) in one pass to (B, C', H, W) float32 in [-1, 1] on the device.

        x is uint8 or float in [-1, 1], of any size; for inpainting, the hole is its last plane. `hint` is (1 or B, 4,
        H, W) RGBA in [-1, 1].

        Raises:
            UserError: the pass would take more memory than there is.
        """
        # 1. refuse what does not fit
        batch, _, height, width = x.shape
        self.memory.check(batch, height, width, name)
        # 2. split the batch where each picture needs its own random numbers or networks
        pieces = x.split(1 if self._one_by_one or self.statistics.per_picture else len(x))
        hints = [None] * len(pieces) if hint is None else hint.expand(len(x), -1, -1, -1).split(len(pieces[0]))
        # 3. run
        nets = partial(self._nets_for, direction, variant)
        try:
            passes = zip(pieces, hints, strict=True)
            return torch.cat([self._run(nets(p, h), self.mode, p, direction, variant, h) for p, h in passes])
        except RuntimeError as error:  # the estimate was too low, or other processes took the memory meanwhile
            if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
                raise self.memory.too_large(batch, height, width, name) from None
            raise

    def _nets_for(
        self, direction: str, variant: Variant, x: Tensor, hint: Tensor | None = None, whole: bool = True
    ) -> nn.ModuleDict:
        """Return the networks that normalise x by the chosen statistics."""

        def run(nets: nn.ModuleDict, small: Tensor) -> None:
            layer = None if hint is None else F.interpolate(hint, small.shape[2:])
            self._run(nets, self.mode, small, direction, variant, layer)

        return self.statistics.nets_for(self.nets, x, direction, variant, run, whole)

    def _run(
        self, nets: nn.ModuleDict, mode: Mode, x: Tensor, direction: str, variant: Variant, hint: Tensor | None = None
    ) -> Tensor:
        # 1. pad to a size that the networks take
        x = to_device(x, self.device)
        padded, inside = pad_to_multiple(x, self._multiple, MIN_SIDE_PX)
        if self.recipe.facts.get("sketch"):  # mirrored edges would add lines to a drawing
            padded = _pad_with(x, 1.0, padded, inside)
        # 2. assemble the batch as in training
        source, _ = self.channels(direction)
        layout = torch.channels_last if mode.channels_last else torch.contiguous_format
        batch = {self.batch_keys(direction)[0]: padded[:, :source].contiguous(memory_format=layout)}
        if self.masked:
            batch["mask"] = padded[:, source:]
        if "hint" in self.recipe.channels:
            layer = x.new_full((1, self.recipe.channels["hint"], *x.shape[2:]), -1.0) if hint is None else hint
            batch["hint"] = _pad_with(layer.to(x), -1.0, padded, inside)
        codes = None if variant.z is None else variant.z.to(self.device).expand(len(x), -1)
        options = {name: value for name, value in (("z", codes), ("seed", variant.seed)) if value is not None}
        # 3. predict
        with torch.inference_mode(), autocast(self.device, mode.precision):
            y = TASKS[self.recipe.task].predict(nets, batch, direction=direction, **options)
        assert y.shape[2:] == padded.shape[2:], (y.shape, padded.shape)
        # 4. crop the padding
        return y[(..., *inside)].float()

    def style_code(self, photos: Tensor) -> Tensor:
        """Encode pictures of the target domain: (B, C, H, W) in [-1, 1] to z, (B, z_dim) float32."""
        task, encoder = TASKS[self.recipe.task], self.nets["E"]
        x, _ = pad_to_multiple(to_device(photos, self.device), int(getattr(encoder, "multiple", 1)), MIN_SIDE_PX)
        with torch.inference_mode(), autocast(self.device, self.mode.precision):
            return task.encode_style(self.nets, x).float()  # type: ignore[attr-defined]

    def _probe_pass(self, nets: nn.ModuleDict, mode: Mode) -> Pass:
        """Return a pass of `nets` in a mode that takes (B, 3, H, W), whatever the model's channels and sizes are."""
        nets, direction = apply_mode(nets, mode), self.default_direction
        channels, _ = self.channels(direction)

        def run(x: Tensor) -> Tensor:
            source = x if channels == 3 else x[:, :1].expand(-1, channels, -1, -1)
            if self.masked:
                source = torch.cat([source, _central_hole(x)], 1)
            source = _split_into_squares(source, self.fixed_size) if self.fixed_size else source
            return self._run(nets, mode, source, direction, Variant())

        return run

    def _measure_bytes_per_pixel(self) -> float:
        # In fp32 for both precisions: with bf16 tensors take less, but the backend's own copies more.
        exact = Mode("fp32", self.mode.channels_last)
        probe = max(MEMORY_PROBE_PX, self._multiple)  # a smaller one would be padded to the size of the other
        run = self._probe_pass(copy.deepcopy(self.nets).float(), exact)
        return memory.bytes_per_pixel(run, self.device, probe)

    # ---- tile by tile

    @property
    def can_tile(self) -> bool:
        """Whether pictures can run tile by tile, as far as the kind of the model shows."""
        return not (self.masked or "hint" in self.recipe.channels or self.recipe.facts.get("sketch"))

    def _tile_budget(self, height: int, width: int) -> int | None:
        """Return the bytes that a picture may take tile by tile; None: it fits in one pass."""
        if self.statistics.kind == "local":
            free = self.memory.free_budget()
            return sys.maxsize if free is None else free
        if height * width <= ALWAYS_FITS_PX and self.memory.limit is None:
            return None
        free = self.memory.free_budget()
        return free if free is not None and self.memory.peak_bytes(height, width) > free else None

    def _run_if_tiled(self, image: PreparedImage, request: Request) -> list[np.ndarray] | None:
        """Translate a picture tile by tile to (H, W, C') for each variant; return None if one pass fits in memory.

        Raises:
            UserError: even tiles need more memory, or the network cannot be tiled.
        """
        x, (height, width), arrays = image.network_input, image.size, []
        assert x is not None
        for variant in request.variants:
            budget = self._tile_budget(height, width)
            if budget is None or not self.can_tile:
                return None
            array = np.empty((height, width, self.channels(request.direction)[1]), image.picture.pixels.dtype)
            try:
                self.run_tiled(TiledImage.in_memory(image.name, x, array), request.direction, variant, budget)
            except NotTileable:
                if self.memory.limit is None and self.statistics.kind != "local":
                    return None  # one pass may yet find its memory
                raise
            arrays.append(array)
        return arrays

    def run_tiled(self, image: TiledImage, direction: str, variant: Variant, budget: int) -> None:
        """Translate a picture tile by tile, in `budget` bytes.

        Raises:
            NotTileable: the network cannot be tiled.
            UserError: the picture needs more memory.
        """
        nets = self._nets_for(direction, variant, image.preview(), whole=False)
        net, z = TASKS[self.recipe.task].generator_for(nets, direction, variant.z, variant.seed)
        norm_cell = LOCAL_NORM_CELL_PX if self.statistics.kind == "local" else 0
        run_tiled_pass(
            net, None if z is None else z.to(self.device), image, budget, memory=self.memory, mode=self.mode,
            channels=self.channels(direction)[0], norm_cell=norm_cell, on_progress=self.on_progress,
        )  # fmt: skip


def _pad_with(x: Tensor, value: float, like: Tensor, inside: tuple[slice, slice]) -> Tensor:
    """Put x (B or 1, C, h, w) inside a plain ground of the batch and size of `like`."""
    ground = like.new_full((len(like), x.shape[1], *like.shape[2:]), value)
    ground[(..., *inside)] = x
    return ground


def _central_hole(x: Tensor) -> Tensor:
    """Return a mask (B, 1, H, W) for pictures x, 1 in the middle and -1 elsewhere."""
    plane = x.new_full((len(x), 1, *x.shape[2:]), -1.0)
    height, width = x.shape[2:]
    plane[..., height // 4 : -(height // 4), width // 4 : -(width // 4)] = 1
    return plane


def _split_into_squares(x: Tensor, side: int) -> Tensor:
    """Cut (B, C, H, W) into (B', C, side, side), padding the last row and column of squares."""
    x, _ = pad_to_multiple(x, side)
    rows = torch.cat(x.split(side, dim=2))
    return torch.cat(rows.split(side, dim=3))
