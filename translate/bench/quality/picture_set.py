"""A set of pictures, and its held-out questions: pictures that a model has to answer, with what is known of them."""

__all__ = ["PictureSet", "Question", "find_set"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from translate.data.catalog.catalog import load_catalog
from translate.data.catalog.root import data_root
from translate.data.datasets import TRAINING_DATA
from translate.data.files.naming import clean
from translate.data.files.splits import has_two_domains
from translate.data.loading.random_masks import BANDS, evaluation_mask
from translate.data.options import DataConfig
from translate.data.sources.domains import Domain, resolve_domains
from translate.data.sources.image_set import resolve_images
from translate.data.sources.pair import Pair, read_pair
from translate.data.sources.pair_layouts import find_pairs
from translate.data.sources.pair_set import resolve_pairs
from translate.evaluation.cases import InpaintingCase
from translate.evaluation.reader import readable
from translate.evaluation.unpaired import DirectionFiles, find_truths
from translate.images.io import read_rgb8
from translate.inference.latent.neighbours import square_crop
from translate.utils.errors import OptionError, UserError, did_you_mean
from translate.utils.sequences import subsample

MAX_SIZE_PX = 128  # unless --size says otherwise: budgets are of minutes
COMBINED_RATIO = 1.6  # width over height from which a picture is taken for two, side by side

Pictures = list[np.ndarray]  # (size, size, 3) uint8 each


@dataclass(frozen=True, eq=False, kw_only=True)
class Question:
    """Held-out pictures in one direction; samples have only a number."""

    key: str  # "ab" or "ba", the direction of translations; else ""
    title: str
    target: str  # what the answers should look like, in a word
    sources: Pictures = field(default_factory=list)  # to be answered; [] for generation
    holes: Pictures = field(default_factory=list)  # (size, size) bool, for inpainting
    truths: Pictures = field(default_factory=list)  # in the order of the sources; [] if some are unknown
    real: Pictures  # to compare the answers with
    others: Pictures  # other real pictures, the floor


@dataclass(frozen=True)
class PictureSet:
    """A set of pictures, of the catalog or the user's."""

    name: str  # fit for a folder
    place: str  # name in the catalog, or folder
    kinds: tuple[str, ...]  # the values of `Task.data` that can learn from it

    def options(self, kind: str) -> dict[str, Any]:
        """Return the options of `DataConfig` for a task of this kind."""
        return {"images" if kind in ("images", "masked") else "root": self.place}

    def size(self) -> int:
        """Return the resolution to train at, px: that of the pictures, at most MAX_SIZE_PX."""
        kind = self.kinds[0]
        return min(MAX_SIZE_PX, TRAINING_DATA[kind](DataConfig(**self.options(kind)), data_root()).native_size())

    def questions(self, kind: str, size: int, limit: int) -> list[Question]:
        """Return the questions to models of this kind: at most `limit` held-out pictures of `size` px each.

        Raises:
            UserError: there are fewer than 2.
        """
        found = QUESTIONS[kind](self.place, size, limit)
        if min(len(question.real) for question in found) < 2:
            raise UserError(f"{self.name} has fewer than 2 readable held-out pictures; give more pictures")
        return found


def find_set(text: str) -> PictureSet:
    """Return the set that NAME, of the catalog, or NAME=FOLDER describes; a folder's layout tells what it is for.

    Raises:
        OptionError: there is no such set or folder.
    """
    name, equals, place = text.partition("=")
    if not equals:
        if name not in (catalog := load_catalog()):
            raise OptionError(f"--sets {name}: no such data set{did_you_mean(name, catalog)}; or say NAME=FOLDER")
        kind = catalog[name].kind
        return PictureSet(name, name, ("images", "masked") if kind in ("images", "labelled") else (kind,))
    folder = Path(place).expanduser()
    if not (name and folder.is_dir()):
        raise OptionError(f"--sets {text}: should be NAME=FOLDER, and {place or 'the folder'!r} is no folder")
    return PictureSet(clean(name), str(folder.resolve()), kinds_of_layout(folder))


def kinds_of_layout(folder: Path) -> tuple[str, ...]:
    """Return "unpaired" for trainA and trainB, "paired" for A and B or wide pictures, else the kinds of single ones."""
    if has_two_domains(folder):
        return ("unpaired",)
    try:
        first = find_pairs(folder)[0][0]
        height, width = read_rgb8(first.a).shape[:2]
        if not first.combined or width >= COMBINED_RATIO * height:
            return ("paired",)
    except (UserError, IndexError):
        pass
    return ("images", "masked")


# ---- the questions of each kind


def unpaired_questions(place: str, size: int, limit: int) -> list[Question]:
    a, b = resolve_domains("", "", place, data_root())
    return [_direction(key, *ways, size, limit) for key, ways in (("ab", (a, b)), ("ba", (b, a)))]


def _direction(key: str, source: Domain, target: Domain, size: int, limit: int) -> Question:
    files, known = DirectionFiles.choose(source, target, limit), find_truths(source.truth)
    inputs = [path for path in files.inputs if path.stem in known] or files.inputs
    truths = _read([known[path.stem] for path in inputs if path.stem in known], size)
    return Question(
        key=key, title=f"{source.name} -> {target.name}", target=target.name, sources=_read(inputs, size),
        truths=truths, real=_read(files.targets, size), others=_read(files.others, size),
    )  # fmt: skip


def paired_questions(place: str, size: int, limit: int) -> list[Question]:
    pairs = resolve_pairs("", "", place, data_root())
    sources, truths = _read_pairs(subsample(pairs.test, limit), size)
    _, others = _read_pairs(subsample(pairs.train, len(truths)), size)
    known = Question(key="ab", title=" -> ".join(pairs.names), target=pairs.names[1], real=truths, others=others)
    return [replace(known, sources=sources, truths=truths)]


def image_questions(place: str, size: int, limit: int) -> list[Question]:
    found = resolve_images(place, "", data_root())
    tests = subsample(found.test, limit)
    parts = (tests, subsample(found.train, len(tests)))
    real, others = (list(readable(part, lambda image: square_crop(image.read(), size))) for part in parts)
    return [Question(key="", title="new pictures", target="real pictures", real=real, others=others)]


def masked_questions(place: str, size: int, limit: int) -> list[Question]:
    (known,) = image_questions(place, size, limit)
    holes = [evaluation_mask(size, size, i % len(BANDS), i) for i in range(len(known.real))]
    sources = [InpaintingCase(picture, hole).picture for picture, hole in zip(known.real, holes, strict=True)]
    return [replace(known, title="holes", target="whole pictures", sources=sources, holes=holes, truths=known.real)]


QUESTIONS: dict[str, Callable[[str, int, int], list[Question]]] = {
    "unpaired": unpaired_questions, "paired": paired_questions, "images": image_questions, "masked": masked_questions,
}  # fmt: skip


def _read(paths: Sequence[Path], size: int) -> Pictures:
    return list(readable(paths, lambda path: square_crop(read_rgb8(path), size)))


def _read_pairs(pairs: Sequence[Pair], size: int) -> tuple[Pictures, Pictures]:
    both = [tuple(square_crop(side, size) for side in pair) for pair in readable(pairs, read_pair)]
    return [source for source, _ in both], [target for _, target in both]
