"""Muxing: joins encoded segments to one film, with sound and subtitles of the source, without encoding again."""

__all__ = ["mux_segments"]

import heapq
import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from translate.images.pyav import import_av
from translate.inference.video.clip import Clip
from translate.inference.video.readers import video_stream

_COPIED_STREAMS = ("audio", "subtitle")
_FILE_METADATA = {"major_brand", "minor_version", "compatible_brands", "encoder", "creation_time"}  # not copied
_INDEX_FIRST = {"movflags": "+faststart"}  # so that a film can be played while it is loaded


def mux_segments(
    segments: Sequence[Path], starts: Sequence[int], clip: Clip, target: Path, container: str
) -> list[str]:
    """Join segments to the film `target`; return a line for the user on streams that are left out.

    Times in `segments` begin at 0; `starts` are in units of the clip. If the clip is a film, its other streams are
    copied. `container` is FFmpeg's name of the file format.
    """
    av = import_av(target)
    options = _INDEX_FIRST if container in ("mp4", "mov") else {}
    with av.open(str(target), "w", format=container, options=options) as film, av.open(str(segments[0])) as first:
        stream = film.add_stream_from_template(first.streams.video[0])
        stream.time_base = clip.unit
        video = _video_packets(av, segments, starts, clip.unit, stream)
        if not clip.film:
            for _, packet in video:
                film.mux(packet)
            return []
        with av.open(str(clip.path)) as source:
            film.metadata.update({k: v for k, v in source.metadata.items() if k not in _FILE_METADATA})
            copied, dropped = _add_other_streams(av, film, source, container)
            others = _other_packets(av, source, copied)
            for _, packet in heapq.merge(video, others, key=lambda item: item[0]):
                film.mux(packet)
    if dropped:
        return [f"{clip.path}: left out {', '.join(dropped)}, which {container} cannot hold; .mkv holds most"]
    return []


def _video_packets(
    av: Any, segments: Sequence[Path], starts: Sequence[int], unit: Fraction, stream: Any
) -> Iterator[tuple[float, Any]]:
    """Yield the packets of all segments, with their decoding times in seconds."""
    last = None
    for segment, start in zip(segments, starts, strict=True):
        with av.open(str(segment)) as film:
            for packet in film.demux(video=0):
                if packet.dts is None:
                    continue
                scale = packet.time_base / unit
                packet.pts, packet.dts = (round(time * scale) + start for time in (packet.pts, packet.dts))
                packet.duration = round(packet.duration * scale)
                if last is not None:  # if frame times are uneven, the packets of two segments may overlap
                    packet.dts = min(max(packet.dts, last + 1), packet.pts)
                last = packet.dts
                packet.time_base, packet.stream = unit, stream
                yield float(packet.dts * unit), packet


def _add_other_streams(av: Any, film: Any, source: Any, container: str) -> tuple[dict[int, Any], list[str]]:
    """Add the streams that can be copied; return them by index in the source, and the names of the other streams."""
    video, copied, dropped = video_stream(source), {}, []
    for stream in source.streams:
        if stream.index == video.index:
            continue
        if stream.type in _COPIED_STREAMS and _fits(av, stream, container):
            copied[stream.index] = film.add_stream_from_template(stream)
            copied[stream.index].metadata.update(stream.metadata)
        else:
            codec = getattr(getattr(stream, "codec_context", None), "name", "")
            dropped.append(f"{stream.type or 'unknown data'} {codec}".strip())
    return copied, dropped


def _fits(av: Any, stream: Any, container: str) -> bool:
    """Whether a file format can hold a stream, tested by writing a header."""
    try:
        with av.open(io.BytesIO(), "w", format=container) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
        return True
    except (av.FFmpegError, ValueError, TypeError, NotImplementedError):
        return False


def _other_packets(av: Any, source: Any, copied: dict[int, Any]) -> Iterator[tuple[float, Any]]:
    """Yield the packets to be copied, with their decoding times in seconds, in the order of the file."""
    if not copied:
        return
    start = Fraction(source.start_time or 0, 1_000_000)
    packets = source.demux([source.streams[i] for i in copied])
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # damaged or cut off: the packets before are copied
            return
        if packet is None:
            return
        if packet.dts is None:
            continue
        shift = round(start / packet.time_base)
        packet.pts, packet.dts = (packet.pts or packet.dts) - shift, packet.dts - shift
        packet.stream = copied[packet.stream.index]
        yield float(packet.dts * packet.time_base), packet
