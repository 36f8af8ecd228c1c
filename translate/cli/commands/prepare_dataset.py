"""prepare-dataset: the data sets of the catalog."""

__all__ = ["PrepareDataset", "prepare_dataset"]

from dataclasses import dataclass
from typing import Annotated, ClassVar

import tyro

from translate.cli.commands.options import Flag, RootOptions
from translate.utils.errors import OptionError
from translate.utils.terminal import result_console, say


@dataclass(frozen=True, kw_only=True)
class PrepareDataset(RootOptions):
    """Render or download a data set of the catalog; without a name, list the catalog."""

    positional: ClassVar[tuple[str, ...]] = ("name",)

    name: Annotated[str, tyro.conf.Positional] = ""  # Name of the data set.
    about: Flag = False  # Only show its licence, size and source, and fetch nothing.


def prepare_dataset(options: PrepareDataset) -> int:
    """Prepare one data set, describe it, or print the catalog."""
    from translate.data.catalog.catalog import describe, describe_set, find_set, prepare
    from translate.data.catalog.root import data_root

    if options.about and not options.name:
        raise OptionError("--about needs the name of a data set; without options, this command lists them")
    if not options.name:
        result_console().print(describe(data_root()))
        return 0
    dataset = find_set(options.name)
    for line in describe_set(dataset, data_root()):
        say(line)
    if not options.about:
        say(f"{prepare(options.name, data_root())} is ready")
    return 0
