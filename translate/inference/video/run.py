"""A film in, its translation out: without flicker, with its sound, and where it was cut off, it goes on."""

__all__ = ["VideoReport", "translate_video"]

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from translate.images.io import IMAGE_SUFFIXES
from translate.images.picture import Picture, to_depth
from translate.inference.precision import Mode
from translate.inference.request import Request
from translate.inference.translator import Translator
from translate.inference.video.clip import Clip, Frame
from translate.inference.video.denoise import TemporalDenoiser
from translate.inference.video.readers import open_clip
from translate.inference.video.segments import Progress as Done
from translate.inference.video.segments import SegmentStore
from translate.inference.video.writers import FILMS, Sink, sink_for
from translate.utils.errors import OptionError
from translate.utils.progress import progress_bar
from translate.utils.signals import Stopped

_SEGMENT = 250  # frames


@dataclass
class VideoReport:
    """What became of a film.

    Attributes:
        output: the file or folder.
        frames: translated in this run. earlier: frames that were there from one that was cut off.
        seconds: the whole run.
        skipped: whether the output was there already.
        notes: a line for each thing that is worth a look.
    """

    output: Path
    frames: int = 0
    earlier: int = 0
    seconds: float = 0.0
    skipped: bool = False
    notes: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return the final line."""
        if self.skipped:
            return f"{self.output}: is there already; --overwrite makes it again"
        line = f"{self.output}: {self.frames} frames translated in {self.seconds:.1f} s"
        return line + (f", {self.earlier} were there from before" if self.earlier else "")


def translate_video(
    translator: Translator,
    source: str | Path,
    output: str | Path,
    *,
    direction: str | None = None,
    seed: int | None = None,
    look: str | Path | None = None,
    scale: str = "fit",
    stats: str = "smooth",
    reference: Any = None,
    denoise: bool = True,
    fps: float | None = None,
    overwrite: bool = False,
    quality: int = 95,
    segment: int = _SEGMENT,
    progress: bool = True,
) -> VideoReport:
    """Translate a film, an animated GIF or a folder of frames to one of these.

    What is done is kept in segments in a hidden folder beside the output. The same call, after a run that was cut off,
    goes on behind the last whole one, with the result of a run that was not.

    Args:
        translator: what translates.
        source: a film of any kind that PyAV reads, a GIF, or a folder of frames.
        output: .mp4, .m4v, .mov, .mkv, .webm or .gif; or a folder, for frames as 000001.png and so on.
        direction: "ab" or "ba"; None: the model's usual one.
        seed: of the answer, the same for all frames.
        look: picture of the target domain, whose look all frames get.
        scale: "fit" or "native", as `Translator.__call__`.
        stats: what frames are normalised by, as `Translator.steadied`; "": what the translator has.
        reference: for frozen statistics; `stats` is then to be "frozen" or "".
        denoise: average camera noise away where nothing moves, before the model makes strokes of it.
        fps: frames a second of a folder of frames; None: 25.
        overwrite: make again what is there already.
        quality: of films, 1 to 100.
        segment: frames of a segment.
        progress: show a bar on the terminal.

    Raises:
        OptionError: an option that is wrong or that this model does not have; an output that is its input.
        UserError: there is no film, or none that can be read; PyAV is not installed.
        WriteError: the output's disk or folder refuses; whole segments stay.
    """
    began = time.perf_counter()
    output = _checked(translator, source, Path(output).expanduser(), quality)
    clip, wish = open_clip(source, fps), _wish(translator, direction, seed, look, scale)
    translator = translator.steadied(stats, reference)
    asked = _asked(translator, clip, wish, denoise=denoise, quality=quality, segment=segment)
    parts, report = SegmentStore(output, asked), VideoReport(output)
    if not overwrite and not parts.exist() and _is_there(output):
        report.skipped = True
        return report
    run = _Run(translator, wish, clip, sink_for(output, clip, parts.folder, quality), parts, denoise, segment)
    with progress_bar("translating", clip.count or None, progress, style="frames") as bar:
        report.frames, report.earlier = run.work_off(bar.advance)
    report.notes = list(dict.fromkeys(clip.notes + run.notes))
    report.seconds = time.perf_counter() - began
    return report


def _checked(translator: Translator, source: str | Path, output: Path, quality: int) -> Path:
    """Return the output after a look at what can be seen to be wrong before anything is opened."""
    if translator.masked:
        raise OptionError("a model that fills holes takes no films; give it a folder of frames with their --masks")
    if not 1 <= quality <= 100:
        raise OptionError(f"quality {quality} is out of range; choose 1 to 100")
    path, suffix = Path(source).expanduser(), output.suffix.lower()
    if output.resolve() == path.resolve():
        raise OptionError(f"{output}: is the input itself; choose another output")
    if path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES - {".gif"}:
        raise OptionError(f"{path}: is a picture, not a film; give a folder as --output")
    if suffix in FILMS or suffix == ".gif" or output.is_dir():
        return output
    if suffix and not suffix[1:].isdigit():
        known = ", ".join([*FILMS, ".gif"])
        raise OptionError(f"{output}: {suffix!r} is no film that can be written; use {known}, or a folder for frames")
    return output


def _is_there(output: Path) -> bool:
    return any(output.iterdir()) if output.is_dir() else output.exists()


def _wish(
    translator: Translator, direction: str | None, seed: int | None, look: str | Path | None, scale: str
) -> Request:
    """Return what is asked of the translator for every frame."""
    if look is not None and seed is not None:
        raise OptionError("a look says which answer is meant; leave out --look or --seed")
    z = None if look is None else translator.look(look)
    return translator.wish(direction, seed=seed, z=z, scale=scale)


def _asked(translator: Translator, clip: Clip, wish: Request, **options: Any) -> dict[str, Any]:
    """Return all that the result depends on."""
    answer = wish.answers[0]
    return options | {
        "input": [str(clip.path.resolve()), *_stamp(clip.path)],
        "rate": str(clip.rate),
        "model": _digest(translator),
        "statistics": translator.statistics.said,
        "direction": wish.direction,
        "scale": wish.scale,
        "seed": answer.seed,
        "look": None if answer.z is None else answer.z.tolist(),
    }


def _stamp(path: Path) -> list[int]:
    """Return sizes and times of change of a file, or of all files of a folder, in a few numbers."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    known = [(file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return [len(known), sum(size for size, _ in known), max((changed for _, changed in known), default=0)]


