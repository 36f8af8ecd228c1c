"""Frames to a film, a GIF or a folder, in segments: each is whole on the disk before the next one begins."""

__all__ = ["FILMS", "Sink", "sink_for"]

import shutil
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from PIL import Image

from translate.images.animation import indexed
from translate.images.io import read_picture, write_picture
from translate.images.picture import Picture, on_white
from translate.images.pyav import import_av
from translate.inference.video.clip import Clip, Frame
from translate.inference.video.mux import join
from translate.inference.video.yuv import LIMITED, best_tags, from_rgb, matrix_of
from translate.utils.errors import UserError
from translate.utils.files import atomic_write


class Codec(NamedTuple):
    """How films of a kind are encoded.

    Attributes:
        container: FFmpeg's name of the file format.
        codec: of the encoder.
        finest, coarsest: the "constant rate factor" of quality 100 and 1.
        options: of the encoder.
        odd: whether colours at half the resolution go with odd sizes.
    """

    container: str
    codec: str
    finest: int
    coarsest: int
    options: dict[str, str]
    odd: bool


# Macroblock trees of x264 came out differently now and then for the very same frames; a resumed run is to be the same.
_H264 = ("libx264", 14, 51, {"preset": "medium", "x264-params": "mbtree=0"}, False)
_VP9 = ("libvpx-vp9", 18, 63, {"b": "0", "row-mt": "1", "cpu-used": "3"}, True)
FILMS = {
    ".mp4": Codec("mp4", *_H264),
    ".m4v": Codec("mp4", *_H264),
    ".mov": Codec("mov", *_H264),
    ".mkv": Codec("matroska", *_H264),
    ".webm": Codec("webm", *_VP9),
}


class Sink(Protocol):
    """Where frames go."""

    def write(self, k: int, number: int, frames: Iterator[Frame]) -> None:
        """Write segment k, which begins with frame `number` of the clip; what is there of it is written over."""

    def finish(self, starts: list[int]) -> list[str]:
        """Make the output of the segments, which begin at those times; return what the user should know of it."""
        ...


def sink_for(output: Path, clip: Clip, parts: Path, quality: int) -> Sink:
    """Return what writes the frames of a clip to `output`, with its segments in the folder `parts`.

    Raises:
        UserError: PyAV is not installed, or cannot write such films.
    """
    suffix = output.suffix.lower()
    if suffix in FILMS:
        return _FilmSink(output, clip, parts, FILMS[suffix], quality)
    return _GifSink(output, clip, parts) if suffix == ".gif" else _FolderSink(output)


class _FilmSink:
    """Segments are films of their own, which are joined without another encoding."""

    def __init__(self, output: Path, clip: Clip, parts: Path, codec: Codec, quality: int) -> None:
        self.output, self.clip, self.parts, self.codec = output, clip, parts, codec
        span = codec.coarsest - codec.finest
        self.options = codec.options | {"crf": str(round(codec.finest + span * (100 - quality) / 99))}
        self.av = import_av(output)
        if codec.codec not in self.av.codecs_available:
            raise UserError(f"{output}: this PyAV was built without {codec.codec}; write another kind of film")

    def _part(self, k: int) -> Path:
        return self.parts / f"{k:05d}.mp4"  # it keeps every time base, and all of these codecs

    def write(self, k: int, number: int, frames: Iterator[Frame]) -> None:
        with atomic_write(self._part(k)) as temporary, self.av.open(str(temporary), "w", format="mp4") as film:
            first = next(frames)
            stream = self._stream(film, first.picture.pixels.shape)
            for frame in chain([first], frames):
                film.mux(stream.encode(self._encodable(frame, first.time, stream.pix_fmt)))
            film.mux(stream.encode(None))

    def _stream(self, film: Any, shape: tuple[int, ...]) -> Any:
        clip, tags = self.clip, best_tags(self.clip.colours, shape[0])
        stream = film.add_stream(self.codec.codec, rate=clip.rate, options=self.options)
        stream.height, stream.width = shape[:2]
        odd = any(side % 2 for side in shape[:2]) and not self.codec.odd
        stream.pix_fmt = "yuv444p" if odd else "yuv420p"
        context = stream.codec_context
        stream.time_base = context.time_base = clip.unit
        context.sample_aspect_ratio = clip.aspect
        context.colorspace, context.color_primaries, context.color_trc = tags.matrix, tags.primaries, tags.transfer
        context.color_range = LIMITED
        return stream

    def _encodable(self, frame: Frame, start: int, pixel_format: str) -> Any:
        pixels = np.ascontiguousarray(on_white(frame.picture))
        made = from_rgb(self.av, pixels, pixel_format, matrix_of(self.clip.colours, pixels.shape[0]))
        made.pts, made.time_base, made.duration = frame.time - start, self.clip.unit, frame.duration
        return made

    def finish(self, starts: list[int]) -> list[str]:
        parts = [self._part(k) for k in range(len(starts))]
        with atomic_write(self.output) as temporary:
            return join(parts, starts, self.clip, temporary, self.codec.container)


class _FolderSink:
    """Frames are pictures, with numbers for names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, k: int, number: int, frames: Iterator[Frame]) -> None:
        for i, frame in enumerate(frames, number + 1):
            write_picture(self.folder / f"{i:06d}.png", frame.picture)

    def finish(self, starts: list[int]) -> list[str]:
        return []


class _GifSink:
    """Frames are kept as pictures, whose names tell how long they are shown, until all are there."""

    def __init__(self, output: Path, clip: Clip, parts: Path) -> None:
        self.output, self.clip, self.parts = output, clip, parts

    def write(self, k: int, number: int, frames: Iterator[Frame]) -> None:
        shutil.rmtree(self.parts / f"{k:05d}", ignore_errors=True)
        for i, frame in enumerate(frames):
            begin, end = (round(t * self.clip.unit * 100) for t in (frame.time, frame.time + frame.duration))
            write_picture(self.parts / f"{k:05d}" / f"{i:05d}_{end - begin}.png", frame.picture)

    def finish(self, starts: list[int]) -> list[str]:
        files = [file for k in range(len(starts)) for file in sorted((self.parts / f"{k:05d}").iterdir())]
        durations = [10 * int(file.stem.partition("_")[2]) for file in files]  # ms
        images = (_gif_image(read_picture(file)) for file in files)
        options: dict[str, Any] = {} if self.clip.loop is None else {"loop": self.clip.loop}
        with atomic_write(self.output) as temporary:
            first = next(images)
            options |= {"disposal": 2} if first.mode == "RGBA" else {}
            first.save(temporary, "GIF", save_all=True, append_images=images, duration=durations, **options)
        return []


def _gif_image(picture: Picture) -> Image.Image:
    if picture.alpha is None:
        return indexed(picture.pixels)
    return Image.fromarray(np.dstack((picture.pixels, picture.alpha)))
