"""Options for the translation of folders and films, checked as far as is possible without a model."""

__all__ = ["FolderOptions", "TranslationOptions", "VideoOptions", "build_request", "check_lossless", "result_suffix"]

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from translate.data.files.worklist import as_suffix
from translate.images.encode import FORMATS
from translate.inference.request import Request, blend, check_strength
from translate.inference.translator import Translator
from translate.utils.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class TranslationOptions:
    """Options that folders and films share; raises OptionError for values out of range, and for contradictions."""

    direction: str | None = None  # "ab" or "ba"; None: the model's default
    seed: int | None = None  # of the results; without seed, looks and count: the model's one deterministic result
    # Pictures of the target domain: all results get the look of the first. With `count`, a folder takes two, and each
    # picture gets `count` steps from one look to the other.
    looks: Sequence[str | Path] = ()
    strength: float | None = None  # of a model that has one, 0 to 1; None: the model's default
    to: str | None = None  # of a model that changes labels: those to get, or with a minus to lose, "glasses,-blond"
    scale: str = "fit"  # "fit" or "native", as for `Translator.__call__`
    overwrite: bool = False  # translate everything again, even if a result exists
    quality: int = 95  # of JPEG, WebP and AVIF files and of films, 1 to 100
    progress: bool = True  # show a progress bar on the terminal, and failures as they happen

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 100:
            raise OptionError(f"quality {self.quality} is out of range; choose 1 to 100")
        if self.strength is not None:
            check_strength(self.strength)
            if self.looks:
                raise OptionError("a model has either looks or a strength; leave out --look or --strength")
        if self.looks and self.seed is not None:
            raise OptionError("a look says which answer is meant; leave out --look or --seed")


@dataclass(frozen=True, kw_only=True)
class FolderOptions(TranslationOptions):
    """Options of `translate_folder`."""

    consistent: bool = False  # of super-resolution, see `Translator.__call__`
    count: int | None = None  # results for each picture; more than one are called NAME_1, NAME_2 and so on
    hints: str | Path | None = None  # a folder of layers of strokes with the names of the pictures, or one for all
    # A folder or a pattern of masks with the names of the pictures, also as NAME_mask or mask_NAME, or one for all. A
    # sample of the masks decides which colour is the hole. Without a mask, transparent pixels are the hole.
    masks: str | Path | None = None
    invert_masks: bool = False  # the other colour is the hole
    resize_masks: bool = False  # to the size of the pictures
    format: str = ""  # of all results, such as "png"; "": the format of each picture
    keep_metadata: bool = False  # copy EXIF (camera, date, place), XMP, IPTC and texts; else they are left out
    shard: str = ""  # "2/5": only the second of five parts, for machines that share the work and the folders
    # Also write trust.csv: how unlike the training pictures each picture is; needs a model with a calibration.
    trust: bool = False
    workers: int | None = None  # threads that decode, and as many that encode; None: 2, or with a GPU one per core

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.invert_masks or self.resize_masks) and not self.masks:
            raise OptionError("--invert-masks and --resize-masks are about --masks; give these too, or leave them out")
        if self.looks and (len(self.looks) > 2 or (len(self.looks) == 1) != (self.count is None)):
            usage = "give one --look, without --count, or two with --count N"
            raise OptionError(f"{usage}: the steps from one to the other")


@dataclass(frozen=True, kw_only=True)
class VideoOptions(TranslationOptions):
    """Options of `translate_video`."""

    stats: str = "smooth"  # statistics to normalise by, as for `Translator.with_norm_statistics`; "": the translator's
    reference: Any = None  # a picture for frozen statistics; `stats` is then "frozen" or ""
    denoise: bool = True  # average out camera noise where nothing moves: the model may turn noise into flicker
    fps: float | None = None  # frames per second of a folder of frames; None: 25
    segment: int = 250  # frames in one resumable segment

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.looks) > 1:
            raise OptionError("a film has one look; give --look once")


def build_request(translator: Translator, options: TranslationOptions, count: int | None = None) -> Request:
    """Return the request for every picture: with the style codes of `options.looks`, or else by seed or strength.

    Raise OptionError if an option is wrong for this model, and UserError if a picture of a look cannot be read.
    """
    given: Any = {"seed": options.seed, "strength": options.strength, "to": options.to, "scale": options.scale}
    if isinstance(options, FolderOptions) and options.consistent:
        given["consistent"] = True
    request = translator.request(options.direction, count=count, **given)
    if not options.looks:
        return request
    codes = [translator.style_code(path) for path in options.looks]
    z = codes[0] if count is None else blend(codes[0], codes[1], count)
    return translator.request(options.direction, z=z, scale=options.scale)


def check_lossless(options: FolderOptions, lossy: Any) -> None:
    """Raise OptionError for consistent results in files of a `lossy` kind, of which `count` is the number."""
    if options.consistent and lossy.count:
        raise OptionError(f"--consistent: {lossy} would change every pixel once more; say --format png")


def result_suffix(translator: Translator, form: str, output: Path | None = None) -> str:
    """Return the suffix of all results: that of `form`, or .png for label maps; "" for that of each picture.

    `output` is a file with a format of its own, if results go to one. Raise OptionError for a format that changes label
    maps, or an unknown one.
    """
    suffix = as_suffix(form)
    if translator.runner.classes is None:
        return suffix
    if suffix and FORMATS[suffix].lossy:
        raise OptionError(f"--format {form}: may change the classes of label maps; say png, or leave --format out")
    return suffix or ("" if output else ".png")
