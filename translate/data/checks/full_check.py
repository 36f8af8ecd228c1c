"""The check of a whole data set for faults that would spoil training or its scores."""

__all__ = ["check_data", "find_faults", "train_test_pairs"]

import functools
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from translate.data.catalog import catalog
from translate.data.checks.contents import MIN_EXCESS, MIN_PICTURES, excess_variation, layouts_of
from translate.data.checks.domain_separation import find_boundary
from translate.data.checks.duplicates import DuplicateGroup, find_duplicates
from translate.data.checks.measure import Measurement, measure_all, measure_pixels
from translate.data.checks.pair_checks import find_exchanged, find_unequal_sizes
from translate.data.checks.report import DataReport, Finding, Part
from translate.data.files.find import left_out_notes
from translate.data.files.naming import is_bare_name
from translate.data.files.splits import has_two_domains
from translate.data.loading.file_kind import used_range_note
from translate.data.sources.domains import FileSet, domain_file_sets, resolve_domains
from translate.data.sources.image_set import resolve_images
from translate.data.sources.labelled_image import LabelledImage, LabelledRow
from translate.data.sources.pair_set import PairSet, resolve_pairs
from translate.images.picture import ValueRange, suggest_range
from translate.utils.errors import OptionError, UserError

_MIN_PICTURES = 10  # a model memorises fewer
_MAX_STRAY_SHARE = 0.5  # of a part; if more pictures look like the other domain, the whole part does
_MAX_REASONS = 5  # why files cannot be read, with a line each; the others share a line
Measure = Callable[..., list[Measurement]]  # `measure_all` with the options of the check
P = TypeVar("P", FileSet, Part)


def check_data(
    a: str = "",
    b: str = "",
    data: str = "",
    images: str = "",
    *,
    pairs: bool = False,
    values: ValueRange | None = None,
    root: Path = Path("data"),
    progress: bool = False,
) -> DataReport:
    """Read every picture that the options of the training commands name, and report faults.

    Args:
        a: First domain.
        b: Second domain.
        data: In place of both, a data set of two domains.
        images: One set of pictures.
        pairs: Whether the domains are pairs; combined pictures and the catalog's pairs need no declaration.
        values: Black and white of floats and wide integers; None: 0 and 1, or the full scale.
        root: Folder of the catalog's data sets.
        progress: Whether to show a bar.

    Raises:
        OptionError: too few or too many of the first four are given.
        UserError: something named does not exist, or is empty.
    """
    began = time.perf_counter()
    if images and (a or b or data):
        raise OptionError("--images is one set of pictures; give it alone, or --a and --b, or --data")
    findings: list[Finding] = []
    measure = functools.partial(measure_all, values=values, progress=progress)
    if images:
        parts = _measure_images(images, root, measure)
    else:
        are_pairs = pairs or _must_be_pairs(data)
        parts, findings = _measure_domains(a, b, data, are_pairs, root, measure)
        findings += [] if are_pairs else _compare_contents(parts)
    findings += find_faults(parts)
    findings += [Finding("left out", note) for note in left_out_notes([a, b, data, images])]
    findings.sort(key=lambda one: not one.problem)
    return DataReport(parts, findings, time.perf_counter() - began)


def find_faults(parts: Sequence[Part]) -> list[Finding]:
    """Return the findings in measured pictures, except findings about pairs."""
    faults = [one for part in parts for one in _find_in_part(part)]
    return [*faults, *_find_repeated(parts), *_find_misplaced(parts)]


def train_test_pairs(parts: Sequence[P]) -> Iterator[tuple[P, P]]:
    """Yield each training part with each test part of the same side."""
    splits = ("train", "test")
    yield from ((x, y) for x in parts for y in parts if (x.split, y.split) == splits and x.side == y.side)


# ---- measuring


def _must_be_pairs(data: str) -> bool:
    """Whether --data can only mean pairs."""
    if not data:
        return False
    path = Path(data).expanduser()
    if not path.exists() and is_bare_name(data):
        dataset = catalog.load_catalog().get(data)
        return dataset is not None and dataset.kind == "paired"
    return path.is_file() or not has_two_domains(path)


def _measure_images(images: str, root: Path, measure: Measure) -> list[Part]:
    image_set = resolve_images(images, "", root)
    splits = (("train", image_set.train), ("test", image_set.test))
    return [Part(image_set.title, "", split, _measure_sources(sources, split, measure)) for split, sources in splits]


