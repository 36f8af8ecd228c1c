"""The data that a run was trained on, as its config.toml names it."""

__all__ = ["run_data", "run_domains", "run_images", "run_pairs"]

from pathlib import Path
from typing import Any

from translate.data.catalog.root import data_root
from translate.data.sources.domains import Domain, resolve_domains
from translate.data.sources.image_set import ImageSet, resolve_images
from translate.data.sources.pair_set import PairSet, resolve_pairs
from translate.utils.errors import OptionError
from translate.utils.toml_files import read_toml


def run_data(model: str | Path) -> dict[str, Any]:
    """Return the [data] table of a run, given its folder or a file in it; {} if there is no run."""
    run = Path(model).expanduser()
    file = (run if run.is_dir() else run.parent) / "config.toml"
    return read_toml(file).get("data", {}) if file.exists() else {}


def run_domains(model: str | Path, a: str = "", b: str = "", data: str = "") -> tuple[Domain, Domain]:
    """Return the domains that --a, --b and --data name; without any, those of the run of `model`.

    Like the functions below, raise OptionError if nothing is named and `model` lies in no run folder, and UserError if
    the pictures do not exist or do not fit.
    """
    return resolve_domains(*_named_data(model, a, b, data), data_root())


def run_pairs(model: str | Path, a: str = "", b: str = "", data: str = "", direction: str = "ab") -> PairSet:
    """Return the pairs that --a, --b and --data name; without any, those of the run of `model`."""
    return resolve_pairs(*_named_data(model, a, b, data), data_root(), direction)


def run_images(model: str | Path, images: str = "", *, labelled: bool = False) -> ImageSet:
    """Return the pictures that --images names, with any labels if `labelled`; else those of the run of `model`."""
    of_run = run_data(model)
    trained = str(of_run.get("images", ""))
    if not (images or trained):
        raise OptionError(f"{model} lies in no run folder; say what to score it on: --images X")
    if images in ("", trained):
        return resolve_images(trained, str(of_run.get("classes", "")), data_root())
    if labelled:
        try:
            return resolve_images(images, "auto", data_root())
        except OptionError:  # without labels
            pass
    return resolve_images(images, "", data_root())


def _named_data(model: str | Path, a: str, b: str, data: str) -> tuple[str, str, str]:
    """Return a, b and data if one is given, else those of the run of `model`; "" for those not given."""
    if not (a or b or data):
        of_run = run_data(model)
        if not of_run:
            raise OptionError(f"{model} lies in no run folder; say what to score it on: --a X --b Y, or --data ROOT")
        a, b, data = (str(of_run.get(key, "")) for key in ("a", "b", "root"))
    return a, b, data
