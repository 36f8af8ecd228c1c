"""Films, GIFs and folders of frames as clips."""

__all__ = ["is_video", "open_clip", "video_stream"]

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from translate.data.files.find import find_images, left_out_notes
from translate.images.decode import from_pillow
from translate.images.headers import check_file
from translate.images.io import read_picture
from translate.images.picture import Picture, to_depth
from translate.images.pyav import import_av
from translate.inference.video.clip import Clip, ColourTags, Frame
from translate.inference.video.yuv import to_rgb
from translate.utils.errors import OptionError, UserError, short_reason
from translate.utils.files import check_regular

_FILM_SUFFIXES = """
    .3g2 .3gp .264 .265 .asf .avi .divx .dv .f4v .flv .h264 .h265 .hevc .ivf .m2ts .m2v .m4v .mjpeg .mjpg .mkv .mov .mp4
    .mpeg .mpg .mts .mxf .nut .ogv .rm .rmvb .ts .vob .webm .wmv .y4m
"""
_GIF_UNIT = Fraction(1, 100)  # s
_DEFAULT_RATE = Fraction(25)  # frames per second


def is_video(source: str | Path, output: str | Path) -> bool:
    """Whether source or output is a film, or the output a GIF of frames; an output may still be impossible to write."""
    path, suffix, films = Path(source).expanduser(), Path(output).suffix.lower(), _FILM_SUFFIXES.split()
    if path.suffix.lower() in films:
        return True
    if Path(output).is_dir():
        return False
    return suffix in films or (suffix == ".gif" and (path.is_dir() or path.suffix.lower() == ".gif"))


