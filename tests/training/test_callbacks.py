"""Callbacks of `train`: when they are called, what of theirs is logged, and what stops a run."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import TINY
from tests.training.test_loop import assert_same, everything, make_config, stop_after
from translate import StopTraining, train
from translate.utils.errors import OptionError, UserError


def lines_of(out):
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def config_of(two_folders, out, **changes):
    return make_config(two_folders, out, TINY, train={"steps": 6, "log_every": 2, "save_minutes": 0.0} | changes)


def test_callbacks_are_called_with_the_terms_of_each_step_and_each_grid(two_folders, tmp_path):
    steps, sums, previews = [], [], []

    def on_step(step, terms):
        assert not any(term.requires_grad for term in terms.values())
        steps.append(step)
        sums.append({name: float(term) for name, term in terms.items()})

    def on_preview(step, preview):
        previews.append(step)
        assert (np.asarray(Image.open(preview.path)) == preview.grid).all()
        assert preview.path.name == f"step_{step:07d}.png" and all(row.ndim == 4 for row in preview.rows.values())

    out = train(config_of(two_folders, tmp_path / "r"), on_step=on_step, on_preview=on_preview)
    assert steps == [1, 2, 3, 4, 5, 6] and previews == [3, 6]
    for line in lines_of(out):
        for name, value in sums[0].items():
            mean = np.mean([one[name] for one in sums[line["step"] - 2 : line["step"]]])
            assert line[name] == pytest.approx(mean, rel=1e-5) and isinstance(value, float)


def test_a_callback_changes_no_bit_of_the_model(two_folders, tmp_path):
    def on_step(step, terms):
        torch.manual_seed(step)
        np.random.seed(step)
        return {"mine/noise": torch.rand(1)}

    plain = train(config_of(two_folders, tmp_path / "plain"))
    watched = train(config_of(two_folders, tmp_path / "watched"), on_step=on_step, on_preview=lambda *_: {"x": 1})
    assert_same(everything(plain)[1], everything(watched)[1])


def test_numbers_of_callbacks_are_logged(two_folders, tmp_path):
    def on_step(step, terms):
        if step % 3:
            return {"mine/step": step, "mine/tensor": torch.tensor([2.0 * step]), "mine/np": np.float32(step)}
        return {"mine/bad": float("nan")}

    out = train(config_of(two_folders, tmp_path / "r"), on_step=on_step, on_preview=lambda s, p: {"mine/grid": s})
    losses = [line for line in lines_of(out) if "lr" in line]
    assert [line["mine/step"] for line in losses] == [1.5, 4, 5]  # means of the steps that returned one
    assert [line["mine/tensor"] for line in losses] == [3, 8, 10] and "mine/np" in losses[0]
    assert not any("mine/bad" in line for line in losses)
    assert [(line["step"], line["mine/grid"]) for line in lines_of(out) if "mine/grid" in line] == [(3, 3), (6, 6)]


def test_a_resumed_run_logs_the_numbers_of_callbacks_once(two_folders, tmp_path, monkeypatch):
    def on_step(step, terms):
        return {"mine/step": step, "mine/tensor": torch.tensor(float(step))}

    def run(out):
        return train(
            config_of(two_folders, out, log_every=3), on_step=on_step, on_preview=lambda s, p: {"mine/grid": s}
        )

    with monkeypatch.context() as patch, pytest.raises(stop_after(patch, 5)):
        run(tmp_path / "broken")
    for out in (run(tmp_path / "broken"), run(tmp_path / "whole")):
        mine = [{k: v for k, v in line.items() if k in ("step", "mine/step", "mine/tensor")} for line in lines_of(out)]
        assert [line for line in mine if len(line) > 1] == [
            {"step": 3, "mine/step": 2, "mine/tensor": 2}, {"step": 6, "mine/step": 5, "mine/tensor": 5},
        ]  # fmt: skip
        assert [line["step"] for line in lines_of(out) if "mine/grid" in line] == [3, 6]


@pytest.mark.parametrize("kind", ["on_step", "on_preview"])
def test_stop_training_saves_and_returns_and_the_same_call_goes_on(two_folders, tmp_path, kind, capfd):
    def stop(step, _):
        if step == 3:
            raise StopTraining

    out = train(config_of(two_folders, tmp_path / "r", save_minutes=5.0), **{kind: stop})
    assert torch.load(out / "state" / "last.pt", weights_only=True)["step"] == 3
    assert (out / "model.safetensors").exists() and "a callback has stopped the run" in capfd.readouterr().err
    train(config_of(two_folders, out, save_minutes=5.0))
    whole = train(config_of(two_folders, tmp_path / "whole", save_minutes=5.0))
    for actual, other in zip(everything(out), everything(whole), strict=True):
        assert_same(actual, other)


@pytest.mark.parametrize("error", [RuntimeError("mine"), KeyboardInterrupt(), SystemExit(3)])
def test_what_a_callback_raises_reaches_the_caller_after_the_run_is_saved(two_folders, tmp_path, error):
    calls = []

    def on_step(step, terms):
        calls.append(step)
        if step == 4:
            raise error

    with pytest.raises(type(error)) as caught:
        train(config_of(two_folders, tmp_path / "r", save_minutes=5.0), on_step=on_step)
    assert caught.value is error and calls == [1, 2, 3, 4]
    assert torch.load(tmp_path / "r" / "state" / "last.pt", weights_only=True)["step"] == 4
    train(config_of(two_folders, tmp_path / "r", save_minutes=5.0))


@pytest.mark.parametrize(
    "numbers, message",
    [
        ({"lr": 1}, r"on_step: the name 'lr' is a name of the log itself; choose another, such as 'mine/score'"),
        ({"G/cycle": 1}, r"the name 'G/cycle' is a name of the log itself"),
        ({3: 1}, r"the name 3 is no text"),
        ({"psnr": "high"}, r"on_step: 'psnr' is 'high'; give a number, or a tensor of one"),
        ({"psnr": None}, r"'psnr' is None; give a number"),
        ({"psnr": torch.zeros(2)}, r"'psnr' is tensor\(\[0., 0.\]\); give a number, or a tensor of one"),
    ],
)
def test_wrong_numbers_are_told_and_the_run_is_saved(two_folders, tmp_path, numbers, message):
    with pytest.raises(UserError, match=message) as caught:
        train(config_of(two_folders, tmp_path / "r", save_minutes=5.0), on_step=lambda step, terms: numbers)
    assert "\n" not in str(caught.value)
    assert torch.load(tmp_path / "r" / "state" / "last.pt", weights_only=True)["step"] == 1


def test_other_results_are_noted_once(two_folders, tmp_path, capfd):
    train(config_of(two_folders, tmp_path / "r"), on_step=lambda step, terms: step > 1)
    assert capfd.readouterr().err.count("on_step returned False, which is not logged") == 1
    with pytest.raises(OptionError, match="on_preview should be a function of two arguments, got 5"):
        train(config_of(two_folders, tmp_path / "r"), on_preview=5)


PROGRAM = """
import sys
from translate import StopTraining, load_config, train
from tests.conftest import TINY
data, out, kind = sys.argv[1:]

def on_step(step, terms):
    print(f"called {step}", flush=True)
    if step == 3:
        raise {"stop": StopTraining, "fail": RuntimeError}[kind]("mine")

folders = {"a": f"{data}/reds", "b": f"{data}/blues", "batch_size": 2}
config = load_config("cycle", "fast", TINY, {"data": folders, "out": out})
train(config, on_step=on_step)
print("returned", flush=True)
"""


@pytest.mark.parametrize("kind", ["stop", "fail"])
def test_in_two_processes_the_main_process_calls_and_both_stop(two_folders, tmp_path, kind):
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    words = [tmp_path / "program.py", two_folders[0].parent, tmp_path / "r", kind]
    done = subprocess.run([*command, *map(str, words)], capture_output=True, text=True, timeout=120)
    assert [done.stdout.count(f"called {step}") for step in (1, 2, 3, 4)] == [1, 1, 1, 0], done.stderr
    assert done.stdout.count("returned") == (2 if kind == "stop" else 0)
    assert (done.returncode == 0) == (kind == "stop") and ("RuntimeError: mine" in done.stderr) == (kind == "fail")
    assert torch.load(tmp_path / "r" / "state" / "last.pt", weights_only=True)["step"] == 3
