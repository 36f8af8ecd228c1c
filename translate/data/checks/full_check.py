"""The check of a data set: what is in it, and what would spoil training or its scores."""

__all__ = ["check_data", "findings_in"]

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from translate.data.catalog import catalog
from translate.data.checks.domain_separation import find_boundary
from translate.data.checks.duplicates import DuplicateGroup, find_duplicates
from translate.data.checks.measure import Measurement, measure_all, measure_pixels
from translate.data.checks.pair_checks import turned_gaps
from translate.data.checks.report import DataReport, Finding, Part
from translate.data.files.naming import bare
from translate.data.sources.domains import resolve_domains
from translate.data.sources.image_set import resolve_images
from translate.data.sources.labelled_image import LabelledImage, RowSource
from translate.data.sources.pair import Pair, PairError, check_halves, check_sizes
from translate.data.sources.pair_set import resolve_pairs
from translate.utils.errors import OptionError, UserError

_FEW = 10  # pictures that a model knows by heart
_STRAYS = 0.5  # of a domain, most that can have strayed into it
Shown = Callable[[Iterable[Measurement], str, int], Iterable[Measurement]]


def check_data(
    a: str = "", b: str = "", data: str = "", images: str = "", *, pairs: bool = False, root: Path = Path("data"),
    shown: Shown = lambda found, title, count: found,
) -> DataReport:  # fmt: skip
    """Read every picture that the options of the training commands stand for, and say what is wrong with them.

    Args:
        a: first domain, as for training.
        b: second domain.
        data: both of them.
        images: one set.
        pairs: whether the domains are pairs; combined pictures and the catalog's pairs are known to be.
        root: of the data sets of the catalog.
        shown: passes pictures on as they are measured, given a title and how many there are, and shows how far it is.

    Raises:
        OptionError: too few or too many of the four are given.
        UserError: something named does not exist, or is empty.
    """
    began = time.perf_counter()
    if images and (a or b or data):
        raise OptionError("--images is one set of pictures; give it alone, or --a and --b, or --data")
    if images:
        parts, findings = _single(images, root, shown), list[Finding]()
    else:
        parts, findings = _domains(a or None, b or None, data or None, pairs or _are_pairs(data), root, shown)
    findings += findings_in(parts)
    findings.sort(key=lambda one: not one.problem)
    return DataReport(parts, findings, time.perf_counter() - began)


def findings_in(parts: Sequence[Part]) -> list[Finding]:
    """Return what is worth a look in measured pictures, apart from what makes them pairs."""
    found = [one for part in parts for one in _of_part(part)]
    return [*found, *_repeated(parts), *_misplaced(parts)]


# ---- what there is


def _are_pairs(data: str) -> bool:
    """Whether --data can only mean pairs."""
    if not data:
        return False
    path = Path(data).expanduser()
    if not path.exists() and bare(data):
        dataset = catalog.load_catalog().get(data)
        return dataset is not None and dataset.kind == "paired"
    return path.is_file() or not any((path / name).is_dir() for name in ("trainA", "train_A"))


def _single(images: str, root: Path, shown: Shown) -> list[Part]:
    found = resolve_images(images, "", root)
    halves = (("train", found.train), ("test", found.test))
    return [Part(found.title, "", split, _measured_sources(sources, split, shown)) for split, sources in halves]


def _measured_sources(sources: Sequence[LabelledImage], title: str, shown: Shown) -> list[Measurement]:
    rows = [source for source in sources if isinstance(source, RowSource)]
    if rows:
        return [measure_pixels(source.file / source.name, source.read()) for source in rows]
    return _measured([source.file for source in sources], title, shown)


def _measured(files: Sequence[Path], title: str, shown: Shown, *, halves: bool = False) -> list[Measurement]:
    return measure_all(files, lambda found: shown(found, title, len(files)), halves=halves)