def _measure_sources(sources: Sequence[LabelledImage], title: str, measure: Measure) -> list[Measurement]:
    rows = [source for source in sources if isinstance(source, LabelledRow)]
    if rows:
        return [measure_pixels(source.file / source.name, source.read()) for source in rows]
    return measure([source.file for source in sources], title)


def _measure_files(files: FileSet, measure: Measure) -> Part:
    title, side, split, paths = files
    return Part(title, side, split, measure(paths, f"{title} {split}", halves=not side))


def _measure_domains(
    a: str, b: str, data: str, are_pairs: bool, root: Path, measure: Measure
) -> tuple[list[Part], list[Finding]]:
    """Measure two domains; return their parts, and the findings about their pairs."""
    findings: list[Finding] = []
    if are_pairs:
        try:
            return _measure_pairs(resolve_pairs(a, b, data, root), measure)
        except OptionError:
            raise
        except UserError as error:  # without partners, the pictures themselves can still be checked
            findings.append(Finding("pairs", str(error), problem=True))
    try:
        domains = resolve_domains(a, b, data, root)
    except UserError as error:
        raise (UserError(findings[0].words) if findings else error) from None
    return [_measure_files(files, measure) for files in domain_file_sets(domains)], findings


def _measure_pairs(pairs: PairSet, measure: Measure) -> tuple[list[Part], list[Finding]]:
    parts, findings = [], []
    for split, members in (("train", pairs.train), ("test", pairs.test)):
        measured = [_measure_files(files, measure) for files in pairs.file_sets() if files.split == split]
        parts += measured
        a, b = measured[0].pictures, measured[-1].pictures
        findings += [*find_unequal_sizes(members, a, b), *find_exchanged(members, a, b)]
    return parts, findings


# ---- findings


def _find_in_part(part: Part) -> list[Finding]:
    """Find faults within one part."""
    uniform = [one.path for one in part.pictures if one.uniform]
    modes = {one.mode for one in part.readable}
    findings = _find_unreadable(part)
    if uniform:
        findings.append(Finding("one colour", f"{part.name}: {_count(uniform)} of one colour", uniform, problem=True))
    if len({mode.split(" + ")[0] for mode in modes if "bands" in mode or "bit" in mode}) > 1:
        rare = min(modes, key=lambda mode: sum(one.mode == mode for one in part.readable))
        files = [one.path for one in part.readable if one.mode == rare]
        findings.append(Finding("mixed kinds", f"{part.name}: kinds are mixed; the rarest is {rare}", files))
    if note := used_range_note([one.ends for one in part.readable]):
        findings.append(Finding("small range", f"{part.name}: {note}"))
    if part.split == "train" and 0 < len(part.readable) < _MIN_PICTURES:
        words = f"{part.name}: only {_count(part.readable)}, which a model will learn by heart"
        findings.append(Finding("few", words))
    return findings


def _find_unreadable(part: Part) -> list[Finding]:
    """Group the files that cannot be read by the reason, which may name other numbers for each file."""
    groups: dict[str, list[Measurement]] = defaultdict(list)
    for one in part.pictures:
        if one.problem:
            groups["" if one.ends else re.sub(r"[\d.]+", "0", one.reason)].append(one)
    findings = []
    # pictures on no usual scale, which a range makes readable
    if scaled := groups.pop("", []):
        ends = min(one.ends[0] for one in scaled if one.ends), max(one.ends[1] for one in scaled if one.ends)
        remedy = f"say --value-range {suggest_range(*ends)} if these are black and white"
        words = f"{part.name}: the numbers in {_count(scaled)} run from {ends[0]:g} to {ends[1]:g}; {remedy}"
        findings.append(Finding("unknown scale", words, [one.path for one in scaled], problem=True))
    # other reasons, the most frequent first
    ranked = sorted(groups.values(), key=len, reverse=True)
    for group in ranked[:_MAX_REASONS]:
        words = f"{part.name}: {_count(group)} cannot be read {group[0].reason}"
        findings.append(Finding("unreadable", words, [one.path for one in group], problem=True))
    if rest := [one.path for group in ranked[_MAX_REASONS:] for one in group]:
        words = f"{part.name}: {_count(rest)} cannot be read for {len(ranked) - _MAX_REASONS} other reasons"
        findings.append(Finding("unreadable", words, rest, problem=True))
    return findings


