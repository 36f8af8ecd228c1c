"""The table of several runs: a column for each recipe, or for each seed of the only recipe."""

__all__ = ["comparison_table"]

from collections.abc import Callable, Iterator, Sequence

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from translate.evaluation.report import NO_SCORE, Column, make_table
from translate.reports.comparison import SEED, Comparison, Key, Recipe, Spread
from translate.reports.measures import format_value

LEGEND = (
    "± of a single run: standard error of the score over the held-out pictures; of several seeds: standard deviation"
    " between them"
)
Row = tuple[str, list[str]]  # title and cells


def comparison_table(comparison: Comparison) -> Group:
    """Return the table, its legend and the notes."""
    recipes = comparison.recipes
    columns = [Recipe([run]) for run in recipes[0].runs] if len(recipes) == 1 else list(recipes)
    if len(recipes) == 1 and len(columns) > 1:
        columns.append(recipes[0])
    titles = [_title(recipe, recipe is columns[-1] and len(recipes) == 1) for recipe in columns]
    table = make_table([Column("", str, justify="left"), *(Column(Text(title), str) for title in titles)])
    for section, rows in _sections(comparison, columns):
        table.add_row(Text(section), style="bold")
        for title, cells in rows:
            table.add_row(Padding(Text(title), (0, 0, 0, 2)), *map(Text, cells))
        table.add_section()
    legend = [LEGEND] if comparison.keys() else []
    return Group(table, "", *map(Text, [*legend, *comparison.notes]))


def _title(recipe: Recipe, of_all: bool) -> str:
    """Return the title of a column."""
    count = len(recipe.runs)
    if count == 1:
        return recipe.name
    return f"mean of\n{count} seeds" if of_all else f"{recipe.name}\n({count} seeds)"


def _sections(comparison: Comparison, columns: Sequence[Recipe]) -> Iterator[tuple[str, list[Row]]]:
    """Yield the rows under each title."""
    if differing := [name for name in comparison.differences() if name != SEED or len(columns) > 1]:
        yield "recipe", [(name, [_option(recipe, name) for recipe in columns]) for name in differing]
    keys = comparison.keys()
    for part in dict.fromkeys(part for part, _ in keys):
        rows = [(key[1], [_score(recipe, key) for recipe in columns]) for key in keys if key[0] == part]
        yield part or "scores", rows
    yield "cost", list(_costs(columns))


def _option(recipe: Recipe, name: str) -> str:
    """Format the values of an option in the runs of a recipe."""
    values = dict.fromkeys(str(run.options.get(name, "")) or NO_SCORE for run in recipe.runs)
    return ", ".join(values)


def _score(recipe: Recipe, key: Key) -> str:
    """Format a score with its standard error, or with its spread over seeds."""
    found = recipe.scores().get(key)
    if found is None:
        return NO_SCORE
    return format_value(found.mean, found.spread if found.count > 1 else recipe.error(key))


def _costs(columns: Sequence[Recipe]) -> Iterator[Row]:
    """Yield the rows of what training took and of what there is to show for it."""
    costs: dict[str, Callable] = {
        "steps": lambda each: each.run.recipe.steps,
        "minutes": lambda each: each.run.seconds / 60,
        "parameters": lambda each: each.run.parameters,
        "model file, MB": lambda each: each.model_bytes / 1e6,
    }
    for title, cost in costs.items():
        spreads = [Spread.of([cost(run) for run in recipe.runs]) for recipe in columns]
        yield title, [format_value(each.mean, each.spread or None) for each in spreads]
