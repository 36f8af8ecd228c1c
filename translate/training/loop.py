"""The training loop, the same for every task."""

__all__ = ["build_task", "train"]

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import nn
from torch.optim import Optimizer

from translate.checkpoints.model_file import Recipe, export_model
from translate.data.checks.quick_check import quick_check
from translate.data.datasets import TRAINING_DATA, TrainingData
from translate.data.loading.loader import Batches
from translate.networks.activation_checkpointing import checkpoint_activations
from translate.tasks import TASKS, Task
from translate.training.autotune import Plan, make_plan
from translate.training.config import Config
from translate.training.cuda_graph import WARM_UP, CapturedStep, Step, forget_graph
from translate.training.divergence import Diverged, DivergenceMonitor, Trouble, check_finite
from translate.training.ema import EMA
from translate.training.init_weights import start_from
from translate.training.log import Log, Window
from translate.training.optim import lr_at, make_optimizers, set_lr
from translate.training.previews import Previews, is_preview
from translate.training.run_folder import RunFolder
from translate.training.states import SaveSchedule
from translate.training.step import seed_step, to_device, train_step
from translate.utils import dist
from translate.utils.device import pick_device
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import Factory, check_arguments, resolve, spec_of
from translate.utils.memory import keep_freed_memory
from translate.utils.signals import Stopped, StopRequest, stop_at_once
from translate.utils.terminal import console, escape


def train(config: Config) -> Path:
    """Train, or go on training, the run that `config` describes; return its folder.

    Raises:
        UserError: The data, the folder or an option is not as it should be, or training went wrong twice.
        Stopped: SIGINT, SIGTERM or SIGUSR1 came; everything is saved.
    """
    with stop_at_once():
        check_recipe(config)
        device = dist.init(pick_device(config.train.device), config.data.batch_size)
        console.quiet = not dist.is_main_process()
        data = dist.main_process_first(lambda: TRAINING_DATA[TASKS[config.task].data](config.data, Path("data")))
        folder = RunFolder(Path(config.out or f"runs/{data.title}").expanduser(), config.train.keep)
        plan, complete = dist.broadcast_from_main(lambda: open_run(folder, config))
        if plan and complete:
            console.print(f"[bold]{escape(str(folder.path))}[/] is complete: {plan.steps} steps", soft_wrap=True)
        else:
            plan = open_data_and_plan(config, folder, data, plan, device)
            trouble = None
            while trouble := run(config, folder, data, plan, device, trouble):
                pass  # it went back to its newest state, from which it goes on as a resumed run does
        folder.forget_cache()
    return folder.path


def open_run(folder: RunFolder, config: Config) -> tuple[Plan | None, bool]:
    """Tidy up `folder`; return the plan of the run in it, if there is one, and whether it is complete."""
    plan = folder.recall(config)
    folder.sweep()
    return plan, plan is not None and folder.steps_done() >= plan.steps


def run(
    config: Config, folder: RunFolder, data: TrainingData, plan: Plan, device: torch.device, trouble: Trouble | None
) -> Trouble | None:
    """Take the steps of `plan` from the newest state on, after which there was `trouble`; return what goes wrong now.

    What belongs to a step is written before its state: a kill in between costs the step, and never a line of the log.
    """
    task = build_task(config, data.channels, plan, device)
    start_from(task, config.train.init, folder)
    dist.broadcast_weights(task)
    optimizers, ema = make_optimizers(task, config.train), EMA(task, config.train.ema)
    window, watch = Window(), DivergenceMonitor(task, plan.log_every)
    parts = {"task": task, "ema": ema, **optimizers, "log": window, "watch": watch}
    start = folder.states.load(parts, device)
    dist.assert_same_weights(nn.ModuleList([task, ema]), f"{folder.path}, step {start}")
    decided = lower_learning_rate(watch, trouble, start, config, folder)
    print_header(config, plan, folder, device, start)
    stream = data.stream(crop=plan.crop, flip=config.data.flip, seed=config.train.seed)
    step_on = make_step(task, optimizers, plan, config.train.clip, device)
    batches = Batches(stream, config.data.batch_size, start=start, device=device)
    previews = Previews(task, ema, data, to_device(data.probe, device, channels_last=plan.channels_last))

    @dist.on_main_process
    def save(step: int) -> None:
        log.flush()
        if step == plan.steps:
            previews.film(folder.samples)
        folder.states.save(step, parts)
        export_model(ema.nets, make_recipe(config, plan, data, ema.nets, step), folder.model)

    with Log(folder.path, start, plan.steps, config.data.batch_size, window) as log, StopRequest() as stop:
        saves = SaveSchedule(save, config.train.save_minutes, start)
        if decided or start == plan.steps:
            saves(start, now=True)  # what was decided; or it was killed after its last state and before its model
        try:
            for step, batch in zip(range(start, plan.steps), batches, strict=False):
                seed_step(config.train.seed, step)
                task.at(step / plan.steps)
                set_lr(optimizers, lr := lr_at(step, plan.steps, config.train), config.train, watch.factors)
                terms = step_on(to_device(batch, device, channels_last=plan.channels_last))
                log.add(terms)
                watch.add(step, terms)
                ema.update(task, step)
                done, last = step + 1, step + 1 == plan.steps
                if last or done % plan.log_every == 0:
                    judge_and_log(watch, log, done, lr, batches.waited)
                if is_preview(done, plan.steps, config.train.previews, early=task.whole_probe):
                    previews.show(log, done)
                stopping, due = dist.any_rank(stop.requested and not last, last or (saves.due and watch.calm))
                if stopping or due:
                    watch.check(done)
                    check_finite(done, task, ema, optimizers)  # as `check`, it raises Diverged, so nothing bad is saved
                    dist.assert_same_weights(task, f"step {done}")
                    saves(done, now=stopping or last)
                if stopping:
                    raise Stopped(f"saved at step {done} of {plan.steps}; run the same command to go on")
        except Diverged as error:
            raise_if_stopped(stop, done, plan.steps)
            return error.trouble
    return None


