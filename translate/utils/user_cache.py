"""Small facts that are kept from start to start in the user's cache folder: $XDG_CACHE_HOME, or else ~/.cache.

A fact is a small JSON file, named after a hash of its question. Where the folder cannot be written, nothing is kept.
"""

__all__ = ["fact_path", "machine", "origin", "recall", "remember", "remember_trial"]

import hashlib
import json
import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from translate.utils.errors import UserError
from translate.utils.files import write_json
from translate.utils.terminal import printable


def fact_path(kind: str, question: Mapping[str, Any]) -> Path | None:
    """Return the file of the fact that answers `question`; None where the user has no home."""
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None
    digest = hashlib.sha256(json.dumps(question, sort_keys=True, default=str).encode()).hexdigest()
    return root / "translate" / kind / f"{digest[:16]}.json"


def recall(kind: str, question: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the fact of this `kind` that was remembered for `question`; None without one."""
    path = fact_path(kind, question)
    try:
        fact = json.loads(path.read_text(encoding="utf-8"))["fact"] if path else None
    except (OSError, ValueError, KeyError, TypeError):  # there is none, or it is damaged
        return None
    return fact if isinstance(fact, dict) else None


def remember(kind: str, question: Mapping[str, Any], fact: Mapping[str, Any]) -> bool:
    """Remember a fact as the answer to `question`, both of JSON's types; return whether that was possible."""
    path = fact_path(kind, question)
    try:
        if path:
            write_json(path, {"fact": fact, "question": question})
    except (UserError, OSError):
        return False
    return path is not None


def remember_trial(kind: str, question: Mapping[str, Any], outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Remember the outcome of a trial, if that is possible, and return it with its date."""
    fact = {**outcome, "timed": time.strftime("%Y-%m-%d %H:%M")}
    remember(kind, question, fact)
    return fact


def origin(kind: str, question: Mapping[str, Any], outcome: Mapping[str, Any] | None) -> str:
    """Describe where a choice comes from: the remembered `outcome` of an earlier trial, or, for None, a trial now."""
    path = fact_path(kind, question)
    if outcome:
        return f"chosen by the times of {outcome.get('timed')}; delete {printable(str(path))} to time again"
    return f"timed now; remembered in {printable(str(path))}" if path and path.exists() else "timed now"


def machine(device: torch.device) -> dict[str, Any]:
    """Describe processor, GPU, threads and libraries: what the speed and the rounding of networks depend on.

    Machines of one make share their facts, so that a job has the same bits on each of them.
    """
    described = {
        "processor": _processor(), "cores": os.cpu_count(), "threads": torch.get_num_threads(),
        "device": device.type, "torch": torch.__version__, "translate": 1,
    }  # fmt: skip
    if device.type == "cuda":
        described |= {"gpu": torch.cuda.get_device_name(device), "cudnn": torch.backends.cudnn.version()}
    return described


def _processor() -> str:
    """Return the name of the processor; Python alone names only its family."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
