"""The networks of a model as passes over pictures of any size: batches, padding, precision, statistics, memory."""

__all__ = ["ModelRunner"]

import copy
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.checkpoints.recipe import Recipe
from translate.images.picture import Picture
from translate.images.tensors import HostCopy, class_plane, crop_padding, pad_to_multiple, pad_with_value, to_device
from translate.inference.inpainting import Network, fill_hole
from translate.inference.memory_budget import ALWAYS_FITS_PX, MIN_SIDE_PX, MemoryBudget
from translate.inference.mode_choice import ModeChoice, model_question
from translate.inference.norm_statistics import NormStatistics
from translate.inference.postprocess import PendingResult
from translate.inference.precision import (
    Mode,
    Pass,
    apply_mode,
    central_hole,
    given_mode,
    pick_mode,
    split_into_squares,
)
from translate.inference.request import PreparedImage, Request, Variant
from translate.inference.tiling.tiled_pass import ProgressCallback, TiledImage, run_tiled_pass
from translate.inference.tiling.trace import NotTileable
from translate.tasks import TASKS
from translate.utils import memory
from translate.utils.concurrency import CpuSlots
from translate.utils.device import autocast
from translate.utils.errors import OptionError

MEMORY_PROBE_SIDE_PX = 64  # of the smaller of two probes, whose difference shows how much memory a pixel takes
ONE_CORE_MAX_SIDE_PX = 512  # pictures up to this square run on one core each: several cores would wait for each other
PRECISION_TRIAL_MAX_SIDE_PX = 256  # of the picture on which precisions are timed: a larger one would slow loading down
MAX_BATCH = 32  # pictures; ALWAYS_FITS_PX alone would allow hundreds of small ones
LOCAL_NORM_CELL_PX = 512  # side of the neighbourhoods of local statistics, no smaller than the usual training picture


