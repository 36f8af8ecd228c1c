import os
import subprocess
import sys
import time

import pytest

from translate.utils import files
from translate.utils.files import atomic_write, remove_stale_temporaries, temporary_path


def dead_process():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def made(path, age=0.0):
    path.write_text("half a pict")
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def names_of(monkeypatch, folder, process, where=None):
    monkeypatch.setattr(os, "getpid", lambda: process)
    if where:
        monkeypatch.setattr(files, "_HOST", where)
    name = temporary_path(folder / "x.png")
    monkeypatch.undo()
    return name


@pytest.fixture
def linux():
    if files._HOST == files._UNKNOWN_HOST:
        pytest.skip("only Linux tells which processes see each other")


def test_what_a_dead_process_left_is_removed_and_what_may_live_stays(linux, tmp_path, monkeypatch):
    dead = made(names_of(monkeypatch, tmp_path, dead_process()))
    parent = made(names_of(monkeypatch, tmp_path, os.getppid()))
    mine = made(temporary_path(tmp_path / "x.png"))
    elsewhere = made(names_of(monkeypatch, tmp_path, dead_process(), "abcdef01"), age=3600)
    others = [made(tmp_path / name, age=1e6) for name in ("x.png", ".x.tmp", ".hidden", "a.tmp")]
    remove_stale_temporaries(tmp_path)
    assert not dead.exists()
    assert all(path.exists() for path in (parent, mine, elsewhere, *others))


def test_what_nobody_touched_for_a_day_goes_wherever_it_is_from(tmp_path, monkeypatch):
    kept = made(names_of(monkeypatch, tmp_path, 1, "abcdef01"), age=23 * 3600)
    old = made(names_of(monkeypatch, tmp_path, 1, "abcdef01"), age=25 * 3600)
    huge = made(names_of(monkeypatch, tmp_path, 10**30), age=25 * 3600)  # no number of a process
    monkeypatch.setattr(files, "_HOST", files._UNKNOWN_HOST)
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("means something else on other systems"))
    mute = made(names_of(monkeypatch, tmp_path, dead_process()))
    remove_stale_temporaries(tmp_path)
    assert kept.exists() and mute.exists() and not old.exists() and not huge.exists()


def test_folders_that_are_not_there_or_closed_are_left_alone(tmp_path):
    remove_stale_temporaries(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    remove_stale_temporaries(tmp_path / "file")


def test_a_write_that_is_killed_leaves_what_the_next_run_removes(linux, tmp_path):
    code = (
        "import os, sys; from translate.utils.files import atomic_write\n"
        "with atomic_write(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('half a pict')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "x.png"])
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".") and left.name.endswith(".tmp")
    with atomic_write(tmp_path / "y.png") as temporary:
        temporary.write_text("whole")
        remove_stale_temporaries(tmp_path)
        assert temporary.exists() and not left.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["y.png"]
