"""check-data: the content of a data set, and its faults that would spoil training or scores."""

__all__ = ["CheckData", "check_data"]

from dataclasses import dataclass

from translate.cli.commands.options import Flag, PathText, RootOptions, Text, TrustOptions, ValueRange


@dataclass(frozen=True, kw_only=True)
class CheckData(TrustOptions, RootOptions):
    """Read every picture of a data set and list what to mend before training; takes the data options of training.

    Counts, sizes and kinds; files that cannot be read; pictures of one colour; exact and near duplicates; test
    pictures that training sees too; pairs that do not match; domains that look exchanged or mixed, or have different
    contents. Exit status 1 if something should be mended.
    """

    a: Text = ""  # First domain: a folder, a quoted pattern, a text file of paths, or a name of the catalog.
    b: Text = ""  # Second domain, in one of the same forms.
    # Instead of both: a folder with trainA and trainB or of combined pairs, a CSV file of pairs, or a data set of the
    # catalog.
    data: Text = ""
    images: Text = ""  # One set of pictures: the same, or a CSV or idx file.
    pairs: Flag = False  # The domains are pairs, as for train_pix2pix (default: if --data can be nothing else).
    # LOW,HIGH: the values of black and white in files of floats and wide integers, as for training.
    value_range: ValueRange = ""
    json: PathText = ""  # Also write all findings to this file, with the names of all files.
    config: PathText = ""  # TOML file with any of these options; flags win over it.


def check_data(options: CheckData) -> int:
    """Print the findings on one screen; exit status 1 if one should be mended."""
    from translate.data.catalog.root import data_root
    from translate.data.checks.full_check import check_data
    from translate.images.picture import parse_range
    from translate.utils.files import write_json
    from translate.utils.terminal import result_console

    report = check_data(
        options.a, options.b, options.data, options.images, pairs=options.pairs,
        values=parse_range(options.value_range), root=data_root(), progress=True,
    )  # fmt: skip
    console = result_console()
    console.print(report.table())
    for line in report.lines():
        console.print(line, soft_wrap=True)
    if options.json:
        write_json(options.json, report.to_dict())
    return 1 if report.problems else 0
