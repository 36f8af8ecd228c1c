"""The data that a run was trained on, as its config.toml names it, with the held-out pictures of its record.

Without a name of other data, the functions return the data of the run. The test part of any data has no picture that
the run has learned from, or has chosen its best step by; their notes tell what was left out for that.
"""

__all__ = ["named_sets", "run_data", "run_domains", "run_few_pairs", "run_images", "run_labelled", "run_pairs"]

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from translate.data.catalog.root import data_root
from translate.data.sources.attributes import LabelledSet, resolve_labelled
from translate.data.sources.domains import Domain, resolve_domains
from translate.data.sources.image_set import ImageSet, resolve_images
from translate.data.sources.labelled_image import LabelledFile
from translate.data.sources.pair_set import PairSet, few_pairs_file_sets, resolve_pairs
from translate.data.sources.picture_record import read_record, split_as_recorded
from translate.data.sources.reporting import reporting_part
from translate.utils.errors import OptionError, UserError
from translate.utils.toml_files import read_toml

T = TypeVar("T")


def run_data(model: str | Path) -> dict[str, Any]:
    """Return the [data] table of a run, given its folder or a file in it; {} if there is no run."""
    file = _run_folder(model) / "config.toml"
    return read_toml(file).get("data", {}) if file.exists() else {}


def named_sets(model: str | Path, *specs: str) -> list[str]:
    """Return those of --a, --b, --data and --images that are given; without any, those of the run of `model`."""
    given = [spec for spec in specs if spec]
    return given or [str(spec) for key in ("a", "b", "root", "images") if (spec := run_data(model).get(key))]


def run_domains(
    model: str | Path, a: str = "", b: str = "", data: str = "", *, whole: bool = False
) -> tuple[Domain, Domain]:
    """Return the domains that --a, --b and --data name; without any, those of the run of `model`.

    Like the functions below, raise OptionError if nothing is named and `model` lies in no run folder, and UserError if
    the pictures do not exist or do not fit. With `whole`, the test part has the pictures that a run has chosen by, too.
    """
    named, same = _named_data(model, a, b, data)
    first, second = resolve_domains(*named, data_root())
    split = partial(_split_domain, run=_run_folder(model), same=same, whole=whole)
    return split(first), split(second)


def run_pairs(
    model: str | Path, a: str = "", b: str = "", data: str = "", direction: str = "ab", *, whole: bool = False
) -> PairSet:
    """Return the pairs that --a, --b and --data name; without any, those of the run of `model`."""
    named, same = _named_data(model, a, b, data)
    pairs = resolve_pairs(*named, data_root(), direction)
    titles = (pairs.title, *pairs.names)
    train, test, notes = _split(
        _run_folder(model), titles, pairs.train, pairs.test, pairs.stem, lambda pair: pair.files, same=same, whole=whole
    )
    return replace(pairs, train=train, test=test, notes=notes)


def run_few_pairs(model: str | Path, pairs: str = "", a: str = "", b: str = "", data: str = "") -> PairSet | None:
    """Return the pairs beside two domains that --pairs names, or those of the run if its domains are named; or None.

    The test part has no pair that the run has learned from; a run never chooses its best step by pairs beside domains.
    """
    trained = str(run_data(model).get("pairs", ""))
    spec = pairs or (trained if _named_data(model, a, b, data)[1] else "")
    if not spec:
        return None
    found = resolve_pairs("", "", spec, data_root(), flag="--pairs")
    titles = [one.title for one in few_pairs_file_sets(found)]
    train, test, notes = split_as_recorded(
        read_record(_run_folder(model)), titles, found.train, found.test, lambda pair: pair.files, same=spec == trained
    )
    return replace(found, train=train, test=test, notes=tuple(notes))


