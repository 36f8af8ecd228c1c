"""sample: new pictures from a trained generator, and interpolations between them."""

__all__ = ["sample"]

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from translate.cli.commands.sample_options import Sample, check
from translate.utils.errors import OptionError
from translate.utils.terminal import say

if TYPE_CHECKING:
    from translate.inference.latent.interpolate import Point
    from translate.inference.latent.sheet import Sheet
    from translate.inference.sampler import Sampler

SAMPLE_COUNT, NEAREST_COUNT, EDIT_COUNT = 64, 8, 16  # pictures without --count
PROJECTION_STEPS, EDIT_STEPS = 200, 40  # without --steps


def sample(options: Sample) -> int:
    """Draw pictures, write them and print their paths."""
    use = check(options)
    run = run_folder(options)
    if use == "save_group":
        save_seeds(options, run)
        return 0
    from translate.inference.sampler import Sampler

    sampler = Sampler.load(options.model, options.device, options.precision, options.weights, options.base)
    sheet = draw(use, sampler, options, run)
    for line in sheet.lines:
        say(line)
    for path in write(sheet, sampler, options, run, use):
        say(f"wrote {path}")
    return 0


def run_folder(options: Sample) -> Path:
    """Return the folder of the model, where files go that have no other place; not the cache of the Hub."""
    from translate.checkpoints.hub.name import is_hub_name
    from translate.inference.onnx.recipe import is_onnx

    if is_onnx(options.model):
        return Path(options.model).expanduser().parent
    from translate.checkpoints.model_file import model_file

    file = model_file(options.model, options.weights)
    return Path() if is_hub_name(options.model) else file.parent


def save_seeds(options: Sample, run: Path) -> None:
    """Save the seeds as a named group."""
    from translate.inference.latent.arithmetic import save_group

    file = groups_file(options, run)
    save_group(file, options.save_group, options.seeds)
    say(f"{file}: {options.save_group} = {list(options.seeds)}")


def groups_file(options: Sample, run: Path) -> Path:
    """Return the path of the file of groups."""
    return Path(options.groups).expanduser() if options.groups else run / "groups.toml"


# ---- draw


def draw(use: str, sampler: "Sampler", options: Sample, run: Path) -> "Sheet":
    """Draw the pictures of a use, a key of `USES`."""
    label, truncation, seed = options.label or None, options.truncation, options.seed or 0
    # plain samples, of which ONNX files have no more
    if not use:
        from translate.inference.latent.sheet import samples_sheet

        return samples_sheet(sampler, seeds_of(options, SAMPLE_COUNT), label, truncation)
    # pictures by way of styles
    from translate.inference.latent import sheets

    match use:
        case "interpolate":
            points = read_points(options.interpolate, sampler.w_dim)
            return sheets.interpolation_sheet(sampler, points, options.frames, label, truncation, options.loop)
        case "arithmetic":
            return draw_sum(sampler, options, run)
        case "nearest":
            return draw_neighbours(sampler, options)
        case "project":
            return sheets.projection_sheet(
                sampler, Path(options.project), starts=options.starts, steps=options.steps or PROJECTION_STEPS,
                label=label, seed=seed,
            )  # fmt: skip
        case "directions":
            return sheets.directions_sheet(sampler, seed, options.directions or 0, label, truncation)
        case _:  # edit
            strokes, sketch = (Path(file) if file else None for file in (options.edit, options.sketch))
            return sheets.edit_sheet(
                sampler, strokes, sketch, start_seed=options.start_seed, count=options.count or EDIT_COUNT,
                steps=options.steps or EDIT_STEPS, label=label, seed=seed,
            )  # fmt: skip


def seeds_of(options: Sample, count: int) -> Sequence[int]:
    """Return the seeds of the options; by default `count` of them from --seed on."""
    first = options.seed or 0
    return options.seeds or range(first, first + (options.count or count))


def read_points(words: Sequence[str], w_dim: int) -> "list[Point]":
    """Parse each word as a seed or load it as a file of a style."""
    from translate.inference.latent.interpolate import load_style

    return [int(word) if word.isascii() and word.isdigit() else load_style(word, w_dim) for word in words]


def draw_sum(sampler: "Sampler", options: Sample, run: Path) -> "Sheet":
    """Add and subtract groups of samples."""
    from translate.inference.latent.arithmetic import parse_arithmetic, read_groups
    from translate.inference.latent.sheets import arithmetic_sheet

    file = groups_file(options, run)
    groups = read_groups(file) if options.groups or file.exists() else {}
    return arithmetic_sheet(
        sampler, parse_arithmetic(options.arithmetic, groups), options.label or None, options.truncation
    )


def draw_neighbours(sampler: "Sampler", options: Sample) -> "Sheet":
    """Draw samples beside their nearest training pictures; raise OptionError if these are unknown."""
    from translate.data.sources.run_data import run_data, run_images
    from translate.inference.latent.neighbours import TrainingImageIndex
    from translate.inference.latent.sheets import neighbours_sheet
    from translate.utils.progress import progress_bar

    if not (options.images or run_data(options.model).get("images")):
        raise OptionError(f"{options.model} lies in no run folder with its training data; add --images FOLDER")
    sources = run_images(options.model, options.images).train
    with progress_bar("training pictures", 1.0, style="percent", transient=True) as bar:
        index = TrainingImageIndex(sources, sampler.size, lambda share: bar.update(completed=share))
    seeds, label = seeds_of(options, NEAREST_COUNT), options.label or None
    return neighbours_sheet(sampler, index, seeds, options.nearest or 0, label, options.truncation)


# ---- write


def write(sheet: "Sheet", sampler: "Sampler", options: Sample, run: Path, use: str) -> list[Path]:
    """Write the files of the options, by default one into the run folder; return their paths."""
    from translate.images.animation import enlarge, write_film
    from translate.images.grid import make_grid
    from translate.images.io import write_picture
    from translate.images.picture import Picture

    grid, video, output, style = options.grid, options.video, options.output, options.save_style
    # choose the default: a film of an interpolation, else a sheet
    if not (grid or video or output):
        stem = str(run / "samples" / file_stem(options, use))
        grid, video = ("", f"{stem}.gif") if use == "interpolate" else (f"{stem}.png", "")
    paths = [Path(path) for path in (grid, video, output, style) if path]
    # write
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
    return paths


def file_stem(options: Sample, use: str) -> str:
    """Return a file name without suffix that describes the options of a use."""
    seeds = [str(seed) for seed in seeds_of(options, NEAREST_COUNT if use else SAMPLE_COUNT)]
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
    stem = stem.translate(str.maketrans(",*:", "_x-", "[] "))
    return "".join(c if c.isalnum() or c in "_.-+" else "-" for c in stem)[:120]
