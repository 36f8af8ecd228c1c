"""The translation of films frame by frame, with their sound; a run that was cut off is resumed."""

__all__ = ["VideoReport", "translate_video"]

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from translate.checkpoints.model_hash import model_hash
from translate.images.io import IMAGE_SUFFIXES
from translate.images.picture import Picture, to_depth
from translate.inference.options import VideoOptions, build_request
from translate.inference.precision import Mode
from translate.inference.request import Request
from translate.inference.translator import Translator
from translate.inference.video.clip import Clip, Frame
from translate.inference.video.denoise import TemporalDenoiser
from translate.inference.video.readers import open_clip
from translate.inference.video.segments import ResumeState, SegmentStore
from translate.inference.video.writers import CODECS, FrameWriter, open_writer
from translate.utils.errors import OptionError
from translate.utils.locks import hold
from translate.utils.progress import progress_bar
from translate.utils.signals import Stopped


@dataclass
class VideoReport:
    """The outcome of a film's translation."""

    output: Path  # the file or folder
    frames: int = 0  # translated in this run
    earlier: int = 0  # frames that were translated in an earlier run
    seconds: float = 0.0  # duration of the run
    skipped: bool = False  # whether the output existed already
    notes: list[str] = field(default_factory=list)  # lines on losses and problems

    def summary(self) -> str:
        """Return the final line."""
        if self.skipped:
            return f"{self.output}: is there already; --overwrite makes it again"
        line = f"{self.output}: {self.frames} frames translated in {self.seconds:.1f} s"
        return line + (f", {self.earlier} were there from before" if self.earlier else "")


def translate_video(
    translator: Translator, source: str | Path, output: str | Path, options: VideoOptions | None = None
) -> VideoReport:
    """Translate a film, an animated GIF or a folder of frames to a film, a GIF or a folder.

    Finished segments are kept in a hidden folder beside the output. The same call resumes a run that was cut off after
    its last finished segment; the result is that of an uninterrupted run.

    Args:
        translator: the model.
        source: a film that PyAV reads, a GIF, or a folder of frames.
        output: .mp4, .m4v, .mov, .mkv, .webm or .gif; or a folder, for frames as 000001.png and so on.
        options: see `VideoOptions`.

    Raises:
        OptionError: an option that is wrong or that this model does not have; an output that is its input.
        UserError: a missing or unreadable film; PyAV is not installed.
        InUseError: another process writes this output.
        WriteError: the output's disk or folder refuses; finished segments stay.
    """
    start, options, output = time.perf_counter(), options or VideoOptions(), Path(output).expanduser()

    # 1. check the options, and open the film
    _check_output(translator, Path(source).expanduser(), output)
    clip, request = open_clip(source, options.fps), build_request(translator, options)
    translator = translator.with_norm_statistics(options.stats, options.reference)

    # 2. translate, while no other process writes the output
    with hold(output.with_name(f".{output.name}.lock"), f"{output}: is being written"):
        report = _translate(translator, request, clip, output, options)
    report.seconds = time.perf_counter() - start
    return report


def _translate(
    translator: Translator, request: Request, clip: Clip, output: Path, options: VideoOptions
) -> VideoReport:
    """Translate `clip` to `output`, unless the output is finished."""
    # 1. skip a film that is finished
    store = SegmentStore(output, _fingerprint(translator, clip, request, options))
    report = VideoReport(output)
    finished = any(output.iterdir()) if output.is_dir() else output.exists()
    if finished and not options.overwrite and not store.folder.exists():
        report.skipped = True
        return report

    # 2. translate segment by segment
    writer = open_writer(output, clip, store.folder, options.quality)
    denoiser = TemporalDenoiser(translator.device) if options.denoise else None
    film = _FilmTranslation(translator, request, clip, denoiser, writer, store, options.segment)
    expected = clip.count or round(clip.seconds * clip.rate) or None
    with progress_bar("translating", expected, options.progress, style="frames") as bar:
        report.frames, report.earlier = film.run(bar.advance)
    report.notes = list(dict.fromkeys(clip.notes + film.notes))
    return report


