"""translate-folder: a folder of pictures in, their translations out; or one picture."""

__all__ = ["TranslateFolder", "translate_folder"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import tyro
from tyro.conf import arg

from translate.cli.commands.options import Direction, PathWord, TrustOptions, ValueRange, Words
from translate.cli.commands.translate_video import translate_film
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

    model: PathWord
    input: PathWord
    output: PathWord
    direction: Annotated[Direction | None, arg(metavar="ab|ba", help_behavior_hint="")] = None
    count: Number = None
    seed: Number = None
    look: Looks = ()
    hints: PathWord = ""
    masks: PathWord = ""
    invert_masks: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    resize_masks: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    scale: Literal["fit", "native"] = "fit"
    stats: Annotated[Literal["", "exact", "frozen", "local", "smooth"], arg(metavar="X", help_behavior_hint="")] = ""
    reference: PathWord = ""
    format: Words = ""
    shard: Annotated[str, arg(metavar="I/N", help_behavior_hint="")] = ""
    overwrite: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    fps: Annotated[float | None, arg(metavar="N", help_behavior_hint="")] = None
    no_denoise: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    quality: int = 95
    device: str = "auto"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    memory: Words = ""
    value_range: ValueRange = ""
    config: PathWord = ""

    def __post_init__(self) -> None:
        if isinstance(self.look, str):  # a TOML file may well name one alone
            object.__setattr__(self, "look", (self.look,))


def translate_folder(options: TranslateFolder) -> int:
    """Translate a folder; exit status 1 if a file failed."""
    from translate.inference.folder.run import Masks, translate_folder
    from translate.inference.translator import Translator
    from translate.inference.video import is_video
    from translate.utils.errors import OptionError

    if is_video(options.input, options.output):
        return translate_film(options)
    invert, resize = options.invert_masks, options.resize_masks
    if (invert or resize) and not options.masks:
        raise OptionError("--invert-masks and --resize-masks are about --masks; give these too, or leave them out")
    translator = Translator.load(
        options.model, options.device, options.precision, options.memory, options.stats, options.reference or None,
        options.value_range,
    )  # fmt: skip
    if translator.note:
        say(f"computing in {translator.note}")
    report = translate_folder(
        translator, options.input, options.output, direction=options.direction,
        count=options.count, seed=options.seed, looks=options.look, hints=options.hints or None, scale=options.scale,
        masks=Masks(spec=options.masks, invert=invert, resize=resize) if options.masks else None,
        format=options.format, shard=options.shard, overwrite=options.overwrite, quality=options.quality,
    )  # fmt: skip
    for line in report.notes:
        say(line)
    say(report.summary())
    return 1 if report.failed else 0
