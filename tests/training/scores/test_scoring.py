"""Runs that are scored while they train: the best is kept, exactly, and patience ends a run."""

import json

import cv2
import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import TINY, picture
from tests.training.test_loop import assert_same, everything, flatten, stop_after
from translate.checkpoints.model_file import load_model, model_file, read_recipe
from translate.data.files.halves import split_halves
from translate.training import step as training_step
from translate.training.config import load_config
from translate.training.loop import train
from translate.training.scores import scoring
from translate.training.scores.cost import Pilot
from translate.utils.errors import OptionError, UserError
from translate.utils.toml_files import read_toml


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two domains with 8 pictures to train on and 17 held out in each half."""
    names = [f"{i:03d}" for i in range(100)]
    halves = split_halves("tints", names, str)
    held = {"train": names[:8], "test": [*halves.choosing[:17], *halves.reporting[:17]]}
    root = tmp_path_factory.mktemp("scored") / "tints"
    for part, stems in held.items():
        for side, channel in (("A", 2), ("B", 0)):
            (root / f"{part}{side}").mkdir(parents=True)
            for stem in stems:
                pixels = picture(1000 * channel + 200 * len(part) + int(stem), 32, 32)
                pixels[..., channel] = 255 - pixels[..., channel] // 3
                cv2.imwrite(str(root / f"{part}{side}" / f"{stem}.png"), pixels)
    return root


def config_of(root, out, **train_options):
    options = {"steps": 12, "evaluations": 4, "evaluation_share": 1.0, "previews": 0, "log_every": 4}
    layer = {"data": {"root": str(root)}, "out": str(out), "train": options | train_options}
    return load_config("cycle", "fast", TINY, layer)


@pytest.fixture(autouse=True)
def fast_pilot(monkeypatch):
    """The clock must not decide in a test: pictures cost next to nothing."""
    monkeypatch.setattr(scoring, "time_pilot", lambda *_: Pilot(1e-9, 1e-9))


def logged(out):
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def scores_of(out):
    return {line["step"]: line for line in logged(out) if "score/kernel" in line}


def state_of(out):
    return torch.load(out / "state" / "last.pt", weights_only=True)


def ruin_after(monkeypatch, step):
    """Make every step after `step` spoil the exported networks."""
    real, taken = training_step.train_step, [0]

    def ruining(task, *args, **kwargs):
        terms = real(task, *args, **kwargs)
        taken[0] += 1
        if taken[0] > step:
            with torch.no_grad():
                for name in task.exports:
                    [p.add_(torch.randn_like(p)) for p in task.get_submodule(name).parameters()]
        return terms

    monkeypatch.setattr(training_step, "train_step", ruining)


def test_a_run_is_scored_and_its_weights_are_those_of_a_run_without_scores(root, tmp_path, capfd):
    out = train(config_of(root, tmp_path / "scored"))
    scores = scores_of(out)
    assert [*scores] == [3, 6, 9, 12]
    assert {"score/kernel", "score/kernel_error", "score/kernel_ab", "score/kernel_ba"} < {*scores[3]}
    printed = capfd.readouterr().err
    assert "step 3: kernel distance" in printed and "weights" in printed and "% of the time" in printed
    plain = train(config_of(root, tmp_path / "plain", evaluations=0))
    assert_same(load_file(out / "model.safetensors"), load_file(plain / "model.safetensors"))
    assert not scores_of(plain) and not (plain / "best.safetensors").exists()
    assert not (plain / "average.safetensors").exists()
    lengths = {name: value for line in logged(out) for name, value in line.items() if "average" in name}
    recipe, _ = load_model(out, weights="average")
    assert recipe.scores["kernel"] == min(lengths.values()) and len(lengths) == 4
    assert lengths[f"score/average_{recipe.scores['length']:.2f}"] == recipe.scores["kernel"]
    unkept = train(config_of(root, tmp_path / "unkept", keep_best=False, post_hoc=False))
    assert [*scores_of(unkept)] == [3, 6, 9, 12]
    assert not (unkept / "best.safetensors").exists() and not (unkept / "average.safetensors").exists()


def test_the_best_weights_lie_beside_the_last_with_step_and_score(root, tmp_path, monkeypatch, capfd):
    ruin_after(monkeypatch, 7)
    out = train(config_of(root, tmp_path / "r", ema=0.0))
    scores = {step: line["score/kernel"] for step, line in scores_of(out).items()}
    best = min(scores, key=scores.get)
    assert best in (3, 6) and min(scores[9], scores[12]) > 2 * scores[best]  # from before it went wrong
    recipe, nets = load_model(out, weights="best")
    assert recipe.steps == best and recipe.scores["kernel"] == scores[best]
    last, others = load_model(out)
    assert last.steps == 12 and last.scores["kernel"] == scores[12]
    assert not torch.equal(*(next(each.parameters()) for each in (nets, others)))
    assert f"use the best weights, of step {best}, with --weights best" in capfd.readouterr().err
    stored = state_of(out)["scores"]
    assert stored["best"] == best
    assert_same({k: x for k, x in stored["weights"].items()}, load_file(out / "best.safetensors"))


@pytest.mark.parametrize("at", [2, 4, 7, 10])
def test_a_resumed_run_chooses_the_same_to_the_bit(root, tmp_path, monkeypatch, at):
    whole = train(config_of(root, tmp_path / "whole", ema=0.0, lr=0.02))
    config = config_of(root, tmp_path / "broken", ema=0.0, lr=0.02, save_minutes=0.0)
    with monkeypatch.context() as patch, pytest.raises(BaseException, match="^$"):
        stop_after(patch, at)
        train(config)
    train(config)
    for actual, expected in zip(everything(tmp_path / "broken"), everything(whole), strict=True):
        assert_same(actual, expected)
    for name in ("best.safetensors", "average.safetensors"):
        assert read_recipe(whole / name) == read_recipe(tmp_path / "broken" / name)
        assert_same(load_file(whole / name), load_file(tmp_path / "broken" / name))
    assert not (whole / "averages").exists() and not (tmp_path / "broken" / "averages").exists()
    assert scores_of(whole) == scores_of(tmp_path / "broken")
    assert read_toml(whole / "config.toml")["plan"] == read_toml(tmp_path / "broken" / "config.toml")["plan"]


def test_the_best_of_steps_that_were_taken_back_is_removed(root, tmp_path, monkeypatch):
    """The state of step 2 knows no score, though the files of step 3 are there already."""
    config = config_of(root, tmp_path / "r", save_minutes=5.0)
    with monkeypatch.context() as patch, pytest.raises(BaseException, match="^$"):
        stop_after(patch, 5)
        train(config)
    (tmp_path / "r" / "best.safetensors").write_text("of another branch")
    train(config)
    assert read_recipe(tmp_path / "r" / "best.safetensors").steps in (3, 6, 9, 12)


def test_patience_ends_a_run_that_no_longer_improves(root, tmp_path, capfd):
    config = config_of(root, tmp_path / "r", lr=0.0, evaluations=12, steps=24, patience=0.3)
    out = train(config)
    printed = capfd.readouterr().err
    assert "step 8: --patience 0.3: the score has not improved by a standard error since step 2" in printed
    assert "--patience 0 goes on to step 24" in printed
    assert state_of(out)["step"] == 8 and read_recipe(out / "model.safetensors").steps == 8
    assert max(line["step"] for line in logged(out) if "lr" in line) == 8

    # the same command leaves it, a more patient one goes on to the result of a run without patience
    train(config)
    assert "is complete: 8 steps" in capfd.readouterr().err and state_of(out)["step"] == 8
    train(config_of(root, out, lr=0.0, evaluations=12, steps=24))
    whole = train(config_of(root, tmp_path / "whole", lr=0.0, evaluations=12, steps=24))
    for actual, expected in zip(everything(out), everything(whole), strict=True):
        assert_same(actual, expected)


def test_patience_keeps_the_schedule_and_a_run_killed_at_its_end_ends_there_too(root, tmp_path, monkeypatch):
    """The learning rate falls from half of 24 steps on, although the run has only 8."""
    options = {"lr": 1e-9, "evaluations": 12, "steps": 24, "patience": 0.3, "log_every": 1, "save_minutes": 0.0}
    config = config_of(root, tmp_path / "r", **options)
    real = scoring.Scoring.run

    def killed(self, done, plan, log):
        plan = real(self, done, plan, log)
        if plan.ended_by:
            real_write(config, plan)
            raise KeyboardInterrupt
        return plan

    from translate.training.run_folder import RunFolder

    real_write = RunFolder(tmp_path / "r").write_config
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(scoring.Scoring, "run", killed)
        train(config)
    assert state_of(tmp_path / "r")["step"] == 7
    train(config)
    whole = train(config_of(root, tmp_path / "whole", **options))
    for actual, expected in zip(everything(tmp_path / "r"), everything(whole), strict=True):
        assert_same(actual, expected)
    assert flatten(state_of(whole))["/step"] == 8


def test_scores_that_the_run_cannot_afford_are_left_out(root, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(scoring, "time_pilot", lambda *_: Pilot(1e3, 1e3))
    out = train(config_of(root, tmp_path / "r", evaluation_share=0.05))
    assert not scores_of(out) and not (out / "best.safetensors").exists()
    printed = capfd.readouterr().err
    assert printed.count("no scores while training: one look at 16 pictures takes 32000.0 s, more than 5% of") == 1
    assert read_toml(out / "config.toml")["plan"]["evaluations"] == 0


def test_the_measured_cost_is_kept_in_the_configuration(root, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(scoring, "time_pilot", lambda *_: Pilot(0.0, 1e-3))
    monkeypatch.setattr("translate.training.log.Log.seconds", 1.0)  # after 3 of 12 steps, so 4 s in all
    out = train(config_of(root, tmp_path / "r", evaluation_share=0.0205, post_hoc=False))  # 82 ms: the pilot has 16
    plan = read_toml(out / "config.toml")["plan"]
    assert (plan["evaluations"], plan["scored_pictures"]) == (4, 16)
    assert "4 times, on 16 of 17 held-out pictures, for 2.0% of the time" in capfd.readouterr().err


def test_without_enough_held_out_pictures_a_line_says_so(two_folders, tmp_path, capfd):
    layer = {"data": {"a": str(two_folders[0]), "b": str(two_folders[1])}, "out": str(tmp_path / "r")}
    out = train(load_config("cycle", "fast", TINY, layer, {"train": {"patience": 0.3}}))
    printed = capfd.readouterr().err
    assert printed.count("no scores while training: reds has") == 1 and "and each needs 16" in printed
    assert not (out / "best.safetensors").exists()
    with pytest.raises(UserError, match=r"holds no best\.safetensors: no scores were taken .*--weights"):
        model_file(out, "best")


def test_wrong_options_are_one_line(root, tmp_path):
    for options, message in [
        ({"patience": 2.0}, "--patience should lie between 0 and 1, got 2.0"),
        ({"patience": -0.1}, "--patience should lie between 0 and 1"),
        ({"evaluations": -1}, "--evaluations should be at least 0, got -1"),
        (
            {"evaluations": 0, "patience": 0.3},
            "--patience 0.3 goes by scores while training; leave --eval",
        ),
    ]:
        with pytest.raises(OptionError, match=message):
            config_of(root, tmp_path / "r", **options)
    with pytest.raises(OptionError, match="--weights 'worst' is unknown; choose from last, best, average"):
        model_file(tmp_path, "worst")
    with pytest.raises(OptionError, match="--weights best chooses among the files of a run folder, and .* is none"):
        model_file(tmp_path / "model.safetensors", "best")
