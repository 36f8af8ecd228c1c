"""A film in memory, whatever it is read from: frames with their times."""

__all__ = ["Clip", "ColourTags", "Frame"]

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from translate.images.picture import Picture


@dataclass(frozen=True)
class Frame:
    """One frame.

    Attributes:
        picture: upright, 8 bits.
        time: when it is shown, in units of its clip.
        duration: how long it is shown, in units of its clip; 0: until the next frame.
    """

    picture: Picture
    time: int
    duration: int = 0


@dataclass(frozen=True)
class ColourTags:
    """The colour space of a film, in the numbers of ITU-T H.273; 2: unspecified.

    Attributes:
        matrix: of luma and colour differences.
        primaries: of red, green and blue.
        transfer: of red, green and blue.
    """

    matrix: int = 2
    primaries: int = 2
    transfer: int = 2


@dataclass
class Clip:
    """A film that can be read from its beginning.

    Attributes:
        path: the file or folder.
        size: height and width of its upright frames, px.
        unit: of times, seconds.
        rate: frames per second, on average.
        count: frames, as the file states; 0: unknown.
        frames: starts reading.
        colours: of its frames.
        aspect: width to height of a pixel.
        loop: repetitions of a GIF; 0: endless, None: it is shown once.
        film: whether other streams, such as sound, may be copied from it.
        notes: lines for the user; reading adds more.
    """

    path: Path
    size: tuple[int, int]
    unit: Fraction
    rate: Fraction
    count: int
    frames: Callable[[], Iterator[Frame]]
    colours: ColourTags = ColourTags()
    aspect: Fraction = Fraction(1)
    loop: int | None = 0
    film: bool = False
    notes: list[str] = field(default_factory=list)
