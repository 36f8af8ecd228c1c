"""The catalog of data sets: its entries, and preparing one on this machine, rendered or downloaded."""

__all__ = ["describe", "describe_set", "find_set", "load_catalog", "owner_of_domain", "prepare", "refuse_single"]

import functools
import shutil
from pathlib import Path

from rich.table import Table

from translate.data.catalog.download import check_file, download
from translate.data.catalog.entry import Dataset, Download, Render, read_dataset
from translate.data.catalog.unpack import unpack
from translate.utils.errors import OptionError, UserError, did_you_mean
from translate.utils.locks import hold
from translate.utils.package_data import package_folder
from translate.utils.program import command_form
from translate.utils.terminal import console, escape

_MAX_UNPACK_RATIO = 20  # contents over archive, in bytes: pictures are compressed already, so more is an attack
_UNPACK_SLACK_BYTES = 1 << 30  # allowed on top, as small archives of text unpack to more


def load_catalog() -> dict[str, Dataset]:
    """Return every data set of the catalog by name."""
    return _load(package_folder("datasets"))


@functools.cache
def _load(folder: Path) -> dict[str, Dataset]:
    return {file.stem: read_dataset(file) for file in sorted(folder.glob("*.toml"))}


def owner_of_domain(domain: str) -> Dataset | None:
    """Return the data set that has a domain of this name, or None."""
    return next((dataset for dataset in load_catalog().values() if domain in dataset.domains), None)


def refuse_single(name: str) -> None:
    """Raise OptionError if the data set `name` is one set of pictures, where two domains are needed."""
    dataset = load_catalog().get(name)
    if dataset and dataset.single:
        labels = " --labels" if dataset.kind == "labelled" else ""
        raise OptionError(
            f"{name!r} is one set of pictures, not two domains; learn to make more of them with"
            f" {command_form('train-gan')} --images {name}{labels}"
        )


def prepare(name: str, root: Path, *, only_in_b: str = "", pairs: int | None = None, progress: bool = True) -> Path:
    """Prepare the data set `name` in `root/<name>`, unless it exists, and return that folder.

    With `only_in_b`, such as "boats=0.5", the second domain of drawn landscapes alone has boats, haystacks or snow, in
    this share of its pictures; the folder is then `root/<name>_boats50`. With `pairs`, so many true pairs of drawn
    landscapes are prepared instead, in `root/<name>_pairs20`.

    The pictures are made in another folder, which is renamed at the end, so that an interruption leaves no incomplete
    set. Concurrent processes wait for the first one.

    Raises:
        UserError: the name is unknown, or the set cannot be prepared; the message says what to do by hand.
    """
    dataset, target = find_set(name), root / name
    if only_in_b:
        target = root / f"{name}_{_check_part(dataset, only_in_b)}"
    if pairs is not None:
        target = root / f"{name}_{_check_pairs(dataset, pairs)}"
    if _is_filled(target):  # a folder gets its name only when it is complete
        return target
    try:
        root.mkdir(parents=True, exist_ok=True)
        with hold(root / f".{target.name}.lock", f"{name!r} is being prepared in '{root}'", wait=True):
            if not _is_filled(target):
                _build(dataset, target, only_in_b, pairs, progress)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"cannot prepare {name!r} in '{root}': {reason}; make room or choose another folder") from error
    return target


def find_set(name: str) -> Dataset:
    """Return the data set `name`; raise UserError if there is none."""
    catalog = load_catalog()
    if name not in catalog:
        raise UserError(f"no folder or data set {name!r}{did_you_mean(name, catalog)}")
    return catalog[name]


def describe_set(dataset: Dataset, root: Path) -> list[str]:
    """Return what to know of a data set before it is fetched, a line each: contents, size, licence, source."""
    counts = ", ".join(f"{folder} {count:,}" for folder, count in dataset.counts.items())
    source = f"by hand: {dataset.manual}" if dataset.manual else _download_size(dataset)
    place = f"in {root / dataset.name}" if _is_filled(root / dataset.name) else f"not yet in {root}"
    lines = [
        f"{dataset.name}: {dataset.title}", dataset.description, f"pictures: {counts}", f"size: {source}; {place}",
        f"licence: {dataset.licence}", f"please cite: {dataset.citation}",
    ]  # fmt: skip
    urls = [part.url for part in dataset.download]
    return lines + [f"from: {url}" for url in urls] + [f"homepage: {dataset.homepage}"] * bool(dataset.homepage)


def describe(root: Path | None = None) -> Table:
    """Return the catalog as a table to print; with `root`, also whether each set is prepared there."""
    table = Table(title="data sets", caption=f"{command_form('prepare-dataset')} NAME --about shows the licence")
    for column in ("name", "domains A, B", "pictures", "download"):
        table.add_column(column, overflow="fold")
    if root is not None:
        table.add_column("here")
    for dataset in load_catalog().values():
        cells = [dataset.name, _describe_domains(dataset), f"{sum(dataset.counts.values()):,}", _download_size(dataset)]
        here = [] if root is None else ["yes" if _is_filled(root / dataset.name) else "no"]
        table.add_row(*cells, *here)
    return table


