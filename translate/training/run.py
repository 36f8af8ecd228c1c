"""A run: its networks, data, log and everything else that changes from step to step."""

__all__ = ["Run"]

from dataclasses import replace

import torch
from torch import nn

from translate.checkpoints.model_file import write_model
from translate.checkpoints.recipe import Recipe
from translate.data.datasets import TrainingData
from translate.data.loading.loader import Batches
from translate.networks import EXPORTABLE
from translate.networks.features.load import features_of
from translate.tasks import TASKS
from translate.training.config import Config
from translate.training.ema import EMA
from translate.training.log import Log, Window, finite
from translate.training.monitors.divergence import Diverged, DivergenceMonitor
from translate.training.optim import make_optimizers
from translate.training.planning.plan import Plan
from translate.training.planning.time_budget import TimeBudget
from translate.training.previews import Previews
from translate.training.run_folder import RunFolder
from translate.training.scores.history import History
from translate.training.scores.power_ema import SNAPSHOTS, PowerAverages, remove_snapshots
from translate.training.scores.scoring import Scoring
from translate.training.setup import build_task
from translate.training.start.adaptation import adapt
from translate.training.start.init_weights import init_features, init_weights
from translate.training.start.messages import print_header, print_note
from translate.training.start.teacher import student_recipe
from translate.training.step import batch_to_device, make_step
from translate.utils import dist
from translate.utils.errors import UserError
from translate.utils.factory import spec_of
from translate.utils.files import WriteError
from translate.utils.terminal import console, escape

