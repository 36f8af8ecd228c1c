import contextlib
import json
import os
import signal

import pytest
import torch

from tests.training.test_loop import assert_same, everything, make_config, stop_after
from translate.training import loop, states
from translate.training import step as training_step
from translate.training.log import Log
from translate.training.loop import train
from translate.training.previews import Previews
from translate.training.run_folder import RunFolder
from translate.utils.errors import UserError
from translate.utils.files import WriteError, temporary_path
from translate.utils.signals import Stopped, stop_at_once

TIMING = ("seconds", "images_per_second", "waiting")


def lines(out):
    records = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in TIMING} for line in records]


def assert_same_runs(one, other):
    for actual, expected in zip(everything(one), everything(other), strict=True):
        assert_same(actual, expected)
    assert lines(one) == lines(other)
    for path in (one / "samples").iterdir():
        assert path.read_bytes() == (other / "samples" / path.name).read_bytes()


@pytest.fixture
def whole(two_folders, tmp_path, tiny):
    """An unbroken run of 12 steps with a line every 5 and a sample every 4, saved at its end alone."""
    return train(make_config(two_folders, tmp_path / "whole", tiny, train=SLOW))


SLOW = {"steps": 12, "log_every": 5, "previews": 3, "save_minutes": 5.0}
EVERY = SLOW | {"save_minutes": 0.0}


class Killed(BaseException):
    pass


