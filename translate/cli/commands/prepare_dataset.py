"""prepare-dataset: the data sets of the catalog."""

__all__ = ["PrepareDataset", "prepare_dataset"]

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from translate.utils.terminal import say


@dataclass(frozen=True, kw_only=True)
class PrepareDataset:
    """Render or download a data set of the catalog; without a name, list the catalog."""

    name: Annotated[str, tyro.conf.Positional] = ""  # Name of the data set.
    root: str = "data"  # Folder of all data sets.


def prepare_dataset(options: PrepareDataset) -> int:
    """Prepare one data set, or print the catalog."""
    from rich.console import Console

    from translate.data.catalog.catalog import describe, load_catalog, prepare

    if options.name:
        path = prepare(options.name, Path(options.root))
        dataset = load_catalog()[options.name]
        for line in (f"{path}: {dataset.title}", f"licence: {dataset.licence}", f"please cite: {dataset.citation}"):
            say(line)
        if dataset.homepage:
            say(f"homepage: {dataset.homepage}")
    else:
        Console().print(describe(Path(options.root)))
    return 0
