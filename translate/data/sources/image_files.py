"""The files of a set of single pictures: a folder, pattern, list, table, or data set of the catalog."""

__all__ = ["ImageFiles", "find_idx", "find_image_files"]

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from translate.data.catalog import catalog
from translate.data.files.counted import list_names
from translate.data.files.csv_tables import check_files_exist, group_by_split, is_table
from translate.data.files.find import find_images, is_pattern, missing_path_error, pattern_base
from translate.data.files.idx import is_idx
from translate.data.files.naming import clean, is_bare_name, name_of
from translate.data.files.splits import find_test_folder, has_two_domains
from translate.data.sources.labels import LabelTable, read_label_table
from translate.utils.errors import OptionError, UserError
from translate.utils.program import command_form

_GENERIC_TABLE = re.compile(r"(?:image|label|picture|factor)s?$", re.IGNORECASE)  # is named after its folder


@dataclass(frozen=True, kw_only=True)
class ImageFiles:
    """The picture files of a set."""

    title: str
    train: Sequence[Path]
    test: Sequence[Path]  # empty where the set has no split
    bases: tuple[Path, Path]  # folders of train and test that names and class folders are relative to
    table: tuple[Path, LabelTable] | None = None  # the CSV file that lists the files, and its contents


def find_idx(spec: str) -> Path | None:
    """Return the IDX file that `spec` names, or that a folder has to train on; raise UserError if it has several."""
    path = Path(spec).expanduser()
    if is_idx(path):
        return path
    if not path.is_dir():
        return None
    files = {}
    for file in sorted(path.glob("*idx*")):
        if "images" in file.name and "train" in file.name and is_idx(file):
            files[file.name.removesuffix(".gz")] = file
    if len(files) > 1:
        raise UserError(f"'{path}' has {len(files)} IDX files to train on ({list_names(files)}); name one of them")
    return next(iter(files.values()), None)


def find_image_files(spec: str, root: Path) -> ImageFiles:
    """Return the pictures that `spec` names, an existing path before a name of the catalog.

    Args:
        spec: A folder (with train, and perhaps test or val, in it or beside it), a pattern, a CSV file, a list file,
            a data set of one set of pictures, or one domain of another.
        root: Where data sets of the catalog are prepared on first use.

    Raises:
        OptionError: `spec` is a data set of two domains.
        UserError: `spec` does not exist, has no pictures, or names missing ones.
    """
    path = Path(spec).expanduser()
    if is_bare_name(spec) and not path.exists() and not is_pattern(spec):
        return _from_catalog(spec, root)
    if path.is_dir():
        return _from_folder(path, name_of(path, root))
    if path.is_file() and is_table(path):
        return _from_table(path, root)
    files = find_images(spec)
    base = pattern_base(path) if is_pattern(spec) else _common_folder(files)
    return ImageFiles(title=name_of(path, root), train=files, test=[], bases=(base, base))


def _from_catalog(name: str, root: Path) -> ImageFiles:
    known = catalog.load_catalog()
    owner = catalog.owner_of_domain(name)
    if name in known and known[name].single:
        return _from_folder(catalog.prepare(name, root), name)
    if owner and owner.combined:
        raise OptionError(
            f"{name!r} is one half of the combined pictures of {owner.name!r}, which is no set of its own"
        )
    if owner:
        return _from_folder(catalog.prepare(owner.name, root) / f"train{owner.domains[name]}", name)
    if name in known and not known[name].combined:
        raise OptionError(f"{name!r} has two domains; say --images {' or --images '.join(known[name].domains)}")
    if name in known:
        raise OptionError(
            f"{name!r} is a set of combined A|B pairs; train on it with {command_form('train-pix2pix')} --data {name}"
        )
    names = [name for name, dataset in known.items() if dataset.single]
    names += [domain for dataset in known.values() if not dataset.combined for domain in dataset.domains]
    raise missing_path_error(name, names)


def _from_folder(folder: Path, title: str) -> ImageFiles:
    """Return the pictures of a folder, or of its train folder if it has one."""
    if has_two_domains(folder):
        raise OptionError(f"'{folder}' holds two domains; name one of its folders, such as {folder / 'trainB'}")
    train = folder / "train" if (folder / "train").is_dir() else folder
    test, train_files = find_test_folder(train), find_images(str(train))
    test_files = find_images(str(test)) if test else []
    return ImageFiles(title=title, train=train_files, test=test_files, bases=(train, test or train))


def _from_table(file: Path, root: Path) -> ImageFiles:
    table = read_label_table(file)
    check_files_exist(file, table.labels, "file,label")
    train, test = group_by_split(file, table.labels, table.splits.__getitem__)
    title = clean(file.absolute().parent.name) if _GENERIC_TABLE.match(file.stem) else name_of(file, root)
    base = _common_folder(list(table.labels))
    return ImageFiles(title=title, train=train, test=test, bases=(base, base), table=(file, table))


def _common_folder(files: Sequence[Path]) -> Path:
    """Return the deepest folder that holds all `files`, spelt as their paths are."""
    return Path(os.path.commonpath([file.parent for file in files]))
