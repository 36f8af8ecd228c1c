"""Writers of films, GIFs and folders, in segments; each is complete on the disk before the next one begins.

`write` writes segment k, from frame `number` of the clip on, over an unfinished one. `finish` joins all segments, which
start at the times `starts`, to the output, and returns notes for the user.
"""

__all__ = ["CODECS", "FrameWriter", "open_writer"]

import shutil
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from translate.images.animation import quantize_colours
from translate.images.io import read_picture, write_picture
from translate.images.picture import Picture, flatten_alpha
from translate.images.pyav import import_av
from translate.inference.video.clip import Clip, Frame
from translate.inference.video.mux import mux_segments
from translate.inference.video.yuv import LIMITED_RANGE, colour_matrix, output_tags, to_yuv
from translate.utils.errors import UserError
from translate.utils.files import atomic_write


class Codec(NamedTuple):
    """How films of a file format are encoded, in FFmpeg's names."""

    container: str
    encoder: str
    finest: int  # "constant rate factor" of quality 100
    coarsest: int  # "constant rate factor" of quality 1
    options: dict[str, str]
    odd: bool  # whether the encoder takes odd sizes with colours at half the resolution


# Macroblock trees of x264 sometimes differ for the same frames, but a resumed run has to give the same film.
_H264 = ("libx264", 14, 51, {"preset": "medium", "x264-params": "mbtree=0"}, False)
_VP9 = ("libvpx-vp9", 18, 63, {"b": "0", "row-mt": "1", "cpu-used": "3"}, True)
CODECS = {
    ".mp4": Codec("mp4", *_H264),
    ".m4v": Codec("mp4", *_H264),
    ".mov": Codec("mov", *_H264),
    ".mkv": Codec("matroska", *_H264),
    ".webm": Codec("webm", *_VP9),
}


class _FilmWriter:
    """Encodes each segment as a film, and joins the films without encoding again."""

    def __init__(self, output: Path, clip: Clip, folder: Path, codec: Codec, quality: int) -> None:
        self.output, self.clip, self.folder, self.codec = output, clip, folder, codec
        span = codec.coarsest - codec.finest
        self.options = codec.options | {"crf": str(round(codec.finest + span * (100 - quality) / 99))}
        self.av = import_av(output)
        if codec.encoder not in self.av.codecs_available:
            raise UserError(f"{output}: this PyAV was built without {codec.encoder}; write another kind of film")

    def _segment(self, k: int) -> Path:
        return self.folder / f"{k:05d}.mp4"  # MP4 holds every time base, and the codecs of all file formats

    def write(self, k: int, number: int, frames: Iterator[Frame]) -> None:
        with atomic_write(self._segment(k)) as temporary, self.av.open(str(temporary), "w", format="mp4") as film:
            first = next(frames)
            stream = self._add_stream(film, first.picture.pixels.shape)
            for frame in chain([first], frames):
                film.mux(stream.encode(self._to_av(frame, first.time, stream.pix_fmt)))
            film.mux(stream.encode(None))

    def _add_stream(self, film: Any, shape: tuple[int, ...]) -> Any:
        clip, tags = self.clip, output_tags(self.clip.colours, shape[0])
        stream = film.add_stream(self.codec.encoder, rate=clip.rate, options=self.options)
        stream.height, stream.width = shape[:2]
        odd = any(side % 2 for side in shape[:2]) and not self.codec.odd
        stream.pix_fmt = "yuv444p" if odd else "yuv420p"
        context = stream.codec_context
        stream.time_base = context.time_base = clip.unit
        context.sample_aspect_ratio = clip.aspect
        context.colorspace, context.color_primaries, context.color_trc = tags.matrix, tags.primaries, tags.transfer
        context.color_range = LIMITED_RANGE
        return stream

    def _to_av(self, frame: Frame, start: int, pixel_format: str) -> Any:
        pixels = np.ascontiguousarray(flatten_alpha(frame.picture))
        encodable = to_yuv(self.av, pixels, pixel_format, colour_matrix(self.clip.colours, pixels.shape[0]))
        encodable.pts, encodable.time_base = frame.time - start, self.clip.unit
        encodable.duration = frame.duration
        return encodable

    def finish(self, starts: list[int]) -> list[str]:
        segments = [self._segment(k) for k in range(len(starts))]
        with atomic_write(self.output) as temporary:
            return mux_segments(segments, starts, self.clip, temporary, self.codec.container)


class _FolderWriter:
    """Writes frames as pictures, numbered from 000001.png on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, k: int, number: int, frames: Iterator[Frame]) -> None:
        for i, frame in enumerate(frames, number + 1):
            write_picture(self.folder / f"{i:06d}.png", frame.picture)

    def finish(self, starts: list[int]) -> list[str]:
        return []


class _GifWriter:
    """Stores frames as pictures, with their durations in the names, and writes the GIF at the end."""

    def __init__(self, output: Path, clip: Clip, folder: Path) -> None:
        self.output, self.clip, self.folder = output, clip, folder

    def write(self, k: int, number: int, frames: Iterator[Frame]) -> None:
        shutil.rmtree(self.folder / f"{k:05d}", ignore_errors=True)
        for i, frame in enumerate(frames):
            begin, end = (round(t * self.clip.unit * 100) for t in (frame.time, frame.time + frame.duration))
            write_picture(self.folder / f"{k:05d}" / f"{i:05d}_{end - begin}.png", frame.picture)

    def finish(self, starts: list[int]) -> list[str]:
        files = [file for k in range(len(starts)) for file in sorted((self.folder / f"{k:05d}").iterdir())]
        durations = [10 * int(file.stem.partition("_")[2]) for file in files]  # ms
        images = (_to_pillow(read_picture(file)) for file in files)
        options: dict[str, Any] = {} if self.clip.loop is None else {"loop": self.clip.loop}
        with atomic_write(self.output) as temporary:
            first = next(images)
            options |= {"disposal": 2} if first.mode == "RGBA" else {}
            first.save(temporary, "GIF", save_all=True, append_images=images, duration=durations, **options)
        return []


def _to_pillow(picture: Picture) -> Image.Image:
    if picture.alpha is None:
        return quantize_colours(picture.pixels)
    return Image.fromarray(np.dstack((picture.pixels, picture.alpha)))


FrameWriter = _FilmWriter | _FolderWriter | _GifWriter


def open_writer(output: Path, clip: Clip, folder: Path, quality: int) -> FrameWriter:
    """Return a writer of the frames of a clip to `output`, with its segments in `folder`."""
    suffix = output.suffix.lower()
    if suffix in CODECS:
        return _FilmWriter(output, clip, folder, CODECS[suffix], quality)
    return _GifWriter(output, clip, folder) if suffix == ".gif" else _FolderWriter(output)
