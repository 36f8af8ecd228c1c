import json
import math
import random

import pytest
import torch

from tests.tasks.test_tasks import make_task
from tests.training.test_loop import assert_same, everything, flatten, make_config, stop_after
from translate.tasks.losses.adversarial import GAN_LOSSES
from translate.training.ema import EMA
from translate.training.loop import train
from translate.training.monitors.divergence import Diverged, DivergenceMonitor, check_finite, failing_phase
from translate.training.monitors.findings import Finding
from translate.utils.errors import UserError


def break_at(monkeypatch, calls, damage):
    """Let `damage` happen to the task and the terms of the steps with these numbers, counted over all of a test."""
    from translate.training import step as module

    real, taken = module.train_step, [0]

    def step(task, *args, **kwargs):
        terms = real(task, *args, **kwargs)
        taken[0] += 1
        return damage(task, terms) if taken[0] in calls else terms

    monkeypatch.setattr(module, "train_step", step)


def break_loss(name):
    return lambda task, terms: terms | {name: terms[name] * float("nan")}


def break_weight(net):
    def damage(task, terms):
        with torch.no_grad():
            next(task.get_submodule(net).parameters()).view(-1)[0] = math.inf
        return terms

    return damage


SAVING = {"steps": 14, "log_every": 1, "save_minutes": 0.0}


@pytest.mark.parametrize(
    ("damage", "phase", "step"),
    [
        (break_loss("G/cycle"), "G", 4),
        (break_loss("D/gan_a"), "D", 4),
        (break_weight("G_ba"), "G", 4),
        (break_weight("D_b"), "D", 4),
    ],
    ids=["loss of G", "loss of D", "weight of G", "weight of D"],
)
def test_a_run_that_diverges_goes_back_and_continues(
    two_folders, tmp_path, tiny, monkeypatch, capsys, damage, phase, step
):
    break_at(monkeypatch, {5}, damage)
    train(make_config(two_folders, tmp_path / "r", tiny, train=SAVING, method={"pool_size": 3}))
    state = torch.load(tmp_path / "r" / "state" / "last.pt", weights_only=True)
    assert state["step"] == 14
    assert all(v.isfinite().all() for v in flatten(state).values() if isinstance(v, torch.Tensor))
    assert list(state["watch"]["lowered"]) == [phase]
    assert state["watch"]["lowered"][phase]["since"] == step
    other = {"G": "D", "D": "G"}[phase]
    assert state[phase]["param_groups"][0]["lr"] == 0.5 * state[other]["param_groups"][0]["lr"] > 0
    lines = [json.loads(line) for line in (tmp_path / "r" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 15))
    assert [line.get(f"lr_factor/{phase}") for line in lines] == [None] * step + [0.5] * (14 - step)
    messages = capsys.readouterr().err
    assert messages.count(f"{phase} went wrong at step 5") == 1
    assert messages.count(f"back to step {step}, from where {phase} learns at half its rate") == 1


def test_broken_weights_show_in_the_next_losses_without_a_save(two_folders, tmp_path, tiny, monkeypatch, capsys):
    break_at(monkeypatch, {5}, break_weight("D_a"))
    train(make_config(two_folders, tmp_path / "r", tiny, train=SAVING | {"save_minutes": 5.0}))
    assert "D went wrong at step 6: the loss D/gan_a is not a finite number; back to step 0" in capsys.readouterr().err


def test_a_second_divergence_ends_the_run(two_folders, tmp_path, tiny, monkeypatch):
    break_at(monkeypatch, {5, 9}, break_loss("G/cycle"))
    config = make_config(two_folders, tmp_path / "r", tiny, train=SAVING)
    with pytest.raises(UserError) as error:
        train(config)
    message = str(error.value)
    assert "\n" not in message
    assert "G went wrong at step 8: the loss G/cycle is not a finite number" in message
    assert "half its rate since step 4; the state of step 7 is kept" in message
    assert "half of --train.lr 0.0006" in message
    state = torch.load(tmp_path / "r" / "state" / "last.pt", weights_only=True)
    assert state["step"] == 7
    assert all(v.isfinite().all() for v in flatten(state).values() if isinstance(v, torch.Tensor))


def test_each_phase_may_diverge_once(two_folders, tmp_path, tiny, monkeypatch):
    rounds = iter(("G/cycle", "D/gan_b"))
    break_at(monkeypatch, {5, 6}, lambda task, terms: break_loss(next(rounds))(task, terms))
    train(make_config(two_folders, tmp_path / "r", tiny, train=SAVING))
    state = torch.load(tmp_path / "r" / "state" / "last.pt", weights_only=True)
    assert state["watch"]["lowered"].keys() == {"G", "D"}
    assert state["step"] == 14


