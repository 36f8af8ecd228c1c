"""Everything before the first step of a run: checks, data, plan, networks, state."""

__all__ = [
    "Run", "build_task", "check_recipe", "check_sides", "make_task", "make_trial_step", "noise_batch",
    "open_data_and_plan", "open_run",
]  # fmt: skip

import time
from collections.abc import Callable, Mapping

import torch
from torch import nn

from translate.checkpoints.recipe import Recipe
from translate.data.checks.quick_check import quick_check
from translate.data.datasets import TrainingData
from translate.data.loading.loader import Batches
from translate.networks.activation_checkpointing import checkpoint_activations
from translate.tasks import TASKS, Task
from translate.training.autotune import Plan, make_plan
from translate.training.config import Config
from translate.training.cuda_graph import WARM_UP
from translate.training.divergence import Diverged, DivergenceMonitor
from translate.training.ema import EMA
from translate.training.init_weights import init_weights
from translate.training.log import Log, Window
from translate.training.messages import print_header, print_note, print_notes
from translate.training.optim import make_optimizers
from translate.training.previews import Previews
from translate.training.run_folder import RunFolder
from translate.training.step import batch_to_device, make_step
from translate.utils import dist
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import Factory, check_arguments, resolve, spec_of
from translate.utils.memory import keep_freed_memory


class Run:
    """A run at its newest state, ready to train."""

    def __init__(
        self, config: Config, folder: RunFolder, data: TrainingData, plan: Plan, device: torch.device,
        divergence: Diverged | None = None,
    ) -> None:  # fmt: skip
        """Build networks, data and log, and load the newest state; lower the learning rate after a `divergence`.

        Raises:
            UserError: No state can be loaded, or the phase that diverged has a lowered rate already.
        """
        self.config, self.folder, self.data, self.plan, self.device = config, folder, data, plan, device
        # build the networks, equal on all ranks
        self.task = task = build_task(config, data.channels, plan, device)
        init_weights(task, config.train.init, folder)
        dist.broadcast_weights(task)
        # load the newest state
        self.optimizers, self.ema = make_optimizers(task, config.train), EMA(task, config.train.ema)
        window, self.monitor = Window(), DivergenceMonitor(task, plan.log_every)
        self.parts = {"task": task, "ema": self.ema, **self.optimizers, "log": window, "watch": self.monitor}
        self.start = start = folder.states.load(self.parts, device)  # steps done
        dist.assert_same_weights(nn.ModuleList([task, self.ema]), f"{folder.path}, step {start}")
        self.lowered = divergence is not None  # whether a phase has a lowered learning rate from `start` on
        if divergence:
            self._lower_learning_rate(divergence)
        print_header(config, plan, folder.path, device, start)
        # open data, previews and log at `start`
        stream = data.stream(crop=plan.crop, flip=config.data.flip, seed=config.train.seed)
        probe = batch_to_device(data.probe, device, channels_last=plan.channels_last)
        self.step = make_step(task, self.optimizers, plan, config.train.clip, device)
        self.batches = Batches(stream, config.data.batch_size, start=start, device=device)
        self.previews = Previews(task, self.ema, data, probe)
        self.log = Log(folder.path, start, plan.steps, config.data.batch_size, window)

    def _lower_learning_rate(self, divergence: Diverged) -> None:
        try:
            print_note(self.monitor.lower_rate(divergence, self.start))
        except Diverged as error:
            raise UserError(
                f"{error}; the state of step {self.start} is kept in {self.folder.path}. In a new --out, try half of "
                f"--train.lr {self.config.train.lr:g}, --train.clip 1 or --precision fp32"
            ) from None

    def recipe(self, step: int) -> Recipe:
        """Return the recipe of the model after `step` steps."""
        config, plan, data = self.config, self.plan, self.data
        kind = TASKS[config.task].data
        return Recipe(
            task=config.task, nets={name: spec_of(net) for name, net in self.ema.nets.items()}, domains=data.names,
            size=plan.size, preset=config.preset, steps=step, data=data.fingerprint, channels=data.channels,
            directions={"paired": (config.data.direction,), "unpaired": ("ab", "ba")}.get(kind, ()),
            whole=kind != "unpaired" and plan.crop == plan.size, facts=data.facts,
        )  # fmt: skip


def open_run(folder: RunFolder, config: Config) -> tuple[Plan | None, bool]:
    """Clean up `folder`; return the plan of the run in it, if any, and whether that run is complete."""
    plan = folder.read_plan(config)
    folder.remove_temporaries()
    return plan, plan is not None and folder.steps_done() >= plan.steps


def open_data_and_plan(
    config: Config, folder: RunFolder, data: TrainingData, plan: Plan | None, device: torch.device
) -> Plan:
    """Decode the data; return the plan, which is made and written to config.toml if the run has none yet."""
    keep_freed_memory(large=not config.train.checkpoint)
    began = time.monotonic()  # rendering and downloading of data sets, done by now, is no training time
    # refuse contradictory options before any picture is decoded
    options, channels = config.data, data.channels
    size = plan.size if plan else options.size or data.native_size()
    with torch.device("meta"):
        task = make_task(config, channels, size)
    check_sides(task, size, options.crop)
    # decode, the main process first
    main = dist.is_main_process()
    dist.main_process_first(
        lambda: data.open(folder.cache, size=size, zoom=options.zoom, square=options.square, progress=main)
    )
    print_notes(data, task, quick_check(data.file_sets()) if main and not plan else ())
    # plan, by the clock of the main process
    if plan is None:
        epoch_steps, used = data.epoch / options.batch_size, dist.max_over_ranks(time.monotonic() - began)
        local = make_plan(
            config, device, size, epoch_steps, used, lambda plan: make_trial_step(config, channels, plan, device)
        )
        plan = dist.broadcast_from_main(lambda: local)
        folder.write_config(config, plan)
    return plan


def check_recipe(config: Config) -> None:
    """Check the names and options of task and networks."""
    task = resolve(config.task, TASKS, "task")
    check_arguments(task, config.method, "method")
    Factory(config.generator, task.generators, "generator")
    Factory(config.discriminator, task.discriminators, "discriminator")


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
    """Return a function that takes one step of the real run, on noise and on scratch networks."""
    task = build_task(config, channels, plan, device)
    take = make_step(task, make_optimizers(task, config.train), plan, config.train.clip, device)
    batch = noise_batch(channels, len(dist.local_indices(config.data.batch_size)), plan.crop)

    def step() -> None:
        take(batch_to_device(batch, device, channels_last=plan.channels_last))

    for _ in range((WARM_UP + 1) * plan.graph):  # steps up to the capture are slower than those after
        step()
    return step


def noise_batch(channels: Mapping[str, int], count: int, side: int) -> dict[str, torch.Tensor]:
    """Return a random batch: uint8 (count, C, side, side), and labels (count,)."""
    return {
        name: torch.randint(number, (count,))
        if name == "label"
        else torch.randint(0, 256, (count, side, side, number), dtype=torch.uint8).permute(0, 3, 1, 2)
        for name, number in channels.items()
    }
