"""bench: how fast it is here, beside other implementations and the machine's own limit."""

__all__ = ["Bench", "bench"]

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from tyro.conf import arg

from translate.cli.commands.options import Flag, PathText, Text

if TYPE_CHECKING:
    import torch

    from translate.bench.suite import Part

TABLE_WIDTH = 150  # characters of the widest table, which a narrow terminal may fold but not squeeze
Number = Annotated[int, arg(metavar="N", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Measure training and translation here, beside plain implementations and the machine's own limit.

    All that is compared takes turns in one run, so that whatever disturbs the machine disturbs all alike. Without a
    word: the limits of the machine, and all four tasks' training, which takes a quarter of an hour on two cores.

    Attributes:
        netG: Generator, where it should be another than the preset's, such as resnet_9blocks.
    """

    # "train": training steps; "translate": a model on a folder; "growth": cost over sizes and batches.
    part: Annotated[Literal["all", "train", "translate", "growth"], tyro.conf.Positional] = "all"
    task: Text = ""  # cycle, pix2pix, generate or inpaint (default: all; of growth: cycle).
    preset: Text = ""  # Of the recipe (default: paper; without a word and --task, paper and fast).
    netG: Annotated[str, arg(metavar="NAME", help_behavior_hint="")] = ""  # noqa: N815, as other commands call it
    size: Number = 0  # px (default: the preset's, or 256; 64 for pictures from nothing).
    batch_size: Number = 0  # Pictures in a step (default: the preset's).
    checkpoint: Flag = False  # Train with few activations kept: less memory, more time.
    model: PathText = ""  # Run folder or model.safetensors, to translate with.
    images: PathText = ""  # Folder of pictures, to translate.
    peer: PathText = ""  # Folder of a checkout of pytorch-CycleGAN-and-pix2pix: its scripts are measured as well.
    steps: Number = 0  # Measured rounds (default: as many as fit into a minute or two, at most 15).
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1" or "mps".
    # Of ours; "auto" takes the faster of those that are sound here.
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    json: PathText = ""  # Write everything that was measured to this file as well.


def bench(options: Bench) -> int:
    """Print the tables one by one as they are measured, and write the file."""
    from rich.console import Console

    from translate.bench.machine import describe_machine
    from translate.bench.roofline import measure_ceiling
    from translate.bench.tables import ceiling_table
    from translate.utils.device import pick_device
    from translate.utils.files import write_json
    from translate.utils.terminal import console, escape

    check(options)
    device = pick_device(options.device)
    parts = parts_of(options, device)
    # the machine
    screen = Console(width=max(Console().width, TABLE_WIDTH))
    machine, ceiling = describe_machine(device), measure_ceiling(device)
    screen.print(ceiling_table(ceiling, machine))
    report: dict[str, Any] = {"machine": machine, "ceiling": asdict(ceiling)}
    # the parts
    for part in parts:
        console.print(f"{escape(part.title)} ...", soft_wrap=True)
        result, tables = part.measure(ceiling)
        report.setdefault(part.name, []).append(asdict(result))
        for table in tables:
            screen.print(table)
    if options.json:
        write_json(options.json, report)
    return 0


def check(options: Bench) -> None:
    """Check the options against each other.

    Raises:
        OptionError: a number out of range, an option that the part lacks, or one that means nothing to it.
    """
    from translate.utils.errors import OptionError

    # numbers
    for name in ("size", "batch_size", "steps"):
        if getattr(options, name) < 0:
            raise OptionError(f"--{name.replace('_', '-')} {getattr(options, name)} is out of range; give 1 or more")
    # options that the part needs, and those of other parts
    training, folder = ("task", "preset", "netG", "size", "batch_size", "checkpoint"), ("model", "images")
    for name in folder if translates(options) else ():
        if not getattr(options, name):
            raise OptionError(f"what is measured on a folder needs --model and --images; --{name} is missing")
    for name in training if translates(options) else folder:
        if getattr(options, name):
            raise OptionError(f"--{name.replace('_', '-')} means nothing to this part; leave it out")
    if options.part == "growth" and (options.peer or options.steps):
        raise OptionError("growth knows neither --peer nor --steps; leave them out")


def translates(options: Bench) -> bool:
    """Whether the translation of a folder is measured, and not training."""
    return options.part == "translate" or (options.part == "all" and bool(options.model or options.images))


def parts_of(options: Bench, device: "torch.device") -> "list[Part]":
    """Return the parts to measure, checked as far as possible without measuring."""
    from translate.bench import suite
    from translate.bench.original_repo import OriginalRepo

    peer = OriginalRepo.open(options.peer) if options.peer else None
    # a folder
    if translates(options):
        model, images = Path(options.model), Path(options.images)
        return [suite.translation_part(model, images, device, options.precision, rounds=options.steps, peer=peer)]
    # training
    how: dict[str, Any] = {
        "size": options.size, "batch_size": options.batch_size, "generator": options.netG,
        "precision": options.precision, "checkpoint": options.checkpoint,
    }  # fmt: skip
    if options.part == "growth":
        return [suite.scaling_part(options.task or "cycle", options.preset or "paper", device, **how)]
    tasks = [options.task] if options.task else []
    presets = [options.preset] if options.preset else [] if options.part == "all" and not tasks else ["paper"]
    return suite.training_parts(tasks, presets, device, rounds=options.steps, peer=peer, **how)