def _find_repeated(parts: Sequence[Part]) -> list[Finding]:
    """Find pictures that appear twice: in one part, or in two parts that should be disjoint."""
    pictures = [one for part in parts for one in part.pictures]
    part_of = [part for part in parts for _ in part.pictures]
    groups = find_duplicates(pictures)
    exact, near = ([group for group in groups if group.exact == equal] for equal in (True, False))
    findings = []

    # within a part
    for part in parts:
        for kind, same, similar in (("exact", "the same as", exact), ("near", "nearly the same as", near)):
            members = ([i for i in group.members if part_of[i] is part] for group in similar)
            if extra := [pictures[i].path for indices in members for i in indices[1:]]:
                words = f"{part.name}: {_count(extra)} {same} another one of it"
                findings.append(Finding(f"{kind} duplicates", words, extra))

    # between training and test pictures
    for train, test in train_test_pairs(parts):
        for kind, sees, similar in (("leak", "sees", exact), ("near leak", "nearly sees", near)):
            if leaked := _find_shared(similar, part_of, train, test):
                words = f"{test.name}: {_count(leaked)} to test on that training {sees} too, so scores will flatter"
                findings.append(Finding(kind, words, [pictures[i].path for i in leaked], problem=kind == "leak"))

    # between the domains
    for a, b in ((x, y) for x in parts for y in parts if (x.side, y.side) == ("a", "b") and x.split == y.split):
        if shared := _find_shared(groups, part_of, a, b):
            words = f"{b.name}: {_count(shared)} that {a.name} has too"
            findings.append(Finding("shared", words, [pictures[i].path for i in shared]))
    return findings


def _find_shared(groups: Sequence[DuplicateGroup], part_of: Sequence[Part], one: Part, other: Part) -> list[int]:
    """Return the indices of the pictures of `other` that look like a picture of `one`."""
    members = (group.members for group in groups if any(part_of[i] is one for i in group.members))
    return [i for indices in members for i in indices if part_of[i] is other]


def _find_misplaced(parts: Sequence[Part]) -> list[Finding]:
    """Find test folders that look exchanged, and pictures that look like the other domain."""
    # find the boundary between the training pictures of both domains, which stand before those of pairs beside them
    sided = [part for part in parts if part.side]
    usable = [[one for one in part.readable if not one.uniform] for part in sided]
    traits = [np.concatenate([one.traits for one in pictures] or [np.zeros((0, 6))]) for pictures in usable]
    domains: dict[tuple[str, str], int] = {}
    for place, part in enumerate(sided):
        domains.setdefault((part.side, part.split), place)
    if not {("a", "train"), ("b", "train")} <= domains.keys():
        return []
    boundary = find_boundary(traits[domains["a", "train"]], traits[domains["b", "train"]])
    if boundary is None:
        return []

    # compare test folders as a whole
    tests = [domains[side, "test"] for side in "ab" if (side, "test") in domains]
    if [boundary.looks_like(traits[place]) for place in tests] == ["b", "a"]:
        words = " and ".join(sided[place].name for place in tests)
        return [Finding("swapped", f"{words} look exchanged, by the training pictures", problem=True)]

    # compare single pictures
    findings = []
    for part, pictures, rows in zip(sided, usable, traits, strict=True):
        strays = boundary.strays(rows, first=part.side == "a")
        if strays and len(strays) <= _MAX_STRAY_SHARE * len(rows):
            other = sided[domains["b" if part.side == "a" else "a", part.split]].title
            words = f"{part.name}: {_count(strays)} that look like {other}"
            findings.append(Finding("mixed domains", words, [pictures[i].path for i in strays]))
        elif strays:
            findings.append(Finding("swapped", f"{part.name} looks like the other domain", problem=True))
    return findings


def _compare_contents(parts: Sequence[Part]) -> list[Finding]:
    """Compare the layouts of two unpaired domains, all of whose pictures count."""
    layouts, titles = {}, {}
    for side in "ab":
        pictures = [one for part in parts if part.side == side for one in part.readable if not one.uniform]
        if len(pictures) < MIN_PICTURES:
            return []
        layouts[side] = layouts_of(np.stack([one.thumbnail for one in pictures]))
        titles[side] = next(part.title for part in parts if part.side == side)
    excess = {(one, other): excess_variation(layouts[one], layouts[other]) for one, other in ("ab", "ba")}
    one, other = max(excess, key=lambda sides: excess[sides])
    if excess[one, other] < MIN_EXCESS:
        return []
    words = (
        f"{titles[other]} vary more in their layout than {titles[one]} ({np.exp(excess[one, other]):.1f} times the"
        " variance): a model invents contents that only one domain has; docs/hallucinations.md counts them"
    )
    return [Finding("contents", words)]


def _count(pictures: Sequence[object]) -> str:
    return f"{len(pictures):,} picture{'s' * (len(pictures) > 1)}"
