"""translate-folder: translate a folder of pictures, one picture, or a film."""

__all__ = ["TranslateFolder", "translate_folder"]

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from tyro.conf import UseAppendAction, arg

from translate.cli.commands.options import (
    Direction,
    Flag,
    IntOrNone,
    PathText,
    PluginOptions,
    Precision,
    Text,
    TrustOptions,
    ValueRange,
    Weights,
    flag_name,
    given_options,
)
from translate.utils.errors import OptionError
from translate.utils.terminal import say

PICTURE_OPTIONS = frozenset(
    {
        "count",
        "hints",
        "masks",
        "invert_masks",
        "resize_masks",
        "format",
        "keep_metadata",
        "shard",
        "trust",
        "consistent",
    }
)
Looks = Annotated[Sequence[str], UseAppendAction, arg(metavar="PHOTO", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class TranslateFolder(TrustOptions, PluginOptions):
    """Translate every picture of a folder: same names, sub-folders and sizes; finished ones are skipped.

    A model of train-upscale makes pictures larger.
    """

    model: PathText  # Run folder, model.safetensors, or hf://user/name[@revision] on the Hub.
    # Of a run folder: "last"; "best", those with the best score while training; or "average", of several steps.
    weights: Weights = "last"
    base: PathText = ""  # Of an adapter: the model that it corrects (default: where it was, or beside the adapter).
    # Folder (with sub-folders), one picture, a quoted pattern, or a text file of paths; or a film, or a GIF.
    input: PathText
    # Folder for the results; for one picture, a file; for a film, .mp4, .m4v, .mov, .mkv, .webm or .gif.
    output: PathText
    # "ab": from the first domain to the second; "ba": back (default: the model's own).
    direction: Annotated[Direction | None, arg(metavar="ab|ba", help_behavior_hint="")] = None
    count: IntOrNone = None  # Results for each picture, named NAME_1, NAME_2 and so on.
    seed: IntOrNone = None  # Of the results; without --count and --seed, each picture has a fixed one.
    # Give all pictures the look of this one; given twice, with --count: steps from one look to the other.
    look: Looks = ()
    # How far a model of train-drift goes: from 0, near the picture, to 1, all of the look (default: the model's own).
    strength: Annotated[float | None, arg(metavar="0..1", help_behavior_hint="")] = None
    # Of a model of train-stargan: the labels that pictures get, or with a minus lose, such as glasses,-blond; all
    # others stay. Of classes, the name of one.
    to: Annotated[str | None, arg(metavar="NAMES", help_behavior_hint="")] = None
    # Of a model of train-upscale: the mean over the pixels that replace one pixel, rounded, is this pixel to the last
    # bit.
    consistent: Flag = False
    hints: PathText = ""  # Folder of colour strokes on transparent layers, with the names of the pictures.
    # Folder of masks of the holes to fill, with the names of the pictures, or one mask for all (default: transparent
    # areas are filled).
    masks: PathText = ""
    invert_masks: Flag = False  # Holes are the other colour of the masks.
    resize_masks: Flag = False  # Resize masks to the sizes of their pictures.
    # "fit": a model trained on whole pictures sees all at the trained size; "native": at their own size.
    scale: Literal["fit", "native"] = "fit"
    # Statistics of the norms. "exact": means and variances of each picture, as in training; "frozen": those of a
    # thumbnail, or of --reference; "local": those of each neighbourhood of 512 px; "smooth": the pictures are frames
    # of a film, in the order of their names, and must not flicker.
    stats: Annotated[Literal["", "exact", "frozen", "local", "smooth"], arg(metavar="X", help_behavior_hint="")] = ""
    reference: PathText = ""  # Picture whose means and variances are used for all.
    format: Text = ""  # Format of all results, such as png (default: that of each picture).
    # Copy what a camera or an editor wrote into the results: EXIF (camera, date, place), XMP, IPTC, comments; with
    # orientation and size corrected, without thumbnail (default: results do not have it).
    keep_metadata: Flag = False
    # "2/5": only the second of five parts, if five machines share the folders.
    shard: Annotated[str, arg(metavar="I/N", help_behavior_hint="")] = ""
    # Also write OUTPUT/trust.csv: for each picture, how unlike those of the training it is, as a p-value, and how far
    # the answers of a model that has several differ.
    trust: Flag = False
    overwrite: Flag = False  # Translate everything again, also over results of another model, seed or look.
    # Frames per second of a film from a folder of frames (default: 25).
    fps: Annotated[float | None, arg(metavar="N", help_behavior_hint="")] = None
    no_denoise: Flag = False  # Keep the camera noise of a film, which the model may turn into flicker.
    quality: int = 95  # Quality of JPEG, WebP, AVIF and HEIC files and of films, 1 to 100.
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1" or "mps".
    precision: Precision = "auto"  # "auto", "bf16" or "fp32".
    # Memory limit of the process, such as 3GB; larger pictures are translated tile by tile, with the same result
    # (default: half of the free memory).
    memory: Text = ""
    # LOW,HIGH: the values of black and white in files of floats and wide integers, whose results have the same type
    # (default: as in training; else 0,1, and the full range of 16 bits).
    value_range: ValueRange = ""
    json: PathText = ""  # Also write the summary to this file: counts, notes and the first failures.
    config: PathText = ""  # TOML file with any of these options; flags win over it.

    def __post_init__(self) -> None:
        if isinstance(self.look, str):  # from a TOML file that names one
            object.__setattr__(self, "look", (self.look,))


def translate_folder(command: TranslateFolder) -> int:
    """Translate a folder or a film; return exit status 1 if a picture failed."""
    from translate.inference.onnx.recipe import is_onnx

    if is_onnx(command.model):
        return translate_with_onnx(command)
    from translate.inference.folder.run import translate_folder
    from translate.inference.options import FolderOptions
    from translate.inference.video.readers import is_video

    if is_video(command.input, command.output):
        return translate_film(command)
    for name in sorted(given_options(command) & {"fps", "no_denoise"}):
        raise OptionError(f"{flag_name(name)} is for films, and this is no film; leave it out")
    options = _shared_options(FolderOptions, command)
    translator = _load(command, command.stats, command.reference or None, command.value_range)
    report = translate_folder(translator, command.input, command.output, options)
    _print(command, report)
    return 1 if report.failed else 0


def translate_with_onnx(command: TranslateFolder) -> int:
    """Translate a folder with an ONNX file, without torch."""
    from translate.inference.onnx.folder import translate_folder
    from translate.inference.options import FolderOptions
    from translate.inference.translator import Translator

    for name in sorted(given_options(command) & {"fps", "no_denoise", "look", "consistent", "to"}):
        raise OptionError(f"{flag_name(name)} is not for ONNX files; leave it out, or give the model it was made from")
    translator: Any = Translator.load(
        command.model, command.device, command.precision, command.memory, command.stats, command.reference or None,
        command.value_range, command.weights,
    )  # fmt: skip
    if translator.note:
        say(f"note: {translator.note}")
    report = translate_folder(translator, command.input, command.output, _shared_options(FolderOptions, command))
    _print(command, report)
    return 1 if report.failed else 0


def translate_film(command: TranslateFolder) -> int:
    """Translate a film, a GIF or a folder of frames."""
    from translate.inference.options import VideoOptions
    from translate.inference.video.run import translate_video

    for name in sorted(given_options(command) & PICTURE_OPTIONS):
        raise OptionError(f"{flag_name(name)} is for pictures; a film gets one answer, by --seed or --look")
    options = _shared_options(
        VideoOptions, command, stats=command.stats or ("frozen" if command.reference else "smooth"),
        reference=command.reference or None, denoise=not command.no_denoise,
    )  # fmt: skip
    report = translate_video(_load(command), command.input, command.output, options)
    _print(command, report)
    return 0


def _shared_options(kind: Any, command: TranslateFolder, **others: Any) -> Any:
    """Build options of `kind` from the command's options with the same names, and others."""
    shared = {field.name: getattr(command, field.name) for field in fields(kind) if hasattr(command, field.name)}
    return kind(**shared | {"looks": command.look} | others)


def _load(command: TranslateFolder, stats: str = "", reference: Any = None, value_range: str = "") -> Any:
    from translate.inference.translator import Translator

    translator = Translator.load(
        command.model,
        command.device,
        command.precision,
        command.memory,
        stats,
        reference,
        value_range,
        command.weights,
        command.base,
    )
    translator.runner.mode_choice.on_choice = lambda note: say(f"computing in {note}")
    return translator


def _print(command: TranslateFolder, report: Any) -> None:
    """Print the notes and the summary of a report, and write it to the JSON file if that is requested."""
    for line in (*report.notes, report.summary()):
        say(line)
    if command.json:
        from translate.utils.files import write_json

        fails = [{"file": str(path), "reason": reason} for path, reason in getattr(report, "failures", ())]
        table = {field.name: getattr(report, field.name) for field in fields(report)} | {"failures": fails}
        table = {"model": command.model, "input": command.input, "output": command.output} | table
        write_json(command.json, json.loads(json.dumps(table, default=str)))