def test_a_run_that_went_back_is_resumed_bit_for_bit(two_folders, tmp_path, tiny, monkeypatch):
    def damage_by_step(out, *, killed_after=None):
        """Break the step of a number, not of a call: a run that is killed meets it again, or does not."""
        config = make_config(two_folders, out, tiny, train=SAVING | {"log_every": 3}, method={"pool_size": 3})
        with monkeypatch.context() as patch:
            break_at(patch, {5}, break_loss("G/cycle"))
            if killed_after is None:
                train(config)
                return
            killed = stop_after(patch, killed_after)
            with pytest.raises(killed):
                train(config)
        train(config)

    damage_by_step(tmp_path / "whole")
    damage_by_step(tmp_path / "broken", killed_after=9)
    for actual, other in zip(everything(tmp_path / "whole"), everything(tmp_path / "broken"), strict=True):
        assert_same(actual, other)


# ---- the rules


class Game(torch.nn.Module):
    phases, remedies, gan = {"G": (), "D": ()}, {"strong_d": "--one", "blind_d": "--two"}, GAN_LOSSES["hinge"]


def follow(watch, values, start=0):
    """Feed losses of G and D, ten steps of each; return the findings as text."""
    messages = []
    for step, (g, d) in enumerate((pair for pair in values for _ in range(10)), start):
        watch.add(step, {"G/gan": torch.tensor(g), "D/gan": torch.tensor(d)})
        messages += map(str, watch.check(step + 1))
    return messages


def test_exploding_losses_are_reported_with_their_phase():
    watch = DivergenceMonitor(Game(), 10)
    with pytest.raises(Diverged, match="D went wrong at step 210: its losses rose to 5e.03 times") as error:
        follow(watch, [(1.0, 1.0)] * 20 + [(60.0, 1e4)] * 9)
    assert error.value.phase == "D"


def test_losses_that_are_huge_from_the_start_are_reported():
    with pytest.raises(Diverged, match="G went wrong at step 10: its losses rose to 1e.15 times what is usual"):
        follow(DivergenceMonitor(Game(), 10), [(1e20, 1.0)] * 9)


@pytest.mark.parametrize(
    "values",
    [
        [(1.0, 1.0)] * 20 + [(900.0, 900.0)] * 4 + [(1.0, 1.0)] * 20,  # a bump
        [(1e-4, 1e-4)] * 15 + [(5.0, 5.0)] * 30,  # what was small
        [(1.05**n, 0.1) for n in range(150)],  # a slow drift
        [(-30.0, 0.4), (40.0, 3.0)] * 30,  # a wild game
        [(500.0, 1.0)] * 5 + [(2.0, 1.0)] * 40,  # a beginning
    ],
)
def test_not_an_explosion(values):
    assert follow(DivergenceMonitor(Game(), 10), values) == []


def test_nothing_is_saved_during_a_possible_explosion():
    watch = DivergenceMonitor(Game(), 10)
    follow(watch, [(1.0, 1.0)] * 20)
    assert watch.no_spike
    follow(watch, [(1.0, 900.0)], 200)
    assert not watch.no_spike
    follow(watch, [(1.0, 1.0)], 210)
    assert watch.no_spike


