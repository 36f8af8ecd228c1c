"""The two domains of a run: which pictures train, which are held out, and what the domains are called."""

__all__ = [
    "Domain",
    "check_given",
    "domain_file_sets",
    "find_domains",
    "find_images",
    "resolve_domain",
    "resolve_domains",
]

import dataclasses
import functools
import os
import re
from pathlib import Path

from translate.data.catalog import catalog
from translate.data.files.find import find_images, is_pattern, readable
from translate.data.files.naming import bare, catalog_set, distinct_names, held_out, name_of
from translate.data.sources.file_set import FileSet
from translate.utils.errors import OptionError, UserError

_TRAIN = re.compile(r"train(?P<side>_?[AB])?$")


@dataclasses.dataclass(frozen=True)
class Domain:
    """One side of a translation.

    Attributes:
        name: fit for a file name and for the name of a run.
        train: the pictures that training may read.
        test: the pictures that it may not.
        truth: a folder that holds, for each test picture, the hidden answer in the other domain under the
            same stem; None where no answer is known.
    """

    name: str
    train: list[Path]
    test: list[Path]
    truth: Path | None = None


def resolve_domains(a: str | None, b: str | None, data: str | None, root: Path) -> tuple[Domain, Domain]:
    """Return the domains that `--a` and `--b`, or `--data`, stand for.

    Args:
        a: folder, glob pattern, list file or catalog domain of the first side.
        b: the same of the second side.
        data: instead of both, a folder with trainA and trainB, or the name of a data set of the catalog.
        root: where data sets of the catalog are prepared on first use.

    Raises:
        OptionError: too few or too many of the three are given, or both sides are the same pictures.
        UserError: something named does not exist, is empty or cannot be prepared.
    """
    check_given(a, b, data)
    if data is not None:
        with readable(data):
            first, second = _sides(data, root)
        _check_different(first, second)
        first, second = _distinctly_named(first, second)
    else:
        assert a is not None and b is not None
        first, second = find_domains(a, b, root)
    return _hold_out(first), _hold_out(second)


def domain_file_sets(domains: tuple[Domain, Domain]) -> list[FileSet]:
    """Return the files of each domain and split."""
    return [
        FileSet(domain.name, side, split, files)
        for side, domain in zip("ab", domains, strict=True)
        for split, files in (("train", domain.train), ("test", domain.test))
    ]


def find_domains(a: str, b: str, root: Path) -> tuple[Domain, Domain]:
    """Return the domains that `--a` and `--b` stand for, with `test` empty where no folder holds test pictures.

    Raises:
        OptionError: both sides are the same pictures.
        UserError: as `resolve_domains`.
    """
    first, second = _find_domain(a, root), _find_domain(b, root)
    _check_different(first, second)
    return _distinctly_named(first, second)


def check_given(a: str | None, b: str | None, data: str | None) -> None:
    """Refuse too few or too many of `--a`, `--b` and `--data`.

    Raises:
        OptionError: neither exactly `--data` nor exactly the other two are given.
    """
    if data is not None and (a is not None or b is not None):
        raise OptionError("--data already names both domains; give either --data, or --a and --b")
    if data is None and a is None and b is None:
        raise OptionError("no pictures given; say --a FOLDER --b FOLDER, or --data ROOT")
    if data is None and (a is None or b is None):
        given, lacking = ("--b", "--a") if a is None else ("--a", "--b")
        raise OptionError(f"{given} is given without {lacking}; name the other domain's pictures with {lacking} FOLDER")


def resolve_domain(spec: str, root: Path) -> Domain:
    """Return the one domain that `spec` stands for: what exists at that path, else a catalog domain."""
    return _hold_out(_find_domain(spec, root))


def _find_domain(spec: str, root: Path) -> Domain:
    with readable(spec):
        if not bare(spec) or Path(spec).exists() or is_pattern(spec):
            return _local_domain(spec, root)
    owner = catalog.owner_of_domain(spec)
    if owner is None:
        return _unknown_domain(spec)
    if owner.combined:
        raise OptionError(f"{spec!r} is one half of the combined pictures of {owner.name!r}; use --data {owner.name}")
    folder = _train_folder(catalog.prepare(owner.name, root), owner.domains[spec])
    return _local_domain(str(folder), root)


