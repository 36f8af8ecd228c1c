"""The process that takes hostile things: a line of JSON in for each, a line out that says what came of it."""

import contextlib
import io
import json
import os
import resource
import sys
import warnings
from pathlib import Path

import torch

from translate.checkpoints.model_file import load_model, read_recipe
from translate.checkpoints.original import is_original
from translate.cli.run import main as command
from translate.data.checks.measure import measure
from translate.images.io import read_picture, write_picture
from translate.training.state_file import load_state
from translate.utils.errors import UserError

_ROOM = 6 << 30  # bytes of addresses that it may take above those at its start


def main() -> None:
    """Take what comes until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else writes to the standard output would disturb
    warnings.simplefilter("ignore")
    begun = peak()
    addresses = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (addresses + _ROOM, resource.RLIM_INFINITY))
    print(json.dumps({"word": "ready"}), file=answers, flush=True)
    for line in sys.stdin:
        word, told = outcome(json.loads(line))
        print(json.dumps({"word": word, "line": told, "growth": peak() - begun}), file=answers, flush=True)


def peak() -> float:
    """Return the most memory that this process has held, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def outcome(job: dict) -> tuple[str, str]:
    """Take one thing; return "read", "refused" (in a line), or what it should not have been, and the line."""
    try:
        TAKE[job["kind"]](job)
    except UserError as error:
        return ("refused" if is_line(str(error)) else "no line"), str(error)
    except Refused as error:
        return "refused", str(error)
    except BaseException as error:
        return "raised", f"{type(error).__name__}: {error}"
    return "read", ""


class Refused(Exception):
    """A command ended with a message."""


def is_line(text: str) -> bool:
    """Whether it is one line that a terminal can only show."""
    return bool(text) and "\n" not in text and "\x1b" not in text and len(text) < 4000


def take_picture(job: dict) -> None:
    """Read a picture, measure it, and write it again in its format."""
    measure(Path(job["path"]))
    picture = read_picture(job["path"])
    write_picture(job["out"], picture)


def take_model(job: dict) -> None:
    """Read the recipe and the networks of a model; or a state."""
    path = Path(job["path"])
    if job["state"]:
        net = torch.nn.Linear(4, 4)
        load_state(path, {"task": net, "adam": torch.optim.Adam(net.parameters())}, torch.device("cpu"))
        return
    if not is_original(path):
        read_recipe(path)
    load_model(path)


def take_config(job: dict) -> None:
    """Run a command whose data are nowhere, so that a sound configuration ends with that."""
    said = io.StringIO()
    words = list(job["words"])
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            command("", [words[0], *words[1:], "--a", "nowhere/a", "--b", "nowhere/b"])
    except SystemExit as ended:
        if ended.code in (0, None):
            return
        lines = [line for line in said.getvalue().splitlines() if line.startswith("error: ")]
        if ended.code not in (1, 2) or len(lines) != 1 or not is_line(lines[0]):
            raise RuntimeError(f"status {ended.code}: {said.getvalue()[-500:]!r}") from None
        raise Refused(lines[0]) from None


TAKE = {"picture": take_picture, "model": take_model, "config": take_config}

if __name__ == "__main__":
    main()
