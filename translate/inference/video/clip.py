"""What a film is here, whatever it comes from: frames with their times."""

__all__ = ["Clip", "Colours", "Frame"]

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
        duration: how long, likewise; 0: until the next.
    """

    picture: Picture
    time: int
    duration: int = 0


@dataclass(frozen=True)
class Colours:
    """What a film's values stand for, in the numbers of ITU-T H.273; 2: not said.

    Attributes:
        matrix: of luma and colour differences. primaries, transfer: of red, green and blue.
    """

    matrix: int = 2
    primaries: int = 2
    transfer: int = 2


@dataclass
class Clip:
    """A film that can be read from its beginning.

    Attributes:
        path: the file or folder.
        size: height and width of its frames, upright, px.
        unit: of times, seconds.
        rate: frames a second, in the mean.
        count: frames, as far as its file says; 0: it does not.
        frames: begins to read.
        colours: of its frames.
        aspect: width to height of a pixel.
        loop: how often a GIF is repeated; 0: for ever, None: it is shown once.
        film: whether other streams, such as sound, may be copied from it.
        notes: what the user should know, a line each; more while it is read.
    """

    path: Path
    size: tuple[int, int]
    unit: Fraction
    rate: Fraction
    count: int
    frames: Callable[[], Iterator[Frame]]
    colours: Colours = Colours()
    aspect: Fraction = Fraction(1)
    loop: int | None = 0
    film: bool = False
    notes: list[str] = field(default_factory=list)