def _digest(translator: Translator) -> str:
    """Name the weights."""
    if translator.file is not None:
        with translator.file.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    found = hashlib.sha256()
    for tensor in translator.nets.state_dict().values():
        found.update(tensor.float().cpu().numpy().tobytes())
    return found.hexdigest()


class _Run:
    """Translates a clip segment by segment."""

    def __init__(
        self,
        translator: Translator,
        wish: Request,
        clip: Clip,
        sink: Sink,
        parts: SegmentStore,
        denoise: bool,
        segment: int,
    ) -> None:
        self.translator, self.wish, self.clip, self.sink, self.parts = translator, wish, clip, sink, parts
        self.calm = TemporalDenoiser(translator.device) if denoise else None
        self.segment, self.notes = segment, list[str]()

    def work_off(self, advance: Callable[[], None]) -> tuple[int, int]:
        """Translate what is not done yet, and make the output; return how many frames that were, and earlier ones."""
        done = self.parts.open()
        self.parts.save(done)  # from here on, what lies in the output is known to be this run's
        self._go_on(done)
        frames, earlier = self.clip.frames(), sum(done.counts)
        for _ in islice(frames, earlier):
            advance()
        try:
            for first in frames:
                self._write(first, frames, done, advance)
            self.notes += self.sink.finish(done.starts)
        except KeyboardInterrupt:
            kept = f"{sum(done.counts)} frames are kept"
            raise Stopped(f"{self.clip.path}: stopped; {kept}, and the same command goes on behind them") from None
        self.parts.remove()
        return sum(done.counts) - earlier, earlier

    def _go_on(self, done: Done) -> None:
        """Bring everything to where the last segment left it."""
        if done.mode is not None:
            self.translator = self.translator.arranged(Mode(*done.mode))
        self.translator.statistics.restore(done.statistics)
        if self.calm is not None and done.calm:
            self.calm.restore(done.calm)

    def _write(self, first: Frame, others: Iterator[Frame], done: Done, advance: Callable[[], None]) -> None:
        """Translate and write the segment that begins with `first`."""
        count = 0

        def translated() -> Iterator[Frame]:
            nonlocal count
            for frame in chain([first], islice(others, self.segment - 1)):
                yield replace(frame, picture=self._translated(frame.picture))
                count += 1
                advance()

        self.sink.write(len(done.starts), sum(done.counts), translated())
        done.starts.append(first.time)
        done.counts.append(count)
        done.statistics = self.translator.statistics.state()
        done.calm = self.calm.state() if self.calm is not None else {}
        done.mode = tuple(self.translator.mode)  # type: ignore[assignment]
        self.parts.save(done)

    def _translated(self, picture: Picture) -> Picture:
        pixels = picture.pixels if self.calm is None else self.calm(picture.pixels)
        alpha = None if picture.alpha is None else to_depth(picture.alpha, pixels.dtype)
        made = self.translator.pictures(Picture(pixels, alpha), self.wish, None, str(self.clip.path))[0]
        return Picture(to_depth(made.pixels, np.uint8), picture.alpha if made.alpha is not None else None)