def _domains(
    a: str | None, b: str | None, data: str | None, paired: bool, root: Path, shown: Shown
) -> tuple[list[Part], list[Finding]]:
    """Return the parts of two domains, and what is wrong with them as pairs."""
    findings: list[Finding] = []
    if paired:
        try:
            found = resolve_pairs(a, b, data, root)
        except OptionError:
            raise
        except UserError as error:  # no partners: the pictures themselves can be looked at all the same
            findings.append(Finding("pairs", str(error), problem=True))
        else:
            parts, wrong = _paired(found.names, found.title, {"train": found.train, "test": found.test}, shown)
            return parts, wrong
    try:
        sides = resolve_domains(a, b, data, root)
    except UserError as error:
        raise (UserError(findings[0].words) if findings else error) from None
    parts = [
        Part(domain.name, side, split, _measured(files, f"{domain.name} {split}", shown))
        for side, domain in zip("ab", sides, strict=True)
        for split, files in (("train", domain.train), ("test", domain.test))
    ]
    return parts, findings


def _paired(
    names: tuple[str, str], title: str, splits: dict[str, list[Pair]], shown: Shown
) -> tuple[list[Part], list[Finding]]:
    parts, findings = [], []
    for split, pairs in splits.items():
        if pairs and pairs[0].combined:
            both = _measured([pair.a for pair in pairs], f"{title} {split}", shown, halves=True)
            parts.append(Part(title, "", split, both))
            sides = [both, both]
        else:
            files = [pair.a for pair in pairs], [pair.b for pair in pairs]
            sides = [_measured(files[i], f"{names[i]} {split}", shown) for i in (0, 1)]
            parts += [Part(names[i], "ab"[i], split, side) for i, side in enumerate(sides)]
        findings += _unequal(pairs, *sides)
        findings += _exchanged(pairs, *sides)
    return parts, findings


# ---- what is wrong


def _of_part(part: Part) -> list[Finding]:
    """Look at one part by itself."""
    broken = [one for one in part.pictures if one.problem]
    even = [one.path for one in part.pictures if one.even]
    modes = {one.mode for one in part.good}
    found = []
    if broken:
        first = broken[0].problem.rpartition("cannot be read as an image ")[2]
        words = f"{part.name}: {_count(broken)} cannot be read {first}"
        found.append(Finding("unreadable", words, [one.path for one in broken], problem=True))
    if even:
        found.append(Finding("one colour", f"{part.name}: {_count(even)} of one colour", even, problem=True))
    if len({mode.split(" + ")[0] for mode in modes if "bands" in mode or "bit" in mode}) > 1:
        rare = min(modes, key=lambda mode: sum(one.mode == mode for one in part.good))
        files = [one.path for one in part.good if one.mode == rare]
        found.append(Finding("mixed kinds", f"{part.name}: kinds are mixed; the rarest is {rare}", files))
    if part.split == "train" and 0 < len(part.good) < _FEW:
        found.append(Finding("few", f"{part.name}: only {_count(part.good)}, which a model will learn by heart"))
    return found


def _repeated(parts: Sequence[Part]) -> list[Finding]:
    """Tell of pictures that are there more than once: in one part, or in two that should have none in common."""
    pictures = [one for part in parts for one in part.pictures]
    where = [part for part in parts for _ in part.pictures]
    alike = find_duplicates(pictures)
    found = []
    for part in parts:
        for exact in (True, False):
            extra = [pictures[i].path for group in alike for i in _extra(group, where, part) if group.exact == exact]
            if extra:
                kind = "exact" if exact else "near"
                same = "the same as" if exact else "nearly the same as"
                words = f"{part.name}: {_count(extra)} {same} another one of it"
                found.append(Finding(f"{kind} duplicates", words, extra))
    for train, test in ((x, y) for x in parts for y in parts if (x.split, y.split) == ("train", "test")):
        if train.side != test.side:
            continue
        for exact, kind, words in (
            (True, "leak", "training sees too"),
            (False, "near leak", "training nearly sees too"),
        ):
            if leaked := _shared([group for group in alike if group.exact == exact], where, train, test):
                words = f"{test.name}: {_count(leaked)} to test on that {words}, so scores will flatter"
                found.append(Finding(kind, words, [pictures[i].path for i in leaked], problem=exact))
    for a, b in ((x, y) for x in parts for y in parts if (x.side, y.side) == ("a", "b") and x.split == y.split):
        if shared := _shared(alike, where, a, b):
            words = f"{b.name}: {_count(shared)} that {a.name} has too"
            found.append(Finding("shared", words, [pictures[i].path for i in shared]))
    return found


