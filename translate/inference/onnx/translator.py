"""An ONNX file as a translator, without torch."""

__all__ = ["ORIGINAL", "REFUSED", "OnnxTranslator", "as_recipe", "load_onnx"]

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from translate.checkpoints.recipe import Recipe
from translate.images.picture import Picture, parse_range
from translate.inference.inputs.checks import check_exact
from translate.inference.inputs.masks import find_hole
from translate.inference.inputs.pixels import check_channels, hint_planes, network_size, source_planes
from translate.inference.onnx.file import open_onnx
from translate.inference.onnx.recipe import OnnxRecipe
from translate.inference.onnx.runner import OnnxRunner, check_precision, to_network
from translate.inference.request import Conditioning, PreparedImage, Request
from translate.inference.translator import Translator
from translate.utils.errors import OptionError, UserError
from translate.utils.program import command_form

REFUSED = {  # options of `Translator.load` that no ONNX file has
    "stats": "an ONNX file normalises each picture by its own statistics; leave out --stats",
    "reference": "an ONNX file normalises each picture by its own statistics; leave out --reference",
    "memory": "an ONNX file does not work tile by tile; leave out --memory",
    "weights": "an ONNX file holds one set of weights; leave out --weights, and choose them when it is exported",
    "base": "an ONNX file needs no other model; leave out --base",
}
ORIGINAL = "load the model that it was exported from"


class OnnxTranslator(Translator):
    """Translates images with an ONNX file: the calls are those of `Translator`.

    What needs the networks themselves (other norm statistics, the look of a picture, tiles, tensors) is answered by an
    error that says so.

    Attributes:
        file: the ONNX file.
        identity: a hash of its content.
        onnx: its recipe.
        note: one line for the user, if the file is not of this toolkit; else "".
    """

    note = ""
    _tensors = False

    def __init__(self, content: bytes, onnx: OnnxRecipe, file: Path, device: str = "auto") -> None:
        if onnx.kind == "generate":
            raise UserError(f"{file}: makes pictures from z and translates none; use {command_form('sample')}")
        self.onnx, self.file, self.values = onnx, file, parse_range(onnx.values)
        self.identity = hashlib.blake2b(content, digest_size=16).hexdigest()
        self.runner: Any = OnnxRunner(content, onnx, str(file), device)
        self.recipe, self.z_dim, self.random = as_recipe(onnx), self.runner.z_dim, self.runner.random
        self.strength, self.masked, self.scale = self.runner.strength, self.runner.masked, self.runner.scale

    def __repr__(self) -> str:
        return f"OnnxTranslator({' -> '.join(self.recipe.domains)}, {self.onnx.task}, {self.onnx.precision})"

    # ---- what needs the networks themselves

    def with_norm_statistics(self, stats: str = "", reference: Any = None) -> "Translator":
        """Return itself for the statistics that the file has, those of each picture; raise OptionError for others."""
        if stats in ("", "exact") and reference is None:
            return self
        raise OptionError(REFUSED["stats"])

    def with_mode(self, mode: Any) -> NoReturn:
        """Raise OptionError: the file has one precision."""
        raise OptionError(f"an ONNX file has one precision; {ORIGINAL}")

    @property
    def nets(self) -> NoReturn:
        """Raise OptionError: the networks are a graph."""
        raise OptionError(f"an ONNX file holds no networks of torch; {ORIGINAL}")

    def style_code(self, photo: Any) -> NoReturn:
        """Raise OptionError: the file has no style encoder."""
        looks = f", or give one of its {len(self.onnx.z.looks)} looks as z" if self.onnx.z and self.onnx.z.looks else ""
        raise OptionError(f"an ONNX file cannot read the look of a picture; {ORIGINAL}{looks}")

    look = style_code

    # ---- translation

    def prepare(
        self, picture: Picture, request: Request, conditioning: Conditioning | None = None, name: str = "the picture"
    ) -> PreparedImage:
        """Preprocess a picture, as `Translator.prepare`; arrays take the place of tensors."""
        source, target = self.onnx.channels
        if self.masked:
            check_channels(picture, source, name)
            return PreparedImage(picture=picture, name=name, hole=find_hole(picture, conditioning, name))  # type: ignore[arg-type]
        self.check_conditioning(hints=conditioning is not None)
        check_exact(picture, request.consistent, name)
        height, width = picture.pixels.shape[:2]
        size = network_size(self.recipe, height, width, request.scale)
        size = (self.onnx.fixed, self.onnx.fixed) if self.onnx.fixed else size
        planes = source_planes(self.recipe, picture, source, size, name, flat=self.onnx.paired)
        if source != target:
            picture = replace(picture, gray=target == 1)
        hint: Any = None
        if conditioning:
            layer: Any = conditioning[0]
            hint = to_network(hint_planes(layer, (height, width), size, conditioning[1]))
        network_input: Any = to_network(planes)
        return PreparedImage(picture=picture, name=name, network_input=network_input, hint=hint)


def load_onnx(
    path: str | Path, device: str, precision: str, value_range: str, others: Sequence[Any]
) -> OnnxTranslator:  # fmt: skip
    """Load an ONNX file; `others` are the options of REFUSED, which have to have their defaults.

    Raises:
        OptionError: an option that the file does not have.
        UserError: a file that is missing, damaged, not plain, or may do harm.
    """
    for refusal, value in zip(REFUSED.values(), others, strict=True):
        if not (value is None or (isinstance(value, str) and value in ("", "last"))):
            raise OptionError(refusal)
    content, recipe, note = open_onnx(path)
    check_precision(path, recipe, precision)
    translator = OnnxTranslator(content, recipe, Path(path).expanduser(), device)
    if value_range and translator.masked:
        raise OptionError("a model that fills holes keeps known pixels as they are; leave --value-range out")
    translator.values, translator.note = parse_range(value_range) or translator.values, note
    return translator


def as_recipe(onnx: OnnxRecipe) -> Recipe:
    """Return the recipe of a model file that says what the ONNX file says; without networks."""
    directions: tuple[str, ...] = ()
    if onnx.kind != "translate":
        channels = {"small": onnx.channels[0], "image": onnx.channels[1]}
    else:
        channels = {"a": onnx.channels[0], "b": onnx.channels[1]}
        channels |= {"hint": 4} if any(entry.name == "hints" for entry in onnx.inputs) else {}
        directions = (onnx.direction,)
    return Recipe(
        task=onnx.task, nets={}, domains=onnx.domains, size=onnx.size, preset="", steps=0, data="", channels=channels,
        directions=directions, whole=onnx.whole,
        facts={"sketch": onnx.sketch, "labels": "a" if onnx.labels else "", "value_range": onnx.values},
    )  # fmt: skip
