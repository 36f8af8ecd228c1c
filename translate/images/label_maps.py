"""Label maps: the classes of a set of maps, and maps as class numbers, one-hot planes, files and colours.

Class numbers are (H, W) uint8: 0 to K - 1, and UNLABELLED where nothing is known.
"""

__all__ = ["MAX_CLASSES", "UNLABELLED", "Classes", "codes_of", "colour_text", "distinct_colours", "packed"]

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from translate.images.picture import LabelMap, Picture, to_depth
from translate.utils.errors import UserError

UNLABELLED = 255  # class number of pixels of no class
MAX_CLASSES = 255
FORMS = ("palette", "gray", "gray16", "rgb")  # of files
KEYS = ("index", "colour")
MAX_VALUES = {"gray16": 65535, "rgb": 0xFFFFFF}  # else 255; colours are 0xRRGGBB
CHUNK_COLOURS = 1 << 16  # compared with the classes at a time


@dataclass(frozen=True, kw_only=True)
class Classes:
    """The K classes of a set of label maps, and how its files tell them apart."""

    form: str  # of the files, one of FORMS
    key: str  # "index": palette indices or gray values tell classes; "colour": colours do
    values: tuple[int, ...]  # of each class in files: an index, a gray value, or by colour 0xRRGGBB
    colours: tuple[int, ...]  # to show each class in, 0xRRGGBB, all different
    names: tuple[str, ...]
    unlabelled: tuple[int, ...] = ()  # values of pixels of no class
    nearest: bool = False  # whether other colours count as the nearest class: for JPEG and smoothed edges

    def __len__(self) -> int:
        return len(self.values)

    def __post_init__(self) -> None:
        limit = 0xFFFFFF if self.key == "colour" else MAX_VALUES.get(self.form, 255)
        lengths = {len(self.values), len(self.colours), len(self.names)}
        numbers = [*self.values, *self.colours, *self.unlabelled]
        whole = all(type(number) is int and 0 <= number <= 0xFFFFFF for number in numbers)
        if not (
            whole and self.form in FORMS and self.key in KEYS and all(isinstance(name, str) for name in self.names)
        ):
            raise ValueError("classes of unknown kind")
        if lengths != {len(set(self.values))} or len(set(self.colours)) < len(self.colours):
            raise ValueError("classes of unequal counts, or two of one value")
        if not 0 < len(self) <= MAX_CLASSES or max(self.values) > limit:
            raise ValueError(f"classes are 1 to {MAX_CLASSES}, of values up to {limit}")

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Classes":
        """Build from what `to_facts` returned; raise ValueError or TypeError for anything else."""
        values: dict[str, Any] = {key: tuple(x) if isinstance(x, list) else x for key, x in facts.items()}
        return cls(**values)

    def to_facts(self) -> dict[str, Any]:
        """Return plain containers, for the recipe of a model."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    def text(self, value: int) -> str:
        """Spell a value of the files: 7, or #00ff00."""
        return colour_text(value) if self.key == "colour" else str(value)

    # ---- from files

    def encode(self, picture: Picture, name: str = "") -> np.ndarray:
        """Convert a decoded map to class numbers, (H, W) uint8.

        Values of no class are UNLABELLED; with a `name`, only those that training had as unlabelled may occur.

        Raises:
            UserError: the picture has a value of no class, or colours where the classes have none.
        """
        codes = codes_of(picture, self.key)
        if codes is None:
            return self._encode(self._colour_codes(picture, name), self.colours, name, colours=True)
        return self._encode(codes, self.values, name, colours=self.key == "colour")

    def encode_colours(self, pixels: np.ndarray) -> np.ndarray:
        """Convert one half of a combined picture, (H, W, 3) uint8, to class numbers."""
        return self.encode(Picture(pixels))

    def _colour_codes(self, picture: Picture, name: str) -> np.ndarray:
        """Return the colours of a picture without indices; raise UserError if the classes have gray values."""
        if self.form != "palette":
            raise UserError(
                f"{name or 'the map'}: is in colours, but this model's maps are gray, with a value for each class"
            )
        return packed(picture.pixels)

    def _encode(self, codes: np.ndarray, known: Sequence[int], name: str, *, colours: bool) -> np.ndarray:
        order = np.argsort(known)
        ordered = np.array(known, np.int32)[order]
        place = np.searchsorted(ordered, codes).clip(max=len(ordered) - 1)
        right, numbers = ordered[place] == codes, order.astype(np.uint8)[place]
        if colours and self.nearest and not right.all():
            return self._nearest(codes)
        numbers[~right] = UNLABELLED
        if name and not right.all():
            self._check_unknown(codes[~right], name, colours=colours)
        return numbers

    def _check_unknown(self, codes: np.ndarray, name: str, *, colours: bool) -> None:
        unknown = np.setdiff1d(codes, self.unlabelled)
        if unknown.size:
            text = colour_text if colours else str
            listed = ", ".join(text(int(value)) for value in unknown[:3]) + " ..." * (unknown.size > 3)
            classes = ", ".join(self.text(value) for value in self.values[:8]) + " ..." * (len(self) > 8)
            raise UserError(f"{name}: has {listed}, which is none of this model's {len(self)} classes ({classes})")

    def _nearest(self, codes: np.ndarray) -> np.ndarray:
        """Return the number of the class with the nearest colour, or UNLABELLED if that of no class is nearer."""
        unique, inverse = np.unique(codes, return_inverse=True)
        known = _unpacked(np.array([*self.values, *self.unlabelled])).astype(np.int32)
        parts = []
        for start in range(0, len(unique), CHUNK_COLOURS):
            some = _unpacked(unique[start : start + CHUNK_COLOURS]).astype(np.int32)
            parts.append(np.square(some[:, None] - known).sum(axis=2).argmin(axis=1))
        numbers = np.concatenate(parts)
        numbers[numbers >= len(self)] = UNLABELLED
        return numbers.astype(np.uint8)[inverse].reshape(codes.shape)

    # ---- to files

    def show(self, numbers: np.ndarray) -> np.ndarray:
        """Return the colours of class numbers of any shape (...), uint8 (..., 3).

        Unlabelled pixels are black, or if a class is, white or another colour that no class has.
        """
        table = self._table(self.colours)
        free = next(colour for colour in (0, 0xFFFFFF, *distinct_colours(255)) if colour not in self.colours)
        table[UNLABELLED] = _unpacked(np.array([free]))
        return table[numbers]

    def stored(self, numbers: np.ndarray) -> tuple[np.ndarray, LabelMap]:
        """Convert class numbers to the pixels (H, W, 3) of a picture, and to what a file as in training holds."""
        if self.form == "rgb":
            table = self._table(self.values)
            table[UNLABELLED] = _unpacked(self._value_table()[UNLABELLED:])
            return table[numbers], LabelMap(numbers=numbers)
        if self.form == "palette":
            values, palette = self._value_table(), np.zeros((256, 3), np.uint8)
            values = np.arange(256) if self.key == "colour" else values
            palette[values[: len(self)]] = self.show(np.arange(len(self), dtype=np.uint8))
            return self.show(numbers), LabelMap(values.astype(np.uint8)[numbers], palette, numbers)
        table = self._value_table().astype(np.uint16 if self.form == "gray16" else np.uint8)
        return table[numbers][..., None].repeat(3, axis=2), LabelMap(table[numbers], numbers=numbers)

    def picture(self, numbers: np.ndarray) -> Picture:
        """Return class numbers (H, W) as a picture that is written as a map like those of training."""
        pixels, label_map = self.stored(numbers)
        return Picture(pixels, gray=self.form.startswith("gray"), label_map=label_map)

    def from_shown(self, pixels: np.ndarray) -> np.ndarray:
        """Return the class numbers of (H, W, 3) uint8 that `show` returned."""
        return self._encode(packed(pixels), self.colours, "", colours=False)

    def _value_table(self) -> np.ndarray:
        """Return the value of each class number, (256,); that of UNLABELLED is an unlabelled one, or else 0."""
        table = np.full(256, self.unlabelled[0] if self.unlabelled else 0)
        table[: len(self)] = self.values
        return table

    @staticmethod
    def _table(colours: Sequence[int]) -> np.ndarray:
        table = np.zeros((256, 3), np.uint8)
        table[: len(colours)] = _unpacked(np.array(colours))
        return table

    @staticmethod
    def resize(numbers: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Resize class numbers (h, w) to a height and width: each pixel takes the class that covers most of it."""
        if numbers.shape == tuple(size):
            return numbers
        shrinks = size[0] * size[1] < numbers.size
        best, result = np.full(size, -1, np.float32), np.zeros(size, np.uint8)
        for number in np.unique(numbers):
            mask = (numbers == number).astype(np.float32)
            share = cv2.resize(mask, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
            result[share > best] = number
            np.maximum(best, share, out=best)
        return result


def codes_of(picture: Picture, key: str) -> np.ndarray | None:
    """Return what tells the classes of a map apart, (H, W) int32: indices or gray values, or by "colour" 0xRRGGBB.

    None for a picture in colours that has no indices.
    """
    if key == "colour":
        return packed(picture.pixels)
    if picture.indices is not None:
        return picture.indices.astype(np.int32)
    if picture.pixels.dtype.kind == "f" or not (picture.gray or np.ptp(picture.pixels, axis=2).max() == 0):
        return None
    return picture.pixels[..., 0].astype(np.int32)


def packed(pixels: np.ndarray) -> np.ndarray:
    """Pack (H, W, 3) as 0xRRGGBB; deeper pixels are reduced to 8 bits."""
    red, green, blue = np.moveaxis(to_depth(pixels, np.uint8).astype(np.int32), 2, 0)
    return red << 16 | green << 8 | blue


def _unpacked(colours: np.ndarray) -> np.ndarray:
    """Unpack 0xRRGGBB (n,) to (n, 3) uint8."""
    return np.stack([colours >> 16 & 255, colours >> 8 & 255, colours & 255], axis=-1).astype(np.uint8)


def colour_text(colour: int) -> str:
    """Spell 0xRRGGBB: #00ff00."""
    return f"#{colour:06x}"


def distinct_colours(count: int) -> tuple[int, ...]:
    """Return colours for at most 255 classes without any, none of them black: those of the PASCAL VOC devkit."""
    found = []
    for label in range(1, count + 1):
        channels = [sum((label >> 3 * bit + channel & 1) << 7 - bit for bit in range(8)) for channel in range(3)]
        found.append(channels[0] << 16 | channels[1] << 8 | channels[2])
    return tuple(found)
