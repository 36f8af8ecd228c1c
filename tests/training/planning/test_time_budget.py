import json
import math
import os
import subprocess
import sys
import tomllib

import psutil
import pytest
import torch

from tests.training.test_loop import assert_same, everything, make_config, stop_after
from translate.training.loop import train
from translate.training.planning import time_budget
from translate.training.planning.plan import Plan, Stretch
from translate.training.planning.time_budget import OtherPrograms, TimeBudget, use_free_threads
from translate.utils.files import WriteError

CPU = torch.device("cpu")
PLAN = Plan(size=32, crop=32, steps=1000, precision="fp32", channels_last=False, compile=False, log_every=5)


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self):
        return self.now


class Others:
    """Other programs, with a given number of free threads."""

    free = 2

    def free_threads(self, most):
        return min(most, self.free)


@pytest.fixture
def two_threads(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)


def simulate(plan, minutes, pace_of):
    """Run `plan` for `minutes` on a simulated machine; return its last plan, its seconds, and the progress by step."""
    clock, others = Clock(), Others()
    budget, done, progress = TimeBudget(minutes, plan, CPU, others, clock), 0, []
    while done < plan.steps:
        progress.append(plan.progress_at(done))
        seconds, others.free = pace_of(clock.now, plan.stretch_at(done).threads or 2)
        clock.now, done = clock.now + seconds, done + 1
        if budget.is_due and done < plan.steps:
            plan = budget.review(plan, done, clock.now)
    return plan, clock.now, progress


def quiet(now, threads):
    return 0.12, 2


def busy(now, threads):
    return (10.0 if threads == 2 else 0.2), 1


def busy_at_first(now, threads):
    return busy(now, threads) if now < 60 else ({1: 0.2, 2: 0.12}[threads], 2)


@pytest.mark.parametrize(("pace_of", "steps"), [(quiet, 1470), (busy, 850), (busy_at_first, 1200)])
def test_a_run_fills_its_minutes_on_any_machine(two_threads, pace_of, steps):
    plan, seconds, progress = simulate(PLAN, 3.0, pace_of)
    assert seconds == pytest.approx(180, rel=0.03)
    assert plan.steps == pytest.approx(steps, rel=0.05)
    # the schedule runs through, without jumps
    rises = [after - before for before, after in zip(progress, [*progress[1:], 1.0], strict=True)]
    assert progress[0] == 0 and min(rises) > 0 and max(rises) < 20 / 1000


def test_a_machine_as_planned_is_left_alone(two_threads):
    plan, seconds, _ = simulate(PLAN, 3.0, lambda now, threads: (0.174, 2))
    assert plan == PLAN and seconds == pytest.approx(174)


def test_corrections_continue_the_schedule_where_it_is():
    plan = PLAN.correct(400, 200, 1)
    assert plan.stretches == (Stretch(0, 0, 1000, 1000), Stretch(200, 200, 1000, 400, 1))
    assert [plan.place_of(step) for step in (100, 200, 300, 399, 400)] == [
        (100, 1000), (200, 1000), (600, 1000), (996, 1000), (1000, 1000),
    ]  # fmt: skip
    again = plan.correct(500, 300)
    assert again.place_of(300) == (600, 1000) and again.place_of(400) == (800, 1000)
    assert again.progress_at(150) == PLAN.progress_at(150) == 0.15
    # an extension has the schedule of an unbroken run of its length
    assert again.extend(800, 500).place_of(600) == (600, 800)


def test_other_programs_are_seen(monkeypatch):
    """Two of four cores are busy for ten seconds, and a fifth of a third."""
    fields = dict.fromkeys(psutil.cpu_times()._fields, 0.0)
    used = type(psutil.cpu_times())(**fields)
    monkeypatch.setattr(psutil, "cpu_count", lambda: 4)
    monkeypatch.setattr(psutil, "cpu_times", lambda: used)
    clock = Clock()
    monkeypatch.setattr(time_budget.time, "monotonic", clock)
    own = [5.0]
    monkeypatch.setattr(time_budget.time, "process_time", lambda: own[0])
    others = OtherPrograms()
    clock.now, own[0] = 10.0, 23.0
    used = type(used)(**fields | {"user": 36.0, "system": 2.0, "idle": 9.0, "steal": 2.0})
    assert others.free_threads(4) == 2
    clock.now, own[0] = 20.0, 63.0
    used = type(used)(**fields | {"user": 76.0, "system": 2.0, "idle": 19.0, "steal": 2.0})
    assert others.free_threads(4) == 4


def test_a_spinning_process_is_seen():
    """By the real counters of the system, beside whatever else runs."""
    others = OtherPrograms()
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        before = process_seconds(process.pid)
        busy_cores = others.busy_cores()
        spent = process_seconds(process.pid) - before
        process.kill()
    assert busy_cores > spent / 2 > 0


def process_seconds(pid):
    return sum(psutil.Process(pid).cpu_times()[:2])


