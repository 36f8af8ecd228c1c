"""The benchmark's end of the pipe to a candidate, whose process isolates its memory and settings."""

__all__ = ["Worker", "fetch_facts", "package_environment", "python_command"]

import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from translate.utils.errors import OptionError, UserError

MIN_TURN_S = 0.25  # a turn repeats short steps for this time, as single ones cannot be timed well
EXIT_TIMEOUT_S = 10


def python_command(module: str, *words: str | Path) -> list[str]:
    """Return the command line that runs a module of this package."""
    return [sys.executable, "-m", module, *map(str, words)]


def package_environment() -> dict[str, str]:
    """Return the environment of this process with this package on PYTHONPATH."""
    root = str(Path(__file__).parents[2])
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))}


class Worker(contextlib.AbstractContextManager):
    """The process of a candidate; `channel` is its end of the pipe.

    Attributes:
        name: of the candidate in errors.
        facts: its first message.
        peak: its peak memory up to the last turn, bytes.
    """

    def __init__(self, name: str, spec: Mapping[str, Any], command: Sequence[str] = ()) -> None:
        """Start `command` (default: `candidates`), send `spec` as the first line, and wait for its first message.

        Raises:
            UserError: the process ended without an answer, or answered with an error.
        """
        self.name, self.peak = name, 0
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115, `close` does
        self._process = subprocess.Popen(
            command or python_command("translate.bench.candidates"), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._errors, env=package_environment(), encoding="utf-8",
        )  # fmt: skip
        try:
            self.facts = self._request(spec)
        except BaseException:
            self.close()
            raise
        self._steps = max(1, math.ceil(MIN_TURN_S / self.facts["steady"])) if "steady" in self.facts else 0

    def __exit__(self, *_: object) -> None:
        self.close()

    def take_turn(self) -> float:
        """Let the candidate take steps for one turn; return the mean seconds of a step."""
        answer = self._request({"steps": self._steps})
        self.peak = answer["peak"]
        return float(answer["seconds"])

    def close(self) -> None:
        """End the process, by force if it does not exit in time."""
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(EXIT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def _request(self, message: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise UserError(f"{self.name}: {self._exit_reason()}")
        answer = json.loads(line)
        if error := answer.get("error"):
            raise (OptionError if answer.get("option") else UserError)(f"{self.name}: {error}")
        return answer

    def _exit_reason(self) -> str:
        """Return why the process ended without an answer."""
        status = self._process.wait()
        if status < 0:
            return f"was ended by signal {-status}" + (" (out of memory, most likely)" if status == -9 else "")
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors if line.strip()]
        return lines[-1] if lines else f"ended with status {status}"


def fetch_facts(name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Run a candidate that only reports facts in its own process; return them."""
    with Worker(name, spec) as worker:
        return worker.facts