class ModelRunner:
    """Runs the networks of a model.

    Attributes:
        recipe, task, device: of the model.
        precision: as the caller asked: "auto", "bf16" or "fp32".
        mode_choice: the networks, in eval mode and frozen, and their precision and layout.
        z_dim: size of a style code; 0: the model has none.
        random: whether a seed changes the result.
        strength: the default of a strength, 0 to 1, which is then the style code; None: it has none.
        uses_global_rng: whether the networks draw from torch's global generator, so that passes cannot run in parallel.
        masked: whether the model inpaints; its last source channel is then the mask, 1 in the hole and -1 elsewhere.
        labelled: whether z says which labels pictures get or lose.
        paired, scale: whether it was trained on pairs, and by how much its results are larger.
        classes: of the label maps that it answers; None: it answers pictures.
        fixed_size: side of the only squares that the networks take, px; 0: they take any size.
        default_direction: "" if there are no directions.
        memory: the budget of a pass.
        statistics: by which the networks normalise pictures.
        on_progress: called while a picture of more than a megapixel is translated tile by tile.
    """

    def __init__(
        self, recipe: Recipe, nets: nn.ModuleDict, device: torch.device, precision: str = "fp32",
        memory: int | None = None,
    ) -> None:  # fmt: skip
        nets = nets.to(device).eval().requires_grad_(False)
        self.recipe, self.device, self.precision, self.statistics = recipe, device, precision, NormStatistics()
        self.on_progress: ProgressCallback = lambda label, share: None
        # 1. read the model's properties
        self.task = TASKS[recipe.task]
        self.masked, self.paired, self.labelled = (self.task.data == kind for kind in ("masked", "paired", "labelled"))
        self.classes = recipe.classes_of("b")
        self.scale = self.task.scale_of(nets)
        self.z_dim = max(int(getattr(net, "z_dim", 0)) for net in nets.values())
        self.strength = self.task.strength
        draws = any(getattr(net, "random", False) for net in nets.values())
        self.random = self.strength is None and not self.labelled if self.z_dim else draws  # else z is chosen
        self._one_by_one = self.random and not self.z_dim  # dropout draws for a whole batch
        self.uses_global_rng = self._one_by_one or (self.random and self.masked)
        self.default_direction = recipe.directions[0] if recipe.directions else ""
        self.fixed_size = max(int(getattr(net, "fixed", 0)) for net in nets.values())
        self._multiple = self.fixed_size or max(int(getattr(net, "multiple", 1)) for net in nets.values())
        # 2. leave precision and layout to the first pass
        trial = partial(self._probe_pass, nets), device, min(max(recipe.size, 64), PRECISION_TRIAL_MAX_SIDE_PX)
        self.mode_choice = ModeChoice(
            nets,
            given_mode(precision, device),
            partial(pick_mode, *trial),
            partial(model_question, recipe, nets, device),
        )
        # 3. plan the memory
        source, target = self.channels(self.default_direction)
        self.memory = MemoryBudget(
            device, memory, multiple=self._multiple, channels=source + self.scale**2 * target,
            measure=self._measure_bytes_per_pixel,
        )  # fmt: skip

    def with_norm_statistics(self, kind: str, references: Mapping[str, Tensor | None], name: str) -> "ModelRunner":
        """Return a runner of the same networks with other `NormStatistics`; OptionError if the model allows none."""
        if kind == "local" and not self.can_tile:
            raise OptionError("local statistics are not for models of line drawings or with hints; choose frozen")
        other = copy.copy(self)
        other.statistics = NormStatistics(kind, references, name, self.recipe.size)
        return other

    @property
    def mode(self) -> Mode:
        """Precision and layout of the networks; chosen on the first use."""
        return self.mode_choice.mode

    @property
    def nets(self) -> nn.ModuleDict:
        """The networks in their mode."""
        return self.mode_choice.nets

    def with_mode(self, mode: Mode) -> "ModelRunner":
        """Return a runner of the networks in a mode: of copies, if they are not in this mode."""
        if self.mode_choice.is_settled(mode):
            return self
        other = copy.copy(self)
        other.mode_choice = ModeChoice(copy.deepcopy(self.mode_choice.loaded), mode)
        return other

    def _batch_keys(self, direction: str) -> tuple[str, str]:
        """Return the keys of source and target in a batch: ("a", "b"), ("b", "a"), ("small", "image"), or "image"."""
        if self.scale > 1:
            return "small", "image"
        if self.masked or self.labelled:
            return "image", "image"
        if len(self.recipe.directions) == 1:  # the data of a one-way model are swapped before training
            return "a", "b"
        return direction[0], direction[1]

    def channels(self, direction: str) -> tuple[int, int]:
        """Return the number of channels of source and target."""
        source, target = self._batch_keys(direction)
        return self.recipe.channels[source], self.recipe.channels[target]

    # ---- batches

    def run_batch(self, images: Sequence[PreparedImage], request: Request) -> list[PendingResult]:
        """Run the networks on pictures of one `batch_key`; a picture with a hint or a hole must come alone.

        Raises:
            UserError: the pass would take more memory than is free.
        """
        first = images[0]
        kept: Any = {"paired": self.paired, "classes": self.classes, "scale": self.scale}
        kept["consistent"] = request.consistent
        # 1. fill a hole window by window
        if first.hole is not None:
            return [PendingResult(self._fill_hole(first, request), first.picture)]
        # 2. translate a picture that is too large for one pass tile by tile
        if len(images) == 1 and (arrays := self._run_if_tiled(first, request)) is not None:
            return [PendingResult(arrays, first.picture, **kept)]
        # 3. run the networks once for each variant
        inputs = [image.network_input for image in images if image.network_input is not None]
        x = torch.cat(inputs) if len(inputs) > 1 else inputs[0]
        copies = []
        for variant in request.variants:
            y = self(x, request.direction, variant, first.hint, first.name)
            dtype = first.picture.pixels.dtype if self.classes is None else np.uint8
            copies.append(HostCopy(self._finish(y), dtype))  # while the next variant is computed
        return [PendingResult(copies, image.picture, index=i, **kept) for i, image in enumerate(images)]

    def _finish(self, y: Tensor) -> Tensor:
        """Return y (B, C, H, W) in [-1, 1], or for label maps its class numbers as the values of an 8-bit plane."""
        return y if self.classes is None else class_plane(y)

    def _fill_hole(self, image: PreparedImage, request: Request) -> list[Picture]:
        """Return the picture with its hole filled, for each variant."""
        assert image.hole is not None
        channels, _ = self.channels(request.direction)
        sizes = {"channels": channels, "size": self.recipe.size, "fixed": self.fixed_size}
        networks = (self.network(request.direction, variant, image.name) for variant in request.variants)
        return [fill_hole(image.picture, image.hole, network, **sizes) for network in networks]

    def max_batch(self, image: PreparedImage) -> int:
        """Return the largest batch for pictures of this size; 1 on a CPU, where each runs on its own core.

        Deep pictures run alone: in a batch, the last of their 16 bits may differ.
        """
        batchable = image.network_input is not None and image.network_input.dtype == torch.uint8 and image.hint is None
        if not batchable or not self._can_batch:
            return 1
        height, width = image.size
        return max(1, min(MAX_BATCH, ALWAYS_FITS_PX // (height * width)))

    @property
    def _can_batch(self) -> bool:
        return self.device.type == "cuda" and not self.statistics.per_picture

    def cpu_slots(self) -> CpuSlots:
        """Return slots for small pictures: as many as cores and memory allow, or one if passes must not overlap."""
        threads = torch.get_num_threads()
        if self.device.type != "cpu" or self.uses_global_rng or self.statistics.sequential:
            return CpuSlots(1)
        side = ONE_CORE_MAX_SIDE_PX
        free = memory.free_bytes(self.device) if threads * side**2 > ALWAYS_FITS_PX else None
        count = threads if free is None else free // self.memory.peak_bytes(side, side)
        return CpuSlots(max(1, min(threads, count)))

    def takes_one_slot(self, image: PreparedImage) -> bool:
        """Whether a picture is small enough to run on one core, beside other pictures on the other cores."""
        height, width = image.size
        is_small = height * width <= ONE_CORE_MAX_SIDE_PX**2 and self.statistics.kind != "local"
        return is_small and not (self.uses_global_rng or self.statistics.sequential)

    # ---- one pass

    def network(self, direction: str, variant: Variant, name: str, hint: Tensor | None = None) -> Network:
        """Return the pass of a variant as a function of its input alone."""
        return lambda x: self(x, direction, variant, hint, name)

    def __call__(
        self, x: Tensor, direction: str, variant: Variant, hint: Tensor | None = None, name: str = "the picture"
    ) -> Tensor:
        """Translate a batch x (B, C, H, W) in one pass to (B, C', scale H, scale W) float32 in [-1, 1] on the device.

        x is uint8 or float in [-1, 1], of any size; for inpainting, its last channel is the mask. `hint` is (1 or B, 4,
        H, W), RGBA in [-1, 1].

        Raises:
            UserError: the pass would take more memory than is free.
        """
        # 1. refuse pictures that do not fit in the memory
        batch, _, height, width = x.shape
        self.memory.check(batch, height, width, name)
        # 2. split the batch where each picture needs its own random numbers or networks
        pieces = x.split(1 if self._one_by_one or self.statistics.per_picture else len(x))
        hints = [None] * len(pieces) if hint is None else hint.expand(len(x), -1, -1, -1).split(len(pieces[0]))
        # 3. run
        outputs = []
        try:
            for piece, piece_hint in zip(pieces, hints, strict=True):
                nets = self._nets_for(direction, variant, piece, piece_hint)
                outputs.append(self._run(nets, self.mode, piece, direction, variant, piece_hint))
            return torch.cat(outputs)
        except RuntimeError as error:  # the estimate was too low, or other processes took the memory meanwhile
            if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
                raise self.memory.too_large(batch, height, width, name) from None
            raise

    def _nets_for(
        self, direction: str, variant: Variant, x: Tensor, hint: Tensor | None = None, whole: bool = True
    ) -> nn.ModuleDict:
        """Return the networks that normalise x by the chosen statistics; arguments as for `NormStatistics.nets_for`."""

        def run(nets: nn.ModuleDict, small: Tensor) -> None:
            small_hint = None if hint is None else F.interpolate(hint, small.shape[2:])
            self._run(nets, self.mode, small, direction, variant, small_hint)

        return self.statistics.nets_for(self.nets, x, direction, variant, run, whole)

    def _run(
        self, nets: nn.ModuleDict, mode: Mode, x: Tensor, direction: str, variant: Variant, hint: Tensor | None = None
    ) -> Tensor:
        """Run `nets` on a batch; arguments as for a call."""
        # 1. pad to a size that the networks take
        x = to_device(x, self.device)
        padded, inside = pad_to_multiple(x, self._multiple, MIN_SIDE_PX)
        if self.recipe.facts.get("sketch"):  # mirrored edges would add lines to a drawing
            padded = pad_with_value(x, 1.0, padded, inside)
        # 2. assemble the batch as in training
        source, _ = self.channels(direction)
        layout = torch.channels_last if mode.channels_last else torch.contiguous_format
        batch = {self._batch_keys(direction)[0]: padded[:, :source].contiguous(memory_format=layout)}
        if self.masked:
            batch["mask"] = padded[:, source:]
        if "hint" in self.recipe.channels:
            layer = x.new_full((1, self.recipe.channels["hint"], *x.shape[2:]), -1.0) if hint is None else hint
            batch["hint"] = pad_with_value(layer.to(x), -1.0, padded, inside)
        options: dict[str, Any] = {}
        if variant.z is not None:
            options["z"] = variant.z.to(self.device).expand(len(x), -1)
        if variant.seed is not None:
            options["seed"] = variant.seed
        # 3. predict
        with torch.inference_mode(), autocast(self.device, mode.precision):
            y = self.task.predict(nets, batch, direction=direction, **options)
        assert y.shape[2:] == tuple(self.scale * side for side in padded.shape[2:]), (y.shape, padded.shape)
        # 4. crop the padding
        return crop_padding(y, inside, self.scale).float()

    # ---- probes

    def _probe_pass(self, nets: nn.ModuleDict, mode: Mode) -> Pass:
        """Return a pass of copies of `nets` in a mode; it takes (B, 3, H, W), whatever the model's channels are."""
        nets, direction = apply_mode(copy.deepcopy(nets), mode), self.default_direction
        channels, _ = self.channels(direction)

        def run(x: Tensor) -> Tensor:
            source = x if channels == 3 else x[:, :1].expand(-1, channels, -1, -1)
            if self.masked:
                source = torch.cat([source, central_hole(x)], 1)
            source = split_into_squares(source, self.fixed_size) if self.fixed_size else source
            return self._run(nets, mode, source, direction, Variant())

        return run

    def _measure_bytes_per_pixel(self) -> float:
        # In fp32 for both precisions: with bf16, tensors take less memory, but the backend's own copies take more.
        run = self._probe_pass(self.mode_choice.loaded, Mode("fp32", self.mode.channels_last))
        side = max(MEMORY_PROBE_SIDE_PX, self._multiple)  # a smaller probe would be padded to the size of the larger
        measured = memory.bytes_per_pixel(run, self.device, side)
        memory.release_freed()
        return measured

    # ---- tile by tile

    @property
    def can_tile(self) -> bool:
        """Whether the kind of the model allows tiles; its network may still need the whole picture."""
        return not (self.masked or "hint" in self.recipe.channels or self.recipe.facts.get("sketch"))

    @property
    def can_stream(self) -> bool:
        """Whether a picture can be read and written region by region; label maps are files as a whole."""
        return self.can_tile and not self.recipe.facts.get("maps")

    def _tile_budget(self, height: int, width: int) -> int | None:
        """Return the bytes that a picture may take tile by tile; None: it fits in one pass."""
        is_local = self.statistics.kind == "local"
        if not is_local and height * width <= ALWAYS_FITS_PX and self.memory.limit is None:
            return None
        peak = self.memory.peak_bytes(height, width)  # first, since measuring leaves memory in the process
        free = self.memory.free_budget()
        if is_local:
            return sys.maxsize if free is None else free
        return free if free is not None and peak > free else None

    def _run_if_tiled(self, image: PreparedImage, request: Request) -> list[np.ndarray] | None:
        """Translate a picture tile by tile to (H, W, C') for each variant; return None if one pass has to do.

        Raise UserError if even tiles need more memory than is free, or the network cannot run tile by tile.
        """
        if not self.can_tile:
            return None
        x, (height, width), arrays = image.network_input, image.size, []
        assert x is not None
        for variant in request.variants:
            budget = self._tile_budget(height, width)
            if budget is None:
                return None
            planes, dtype = self.channels(request.direction)[1], image.picture.pixels.dtype
            size = self.scale * height, self.scale * width
            array = np.empty((*size, 1 if self.classes else planes), np.uint8 if self.classes else dtype)
            try:
                self.run_tiled(TiledImage.in_memory(image.name, x, array), request.direction, variant, budget)
            except NotTileable:
                if self.memory.limit is None and self.statistics.kind != "local":
                    return None  # the budget is half of the free memory, so one pass may fit all the same
                raise
            arrays.append(array)
        return arrays

    def run_tiled(self, image: TiledImage, direction: str, variant: Variant, budget: int) -> None:
        """Translate a picture tile by tile, in `budget` bytes; raises as `run_tiled_pass`."""
        nets = self._nets_for(direction, variant, image.preview(), whole=False)
        try:
            net, z = self.task.generator_for(nets, direction, variant.z, variant.seed)
        except NotImplementedError:
            raise NotTileable(f"{image.name}: the task {self.recipe.task!r} does not translate tile by tile") from None
        write = image.write
        image = replace(image, write=lambda region, y: write(region, self._finish(y)))
        norm_cell = LOCAL_NORM_CELL_PX if self.statistics.kind == "local" else 0
        run_tiled_pass(
            net, None if z is None else z.to(self.device), image, budget, memory=self.memory, mode=self.mode,
            channels=self.channels(direction)[0], norm_cell=norm_cell, on_progress=self.on_progress,
        )  # fmt: skip
