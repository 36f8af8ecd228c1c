"""Clips: frames with their times, from any source."""

__all__ = ["Clip", "ColourTags", "Frame"]

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from translate.images.picture import Picture


@dataclass(frozen=True)
class Frame:
    """One frame, upright, with 8 bits; times are in units of the clip."""

    picture: Picture
    time: int  # at which the frame appears
    duration: int = 0  # 0: until the next frame


@dataclass(frozen=True)
class ColourTags:
    """The colour space of a film, in the numbers of ITU-T H.273; 2: unspecified."""

    matrix: int = 2  # of luma and colour differences
    primaries: int = 2  # of red, green and blue
    transfer: int = 2  # of red, green and blue


@dataclass
class Clip:
    """A film, a GIF or a folder of frames, which can be read several times."""

    path: Path  # the file or folder
    size: tuple[int, int]  # height and width of the upright frames, px
    unit: Fraction  # of times, s
    rate: Fraction  # frames per second, on average
    count: int  # frames, as the file states; 0: unknown
    frames: Callable[[], Iterator[Frame]]  # reads from the beginning
    colours: ColourTags = ColourTags()
    aspect: Fraction = Fraction(1)  # width to height of a pixel
    loop: int | None = 0  # repetitions of a GIF; 0: endless, None: no repetition
    film: bool = False  # whether other streams, such as sound, can be copied from the file
    seconds: float = 0.0  # length that the file states; 0: unknown
    notes: list[str] = field(default_factory=list)  # for the user; reading adds more
