"""The catalog of data sets: what there is, and getting one ready on this machine, drawn or fetched."""

__all__ = ["describe", "load_catalog", "owner_of_domain", "prepare", "refuse_single"]

import contextlib
import fcntl
import functools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from rich.table import Table

from translate.data.catalog.download import check_file, download
from translate.data.catalog.entry import Dataset, Download, Render, read_dataset
from translate.data.catalog.unpack import unpack
from translate.utils.errors import OptionError, UserError, did_you_mean
from translate.utils.package_data import package_folder

_UNPACKED_MOST = 20  # times its size that an archive may unpack to: pictures hardly shrink in one
_SLACK = 1 << 30


def load_catalog() -> dict[str, Dataset]:
    """Return every data set of the catalog by name.

    Raises:
        UserError: a file of the catalog is wrong.
    """
    return _load(package_folder("datasets"))


@functools.cache
def _load(folder: Path) -> dict[str, Dataset]:
    return {file.stem: read_dataset(file) for file in sorted(folder.glob("*.toml"))}


def owner_of_domain(domain: str) -> Dataset | None:
    """Return the data set that has a domain of this name."""
    return next((dataset for dataset in load_catalog().values() if domain in dataset.domains), None)


def refuse_single(name: str) -> None:
    """Refuse the data set `name` where two domains are asked for and it has one.

    Raises:
        OptionError: it is one set of pictures.
    """
    dataset = load_catalog().get(name)
    if dataset and dataset.single:
        labels = " --labels" if dataset.kind == "labelled" else ""
        raise OptionError(
            f"{name!r} is one set of pictures, not two domains; learn to make more of them with"
            f" train_gan.py --images {name}{labels}"
        )


def prepare(name: str, root: Path, *, progress: bool = True) -> Path:
    """Make sure that the data set `name` lies in `root/<name>`, complete, and return that folder.

    What is there already is left alone; otherwise the pictures are made beside it and renamed at the end, so
    that an interruption leaves no half set. Processes that ask at the same time wait for the first.

    Raises:
        UserError: unknown name, or the set cannot be had: the line says why and what to do by hand.
    """
    catalog = load_catalog()
    if name not in catalog:
        raise UserError(f"no folder or data set {name!r}{did_you_mean(name, catalog)}")
    target = root / name
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _locked(root):
            if not _filled(target):
                _make(catalog[name], target, progress)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"cannot prepare {name!r} in '{root}': {reason}; make room or choose another folder") from error
    return target


def describe(root: Path | None = None) -> Table:
    """Return the catalog as a table to print; with `root`, also what is prepared there."""
    table = Table(title="data sets", caption="prepare_dataset.py NAME shows the licence")
    for column in ("name", "domains A, B", "pictures", "download"):
        table.add_column(column, overflow="fold")
    if root is not None:
        table.add_column("here")
    for dataset in load_catalog().values():
        cells = [dataset.name, _contents(dataset), f"{sum(dataset.counts.values()):,}", _amount(dataset)]
        here = [] if root is None else ["yes" if _filled(root / dataset.name) else "no"]
        table.add_row(*cells, *here)
    return table


def _contents(dataset: Dataset) -> str:
    """Name the domains, or say that there are none."""
    if dataset.single:
        return "one labelled set" if dataset.kind == "labelled" else "one set"
    return ", ".join(sorted(dataset.domains, key=dataset.domains.__getitem__))


def _amount(dataset: Dataset) -> str:
    """Say how much is to be fetched."""
    if dataset.render:
        return "drawn here"
    if dataset.manual:
        return "by hand"
    return f"{dataset.size / 1e6:,.0f} MB" if dataset.size else "unknown"


def _filled(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold `folder` against other processes; the lock ends with the process and leaves nothing behind."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _make(dataset: Dataset, target: Path, progress: bool) -> None:
    """Draw or fetch `dataset` in a sibling of `target`, then put it in place."""
    if dataset.manual:
        raise UserError(f"{dataset.name!r} cannot be fetched by a program: {dataset.manual} Put it in '{target}'")
    building = target.with_name(f".{target.name}.partial")
    shutil.rmtree(building, ignore_errors=True)
    try:
        if dataset.render:
            _draw(dataset.render, building, progress)
        else:
            _fetch(dataset, building, progress)
        building.replace(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _draw(job: Render, target: Path, progress: bool) -> None:
    from translate.synthetic import render  # drawing needs OpenCV, looking at the catalog does not

    render(job.name, target, train=job.train, test=job.test, size=job.size, progress=progress)


def _fetch(dataset: Dataset, target: Path, progress: bool) -> None:
    """Unpack all archives of `dataset` into `target`; what was fetched for that is then removed."""
    downloads = target.parent / "downloads"
    for part in dataset.download:
        archive = downloads / part.file
        by_hand = archive.exists()
        if by_hand:
            _check_by_hand(archive, part)
        else:
            _check_room(target.parent, dataset)
            download(part.url, archive, size=part.size, sha256=part.sha256, progress=progress)
        unpack(archive, target, limit=_UNPACKED_MOST * archive.stat().st_size + _SLACK, progress=progress)
        if not by_hand:
            archive.unlink()
    wanted = ("train",) if dataset.combined or dataset.single else ("trainA", "trainB")
    if lacking := [name for name in wanted if not (target / name).is_dir()]:
        raise UserError(f"the archive of {dataset.name!r} has no folder {lacking[0]}; it is not the set it should be")


def _check_by_hand(archive: Path, part: Download) -> None:
    try:
        check_file(archive, size=part.size, sha256=part.sha256)
    except UserError as error:
        raise UserError(f"{archive} is not the file it should be: {error}; fetch {part.url} again") from error


def _check_room(root: Path, dataset: Dataset) -> None:
    """Refuse early what cannot fit: the archive and its contents lie side by side for a while."""
    free = shutil.disk_usage(root).free
    if dataset.size and free < 2 * dataset.size:
        raise UserError(
            f"{dataset.name!r} needs {2 * dataset.size / 1e9:.1f} GB in '{root}',"
            f" which has {free / 1e9:.1f} GB; make room or choose another folder"
        )
