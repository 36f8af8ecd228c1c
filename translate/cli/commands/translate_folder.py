"""translate-folder: a folder of pictures in, their translations out; or one picture."""

__all__ = ["TranslateFolder", "translate_folder"]

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import arg

from translate.cli.commands.options import Direction, PathText, Text, TrustOptions, ValueRange
from translate.utils.errors import OptionError
from translate.utils.terminal import say

Number = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]
Looks = Annotated[Sequence[str], tyro.conf.UseAppendAction, arg(metavar="PHOTO", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class TranslateFolder(TrustOptions):
    """Translate every picture of a folder: same names, sub-folders and sizes; what is done already is skipped.

    Attributes:
        model: Run folder or model.safetensors.
        input: Folder (with sub-folders), one picture, a quoted pattern, or a text file of paths; or a film, or a GIF.
        output: Folder for the results; or for one picture, a file; for a film .mp4, .m4v, .mov, .mkv, .webm or .gif.
        direction: "ab": from the first domain to the second; "ba": back (default: the model's usual one).
        count: So many answers to each picture, called NAME_1, NAME_2 and so on.
        seed: Of the answers; without --count and --seed, each picture gets one that is always the same.
        look: Give all pictures the look of this one; twice, with --count: the steps from one look to the other.
        hints: Folder of layers of colour strokes, transparent elsewhere, with the names of the pictures.
        masks: Folder of masks of the holes to fill, with the names of the pictures, or one mask for all (without: all
            that is transparent is filled).
        invert_masks: The other colour of the masks is the hole.
        resize_masks: Bring masks of other sizes to those of their pictures.
        scale: "fit": a model that learned from whole pictures sees all at the trained size; "native": as they are.
        stats: What pictures are normalised by. "exact": their own means and variances, as the model was trained;
            "frozen": those of a thumbnail, or of --reference; "local": those of each neighbourhood of 512 px; "smooth":
            the pictures are frames of a film, in the order of their names, and must not flicker.
        reference: Picture whose means and variances are those of all.
        format: Of all results, such as png (default: each has the format of its picture).
        shard: "2/5": only the second of five parts, for five machines that share the folders.
        overwrite: Translate again what is there already.
        fps: Frames a second of a film that is made of a folder of frames (default: 25).
        no_denoise: Leave the camera noise of a film as it is; the model may make flicker of it.
        quality: Of JPEG and WebP files and of films, 1 to 100.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto", "bf16" or "fp32".
        memory: Most that all may take, such as 3GB; larger pictures are translated tile by tile, with the same result
            (default: half of what is free).
        value_range: LOW,HIGH: what is black and white in files of floats and wide integers, which come back in their
            own type (default: as the model was trained; else 0,1 and all that 16 bits hold).
        config: TOML file with any of these options; flags win over it.
    """

    model: PathText
    input: PathText
    output: PathText
    direction: Annotated[Direction | None, arg(metavar="ab|ba", help_behavior_hint="")] = None
    count: Number = None
    seed: Number = None
    look: Looks = ()
    hints: PathText = ""
    masks: PathText = ""
    invert_masks: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    resize_masks: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    scale: Literal["fit", "native"] = "fit"
    stats: Annotated[Literal["", "exact", "frozen", "local", "smooth"], arg(metavar="X", help_behavior_hint="")] = ""
    reference: PathText = ""
    format: Text = ""
    shard: Annotated[str, arg(metavar="I/N", help_behavior_hint="")] = ""
    overwrite: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    fps: Annotated[float | None, arg(metavar="N", help_behavior_hint="")] = None
    no_denoise: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    quality: int = 95
    device: str = "auto"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    memory: Text = ""
    value_range: ValueRange = ""
    config: PathText = ""

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
