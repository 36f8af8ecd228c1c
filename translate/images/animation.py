"""Films from frames: .gif and animated .webp by Pillow, .mp4 and .webm by PyAV, the extra `video`."""

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

_PILLOW: dict[str, tuple[str, dict[str, Any]]] = {".gif": ("GIF", {}), ".webp": ("WEBP", {"quality": 90, "method": 4})}
_PYAV: dict[str, tuple[str, str, dict[str, str]]] = {  # container, codec, its options: visually lossless
    ".mp4": ("mp4", "libx264", {"crf": "16", "preset": "medium"}),
    ".webm": ("webm", "libvpx-vp9", {"crf": "24", "b": "0"}),
}
_WITHOUT_PYAV = "; or write a .gif or .webp"
FILM_SUFFIXES = (*_PILLOW, *_PYAV)


def check_film(path: str | Path) -> None:
    """Raise OptionError where the suffix of `path` names no kind of film, and UserError where PyAV is missing."""
    suffix = Path(path).suffix.lower()
    if suffix not in FILM_SUFFIXES:
        known = ", ".join(FILM_SUFFIXES)
        raise OptionError(f"{path}: {suffix or 'no suffix'!r} names no kind of film; use one of {known}")
    if suffix in _PYAV:
        import_av(path, _WITHOUT_PYAV)


def write_film(path: str | Path, frames: Iterable[np.ndarray], *, fps: float) -> None:
    """Write frames as a film in the format of the suffix, atomically; .gif and .webp repeat forever.

    Args:
        path: .gif, .webp, .mp4 or .webm; missing folders are created.
        frames: one or more (H, W, 3) uint8 RGB, all of one size.
        fps: frames per second; delays of a GIF are multiples of 10 ms and at least 20 ms.

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
    """Enlarge (H, W, 3) uint8 `scale` times; 0: until its shorter side has 256 px."""
    scale = scale or -(-256 // min(frame.shape[:2]))
    if scale == 1:
        return frame
    return cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)


def _write_by_pillow(path: Path, suffix: str, frames: Iterator[np.ndarray], fps: float) -> None:
    kind, options = _PILLOW[suffix]
    delay = max(round(1000 / fps), 20 if kind == "GIF" else 1)  # ms; players slow down a GIF with shorter ones
    pictures = (quantize_colours(frame) if kind == "GIF" else Image.fromarray(frame) for frame in frames)
    first = next(pictures)
    first.save(path, kind, save_all=True, append_images=pictures, duration=delay, loop=0, **options)


def quantize_colours(frame: np.ndarray) -> Image.Image:
    """Quantize a frame to its own palette of 256 colours, which covers rare ones such as those of eyes.

    The palette is fitted to a subset of pixels, in a tenth of the time. There is no dithering, which would flicker.
    """
    step = max(1, min(frame.shape[:2]) // 80)
    subset = Image.fromarray(np.ascontiguousarray(frame[::step, ::step]))
    palette = subset.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=2)
    return Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE)


def _write_by_av(path: Path, suffix: str, frames: Iterator[np.ndarray], fps: float) -> None:
    av = import_av(path, _WITHOUT_PYAV)
    container, codec, options = _PYAV[suffix]
    first = _pad_to_even(next(frames))
    with av.open(str(path), "w", format=container) as film:
        stream = film.add_stream(codec, rate=Fraction(fps).limit_denominator(1000), options=options)
        stream.height, stream.width, stream.pix_fmt = *first.shape[:2], "yuv420p"
        for frame in chain([first], map(_pad_to_even, frames)):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        film.mux(stream.encode(None))


def _pad_to_even(frame: np.ndarray) -> np.ndarray:
    """Repeat the last row or column where their number is odd: chroma is stored for 2 x 2 px."""
    height, width = frame.shape[:2]
    return np.ascontiguousarray(np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge"))
