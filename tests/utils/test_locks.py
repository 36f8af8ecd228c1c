import errno
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from translate.utils import locks
from translate.utils.locks import InUseError, hold, holder_of

CHILD = """
import sys, time
from pathlib import Path
from translate.utils.locks import hold
with hold(Path(sys.argv[1]), "x is in use"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other_process(tmp_path):
    """Another process that holds tmp_path/run/.lock."""
    path = tmp_path / "run" / ".lock"
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "held\n"
    yield child, path
    child.kill()
    child.wait()
    child.stdout.close()


def test_a_lock_names_its_process_and_ends_with_it_however_it_dies(other_process):
    child, path = other_process
    message = rf"^x is in use by process {child.pid} on .*, since .*; wait for it, or stop it"
    with pytest.raises(InUseError, match=message), hold(path, "x is in use"):
        raise AssertionError
    child.send_signal(signal.SIGKILL)
    child.wait()
    with hold(path, "x is in use"):
        assert json.loads(path.read_text())["process"] == os.getpid()
    assert not path.exists()


def test_a_lock_leaves_nothing_behind(tmp_path):
    with hold(tmp_path / "new" / ".lock", "x"):
        (tmp_path / "new" / "result").touch()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["result"]


def test_one_process_cannot_hold_a_lock_twice(tmp_path):
    path, own = tmp_path / ".lock", rf"process {os.getpid()} \(this one\)"
    with hold(path, "x is in use"), pytest.raises(InUseError, match=own), hold(path, "x is in use"):
        raise AssertionError
    with hold(tmp_path / ".lock", "x is in use"):
        pass


def test_a_process_that_waits_comes_next(other_process, capsys):
    child, path = other_process
    os.kill(child.pid, signal.SIGSTOP)  # alive, though it does nothing
    waiting = subprocess.Popen(
        [sys.executable, "-c", CHILD.replace('use")', 'use", wait=True)'), str(path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert f"process {child.pid}" in waiting.stderr.readline()
    child.kill()
    assert waiting.stdout.readline() == "held\n"
    waiting.kill()
    waiting.communicate()


def test_a_folder_that_cannot_be_written_to_is_not_locked(tmp_path):
    (tmp_path / "file").touch()
    with hold(tmp_path / "file" / ".lock", "x"):
        pass


def of_another_machine(path, age=0.0):
    path.write_text(json.dumps({"process": 7, "host": "node7", "host_id": "12345678", "since": time.time()}))
    os.utime(path, (time.time() - age, time.time() - age))


@pytest.mark.parametrize("flock", [True, False])
def test_a_process_of_another_machine_lives_as_long_as_it_renews_its_lock(tmp_path, monkeypatch, flock):
    """On network file systems that have no flock, or one for each machine."""
    path = tmp_path / ".lock"
    monkeypatch.setattr(locks, "_DEAD_AFTER_S", 0.5)
    if not flock:

        def refuse(*_):
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(locks.fcntl, "flock", refuse)
    # dead: the file is as it was
    of_another_machine(path)
    began = time.monotonic()
    with hold(path, "x is in use"):
        assert time.monotonic() - began >= 0.5
    # dead for long
    monkeypatch.setattr(locks, "_DEAD_AFTER_S", 60)
    of_another_machine(path, age=1000)
    with hold(path, "x is in use"):
        pass
    # alive: the file is renewed
    of_another_machine(path)
    renew = f"import os, time; time.sleep(0.5); os.utime({str(path)!r}, (0, time.time() + 1))"
    alive = pytest.raises(InUseError, match="process 7 on node7")
    with subprocess.Popen([sys.executable, "-c", renew]), alive, hold(path, "x is in use"):
        raise AssertionError


def test_without_flock_processes_of_a_machine_exclude_each_other(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    monkeypatch.setattr(locks, "_RENEW_EVERY_S", 0.1)
    path, own = tmp_path / ".lock", f"process {os.getpid()}"
    with hold(path, "x is in use"), pytest.raises(InUseError, match=own), hold(path, "x is in use"):
        raise AssertionError


def test_the_holder_is_known_without_taking_the_lock(other_process):
    child, path = other_process
    holder = holder_of(path)
    assert holder and holder.process == child.pid and holder.is_local
    child.kill()
    child.wait()
    assert path.exists() and holder_of(path) is None
    assert holder_of(path.with_name("missing")) is None


def test_a_process_that_merely_has_the_number_in_a_lock_file_holds_nothing(tmp_path, monkeypatch):
    path = tmp_path / ".lock"
    with hold(path, "x"):
        text = path.read_text()
        assert holder_of(path).process == os.getpid()
    path.write_text(text)  # as in a folder that someone sent
    assert holder_of(path) is None
    path.write_text(text.replace('"host_id": "', '"host_id": "other'))  # on another machine, and renewed just now
    assert holder_of(path).process == os.getpid()
    os.utime(path, (1, 1))
    assert holder_of(path) is None