def run_images(model: str | Path, images: str = "", *, labelled: bool = False) -> ImageSet:
    """Return the pictures that --images names, with any labels if `labelled`; else those of the run of `model`."""
    of_run = run_data(model)
    trained = str(of_run.get("images", ""))
    if not (images or trained):
        raise OptionError(f"{model} lies in no run folder; say what to score it on: --images X")
    same = images in ("", trained)
    found = _resolve_images(trained, str(of_run.get("classes", ""))) if same else _resolve_others(images, labelled)
    train, test, notes = _split(
        _run_folder(model), (found.title,), found.train, found.test, lambda source: source.stem,
        lambda source: [source.file] if isinstance(source, LabelledFile) else [], same=same,
    )  # fmt: skip
    return replace(found, train=train, test=test, notes=(*found.notes, *notes))


def run_labelled(model: str | Path, images: str, names: Sequence[str]) -> LabelledSet:
    """Return the pictures that --images names, or those of the run of `model`, with the labels `names`.

    Other pictures have a table beside them, or folders, of labels with these names; else raise UserError.
    """
    of_run = run_data(model)
    trained = str(of_run.get("images", ""))
    if not (images or trained):
        raise OptionError(f"{model} lies in no run folder; say what to score it on: --images X")
    same = images in ("", trained)
    labels, attributes = str(of_run.get("classes", "")), str(of_run.get("attributes", ""))
    found = resolve_labelled(trained, labels, attributes, data_root()) if same else _resolve_labels(images, names)
    if found.names != tuple(names):
        raise UserError(f"{found.images.title} has the labels {', '.join(found.names)}, the model {', '.join(names)}")
    train, test, notes = _split(
        _run_folder(model), (found.images.title,), found.images.train, found.images.test, lambda source: source.stem,
        lambda source: [source.file], same=same,
    )  # fmt: skip
    return replace(found, images=replace(found.images, train=train, test=test, notes=(*found.images.notes, *notes)))


def _resolve_labels(images: str, names: Sequence[str]) -> LabelledSet:
    """Return other pictures, with the attributes `names` in this order, or with classes."""
    found = resolve_labelled(images, "auto", "", data_root())
    return found if found.exclusive else resolve_labelled(images, "auto", ",".join(names), data_root())


def _run_folder(model: str | Path) -> Path:
    path = Path(model).expanduser()
    return path if path.is_dir() else path.parent


def _named_data(model: str | Path, a: str, b: str, data: str) -> tuple[tuple[str, str, str], bool]:
    """Return a, b and data if one is given, else those of the run of `model`; and whether they are those of the run."""
    of_run = run_data(model)
    trained = str(of_run.get("a", "")), str(of_run.get("b", "")), str(of_run.get("root", ""))
    if a or b or data:
        return (a, b, data), (a, b, data) == trained
    if not of_run:
        raise OptionError(f"{model} lies in no run folder; say what to score it on: --a X --b Y, or --data ROOT")
    return trained, True


def _split_domain(domain: Domain, run: Path, *, same: bool, whole: bool) -> Domain:
    train, test, notes = _split(
        run, (domain.name,), domain.train, domain.test, lambda path: path.stem, lambda path: [path], same=same,
        whole=whole,
    )  # fmt: skip
    return replace(domain, train=train, test=test, notes=notes)


def _split(
    run: Path, titles: Sequence[str], train: Sequence[T], test: Sequence[T], stem: Callable[[T], str],
    files: Callable[[T], Sequence[Path]], *, same: bool, whole: bool = False,
) -> tuple[list[T], list[T], tuple[str, ...]]:  # fmt: skip
    """Return what to train and to test on, neither learned from nor chosen by, and notes."""
    record = read_record(run)
    learned, unseen, notes = split_as_recorded(record, titles, train, test, files, same=same)
    if whole:
        return learned, unseen, tuple(notes)
    reported, more = reporting_part(run, record, titles[0], unseen, stem, files, same=same)
    return learned, reported, (*notes, *more)


def _resolve_others(images: str, labelled: bool) -> ImageSet:
    """Return the named pictures, with their labels if these are asked for and known."""
    if labelled:
        try:
            return _resolve_images(images, "auto")
        except OptionError:
            pass
    return _resolve_images(images, "")


def _resolve_images(images: str, classes: str) -> ImageSet:
    return resolve_images(images, classes, data_root())
