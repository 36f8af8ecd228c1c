"""A candidate in a process of its own: nothing that one sets or keeps touches another, and its memory is its own."""

__all__ = ["Worker", "ask", "python"]

import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from translate.utils.errors import OptionError, UserError

TURN = 0.25  # s that a turn takes at least, in steps
PATIENCE = 10  # s until a process that should end is ended


def python(module: str, *words: str | Path) -> list[str]:
    """Return the command that runs a module of this package."""
    return [sys.executable, "-m", module, *map(str, words)]


def environment() -> dict[str, str]:
    """Return this process's environment, in which the package is found wherever it lies."""
    here = str(Path(__file__).parents[2])
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))}


class Worker:
    """The parent's end of a `channel.Channel`.

    Attributes:
        name: what errors call it.
        facts: what it told when it was ready.
        peak: of its memory up to the last turn, bytes.
    """

    def __init__(self, name: str, command: Sequence[str], spec: Mapping[str, Any]) -> None:
        """Start `command`, send `spec` as the first line, and wait until it is ready.

        Raises:
            UserError: it ended without an answer, or answered with an error.
        """
        self.name, self.peak = name, 0
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115, `close` does
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
            env=environment(), encoding="utf-8",
        )  # fmt: skip
        try:
            self.facts = self._answer_to(spec)
        except BaseException:
            self.close()
            raise
        self._steps = max(1, math.ceil(TURN / self.facts["usual"])) if "usual" in self.facts else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def turn(self) -> float:
        """Let it take some steps, and return the seconds of one."""
        answer = self._answer_to({"steps": self._steps})
        self.peak = answer["peak"]
        return float(answer["seconds"])

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def _answer_to(self, order: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise UserError(f"{self.name}: {self._last_words()}")
        answer = json.loads(line)
        if error := answer.get("error"):
            raise (OptionError if answer.get("option") else UserError)(f"{self.name}: {error}")
        return answer

    def _last_words(self) -> str:
        """Say why the process ended without an answer."""
        status = self._process.wait()
        if status < 0:
            return f"was ended by signal {-status}" + (" (out of memory, most likely)" if status == -9 else "")
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors if line.strip()]
        return lines[-1] if lines else f"ended with status {status}"


def ask(name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return what one of `candidates.CANDIDATES` finds out in a process of its own."""
    with Worker(name, python("translate.bench.candidates"), spec) as worker:
        return worker.facts
