"""How an ONNX file is used: what its inputs are made from, and its output made into; stored in the file as JSON."""

__all__ = ["FORMAT", "KEY", "OnnxInput", "OnnxRecipe", "StyleCodes", "is_onnx", "parse_recipe"]

import json
from dataclasses import asdict, dataclass, fields
from math import isfinite
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from translate.checkpoints.recipe import KEY
from translate.utils.errors import short_repr
from translate.utils.terminal import printable

FORMAT = 1  # version of the layout of OnnxRecipe
KINDS = ("translate", "inpaint", "generate", "upscale")
MAX_SCALE = 16
MAX_CHARACTERS = 2**23  # real recipes have up to a hundred thousand, most of them for looks
MAX_SIDE_PX = 2**16


@dataclass(frozen=True, kw_only=True)
class OnnxInput:
    """One input of the graph."""

    name: str
    shape: tuple[int | str, ...]  # symbols: "batch", "height", "width", and "height/8"
    about: str  # what it holds, in words
    values: tuple[float, ...] | None = (-1.0, 1.0)  # black and white, or least and largest; None: N(0, 1) or a code
    dtype: str = "float32"


@dataclass(frozen=True, kw_only=True)
class StyleCodes:
    """The style codes z of a model."""

    dim: int
    default: tuple[float, ...]  # the z of the deterministic result
    # "looks": one of `looks` plus a tenth of their spread, by numpy's default_rng(seed); "normal" or "uniform" in
    # [-1, 1]: default_rng(seed); "strength": the user chooses a number from 0 to 1
    drawn: str
    looks: tuple[tuple[float, ...], ...] = ()  # codes of training pictures


@dataclass(frozen=True, kw_only=True)
class OnnxRecipe:
    """How an ONNX file is used.

    Its JSON has the fields by name, and `preprocess` and `postprocess` in words.
    """

    kind: str  # "translate", "inpaint", "generate" or "upscale"
    task: str
    domains: tuple[str, ...]  # source and target, or of the one set of pictures
    direction: str  # of the training, "ab" or "ba"; "" without
    channels: tuple[int, int]  # of the source (0 if there is none) and of the target
    size: int  # px, of pictures in training
    multiple: int  # px; height and width are multiples of it
    inputs: tuple[OnnxInput, ...]
    min_side: int = 16  # px; smaller pictures are padded
    fixed: int = 0  # px; side of the only squares that the network takes; 0: any size
    scale: int = 1  # by which the result is wider and higher than the picture
    whole: bool = False  # trained on whole pictures: the shorter side is resized to `size`
    paired: bool = False  # trained on pairs: transparent pictures are composited on white, the result is opaque
    sketch: bool = False  # sources are dark lines on white
    labels: bool = False  # sources are label maps, which are resized without interpolation
    values: str = ""  # black and white of floats and wide integers in the user's files, such as "0,4095"
    classes: tuple[str, ...] = ()
    z: StyleCodes | None = None
    random: bool = False  # whether a seed changes the result
    precision: str = "fp32"  # "fp32", "half" or "int8"
    value_range: tuple[float, float] = (-1.0, 1.0)
    layout: str = "NCHW"
    colour: str = "RGB"
    output: str = "result"
    preprocess: tuple[str, ...] = ()
    postprocess: tuple[str, ...] = ()
    translate: str = ""  # version that wrote the file
    model: str = ""  # hash of the model that was exported
    bytes_per_pixel: float = 0.0  # memory that a pass takes for each pixel of the picture, about; 0: not known
    format: int = FORMAT

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as it is written to JSON."""
        return asdict(self)


def is_onnx(path: Any) -> bool:
    """Whether a path given as a model is an ONNX file by its name."""
    return str(path).lower().endswith(".onnx")


def parse_recipe(text: str) -> OnnxRecipe:
    """Parse and check the JSON of a file.

    Raises:
        ValueError: it is no recipe, or a value is wrong; the message names it.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"it has {len(text):,} characters, which no recipe has")
    try:
        values = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(values, dict):
        raise ValueError("it is no table")
    if isinstance(values.get("format"), int) and values["format"] > FORMAT:
        raise ValueError(f"it was written by a newer version (format {values['format']}); update this one")
    known = {f.name for f in fields(OnnxRecipe)}
    try:
        kept: dict[str, Any] = {key: _frozen(value) for key, value in values.items() if key in known}
        kept["inputs"] = tuple(OnnxInput(**{k: _frozen(v) for k, v in entry.items()}) for entry in values["inputs"])
        if kept.get("z") is not None:
            kept["z"] = StyleCodes(**{k: _frozen(v) for k, v in values["z"].items()})
        recipe = OnnxRecipe(**kept)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"its fields are wrong ({error})") from None
    _check(recipe)
    return recipe


def _frozen(value: Any) -> Any:
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else value


def _check(recipe: OnnxRecipe) -> None:
    """Raise ValueError for a value of another type or out of range."""
    parts: list[OnnxRecipe | OnnxInput | StyleCodes] = [recipe, *recipe.inputs, *([recipe.z] if recipe.z else [])]
    for part in parts:
        hints = get_type_hints(type(part))
        for f in fields(part):
            value, kind = getattr(part, f.name), hints[f.name]
            kinds = tuple(get_origin(k) or k for k in (get_args(kind) if isinstance(kind, UnionType) else (kind,)))
            if type(value) not in kinds:
                raise ValueError(f"{f.name} is {short_repr(value)}")
    if recipe.kind not in KINDS:
        raise ValueError(f"kind is {short_repr(recipe.kind)}")
    sides = (recipe.size, recipe.multiple, recipe.min_side, *(c for c in recipe.channels if c))
    if not all(type(n) is int and 1 <= n <= MAX_SIDE_PX for n in sides) or len(recipe.channels) != 2:
        raise ValueError("size, multiple, min_side or channels are out of range")
    if not 1 <= recipe.scale <= (MAX_SCALE if recipe.kind == "upscale" else 1):
        raise ValueError(f"scale is {recipe.scale}")
    if not 0 <= recipe.fixed <= MAX_SIDE_PX or len(recipe.domains) != (1 if recipe.kind != "translate" else 2):
        raise ValueError("fixed or domains are wrong")
    names = (*recipe.domains, *recipe.classes, recipe.direction, recipe.values, recipe.task)
    if not all(isinstance(name, str) and len(name) < 1024 and printable(name) == name for name in names):
        raise ValueError("its names hold control characters")
    if recipe.z and not _are_codes(recipe.z):
        raise ValueError("the style codes are wrong")


def _are_codes(z: StyleCodes) -> bool:
    rows = (z.default, *z.looks)
    numbers = all(len(row) == z.dim and all(isinstance(x, int | float) and isfinite(x) for x in row) for row in rows)
    return (
        numbers and z.drawn in ("looks", "normal", "uniform", "strength") and (z.drawn != "looks" or len(z.looks) > 1)
    )