@pytest.mark.parametrize("at", [1, 5, 7, 11])
def test_lines_and_samples_do_not_depend_on_saves_and_kills(whole, two_folders, tmp_path, tiny, monkeypatch, at):
    config = make_config(two_folders, tmp_path / "r", tiny, train=EVERY | {"keep": 3})
    with monkeypatch.context() as patch, pytest.raises(BaseException, match="^$"):
        stop_after(patch, at)
        train(config)
    assert len(list((tmp_path / "r" / "state").iterdir())) == min(at, 3)
    train(make_config(two_folders, tmp_path / "r", tiny, train=SLOW))
    assert_same_runs(whole, tmp_path / "r")


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (loop, "export_model"),
        (Previews, "show"),
        (Previews, "write_film"),
        (states.StateFolder, "save"),
        (Log, "write"),
        (RunFolder, "delete_cache"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_around_any_part_of_a_save_changes_nothing(
    whole, two_folders, tmp_path, tiny, monkeypatch, owner, name, after
):
    config = make_config(two_folders, tmp_path / "r", tiny, train=SLOW)
    real = getattr(owner, name)

    def killed(*args, **kwargs):
        if after:
            real(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(owner, name, killed)
        train(config)
    train(config)
    assert_same_runs(whole, tmp_path / "r")
    assert not (tmp_path / "r" / "cache").exists()


def test_a_damaged_model_is_written_again_from_the_state(whole, two_folders, tmp_path, tiny):
    good = (whole / "model.safetensors").read_bytes()
    (whole / "model.safetensors").write_bytes(good[:100])
    train(make_config(two_folders, whole, tiny, train=SLOW))
    assert (whole / "model.safetensors").read_bytes() == good


def test_a_damaged_state_costs_the_steps_since_the_one_before(whole, two_folders, tmp_path, tiny, monkeypatch, capsys):
    config = make_config(two_folders, tmp_path / "r", tiny, train=EVERY)
    with monkeypatch.context() as patch, pytest.raises(BaseException, match="^$"):
        stop_after(patch, 9)
        train(config)
    last = tmp_path / "r" / "state" / "last.pt"
    last.write_bytes(last.read_bytes()[:-1000])
    train(config)
    assert "going on from step_0000008.pt, of step 8" in capsys.readouterr().err
    assert_same_runs(whole, tmp_path / "r")


def test_temporary_files_of_a_kill_are_removed_and_damaged_logs_mended(whole, two_folders, tmp_path, tiny, monkeypatch):
    config = make_config(two_folders, tmp_path / "r", tiny, train=EVERY)
    with monkeypatch.context() as patch, pytest.raises(BaseException, match="^$"):
        stop_after(patch, 6)
        train(config)
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: 2**22 + 1)  # beyond the number of any process
        left = temporary_path(tmp_path / "r" / "state" / "last.pt")
    left.write_text("half a state")
    with (tmp_path / "r" / "metrics.jsonl").open("ab") as file:
        file.write(b'{"step": 5, "G\xff\n')
    train(config)
    assert_same_runs(whole, tmp_path / "r")
    if left.exists():
        pytest.skip("only Linux tells which processes see each other")


# ---- a full disk


def test_a_full_disk_delays_saves_and_loses_nothing(whole, two_folders, tmp_path, tiny, monkeypatch, capsys):
    """From step 3 to 8 nothing can be written: neither lines, nor samples, nor states."""
    from translate.training import log
    from translate.utils import files

    config, step = make_config(two_folders, tmp_path / "r", tiny, train=EVERY), [0]
    real_fsync, real_lines, real_step = os.fsync, log.LineFile._try, training_step.train_step

    def refuse():
        if 3 <= step[0] <= 8:
            raise OSError(28, "No space left on device")

    def fsync(descriptor):
        refuse()
        return real_fsync(descriptor)

    def lines_try(self, call):
        return real_lines(self, lambda: (refuse(), call())[1])

    def taking(*args, **kwargs):
        step[0] += 1
        return real_step(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", fsync)
        patch.setattr(log.LineFile, "_try", lines_try)
        patch.setattr(training_step, "train_step", taking)
        train(config)
    log = capsys.readouterr().err
    assert "step 3 is not saved" in log and "No space left on device" in log and "the state of step 2 is kept" in log
    assert "step 9 is not saved" not in log
    assert_same_runs(whole, tmp_path / "r")


def test_a_run_that_ends_unsaved_names_the_state_that_is_kept(two_folders, tmp_path, tiny, monkeypatch):
    config = make_config(two_folders, tmp_path / "r", tiny, train=SLOW)

    def full(*_):
        raise WriteError("last.pt: cannot be written (No space left on device)")

    with monkeypatch.context() as patch:
        patch.setattr(states.StateFolder, "save", full)
        with pytest.raises(UserError, match="step 12 is not saved.*no earlier state is there, and the same command"):
            train(config)
    assert train(config) == tmp_path / "r"


# ---- signals


@pytest.fixture
def at_step(monkeypatch):
    """Do something in a certain step of a run."""

    def plan(number, act):
        real, taken = training_step.train_step, [0]

        def step(*args, **kwargs):
            taken[0] += 1
            if taken[0] == number:
                act()
            return real(*args, **kwargs)

        monkeypatch.setattr(training_step, "train_step", step)

    return plan


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1", "SIGINT"])
def test_a_signal_saves_at_the_end_of_the_step(whole, two_folders, tmp_path, tiny, at_step, name):
    config, number = make_config(two_folders, tmp_path / "r", tiny, train=SLOW), getattr(signal, name)
    before = signal.getsignal(number)
    at_step(4, lambda: os.kill(os.getpid(), number))
    with pytest.raises(Stopped, match="saved at step 4 of 12; run the same command to go on"):
        train(config)
    assert signal.getsignal(number) is before
    assert torch.load(tmp_path / "r" / "state" / "last.pt", weights_only=True)["step"] == 4
    train(config)
    assert_same_runs(whole, tmp_path / "r")


def test_ctrl_c_twice_stops_at_once(whole, two_folders, tmp_path, tiny, at_step):
    config = make_config(two_folders, tmp_path / "r", tiny, train=EVERY)

    def twice():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    at_step(4, twice)
    with pytest.raises(KeyboardInterrupt):
        train(config)
    assert torch.load(tmp_path / "r" / "state" / "last.pt", weights_only=True)["step"] == 3
    train(config)
    assert_same_runs(whole, tmp_path / "r")


def test_ctrl_c_in_the_middle_of_writing_a_state_leaves_the_one_before(tmp_path):
    class Interrupting(torch.nn.Linear):
        def state_dict(self, *args, **kwargs):
            return {"w": torch.ones(10), "x": Unwritable()}

    class Unwritable:
        def __reduce__(self):
            raise KeyboardInterrupt

    kept = states.StateFolder(tmp_path)
    kept.save(1, {"net": torch.nn.Linear(2, 2)})
    with pytest.raises(KeyboardInterrupt):
        kept.save(2, {"net": Interrupting(2, 2)})
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


def test_a_signal_before_the_first_step_ends_the_run_at_once(two_folders, tmp_path, tiny, monkeypatch):
    def prepare(*args):
        with contextlib.suppress(Exception):  # whoever mends errors on the way does not swallow it
            os.kill(os.getpid(), signal.SIGTERM)
        pytest.fail("went on")

    config = make_config(two_folders, tmp_path / "r", tiny)
    with monkeypatch.context() as patch:
        patch.setattr(loop, "open_data_and_plan", prepare)
        with pytest.raises(Stopped, match="before it took a step"):
            train(config)
    with stop_at_once():
        pass
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
