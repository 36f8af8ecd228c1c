"""The options that select the training data and how it is loaded."""

__all__ = ["DATA_KINDS", "DataConfig", "limited"]

from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
DATA_KINDS = ("paired", "unpaired", "images", "labelled", "masked", "reduced")  # of training data


def limited(
    default: T, low: float | None = None, high: float | None = None, *, choices: tuple[str, ...] = (), flag: str = ""
) -> T:
    """Return a dataclass field whose value `training.config_checks.check_limits` checks.

    Numbers lie between `low` and `high`, texts are one of `choices`; `flag` is the option if not --section.name.
    """
    limits = {"low": low, "high": high, "choices": choices, "flag": flag}
    return field(default=default, metadata=limits)


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """The training data, and how pictures are resized, cropped and augmented."""

    a: str = ""  # first domain: a folder, a glob, a list file or a name of the catalog
    b: str = ""  # second domain
    root: str = ""  # in place of both: a folder with trainA and trainB, or a data set of the catalog
    images: str = ""  # one set of pictures: the same as `a`, or a CSV, an idx file or a data set of the catalog
    classes: str = ""  # labels of `images`: "" = none, "auto" = those stored beside them, else a CSV or idx file
    attributes: str = ""  # of the table `classes`: the columns to learn, separated by commas; "" = all
    size: int = 0  # training resolution, px; 0 = automatic
    crop: int = 0  # side of the square training crop, px; 0 = all of `size`; "auto" or -1 = by the time budget
    zoom: float = limited(1.0, 1)  # pictures are resized to size * zoom before the crop (286/256 in pix2pix, CycleGAN)
    square: bool = False  # resize to a square, as both methods do; else resize the shorter side, keep the aspect ratio
    flip: bool = True  # mirror half of the pictures
    batch_size: int = limited(1, 1, flag="--batch-size")  # pictures of each domain in a step, over all processes
    direction: str = limited("ab", choices=("ab", "ba"), flag="--direction")  # of pairs: "ba" makes `b` the source
    labels: str = limited("auto", choices=("auto", "none", "a", "b", "ab"))  # sides of label maps: not interpolated
    one_hot: bool = False  # label maps as one channel per class, and answers as label maps
    class_names: str = ""  # text file of the classes, "name", "7 name" or "#rrggbb name" a line; "" = those in the maps
    unlabelled: str = "auto"  # values of no class: "none", a list as 0,255 or #000000; "auto" = 255 beside 0, 1, 2 ...
    label_key: str = limited("auto", choices=("auto", "index", "colour"))  # what tells classes in maps with palettes
    hints: bool = False  # also feed colour hints, strokes of the target's colours, to the generator
    colour_a: float = limited(0.0, 0, 1)  # strength of random colour jitter on the source alone
    colour_b: float = limited(0.0, 0, 1)  # the same for the target
    pairs: str = ""  # a few true pairs beside two domains: a folder or a CSV file, as for the task pix2pix
    pair_share: float = limited(0.25, 0.01, 0.9, flag="--pair-share")  # of the steps: their batch is of `pairs`
    masks: str = ""  # inpainting masks to train with, a folder or a glob; "" = masks are drawn at random
    mask_kinds: tuple = ()  # kinds of random masks; none = the default mixture
    mask_low: float = limited(0.02, 0, 1)  # smallest part of the picture that a random mask covers
    mask_high: float = limited(0.6, 0, 1)  # largest part
    scale: int = limited(4, 2, 4, flag="--scale")  # of super-resolution: by how many pictures get wider and higher
    degrade: str = limited("clean", choices=("clean", "real"), flag="--degrade")  # what made the small pictures small
    value_range: str = ""  # LOW,HIGH: black and white in floats and wide integers; "" = 0 and 1, or the full scale
    invert_masks: bool = False  # swap hole and known area in the mask files
