"""Everything that stands before the first step of a run: checks, data, plan, networks, state."""

__all__ = [
    "Run", "build_task", "check_recipe", "check_sides", "make_recipe", "make_task", "make_trial_step", "noise_batch",
    "open_data_and_plan", "open_run", "start_run",
]  # fmt: skip

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from translate.checkpoints.recipe import Recipe
from translate.data.checks.quick_check import quick_check
from translate.data.datasets import TrainingData
from translate.data.loading.loader import Batches
from translate.networks.activation_checkpointing import checkpoint_activations
from translate.tasks import TASKS, Task
from translate.training.autotune import Plan, make_plan
from translate.training.config import Config
from translate.training.cuda_graph import WARM_UP, Step
from translate.training.divergence import Diverged, DivergenceMonitor
from translate.training.ema import EMA
from translate.training.init_weights import start_from
from translate.training.log import Log, Window, print_note
from translate.training.messages import print_header, print_notes
from translate.training.optim import make_optimizers
from translate.training.previews import Previews
from translate.training.run_folder import RunFolder
from translate.training.step import batch_to_device, make_step
from translate.utils import dist
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import Factory, check_arguments, resolve, spec_of
from translate.utils.memory import keep_freed_memory


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run that is ready to train.

    Attributes:
        parts: What a state holds, by name: the task, its average, its optimizers, the open window of the log, and
            the divergence monitor.
        start: Steps done.
        lowered: Whether a phase learns at a lower rate from `start` on, because it diverged.
        step: Takes one training step: a batch on `device` in, its loss terms out.
    """

    config: Config
    plan: Plan
    device: torch.device
    folder: RunFolder
    data: TrainingData
    task: Task
    optimizers: dict[str, Optimizer]
    ema: EMA
    monitor: DivergenceMonitor
    parts: dict[str, Any]
    start: int
    lowered: bool
    step: Step
    batches: Batches
    previews: Previews
    log: Log


def start_run(
    config: Config,
    folder: RunFolder,
    data: TrainingData,
    plan: Plan,
    device: torch.device,
    divergence: Diverged | None = None,
) -> Run:
    """Build what the steps of `plan` need and load the newest state, after which there may have been a `divergence`.

    Raises:
        UserError: No state can be loaded, or the phase that diverged learns at a lower rate already.
    """
    # networks, equal on all ranks
    task = build_task(config, data.channels, plan, device)
    start_from(task, config.train.init, folder)
    dist.broadcast_weights(task)
    # the newest state
    optimizers, ema = make_optimizers(task, config.train), EMA(task, config.train.ema)
    window, monitor = Window(), DivergenceMonitor(task, plan.log_every)
    parts = {"task": task, "ema": ema, **optimizers, "log": window, "watch": monitor}
    start = folder.states.load(parts, device)
    dist.assert_same_weights(nn.ModuleList([task, ema]), f"{folder.path}, step {start}")
    if divergence:
        lower_learning_rate(monitor, divergence, start, config, folder)
    print_header(config, plan, folder, device, start)
    # data, previews and log from there on
    stream = data.stream(crop=plan.crop, flip=config.data.flip, seed=config.train.seed)
    return Run(
        config=config, plan=plan, device=device, folder=folder, data=data, task=task, optimizers=optimizers, ema=ema,
        monitor=monitor, parts=parts, start=start, lowered=divergence is not None,
        step=make_step(task, optimizers, plan, config.train.clip, device),
        batches=Batches(stream, config.data.batch_size, start=start, device=device),
        previews=Previews(task, ema, data, batch_to_device(data.probe, device, channels_last=plan.channels_last)),
        log=Log(folder.path, start, plan.steps, config.data.batch_size, window),
    )  # fmt: skip


def lower_learning_rate(
    monitor: DivergenceMonitor, divergence: Diverged, since: int, config: Config, folder: RunFolder
) -> None:
    """Halve the learning rate of the phase that diverged from step `since` on.

    Raises:
        UserError: It is halved already.
    """
    try:
        print_note(monitor.lower_rate(divergence, since))
    except Diverged as error:
        raise UserError(
            f"{error}; the state of step {since} is kept in {folder.path}. In a new --out, try half of "
            f"--train.lr {config.train.lr:g}, --train.clip 1 or --precision fp32"
        ) from None


def open_run(folder: RunFolder, config: Config) -> tuple[Plan | None, bool]:
    """Remove leftovers from `folder`; return the plan of the run in it, if there is one, and whether it is complete."""
    plan = folder.recall(config)
    folder.sweep()
    return plan, plan is not None and folder.steps_done() >= plan.steps


def open_data_and_plan(
    config: Config, folder: RunFolder, data: TrainingData, plan: Plan | None, device: torch.device
) -> Plan:
    """Read the data and, unless the run has a plan already, settle what the configuration leaves open."""
    keep_freed_memory(large=not config.train.checkpoint)
    began = time.monotonic()  # rendering or downloading, which is done by now, does not count as training time
    wanted = config.data
    size = plan.size if plan else wanted.size or data.native_size()
    with torch.device("meta"):  # options that do not go together are told before any picture is decoded
        task = make_task(config, data.channels, size)
    check_sides(task, size, wanted.crop)
    first = dist.is_main_process()
    dist.main_process_first(
        lambda: data.open(folder.cache, size=size, zoom=wanted.zoom, square=wanted.square, progress=first)
    )
    print_notes(data, task, quick_check(data.file_sets()) if first and not plan else ())
    if plan is None:
        epoch_steps = data.epoch / wanted.batch_size
        used = dist.max_over_ranks(time.monotonic() - began)
        made = make_plan(
            config, device, size, epoch_steps, used, lambda p: make_trial_step(config, data.channels, p, device)
        )
        plan = dist.broadcast_from_main(lambda: made)  # the clocks of others go otherwise
        folder.remember(config, plan)
    return plan


def check_recipe(config: Config) -> None:
    """Check names and options of task and networks before any data is touched."""
    task = resolve(config.task, TASKS, "task")
    check_arguments(task, config.method, "method")
    Factory(config.generator, task.generators, "generator")
    Factory(config.discriminator, task.discriminators, "discriminator")


def check_sides(task: Task, size: int, crop: int) -> None:
    """Refuse a training size that the networks cannot take.

    Raises:
        OptionError: says which is near.
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
    """Build the task and its networks on `device`; the weights follow from the seed."""
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
    """Compile `net` in place, anew for each shape that it is given: merged calls have batches of several sizes.

    A network is frozen in one phase and learns in the other, and networks of a kind share their code: each of these is
    a graph of its own, made once.
    """
    torch._dynamo.config.recompile_limit = 64
    net.compile(dynamic=False)


