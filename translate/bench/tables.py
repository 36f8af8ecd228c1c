"""The figures as tables for the terminal."""

__all__ = ["ceiling_table", "growth_tables", "training_table", "translation_table"]

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from translate.bench.roofline import Ceiling
from translate.bench.scaling import Cell, Growth
from translate.bench.timing import ratio, spread
from translate.bench.training import BF16, OURS, TEXTBOOK, Row, Training
from translate.bench.translation import FOLDER, FolderTimes, Pass, Translation


def ceiling_table(ceiling: Ceiling, machine: dict[str, object]) -> Table:
    """Show the rates of the machine."""
    words = f"{machine['processor']}, {machine['threads']} threads, torch {machine['torch']}, {machine['device']}"
    table = _table(f"ceiling of {words}", ("", "GFLOP/s", "with"), [])
    for kind, rates in (("convolution", ceiling.convolution), ("matmul", ceiling.matmul)):
        for dtype, rate in rates.items():
            table.add_row(f"{kind} {dtype}", f"{rate:,.0f}", ceiling.shapes[f"{kind} {dtype}"])
    table.add_row("copy", f"{ceiling.copy:.1f} GB/s", "bytes read and written")
    return table


def training_table(found: Training, ceiling: Ceiling) -> Table:
    """Show one comparison of training steps."""
    crop = "" if found.crop == found.size else f", crops of {found.crop} px"
    title = (
        f"{found.task}, {found.preset}, {found.generator}, {found.size} px{crop}, batch {found.batch_size}: "
        f"{found.flops / 1e9:,.1f} GFLOP a step"
    )
    columns = (
        "a training step", "img/s", "s/step (10-90 %)", "x textbook", "x eager bf16", "first step, s", "of the ceiling",
        "peak memory, GB" if found.device.startswith("cuda") else "peak RSS beyond the start, GB",
    )  # fmt: skip
    notes = [
        f"of the ceiling: {found.flops / 1e9:,.1f} GFLOP over the time, of its type's largest rate",
        f"our training loop with its data: {found.loop_images_per_second:.2f} img/s, "
        f"{100 * found.waiting:.1f} % of the time waiting for data",
        *found.notes,
    ]
    table = _table(title, columns, notes)
    for row in found.rows:
        name = f"{row.name}: {_plan(found)}" if row.name == OURS else row.name
        table.add_row(
            name, f"{found.batch_size / spread(row.seconds).median:.2f}", _times(row.seconds),
            _faster(found.times_faster(row, TEXTBOOK)), _faster(found.times_faster(row, BF16)),
            f"{row.first:.1f}", _share(found.flops, row, ceiling), f"{row.peak / 1e9:.2f}",
        )  # fmt: skip
    return table


def _plan(found: Training) -> str:
    layout = "channels_last" if found.plan["channels_last"] else "contiguous"
    return f"{found.plan['precision']}, {layout}" + (", compiled" if found.plan["compile"] else "")


def _share(flops: float, row: Row | Pass, ceiling: Ceiling) -> str:
    return f"{100 * flops / 1e9 / spread(row.seconds).median / ceiling.best(row.precision):.0f} %"


def translation_table(found: Translation, ceiling: Ceiling) -> Table:
    """Show the comparison of translations."""
    height, width = found.size
    title = f"{found.model} on {found.pictures} pictures of {found.images}, most seen as {width} x {height} px"
    notes = [
        f"of the ceiling: {found.flops / 1e9:,.1f} GFLOP a picture over the time, of its type's largest rate",
        "times faster: than the plain network; of whole commands, than the original's",
        f"the network alone ({found.best_pass().name}) takes {100 * found.network_share():.0f} % of the folder's time",
        *([] if found.difference is None else [f"both commands differ by {found.difference:.2f} of 255 in the mean"]),
        *found.notes,
    ]
    memory = "peak memory, GB" if found.device.startswith("cuda") else "peak RSS with the model, GB"
    columns = ("translating", "img/s", "ms a picture (10-90 %)", "times faster", "of the ceiling", memory)
    table = _table(title, columns, notes)
    base = found.passes[0]
    for p in found.passes:
        name = p.name if p is base else f"{p.name}: {p.precision}"
        table.add_row(
            name, f"{1 / spread(p.seconds).median:.2f}", _times(p.seconds, 1000),
            _faster(ratio(base.seconds, p.seconds)), _share(found.flops, p, ceiling), f"{p.peak / 1e9:.2f}",
        )  # fmt: skip
    table.add_section()
    _add_folder(table, found, found.folder, None)
    for command in found.commands:
        _add_folder(table, found, command, found.commands[-1] if len(found.commands) > 1 else None)
    return table


def _add_folder(table: Table, found: Translation, row: FolderTimes, base: FolderTimes | None) -> None:
    each = [s / found.pictures for s in row.seconds]
    memory = "-" if row.peak is None else f"{row.peak / 1e9:.2f}"
    name = row.name if row.name == FOLDER else f"{row.name}, start and all"
    faster = ratio(base.seconds, row.seconds) if base else None
    table.add_row(name, f"{1 / spread(each).median:.2f}", _times(each, 1000), _faster(faster), "-", memory)


def growth_tables(found: Growth) -> list[Table]:
    """Show how cost grows: seconds and memory over sizes and batches, start-up over data sets."""
    title = f"{found.task}, {found.preset}: s/step, peak memory in GB"
    batches = sorted({cell.batch_size for cell in found.cells})
    steps = _table(title, ("", *(f"batch {n}" for n in batches)), [*found.notes, "-: too long, or too large"])
    cells = {(cell.size, cell.batch_size): cell for cell in found.cells}
    for size in sorted({cell.size for cell in found.cells}):
        steps.add_row(f"{size} px", *(_cell(cells[size, n]) for n in batches))
    heads = ("pictures", "s to the first batch, cold", "warm cache", "peak RSS beyond the start, GB")
    starts = _table("start-up over the size of the data set", heads, [])
    for one in found.start_ups:
        starts.add_row(f"{one.pictures:,}", f"{one.cold:.2f}", f"{one.warm:.2f}", f"{one.peak / 1e9:.3f}")
    return [steps, starts]


def _cell(cell: Cell) -> str:
    return f"{spread(cell.seconds).median:.3g} s, {cell.peak / 1e9:.2f}" if cell.seconds else "-"


def _table(title: str, columns: Iterable[str], notes: Sequence[str]) -> Table:
    table = Table(title=Text(title), title_justify="left", caption=Text("\n".join(notes)), caption_justify="left")
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right")
    return table


def _times(seconds: Sequence[float], scale: int = 1) -> str:
    median, low, high = (f"{scale * s:.3g}" for s in spread(seconds))
    return f"{median} ({low}-{high})"


def _faster(times: float | None) -> str:
    return "-" if times is None else f"{times:.2f}"