AT_ANY_SCALE = ("unpaired", "reduced")  # kinds of data whose models take pictures at their own size


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
        judges = init_weights(task, config.train.init, folder)
        self.adapter = adapt(task, config, folder, judges).adapter
        self.features = tuple(sorted({*features_of(task), *init_features(config.train.init)}))
        dist.broadcast_weights(task)
        # load the newest state
        self.optimizers, self.ema = make_optimizers(task, config.train), EMA(task, config.train.ema)
        batch = config.data.batch_size
        window, self.monitor = Window(), DivergenceMonitor(task, plan.log_every, plan.steps, batch)
        self.history = History()
        self.scoring = Scoring(config, task, self.ema, data, self.history, device)
        self.averages: PowerAverages | None = None
        if config.train.post_hoc and not self.scoring.why_none:
            self.averages = PowerAverages(task, folder.averages)
        self.parts = {
            "task": task, "ema": self.ema, **self.optimizers, "log": window, "watch": self.monitor,
            "scores": self.history, **({"averages": self.averages} if self.averages else {}),
        }  # fmt: skip
        self.start = start = folder.states.load(self.parts, device)  # steps done
        dist.assert_same_weights(nn.ModuleList([task, self.ema]), f"{folder.path}, step {start}")
        if self.averages and start and not self.averages.step:  # a state of an earlier version, or of other options
            self.averages = None
        remove_snapshots(folder.averages, after=start)
        self.lowered = divergence is not None  # whether a phase has a lowered learning rate from `start` on
        if divergence:
            self._lower_learning_rate(divergence)
        print_header(config, plan, folder.path, device, start)
        # open data, previews and log at `start`
        stream = data.stream(crop=plan.crop, flip=config.data.flip, seed=config.train.seed)
        probe = batch_to_device(data.probe, device, channels_last=plan.channels_last)
        self.step = make_step(task, self.optimizers, plan, config.train.clip, device)
        self.batches = Batches(stream, batch, start=start, device=device)
        self.previews = Previews(task, self.ema, data, probe, plan.steps, batch)
        self.log = Log(folder.path, start, plan.steps, batch, window)
        self.budget = TimeBudget(config.train.minutes, plan, device)
        self.best_written: int | None = None  # step of the best weights that this process has written
        if self.scoring.why_none and config.train.evaluations:
            print_note(f"no scores while training: {self.scoring.why_none}; the last weights are the result")

    def _lower_learning_rate(self, divergence: Diverged) -> None:
        try:
            print_note(self.monitor.lower_rate(divergence, self.start))
        except Diverged as error:
            raise UserError(
                f"{error}; the state of step {self.start} is kept in {self.folder.path}. In a new --out, try half of "
                f"--train.lr {self.config.train.lr:g}, --train.clip 1 or --precision fp32"
            ) from None

    def average(self, done: int) -> None:
        """Update the averages whose length is chosen after the run; keep a snapshot, if that is due."""
        if self.averages is None or not self.plan.evaluations:
            return
        self.averages.update(done)
        if dist.is_main_process() and self.plan.stretch_at(done - 1).passes(done, SNAPSHOTS):
            self.averages.write_snapshot()

    @dist.on_main_process
    def conclude(self) -> None:
        """Choose an average after the last step and write it; print which weights to use."""
        step = self.plan.steps
        if self.averages and (average := self.scoring.choose_average(step, self.averages, self.log)):
            scores = {**finite(average.score.numbers), "length": average.length}
            recipe = replace(self.recipe(average.step), scores=scores)
            try:
                write_model(average.weights, recipe, self.folder.average)
            except WriteError as error:  # a finished run must not fail for an extra
                print_note(f"no average: {error}")
        remove_snapshots(self.folder.averages)
        for line in self.scoring.conclude(step, self.log):
            console.print(f"step {step}: {escape(line)}", soft_wrap=True)

    def score(self, done: int) -> None:
        """Score the averaged networks after `done` steps, if that is due; the plan may end here for it."""
        if not self.scoring.is_due(done, self.plan.stretch_at(done - 1), self.plan):
            return
        self.plan = dist.broadcast_from_main(lambda: self._score(done))
        if self.plan.steps == done:
            self.log.change_length(done)

    def _score(self, done: int) -> Plan:
        """Return the plan after a score; if it is another, it is in config.toml."""
        with dist.as_single_process():
            plan = self.scoring.run(done, self.plan, self.log)
        return self._write_plan(plan) if plan != self.plan else plan

    def _write_plan(self, plan: Plan) -> Plan:
        """Write `plan` into config.toml and return it; on a full disk, return the plan so far: there will be others."""
        try:
            self.folder.write_config(self.config, plan)
        except WriteError:
            return self.plan
        return plan

    def keep_to_minutes(self, done: int) -> None:
        """Correct the plan after `done` steps, if the run would not end after its minutes."""
        old, self.plan = self.plan, dist.broadcast_from_main(lambda: self._review_plan(done))
        if self.plan != old:
            self.log.change_length(self.plan.steps)
            self.previews.steps = self.plan.steps
            if words := self.budget.describe(self.plan, old, done):
                print_note(f"step {done}: {words}")

    def _review_plan(self, done: int) -> Plan:
        """Return the plan, corrected if necessary and then in config.toml."""
        return self._write_plan(self.budget.review(self.plan, done, self.plan.spent + self.log.seconds))

    def recipe(self, step: int) -> Recipe:
        """Return the recipe of the model after `step` steps."""
        scored = self.history.at(step)
        config, plan, data = self.config, self.plan, self.data
        kind, directions = self.task.data, self.task.directions
        if kind not in ("paired", "unpaired"):
            directions = ()
        elif kind == "paired" and len(directions) == 1:
            directions = (config.data.direction,)
        nets = {name: spec_of(net) for name, net in self.ema.nets.items()}
        origins = [TASKS.origin(config.task), *(EXPORTABLE.origin(spec["name"]) for spec in nets.values())]
        recipe = Recipe(
            task=config.task, nets=nets, domains=data.names,
            size=plan.size, preset=config.preset, steps=step, data=data.fingerprint,
            channels={key: count for key, count in data.channels.items() if key != "paired"},
            directions=directions, whole=kind not in AT_ANY_SCALE and plan.crop == plan.size, facts=data.facts,
            features=self.features, scores=finite(scored.score.numbers) if scored else {},
            adapter=self.adapter,
            plugins=tuple(sorted({origin.plugin for origin in origins if origin.plugin})),
        )  # fmt: skip
        return student_recipe(recipe, self.task, config.method)
