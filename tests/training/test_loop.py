import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

from tests.cli.test_run import SMALL
from translate.training.config import load_config
from translate.training.loop import train
from translate.training.optim import lr_at
from translate.utils.errors import OptionError, UserError
from translate.utils.signals import Stopped


def make_config(folders, out, tiny, **changes):
    data = {"data": {"a": str(folders[0]), "b": str(folders[1])}, "out": str(out)}
    layers = [{section: values} for section, values in changes.items()]
    return load_config("cycle", "fast", tiny, data, *layers)


def everything(out):
    state = torch.load(out / "state" / "last.pt", weights_only=True)
    return flatten(state), load_file(out / "model.safetensors")


def flatten(value, name=""):
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in flatten(item, f"{name}/{key}").items()}
    if isinstance(value, list | tuple):
        return flatten(dict(enumerate(value)), name)
    return {name: value}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        same = torch.equal(value, other[name]) if isinstance(value, torch.Tensor) else value == other[name]
        assert same, name


def stop_after(monkeypatch, steps):
    """Make a run die, as if killed, once it has taken `steps` steps since it began, and without saving."""
    from translate.training import step as module

    real, taken = module.train_step, [0]

    class Killed(BaseException):
        pass

    def step(*args, **kwargs):
        if taken[0] == steps:
            raise Killed
        taken[0] += 1
        return real(*args, **kwargs)

    monkeypatch.setattr(module, "train_step", step)
    return Killed