def make_task(config: Config, channels: Mapping[str, int], size: int) -> Task:
    """Build the task and its networks for pictures of `size` px and so many `channels`."""
    task = TASKS[config.task]
    return task(
        Factory(config.generator, task.generators, "generator", size=size),
        Factory(config.discriminator, task.discriminators, "discriminator", size=size),
        channels,
        **config.method,
    )


def make_trial_step(
    config: Config, channels: Mapping[str, int], plan: Plan, device: torch.device
) -> Callable[[], object]:
    """Return one step of the real run, on noise and on networks that are thrown away."""
    task = build_task(config, channels, plan, device)
    optimizers = make_optimizers(task, config.train)
    step_on = make_step(task, optimizers, plan, config.train.clip, device)
    batch = noise_batch(channels, len(dist.local_indices(config.data.batch_size)), plan.crop)

    def step() -> None:
        step_on(batch_to_device(batch, device, channels_last=plan.channels_last))

    for _ in range((WARM_UP + 1) * plan.graph):  # those before the capture are no measure of it
        step()
    return step


def noise_batch(channels: Mapping[str, int], count: int, side: int) -> dict[str, torch.Tensor]:
    """Return a batch of what is no picture at all: uint8 (count, C, side, side), and labels (count,)."""
    return {
        name: torch.randint(many, (count,))
        if name == "label"
        else torch.randint(0, 256, (count, side, side, many), dtype=torch.uint8).permute(0, 3, 1, 2)
        for name, many in channels.items()
    }


def make_recipe(run: Run, step: int) -> Recipe:
    """Return the recipe of the model after `step` steps: all that a user of it needs."""
    config, plan, data = run.config, run.plan, run.data
    kind = TASKS[config.task].data
    return Recipe(
        task=config.task,
        nets={name: spec_of(net) for name, net in run.ema.nets.items()},
        domains=data.names,
        size=plan.size,
        preset=config.preset,
        steps=step,
        data=data.fingerprint,
        channels=data.channels,
        directions={"paired": (config.data.direction,), "unpaired": ("ab", "ba")}.get(kind, ()),
        whole=kind != "unpaired" and plan.crop == plan.size,
        facts=data.facts,
    )
