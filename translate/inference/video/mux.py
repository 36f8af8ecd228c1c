"""Encoded segments to one film, with the sound and subtitles of another, all without another encoding."""

__all__ = ["join"]

import heapq
import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from translate.images.pyav import import_av
from translate.inference.video.clip import Clip
from translate.inference.video.readers import video_stream

_COPIED = ("audio", "subtitle")
_OF_A_FILE = {"major_brand", "minor_version", "compatible_brands", "encoder", "creation_time"}  # not of the film
_TIMED = {"movflags": "+faststart"}  # the index first, so that a film can be played while it is loaded


def join(parts: Sequence[Path], starts: Sequence[int], clip: Clip, target: Path, container: str) -> list[str]:
    """Write a film.

    Args:
        parts: segments, each a film whose times begin at 0.
        starts: when each of them begins, in units of the clip.
        clip: what they were made of; where it is a film, all but its pictures is copied.
        target: the file.
        container: FFmpeg's name of its format.

    Returns:
        A line if something could not be copied.
    """
    av = import_av(target)
    options = _TIMED if container in ("mp4", "mov") else {}
    with av.open(str(target), "w", format=container, options=options) as film, av.open(str(parts[0])) as first:
        pictures = film.add_stream_from_template(first.streams.video[0])
        pictures.time_base = clip.unit
        packets = _pictures(av, parts, starts, clip.unit, pictures)
        if not clip.film:
            for _, packet in packets:
                film.mux(packet)
            return []
        with av.open(str(clip.path)) as source:
            film.metadata.update({k: v for k, v in source.metadata.items() if k not in _OF_A_FILE})
            copied, left = _add_others(av, film, source, container)
            others = _others(av, source, copied)
            for _, packet in heapq.merge(packets, others, key=lambda one: one[0]):
                film.mux(packet)
    return [f"{clip.path}: left out {', '.join(left)}, which {container} cannot hold; .mkv holds most"] if left else []


def _pictures(
    av: Any, parts: Sequence[Path], starts: Sequence[int], unit: Fraction, stream: Any
) -> Iterator[tuple[float, Any]]:
    """Give the packets of all segments, with the second at which each is decoded."""
    last = None
    for part, start in zip(parts, starts, strict=True):
        with av.open(str(part)) as film:
            for packet in film.demux(video=0):
                if packet.dts is None:
                    continue
                scale = packet.time_base / unit
                packet.pts, packet.dts = (round(time * scale) + start for time in (packet.pts, packet.dts))
                packet.duration = round(packet.duration * scale)
                if last is not None:  # where frames come at uneven times, those of two segments may overlap
                    packet.dts = min(max(packet.dts, last + 1), packet.pts)
                last = packet.dts
                packet.time_base, packet.stream = unit, stream
                yield float(packet.dts * unit), packet


def _add_others(av: Any, film: Any, source: Any, container: str) -> tuple[dict[int, Any], list[str]]:
    """Add a stream for each that can be copied, by its number in the source; and return what the others are."""
    pictures, copied, left = video_stream(source), {}, []
    for stream in source.streams:
        if stream.index == pictures.index:
            continue
        if stream.type in _COPIED and _fits(av, stream, container):
            copied[stream.index] = film.add_stream_from_template(stream)
            copied[stream.index].metadata.update(stream.metadata)
        else:
            codec = getattr(getattr(stream, "codec_context", None), "name", "")
            left.append(f"{stream.type or 'unknown data'} {codec}".strip())
    return copied, left


def _fits(av: Any, stream: Any, container: str) -> bool:
    """Whether a format can hold a stream: found out by writing the head of such a file."""
    try:
        with av.open(io.BytesIO(), "w", format=container) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
        return True
    except (av.FFmpegError, ValueError, TypeError, NotImplementedError):
        return False


def _others(av: Any, source: Any, copied: dict[int, Any]) -> Iterator[tuple[float, Any]]:
    """Give the packets to be copied, in the order of the file, with the second at which each is decoded."""
    if not copied:
        return
    start = Fraction(source.start_time or 0, 1_000_000)
    packets = source.demux([source.streams[i] for i in copied])
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # damaged or cut off: what was there is copied
            return
        if packet is None:
            return
        if packet.dts is None:
            continue
        shift = round(start / packet.time_base)
        packet.pts, packet.dts = (packet.pts or packet.dts) - shift, packet.dts - shift
        packet.stream = copied[packet.stream.index]
        yield float(packet.dts * packet.time_base), packet
