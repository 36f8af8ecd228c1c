"""Frames to a film: .gif and animated .webp by Pillow, .mp4 and .webm by PyAV, the extra `video`."""

__all__ = ["FILM_SUFFIXES", "check_film", "enlarge", "quantize_colours", "write_film"]

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from translate.images.pyav import import_av
from translate.utils.errors import OptionError
from translate.utils.files import atomic_write

_PILLOW: dict[str, tuple[str, dict[str, Any]]] = {
    ".gif": ("GIF", {}),
    ".webp": ("WEBP", {"quality": 90, "method": 4}),
}
_PYAV: dict[str, tuple[str, str, dict[str, str]]] = {  # container, codec, its options: hardly a loss is seen
    ".mp4": ("mp4", "libx264", {"crf": "16", "preset": "medium"}),
    ".webm": ("webm", "libvpx-vp9", {"crf": "24", "b": "0"}),
}
_WITHOUT_PYAV = "; or write a .gif or .webp"
FILM_SUFFIXES = (*_PILLOW, *_PYAV)
_LEAST_DELAY = 20  # ms; players slow frames of a GIF down that are shorter
_SEEN = 256  # px from which on a film can be watched without a magnifying glass


def check_film(path: str | Path) -> None:
    """Check that a film can be written to `path`, before any work is put into its frames.

    Raises:
        OptionError: the suffix names no kind of film.
        UserError: PyAV is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FILM_SUFFIXES:
        known = ", ".join(FILM_SUFFIXES)
        raise OptionError(f"{path}: {suffix or 'no suffix'!r} names no kind of film; use one of {known}")
    if suffix in _PYAV:
        import_av(path, _WITHOUT_PYAV)


def write_film(path: str | Path, frames: Iterable[np.ndarray], *, fps: float) -> None:
    """Write frames as a film that the suffix names, atomically; .gif and .webp repeat for ever.

    Args:
        path: .gif, .webp, .mp4 or .webm; its folder is made where it is missing.
        frames: one or more (H, W, 3) uint8 RGB, all of one size.
        fps: frames a second; a GIF's are in steps of 10 ms, 50 a second at most.

    Raises:
        OptionError: the suffix names no kind of film, or `fps` is not above 0.
        UserError: PyAV is not installed.
        WriteError: the disk or the folder refuses.
    """
    if not 0 < fps <= 1000:
        raise OptionError(f"fps {fps:g} is out of range; give 1 to 60 frames a second")
    check_film(path)
    suffix = Path(path).suffix.lower()
    write = _write_by_pillow if suffix in _PILLOW else _write_by_av
    with atomic_write(path) as temporary:
        write(temporary, suffix, iter(frames), fps)


def enlarge(frame: np.ndarray, scale: int = 0) -> np.ndarray:
    """Enlarge (H, W, 3) uint8 `scale` times; 0: as often as its shorter side needs for 256 px."""
    scale = scale or -(-_SEEN // min(frame.shape[:2]))
    if scale == 1:
        return frame
    return cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)


def _write_by_pillow(path: Path, suffix: str, frames: Iterator[np.ndarray], fps: float) -> None:
    kind, options = _PILLOW[suffix]
    delay = max(round(1000 / fps), _LEAST_DELAY if kind == "GIF" else 1)
    pictures = (quantize_colours(frame) if kind == "GIF" else Image.fromarray(frame) for frame in frames)
    first = next(pictures)
    first.save(path, kind, save_all=True, append_images=pictures, duration=delay, loop=0, **options)


def quantize_colours(frame: np.ndarray) -> Image.Image:
    """Reduce a frame to its own 256 colours, rare ones such as those of eyes among them.

    They are found on every few pixels, which takes a tenth of the time. Dots of dithering would flicker.
    """
    step = max(1, min(frame.shape[:2]) // 80)
    few = Image.fromarray(np.ascontiguousarray(frame[::step, ::step]))
    palette = few.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=2)
    return Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE)


def _write_by_av(path: Path, suffix: str, frames: Iterator[np.ndarray], fps: float) -> None:
    av = import_av(path, _WITHOUT_PYAV)
    container, codec, options = _PYAV[suffix]
    first = _even(next(frames))
    with av.open(str(path), "w", format=container) as film:
        stream = film.add_stream(codec, rate=Fraction(fps).limit_denominator(1000), options=options)
        stream.height, stream.width, stream.pix_fmt = *first.shape[:2], "yuv420p"
        for frame in chain([first], map(_even, frames)):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        film.mux(stream.encode(None))


def _even(frame: np.ndarray) -> np.ndarray:
    """Repeat the last row or column of an odd number: colours are stored for 2 x 2 px."""
    height, width = frame.shape[:2]
    return np.ascontiguousarray(np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge"))
