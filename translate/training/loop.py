"""The training loop, the same for every task."""

__all__ = ["train"]

from functools import partial
from pathlib import Path

import torch

from translate.checkpoints.calibrate import calibrate_run
from translate.checkpoints.model_file import export_model, write_model
from translate.data.catalog.root import data_root
from translate.data.datasets import TRAINING_DATA, TrainingData
from translate.tasks import TASKS
from translate.training.callbacks import Callbacks, OnPreview, OnStep, StopTraining
from translate.training.config import Config
from translate.training.monitors.divergence import Diverged, check_finite
from translate.training.optim import lr_at, set_lr
from translate.training.planning.time_budget import restore_threads, set_threads
from translate.training.previews import is_preview
from translate.training.run import Run
from translate.training.run_folder import RunFolder
from translate.training.setup import check_recipe, open_data_and_plan, open_run
from translate.training.start.features import settle_features
from translate.training.start.messages import print_note
from translate.training.start.teacher import settle_teacher
from translate.training.states import SaveSchedule
from translate.training.step import batch_to_device, seed_step
from translate.utils import dist
from translate.utils.device import pick_device
from translate.utils.errors import OptionError, short_repr
from translate.utils.signals import Stopped, StopRequest, stop_at_once
from translate.utils.terminal import console, escape


def train(
    config: Config, *, extend: bool = False, on_step: OnStep | None = None, on_preview: OnPreview | None = None
) -> Path:
    """Train, or resume, the run that `config` describes; return its folder.

    The folder holds model.safetensors, for `Translator.load` or `Sampler.load`, metrics.jsonl with the losses, sample
    grids in samples/, and the state from which the same call resumes, bit for bit. In a notebook, a bar and the newest
    sample grid are shown below the cell.

    What a callback returns is logged if it is a mapping of names to numbers: the numbers of `on_step` as means in the
    next line of metrics.jsonl and TensorBoard, those of `on_preview` in a line of their own. A resumed run has each
    line once. Numbers that are not finite are left out. In several processes, the main process alone calls.

    What a callback raises ends training: the run is saved after this step, and the exception goes on to the caller.
    `StopTraining` does not: then `train` returns the folder, and the same call would go on from this step.

    Args:
        config: The configuration, from `load_config`.
        extend: Make the run in the folder longer, to the length in `config`, and accept pictures that have changed.
        on_step: Called as `on_step(step, terms)` after each step, 1 being the first. `terms` are the losses by
            "phase/term", tensors on the device: a callback that reads none does not make the device wait, `float` of
            one does. The next step may overwrite them; keep `float(term)` or `term.clone()`.
        on_preview: Called as `on_preview(step, preview)` after each sample grid, a `Preview`: `preview.path` is its
            file, `preview.grid` the array (H, W, 3) uint8 in it, and `preview.rows` the pictures.

    Raises:
        InUseError: Another process trains in this folder.
        UserError: The data, the folder or an option is unusable, a callback returned numbers by a wrong name or type,
            or training diverged twice.
        Stopped: SIGINT (a notebook's stop button), SIGTERM or SIGUSR1 was received, and the run is saved.
    """
    if not isinstance(config, Config):
        raise OptionError(f"train takes a configuration from load_config, got {short_repr(config)}")
    callbacks = Callbacks(on_step, on_preview)
    with stop_at_once():
        # find the data and the run folder
        check_recipe(config)
        device = dist.init(pick_device(config.train.device), config.data.batch_size)
        console.quiet = not dist.is_main_process()
        data = dist.main_process_first(lambda: TRAINING_DATA[TASKS[config.task].data](config.data, data_root()))
        folder = RunFolder(
            Path(config.out or f"runs/{data.title}{TASKS[config.task].run_suffix}").expanduser(), config.train.keep
        )
        with folder.lock():
            train_in_folder(config, folder, data, device, callbacks, extend=extend)
    return folder.path