def _check_output(translator: Translator, source: Path, output: Path) -> None:
    """Raise OptionError for errors that can be found before the film is opened."""
    if translator.masked:
        raise OptionError("a model that fills holes takes no films; give it a folder of frames with their --masks")
    if output.resolve() == source.resolve():
        raise OptionError(f"{output}: is the input itself; choose another output")
    if source.is_file() and source.suffix.lower() in IMAGE_SUFFIXES - {".gif"}:
        raise OptionError(f"{source}: is a picture, not a film; give a folder as --output")
    suffix, known = output.suffix.lower(), [*CODECS, ".gif"]
    if suffix and suffix not in known and not suffix[1:].isdigit() and not output.is_dir():
        raise OptionError(
            f"{output}: {suffix!r} is no film that can be written; use {', '.join(known)}, or a folder for frames"
        )


def _fingerprint(translator: Translator, clip: Clip, request: Request, options: VideoOptions) -> dict[str, Any]:
    """Return everything that the result depends on, as strings and numbers; if equal, finished segments are reused."""
    variant = request.variants[0]
    return {
        "denoise": options.denoise,
        "quality": options.quality,
        "segment": options.segment,
        "input": [str(clip.path.resolve()), *_file_state(clip.path)],
        "rate": str(clip.rate),
        "model": model_hash(translator.recipe, translator.nets),
        "precision": translator.runner.precision,  # as asked: the mode that "auto" found is part of the state
        "statistics": translator.statistics.description,
        "direction": request.direction,
        "scale": request.scale,
        "seed": variant.seed,
        "look": None if variant.z is None else variant.z.tolist(),
    }


def _file_state(path: Path) -> list[int]:
    """Return the number of files, the total size, and the time of the last change of a file or a folder."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    states = [file.stat() for file in files]
    return [len(states), sum(s.st_size for s in states), max((s.st_mtime_ns for s in states), default=0)]


@dataclass
class _FilmTranslation:
    """Translates a clip segment by segment."""

    translator: Translator
    request: Request
    clip: Clip
    denoiser: TemporalDenoiser | None
    writer: FrameWriter
    store: SegmentStore
    segment: int
    notes: list[str] = field(default_factory=list)

    def run(self, advance: Callable[[], None]) -> tuple[int, int]:
        """Translate the pending segments and write the output; return the frames of this run, and of earlier runs."""
        # 1. resume after the last finished segment
        state = self.store.open()
        self.store.save(state)  # the folder marks the output as unfinished
        if state.mode is not None:
            self.translator = self.translator.with_mode(Mode(*state.mode))
        self.translator.statistics.restore(state.statistics)
        if self.denoiser is not None and state.denoiser:
            self.denoiser.restore(state.denoiser)
        frames, earlier = self.clip.frames(), sum(state.counts)
        for _ in islice(frames, earlier):
            advance()

        # 2. translate the other segments, and join all of them
        try:
            for first in frames:
                self._write_segment(first, frames, state, advance)
            self.notes += self.writer.finish(state.starts)
        except KeyboardInterrupt:
            kept = f"{sum(state.counts)} frames are kept"
            raise Stopped(f"{self.clip.path}: stopped; {kept}, and the same command goes on behind them") from None
        self.store.remove()
        return sum(state.counts) - earlier, earlier

    def _write_segment(
        self, first: Frame, others: Iterator[Frame], state: ResumeState, advance: Callable[[], None]
    ) -> None:
        """Translate and write the segment that begins with `first`, and save the state after it."""
        count = 0

        def translate() -> Iterator[Frame]:
            nonlocal count
            for frame in chain([first], islice(others, self.segment - 1)):
                yield replace(frame, picture=self._translate(frame.picture))
                count += 1
                advance()

        self.writer.write(len(state.starts), sum(state.counts), translate())
        state.starts.append(first.time)
        state.counts.append(count)
        state.statistics = self.translator.statistics.state()
        state.denoiser = self.denoiser.state() if self.denoiser is not None else {}
        state.mode = (self.translator.mode.precision, self.translator.mode.channels_last)
        self.store.save(state)

    def _translate(self, picture: Picture) -> Picture:
        pixels = picture.pixels if self.denoiser is None else self.denoiser(picture.pixels)
        alpha = None if picture.alpha is None else to_depth(picture.alpha, pixels.dtype)
        result = self.translator.translate_all(Picture(pixels, alpha), self.request, None, str(self.clip.path))[0]
        classes, label_map = self.translator.runner.classes, result.label_map
        if classes and label_map and label_map.numbers is not None:
            return Picture(classes.show(label_map.numbers))
        alpha = None if result.alpha is None else to_depth(result.alpha, np.uint8)
        return Picture(to_depth(result.pixels, np.uint8), alpha)
