"""Match the pictures of two sides by name, never by order."""

__all__ = ["common_folder", "match", "stems"]

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from translate.data.files.counted import list_names
from translate.data.files.find import remedies_in
from translate.utils.errors import UserError

_AFFIX_SAMPLE = 4  # pictures of A that are compared with all pictures of B to guess affixes
_SEPARATORS = "_-. "
Key = tuple[str, str]  # sub-folder and stem
Side = dict[Key, Path]


def match(a: Sequence[Path], b: Sequence[Path]) -> list[tuple[str, Path, Path]]:
    """Pair the pictures of two sides: name, file of A, file of B, sorted by name.

    Partners have the same stem and the same sub-folder of their side's common folder. If no picture has a partner,
    sub-folders are ignored, provided that the stems alone are unique. If there is still no partner, an affix that all
    names of a side share (12_A.png and 12_B.png) is ignored too, provided that exactly one choice of affixes pairs the
    most pictures, and at least half of the smaller side.

    Raises:
        UserError: two pictures of one side have the same stem, or some have no partner.
    """
    sides = [stems(files) for files in (a, b)]
    flat = [{("", stem): path for (_, stem), path in side.items()} for side in sides]
    if any(len(fewer) < len(side) for fewer, side in zip(flat, sides, strict=True)):
        flat = sides
    exact = next((pair for pair in (sides, flat) if pair[0].keys() & pair[1].keys()), None)
    first, second = exact or _without_affixes(*sides) or _without_affixes(*flat) or sides
    _check_partners(first, second)
    return [("/".join(filter(None, key)), first[key], second[key]) for key in sorted(first)]


def stems(files: Sequence[Path]) -> Side:
    """Return the file of each (sub-folder, stem); raise UserError if two files differ in their suffix alone."""
    base, side = common_folder(files), dict[Key, Path]()
    for path in files:
        folder = path.parent.absolute().relative_to(base).as_posix()
        other = side.setdefault(("" if folder == "." else folder, path.stem), path)
        if other != path:
            raise UserError(f"{other} and {path.name} have the same stem: which of them is meant? Remove one of them")
    return side


def common_folder(files: Sequence[Path]) -> Path:
    """Return the deepest folder that holds all `files`."""
    return Path(os.path.commonpath({path.parent.absolute() for path in files}))


def _check_partners(a: Side, b: Side) -> None:
    unmatched = [[one[key].absolute() for key in sorted(one.keys() - other.keys())] for one, other in ((a, b), (b, a))]
    if not any(unmatched):
        return
    folders = [common_folder(list(side.values())) for side in (a, b)]
    ways_out = "".join(f"; {one}" for folder in folders if (one := remedies_in(str(folder))))  # perhaps the partners
    if not a.keys() & b.keys():
        names = [list_names([path.name for path in side]) for side in unmatched]
        raise UserError(
            f"no picture of '{folders[0]}' has the name of one of '{folders[1]}' ({names[0]}; {names[1]});"
            f" give the pictures of a pair the same name, or list the pairs in a CSV file{ways_out}"
        )
    counts = [
        f"{len(files)} of {len(side)} pictures in '{folder}' ({list_names([p.relative_to(folder) for p in files])})"
        for side, files, folder in zip((a, b), unmatched, folders, strict=True)
        if files
    ]
    raise UserError(
        f"no partner of the same name for {' and '.join(counts)}; remove these, or list the pairs in a CSV file"
        f"{ways_out}"
    )


def _without_affixes(a: Side, b: Side) -> tuple[Side, Side] | None:
    """Remove an affix from all stems of each side; None if no choice, or more than one, pairs the most pictures."""
    most = max(2, (min(len(a), len(b)) + 1) // 2)
    best: dict[frozenset[tuple[Path, Path]], tuple[Side, Side]] = {}
    for affix_a, affix_b, at_end in _guess_affixes([stem for _, stem in a], [stem for _, stem in b]):
        first, second = _remove_affix(a, affix_a, at_end), _remove_affix(b, affix_b, at_end)
        partners = frozenset((first[key], second[key]) for key in first.keys() & second.keys())
        if len(partners) > most:
            most, best = len(partners), {}
        if len(partners) == most:
            best.setdefault(partners, (first, second))
    return next(iter(best.values())) if len(best) == 1 else None


def _remove_affix(side: Side, affix: str, at_end: bool) -> Side:
    remove = str.removesuffix if at_end else str.removeprefix
    return {(folder, remove(stem, affix)): path for (folder, stem), path in side.items()}


def _guess_affixes(a: list[str], b: list[str]) -> Iterator[tuple[str, str, bool]]:
    """Yield possible affixes of the stems of `a` and of `b`, and whether they are suffixes."""
    for at_end in (True, False):
        step = -1 if at_end else 1
        common = [os.path.commonprefix([stem[::step] for stem in side])[::step] for side in (a, b)]
        seen = set()
        for one in sorted(a)[:_AFFIX_SAMPLE]:
            for other in b:
                core = os.path.commonprefix([one[::-step], other[::-step]])
                for length in (len(core.rstrip(_SEPARATORS)), len(core)):
                    affixes = tuple(name[length:] if at_end else name[: len(name) - length] for name in (one, other))
                    if length and affixes not in seen and all(map(_is_affix, affixes, common, (at_end, at_end))):
                        seen.add(affixes)
                        yield affixes[0], affixes[1], at_end


def _is_affix(affix: str, common: str, at_end: bool) -> bool:
    """Whether all names have the affix, and it is not a number, which would identify a picture."""
    shared = common.endswith(affix) if at_end else common.startswith(affix)
    return shared and not affix.strip(_SEPARATORS).isdecimal()
