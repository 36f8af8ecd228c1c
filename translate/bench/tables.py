"""Tables of results for the terminal."""

__all__ = ["ceiling_table", "scaling_tables", "training_table", "translation_table"]

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from translate.bench.roofline import Ceiling
from translate.bench.scaling import Scaling, StepCost
from translate.bench.timing import Times, percentiles, speedup
from translate.bench.training import BF16, OURS, TEXTBOOK, TrainingComparison
from translate.bench.translation import TranslationComparison


def ceiling_table(ceiling: Ceiling, machine: dict[str, object]) -> Table:
    """Build the table of the machine's highest rates."""
    software = f"torch {machine['torch']}, {machine['device']}"
    title = f"ceiling of {machine['processor']}, {machine['threads']} threads, {software}"
    table = _new_table(title, ("", "GFLOP/s", "with"))
    for kind, rates in (("convolution", ceiling.convolution), ("matmul", ceiling.matmul)):
        for dtype, rate in rates.items():
            table.add_row(f"{kind} {dtype}", f"{rate:,.0f}", ceiling.shapes[f"{kind} {dtype}"])
    table.add_row("copy", f"{ceiling.copy:.1f} GB/s", "bytes read and written")
    return table


def training_table(result: TrainingComparison, ceiling: Ceiling) -> Table:
    """Build the table of one comparison of training steps."""
    # title, columns and notes
    gflop = f"{result.flops / 1e9:,.1f} GFLOP"
    crop = "" if result.crop == result.size else f", crops of {result.crop} px"
    title = (
        f"{result.task}, {result.preset}, {result.generator}, {result.size} px{crop}, batch {result.batch_size}: "
        f"{gflop} a step"
    )
    columns = (
        "a training step", "img/s", "s/step (10-90 %)", "x textbook", "x eager bf16", "first step, s", "of the ceiling",
        "peak memory, GB" if result.device.startswith("cuda") else "peak RSS beyond the start, GB",
    )  # fmt: skip
    notes = [
        f"of the ceiling: {gflop} over the time, of its type's largest rate",
        f"our training loop with its data: {result.loop_images_per_second:.2f} img/s, "
        f"{100 * result.waiting:.1f} % of the time waiting for data",
        *result.notes,
    ]
    table = _new_table(title, columns, notes)
    # rows
    for row in result.rows:
        table.add_row(
            f"{row.name}: {_plan_words(result)}" if row.name == OURS else row.name,
            f"{result.batch_size / percentiles(row.seconds).median:.2f}", _times_cell(row.seconds),
            _speedup_cell(result.speedup_over(TEXTBOOK, row)), _speedup_cell(result.speedup_over(BF16, row)),
            f"{row.first:.1f}", _ceiling_share(result.flops, row, ceiling), _memory_cell(row.peak),
        )  # fmt: skip
    return table


def _plan_words(result: TrainingComparison) -> str:
    layout = "channels_last" if result.plan["channels_last"] else "contiguous"
    return f"{result.plan['precision']}, {layout}" + (", compiled" if result.plan["compile"] else "")


def _ceiling_share(flops: float, row: Times, ceiling: Ceiling) -> str:
    return f"{100 * flops / 1e9 / percentiles(row.seconds).median / ceiling.best(row.precision):.0f} %"


def translation_table(result: TranslationComparison, ceiling: Ceiling) -> Table:
    """Build the table of a comparison of translations."""
    # title, columns and notes
    height, width = result.size
    title = f"{result.model} on {result.pictures} pictures of {result.images}, most seen as {width} x {height} px"
    share = f"{100 * result.network_share():.0f} % of the folder's time"
    notes = [
        f"of the ceiling: {result.flops / 1e9:,.1f} GFLOP a picture over the time, of its type's largest rate",
        "times faster: than the plain network; of whole commands, than the original's",
        f"the network alone ({result.best_pass().name}) takes {share}",
        *([] if result.difference is None else [f"both commands differ by {result.difference:.2f} of 255 in the mean"]),
        *result.notes,
    ]
    memory = "peak memory, GB" if result.device.startswith("cuda") else "peak RSS with the model, GB"
    columns = ("translating", "img/s", "ms a picture (10-90 %)", "times faster", "of the ceiling", memory)
    table = _new_table(title, columns, notes)

    def add_row(name: str, seconds: list[float], base: list[float] | None, share: str, peak: int | None) -> None:
        speed, faster = f"{1 / percentiles(seconds).median:.2f}", speedup(base, seconds) if base else None
        table.add_row(name, speed, _times_cell(seconds, 1000), _speedup_cell(faster), share, _memory_cell(peak))

    # the network alone
    base = result.passes[0]
    for p in result.passes:
        name = p.name if p is base else f"{p.name}: {p.precision}"
        add_row(name, p.seconds, base.seconds, _ceiling_share(result.flops, p, ceiling), p.peak)
    # the folder in a running program, and whole commands
    table.add_section()
    folder, *commands = ([s / result.pictures for s in row.seconds] for row in (result.folder, *result.commands))
    add_row(result.folder.name, folder, None, "-", result.folder.peak)
    for row, seconds in zip(result.commands, commands, strict=True):
        add_row(f"{row.name}, start and all", seconds, commands[-1] if len(commands) > 1 else None, "-", row.peak)
    return table


def scaling_tables(result: Scaling) -> list[Table]:
    """Build the tables of step cost over sizes and batch sizes, and of start-up over data set sizes."""
    title = f"{result.task}, {result.preset}: s/step, peak memory in GB"
    batches = sorted({cell.batch_size for cell in result.cells})
    steps = _new_table(title, ("", *(f"batch {n}" for n in batches)), [*result.notes, "-: too long, or too large"])
    cells = {(cell.size, cell.batch_size): cell for cell in result.cells}
    for size in sorted({cell.size for cell in result.cells}):
        steps.add_row(f"{size} px", *(_cost_cell(cells[size, n]) for n in batches))
    columns = ("pictures", "s to the first batch, cold", "warm cache", "peak RSS beyond the start, GB")
    starts = _new_table("start-up over the size of the data set", columns)
    for start in result.start_ups:
        starts.add_row(f"{start.pictures:,}", f"{start.cold:.2f}", f"{start.warm:.2f}", f"{start.peak / 1e9:.3f}")
    return [steps, starts]


def _new_table(title: str, columns: Iterable[str], notes: Sequence[str] = ()) -> Table:
    table = Table(title=Text(title), title_justify="left", caption=Text("\n".join(notes)), caption_justify="left")
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right")
    return table


def _cost_cell(cost: StepCost) -> str:
    return f"{percentiles(cost.seconds).median:.3g} s, {_memory_cell(cost.peak)}" if cost.seconds else "-"


def _times_cell(seconds: Sequence[float], scale: int = 1) -> str:
    median, low, high = (f"{scale * s:.3g}" for s in percentiles(seconds))
    return f"{median} ({low}-{high})"


def _memory_cell(peak: int | None) -> str:
    return "-" if peak is None else f"{peak / 1e9:.2f}"


def _speedup_cell(times: float | None) -> str:
    return "-" if times is None else f"{times:.2f}"
