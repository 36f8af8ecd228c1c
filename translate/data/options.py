"""The options that select the training data and how it is loaded."""

__all__ = ["DataConfig", "limited"]

from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


def limited(
    default: T, low: float | None = None, high: float | None = None, *, choices: tuple[str, ...] = (), flag: str = ""
) -> T:
    """Return a dataclass field whose value `training.config_checks.check_limits` holds within limits.

    Args:
        default: Value of the field.
        low: Least number.
        high: Largest number.
        choices: Allowed words.
        flag: The option of the command line, where it is not --section.name.
    """
    limits = {"low": low, "high": high, "choices": choices, "flag": flag}
    return field(default=default, metadata=limits)


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """The training data, and how pictures are resized, cropped and augmented.

    Attributes:
        a: First domain: a folder, a glob, a list file or a name of the catalog.
        b: Second domain.
        root: In place of both: a folder with trainA and trainB, or a data set of the catalog.
        images: One set of pictures: a folder, a glob, a list file, a CSV, an idx file or a data set of the catalog.
        classes: Labels of `images`: "" = none, "auto" = those stored beside the pictures, else a CSV or idx file.
        size: Training resolution in px; 0 = automatic.
        crop: Side of the square training crop in px; 0 = all of `size`; -1 = chosen by the time budget.
        zoom: Pictures are resized to size * zoom before the crop (286/256 in pix2pix and CycleGAN).
        square: Resize to a square, as those methods do; else resize the shorter side and keep the aspect ratio.
        flip: Mirror half of the pictures.
        batch_size: Pictures of each domain in a step, over all processes.
        direction: Of pairs: "ba" is from the second picture to the first.
        labels: Sides that are label maps, which are never interpolated.
        hints: Also feed colour hints, strokes of the target's colours, to the generator.
        colour_a: Strength of random colour jitter on the source alone.
        colour_b: The same for the target.
        masks: Inpainting masks to train with, a folder or a glob; "" = masks are drawn at random.
        mask_kinds: Kinds of random masks; none = the default mixture.
        mask_low: Smallest part of the picture that a random mask covers.
        mask_high: Largest part.
        value_range: LOW,HIGH: values of black and white in floating-point and wide integer files; "" = 0 and 1, or
            the type's full scale.
        invert_masks: Swap hole and known area in the mask files.
    """

    a: str = ""
    b: str = ""
    root: str = ""
    images: str = ""
    classes: str = ""
    size: int = 0
    crop: int = 0
    zoom: float = limited(1.0, 1)
    square: bool = False
    flip: bool = True
    batch_size: int = limited(1, 1, flag="--batch-size")
    direction: str = limited("ab", choices=("ab", "ba"), flag="--direction")
    labels: str = limited("auto", choices=("auto", "none", "a", "b", "ab"))
    hints: bool = False
    colour_a: float = limited(0.0, 0, 1)
    colour_b: float = limited(0.0, 0, 1)
    masks: str = ""
    mask_kinds: tuple = ()
    mask_low: float = limited(0.02, 0, 1)
    mask_high: float = limited(0.6, 0, 1)
    value_range: str = ""
    invert_masks: bool = False
