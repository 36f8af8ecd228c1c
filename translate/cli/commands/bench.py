"""bench: speed on this machine, beside other implementations and the machine's limit; and the quality of recipes."""

__all__ = ["Bench", "bench"]

import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import tyro
from tyro.conf import arg

from translate.cli.commands.options import Flag, Int, PathText, Precision, RootOptions, Text, flag_name, given_options
from translate.utils.errors import OptionError

if TYPE_CHECKING:
    import torch

    from translate.bench.suite import Part

QUALITY_OPTIONS = {
    "out", "sets", "recipes", "seeds", "cpu_seconds", "limit", "features", "parallel", "overwrite"
}  # fmt: skip
OTHER_OPTIONS = {
    "task", "preset", "netG", "batch_size", "checkpoint", "model", "images", "steps", "device", "precision"
}  # fmt: skip
Texts = Annotated[tuple[str, ...], arg(metavar="X", help_behavior_hint="")]
TABLE_WIDTH = 150  # characters of the widest table; a narrow terminal wraps its lines, but rich cuts off no cells


@dataclass(frozen=True, kw_only=True)
class Bench(RootOptions):
    """Measure training and translation here, beside plain implementations and the machine's own limit.

    All candidates take turns in one run, so that a disturbance of the machine affects them equally. Without options:
    the limits of the machine, and training of all four tasks, which takes a quarter of an hour on two cores.

    "quality" compares recipes instead: every recipe is trained on every set that it fits, with every seed, for the same
    CPU seconds on one thread, and its answers to held-out pictures are scored and drawn side by side. Repeat a command
    to go on after an interruption.

    Attributes:
        netG: Generator, such as resnet_9blocks (default: the preset's).
    """

    positional: ClassVar[tuple[str, ...]] = ("part",)

    # "train": training steps; "translate": a model on a folder; "growth": cost over sizes and batches; "quality":
    # recipes at equal CPU seconds.
    part: Annotated[Literal["all", "train", "translate", "growth", "quality"], tyro.conf.Positional] = "all"
    task: Text = ""  # cycle, pix2pix, generate or inpaint (default: all; for growth: cycle).
    preset: Text = ""  # Of the recipe (default: paper; without a part and --task, paper and fast).
    netG: Annotated[str, arg(metavar="NAME", help_behavior_hint="")] = ""  # noqa: N815, the classic name
    size: Int = 0  # px (default: the preset's, or 256; 64 for generation).
    batch_size: Int = 0  # Pictures in a step (default: the preset's).
    checkpoint: Flag = False  # Activation checkpointing: less memory, more time.
    model: PathText = ""  # Run folder, model.safetensors or hf://user/name to measure.
    images: PathText = ""  # Folder of pictures to translate.
    peer: PathText = ""  # Checkout of pytorch-CycleGAN-and-pix2pix, whose scripts are measured as well.
    steps: Int = 0  # Measured rounds (default: as many as fit into a minute or two, at most 15).
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1" or "mps".
    precision: Precision = "auto"  # Of ours; "auto" takes the fastest that is numerically sound here.
    json: PathText = ""  # Also write all measurements to this file.
    out: PathText = "quality"  # Of "quality", as all that follow: the folder of models, answers, tables and sheets.
    # Names of the catalog, or NAME=FOLDER (default: photos2monet sketch2shoe faces).
    sets: Texts = ()
    # Names such as cycle_fast, or files such as cycle_mine.toml (default: all that are for minutes, but inpainting).
    recipes: Texts = ()
    seeds: Annotated[tuple[int, ...], arg(metavar="N", help_behavior_hint="")] = (0,)  # A run each.
    cpu_seconds: Annotated[float, arg(metavar="S", help_behavior_hint="")] = 240.0  # Of training steps, for each run.
    limit: Int = 100  # Held-out pictures of each set, at most.
    features: PathText = ""  # File of weights of another network that judges, as for evaluate.
    parallel: Int = 1  # Runs at a time, at most the number of cores.
    overwrite: Flag = False  # Make runs of other options in --out anew.