def open_clip(source: str | Path, fps: float | None = None) -> Clip:
    """Open a film, an animated GIF or a folder of frames in the order of the numbers in their names.

    `fps` are the frames per second of a folder; None: 25.

    Raises:
        OptionError: `fps` is out of range, or given for a file, which has its own rate.
        UserError: the source cannot be read or has no frames, or PyAV is not installed.
    """
    path = Path(source).expanduser()
    if fps is not None and not 0 < fps <= 1000:
        raise OptionError(f"fps {fps:g} is out of range; give 1 to 60 frames a second")
    if path.is_dir():
        return _open_folder(path, fps)
    if fps is not None:
        raise OptionError(f"{path}: has a frame rate of its own; --fps is for folders of frames")
    if not path.exists():
        raise UserError(f"no file or folder '{path}'")
    try:
        check_regular(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read as a film ({short_reason(error)})") from None
    return _open_gif(path) if path.suffix.lower() == ".gif" else _open_film(path)


# ---- films


def _open_film(path: Path) -> Clip:
    av = import_av(path)
    try:
        with av.open(str(path)) as film:
            stream = video_stream(film)
            if stream is None:
                types = ", ".join(sorted({stream.type or "unknown data" for stream in film.streams})) or "nothing"
                raise UserError(f"{path}: has no pictures, only {types}; give a film")
            clip = _film_clip(path, film, stream)
    except (av.FFmpegError, OSError) as error:
        raise UserError(f"{path}: cannot be read as a film ({short_reason(error)})") from None
    first = next(clip.frames(), None)
    if first is None:
        raise UserError(f"{path}: has no frame that can be decoded; is it damaged?")
    clip.size = first.picture.pixels.shape[:2]
    clip.notes.clear()  # reading the whole film adds them again
    if clip.size != (stream.height, stream.width):  # rotated, so the sides of a pixel are exchanged
        clip.aspect = 1 / clip.aspect
    return clip


def _film_clip(path: Path, film: Any, stream: Any) -> Clip:
    context, rate = stream.codec_context, stream.average_rate or stream.guessed_rate or _DEFAULT_RATE
    unit = Fraction(stream.time_base or 1 / rate)
    seconds = (film.duration or 0) / 1e6
    colours = ColourTags(int(context.colorspace), int(context.color_primaries), int(context.color_trc))
    aspect = Fraction(stream.sample_aspect_ratio or 1)
    clip = Clip(
        path, (0, 0), unit, Fraction(rate), stream.frames, lambda: _film_frames(clip), colours, aspect, film=True,
        seconds=seconds,
    )  # fmt: skip
    return clip


def video_stream(film: Any) -> Any:
    """Return the largest video stream that is no cover picture, if any."""
    streams = [s for s in film.streams.video if not s.disposition & type(s.disposition).attached_pic]
    return max(streams, key=lambda s: s.width * s.height, default=None)


def _film_frames(clip: Clip) -> Iterator[Frame]:
    """Decode a film; leave damaged packets out, and add a note on them to the clip."""
    av = import_av(clip.path)
    damaged, count, last, end, gap = 0, 0, -1, 0.0, 0
    with av.open(str(clip.path)) as film:
        # 1. find the stream, the time of its first frame, and the usual step between frames
        stream = video_stream(film)
        stream.thread_type = "AUTO"
        start = round(Fraction(film.start_time or 0, 1_000_000) / clip.unit)
        step = max(1, round(1 / (clip.rate * clip.unit)))
        packets = film.demux()
        while True:
            # 2. decode a packet; None is the end. Packets of other streams only tell how far the file goes
            try:
                packet = next(packets, None)
                frames = packet.decode() if packet is not None and packet.stream_index == stream.index else []
            except av.FFmpegError:
                damaged, frames = damaged + 1, []
                packet = packet if damaged <= 1000 else None  # then reading ends
            if packet is not None and packet.pts is not None:
                end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
                damaged += packet.is_corrupt
            # 3. give frames increasing times
            for frame in frames:
                time = last + step if frame.pts is None else frame.pts - start
                time = max(time, last + 1, 0)
                gap, last, count = max(gap, time - last), time, count + 1
                damaged += frame.is_corrupt and count > 1  # broadcasts begin between two key frames
                pixels = np.rot90(to_rgb(frame, clip.colours), round(frame.rotation / 90))
                yield Frame(Picture(np.ascontiguousarray(pixels)), last, frame.duration or step)
            if packet is None:
                break
    if words := _describe_loss(clip, count, end, float(max(2 * step, gap) * clip.unit), damaged):
        clip.notes.append(f"{clip.path}: is damaged or cut off; {words}")


def _describe_loss(clip: Clip, count: int, end: float, pause: float, damaged: int) -> str:
    """Compare what could be read with the header; return "" if nothing is lost.

    Args:
        clip: a film.
        count: frames that were read.
        end: of the last packet of any stream, s: sound may be longer than the pictures.
        pause: longest time between two frames, s; the last frame may stay as long.
        damaged: packets and frames.
    """
    if clip.count:  # most containers count no frames, and duration times rate is no count: the rate may vary
        is_short = clip.count - count > max(2, clip.count // 50)
        words = f"{count} of about {max(clip.count, count)} frames could be read"
    else:
        is_short = clip.seconds - end > max(pause, clip.seconds / 50)
        words = f"{count} frames could be read" + (f", up to {end:.1f} of {clip.seconds:.1f} s" if is_short else "")
    return words if damaged or is_short else ""


# ---- GIFs


def _open_gif(path: Path) -> Clip:
    try:
        check_file(path)
        with Image.open(path) as film:
            count, loop, size = getattr(film, "n_frames", 1), film.info.get("loop"), film.size
            total = sum(_seek(film, i) for i in range(count))
    except (OSError, ValueError, SyntaxError) as error:
        raise UserError(f"{path}: cannot be read as a GIF ({short_reason(error)})") from None
    rate = Fraction(100 * count, total) if total else _DEFAULT_RATE
    clip = Clip(path, size[::-1], _GIF_UNIT, rate, count, lambda: _gif_frames(clip), loop=loop)
    return clip


def _seek(film: Image.Image, i: int) -> int:
    """Seek frame i; return its duration in hundredths of a second."""
    film.seek(i)
    return round(film.info.get("duration", 100) / 10)


def _gif_frames(clip: Clip) -> Iterator[Frame]:
    time = 0
    with Image.open(clip.path) as film:
        for i in range(clip.count):
            try:
                duration = _seek(film, i)
                picture = from_pillow(film.convert("RGBA"))
            except (OSError, ValueError, SyntaxError, EOFError):
                clip.notes.append(f"{clip.path}: is damaged; {i} of {clip.count} frames could be read")
                return
            if picture.alpha is not None and picture.alpha.min() == 255:
                picture.alpha = None
            yield Frame(picture, time, duration)
            time += duration


# ---- folders


def _open_folder(path: Path, fps: float | None) -> Clip:
    files = sorted(find_images(str(path)), key=_natural_order)
    rate = Fraction(fps).limit_denominator(1001) if fps else _DEFAULT_RATE
    size = read_picture(files[0]).pixels.shape[:2]
    clip = Clip(path, size, 1 / rate, rate, len(files), lambda: _folder_frames(files, clip))
    clip.notes += left_out_notes([str(path)])
    return clip


def _natural_order(path: Path) -> list[Any]:
    """Return a key that sorts frame_10 after frame_9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", str(path)) if part]


def _folder_frames(files: list[Path], clip: Clip) -> Iterator[Frame]:
    for i, file in enumerate(files):
        picture = read_picture(file)
        if picture.pixels.shape[:2] != clip.size:
            (height, width), (h, w) = clip.size, picture.pixels.shape[:2]
            raise UserError(f"{file}: is {w} x {h} px, the first frame {width} x {height}; make them one size")
        alpha = None if picture.alpha is None else to_depth(picture.alpha, np.uint8)
        yield Frame(Picture(to_depth(picture.pixels, np.uint8), alpha), i, 1)
