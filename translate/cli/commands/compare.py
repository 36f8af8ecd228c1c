"""compare: runs side by side."""

__all__ = ["Compare", "compare"]

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar

import tyro

from translate.cli.commands.options import PathText, PluginOptions, Precision, RootOptions, TrustOptions

TITLE_WIDTH, COLUMN_WIDTH = 46, 20  # characters of a table of runs; in a narrower console, rich would cut off its cells


@dataclass(frozen=True, kw_only=True)
class Compare(TrustOptions, RootOptions, PluginOptions):
    """Lay runs side by side: where their recipes differ, their scores on held-out pictures, time and size.

    Runs that differ in their seeds alone share a column, with mean and spread.
    """

    positional: ClassVar[tuple[str, ...]] = ("runs",)

    runs: Annotated[tuple[str, ...], tyro.conf.Positional]  # Run folders.
    limit: int = 0  # Score on at most this many pictures of each domain; 0 = all.
    count: int = 0  # As for evaluate.
    features: PathText = ""  # As for evaluate.
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1" or "mps".
    precision: Precision = "auto"  # "auto", "bf16" or "fp32".
    json: PathText = ""  # Also write everything to this file.
    grid: PathText = ""  # Write a picture to this file: held-out pictures, the answers of each run to them, the truths.
    config: PathText = ""  # TOML file with any of these options; flags win over it.


def compare(options: Compare) -> int:
    """Print the table; write the JSON file and the grid if they are requested."""
    from translate.reports.scores import ScoreOptions

    scores = ScoreOptions(**{field.name: getattr(options, field.name) for field in fields(ScoreOptions)})
    print_comparison(options.runs, scores, json=options.json, grid=options.grid)
    return 0


def print_comparison(runs: Sequence[Any], scores: Any, *, json: str = "", grid: str = "") -> None:
    """Compare runs and print the table; write the JSON file and the grid if they are requested."""
    from translate.images.io import write_picture
    from translate.images.picture import Picture
    from translate.reports.comparison import compare_runs
    from translate.reports.comparison_grid import comparison_grid
    from translate.reports.comparison_table import comparison_table
    from translate.utils.files import write_json
    from translate.utils.terminal import result_console, say

    comparison = compare_runs(runs, scores)
    table = comparison_table(comparison)
    result_console(TITLE_WIDTH + COLUMN_WIDTH * len(runs)).print(table)
    if json:
        write_json(json, comparison.to_dict())
    if grid:
        sheet, titles = comparison_grid(comparison, scores)
        write_picture(grid, Picture(sheet), quality=88)
        say(f"{grid}, from the top:")
        for title in titles:
            say(f"  {title}")
