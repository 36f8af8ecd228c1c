import errno
import io
import os
import pickle
import re
import subprocess
import sys

import pytest
import torch
from torch import nn

from translate.training.states import SaveSchedule, StateFolder
from translate.utils.errors import UserError
from translate.utils.files import WriteError

CPU = torch.device("cpu")


def make_parts(value=0.0):
    """A network and its optimizer, with every number the same: a mixture of two states would show."""
    net = nn.Linear(3, 2)
    adam = torch.optim.Adam(net.parameters())
    for p in net.parameters():
        nn.init.constant_(p, value)
        adam.state[p] = {"step": torch.tensor(value), "exp_avg": p.detach().clone(), "exp_avg_sq": p.detach().clone()}
    return {"net": net, "adam": adam}


def numbers(parts):
    tensors = [*parts["net"].state_dict().values()]
    for moments in parts["adam"].state_dict()["state"].values():
        tensors += moments.values()
    return {float(x) for tensor in tensors for x in tensor.flatten()}


def saved(folder, *steps, keep=2):
    states = StateFolder(folder, keep)
    for step in steps:
        states.save(step, make_parts(float(step)))
    return states


def loaded(folder):
    """The step of the newest state that can be loaded; all that it holds are numbers of that step."""
    parts = make_parts()
    step = StateFolder(folder).load(parts, CPU)
    assert numbers(parts) == {float(step)}
    return step


def files(folder):
    return sorted(path.name for path in folder.iterdir())


# ---- what is kept


def test_a_saved_state_is_loaded(tmp_path):
    assert StateFolder(tmp_path).load(make_parts(), CPU) == 0
    saved(tmp_path / "s", 7)
    assert loaded(tmp_path / "s") == 7


@pytest.mark.parametrize(
    ("keep", "names"),
    [
        (1, ["last.pt"]),
        (2, ["last.pt", "step_0000003.pt"]),
        (3, ["last.pt", "step_0000002.pt", "step_0000003.pt"]),
    ],
)
def test_the_given_number_of_states_is_kept(tmp_path, keep, names):
    saved(tmp_path, 1, 2, 3, 4, keep=keep)
    assert files(tmp_path) == names
    again = StateFolder(tmp_path, keep)
    assert again.load(make_parts(), CPU) == 4
    again.save(5, make_parts(5.0))
    assert len(files(tmp_path)) == keep
    assert loaded(tmp_path) == 5


def test_the_last_step_saved_twice_is_one_state(tmp_path):
    saved(tmp_path, 1, 2, 2)
    assert files(tmp_path) == ["last.pt", "step_0000001.pt"]


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    data = bytearray(path.read_bytes())
    data[data.index(torch.full((6,), 2.0).numpy().tobytes()) + 5] ^= 4  # in the middle of the weights
    path.write_bytes(data)


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, flip, empty])
def test_a_damaged_state_falls_back_to_the_one_before_and_says_so(tmp_path, capsys, damage):
    saved(tmp_path, 1, 2)
    damage(tmp_path / "last.pt")
    assert loaded(tmp_path) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"note .*last\.pt: is not a state .*; going on from step_0000001\.pt, of step 1", line)
    states = StateFolder(tmp_path)
    states.load(make_parts(), CPU)
    states.save(2, make_parts(2.0))  # what is damaged is not kept behind it
    assert files(tmp_path) == ["last.pt", "step_0000001.pt"]
    assert loaded(tmp_path) == 2


def test_states_beyond_the_one_that_was_resumed_are_removed(tmp_path):
    saved(tmp_path, 10, 20, 30, keep=3)
    for name in ("last.pt", "step_0000020.pt"):
        cut(tmp_path / name)
    states = StateFolder(tmp_path, 3)
    assert states.load(make_parts(), CPU) == 10
    states.save(15, make_parts(15.0))
    assert files(tmp_path) == ["last.pt", "step_0000010.pt"]


def test_a_run_without_a_whole_state_does_not_start_anew(tmp_path):
    saved(tmp_path, 1, 2)
    for path in tmp_path.iterdir():
        cut(path)
    with pytest.raises(UserError, match=r"last\.pt: is not a state of this run .*; delete .* to begin anew"):
        loaded(tmp_path)
    saved(tmp_path / "other", 1)
    with pytest.raises(UserError, match="is not a state of this run"):
        StateFolder(tmp_path / "other").load({"task": nn.Linear(3, 2)}, CPU)


def test_a_part_missing_from_the_file_stays_unless_it_is_a_network(tmp_path):
    class Note:
        def load_state_dict(self, state):
            raise AssertionError

    saved(tmp_path, 3)
    assert StateFolder(tmp_path).load(make_parts() | {"note": Note()}, CPU) == 3


def test_no_code_is_run_from_a_state(tmp_path):
    class Evil:
        def __reduce__(self):
            return subprocess.run, (["touch", str(tmp_path / "owned")],)

    (tmp_path / "s").mkdir()
    for bad in (lambda f: torch.save({"step": Evil()}, f), lambda f: f.write(pickle.dumps(Evil()))):
        with (tmp_path / "s" / "last.pt").open("wb") as file:
            bad(file)
        with pytest.raises(UserError):
            StateFolder(tmp_path / "s").load({}, CPU)
    assert not (tmp_path / "owned").exists()


# ---- every file operation of a save goes wrong


class Killed(BaseException):
    """The process is no more: it does not clean up either."""


