"""What the command sample does, once its options are checked: draw, and write what was drawn."""

__all__ = ["keep_group", "make_sheet", "write"]

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from translate.utils.errors import OptionError
from translate.utils.terminal import say

if TYPE_CHECKING:
    from translate.cli.commands.sample import Sample
    from translate.inference.latent.interpolate import Point
    from translate.inference.latent.sheets import Sheet
    from translate.inference.sampler import Sampler


def seeds_of(options: "Sample", count: int) -> Sequence[int]:
    """Return the seeds that are asked for; without a word `count` of them from 0 on."""
    first = options.seed or 0
    return options.seeds or range(first, first + (options.count or count))


# ---- what is drawn


def make_sheet(use: str, sampler: "Sampler", options: "Sample", run: Path) -> "Sheet":
    """Draw what the call is for."""
    from translate.inference.latent import sheets

    label, truncation, seed = options.label or None, options.truncation, options.seed or 0
    match use:
        case "interpolate":
            points = points_of(options.interpolate, sampler.w_dim)
            return sheets.walk_sheet(sampler, points, options.frames, label, truncation, options.loop)
        case "arithmetic":
            return add_up(sampler, options, run)
        case "nearest":
            return compare(sampler, options)
        case "project":
            return sheets.projection_sheet(
                sampler,
                Path(options.project),
                starts=options.starts,
                steps=options.steps or 200,
                label=label,
                seed=seed,
            )
        case "directions":
            return sheets.directions_sheet(sampler, seed, options.directions or 0, label, truncation)
        case "edit":
            strokes, sketch = (Path(file) if file else None for file in (options.edit, options.sketch))
            return sheets.edit_sheet(
                sampler, strokes, sketch, start_seed=options.start_seed, count=options.count or 16,
                steps=options.steps or 40, label=label, seed=seed,
            )  # fmt: skip
    return sheets.samples_sheet(sampler, seeds_of(options, 64), label, truncation)


def points_of(words: Sequence[str], w_dim: int) -> "list[Point]":
    """Read each word as a seed, or as a file with a style."""
    from translate.inference.latent.interpolate import load_style

    return [int(word) if word.isascii() and word.isdigit() else load_style(word, w_dim) for word in words]


def groups_file(options: "Sample", run: Path) -> Path:
    """Return the file of the groups."""
    return Path(options.groups).expanduser() if options.groups else run / "groups.toml"


def keep_group(options: "Sample", run: Path) -> int:
    """Save the seeds as a group."""
    from translate.inference.latent.arithmetic import save_group

    file = groups_file(options, run)
    save_group(file, options.save_group, options.seeds)
    say(f"{file}: {options.save_group} = {list(options.seeds)}")
    return 0


def add_up(sampler: "Sampler", options: "Sample", run: Path) -> "Sheet":
    """Add and subtract groups."""
    from translate.inference.latent.arithmetic import parse, read_groups
    from translate.inference.latent.sheets import arithmetic_sheet

    file = groups_file(options, run)
    groups = read_groups(file) if options.groups or file.exists() else {}
    wanted = parse(options.arithmetic, groups)
    return arithmetic_sheet(sampler, wanted, options.label or None, options.truncation)


def compare(sampler: "Sampler", options: "Sample") -> "Sheet":
    """Find the training pictures nearest to samples."""
    from rich.console import Console
    from rich.progress import Progress

    from translate.data.sources.image_set import resolve_images
    from translate.inference.latent.neighbours import Bank
    from translate.inference.latent.sheets import neighbours_sheet

    images = options.images or trained_images(options.model)
    sources = resolve_images(images, "", Path("data")).train
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("training pictures", total=1.0)
        bank = Bank(sources, sampler.size, lambda share: bar.update(task, completed=share))
    seeds, label = seeds_of(options, 8), options.label or None
    return neighbours_sheet(sampler, bank, seeds, options.nearest or 0, label, options.truncation)


def trained_images(model: str) -> str:
    """Return what the run of `model` was trained on, as its --images was given.

    Raises:
        OptionError: `model` lies in no run folder that would tell.
    """
    from translate.training.run_folder import data_of

    images = str(data_of(model).get("images", ""))
    if not images:
        raise OptionError(f"{model} lies in no run folder that tells what it was trained on; add --images FOLDER")
    return images


# ---- what is written


def write(sheet: "Sheet", sampler: "Sampler", options: "Sample", run: Path, use: str) -> list[Path]:
    """Write what is asked for, or else a sheet (a film of a walk) into the run folder; return the paths."""
    from translate.images.animation import enlarge, write_film
    from translate.images.io import Picture, make_grid, write_picture

    grid, video, output, style = options.grid, options.video, options.output, options.save_style
    usual = str(run / "samples" / name_of(options, use))
    if not (grid or video or output):
        grid, video = ("", f"{usual}.gif") if use == "interpolate" else (f"{usual}.png", "")
    written = [Path(path) for path in (grid, video, output, style) if path]
    if grid:
        write_picture(grid, Picture(make_grid(sheet.rows)), quality=92)
    if video:
        write_film(video, (enlarge(frame, options.scale) for frame in sheet.files.values()), fps=options.fps)
    for name, pixels in sheet.files.items() if output else ():
        write_picture(Path(output) / f"{name}.png", Picture(pixels, gray=sampler.gray))
    if style:
        from translate.inference.latent.interpolate import save_style

        assert sheet.style is not None
        save_style(style, sheet.style)
    return written


def name_of(options: "Sample", use: str) -> str:
    """Return a file name that says what was asked for."""
    seeds = [str(seed) for seed in seeds_of(options, 64 if not use else 8)]
    span = f"{seeds[0]}-{seeds[-1]}" if len(seeds) > 1 and not options.seeds else "_".join(seeds[:12])
    stem = {
        "": f"seeds_{span}",
        "interpolate": "walk_" + "_".join(Path(point).stem for point in options.interpolate),
        "arithmetic": f"sum_{options.arithmetic}",
        "nearest": f"nearest_{span}",
        "project": f"project_{Path(options.project).stem}",
        "directions": f"directions_{options.seed or 0}",
        "edit": f"edit_{Path(options.edit or options.sketch).stem}",
    }[use]
    stem += f"_label_{options.label}" if options.label else ""
    stem += f"_truncation_{options.truncation:g}" if options.truncation != 1 else ""
    named = stem.translate(str.maketrans(",*:", "_x-", "[] "))
    return "".join(c if c.isalnum() or c in "_.-+" else "-" for c in named)[:120]
