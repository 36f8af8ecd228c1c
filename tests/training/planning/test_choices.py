import dataclasses
import json
import time
import tomllib

import pytest
import torch

from tests.training.planning.test_autotune import BASE, CPU, compiling, sleeper
from tests.training.test_loop import assert_same, everything, make_config
from translate.training.config import load_config
from translate.training.loop import train
from translate.training.planning import autotune
from translate.training.planning.autotune import choose_change, make_plan, pick_fastest
from translate.training.planning.choices import Choices

STEPS = {"train": {"steps": 9, "precision": "fp32"}, "data": {"crop": 64}}
FREE, LOADED = {("fp32", False): 0.02, ("fp32", True): 0.06}, {("fp32", False): 0.06, ("fp32", True): 0.02}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "translate" / "training"


def plan_of(seconds, changes=STEPS, channels=3):
    """Return the plan of a run, and how often a step was taken in the trial."""
    make_step, calls = sleeper(seconds)
    config = load_config("cycle", "fast", changes)
    plan = make_plan(config, CPU, 256, 100, 0.0, make_step, Choices(config, CPU, {"a": channels, "b": 3}))
    return plan, calls


def test_a_choice_is_remembered_whatever_the_machine_does_meanwhile(cache):
    first, _ = plan_of(FREE)
    again, calls = plan_of(LOADED)
    assert not first.channels_last and not calls
    assert dataclasses.replace(again, tried="") == dataclasses.replace(first, tried="")
    assert "timed now; remembered in" in first.tried
    (file,) = cache.iterdir()
    assert f"delete {file} to time again" in again.tried
    file.unlink()
    assert plan_of(LOADED)[0].channels_last


@pytest.mark.parametrize("change", [{"generator": {"width": 48}}, {"data": {"crop": 32}}, {"data": {"batch_size": 2}}])
def test_other_networks_and_sizes_are_timed_by_themselves(change):
    plan_of(FREE)
    other = {section: {**STEPS.get(section, {}), **change.get(section, {})} for section in {**STEPS, **change}}
    assert plan_of(LOADED, other)[0].channels_last
    assert plan_of(LOADED, channels=4)[0].channels_last


def test_minutes_time_the_remembered_choice_alone():
    minutes = {"train": {"minutes": 1.0, "precision": "fp32"}, "data": {"crop": 64}}
    plan_of(FREE, minutes)
    plan, calls = plan_of(LOADED, minutes)
    assert set(calls) == {("fp32", False)}
    assert plan.steps == pytest.approx(0.96 * 60 / 0.06, rel=0.4)


def test_compiling_is_remembered_too():
    config = load_config("cycle", "fast", STEPS)
    choices = Choices(config, CPU, {"a": 3})
    plan, _, words = choose_change("compile", BASE, 0.1, compiling(0.1, 0.02, 0.1), choices, anew=False)
    assert plan.compile and "(chosen" not in words

    def forbidden(plan):
        raise AssertionError("nothing needs timing")

    again, seconds, words = choose_change("compile", BASE, 0.1, forbidden, choices, anew=False)
    assert again == plan and 0.02 <= seconds < 0.06 and "chosen by the times of" in words


def test_near_ties_go_to_the_first():
    for slower in (False, True):
        make_step, _ = sleeper({("fp32", slower): 0.1, ("fp32", not slower): 0.102})
        plans = [dataclasses.replace(BASE, channels_last=c) for c in (True, False)]
        assert pick_fastest(plans, make_step)[0].channels_last


def test_a_cache_that_is_damaged_or_cannot_be_written_counts_as_none(cache, tmp_path, monkeypatch):
    plan_of(FREE)
    for file in cache.iterdir():
        file.write_text(json.dumps({"fact": {"mode": "of another version"}}))
    assert plan_of(LOADED)[0].channels_last
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    assert not plan_of(FREE)[0].channels_last


def test_two_runs_of_a_command_have_the_same_bits(two_folders, tmp_path, tiny, monkeypatch):
    """The second trial would choose another layout, as on a busy machine."""
    real = autotune.time_step
    slow = [True]  # the layout that something disturbs

    def disturbed(step):
        seconds = real(step)
        return seconds + 0.2 * (torch.channels_last_disturbed == slow[0])

    def make_trial(config, channels, plan, device):
        def step():
            torch.channels_last_disturbed = plan.channels_last
            time.sleep(0.001)

        return step

    monkeypatch.setattr(autotune, "time_step", disturbed)
    monkeypatch.setattr("translate.training.setup.make_trial_step", make_trial)
    for name in ("one", "other"):
        train(make_config(two_folders, tmp_path / name, tiny, train={"steps": 3, "channels_last": "auto"}))
        slow[0] = not slow[0]
    plans = [tomllib.loads((tmp_path / name / "config.toml").read_text())["plan"] for name in ("one", "other")]
    assert plans[0]["channels_last"] == plans[1]["channels_last"]
    for one, other in zip(everything(tmp_path / "one"), everything(tmp_path / "other"), strict=True):
        assert_same(one, other)