class Disk:
    """Stands between a save and its files, and lets operation number `at` go wrong in one way."""

    def __init__(self, patch, at=-1, fault=None):
        self.at, self.fault, self.names, self.dead = at, fault, [], False
        self.open, self.patch = io.open, patch
        patch.setattr(io, "open", self.opened)
        for name in ("fsync", "replace", "unlink", "mkdir"):
            patch.setattr(os, name, self.watched(name, getattr(os, name)))

    def due(self, name):
        """Count an operation; tell whether it is only to be done by half."""
        if self.dead:
            raise Killed
        self.names.append(name)
        if len(self.names) - 1 != self.at:
            return False
        if self.fault == "kill":
            self.dead = True
            raise Killed
        if self.fault != "short":
            raise OSError(self.fault, os.strerror(self.fault))
        return name == "write"

    def watched(self, name, function):
        def call(*args, **kwargs):
            self.due(name)
            return function(*args, **kwargs)

        return call

    def opened(self, file, mode="r", *args, **kwargs):
        self.due("open")
        return File(self, self.open(file, mode, buffering=0)) if "b" in mode else self.open(file, mode, *args, **kwargs)


class File:
    def __init__(self, disk, raw):
        self.disk, self.raw = disk, raw

    def write(self, data):
        if self.disk.due("write"):
            self.raw.write(bytes(data)[: len(data) // 2])
            return len(data)  # and nobody is told
        return self.raw.write(data)

    def read(self, *count):
        self.disk.due("read")
        return self.raw.read(*count)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.close()

    def __getattr__(self, name):
        return getattr(self.raw, name)


def save_with_fault(folder, monkeypatch, at=-1, fault=None):
    """Save step 3 behind 1 and 2; return the operations that it took."""
    states = saved(folder, 1, 2)
    with monkeypatch.context() as patch:
        disk = Disk(patch, at, fault)
        try:
            states.save(3, make_parts(3.0))
        except (WriteError, Killed) as error:
            assert "\n" not in str(error)
    return disk.names


@pytest.mark.parametrize("fault", ["short", errno.ENOSPC, errno.EIO, "kill"])
def test_after_any_failed_save_there_is_a_whole_state(tmp_path, monkeypatch, fault):
    names = save_with_fault(tmp_path / "whole", monkeypatch)
    assert {"mkdir", "open", "write", "fsync", "read", "replace", "unlink"} == set(names)
    outcomes = set()
    for at, name in enumerate(names):
        if fault == "short" and name != "write":
            continue
        folder = tmp_path / str(at)
        save_with_fault(folder, monkeypatch, at, fault)
        step = loaded(folder)
        assert step in (2, 3), f"{fault} in {name}, operation {at}"
        outcomes.add(step)
        if fault != "kill":
            assert not [f for f in files(folder) if f.endswith(".tmp")] or name == "unlink"
        states = StateFolder(folder)
        states.load(make_parts(), CPU)
        states.save(4, make_parts(4.0))  # and the run goes on
        assert loaded(folder) == 4
    assert 2 in outcomes


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of the system")
def test_a_really_full_disk_is_one_line(tmp_path):
    """The limit of the system on the size of a file stands for a full disk: torch and safetensors write as always."""
    code = (
        "import resource, sys, torch\n"
        "from pathlib import Path\n"
        "from translate.checkpoints.model_file import export_model\n"
        "from translate.checkpoints.recipe import Recipe\n"
        "from translate.utils.errors import UserError\n"
        "from translate.training.states import StateFolder\n"
        "place, net = Path(sys.argv[1]), torch.nn.ModuleDict({'G': torch.nn.Linear(100, 100)})\n"
        "recipe = Recipe(task='cycle', nets={}, domains=('a', 'b'), size=32, preset='fast', steps=1, data='')\n"
        "states = StateFolder(place / 'state')\n"
        "states.save(1, {'net': net})\n"
        "export_model(net, recipe, place / 'model.safetensors')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
        "for save in (lambda: states.save(2, {'net': net}),\n"
        "             lambda: export_model(net, recipe, place / 'model.safetensors')):\n"
        "    try: save()\n"
        "    except UserError as error: print(error)\n"
        "print(StateFolder(place / 'state').load({'net': net}, torch.device('cpu')))\n"
    )
    child = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
    state, model, step = child.stdout.splitlines()
    assert "last.pt: cannot be written (File too large)" in state
    assert "model.safetensors: cannot be written" in model
    assert step == "1" and child.stderr == ""
    assert files(tmp_path) == ["model.safetensors", "state"] and files(tmp_path / "state") == ["last.pt"]


# ---- when the disk refuses


def test_refused_saves_are_reported_and_tried_again(capsys):
    full = [True]

    def write(step):
        if full[0]:
            raise WriteError("last.pt: cannot be written (No space left on device)")

    saves = SaveSchedule(write, minutes=0.0, saved_step=10)
    saves.save(20, must=False)
    assert saves.saved_step == 10
    assert "step 20 is not saved" in (line := capsys.readouterr().err) and "step 10 is kept" in line
    with pytest.raises(WriteError, match="step 30 is not saved.*the state of step 10 is kept"):
        saves.save(30, must=True)
    saves.save(35, must=False)
    assert not capsys.readouterr().err  # the same reason is not repeated at every step
    full[0] = False
    assert saves.is_due
    saves.save(40, must=False)
    assert saves.saved_step == 40 and not capsys.readouterr().err
