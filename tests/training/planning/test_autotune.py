import dataclasses
import time

import pytest
import torch

from translate.training.config import load_config
from translate.training.planning.autotune import (
    affordable_crop,
    candidates,
    half_crop,
    make_plan,
    pick_fastest,
    try_change,
)
from translate.training.planning.plan import Plan
from translate.utils.errors import OptionError

CPU = torch.device("cpu")
BASE = Plan(size=256, crop=128, steps=10, precision="fp32", channels_last=False, compile=False, log_every=5)


def sleeper(seconds):
    """A `make_step` whose step sleeps `seconds[precision, channels_last]`."""
    calls = []

    def make_step(plan):
        def step():
            calls.append((plan.precision, plan.channels_last))
            time.sleep(seconds[plan.precision, plan.channels_last])

        return step

    return make_step, calls


def test_the_fastest_candidate_wins():
    make_step, _ = sleeper({("fp32", False): 0.15, ("fp32", True): 0.05, ("bf16", False): 0.12, ("bf16", True): 0.2})
    plans = [dataclasses.replace(BASE, precision=p, channels_last=c) for p in ("fp32", "bf16") for c in (False, True)]
    best, seconds, tried = pick_fastest(plans, make_step)
    assert (best.precision, best.channels_last) == ("fp32", True)
    assert 0.05 <= seconds < 0.1

    assert [part.rsplit(" ", 2)[0] for part in tried.split(", ")] == ["fp32", "fp32 channels_last", "bf16"]
    # bf16 took twice the least time: it is not tried in the other layout
    assert f"fp32 channels_last {1000 * seconds:.0f} ms" in tried


def test_a_hopeless_candidate_is_tried_once():
    make_step, calls = sleeper({("fp32", False): 0.01, ("bf16", False): 0.3})
    plans = [BASE, dataclasses.replace(BASE, precision="bf16")]
    assert pick_fastest(plans, make_step)[0] == BASE
    assert calls.count(("bf16", False)) == 1


def compiling(first, again, usual):
    """A `make_step`: compiled or captured, the first step takes `first` seconds, every other one `again`."""

    def make_step(plan):
        if not (plan.compile or plan.graph):
            return lambda: time.sleep(usual)
        return lambda spent=[first]: time.sleep(spent.pop() if spent else again)  # noqa: B006

    return make_step


def test_faster_when_compiled_is_compiled_and_the_log_says_when_the_trial_is_repaid():
    plan, seconds, outcome = try_change("compile", BASE, 0.1, compiling(0.3, 0.02, 0.1))
    assert plan == dataclasses.replace(BASE, compile=True)
    assert 0.02 <= seconds < 0.05
    assert "compiled" in outcome and "repaid within 4 steps" in outcome


def test_slower_when_compiled_is_not_compiled():
    plan, seconds, outcome = try_change("compile", BASE, 0.9, compiling(0.1, 0.03, 0.02))
    assert plan == BASE
    assert 0.02 <= seconds < 0.03
    assert "would not pay" in outcome


def test_a_failing_compiler_does_not_stop_the_run():
    def broken(plan):
        raise RuntimeError("no C++ compiler\nfound")

    assert try_change("compile", BASE, 0.02, broken) == (BASE, 0.02, "not compiled (RuntimeError: no C++ compiler)")


def test_a_cuda_graph_is_kept_if_it_is_faster():
    plan, seconds, outcome = try_change("graph", BASE, 0.05, compiling(0.1, 0.01, 0.05))
    assert plan == dataclasses.replace(BASE, graph=True)
    assert plan.mode == "fp32 as a CUDA graph"
    assert 0.01 <= seconds < 0.04
    assert outcome == f"as a CUDA graph {1000 * seconds:.0f} ms"
    assert try_change("graph", BASE, 0.01, compiling(0.1, 0.02, 0.01))[0] == BASE


def test_a_step_that_cannot_be_captured_stays_plain():
    def drawing(plan):
        raise OptionError("this recipe draws numbers on the host")

    failure = "not captured as a CUDA graph (OptionError: this recipe draws numbers on the host)"
    assert try_change("graph", BASE, 0.02, drawing) == (BASE, 0.02, failure)


def test_a_cuda_graph_without_a_gpu_is_refused():
    config = load_config("cycle", "fast", {"train": {"steps": 9, "epochs": 0.0, "minutes": 0.0, "graph": "on"}})
    with pytest.raises(OptionError, match="--train.graph on: CUDA graphs need an NVIDIA GPU, not cpu; leave it out"):
        make_plan(config, CPU, 64, 10.0, 0.0, lambda plan: lambda: None)


@pytest.mark.parametrize(
    ("length", "compiles"),
    [
        ({"minutes": 1.0}, False),
        ({"minutes": 61.0}, True),
        ({"steps": 2000}, False),  # a minute
        ({"steps": 200_000}, True),  # 100 minutes at 0.03 s
        ({"epochs": 2000.0}, True),
    ],
)
def test_compiling_is_tried_in_long_runs_only(length, compiles):
    settings = {"precision": "fp32", "channels_last": "off"}
    config = load_config("cycle", "fast", {"train": settings | length, "data": {"crop": 64}})
    asked = []

    def make_step(plan):
        asked.append(plan.compile)
        return lambda: time.sleep(0.005 if plan.compile else 0.03)

    plan = make_plan(config, CPU, 256, 100, 5.0, make_step)
    assert asked == [False, True, False][: 1 + 2 * compiles]
    assert plan.compile == compiles
    assert ("compiled" in plan.tried) == compiles


def test_minutes_become_steps():
    config = load_config("cycle", "fast", {"train": {"minutes": 1.0, "precision": "fp32"}, "data": {"crop": 64}})
    make_step, _ = sleeper({("fp32", False): 0.05, ("fp32", True): 0.15})
    plan = make_plan(config, CPU, 256, 100, 20.0, make_step)
    assert plan.crop == 64
    assert not plan.channels_last
    assert plan.steps == pytest.approx(0.96 * 37 / 0.05, rel=0.4)


def test_epochs_become_steps_without_timing_when_all_is_given():
    config = load_config(
        "cycle",
        "paper",
        {"train": {"epochs": 3.0, "channels_last": "off", "compile": "off"}, "data": {"batch_size": 2}},
    )

    def forbidden(plan):
        raise AssertionError("nothing needs timing")

    plan = make_plan(config, CPU, 128, 50.5, 0.0, forbidden)
    assert (plan.steps, plan.crop, plan.size, plan.precision) == (152, 128, 128, "fp32")


@pytest.mark.parametrize(
    ("left", "crop"), [(4000 * 1.01, 256), (4000 * 0.99, 192), (4000 * 0.5, 128), (10, 128), (None, 128)]
)
def test_the_crop_follows_from_the_budget(left, crop):
    assert affordable_crop(256, 1.0, left, CPU) == crop


def test_half_crop_is_a_multiple_of_four_within_the_size():
    for size in range(16, 300, 4):
        assert half_crop(size) % 4 == 0
        assert min(size, 32) <= half_crop(size) <= size


def test_forced_choices_are_not_timed():
    assert [p.precision for p in candidates(BASE, CPU, "bf16", "on")] == ["bf16"]
    assert len(candidates(BASE, CPU, "fp32", "auto")) == 2
    assert [p.channels_last for p in candidates(BASE, torch.device("cuda"), "fp32", "auto")] == [True]