def bench(options: Bench) -> int:
    """Measure, print each table as soon as it is ready, and write the JSON file."""
    from translate.bench.machine import describe_machine
    from translate.bench.roofline import measure_ceiling
    from translate.bench.tables import ceiling_table
    from translate.utils.device import pick_device
    from translate.utils.files import write_json
    from translate.utils.terminal import console, escape, result_console

    check(options)
    if options.part == "quality":
        return compare_quality(options)
    device = pick_device(options.device)
    parts = parts_of(options, device)
    # the machine
    table_console = result_console(TABLE_WIDTH)
    machine, ceiling = describe_machine(device), measure_ceiling(device)
    table_console.print(ceiling_table(ceiling, machine))
    report: dict[str, Any] = {"machine": machine, "ceiling": asdict(ceiling)}
    # the parts
    for part in parts:
        console.print(f"{escape(part.title)} ...", soft_wrap=True)
        result, tables = part.measure(ceiling)
        report.setdefault(part.name, []).append(asdict(result))
        for table in tables:
            table_console.print(table)
    if options.json:
        write_json(options.json, report)
    return 0


def compare_quality(options: Bench) -> int:
    """Compare recipes, print the tables, and write the JSON file; return 1 if a run has failed."""
    from translate.bench.quality.comparison import QualityOptions, compare_recipes
    from translate.utils.files import write_json
    from translate.utils.terminal import result_console, say

    shared = {field.name: getattr(options, field.name) for field in fields(QualityOptions) if field.name != "out"}
    report = compare_recipes(QualityOptions(out=Path(options.out).expanduser(), **shared))
    tables = result_console(TABLE_WIDTH)
    for table in report.tables():
        tables.print(table)
    for remark in report.remarks():
        say(remark)
    say(f"{options.out}: tables in quality.md and quality.json, contact sheets beside them")
    if options.json:
        write_json(options.json, report.to_dict())
    return 1 if report.failed else 0


def check(options: Bench) -> None:
    """Check the options against each other.

    Raises:
        OptionError: a number out of range, an option that the part needs and lacks, or one that it does not use.
    """
    given = given_options(options)
    check_quality(options, given)
    # numbers
    for name in ("size", "batch_size", "steps"):
        if name in given and getattr(options, name) < 1:
            raise OptionError(f"{flag_name(name)} {getattr(options, name)} is out of range; give 1 or more")
    # options that the part needs, and those that it does not use
    training_options = ("task", "preset", "netG", "size", "batch_size", "checkpoint")
    folder_options = ("model", "images")
    for name in folder_options if is_translation(options) else ():
        if not getattr(options, name):
            raise OptionError(f"measuring a translation needs --model and --images; --{name} is missing")
    for name in training_options if is_translation(options) else folder_options:
        if name in given:
            raise OptionError(f"{flag_name(name)} means nothing to this part; leave it out")
    if options.part == "growth" and (options.peer or options.steps):
        raise OptionError("growth takes neither --peer nor --steps; leave them out")


def check_quality(options: Bench, given: frozenset[str]) -> None:
    """Raise OptionError for an option of other parts than "quality", or the reverse, or a number out of range."""
    for name in sorted(given & (OTHER_OPTIONS if options.part == "quality" else QUALITY_OPTIONS)):
        raise OptionError(f"{flag_name(name)} means nothing to this part; leave it out")
    if options.cpu_seconds <= 0:
        raise OptionError(f"--cpu-seconds {options.cpu_seconds:g} should be above 0")
    if not 1 <= options.parallel <= (cores := os.cpu_count() or 1):
        raise OptionError(f"--parallel {options.parallel} should be from 1 to {cores}, the number of cores")
    if options.limit < 2:
        raise OptionError(f"--limit {options.limit} should be at least 2: sets of pictures are compared")


def is_translation(options: Bench) -> bool:
    """Whether to measure the translation of a folder instead of training."""
    return options.part == "translate" or (options.part == "all" and bool(options.model or options.images))


def parts_of(options: Bench, device: "torch.device") -> "list[Part]":
    """Return the parts to measure; check their options first."""
    from translate.bench import suite
    from translate.bench.original_repo import OriginalRepo

    peer = OriginalRepo.open(options.peer) if options.peer else None
    # a folder
    if is_translation(options):
        model, images = Path(options.model), Path(options.images)
        return [suite.translation_part(model, images, device, options.precision, rounds=options.steps, peer=peer)]
    # training
    case_options: dict[str, Any] = {
        "size": options.size, "batch_size": options.batch_size, "generator": options.netG,
        "precision": options.precision, "checkpoint": options.checkpoint,
    }  # fmt: skip
    if options.part == "growth":
        return [suite.scaling_part(options.task or "cycle", options.preset or "paper", device, **case_options)]
    tasks = [options.task] if options.task else []
    presets = [options.preset] if options.preset else [] if options.part == "all" and not tasks else ["paper"]
    return suite.training_parts(tasks, presets, device, rounds=options.steps, peer=peer, **case_options)
