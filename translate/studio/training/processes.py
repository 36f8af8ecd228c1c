"""Trainings as processes of their own: started, stopped and resumed by the page, but children of their run folders."""

__all__ = ["Trainings", "environment", "program"]

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from shlex import join
from typing import Any

import translate
from translate.studio.errors import ConflictError
from translate.studio.training.runs import LOG_NAME
from translate.training.command_line import command_arguments, command_of
from translate.utils.errors import UserError
from translate.utils.files import refusals_as_write_errors
from translate.utils.locks import holder_of
from translate.utils.program import command_form
from translate.utils.toml_files import read_toml


class Trainings:
    """The trainings that this server has started; they go on without it.

    A training is found again by the lock of its run folder, whoever started it. The processes are kept only for the
    seconds before they take this lock.
    """

    def __init__(self) -> None:
        self._processes: dict[Path, subprocess.Popen[bytes]] = {}
        self._guard = threading.Lock()

    def starting(self) -> list[str]:
        """Return the names of runs whose process lives."""
        with self._guard:
            return [folder.name for folder, process in self._processes.items() if process.poll() is None]

    def start(self, values: Mapping[str, Any]) -> Path:
        """Start the training of a configuration (plain tables), in a new folder; return the folder.

        Raises:
            ConflictError: a run is in this folder already.
        """
        folder = Path(values["out"])
        if (folder / "config.toml").exists() or (folder / "model.safetensors").exists():
            raise ConflictError(f"there is a run {folder.name!r} already; go on with it, or choose another name")
        return self._launch(values, folder)

    def resume(self, folder: Path) -> Path:
        """Run the command of a run folder again.

        Raises:
            ConflictError: the run is being trained.
            UserError: its command is unknown, or needs code of a plugin, which no file may name.
        """
        config = folder / "config.toml"
        if not config.exists():
            raise UserError(f"{folder.name}: has no config.toml to go on from; start the training anew")
        values = {**read_toml(config), "out": str(folder)}
        if values.get("plugins"):
            command = f"{command_form(command_of(values['task'], values['preset']))} {join(command_arguments(values))}"
            raise UserError(f"{folder.name}: needs a plugin, which runs only if you name it; type: {command}")
        return self._launch(values, folder)

    def stop(self, folder: Path) -> None:
        """Ask the process that trains in a folder to save and leave (SIGTERM).

        Raises:
            ConflictError: nothing trains there.
            UserError: the process belongs to another machine or user.
        """
        process = self._processes.get(folder)
        holder = holder_of(folder / ".lock")
        if holder is None:
            if process is None or process.poll() is not None:
                raise ConflictError(f"{folder.name}: is not being trained")
            process.terminate()
        elif not holder.is_local:
            raise UserError(f"{folder.name}: is trained by {holder}; stop it there")
        else:
            try:
                os.kill(holder.process, signal.SIGTERM)
            except PermissionError:
                raise UserError(
                    f"{folder.name}: is trained by another user's {holder}; ask its user to stop it"
                ) from None
            except ProcessLookupError:  # it has just ended
                pass

    def _launch(self, values: Mapping[str, Any], folder: Path) -> Path:
        """Run the command of a configuration in a session of its own; what it prints goes to the log in its folder."""
        command, words = command_of(values["task"], values["preset"]), command_arguments(values)
        with self._guard:
            process = self._processes.get(folder)
            if holder_of(folder / ".lock") or (process and process.poll() is None):
                raise ConflictError(f"{folder.name}: is being trained already")
            process = _run_logged(folder, command, words)
            self._processes[folder] = process
        threading.Thread(target=process.wait, name=f"training {folder.name}", daemon=True).start()  # no zombie stays
        return folder


def _run_logged(folder: Path, command: str, words: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start a command whose output goes to the log in `folder`; raise WriteError if that cannot be written."""
    with refusals_as_write_errors(folder / LOG_NAME):
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOG_NAME).open("ab", buffering=0) as log:
            title = f"# {datetime.now():%Y-%m-%d %H:%M:%S} {command_form(command)} {join(words)}\n"
            log.write(title.encode("utf-8", "backslashreplace"))
            return subprocess.Popen(
                program(command, words), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True, env=environment(),
            )  # fmt: skip


def program(command: str, words: Sequence[str]) -> list[str]:
    """Return the argument list of a command of this toolkit: what `command_form` says, whatever the working folder."""
    return [sys.executable, "-m", "translate", command, *words]


def environment() -> dict[str, str]:
    """Return the environment of a command: this one, in which the package is found."""
    paths = [str(Path(translate.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