def _describe_domains(dataset: Dataset) -> str:
    """Name the domains, or the kind of a single set."""
    if dataset.single:
        return "one labelled set" if dataset.kind == "labelled" else "one set"
    return ", ".join(dataset.sides.values())


def _download_size(dataset: Dataset) -> str:
    """Return the size of the download, or how the data set comes here without one."""
    if dataset.render:
        return "drawn here"
    if dataset.manual:
        return "by hand"
    return f"{dataset.size / 1e6:,.0f} MB" if dataset.size else "unknown"


def _is_filled(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _check_part(dataset: Dataset, only_in_b: str) -> str:
    """Return the end of the name of a data set whose second domain alone has a part, such as "boats50"."""
    from translate.synthetic.landscapes.parts import parse_part

    if dataset.render is None or dataset.render.name != "landscapes":
        raise OptionError(f"{dataset.name!r} is not drawn here from landscapes, as --only-in-b needs; leave it out")
    part, share = parse_part(only_in_b)
    return f"{part}{100 * share:g}".replace(".", "_")


def _check_pairs(dataset: Dataset, pairs: int) -> str:
    """Return the end of the name of the folder for some true pairs of a data set, such as "pairs20"."""
    if dataset.render is None or dataset.render.name != "landscapes":
        raise OptionError(f"{dataset.name!r} is not drawn here from landscapes, as --pairs needs; leave it out")
    if not 0 < pairs <= dataset.render.train:
        most = dataset.render.train
        raise OptionError(f"--pairs {pairs}: {dataset.name!r} has 1 to {most} photos to paint; give such a number")
    return f"pairs{pairs}"


def _build(dataset: Dataset, target: Path, only_in_b: str, pairs: int | None, progress: bool) -> None:
    """Render or download `dataset` in a sibling of `target`, then rename it."""
    if dataset.manual:
        raise UserError(f"{dataset.name!r} cannot be fetched by a program: {dataset.manual} Put it in '{target}'")
    building = target.with_name(f".{target.name}.partial")
    shutil.rmtree(building, ignore_errors=True)
    try:
        if dataset.render:
            _render(dataset.render, building, only_in_b, pairs, progress)
        else:
            _download(dataset, building, progress)
        building.replace(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _render(job: Render, target: Path, only_in_b: str, pairs: int | None, progress: bool) -> None:
    from translate.synthetic import TEST_PAIRS, render  # needs OpenCV, which the listing does not

    if pairs:
        render("landscape pairs", target, train=pairs, test=TEST_PAIRS, size=job.size, progress=progress)
        return
    draw = functools.partial(render, job.name, target, train=job.train, test=job.test, size=job.size, progress=progress)
    draw(only_in_b=only_in_b) if only_in_b else draw()


def _download(dataset: Dataset, target: Path, progress: bool) -> None:
    """Unpack all archives of `dataset` into `target`, and remove those that were downloaded for it."""
    downloads = target.parent / "downloads"
    for part in dataset.download:
        archive = downloads / part.file
        by_hand = archive.exists()
        if by_hand:
            _check_by_hand(archive, part)
        else:
            _check_space(target.parent, dataset)
            console.print(escape(f"{dataset.name}: licence: {dataset.licence}"), soft_wrap=True)
            download(part.url, archive, size=part.size, sha256=part.sha256, progress=progress)
        unpack(
            archive, target, limit=_MAX_UNPACK_RATIO * archive.stat().st_size + _UNPACK_SLACK_BYTES, progress=progress
        )
        if not by_hand:
            archive.unlink()
    expected = ("train",) if dataset.combined or dataset.single else ("trainA", "trainB")
    if missing := [name for name in expected if not (target / name).is_dir()]:
        raise UserError(f"the archive of {dataset.name!r} has no folder {missing[0]}; it is not the set it should be")


def _check_by_hand(archive: Path, part: Download) -> None:
    try:
        check_file(archive, size=part.size, sha256=part.sha256)
    except UserError as error:
        raise UserError(f"{archive} is not the file it should be: {error}; fetch {part.url} again") from error


def _check_space(root: Path, dataset: Dataset) -> None:
    """Refuse early if the archive and its contents do not fit side by side."""
    free = shutil.disk_usage(root).free
    if dataset.size and free < 2 * dataset.size:
        raise UserError(
            f"{dataset.name!r} needs {2 * dataset.size / 1e9:.1f} GB in '{root}',"
            f" which has {free / 1e9:.1f} GB; make room or choose another folder"
        )