def train_in_folder(
    config: Config, folder: RunFolder, data: TrainingData, device: torch.device, callbacks: Callbacks, *, extend: bool
) -> None:
    """Train, or resume, the run in `folder`, which is locked; after a divergence again from the newest state."""
    config = dist.broadcast_from_main(lambda: settle_teacher(settle_features(config, folder)))
    opened = dist.broadcast_from_main(lambda: open_run(folder, config, data, extend=extend))
    plan = opened.plan
    if plan and opened.complete:
        console.print(f"[bold]{escape(str(folder.path))}[/] is complete: {plan.steps} steps", soft_wrap=True)
    else:
        plan = open_data_and_plan(config, folder, data, opened, device)
        run = Run(config, folder, data, plan, device)
        try:
            while divergence := run_steps(run, callbacks):
                run = Run(config, folder, data, run.plan, device, divergence)
        except StopTraining:
            folder.delete_cache()
            print_note(f"{folder.path}: a callback has stopped the run, which is saved; the same call would go on")
            return
        plan = run.plan
    folder.delete_cache()
    if dist.is_main_process():
        calibrate_run(folder.path)
    if verdict := folder.read_verdict():
        console.print(f"step {plan.steps}: {escape(str(verdict))}", soft_wrap=True)


def run_steps(run: Run, callbacks: Callbacks) -> Diverged | None:
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
                run.average(done)
                # monitor, score, log, preview, save
                run.log.add(terms, callbacks.after_step(done, terms))
                run.monitor.add(step, terms)
                run.score(done)
                log_losses(run, done)
                if is_preview(done, part, config.previews, early=run.task.from_latents, last=done == run.plan.steps):
                    run.previews.show(run.log, done, callbacks, at_chance=run.monitor.at_chance)
                finish_step(run, saves, stop, callbacks, done)
            run.conclude()
        except Diverged as divergence:
            if callbacks.error:
                raise callbacks.error from None
            if dist.any_rank(stop.requested)[0]:
                raise Stopped(f"stopped at step {done} of {run.plan.steps}; run the same command to go on") from None
            return divergence.with_traceback(None)  # the frames of the traceback would keep the networks alive
    return None


def log_losses(run: Run, done: int) -> None:
    """Check the losses and write them to the log, every `log_every` steps and after the last.

    Raises:
        Diverged: The losses are not finite, or explode.
    """
    if done % run.plan.log_every and done < min(run.plan.stretch_at(done - 1).end, run.plan.steps):
        return
    findings = run.monitor.check(done)
    if run.monitor.idle and run.previews.returns_input:  # then D is not to blame, and the previews say so
        findings = [finding for finding in findings if finding.kind != "blind_d"]
    lr = lr_at(*run.plan.place_of(done - 1), run.config.train)
    run.log.write(done, lr=lr, waited=run.batches.waited, factors=run.monitor.factors)
    run.log.report(done, findings)


def finish_step(run: Run, saves: SaveSchedule, stop: StopRequest, callbacks: Callbacks, done: int) -> None:
    """Save the run if a save is due, the run is complete or a stop is requested; else keep it to its minutes.

    Raises:
        Diverged: A loss, a weight or an average is not finite; nothing was saved.
        Stopped: A stop was requested, and the run is saved.
        BaseException: A callback raised it, and the run is saved; SystemExit on the other ranks.
    """
    # agree with the other ranks
    last, early = done == run.plan.steps, isinstance(callbacks.error, StopTraining)
    stopping, failed, early, due, reviewed = dist.any_rank(
        stop.requested and not last, callbacks.error is not None and not early, early,
        last or (saves.is_due and run.monitor.no_spike), run.budget.is_due and not last,
    )  # fmt: skip
    if reviewed:
        run.keep_to_minutes(done)
    # save
    must = stopping or failed or early or last
    if must or due:
        run.monitor.check(done)
        check_finite(done, run.task, run.ema, run.optimizers)
        dist.assert_same_weights(run.task, f"step {done}")
        saves.save(done, must=must)
    # stop
    if failed:
        raise callbacks.error or SystemExit(1)
    if early and not last:
        raise StopTraining
    if stopping:
        raise Stopped(f"saved at step {done} of {run.plan.steps}; run the same command to go on")


@dist.on_main_process
def save(run: Run, step: int) -> None:
    """Write the log, the state after `step` steps and the model, in this order."""
    run.log.flush()
    if step == run.plan.steps:
        run.previews.write_film(run.folder.samples)
        run.folder.write_verdict(run.previews.judge(step, at_chance=run.monitor.at_chance))
    run.folder.states.save(step, run.parts)
    export_best(run)
    export_model(run.ema.nets, run.recipe(step), run.folder.model)


def export_best(run: Run) -> None:
    """Write the best weights so far, unless this run has written them; remove those of steps that were taken back."""
    best, weights = run.history.best, run.history.weights
    if best is None or weights is None:
        if run.config.train.keep_best:
            run.folder.best.unlink(missing_ok=True)
    elif run.best_written != best.step:
        write_model(weights, run.recipe(best.step), run.folder.best)
        run.best_written = best.step