def raise_if_stopped(stop: StopRequest, done: int, steps: int) -> None:
    """Grant a stop where there is nothing good to save.

    Raises:
        Stopped: It was asked for.
    """
    if dist.any_rank(stop.requested)[0]:
        raise Stopped(f"stopped at step {done} of {steps}; run the same command to go on") from None


def judge_and_log(watch: DivergenceMonitor, log: Log, done: int, lr: float, waited: float) -> None:
    """Judge the losses up to step `done`, then log them.

    Raises:
        Diverged: They are not what can be gone on from.
    """
    told = watch.check(done)
    log.write(done, lr=lr, waited=waited, factors=watch.factors)
    log.say(done, told)


def lower_learning_rate(
    watch: DivergenceMonitor, trouble: Trouble | None, since: int, config: Config, folder: RunFolder
) -> bool:
    """Let the phase that went wrong, if any, learn more slowly from step `since` on, and say so; return whether.

    Raises:
        UserError: It does so already.
    """
    if not trouble:
        return False
    try:
        told = watch.lower(trouble, since)
    except Diverged as error:
        raise UserError(
            f"{error}; the state of step {since} is kept in {folder.path}. In a new --out, try half of "
            f"--train.lr {config.train.lr:g}, --train.clip 1 or --precision fp32"
        ) from None
    console.print(f"[yellow]note[/] {escape(told)}", soft_wrap=True)
    return True


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


def check_recipe(config: Config) -> None:
    """Check names and options of task and networks before any data is touched."""
    task = resolve(config.task, TASKS, "task")
    check_arguments(task, config.method, "method")
    Factory(config.generator, task.generators, "generator")
    Factory(config.discriminator, task.discriminators, "discriminator")


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
        step_on(to_device(batch, device, channels_last=plan.channels_last))

    for _ in range((WARM_UP + 1) * plan.graph):  # those before the capture are no measure of it
        step()
    return step


def make_step(task: Task, optimizers: Mapping[str, Optimizer], plan: Plan, clip: float, device: torch.device) -> Step:
    """Return what takes a step of `plan`: a batch on `device` in, its loss terms out."""

    def step(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return train_step(task, batch, optimizers, precision=plan.precision, clip=clip)

    if plan.graph and device.type == "cuda":
        return CapturedStep(step, optimizers.values(), device)
    forget_graph(optimizers.values())
    return step


def noise_batch(channels: Mapping[str, int], count: int, side: int) -> dict[str, torch.Tensor]:
    """Return a batch of what is no picture at all: uint8 (count, C, side, side), and labels (count,)."""
    return {
        name: torch.randint(many, (count,))
        if name == "label"
        else torch.randint(0, 256, (count, side, side, many), dtype=torch.uint8).permute(0, 3, 1, 2)
        for name, many in channels.items()
    }


def make_recipe(config: Config, plan: Plan, data: TrainingData, nets: nn.ModuleDict, step: int) -> Recipe:
    """Write down all that a user of the model needs."""
    kind = TASKS[config.task].data
    return Recipe(
        task=config.task,
        nets={name: spec_of(net) for name, net in nets.items()},
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


def print_notes(data: TrainingData, task: Task, found: Sequence[str] = ()) -> None:
    """Tell of files and losses that are left out, of what looks odd, and of domains too small to learn from."""
    for line in (*data.notes, *task.notes, *found):
        console.print(f"[yellow]note[/] {escape(line)}", soft_wrap=True)
    for line in data.skipped[:5]:
        console.print(f"[yellow]skipped[/] {escape(line)}", soft_wrap=True)
    if len(data.skipped) > 5:
        console.print(f"[yellow]skipped[/] {len(data.skipped) - 5} more files that cannot be read", soft_wrap=True)
    for name, count in data.counts.items():
        if count < 10:
            small = f"{escape(name)} has {count} picture(s) to train on: the model will memorise them"
            console.print(f"[yellow]note[/] {small}", soft_wrap=True)


def print_header(config: Config, plan: Plan, folder: RunFolder, device: torch.device, start: int) -> None:
    """Say what is about to run, and with which settings."""
    doing = f"resuming at step {start} of {plan.steps}" if start else f"{plan.steps} steps"
    console.print(
        f"[bold]{escape(str(folder.path))}[/]: {config.task}, preset {config.preset}, {doing}, "
        f"batch {config.data.batch_size}, {plan.crop} px crops of {plan.size} px pictures, "
        f"{device}, {plan.manner}",
        soft_wrap=True,
    )
    if plan.tried and not start:
        console.print(f"a step took: {plan.tried}", soft_wrap=True)
