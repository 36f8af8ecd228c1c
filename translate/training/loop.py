"""The training loop, the same for every task."""

__all__ = ["train"]

from functools import partial
from pathlib import Path

import torch

from translate.checkpoints.model_file import export_model
from translate.data.catalog.root import data_root
from translate.data.datasets import TRAINING_DATA, TrainingData
from translate.tasks import TASKS
from translate.training.config import Config
from translate.training.divergence import Diverged, check_finite
from translate.training.optim import lr_at, set_lr
from translate.training.planning.time_budget import restore_threads, set_threads
from translate.training.previews import is_preview
from translate.training.run_folder import RunFolder
from translate.training.setup import Run, check_recipe, open_data_and_plan, open_run
from translate.training.states import SaveSchedule
from translate.training.step import batch_to_device, seed_step
from translate.utils import dist
from translate.utils.device import pick_device
from translate.utils.signals import Stopped, StopRequest, stop_at_once
from translate.utils.terminal import console, escape


def train(config: Config, *, extend: bool = False) -> Path:
    """Train, or resume, the run that `config` describes; return its folder.

    Args:
        config: The configuration.
        extend: Make the run in the folder longer, to the length in `config`, and accept pictures that have changed.

    Raises:
        InUseError: Another process trains in this folder.
        UserError: The data, the folder or an option is unusable, or training diverged twice.
        Stopped: SIGINT, SIGTERM or SIGUSR1 was received, and the run is saved.
    """
    with stop_at_once():
        # find the data and the run folder
        check_recipe(config)
        device = dist.init(pick_device(config.train.device), config.data.batch_size)
        console.quiet = not dist.is_main_process()
        data = dist.main_process_first(lambda: TRAINING_DATA[TASKS[config.task].data](config.data, data_root()))
        folder = RunFolder(Path(config.out or f"runs/{data.title}").expanduser(), config.train.keep)
        with folder.lock():
            train_in_folder(config, folder, data, device, extend=extend)
    return folder.path


def train_in_folder(
    config: Config, folder: RunFolder, data: TrainingData, device: torch.device, *, extend: bool
) -> None:
    """Train, or resume, the run in `folder`, which is locked; after a divergence again from the newest state."""
    opened = dist.broadcast_from_main(lambda: open_run(folder, config, data, extend=extend))
    plan = opened.plan
    if plan and opened.complete:
        console.print(f"[bold]{escape(str(folder.path))}[/] is complete: {plan.steps} steps", soft_wrap=True)
    else:
        plan = open_data_and_plan(config, folder, data, opened, device)
        run = Run(config, folder, data, plan, device)
        while divergence := run_steps(run):
            run = Run(config, folder, data, run.plan, device, divergence)
        plan = run.plan
    folder.delete_cache()
    if verdict := folder.read_verdict():
        console.print(f"step {plan.steps}: {escape(str(verdict))}", soft_wrap=True)


def run_steps(run: Run) -> Diverged | None:
    """Train until the plan is complete or training diverges; return the divergence, if any.

    The log and the samples of a step are written before its state, so that a kill in between loses no line of the log.
    """
    config = run.config.train
    with run.log, StopRequest() as stop, restore_threads() as most_threads:
        saves = SaveSchedule(partial(save, run), config.save_minutes, run.start)
        if run.lowered or run.start == run.plan.steps:  # keep the lowered rate, or write the missing model
            saves.save(run.start, must=True)
        try:
            done, batches = run.start, iter(run.batches)
            while done < run.plan.steps:
                step, done, part = done, done + 1, run.plan.stretch_at(done)
                # set everything that depends on the step alone
                seed_step(config.seed, step)
                set_threads(part.threads, most_threads)
                run.task.set_progress(run.plan.progress_at(step, monotone=run.task.monotone_progress))
                set_lr(run.optimizers, lr_at(*run.plan.place_of(step), config), config, run.monitor.factors)
                # update the networks of every phase, and the average
                terms = run.step(batch_to_device(next(batches), run.device, channels_last=run.plan.channels_last))
                run.ema.update(run.task, step)
                # monitor, log, preview, save
                run.log.add(terms)
                run.monitor.add(step, terms)
                log_losses(run, done)
                if is_preview(done, part, config.previews, early=run.task.from_latents):
                    run.previews.show(run.log, done)
                finish_step(run, saves, stop, done)
        except Diverged as divergence:
            if dist.any_rank(stop.requested)[0]:
                raise Stopped(f"stopped at step {done} of {run.plan.steps}; run the same command to go on") from None
            return divergence.with_traceback(None)  # the frames of the traceback would keep the networks alive
    return None


def log_losses(run: Run, done: int) -> None:
    """Check the losses and write them to the log, every `log_every` steps and after the last.

    Raises:
        Diverged: The losses are not finite, or explode.
    """
    if done % run.plan.log_every and done < run.plan.stretch_at(done - 1).end:
        return
    findings = run.monitor.check(done)
    lr = lr_at(*run.plan.place_of(done - 1), run.config.train)
    run.log.write(done, lr=lr, waited=run.batches.waited, factors=run.monitor.factors)
    run.log.report(done, findings)


def finish_step(run: Run, saves: SaveSchedule, stop: StopRequest, done: int) -> None:
    """Save the run if a save is due, the run is complete or a stop is requested; else keep it to its minutes.

    Raises:
        Diverged: A loss, a weight or an average is not finite; nothing was saved.
        Stopped: A stop was requested, and the run is saved.
    """
    last = done == run.plan.steps
    stopping, due, reviewed = dist.any_rank(
        stop.requested and not last, last or (saves.is_due and run.monitor.no_spike), run.budget.is_due and not last
    )
    if reviewed:
        run.keep_to_minutes(done)
    if stopping or due:
        run.monitor.check(done)
        check_finite(done, run.task, run.ema, run.optimizers)
        dist.assert_same_weights(run.task, f"step {done}")
        saves.save(done, must=stopping or last)
    if stopping:
        raise Stopped(f"saved at step {done} of {run.plan.steps}; run the same command to go on")


@dist.on_main_process
def save(run: Run, step: int) -> None:
    """Write the log, the state after `step` steps and the model, in this order."""
    run.log.flush()
    if step == run.plan.steps:
        run.previews.write_film(run.folder.samples)
        run.folder.write_verdict(run.previews.judge(step))
    run.folder.states.save(step, run.parts)
    export_model(run.ema.nets, run.recipe(step), run.folder.model)