@pytest.mark.parametrize(("free", "threads"), [(2, 0), (1, 1)])
def test_planning_uses_the_free_threads(two_threads, monkeypatch, tiny, two_folders, tmp_path, free, threads):
    calls = []
    monkeypatch.setattr(torch, "set_num_threads", calls.append)
    others = Others()
    others.free = free
    config = make_config(two_folders, tmp_path, tiny, train={"minutes": 1.0, "steps": 0}).train
    with use_free_threads(config, CPU, others) as count:
        assert count == threads
    assert calls == {1: [1, 2], 2: [2]}[free]  # and all again in the end
    fixed = make_config(two_folders, tmp_path, tiny, train={"steps": 5}).train
    with use_free_threads(fixed, CPU, others) as count:
        assert count == 0  # a run of given steps has the same bits, loaded machine or not
    assert PLAN.correct(PLAN.steps, 0, threads).stretch_at(7).threads == threads


def test_a_corrected_run_is_resumed_exactly(two_folders, tmp_path, tiny, monkeypatch):
    """The corrections of the first run are those of the second, as if both machines had been equally busy."""
    lengths = {3: 14, 6: 9, 8: 11}  # after the step: the new number of steps

    def review(self, plan, done, used):
        return plan.correct(lengths[done], done) if done in lengths else plan

    monkeypatch.setattr(TimeBudget, "is_due", property(lambda self: True))
    monkeypatch.setattr(TimeBudget, "review", review)
    monkeypatch.setattr("translate.training.setup.make_plan", lambda *args: small_plan())
    change = {"train": {"minutes": 1.0, "steps": 0, "log_every": 1, "save_minutes": 0.0}, "method": {"pool_size": 3}}
    outs = tmp_path / "whole", tmp_path / "broken"
    train(make_config(two_folders, outs[0], tiny, **change))
    for steps in (4, 3):
        with monkeypatch.context() as patch:
            killed = stop_after(patch, steps)
            with pytest.raises(killed):
                train(make_config(two_folders, outs[1], tiny, **change))
    train(make_config(two_folders, outs[1], tiny, **change))
    for one, other in zip(*map(everything, outs), strict=True):
        assert_same(one, other)
    plans = [tomllib.loads((out / "config.toml").read_text())["plan"] for out in outs]
    assert plans[0] == plans[1] and plans[0]["steps"] == 11 and len(plans[0]["stretches"]) == 4
    lines = [json.loads(line) for line in (outs[0] / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 11 and (outs[0] / "samples" / "step_0000011.png").exists()


def small_plan():
    return Plan(size=32, crop=32, steps=7, precision="fp32", channels_last=False, compile=False, log_every=1)


def test_a_correction_that_cannot_be_written_is_not_made(two_folders, tmp_path, tiny, monkeypatch):
    written = []

    def write_config(self, config, plan):
        if written:
            raise WriteError("config.toml: cannot be written (No space left on device); make room")
        written.append(plan)

    monkeypatch.setattr("translate.training.run_folder.RunFolder.write_config", write_config)
    monkeypatch.setattr(TimeBudget, "is_due", property(lambda self: True))
    monkeypatch.setattr(TimeBudget, "review", lambda self, plan, done, used: plan.correct(50, done))
    monkeypatch.setattr("translate.training.setup.make_plan", lambda *args: small_plan())
    train(make_config(two_folders, tmp_path / "r", tiny, train={"minutes": 1.0, "steps": 0}))
    assert torch.load(tmp_path / "r" / "state" / "last.pt", weights_only=True)["step"] == 7


def test_minutes_are_those_of_all_processes(two_folders, tmp_path, tiny, monkeypatch):
    """What a run used before it was stopped counts."""
    used = []

    def review(self, plan, done, seconds):
        used.append(seconds)
        return plan

    monkeypatch.setattr(TimeBudget, "is_due", property(lambda self: True))
    monkeypatch.setattr(TimeBudget, "review", review)
    monkeypatch.setattr("translate.training.setup.make_plan", lambda *args: small_plan())
    change = {"train": {"minutes": 1.0, "steps": 0, "log_every": 1, "save_minutes": 0.0}}
    with monkeypatch.context() as patch:
        killed = stop_after(patch, 4)
        with pytest.raises(killed):
            train(make_config(two_folders, tmp_path / "r", tiny, **change))
    log = tmp_path / "r" / "metrics.jsonl"
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    log.write_text("".join(json.dumps(entry | {"seconds": 100.0}) + "\n" for entry in entries))
    used.clear()
    train(make_config(two_folders, tmp_path / "r", tiny, **change))
    assert used[0] >= 400


def test_no_minutes_no_review(two_threads):
    budget = TimeBudget(0.0, PLAN, CPU, Others(), clock := Clock())
    clock.now = 1e9
    assert not budget.is_due and budget.seconds == math.inf


def test_waiting_threads_spin_for_a_while_only():
    """OpenMP reads the variable when torch is imported; what the user has set stays."""
    code = "import os, translate; print(os.environ.get('GOMP_SPINCOUNT'), os.environ.get('OMP_WAIT_POLICY'))"
    clean = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    cases = [({}, "10000 None"), ({"GOMP_SPINCOUNT": "5"}, "5 None"), ({"OMP_WAIT_POLICY": "active"}, "None active")]
    for more, expected in cases:
        command = [sys.executable, "-c", code]
        answer = subprocess.run(command, env=clean | more, capture_output=True, text=True, check=True)
        assert answer.stdout.strip() == expected
