"""prepare-dataset: the data sets of the catalog."""

__all__ = ["PrepareDataset", "prepare_dataset"]

from dataclasses import dataclass
from typing import Annotated, ClassVar

import tyro

from translate.cli.commands.options import Flag, IntOrNone, RootOptions
from translate.utils.errors import OptionError
from translate.utils.program import command_form
from translate.utils.terminal import result_console, say


@dataclass(frozen=True, kw_only=True)
class PrepareDataset(RootOptions):
    """Render or download a data set of the catalog; without a name, list the catalog."""

    positional: ClassVar[tuple[str, ...]] = ("name",)

    name: Annotated[str, tyro.conf.Positional] = ""  # Name of the data set.
    # PART=SHARE: draw landscapes of which the second domain alone has boats, haystacks or snow, in this share of its
    # pictures, such as boats=0.5, to count what a model invents.
    only_in_b: Annotated[str, tyro.conf.arg(metavar="PART=SHARE", help_behavior_hint="")] = ""
    # Of drawn landscapes: also this many true pairs, the first photos and their paintings, and 20 more to score on.
    pairs: IntOrNone = None
    about: Flag = False  # Only show its licence, size and source, and fetch nothing.


def prepare_dataset(options: PrepareDataset) -> int:
    """Prepare one data set, describe it, or print the catalog."""
    from translate.data.catalog.catalog import describe, describe_set, find_set, prepare
    from translate.data.catalog.root import data_root

    if options.about and not options.name:
        raise OptionError("--about needs the name of a data set; without options, this command lists them")
    if options.only_in_b and (options.about or not options.name):
        raise OptionError("--only-in-b needs the name of drawn landscapes: photos2monet --only-in-b boats=0.5")
    if options.pairs is not None and (options.about or options.only_in_b or not options.name):
        raise OptionError("--pairs needs the name of drawn landscapes alone: photos2monet --pairs 20")
    if not options.name:
        result_console().print(describe(data_root()))
        return 0
    dataset = find_set(options.name)
    for line in describe_set(dataset, data_root()):
        say(line)
    if options.about:
        return 0
    if options.pairs is not None:
        pairs = prepare(options.name, data_root(), pairs=options.pairs)
        say(f"{pairs} is ready; {command_form('train-cycle')} --data {options.name} --pairs {pairs}")
    folder = prepare(options.name, data_root(), only_in_b=options.only_in_b)
    say(f"{folder} is ready" + f"; train and score with --data {folder}" * bool(options.only_in_b))
    return 0