def _unknown_domain(spec: str) -> Domain:
    """Complain about a name that is neither a path nor a domain, in the most helpful words there are."""
    known = catalog.load_catalog()
    catalog.refuse_single(spec)
    if spec in known:
        a, b = sorted(known[spec].domains, key=known[spec].domains.__getitem__)
        singly = "" if known[spec].combined else f", or --a {a} --b {b}"
        raise OptionError(f"{spec!r} is a data set of two domains; say --data {spec}{singly}")
    find_images(spec, known=[name for dataset in known.values() for name in dataset.domains])
    raise AssertionError(f"{spec!r} appeared while it was looked up")


def _sides(data: str, root: Path) -> tuple[Domain, Domain]:
    """Return both domains of a prepared layout, preparing it first if it is a data set of the catalog."""
    path = Path(data).expanduser()
    if not path.is_dir():
        if path.exists() or not bare(data):
            raise UserError(f"--data {data!r} is not a folder; give one that has trainA and trainB")
        catalog.refuse_single(data)
        if (known := catalog.load_catalog().get(data)) and known.combined:
            raise OptionError(f"{data!r} holds combined A|B pairs; train on it with train_pix2pix.py --data {data}")
        path = catalog.prepare(data, root)
    elif one := catalog_set(path, root):
        catalog.refuse_single(one.name)
    folders = [_train_folder(path, side) for side in "AB"]
    first, second = (_local_domain(str(folder), root) for folder in folders)
    return first, second


def _train_folder(layout: Path, side: str) -> Path:
    for name in (f"train{side}", f"train_{side}"):
        if (layout / name).is_dir():
            return layout / name
    found = ", ".join(sorted(entry.name for entry in layout.iterdir() if entry.is_dir())) or "no folder"
    combined = (
        "; its train folder looks like combined A|B pairs, which train_pix2pix.py takes"
        if (layout / "train").is_dir()
        else ""
    )
    raise UserError(f"'{layout}' has no train{side} (it has {found}){combined}; give a root with trainA and trainB")


def _local_domain(spec: str, root: Path) -> Domain:
    """Build a domain from pictures on this machine, with the test folder beside them if there is one."""
    path, found = Path(spec).expanduser(), find_images(spec)
    if (path / "trainA").is_dir() or (path / "train_A").is_dir():
        raise OptionError(f"'{path}' holds both domains; say --data {path}, or name one of its folders")
    name = name_of(path, root)
    side = _TRAIN.match(path.name) if path.is_dir() else None
    if side is None:
        return Domain(name, found, [])
    letter = side["side"] or ""
    truth = path.parent / "truth" / letter.strip("_")
    for split in ("test", "val"):
        if (test := path.parent / f"{split}{letter}").is_dir():
            return Domain(name, found, find_images(str(test)), truth if letter and truth.is_dir() else None)
    return Domain(name, found, [])


def _hold_out(domain: Domain) -> Domain:
    """Take test pictures out of the training pictures of a domain that has none."""
    if domain.test:
        return domain
    test = held_out(domain.train, lambda path: path.stem)
    train = [path for path in domain.train if path not in test]
    return dataclasses.replace(domain, train=train, test=[path for path in domain.train if path in test])


def _check_different(a: Domain, b: Domain) -> None:
    files_a, files_b = (_identities(domain.train + domain.test) for domain in (a, b))
    if files_a == files_b:
        raise OptionError(f"both domains are the same {len(files_a)} pictures ({a.name}); give two different sets")
    if files_a < files_b or files_b < files_a:
        inner, outer = (a, b) if files_a < files_b else (b, a)
        raise OptionError(f"every picture of {inner.name!r} is in {outer.name!r} too; give two separate sets")


def _identities(paths: list[Path]) -> set[tuple[str, str]]:
    """Return real folder and name of the files, so that a path through a link equals the direct one."""
    real = functools.cache(os.path.realpath)
    return {(real(folder), name) for folder, name in map(os.path.split, paths)}


def _distinctly_named(a: Domain, b: Domain) -> tuple[Domain, Domain]:
    names = distinct_names((a.name, b.name), [domain.train[0].parent for domain in (a, b)])
    return dataclasses.replace(a, name=names[0]), dataclasses.replace(b, name=names[1])