def _extra(group: DuplicateGroup, where: Sequence[Part], part: Part) -> list[int]:
    return [i for i in group.members if where[i] is part][1:]


def _shared(alike: Sequence[DuplicateGroup], where: Sequence[Part], one: Part, other: Part) -> list[int]:
    """Return the pictures of `other` that look like some of `one`."""
    groups = (group.members for group in alike if any(where[i] is one for i in group.members))
    return [i for members in groups for i in members if where[i] is other]


def _misplaced(parts: Sequence[Part]) -> list[Finding]:
    """Tell of test folders that look exchanged, and of pictures that seem to have strayed into the other domain."""
    sides = {(part.side, part.split): part for part in parts if part.side}
    told = {key: [one for one in part.good if not one.even] for key, part in sides.items()}
    traits = {key: np.concatenate([x.traits for x in good] or [np.zeros((0, 6))]) for key, good in told.items()}
    if not {("a", "train"), ("b", "train")} <= sides.keys():
        return []
    border = find_boundary(traits["a", "train"], traits["b", "train"])
    if border is None:
        return []
    likes = {side: border.looks_like(traits.get((side, "test"), np.zeros((0, 6)))) for side in "ab"}
    if (likes["a"], likes["b"]) == ("b", "a"):
        words = f"{sides['a', 'test'].name} and {sides['b', 'test'].name} look exchanged, by the training pictures"
        return [Finding("swapped", words, problem=True)]
    found = []
    for (side, split), part in sides.items():
        strays = border.strays(traits[side, split], first=side == "a")
        if strays and len(strays) <= _STRAYS * len(traits[side, split]):
            other = sides["b" if side == "a" else "a", split].title
            words = f"{part.name}: {_count(strays)} that look like {other}"
            found.append(Finding("mixed domains", words, [told[side, split][i].path for i in strays]))
        elif strays:
            found.append(Finding("swapped", f"{part.name} looks like the other domain", problem=True))
    return found


def _unequal(pairs: Sequence[Pair], a: Sequence[Measurement], b: Sequence[Measurement]) -> list[Finding]:
    """Tell of pairs whose sizes do not fit."""
    wrong, reason = [], ""
    for pair, first, second in zip(pairs, a, b, strict=True):
        if first.problem or second.problem:
            continue
        try:
            if pair.combined:
                check_halves(pair, *first.size[::-1])
            else:
                check_sizes(pair, first.size[::-1], second.size[::-1])
        except PairError as error:
            wrong.append(pair.a)
            reason = reason or str(error)
    more = f"; {len(wrong) - 1} more pairs are like that" if len(wrong) > 1 else ""
    return [Finding("pair sizes", f"{reason}{more}", wrong, problem=True)] if wrong else []


def _exchanged(pairs: Sequence[Pair], a: Sequence[Measurement], b: Sequence[Measurement]) -> list[Finding]:
    """Tell of pairs whose two pictures look exchanged."""
    good = [i for i in range(len(pairs)) if not (a[i].problem or b[i].problem) and len(a[i].traits) <= 2]
    gaps = np.array([a[i].traits[0] - b[i].traits[-1] for i in good])
    turned = [pairs[good[i]].a for i in turned_gaps(gaps)]
    words = f"the two pictures of {len(turned)} pair{'s' * (len(turned) > 1)} look exchanged"
    return [Finding("exchanged pairs", words, turned)] if turned else []


def _count(found: Sequence[object]) -> str:
    return f"{len(found):,} picture{'s' * (len(found) > 1)}"
