"""translate-folder: a folder of pictures in, their translations out; or one picture."""

__all__ = ["TranslateFolder", "translate_folder"]

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import arg

from translate.cli.commands.options import Direction, Flag, Number, PathText, Text, TrustOptions, ValueRange
from translate.utils.errors import OptionError
from translate.utils.terminal import say

Looks = Annotated[Sequence[str], tyro.conf.UseAppendAction, arg(metavar="PHOTO", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class TranslateFolder(TrustOptions):
    """Translate every picture of a folder: same names, sub-folders and sizes; what is done already is skipped."""

    model: PathText  # Run folder or model.safetensors.
    # Folder (with sub-folders), one picture, a quoted pattern, or a text file of paths; or a film, or a GIF.
    input: PathText
    # Folder for the results; or for one picture, a file; for a film .mp4, .m4v, .mov, .mkv, .webm or .gif.
    output: PathText
    # "ab": from the first domain to the second; "ba": back (default: the model's usual one).
    direction: Annotated[Direction | None, arg(metavar="ab|ba", help_behavior_hint="")] = None
    count: Number = None  # So many answers to each picture, called NAME_1, NAME_2 and so on.
    seed: Number = None  # Of the answers; without --count and --seed, each picture gets one that is always the same.
    # Give all pictures the look of this one; twice, with --count: the steps from one look to the other.
    look: Looks = ()
    hints: PathText = ""  # Folder of layers of colour strokes, transparent elsewhere, with the names of the pictures.
    # Folder of masks of the holes to fill, with the names of the pictures, or one mask for all (without: all that is
    # transparent is filled).
    masks: PathText = ""
    invert_masks: Flag = False  # The other colour of the masks is the hole.
    resize_masks: Flag = False  # Bring masks of other sizes to those of their pictures.
    # "fit": a model that learned from whole pictures sees all at the trained size; "native": as they are.
    scale: Literal["fit", "native"] = "fit"
    # What pictures are normalised by. "exact": their own means and variances, as the model was trained; "frozen":
    # those of a thumbnail, or of --reference; "local": those of each neighbourhood of 512 px; "smooth": the pictures
    # are frames of a film, in the order of their names, and must not flicker.
    stats: Annotated[Literal["", "exact", "frozen", "local", "smooth"], arg(metavar="X", help_behavior_hint="")] = ""
    reference: PathText = ""  # Picture whose means and variances are those of all.
    format: Text = ""  # Of all results, such as png (default: each has the format of its picture).
    # "2/5": only the second of five parts, for five machines that share the folders.
    shard: Annotated[str, arg(metavar="I/N", help_behavior_hint="")] = ""
    overwrite: Flag = False  # Translate again what is there already.
    # Frames a second of a film that is made of a folder of frames (default: 25).
    fps: Annotated[float | None, arg(metavar="N", help_behavior_hint="")] = None
    no_denoise: Flag = False  # Leave the camera noise of a film as it is; the model may make flicker of it.
    quality: int = 95  # Of JPEG and WebP files and of films, 1 to 100.
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1" or "mps".
    precision: Literal["auto", "bf16", "fp32"] = "auto"  # "auto", "bf16" or "fp32".
    # Most that all may take, such as 3GB; larger pictures are translated tile by tile, with the same result
    # (default: half of what is free).
    memory: Text = ""
    # LOW,HIGH: what is black and white in files of floats and wide integers, which come back in their own
    # type (default: as the model was trained; else 0,1 and all that 16 bits hold).
    value_range: ValueRange = ""
    config: PathText = ""  # TOML file with any of these options; flags win over it.

    def __post_init__(self) -> None:
        if isinstance(self.look, str):  # a TOML file may well name one alone
            object.__setattr__(self, "look", (self.look,))


def translate_folder(command: TranslateFolder) -> int:
    """Translate a folder, or a film; exit status 1 if a picture failed."""
    from translate.inference.folder.run import translate_folder
    from translate.inference.options import FolderOptions
    from translate.inference.video.readers import is_video

    if is_video(command.input, command.output):
        return translate_film(command)
    options = _shared_options(FolderOptions, command)
    translator = _load(command, command.stats, command.reference or None, command.value_range)
    report = translate_folder(translator, command.input, command.output, options)
    _print(*report.notes, report.summary())
    return 1 if report.failed else 0


def translate_film(command: TranslateFolder) -> int:
    """Translate a film, a GIF or a folder of frames."""
    from translate.inference.options import VideoOptions
    from translate.inference.video.run import translate_video

    for_pictures = {"count": command.count is not None, "hints": command.hints, "masks": command.masks}
    for_pictures |= {"format": command.format, "shard": command.shard}
    if wrong := [f"--{name}" for name, value in for_pictures.items() if value]:
        raise OptionError(f"{wrong[0]} is for pictures; a film gets one answer, which --seed or --look may choose")
    options = _shared_options(
        VideoOptions, command, stats=command.stats or ("frozen" if command.reference else "smooth"),
        reference=command.reference or None, denoise=not command.no_denoise,
    )  # fmt: skip
    report = translate_video(_load(command), command.input, command.output, options)
    _print(*report.notes, report.summary())
    return 0


def _shared_options(kind: Any, command: TranslateFolder, **others: Any) -> Any:
    """Build options of a kind from those that the command has under the same names, and others."""
    shared = {field.name: getattr(command, field.name) for field in fields(kind) if hasattr(command, field.name)}
    return kind(**shared | {"looks": command.look} | others)


def _load(command: TranslateFolder, *statistics: Any) -> Any:
    from translate.inference.translator import Translator

    translator = Translator.load(command.model, command.device, command.precision, command.memory, *statistics)
    if translator.note:
        say(f"computing in {translator.note}")
    return translator


def _print(*lines: str) -> None:
    for line in lines:
        say(line)
