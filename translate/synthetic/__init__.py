"""Built-in data, drawn on the user's machine: no download, the same pixels for the same seed.

`render` draws a data set by its name; the folders hold one subject each.

    arrays         array types
    curves         outlines, offsets and masks of smooth curves
    draw_all       draws many pictures into a folder, on all cores
    light          sun, sky and haze
    noise          fractional Brownian motion and a noise tile
    digits/        handwritten digits
    faces/         portraits with known factors
    landscapes/    photographs and paintings of landscapes
    products/      shoes and handbags, with sketches
"""

__all__ = ["RENDERERS", "TEST_PAIRS", "render"]

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from translate.utils.errors import OptionError, did_you_mean

if TYPE_CHECKING:
    from translate.synthetic.draw_all import Job


def _landscapes(train: int, test: int, size: int, seed: int) -> list["Job"]:
    from translate.synthetic.landscapes.landscape import jobs  # drawing needs OpenCV, which --help must not wait for

    return jobs(train, test, size, seed)


def _landscape_pairs(train: int, test: int, size: int, seed: int) -> list["Job"]:
    from translate.synthetic.landscapes.landscape import pair_jobs

    return pair_jobs(train, test, size, seed)


def _shoes(train: int, test: int, size: int, seed: int) -> list["Job"]:
    from translate.synthetic.products.shoes.shoes import jobs

    return jobs(train, test, size, seed)


def _handbags(train: int, test: int, size: int, seed: int) -> list["Job"]:
    from translate.synthetic.products.handbags.handbags import jobs

    return jobs(train, test, size, seed)


def _digits(train: int, test: int, size: int, seed: int) -> list["Job"]:
    from translate.synthetic.digits.digits import jobs

    return jobs(train, test, size, seed)


def _faces(train: int, test: int, size: int, seed: int) -> list["Job"]:
    from translate.synthetic.faces.faces import jobs

    return jobs(train, test, size, seed)


def _attributes(train: int, test: int, size: int, seed: int) -> list["Job"]:
    from translate.synthetic.faces.attributes import jobs

    return jobs(train, test, size, seed)


RENDERERS: dict[str, Callable[[int, int, int, int], list["Job"]]] = {
    "landscapes": _landscapes,
    "landscape pairs": _landscape_pairs,
    "shoes": _shoes,
    "handbags": _handbags,
    "digits": _digits,
    "faces": _faces,
    "attributes": _attributes,
}

TEST_PAIRS = 20  # drawn beside a few pairs, so that none of these has to be held out
SIZE_RANGE_PX = (64, 512)  # sizes at which the pictures were checked by eye
SIZE_RANGES_PX = {"digits": (28, 128)}  # of renderers with other sizes


def render(
    name: str, target: Path, *, train: int, test: int, size: int = 256, seed: int = 0, workers: int | None = None,
    progress: bool = True, only_in_b: str = "",
) -> None:  # fmt: skip
    """Draw a built-in data set into the new folder `target`.

    Landscapes, unpaired: trainA, trainB, testA and testB (NNNNN.png, RGB); truth/A and truth/B hold, under the same
    name, the ground truth of each test picture in the other domain. No scene is drawn in two of the four folders.

    Landscape pairs: trainA/NNNNN.png is the photo of that name in trainA of the landscapes of the same seed, and
    trainB/NNNNN.png its painting; the scenes in testA and testB are none of theirs.

    Shoes and handbags, paired: trainA/NNNNN.png is the sketch (8-bit gray) of trainB/NNNNN.png (RGB), and the same in
    testA and testB. The folder truth/A/NNNNN holds photos of a test sketch in several colourways, all of them correct
    (0.png is the one in testB), and truth/parts/NNNNN.png numbers the parts whose colour varies (0: other pixels). No
    product is drawn in both splits.

    Digits, labelled: {train,test}/<label>/NNNNN.png (8-bit gray, white on black), the same number for each label.

    Faces, one set with known factors: {train,test}/NNNNN.png (RGB), and in each folder a table factors.csv with one
    column per factor. No portrait is in both splits.

    Attributes, such portraits with five attributes: {train,test}/NNNNN.png (RGB), and in each folder a table
    attributes.csv of 0 and 1; truth/<attribute>/NNNNN.png is the test portrait of that name with this attribute
    changed, to the other value, and nothing else.

    Args:
        name: a key of `RENDERERS`.
        target: the folder to make; it appears only when everything is drawn.
        train: training pictures (or pairs), per domain.
        test: test pictures (or pairs), per domain.
        size: edge of the pictures, px: 64 to 512, or the range in `SIZE_RANGES_PX`.
        seed: of all pictures; their pixels do not depend on the number of workers.
        workers: processes; None: one per available core.
        progress: show a bar on stderr.
        only_in_b: of landscapes, a part that the second domain alone has and the share of its pictures that have it,
            such as "boats=0.5"; truth/other and truth/places are described in `landscapes.parts`.

    Raises:
        OptionError: an unknown name, or a number out of range.
        UserError: the target exists already or cannot be written.
    """
    from translate.synthetic.draw_all import draw_all

    if name not in RENDERERS:
        raise OptionError(f"unknown renderer {name!r}{did_you_mean(name, RENDERERS)}")
    smallest, largest = SIZE_RANGES_PX.get(name, SIZE_RANGE_PX)
    if not smallest <= size <= largest:
        raise OptionError(f"size {size}: pictures are rendered at {smallest} to {largest} px")
    if train < 0 or test < 0 or train + test == 0:
        raise OptionError(f"train {train}, test {test}: give the number of pictures, at least one")
    if seed < 0:
        raise OptionError(f"seed {seed}: give 0 or more")
    jobs = _with_part(name, only_in_b)(train, test, size, seed)
    draw_all(jobs, Path(target), workers=workers, progress=progress, label=f"rendering {name}")


def _with_part(name: str, only_in_b: str) -> Callable[[int, int, int, int], list["Job"]]:
    """Return the renderer `name` with a part in its second domain, if there is to be one."""
    if not only_in_b:
        return RENDERERS[name]
    from translate.synthetic.landscapes.parts import jobs, parse_part

    if name != "landscapes":
        raise OptionError(f"{name} have no part that one domain alone could have; landscapes have")
    return functools.partial(jobs, *parse_part(only_in_b))