def assert_killed_run_goes_on(make_config, whole, tmp_path, monkeypatch):
    """Kill a run after 3 steps, repeat it, and compare it with the run `whole`; make_config(out, **train_options)."""
    broken = tmp_path / "broken"
    with monkeypatch.context() as patch:
        killed = stop_after(patch, 3)
        with pytest.raises(killed):
            train(make_config(broken, save_minutes=0.0))
    train(make_config(broken))
    for one, other in zip(everything(whole), everything(broken), strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_killed_run_goes_on_bit_for_bit(two_folders, tmp_path, tiny, monkeypatch, precision):
    changes = {
        "train": {"steps": 14, "precision": precision, "save_minutes": 0.0},
        "method": {"pool_size": 3},
    }
    train(make_config(two_folders, tmp_path / "whole", tiny, **changes))
    config = make_config(two_folders, tmp_path / "broken", tiny, **changes)
    with monkeypatch.context() as patch:
        killed = stop_after(patch, 7)
        with pytest.raises(killed):
            train(config)
    assert torch.load(tmp_path / "broken" / "state" / "last.pt", weights_only=True)["step"] == 7
    train(config)
    for actual, other in zip(everything(tmp_path / "whole"), everything(tmp_path / "broken"), strict=True):
        assert_same(actual, other)
    state = torch.load(tmp_path / "whole" / "state" / "last.pt", weights_only=True)
    assert len(state["task"]["pool_a._extra_state"]) == 3  # the pool is full, so it did swap
    assert {"ema", "G", "D"} <= state.keys()
    assert (tmp_path / "whole" / "samples" / "step_0000014.png").exists()
    assert not (tmp_path / "whole" / "cache").exists()


def test_the_log_of_a_resumed_run_has_each_line_once(two_folders, tmp_path, tiny, monkeypatch):
    config = make_config(two_folders, tmp_path / "r", tiny, train={"steps": 12, "log_every": 2, "save_minutes": 0.05})
    with monkeypatch.context() as patch:
        killed = stop_after(patch, 9)
        with pytest.raises(killed):
            train(config)
    train(config)
    lines = [json.loads(line) for line in (tmp_path / "r" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4, 6, 8, 10, 12]
    assert {"G/gan_ab", "G/cycle", "D/gan_a", "lr", "images_per_second", "waiting"} <= lines[0].keys()


def test_a_complete_run_is_left_as_it_is(two_folders, tmp_path, tiny):
    config = make_config(two_folders, tmp_path / "r", tiny)
    train(config)
    before = everything(tmp_path / "r")
    assert train(config) == tmp_path / "r"
    for actual, other in zip(before, everything(tmp_path / "r"), strict=True):
        assert_same(actual, other)


def test_another_configuration_in_the_same_folder_is_refused(two_folders, tmp_path, tiny):
    train(make_config(two_folders, tmp_path / "r", tiny))
    with pytest.raises(OptionError, match=r"train.lr = 0.01 \(was 0.0006\)"):
        train(make_config(two_folders, tmp_path / "r", tiny, train={"steps": 6, "lr": 0.01}))


def test_minutes_fix_the_number_of_steps_and_are_kept(two_folders, tmp_path, tiny):
    config = make_config(two_folders, tmp_path / "r", tiny, train={"minutes": 0.1})
    began = time.monotonic()
    train(config)
    assert time.monotonic() - began < 20
    import tomllib

    written = tomllib.loads((tmp_path / "r" / "config.toml").read_text())
    assert written["train"]["minutes"] == 0.1
    assert torch.load(tmp_path / "r" / "state" / "last.pt", weights_only=True)["step"] == written["plan"]["steps"] > 3


def test_init_starts_from_the_weights_of_a_run(two_folders, tmp_path, tiny):
    train(make_config(two_folders, tmp_path / "r", tiny))
    start = {"steps": 1, "lr": 0.0, "init": str(tmp_path / "r"), "ema": 0.0}
    train(make_config(two_folders, tmp_path / "s", tiny, train=start))
    assert_same(load_file(tmp_path / "r" / "model.safetensors"), load_file(tmp_path / "s" / "model.safetensors"))
    assert train(make_config(two_folders, tmp_path / "s", tiny, train=start)) == tmp_path / "s"
    with pytest.raises(UserError, match=r"--init .*: has no G_ab like this run's"):
        train(make_config(two_folders, tmp_path / "t", tiny, train=start, generator={"width": 16}))


def test_seeds_differ(two_folders, tmp_path, tiny):
    for seed in (0, 0, 1):
        out = tmp_path / f"{seed}{len(list(tmp_path.iterdir()))}"
        train(make_config(two_folders, out, tiny, train={"steps": 2, "seed": seed}))
    one, same, other = sorted(p for p in tmp_path.iterdir() if (p / "model.safetensors").exists())
    assert_same(load_file(one / "model.safetensors"), load_file(same / "model.safetensors"))
    assert not torch.equal(*(load_file(p / "model.safetensors")["G_ab.stem.weight"] for p in (one, other)))


def test_the_published_learning_rate():
    """CycleGAN's rule, epoch by epoch: 1 - max(0, epoch + 1 - 100) / 101 for epochs 0 to 199."""
    paper = load_config("cycle", "paper").train
    for epoch in range(200):
        expected = 2e-4 * (1 - max(0, epoch + 1 - 100) / 101)
        for step in (epoch * 37, epoch * 37 + 36):
            assert lr_at(step, 200 * 37, paper) == pytest.approx(expected, rel=1e-9)


def test_the_fast_learning_rate_rises_stays_constant_and_falls():
    fast = load_config("cycle", "fast", {"train": {"warmup": 0.1, "decay_from": 0.6, "lr": 1.0}}).train
    rates = [lr_at(step, 1000, fast) for step in range(1000)]
    assert rates[0] < 0.02
    assert all(a <= b for a, b in zip(rates[:100], rates[1:100], strict=False))
    assert set(rates[101:600]) == {1.0}
    assert rates[800] == pytest.approx(0.5)
    assert 0 < rates[-1] < 0.01


def test_sigterm_saves_and_the_same_command_finishes(two_folders, tmp_path):
    out = tmp_path / "r"
    words = ["--a", two_folders[0], "--b", two_folders[1], "--out", out, *SMALL]
    words += ["--steps", "200", "--train.log_every", "1"]
    command = [sys.executable, "-m", "translate", "train-cycle", *map(str, words)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (out / "metrics.jsonl").exists():
        time.sleep(0.05)
    while time.monotonic() < deadline and not (out / "metrics.jsonl").read_text():
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode == 75, complaints
    assert "run the same command to go on" in complaints
    assert "Traceback" not in complaints
    assert 0 < torch.load(out / "state" / "last.pt", weights_only=True)["step"] < 200
    finished = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert finished.returncode == 0, finished.stderr
    assert torch.load(out / "state" / "last.pt", weights_only=True)["step"] == 200


def test_stopped_is_what_a_signal_raises(two_folders, tmp_path, tiny, monkeypatch):
    from translate.training import step as module

    real = module.train_step

    def step(*args, **kwargs):
        os.kill(os.getpid(), signal.SIGINT)
        return real(*args, **kwargs)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(module, "train_step", step)
    with pytest.raises(Stopped, match="saved at step 1 of 6"):
        train(make_config(two_folders, tmp_path / "r", tiny))
    assert signal.getsignal(signal.SIGINT) is before


def start_command(two_folders, out, *more):
    """Start the training command with small networks; return its process."""
    words = ["--a", two_folders[0], "--b", two_folders[1], "--out", out, *SMALL, *more]
    command = [sys.executable, "-m", "translate", "train-cycle", *map(str, words)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def wait_for_log(out):
    """Wait until a run has written a line of its log."""
    path, deadline = out / "metrics.jsonl", time.monotonic() + 60
    while time.monotonic() < deadline and not (path.exists() and path.read_text()):
        time.sleep(0.05)


def test_one_run_has_one_process(two_folders, tmp_path, tiny):
    """A second training in the folder is refused, whatever its options, and leaves the first as it is."""
    out = tmp_path / "r"
    first = start_command(two_folders, out, "--steps", "2000", "--train.log_every", "1")
    try:
        wait_for_log(out)
        files = [out / "config.toml", out / "metrics.jsonl"]
        before = [path.read_text() for path in files]
        for steps in (2000, 9):
            with pytest.raises(UserError, match=f"is being trained by process {first.pid} on "):
                train(make_config(two_folders, out, tiny, train={"steps": steps}))
        assert all(path.read_text().startswith(text) for path, text in zip(files, before, strict=True))
    finally:
        first.kill()
        first.communicate()
    train(make_config(two_folders, tmp_path / "other", tiny))  # the lock is of this folder alone
    with pytest.raises(OptionError, match="holds a run with other options"):  # no longer locked
        train(make_config(two_folders, out, tiny, train={"steps": 9}))