def test_readings_resume_from_a_state():
    values = [(1.0 + n / 7, 1.0) for n in range(30)]
    whole, first = DivergenceMonitor(Game(), 10), DivergenceMonitor(Game(), 10)
    follow(whole, values)
    follow(first, values[:12])
    first.add(120, {"G/gan": torch.tensor(values[12][0]), "D/gan": torch.tensor(1.0)})  # saved between two readings
    second = DivergenceMonitor(Game(), 10)
    second.load_state_dict(first.state_dict())
    for step in range(121, 300):
        second.add(step, {"G/gan": torch.tensor(values[step // 10][0]), "D/gan": torch.tensor(1.0)})
        second.check(step + 1)
    assert whole.state_dict() == second.state_dict()


@pytest.mark.parametrize(("value", "words"), [(0.001, "TELLS EVERY PICTURE APART"), (2.0, "COLLAPSED")])
def test_a_useless_discriminator_is_reported_once(value, words):
    messages = follow(DivergenceMonitor(Game(), 10), [(1.0, value)] * 60)
    assert len(messages) == 1
    assert words in messages[0]
    assert "try --" in messages[0]


def test_a_working_discriminator_is_not_reported():
    assert follow(DivergenceMonitor(Game(), 10), [(0.5, 1.2), (0.1, 0.05), (0.3, 1.99), (0.2, 2.03)] * 20) == []


CYCLE = ("G/gan_ab", "G/gan_ba", "G/cycle", "D/gan_a", "D/gan_b")
GENERATE = ("G/gan", "D/gan", "D/r1", "D/real", "D/fake")


@pytest.mark.parametrize(
    ("bad", "names", "phase"),
    [
        (["G/cycle"], CYCLE, "G"),
        (["D/gan_a"], CYCLE, "D"),
        (["G/gan_ab", "G/cycle", "D/gan_b"], CYCLE, "G"),
        (["G/gan_ab", "D/gan_b"], CYCLE, "D"),
        (["G/gan", "D/gan", "D/fake"], GENERATE, "G"),
        (["G/gan", "D/gan", "D/r1", "D/real", "D/fake"], GENERATE, "D"),
        (["G/hole"], ("G/hole", "G/tv"), "G"),
    ],
)
def test_the_failing_phase(bad, names, phase):
    assert failing_phase(bad, names) == phase


@pytest.mark.parametrize("variant", ["cycle", "generate, dcgan", "pix2pix, many answers"])
def test_everything_that_is_saved_is_checked(variant):
    task = make_task(variant)
    optimizers = {phase: torch.optim.Adam(task.parameters_of(phase)) for phase in task.phases}
    sum(p.square().sum() for p in task.parameters()).backward()
    for optimizer in optimizers.values():
        optimizer.step()
    ema = EMA(task, 0.9)
    check_finite(7, task, ema, optimizers)
    for phase, owner in (("D", optimizers["D"].state), ("G", ema)):
        broken = next(iter(owner.values()))["exp_avg_sq"] if phase == "D" else next(owner.parameters())
        kept, broken.data = broken.data, torch.full_like(broken, math.nan)
        with pytest.raises(Diverged, match=f"{phase} went wrong at step 7: its weights or their moments are not"):
            check_finite(7, task, ema, optimizers)
        broken.data = kept


def test_the_rate_of_a_phase_is_lowered_once():
    watch = DivergenceMonitor(Game(), 10)
    watch.lower_rate(Diverged("G", 8, Finding("explosion", "a loss is nan")), 5)
    assert watch.factors == {"G": 0.5}
    with pytest.raises(
        Diverged, match="G went wrong at step 9: it is nan, though G learns at half its rate since step 5"
    ):
        watch.lower_rate(Diverged("G", 9, Finding("explosion", "it is nan")), 5)


@pytest.mark.parametrize(("value", "words"), [(0.001, "TELLS EVERY PICTURE APART"), (2.0, "COLLAPSED")])
def test_a_useless_discriminator_is_told_in_a_short_run_too(value, words):
    """60 steps of 16 pictures: six readings, of which three decide."""
    said = follow(DivergenceMonitor(Game(), 10, 60, 16), [(1.0, value)] * 6)
    assert len(said) == 1 and words in said[0]
    # fewer pictures than can be judged by: told as soon as there are enough, and once
    assert follow(DivergenceMonitor(Game(), 10, 60, 1), [(1.0, value)] * 6) == []
    assert len(follow(DivergenceMonitor(Game(), 10, 300, 1), [(1.0, value)] * 30)) == 1


@pytest.mark.parametrize(("noise", "value", "idle"), [(0.0, 2.1, True), (0.25, 2.0, True), (0.1, 1.7, False)])
def test_a_discriminator_at_chance_for_a_quarter_of_the_run(noise, value, idle):
    """120 readings, of which 30 decide; single ones are noisy."""
    watch, rng = DivergenceMonitor(Game(), 10, 1200, 4), random.Random(0)
    follow(watch, [(0.0, value + rng.uniform(-noise, noise)) for _ in range(29)])
    assert not watch.at_chance
    follow(watch, [(0.0, value)] * 4, 290)
    assert watch.at_chance == idle
    follow(watch, [(0.0, 1.2)] * 3, 330)  # D begins to learn
    assert not watch.at_chance


def test_one_discriminator_that_learns_is_enough():
    watch = DivergenceMonitor(Game(), 10, 200, 4)
    for step in range(200):
        watch.add(step, {"G/gan": torch.tensor(0.0), "D/gan_a": torch.tensor(2.0), "D/gan_b": torch.tensor(1.6)})
        watch.check(step + 1)
    assert not watch.at_chance


def test_a_state_of_an_earlier_version_without_the_levels_of_d_loads():
    watch, other = DivergenceMonitor(Game(), 10, 100, 4), DivergenceMonitor(Game(), 10, 100, 4)
    follow(watch, [(0.0, 2.0)] * 5)
    state = {name: value for name, value in watch.state_dict().items() if name not in ("levels", "idle")}
    other.load_state_dict(state)
    assert not other.at_chance
    follow(other, [(0.0, 2.0)] * 3, 50)
    assert other.at_chance
