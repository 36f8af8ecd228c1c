"""Everything before the first step of a run: checks, data, plan, networks."""

__all__ = [
    "Opened", "build_task", "check_classes", "check_recipe", "check_sides", "make_task", "make_trial_step",
    "noise_batch", "open_data_and_plan", "open_run",
]  # fmt: skip

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from translate.data.checks.quick_check import quick_check
from translate.data.datasets import TrainingData, UnpairedData
from translate.networks import EXPORTABLE
from translate.networks.activation_checkpointing import checkpoint_activations
from translate.tasks import TASKS, Task
from translate.training.config import Config
from translate.training.cuda_graph import WARM_UP
from translate.training.optim import make_optimizers
from translate.training.planning.autotune import check_graph, make_plan
from translate.training.planning.choices import Choices
from translate.training.planning.plan import Plan
from translate.training.planning.time_budget import OtherPrograms, use_free_threads
from translate.training.run_folder import RunFolder
from translate.training.start.domain_gap import print_gap
from translate.training.start.extension import adapt_plan, compare_options, extended_steps, lr_note
from translate.training.start.messages import print_left_out, print_note, print_notes
from translate.training.start.pictures import PictureRecord, check_apart, report_pictures, settle_pictures
from translate.training.start.teacher import load_teachers
from translate.training.step import batch_to_device, make_step
from translate.utils import dist
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import Factory, check_arguments, resolve, spec_of
from translate.utils.memory import keep_freed_memory


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The state of a run folder at the start."""

    plan: Plan | None = None  # of the run in it, if any
    complete: bool = False  # nothing is left to train
    longer: bool = False  # the run has to be extended
    extend: bool = False  # the user allows an extension, and changed pictures


def open_run(folder: RunFolder, config: Config, data: TrainingData, *, extend: bool) -> Opened:
    """Clean up `folder`, compare the run in it with `config` and `data`, and print what differs.

    Raises:
        OptionError: The run has other options, or cannot be extended.
        UserError: The path is a file, or the run is damaged.
    """
    plan, earlier = folder.read_plan()
    if plan is None:
        if extend:
            raise OptionError(f"--extend: {folder.path} holds no run that could be made longer; leave it out")
        check_apart(folder.path, config.data, data)
        folder.remove_temporaries()
        return Opened()
    longer, notes = compare_options(config, earlier, folder.path, extend=extend)
    plan = adapt_plan(plan, config.train)
    if longer:  # refuse before any picture is decoded
        extended_steps(plan, config.train, data.epoch / config.data.batch_size, folder.log)
    folder.remove_temporaries()
    for note in notes:
        print_note(note)
    complete = not longer and folder.steps_done() >= plan.steps
    report_pictures(PictureRecord(folder.path, data), complete=complete)
    return Opened(plan=plan, complete=complete, longer=longer, extend=extend)


def open_data_and_plan(
    config: Config, folder: RunFolder, data: TrainingData, opened: Opened, device: torch.device
) -> Plan:
    """Decode the data; return the plan, made or extended if necessary, and write it to config.toml."""
    keep_freed_memory(large=not config.train.checkpoint)
    began, others = time.monotonic(), OtherPrograms()  # rendering and downloads, done by now, are no training time
    # refuse contradictory options before any picture is decoded
    options, channels, plan = config.data, data.channels, opened.plan
    check_graph(config.train, device)
    size = plan.size if plan else options.size or data.native_size()
    with torch.device("meta"):
        task = make_task(config, channels, size)
    check_exports(task, config.task)
    check_classes(task, data)
    check_sides(task, size, options.crop)
    # decode, the main process first
    main = dist.is_main_process()
    dist.main_process_first(
        lambda: data.open(folder.cache, size=size, zoom=options.zoom, square=options.square, progress=main)
    )
    print_notes(data, task, quick_check(data.file_sets()) if main and not plan else ())
    if main:
        print_left_out(options)
        if plan is None and options.crop < 0 and isinstance(data, UnpairedData):
            print_gap(data, config.train.seed)
    keep_record(folder, data, new=not plan, accept=opened.extend)
    # plan, by the clock of the main process
    epoch_steps = data.epoch / options.batch_size
    if plan is None:
        with use_free_threads(config.train, device, others) as threads:
            plan = make_plan(
                config, device, size, epoch_steps, dist.max_over_ranks(time.monotonic() - began),
                lambda plan: make_trial_step(config, channels, plan, device), Choices(config, device, channels),
            )  # fmt: skip
        plan = plan.correct(plan.steps, 0, threads)
    planned = plan
    if opened.longer:
        planned = dist.broadcast_from_main(lambda: lengthen(folder, config, plan, epoch_steps))
    elif opened.plan is None:
        planned = dist.broadcast_from_main(lambda: plan)
    folder.write_config(config, planned)
    return planned


@dist.on_main_process
def keep_record(folder: RunFolder, data: TrainingData, *, new: bool, accept: bool) -> None:
    """Compare the decoded pictures with those that the run began with, and keep the record of them."""
    record = PictureRecord(folder.path, data)
    settle_pictures(record, data.fingerprint, "" if new else folder.trained_on(), new=new, accept=accept)


def lengthen(folder: RunFolder, config: Config, plan: Plan, epoch_steps: float) -> Plan:
    """Return the plan of the run in `folder`, extended to the length in `config`, and print its schedule."""
    done = folder.states.newest_step()
    longer = plan.extend(extended_steps(plan, config.train, epoch_steps, folder.log), done)
    print_note(lr_note(longer, plan, done, config.train))
    return longer


def check_recipe(config: Config) -> None:
    """Check the names and options of task and networks."""
    task = resolve(config.task, TASKS, "task")
    check_arguments(task, config.method, "method")
    if config.data.pairs and not task.few_pairs:
        able = [name for name, other in TASKS.items() if other.few_pairs]
        raise OptionError(f"--pairs is not for the task {config.task!r}; a few pairs teach {' and '.join(able)}")
    networks_of(config)


def check_exports(task: Task, name: str) -> None:
    """Check that a model file can hold the exported networks of the task `name`.

    Raises:
        UserError: One was not built from a registered name.
    """
    for export in task.exports:
        spec = getattr(task.get_submodule(export), "spec", {"name": ""})
        if spec["name"] not in EXPORTABLE:
            raise UserError(
                f"task {name!r}: a model file cannot hold its network {export!r}; build it with `generator`, or with a"
                " Factory from a name in translate.networks.ENCODERS"
            )


def check_classes(task: Task, data: TrainingData) -> None:
    """Check that targets are label maps, one-hot, if and only if the task answers classes.

    Raises:
        OptionError: They are not; the message holds the way out.
    """
    maps = data.facts.get("maps", {})
    if task.answers_classes and "b" not in maps:
        raise OptionError(
            f"{data.names[-1]} do not look like label maps, which this recipe learns to draw; if they are, say"
            " --data.labels b, and if the label maps are the other side, --direction ba"
        )
    if "b" in maps and not task.answers_classes:
        raise OptionError(
            f"--one-hot: the targets, {data.names[-1]}, are label maps, on whose classes distances of colours mean"
            " nothing; say --preset labels, or --data.labels a if the sources alone are meant"
        )


def check_sides(task: Task, size: int, crop: int) -> None:
    """Check that the exported networks can process pictures of the training size.

    Raises:
        OptionError: A network cannot; the message holds the nearest size.
    """
    word, side = ("--data.crop", crop) if crop > 0 else ("--size", size)
    for name in task.exports:
        net = task.get_submodule(name)
        multiple = int(getattr(net, "multiple", 1))
        if side % multiple:
            near = max(multiple, round(side / multiple) * multiple)
            raise OptionError(
                f"{word} {side} should be a multiple of {multiple} for {spec_of(net)['name']}; try {near}"
            )


def build_task(config: Config, channels: Mapping[str, int], plan: Plan, device: torch.device) -> Task:
    """Build the task and its networks on `device`, with weights drawn from the seed."""
    torch.manual_seed(config.train.seed)
    task = make_task(config, channels, plan.size)
    layout = torch.channels_last if plan.channels_last else torch.contiguous_format
    task = task.to(device=device, memory_format=layout)  # type: ignore[call-overload]
    for name in sorted({name for names in task.phases.values() for name in names}):
        net = task.get_submodule(name)
        if config.train.checkpoint:
            checkpoint_activations(net)
        if plan.compile:
            compile_network(net)
    return task


def compile_network(net: nn.Module) -> None:
    """Compile `net` in place, anew for each input shape: merged calls have batches of several sizes.

    The limit allows for these shapes, times learning or frozen by phase, times the networks of one class.
    """
    torch._dynamo.config.recompile_limit = 64
    net.compile(dynamic=False)


def make_task(config: Config, channels: Mapping[str, int], size: int) -> Task:
    """Build the task and its networks for pictures of `size` px, with the numbers of `channels` by batch key."""
    return TASKS[config.task](
        *networks_of(config, size=size, scale=config.data.scale), channels, **load_teachers(config)
    )


def networks_of(config: Config, **context: Any) -> list[Factory]:
    """Return the generator and, if the task has one, the discriminator of a recipe; `context` is that of `Factory`.

    Raises:
        OptionError: A name or an option is wrong, or there should be no discriminator.
    """
    task = TASKS[config.task]
    generator = Factory(config.generator, task.generators, "generator", **context)
    if task.discriminators is not None:
        return [generator, Factory(config.discriminator, task.discriminators, "discriminator", **context)]
    if config.discriminator:
        raise OptionError(f"the task {config.task!r} trains without a discriminator; leave out [discriminator]")
    return [generator]


def make_trial_step(
    config: Config, channels: Mapping[str, int], plan: Plan, device: torch.device
) -> Callable[[], object]:
    """Return a function that takes one step of the real run, on noise and on scratch networks."""
    task = build_task(config, channels, plan, device)
    take = make_step(task, make_optimizers(task, config.train), plan, config.train.clip, device)
    batch = noise_batch(channels, len(dist.local_indices(config.data.batch_size)), plan.crop, config.data.scale)

    def step() -> None:
        take(batch_to_device(batch, device, channels_last=plan.channels_last))

    for _ in range((WARM_UP + 1) * plan.graph):  # steps up to the capture are slower than those after
        step()
    return step


def noise_batch(channels: Mapping[str, int], count: int, side: int, scale: int = 4) -> dict[str, torch.Tensor]:
    """Return a random batch: uint8 (count, C, side, side), and labels (count,) or (count, labels); all pairs, if any.

    The sides of reduced copies are `side` / `scale`.
    """
    sides = {"small": side // scale}
    return {
        name: torch.randint(number, (count,))
        if name == "label"
        else torch.randint(2, (count, number))
        if name in ("attributes", "classes")
        else torch.ones(count, dtype=torch.int64)  # steps that see pairs take longer
        if name == "paired"
        else torch.randint(0, 256, (count, *[sides.get(name, side)] * 2, number), dtype=torch.uint8).permute(0, 3, 1, 2)
        for name, number in channels.items()
    }
