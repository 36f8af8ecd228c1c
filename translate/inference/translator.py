"""A trained model as one callable: an image of any kind and size in, one or several of the same kind and size out."""

__all__ = ["Translator"]

import copy
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, overload

import numpy as np
from PIL.Image import Image

from translate.checkpoints.recipe import Recipe
from translate.images.picture import Picture, parse_range
from translate.inference.inputs.checks import check_conditioning, check_direction, check_exact
from translate.inference.inputs.images import CallOptions, ImageFile, Kind, is_several, read_input
from translate.inference.inputs.masks import find_hole
from translate.inference.inputs.pixels import check_channels
from translate.inference.inputs.stream import ImageStream, check_images, one_each
from translate.inference.inputs.wishes import label_code
from translate.inference.onnx.recipe import is_onnx
from translate.inference.request import Conditioning, PreparedImage, Request, choose_variants, strength_code
from translate.utils.errors import OptionError, UserError
from translate.utils.program import command_form

if TYPE_CHECKING:  # torch is imported with the first model that needs it: an ONNX file does not
    import torch
    from torch import Tensor, nn

    from translate.inference.precision import Mode
    from translate.inference.runner import ModelRunner


class Translator:
    """Translates images between the two domains of a model, or fills their holes.

    `Translator.load("runs/photos2monet")("photo.jpg")` is a painting. A paired model may have one direction only, give
    several results for one image (`count`, `seed`, `z`) and take colour hints (`hints`). An inpainting model fills the
    `mask`: `Translator.load("runs/photos_inpaint")("photo.png", mask="mask.png")`.

    Attributes:
        recipe: of the model; `recipe.domains` names a and b.
        runner: runs the networks.
        device, z_dim, random, strength, masked, scale, statistics: of the runner.
        file: the model file, or None if the networks were given.
        values: black and white in files of floats and wide integers; None: 0 and 1, or the full scale.
    """

    def __init__(
        self, recipe: Recipe, nets: "nn.ModuleDict", device: "str | torch.device" = "cpu", precision: str = "fp32",
        memory: int | None = None,
    ) -> None:  # fmt: skip
        import torch

        from translate.inference.runner import ModelRunner
        from translate.tasks import TASKS

        if TASKS[recipe.task].data not in ("paired", "unpaired", "masked", "reduced", "labelled"):
            raise UserError(f"a model of the task {recipe.task!r} translates no pictures; use {command_form('sample')}")
        self._set_runner(ModelRunner(recipe, nets, torch.device(device), precision, memory))
        self.values = parse_range(recipe.facts.get("value_range", ""))
        self.file: Path | None = None

    def __repr__(self) -> str:
        known = self.runner.mode_choice.known
        return f"Translator({self.recipe.summary}, {self.device} {known.precision if known else 'auto'})"

    def _set_runner(self, runner: "ModelRunner") -> None:
        self.runner, self.recipe, self.device = runner, runner.recipe, runner.device
        self.z_dim, self.random, self.masked = runner.z_dim, runner.random, runner.masked
        self.strength, self.statistics, self.scale = runner.strength, runner.statistics, runner.scale

    @classmethod
    def load(
        cls, path: str | Path, device: str = "auto", precision: str = "auto", memory: str = "",
        stats: str = "", reference: Any = None, value_range: str = "", weights: str = "last", base: str = "",
    ) -> "Translator":  # fmt: skip
        """Load a run folder, a model.safetensors, a model on the Hub, or an .onnx file, which is run without torch.

        Args:
            path: of the run folder or the file, or hf://user/name@revision, whose file is fetched into the usual cache.
            device: "auto", "cpu", "cuda", "cuda:1" or "mps".
            precision: "auto", "bf16" or "fp32".
            memory: limit of the process, such as "3GB"; larger pictures take tiles. "": half of the free memory.
            stats: as for `with_norm_statistics`.
            reference: as for `with_norm_statistics`.
            value_range: LOW,HIGH: black and white in floats and wide integers. "": as in training.
            weights: of a run folder: "last"; "best", those with the best score while training; or "average".
            base: the model that an adapter corrects. "": at the path that the adapter recorded, or beside it.

        Raises:
            OptionError: an unknown device, precision, memory, kind of statistics or range.
            UserError: a model that is missing, damaged, cannot be fetched, or translates no pictures.
        """
        if is_onnx(path):
            from translate.inference.onnx.translator import load_onnx

            return load_onnx(path, device, precision, value_range, [stats, reference, memory, weights, base])
        from translate.checkpoints.model_file import load_model, model_file
        from translate.utils.device import pick_device
        from translate.utils.memory import parse_bytes

        torch_device = pick_device(device)
        recipe, nets = load_model(path, torch_device, weights, base)
        translator = cls(recipe, nets, torch_device, precision, parse_bytes(memory) if memory else None)
        if value_range and translator.masked:
            raise OptionError("a model that fills holes keeps known pixels as they are; leave --value-range out")
        translator.runner.memory.check_limit()
        translator.file, translator.values = model_file(path, weights), parse_range(value_range) or translator.values
        return translator.with_norm_statistics(stats, reference)

    def with_norm_statistics(self, stats: str = "", reference: Any = None) -> "Translator":
        """Return a translator of the same networks that normalises pictures by other statistics.

        Args:
            stats: "exact": of each picture, as in training. "frozen": of a thumbnail of the picture, or of the
                reference. "local": of each neighbourhood of 512 px. "smooth": pictures are consecutive frames of a
                video, and statistics follow slowly. "": frozen with a reference, else unchanged.
            reference: a path, PIL image or array.

        Raises:
            OptionError: unknown statistics, a reference for another kind than frozen, or an inpainting model.
            UserError: an unreadable reference.
        """
        if not stats and reference is None:
            return self
        if self.masked and stats != "exact":
            raise OptionError("a model that fills holes normalises by what is around them; leave --stats out")
        references: dict[str, Tensor | None] = {}
        name = ""
        if reference is not None:
            picture, name = read_input(reference, self.values)
            for direction in self.recipe.directions:
                references[direction] = self.prepare(picture, self.request(direction), None, name).network_input
        return self._with_runner(self.runner.with_norm_statistics(stats or "frozen", references, name))

    @property
    def nets(self) -> "nn.ModuleDict":
        """The networks as they were loaded, in fp32."""
        return self.runner.mode_choice.loaded

    @property
    def mode(self) -> "Mode":
        """Precision and layout of the networks; "auto" is decided on the first use, and remembered on this machine."""
        return self.runner.mode

    @property
    def precision(self) -> str:
        """Precision of the networks, "fp32" or "bf16"; decided as `mode`."""
        return self.mode.precision

    @property
    def note(self) -> str:
        """One line on the choice of the mode; "" before it is made, or if nothing was measured."""
        return self.runner.mode_choice.note

    def with_mode(self, mode: "Mode") -> "Translator":
        """Return a translator of the same networks in the precision and layout that another run has chosen."""
        return self._with_runner(self.runner.with_mode(mode))

    def _with_runner(self, runner: "ModelRunner") -> "Translator":
        other = copy.copy(self)
        other._set_runner(runner)
        return other

    @overload
    def __call__(
        self, image: Kind, direction: str | None = None, *, count: None = None, z: None = None,
        **options: Unpack[CallOptions],
    ) -> Kind: ...  # fmt: skip
    @overload
    def __call__(
        self, image: Kind, direction: str | None = None, *, count: int, z: None = None, **options: Unpack[CallOptions],
    ) -> list[Kind]: ...  # fmt: skip
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, image: ImageFile, direction: str | None = None, *, count: None = None, z: None = None,
        **options: Unpack[CallOptions],
    ) -> Image | Any: ...  # fmt: skip
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, image: ImageFile, direction: str | None = None, *, count: int, z: None = None,
        **options: Unpack[CallOptions],
    ) -> list[Image | Any]: ...  # fmt: skip
    @overload
    def __call__(
        self, image: Sequence[Kind], direction: str | None = None, *, count: None = None, z: None = None,
        **options: Unpack[CallOptions],
    ) -> list[Kind]: ...  # fmt: skip
    @overload
    def __call__(
        self, image: Sequence[Kind], direction: str | None = None, *, count: int, z: None = None,
        **options: Unpack[CallOptions],
    ) -> list[list[Kind]]: ...  # fmt: skip
    @overload
    def __call__(
        self, image: Sequence[ImageFile], direction: str | None = None, *, count: None = None, z: None = None,
        **options: Unpack[CallOptions],
    ) -> list[Image | Any]: ...  # fmt: skip
    @overload
    def __call__(
        self, image: Sequence[ImageFile], direction: str | None = None, *, count: int, z: None = None,
        **options: Unpack[CallOptions],
    ) -> list[list[Image | Any]]: ...  # fmt: skip
    @overload
    def __call__(
        self, image: Any, direction: str | None = None, *, z: Any, **options: Unpack[CallOptions],
    ) -> Any: ...  # fmt: skip
    def __call__(
        self, image: Any, direction: str | None = None, *, count: int | None = None, seed: int | None = None,
        z: Any = None, strength: float | None = None, to: Any = None, hints: Any = None, mask: Any = None,
        scale: str = "fit", consistent: bool = False,
    ) -> Any:  # fmt: skip
        """Translate an image to an image of the same kind and size, or to a list of them; a list to a list of results.

        A model of super-resolution returns images that are `scale` times as wide and high, see the attribute.

        Inpainting changes the hole only: known pixels keep their bits, in gray, with alpha and in any depth. A tensor
        is inpainted in one pass, other large images in windows around the holes. Without `count`, `seed` and `z`, the
        result is deterministic.

        Args:
            image: a path, the content of an image file as bytes, or a binary file object, whose result is a PIL image
                (an array for bands and .npy); a PIL image; an array (H, W), (H, W, C) or (N, H, W, C) of uint8, uint16
                or float in [0, 1], or of the model's value range; a tensor (C, H, W) or (B, C, H, W), float in [-1, 1],
                which is not preprocessed; or a list of these. EXIF's rotation is applied. A model of two unpaired
                domains keeps gray and alpha; results of a paired one have the channels of its target, and transparent
                images are composited on white first.
            direction: "ab" or "ba"; None: the model's default.
            count: return a list of this many variants; variant k is the same function of (seed, k) for every image.
            seed: return variant 0 of this seed; with `count`, the seed of all variants (default 0).
            z: the style code of the result, (z_dim,), or of a list of results, (n, z_dim).
            strength: of a model of `train_drift`, from 0, near the image, to 1, all of the target's look; None: the
                default in `Translator.strength`.
            to: of a model of `train_stargan`: the labels to get, or with a minus to lose, such as "glasses,-blond"; all
                others stay. Of classes, the name of one.
            hints: coloured strokes, transparent elsewhere: path, bytes, file object, PIL image or array of the image's
                size. With several images, one for all, or a list of one for each.
            mask: white or True in the hole: as hints, or a tensor; with a batch also (B, 1, H, W) or (N, H, W). Without
                a mask, pixels that are not fully opaque are the hole, and become opaque.
            scale: for models trained on whole pictures, "fit" resizes to the trained size, "native" does not.
            consistent: of super-resolution, for images of 8 or 16 bits: the mean over the pixels that replace one
                pixel, rounded, is this pixel to the last bit.

        Raises:
            OptionError: a direction, count, seed, z, strength, scale, hints, mask or label that is wrong or that this
                model lacks.
            UserError: an unreadable file, another kind of input, one too large for the memory, hints or a mask of
                another size; a blank page or a photo for a model of line drawings; an empty or a full hole.
        """
        options: Any = {"count": count, "seed": seed, "z": z, "strength": strength, "to": to, "scale": scale}
        options["consistent"] = consistent
        if is_several(image):
            if not len(image):
                raise UserError(f"the {type(image).__name__} of pictures is empty; give one picture or more")
            return list(self.stream(image, direction, hints=hints, mask=mask, **options))
        request = self.request(direction, **options)
        self.check_conditioning(hints=hints is not None, mask=mask is not None)
        [result] = self._run([image], request, [hints], [mask])
        return result

    @overload
    def stream(
        self, images: Iterable[Kind], direction: str | None = None, *, count: None = None, z: None = None,
        **options: Unpack[CallOptions],
    ) -> Iterator[Kind]: ...  # fmt: skip
    @overload
    def stream(
        self, images: Iterable[ImageFile], direction: str | None = None, *, count: None = None, z: None = None,
        **options: Unpack[CallOptions],
    ) -> Iterator[Image | Any]: ...  # fmt: skip
    @overload
    def stream(
        self, images: Iterable[Kind], direction: str | None = None, *, count: int, z: None = None,
        **options: Unpack[CallOptions],
    ) -> Iterator[list[Kind]]: ...  # fmt: skip
    @overload
    def stream(
        self, images: Iterable[ImageFile], direction: str | None = None, *, count: int, z: None = None,
        **options: Unpack[CallOptions],
    ) -> Iterator[list[Image | Any]]: ...  # fmt: skip
    @overload
    def stream(
        self, images: Iterable[Any], direction: str | None = None, *, z: Any, **options: Unpack[CallOptions],
    ) -> Iterator[Any]: ...  # fmt: skip
    def stream(
        self, images: Iterable[Any], direction: str | None = None, *, hints: Any = None, mask: Any = None,
        **options: Any,
    ) -> Iterator[Any]:  # fmt: skip
        """Translate images one after the other, as they are asked for: `for painting in t.stream(paths): ...`.

        At most 32 images are read ahead, to be translated as a batch. Arguments and errors are those of a call, for
        each image; hints and mask are one for all, or an iterable of one for each. Errors name the image by its index.
        """
        check_images(images)
        request = self.request(direction, **options)
        self.check_conditioning(hints=hints is not None, mask=mask is not None)
        number = len(images) if is_several(images) else None
        return self._run(images, request, one_each(hints, number, "hints"), one_each(mask, number, "masks"), "images")

    def _run(
        self, images: Iterable[Any], request: Request, hints: Iterable[Any], masks: Iterable[Any], what: str = ""
    ) -> Iterator[Any]:
        """Yield the result of each image, or the list of its results."""
        stream = ImageStream(self.runner, request, self.prepare, self.values)
        return (r if request.as_list else r[0] for r in stream.run(images, hints, masks, what))

    def translate_all(
        self, picture: Picture, request: Request, conditioning: Conditioning | None = None, name: str = "the picture"
    ) -> list[Picture]:
        """Translate a picture to each variant of a request, in the same size and depth; arguments as for `prepare`."""
        return self.runner.run_batch([self.prepare(picture, request, conditioning, name)], request)[0].pictures()

    def prepare(
        self, picture: Picture, request: Request, conditioning: Conditioning | None = None, name: str = "the picture"
    ) -> PreparedImage:
        """Preprocess a picture for `runner.run_batch`; thread-safe.

        Without `conditioning`, an inpainting model fills the pixels that are not fully opaque.

        Raises:
            OptionError: conditioning for a model that takes none.
            UserError: as for a call.
        """
        channels = self.runner.channels(request.direction)
        if self.masked:
            check_channels(picture, channels[0], name)
            return PreparedImage(picture=picture, name=name, hole=find_hole(picture, conditioning, name))  # type: ignore[arg-type]
        self.check_conditioning(hints=conditioning is not None)
        check_exact(picture, request.consistent, name)
        from translate.inference.preprocess import prepare

        return prepare(self.recipe, channels, picture, request.scale, conditioning, name)  # type: ignore[arg-type]

    def style_code(self, photo: Any) -> np.ndarray:
        """Encode the style of an image of the target domain as z: (z_dim,) float32; of a list or batch, (B, z_dim).

        Raises:
            OptionError: a model without a style encoder.
            UserError: an unreadable file, or another kind of input.
        """
        from translate.inference.inputs.styles import encode_style

        if "E" not in self.nets:
            raise OptionError("this model cannot read the look of a picture: it was trained without z")
        return encode_style(self.runner, self.values, photo)

    look = style_code  # as the README calls it
    _tensors = True  # whether style codes become tensors

    # ---- requests

    def request(
        self, direction: str | None = None, *, count: int | None = None, seed: int | None = None, z: Any = None,
        strength: float | None = None, to: Any = None, scale: str = "fit", consistent: bool = False,
    ) -> Request:  # fmt: skip
        """Check the arguments of a call, and return them as a request; raise OptionError as a call."""
        if scale not in ("fit", "native"):
            raise OptionError(f"scale {scale!r} is unknown; choose fit or native")
        if self.masked and scale == "native":
            raise OptionError("a model that fills holes chooses the scale by the hole; leave the scale out")
        if consistent and self.scale == 1:
            raise OptionError("this model enlarges no pictures; leave consistent out")
        if strength is not None:
            if z is not None:
                raise OptionError("z is the strength of this model; leave one of the two out")
            z = strength_code(strength, self.strength)
        z = label_code(to, z, self.recipe)
        variants, as_list = choose_variants(self.z_dim, self.random, count=count, seed=seed, z=z, tensors=self._tensors)
        way = self.check_direction(direction)
        return Request(direction=way, variants=variants, as_list=as_list, scale=scale, consistent=consistent)

    def check_direction(self, direction: str | None) -> str:
        """Return `direction`, or the model's default for None; raise OptionError if the model lacks it."""
        return check_direction(direction, self.recipe, self.runner)

    def check_conditioning(self, *, hints: bool = False, mask: bool = False) -> None:
        """Raise OptionError if hints or a mask are given to a model that takes none."""
        check_conditioning(hints, mask, self.recipe, self.masked)
