"""The two domains of a run: their names, training pictures and held-out pictures."""

__all__ = ["Domain", "FileSet", "check_given", "domain_file_sets", "find_domains", "resolve_domains"]

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from translate.data.catalog import catalog
from translate.data.catalog.entry import Dataset
from translate.data.files.find import find_images, is_pattern, list_folders, missing_path_error
from translate.data.files.naming import catalog_set, distinct_names, is_bare_name, name_of
from translate.data.files.splits import choose_held_out, find_test_folder, has_two_domains
from translate.data.files.walk import explain_os_errors, resolve_folders
from translate.utils.errors import OptionError, UserError
from translate.utils.program import command_form


class FileSet(NamedTuple):
    """The files of one domain and split."""

    title: str
    side: str  # "a" or "b"; "" for a single set, and for combined pairs
    split: str  # "train" or "test"
    files: Sequence[Path]


@dataclasses.dataclass(frozen=True)
class Domain:
    """One side of a translation."""

    name: str  # fit for the names of files and runs
    train: list[Path]
    test: list[Path]  # held out
    truth: Path | None = None  # folder of the right answers to the test pictures, of the same stems
    notes: tuple[str, ...] = ()  # for the user, a line each


def resolve_domains(a: str, b: str, data: str, root: Path) -> tuple[Domain, Domain]:
    """Return the domains that `--a` and `--b`, or `--data`, name.

    Args:
        a: Folder, glob pattern, list file or catalog domain of the first side.
        b: The same of the second side.
        data: Instead of both, a folder with trainA and trainB, or the name of a data set of the catalog.
        root: Where data sets of the catalog are prepared on first use.

    Raises:
        OptionError: too few or too many of the three are given, or both sides have the same pictures.
        UserError: something named does not exist, is empty or cannot be prepared.
    """
    check_given(a, b, data)
    if data:
        with explain_os_errors(data):
            first, second = _check_distinct(*_find_sides(data, root))
    else:
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
    """Return the domains that `--a` and `--b` name; `test` is empty if no folder has test pictures."""
    owners = [_find_owner(spec) for spec in (a, b)]  # raises for unknown names before anything is prepared
    if a == b and owners[0]:
        raise OptionError(f"both domains are {a!r}; give two different sets")
    # read local pictures first: their faults, too, are found before the other domain is prepared
    order = sorted((0, 1), key=lambda i: owners[i] is not None)
    domains = {i: _find_domain((a, b)[i], owners[i], root) for i in order}
    return _check_distinct(domains[0], domains[1])


def check_given(a: str, b: str, data: str) -> None:
    """Raise OptionError unless either `--data`, or both `--a` and `--b`, are given; "" is not given."""
    if data and (a or b):
        raise OptionError("--data already names both domains; give either --data, or --a and --b")
    if not (data or a or b):
        raise OptionError("no pictures given; say --a FOLDER --b FOLDER, or --data ROOT")
    if not (data or (a and b)):
        given, lacking = ("--a", "--b") if a else ("--b", "--a")
        raise OptionError(f"{given} is given without {lacking}; name the other domain's pictures with {lacking} FOLDER")


def _find_owner(spec: str) -> Dataset | None:
    """Return the data set of the catalog that has the domain `spec`; None if `spec` is a path or pattern.

    Raises:
        UserError: there is no such path or domain.
    """
    with explain_os_errors(spec):
        if not is_bare_name(spec) or Path(spec).exists() or is_pattern(spec):
            return None
    owner = catalog.owner_of_domain(spec)
    if owner is None:
        raise _unknown_domain(spec)
    if owner.combined:
        raise OptionError(f"{spec!r} is one half of the combined pictures of {owner.name!r}; use --data {owner.name}")
    return owner


def _find_domain(spec: str, owner: Dataset | None, root: Path) -> Domain:
    if owner is None:
        with explain_os_errors(spec):
            return _read_domain(spec, root)
    folder = _train_folder(catalog.prepare(owner.name, root), owner.domains[spec])
    return _read_domain(str(folder), root)


def _unknown_domain(spec: str) -> UserError:
    """Return the most helpful error for a name that is neither a path nor a domain."""
    known = catalog.load_catalog()
    catalog.refuse_single(spec)
    if spec in known:
        a, b = known[spec].sides.values()
        singly = "" if known[spec].combined else f", or --a {a} --b {b}"
        return OptionError(f"{spec!r} is a data set of two domains; say --data {spec}{singly}")
    return missing_path_error(spec, [name for dataset in known.values() for name in dataset.domains])


def _find_sides(data: str, root: Path) -> tuple[Domain, Domain]:
    """Return both domains of a folder, or of a data set of the catalog, which is prepared first."""
    path = Path(data).expanduser()
    if not path.is_dir():
        if path.exists() or not is_bare_name(data):
            raise UserError(f"--data {data!r} is not a folder; give one that has trainA and trainB")
        catalog.refuse_single(data)
        if (known := catalog.load_catalog().get(data)) and known.combined:
            raise OptionError(
                f"{data!r} holds combined A|B pairs; train on it with {command_form('train-pix2pix')} --data {data}"
            )
        path = catalog.prepare(data, root)
    elif dataset := catalog_set(path, root):
        catalog.refuse_single(dataset.name)
    folders = [_train_folder(path, side) for side in "AB"]
    return _read_domain(str(folders[0]), root), _read_domain(str(folders[1]), root)


def _train_folder(layout: Path, side: str) -> Path:
    for name in (f"train{side}", f"train_{side}"):
        if (layout / name).is_dir():
            return layout / name
    combined = f"; its train folder looks like combined A|B pairs, which {command_form('train-pix2pix')} takes"
    hint = combined if (layout / "train").is_dir() else ""
    raise UserError(
        f"'{layout}' has no train{side} (it has {list_folders(layout)}){hint}; give a root with trainA and trainB"
    )


def _read_domain(spec: str, root: Path) -> Domain:
    """Return a domain of pictures on this machine, with the test folder beside them if it exists."""
    path, files = Path(spec).expanduser(), find_images(spec)
    if has_two_domains(path):
        raise OptionError(f"'{path}' holds both domains; say --data {path}, or name one of its folders")
    name, test = name_of(path, root), find_test_folder(path) if path.is_dir() else None
    if test is None:
        return Domain(name, files, [])
    side = path.name.removeprefix("train")
    truth = path.parent / "truth" / side.strip("_")
    return Domain(name, files, find_images(str(test)), truth if side and truth.is_dir() else None)


def _hold_out(domain: Domain) -> Domain:
    """Hold out some training pictures of a domain without test pictures."""
    if domain.test:
        return domain
    test = choose_held_out(domain.train, lambda path: path.stem)
    train = [path for path in domain.train if path not in test]
    return dataclasses.replace(domain, train=train, test=[path for path in domain.train if path in test])


def _check_distinct(a: Domain, b: Domain) -> tuple[Domain, Domain]:
    """Refuse two domains that share all pictures of one, and give two domains of one name different names."""
    files_a, files_b = (set(resolve_folders(domain.train + domain.test)) for domain in (a, b))
    if files_a == files_b:
        raise OptionError(f"both domains are the same {len(files_a)} pictures ({a.name}); give two different sets")
    if files_a < files_b or files_b < files_a:
        inner, outer = (a, b) if files_a < files_b else (b, a)
        raise OptionError(f"every picture of {inner.name!r} is in {outer.name!r} too; give two separate sets")
    names = distinct_names((a.name, b.name), [domain.train[0].parent for domain in (a, b)])
    return dataclasses.replace(a, name=names[0]), dataclasses.replace(b, name=names[1])
