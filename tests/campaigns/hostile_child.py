"""The process that reads hostile inputs: a line of JSON in for each, a line with the outcome out."""

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

ADDRESS_SPACE_BYTES = 6 << 30  # that the process may use above that at its start


def main() -> None:
    """Handle inputs until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # standard output is for outcomes only
    warnings.simplefilter("ignore")
    start_memory = peak_memory()
    addresses = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (addresses + ADDRESS_SPACE_BYTES, resource.RLIM_INFINITY))
    print(json.dumps({"word": "ready"}), file=answers, flush=True)
    for line in sys.stdin:
        word, message = outcome(json.loads(line))
        print(
            json.dumps({"word": word, "line": message, "growth": peak_memory() - start_memory}),
            file=answers,
            flush=True,
        )


def peak_memory() -> float:
    """Return the peak resident memory of this process, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def outcome(job: dict) -> tuple[str, str]:
    """Handle one input; return "read", "refused" (with a one-line error) or the kind of failure, and the message."""
    try:
        HANDLERS[job["kind"]](job)
    except UserError as error:
        return ("refused" if is_line(str(error)) else "no line"), str(error)
    except Refused as error:
        return "refused", str(error)
    except BaseException as error:
        return "raised", f"{type(error).__name__}: {error}"
    return "read", ""


class Refused(Exception):
    """A command ended with a one-line error."""


def is_line(text: str) -> bool:
    """Whether a text is a single line without terminal commands."""
    return bool(text) and "\n" not in text and "\x1b" not in text and len(text) < 4000


def handle_picture(job: dict) -> None:
    """Read and measure a picture, and write it in its format."""
    measure(Path(job["path"]))
    picture = read_picture(job["path"])
    write_picture(job["out"], picture)


def handle_model(job: dict) -> None:
    """Load the recipe and networks of a model, or a state."""
    path = Path(job["path"])
    if job["state"]:
        net = torch.nn.Linear(4, 4)
        load_state(path, {"task": net, "adam": torch.optim.Adam(net.parameters())}, torch.device("cpu"))
        return
    if not is_original(path):
        read_recipe(path)
    load_model(path)


def handle_config(job: dict) -> None:
    """Run a command on missing data, so that a valid configuration ends with that error."""
    output = io.StringIO()
    words = list(job["words"])
    try:
        with contextlib.redirect_stderr(output), contextlib.redirect_stdout(output):
            command("", [words[0], *words[1:], "--a", "nowhere/a", "--b", "nowhere/b"])
    except SystemExit as ended:
        if ended.code in (0, None):
            return
        lines = [line for line in output.getvalue().splitlines() if line.startswith("error: ")]
        if ended.code not in (1, 2) or len(lines) != 1 or not is_line(lines[0]):
            raise RuntimeError(f"status {ended.code}: {output.getvalue()[-500:]!r}") from None
        raise Refused(lines[0]) from None


HANDLERS = {"picture": handle_picture, "model": handle_model, "config": handle_config}

if __name__ == "__main__":
    main()
