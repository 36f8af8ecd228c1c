"""A trained model as one callable: a picture of any kind and size in, one or many of the same kind and size out."""

__all__ = ["Conditioning", "PreparedImage", "Translator"]

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from translate.checkpoints.model_file import load_model, model_file
from translate.checkpoints.recipe import Recipe
from translate.images.picture import Picture, parse_range
from translate.images.tensors import HostCopy
from translate.inference.gigapixel import Canvas, HugePicture, open_huge, translate_huge
from translate.inference.inpainting import Network, fill, fill_tensor, hole_in, hole_of, keep_known
from translate.inference.inputs import as_kind_of, checked_tensor, hint_of, picture_of
from translate.inference.precision import Mode
from translate.inference.prepared import Conditioning, PreparedImage
from translate.inference.preprocess import (
    brought_back,
    check_channels,
    is_paired,
    network_size,
    prepare_hints,
    prepare_source,
    prepare_style_image,
)
from translate.inference.request import Request, Variant, choose_variants
from translate.inference.runner import ModelRunner, ProgressCallback
from translate.tasks import TASKS
from translate.utils.concurrency import CpuSlots
from translate.utils.device import pick_device
from translate.utils.errors import OptionError, UserError
from translate.utils.memory import parse_bytes


class Translator:
    """Translates pictures between the two domains of a model, or fills their holes.

    `Translator.load("runs/photos2monet")("photo.jpg")` is a painting. A model of pairs may go one way alone, give
    many answers to one picture (`count`, `seed`, `z`) and take strokes of colour (`hints`). A model of the task
    inpaint fills what a `mask` shows: `Translator.load("runs/photos_inpaint")("photo.png", mask="mask.png")`.

    Attributes:
        recipe: what the model is; `recipe.domains` names a and b.
        device: where it computes.
        precision: "fp32" or "bf16".
        mode: precision and layout. note: why that, in a line; "" where nothing was measured.
        z_dim: how many numbers make a look z; 0: the model has none.
        random: whether `seed` changes the answer.
        masked: whether it fills holes.
        file: the model file, or None where the networks were given.
        statistics: what pictures are normalised by.
        values: what is black and white in files of floats and wide integers; None: 0 and 1, or the full scale.
        watch: told, while a picture is translated tile by tile, what is being done and which share of it.
    """

    def __init__(
        self, recipe: Recipe, nets: nn.ModuleDict, device: str | torch.device = "cpu", precision: str = "fp32",
        memory: int | None = None,
    ) -> None:  # fmt: skip
        if TASKS[recipe.task].data not in ("paired", "unpaired", "masked"):
            raise UserError(f"a model of the task {recipe.task!r} translates no pictures; use tools/sample.py")
        self._infer = ModelRunner(recipe, nets, torch.device(device), precision, memory)
        self.watch: ProgressCallback = lambda doing, share: None
        self.recipe, self.nets, self.device = recipe, self._infer.nets, self._infer.device
        self.precision, self.note = self._infer.mode.precision, self._infer.note
        self.z_dim, self.random, self.masked = self._infer.z_dim, self._infer.random, self._infer.masked
        self.values = parse_range(recipe.facts.get("value_range", ""))
        self.file: Path | None = None
        self.statistics, self.mode = self._infer.statistics, self._infer.mode
        self._paired = is_paired(recipe)

    @classmethod
    def load(
        cls, path: str | Path, device: str = "auto", precision: str = "auto", memory: str = "",
        stats: str = "", reference: Any = None, value_range: str = "",
    ) -> "Translator":  # fmt: skip
        """Load a run folder or a model.safetensors.

        Args:
            path: the run folder or the file.
            device: "auto", "cpu", "cuda", "cuda:1" or "mps".
            precision: "auto", "bf16" or "fp32".
            memory: that the process may take in all, such as "3GB": pictures that would take more in one pass are
                translated tile by tile, with the same result. "": half of what is free.
            stats: as for `steadied`.
            reference: likewise.
            value_range: LOW,HIGH: what is black and white in floats and wide integers. "": as in training.

        Raises:
            OptionError: no such device, precision, statistics or range, or no amount of memory.
            UserError: there is no model, it is damaged, or it translates no pictures.
        """
        where = pick_device(device)
        recipe, nets = load_model(path, where)
        if value_range and TASKS[recipe.task].data == "masked":
            raise OptionError("a model that fills holes keeps known pixels as they are; leave --value-range out")
        translator = cls(recipe, nets, where, precision, parse_bytes(memory) if memory else None)
        translator.file, translator.values = model_file(path), parse_range(value_range) or translator.values
        return translator.steadied(stats, reference)

    def steadied(self, stats: str = "", reference: Any = None) -> "Translator":
        """Return this translator with other statistics to normalise pictures by; the networks are shared.

        A model whose networks have no norms by the picture's own statistics answers the same with all of them.

        Args:
            stats: "exact": each picture's own, as the model was trained. "frozen": those of a thumbnail of the picture,
                or of the reference. "local": those of each neighbourhood of 512 px. "smooth": pictures are the frames
                of a film, in their order, and statistics follow slowly. "": frozen with a reference, else as it is.
            reference: a path, PIL image or array, as `image` of a call.

        Raises:
            OptionError: no such statistics, a reference for those that take none, or a model that fills holes.
            UserError: a reference that cannot be read.
        """
        if not stats and reference is None:
            return self
        if self.masked and stats != "exact":
            raise OptionError("a model that fills holes normalises by what is around them; leave --stats out")
        references: dict[str, Tensor | None] = {}
        name = ""
        if reference is not None:
            picture, name = picture_of(reference, self.values)
            references = {d: self.ready(picture, self.wish(d), None, name).shown for d in self.recipe.directions}
        return self._by(self._infer.steadied(stats or "frozen", references, name))

    def arranged(self, mode: Mode) -> "Translator":
        """Return this translator in the precision and layout that another run has chosen."""
        return self if mode == self.mode else self._by(self._infer.arranged(mode))

    def _by(self, infer: ModelRunner) -> "Translator":
        other = copy.copy(self)
        other._infer, other.nets = infer, infer.nets
        other.statistics, other.mode, other.precision = infer.statistics, infer.mode, infer.mode.precision
        return other

    def __call__(
        self,
        image: Any,
        direction: str | None = None,
        *,
        count: int | None = None,
        seed: int | None = None,
        z: Any = None,
        hints: Any = None,
        mask: Any = None,
        scale: str = "fit",
    ) -> Any:
        """Translate a picture of any of these kinds to one of the same kind and size, or to a list of them.

        A model that fills holes changes nothing else: known pixels are returned bit for bit, in gray, with alpha and in
        any depth. A tensor is seen in one pass; other pictures, where they are large, in windows around the holes.

        Without `count`, `seed` and `z`, the answer is always the same one.

        Args:
            image: a path (the result is then a PIL image, or an array of bands); a PIL image; an array (H, W) or
                (H, W, C) of uint8, uint16 or float in [0, 1], or of the model's value range; or a tensor (C, H, W) or
                (B, C, H, W), float in [-1, 1], which the network sees as it is. EXIF's rotation is carried out. A
                model of two unpaired domains keeps gray and alpha; with one of pairs, results have the channels of
                its target, and transparent pictures are laid on white first.
            direction: "ab" or "ba"; None: the model's usual one.
            count: give a list of so many answers; answer k is the same function of (seed, k) for every picture.
            seed: give answer 0 of this seed; with `count`, where those start (else 0).
            z: the look of the answer, (z_dim,), or a list of answers, (n, z_dim).
            hints: strokes of colour, transparent elsewhere: path, PIL image or array of the picture's size.
            mask: white or True in the hole: path, PIL image, array or tensor of the picture's size; with a batch also
                (B, 1, H, W). Without it, all that is not fully opaque is the hole, and becomes opaque.
            scale: models that learned from whole pictures see all at the trained size ("fit") or as it is ("native").

        Raises:
            OptionError: a wrong direction, count, seed, z or scale, or one that this model does not have; hints or a
                mask for a model that takes none.
            UserError: a file that cannot be read, an input of no such kind, one too large for the memory, hints or a
                mask of another size; an empty sheet or a photo for a model of line drawings; no hole, or nothing else.
        """
        wish = self.wish(direction, count=count, seed=seed, z=z, scale=scale)
        self.check_layer(hints=hints is not None, mask=mask is not None)
        if isinstance(image, Tensor):
            results = self._tensors(image, wish, hints, mask)
        else:
            values = None if self.masked else self.values  # known pixels are returned as they are, in any range
            picture, name = picture_of(image, values, self._infer.channels(wish.direction)[0])
            layer = hole_of(mask) if mask is not None else None if hints is None else picture_of(hints)
            prepared = self.ready(picture, wish, layer, name)
            made = self.translated([prepared], wish)[0]()
            results = [as_kind_of(image, result, keep=not self._paired) for result in made]
            if prepared.hole is not None:
                results = [keep_known(image, result, prepared.hole) for result in results]
        return results if wish.several else results[0]

    def look(self, photo: Any) -> np.ndarray:
        """Read the look z from a picture of the target domain, to give it to other pictures.

        Args:
            photo: as `image` of a call.

        Returns:
            (z_dim,) float32; (B, z_dim) for a tensor of B pictures.

        Raises:
            OptionError: the model cannot read looks.
            UserError: a file that cannot be read, or an input of no such kind.
        """
        if "E" not in self.nets:
            raise OptionError("this model cannot read the look of a picture: it was trained without z")
        _, channels = self._infer.channels(self.recipe.directions[0])
        if isinstance(photo, Tensor):
            x = checked_tensor(photo, channels).reshape(-1, *photo.shape[-3:])
            return self._infer.look(x).reshape(*photo.shape[:-3], -1).cpu().numpy()
        picture, name = picture_of(photo, self.values, channels)
        return self._infer.look(prepare_style_image(self.recipe, picture, channels, name))[0].cpu().numpy()

    def wish(
        self,
        direction: str | None = None,
        *,
        count: int | None = None,
        seed: int | None = None,
        z: Any = None,
        scale: str = "fit",
    ) -> Request:
        """Check what is asked, as arguments of a call, and return it, for `pictures`.

        Raises:
            OptionError: a wrong direction, count, seed, z or scale, or one that this model does not have.
        """
        if scale not in ("fit", "native"):
            raise OptionError(f"scale {scale!r} is unknown; choose fit or native")
        if self.masked and scale == "native":
            raise OptionError("a model that fills holes chooses the scale by the hole; leave the scale out")
        answers, several = choose_variants(self.z_dim, self.random, count=count, seed=seed, z=z)
        return Request(direction=self.check_direction(direction), answers=answers, several=several, scale=scale)

    def picture(self, picture: Picture, direction: str | None = None, name: str = "the picture") -> Picture:
        """Translate a picture to the one answer without chance; errors call it `name`.

        Raises:
            OptionError: a wrong direction.
            UserError: as for a call.
        """
        return self.pictures(picture, self.wish(direction), None, name)[0]

    def pictures(
        self, picture: Picture, wish: Request, layer: Conditioning | None = None, name: str = "it"
    ) -> list[Picture]:
        """Translate a picture to all the answers that are wished for, each of its size and depth.

        Args:
            picture: of any kind.
            wish: from `wish`.
            layer: strokes, or the hole, and what errors call them; a model that fills holes takes for None what is
                transparent.
            name: what errors call the picture.

        Raises:
            OptionError: a layer for a model that takes none.
            UserError: as for a call.
        """
        made = self.translated([self.ready(picture, wish, layer, name)], wish)
        return made[0]()

    def ready(
        self, picture: Picture, wish: Request, layer: Conditioning | None = None, name: str = "it"
    ) -> PreparedImage:
        """Do what is to be done before the networks see a picture, in any thread; arguments are those of `pictures`.

        Raises:
            OptionError, UserError: as there.
        """
        source, target = self._infer.channels(wish.direction)
        if self.masked:
            check_channels(picture, source, name)
            return PreparedImage(picture=picture, name=name, hole=hole_in(picture, layer, name))  # type: ignore[arg-type]
        self.check_layer(hints=layer is not None)
        height, width = picture.pixels.shape[:2]
        size = network_size(self.recipe, height, width, wish.scale)
        shown = prepare_source(self.recipe, picture, source, size, name)
        if source != target:  # the result is gray where its domain is, whatever the picture is
            picture = replace(picture, gray=target == 1)
        hint = prepare_hints(layer[0], (height, width), size, layer[1]) if layer else None  # type: ignore[arg-type]
        seen_as = name if size == (height, width) else f"{name}: {width} x {height} px, at the model's scale"
        return PreparedImage(picture=picture, name=seen_as, shown=shown, hint=hint)

    def translated(self, batch: Sequence[PreparedImage], wish: Request) -> list[Callable[[], list[Picture]]]:
        """Run the networks; for each picture return what waits for its answers and brings them to its size and depth.

        Args:
            batch: pictures that are seen at one size, of one depth; those with a hint or a hole come one by one.
            wish: from `wish`.

        Raises:
            UserError: the pass would take more memory than there is.
        """
        first = batch[0]
        if first.shown is None:
            filled = self._filled(first.picture, first.hole, wish, first.name)  # type: ignore[arg-type]
            return [lambda: filled]
        shown = torch.cat([one.shown for one in batch]) if len(batch) > 1 else first.shown  # type: ignore[misc]
        if len(batch) == 1 and (tiled := self._tile_if_needed(first, wish)) is not None:
            return [lambda: [brought_back(array, first.picture, self._paired) for array in tiled]]
        passes = (self._infer(shown, wish.direction, answer, first.hint, first.name) for answer in wish.answers)
        made = [HostCopy(y, first.picture.pixels.dtype) for y in passes]

        def answers(i: int) -> list[Picture]:
            return [brought_back(arriving.array(i), batch[i].picture, self._paired) for arriving in made]

        return [partial(answers, i) for i in range(len(batch))]

    def _tile_if_needed(self, one: PreparedImage, wish: Request) -> list[np.ndarray] | None:
        """Return the answers to a picture too large for one pass, made tile by tile; None: it is not."""
        dtype, found = one.picture.pixels.dtype, []
        for answer in wish.answers:
            result = self._infer.tile_if_needed(one.shown, wish.direction, answer, dtype, one.name, self.watch)  # type: ignore[arg-type]
            if result is None:
                return None
            found.append(result)
        return found

    def open_huge(self, path: Path) -> HugePicture | None:
        """Open a picture that would take too much memory to be decoded whole; None: it would not, or has to be."""
        return open_huge(path, self._infer.room(), self.values) if self._infer.can_tile else None

    def huge(self, picture: HugePicture, wish: Request) -> list[Canvas]:
        """Translate one that `open_huge` gave to all the answers that are wished for; as `translate_huge`."""
        return translate_huge(self._infer, picture, wish, self.watch)

    def lanes(self) -> CpuSlots:
        """Return the lanes in which pictures may be translated at the same time."""
        return self._infer.lanes()

    def is_small(self, one: PreparedImage) -> bool:
        """Whether one lane is enough for a picture."""
        return self._infer.is_small(*one.size)

    def batch_of(self, one: PreparedImage) -> int:
        """Return how many pictures like this one are translated together at best.

        Those of more than 8 bits go by themselves: in a batch, the last of 16 bits may come out differently.
        """
        together = one.shown is not None and one.shown.dtype == torch.uint8 and one.hint is None
        return self._infer.batch_of(*one.size) if together else 1

    def check_direction(self, direction: str | None) -> str:
        """Return `direction`, or the model's usual one for None.

        Raises:
            OptionError: the model does not go that way.
        """
        if self.masked:
            if direction is not None:
                raise OptionError("this model fills holes, which has no direction; leave --direction out")
            return ""
        known, (a, b) = self.recipe.directions, self.recipe.domains
        if direction is None or direction in known:
            return direction or known[0]
        if len(known) == 1:
            trained = f"it was trained with --direction {known[0]}"
            raise OptionError(f"this model only turns {a} into {b} ({trained}); leave --direction out")
        raise OptionError(f"direction {direction!r} is neither 'ab' ({a} to {b}) nor 'ba' ({b} to {a})")

    def check_layer(self, *, hints: bool = False, mask: bool = False) -> None:
        """Raise OptionError where hints or a mask are given to a model that takes none."""
        if hints and self.masked:
            raise OptionError("this model fills holes and takes no hints; leave them out")
        if hints and "hint" not in self.recipe.channels:
            raise OptionError("this model takes no hints; train one with --hints, or leave them out")
        if mask and not self.masked:
            raise OptionError("this model fills no holes; leave the mask out, or give one of tools/train_inpaint.py")

    def _tensors(self, x: Tensor, wish: Request, hints: Any, mask: Any) -> list[Tensor]:
        channels, _ = self._infer.channels(wish.direction)
        batch = checked_tensor(x, channels).detach().reshape(-1, *x.shape[-3:])
        if self.masked:
            networks = (self._network(wish.direction, answer, "the tensor") for answer in wish.answers)
            results: Iterable[Tensor] = fill_tensor(batch, mask, networks, self._infer.fixed)
        else:
            hint = None if hints is None else hint_of(hints, x)
            results = (self._infer(batch, wish.direction, answer, hint, "the tensor") for answer in wish.answers)
        # A clone may be used in autograd.
        return [y.reshape(*x.shape[:-3], *y.shape[1:]).to(x.device, x.dtype).clone() for y in results]

    def _filled(self, picture: Picture, hole: np.ndarray, wish: Request, name: str) -> list[Picture]:
        """Fill the hole (H, W) of a picture with each of the answers."""
        channels, _ = self._infer.channels(wish.direction)
        sizes = {"channels": channels, "size": self.recipe.size, "fixed": self._infer.fixed}
        return [fill(picture, hole, self._network(wish.direction, one, name), **sizes) for one in wish.answers]

    def _network(self, direction: str, answer: Variant, name: str) -> Network:
        return lambda x: self._infer(x, direction, answer, None, name)
