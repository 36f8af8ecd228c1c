"""Run folders as plain data for the page: state, curves, samples, health, time left. Nothing is changed in them."""

__all__ = ["LOG_NAME", "describe_run", "find_run", "list_runs", "sample_file", "summarize_run"]

import contextlib
import functools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from shlex import join
from typing import Any

from translate.checkpoints.model_file import read_recipe
from translate.studio.errors import UnknownRunError
from translate.training.command_line import command_arguments, command_of
from translate.training.log import step_of
from translate.training.monitors.mode_collapse import CollapseReport
from translate.training.run_folder import RunFolder
from translate.utils.errors import UserError
from translate.utils.locks import holder_of
from translate.utils.program import command_form
from translate.utils.terminal import printable
from translate.utils.toml_files import read_toml

LOG_NAME = "train.log"  # what a training that the page has started prints
CURVE_POINTS = 300  # of each curve: a screen shows no more
_MAX_LOG_BYTES, _MAX_METRICS_BYTES = 2**18, 2**26  # that are read, from the end
_SPEED_LINES = 8  # of metrics.jsonl, over which the time of a step is averaged
_NO_LOSSES = {"step", "lr", "images_per_second", "waiting", "seconds"}  # names of the log itself
_FAILURES = ("error: ", "Traceback ", "usage: ")


def find_run(roots: Iterable[Path], name: str) -> Path:
    """Return the folder of the run `name` directly below one of `roots`; raise UnknownRunError if there is none."""
    if name == Path(name).name and name not in ("", "..") and not name.startswith("."):
        for root in roots:
            if _is_run(root / name):
                return root / name
    raise UnknownRunError(f"there is no run {name!r}")


def list_runs(roots: Iterable[Path], starting: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Summarize the runs directly below `roots`, the newest first; those in `starting` have no lock yet."""
    names: dict[str, Path] = {}
    for root in roots:
        with contextlib.suppress(OSError):
            for folder in root.iterdir():
                if not folder.name.startswith(".") and _is_utf8(folder.name) and _is_run(folder):
                    names.setdefault(folder.name, folder)
    runs = [summarize_run(folder, starting=name in starting) for name, folder in names.items()]
    return sorted(runs, key=lambda run: (run["state"] not in ("training", "starting"), -run["updated"], run["name"]))


def summarize_run(folder: Path, *, starting: bool = False) -> dict[str, Any]:
    """Return name, task, state and progress of a run."""
    config, lines = _read_config(folder), _read_metrics(folder)
    plan = config.get("plan", {})
    total = _whole(plan.get("steps") if isinstance(plan, Mapping) else 0)
    step = max((line["step"] for line in lines), default=0)
    state, reason = _state(folder, total, starting=starting)
    return {
        "name": folder.name, "task": str(config.get("task", "")), "preset": str(config.get("preset", "")),
        "data": _data_title(config), "state": state, "reason": reason, "step": step, "steps": total,
        "seconds_left": _seconds_left(lines, total - step) if state == "training" else None,
        "seconds": sum(line.get("seconds", 0.0) for line in lines), "updated": _updated(folder),
        "model": (folder / "model.safetensors").is_file(), "samples": _sample_steps(folder)[-1:],
    }  # fmt: skip


def describe_run(folder: Path, *, starting: bool = False) -> dict[str, Any]:
    """Return all that the page shows of a run: its summary, curves, sample steps, health, command and last lines."""
    config, lines, log = _read_config(folder), _read_metrics(folder), _log_lines(folder)
    command, error = _command(folder, config)
    return summarize_run(folder, starting=starting) | {
        "samples": _sample_steps(folder), "curves": _curves(lines), "health": _health(folder, lines, log),
        "command": command, "no_command": error, "log": log[-30:], "options": _options(config),
    }  # fmt: skip


def sample_file(folder: Path, step: int) -> Path:
    """Return the sample grid of a step; raise UnknownRunError if it is missing, or a link out of the folder."""
    path = folder / "samples" / f"step_{step:07d}.png"
    if not (path.is_file() and path.resolve().is_relative_to(folder.resolve())):
        raise UnknownRunError(f"{folder.name}: has no samples of step {step}")
    return path


# ---- files


def _is_run(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return any((folder / name).is_file() for name in ("config.toml", "metrics.jsonl", LOG_NAME))
    return False


def _is_utf8(name: str) -> bool:
    return name.encode("utf-8", "ignore").decode("utf-8") == name


def _read_config(folder: Path) -> dict[str, Any]:
    """Return config.toml; {} if it is missing or damaged."""
    try:
        return read_toml(folder / "config.toml")
    except UserError:
        return {}


def _read_metrics(folder: Path) -> Sequence[Mapping[str, float]]:
    """Return the lines of metrics.jsonl with their finite numbers; skip those that are cut short or no records."""
    path = folder / "metrics.jsonl"
    try:
        status = path.stat()
    except OSError:
        return ()
    return _parse_metrics(path, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _parse_metrics(path: Path, size: int, changed: int) -> Sequence[Mapping[str, float]]:
    """Parse the file of this size and time: pages ask for the same one again and again."""
    entries = []
    for text in _last_lines(path, _MAX_METRICS_BYTES):
        with contextlib.suppress(ValueError, RecursionError):
            entry = json.loads(text)
            if isinstance(entry, dict) and type(entry.get("step")) is int:
                entries.append({key: value for key, value in entry.items() if _is_finite(value)})
    return entries


def _is_finite(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _log_lines(folder: Path) -> list[str]:
    return [printable(line) for line in _last_lines(folder / LOG_NAME, _MAX_LOG_BYTES) if line.strip()]


def _last_lines(path: Path, limit: int) -> list[str]:
    """Return the lines in the last `limit` bytes of a regular file; [] if it cannot be read."""
    try:
        if not path.is_file():
            return []
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - limit))
            lines = file.read(limit).decode("utf-8", "replace").splitlines()
        return lines[1:] if size > limit else lines
    except OSError:
        return []


def _updated(folder: Path) -> float:
    """Return when something was last written into the folder, in seconds since 1970."""
    times = [0.0]
    for name in ("config.toml", "metrics.jsonl", LOG_NAME, "model.safetensors"):
        with contextlib.suppress(OSError):
            times.append((folder / name).stat().st_mtime)
    return max(times)


def _sample_steps(folder: Path) -> list[int]:
    return sorted(step for path in (folder / "samples").glob("step_*.png") if (step := step_of(path)) >= 0)


# ---- state


def _state(folder: Path, total: int, *, starting: bool) -> tuple[str, str]:
    """Return "training", "starting", "finished", "stopped", "failed" or "model", and the line that explains it."""
    if holder := holder_of(folder / ".lock"):
        return "training", str(holder)
    if starting:
        return "starting", ""
    if total and _saved_steps(folder) >= total:
        return "finished", ""
    log = _log_lines(folder)
    if failures := [line for line in log[_last_start(log) :] if line.startswith(_FAILURES)]:
        return "failed", log[-1] if failures[-1].startswith("Traceback") else failures[-1].removeprefix("error: ")
    return "stopped", next((line for line in reversed(log[-3:]) if "run the same command" in line), "")


def _last_start(log: Sequence[str]) -> int:
    """Return the number of the line where the newest training of a log begins."""
    return max((i for i, line in enumerate(log) if line.startswith("# ")), default=0)


def _saved_steps(folder: Path) -> int:
    with contextlib.suppress(UserError, OSError):
        return read_recipe(folder / "model.safetensors").steps
    return 0


def _seconds_left(lines: Sequence[Mapping[str, float]], steps: float) -> float | None:
    """Return the time that `steps` more steps take, at the pace of the latest lines; None before the second line."""
    timed = [line for line in lines if line.get("seconds")][-_SPEED_LINES - 1 :]
    if len(timed) < 2 or timed[-1]["step"] <= timed[0]["step"]:
        return None
    pace = sum(line["seconds"] for line in timed[1:]) / (timed[-1]["step"] - timed[0]["step"])
    return max(0.0, steps * pace)


def _whole(value: object) -> int:
    return value if type(value) is int and value > 0 else 0


# ---- words


def _data_title(config: Mapping[str, Any]) -> str:
    """Return the names of the data, "photos to monet"."""
    data = config.get("data", {})
    names = [str(data[key]) for key in ("a", "b", "root", "images") if isinstance(data, Mapping) and data.get(key)]
    return " to ".join(names)


def _options(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the values by which two runs are compared: size, batch size, generator, and what the plan has chosen."""
    tables = {name: table for name, table in config.items() if isinstance(table, Mapping)}
    wanted = {
        "picture size": ("plan", "size"), "crop": ("plan", "crop"), "batch size": ("data", "batch_size"),
        "generator": ("generator", "name"), "width": ("generator", "width"), "learning rate": ("train", "lr"),
        "precision": ("plan", "precision"), "seed": ("train", "seed"),
    }  # fmt: skip
    found = {word: tables.get(section, {}).get(key) for word, (section, key) in wanted.items()}
    return {word: str(value) for word, value in found.items() if value is not None}


def _command(folder: Path, config: Mapping[str, Any]) -> tuple[str, str]:
    """Return the command that goes on with a run, or why there is none."""
    if not config:
        return "", ""
    try:
        words = command_arguments({**config, "out": str(folder)})
        return f"{command_form(command_of(config['task'], config['preset']))} {join(words)}", ""
    except (UserError, KeyError, TypeError, AttributeError) as error:
        return "", str(error)


def _health(folder: Path, lines: Sequence[Mapping[str, float]], log: Sequence[str]) -> list[str]:
    """Return what is known about the health of a run, in words: notes while it trained, variety, the verdict."""
    notes = [line.removeprefix("note ") for line in log if line.startswith("note step ")]
    found = [line for line in lines if "health/spread" in line][-1:]
    variety = [f"step {line['step']}: {_variety(line)}" for line in found]
    verdict = RunFolder(folder).read_verdict()
    return [*notes[-6:], *variety, *([str(verdict)] if verdict else [])]


def _variety(line: Mapping[str, float]) -> str:
    """Return the variety of generated pictures in words, from a line of metrics.jsonl."""
    spread, nearness, within = (line.get(f"health/{key}", math.nan) for key in ("spread", "nearness", "within"))
    return str(CollapseReport(spread=spread, nearness=nearness, within=within, findings=[]))


# ---- curves


def _curves(lines: Sequence[Mapping[str, float]]) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """Return points (step, value) of each number, by group: losses, scores, health, speed."""
    groups: dict[str, dict[str, list[tuple[float, float]]]] = {"losses": {}, "scores": {}, "health": {}, "speed": {}}
    for line in lines:
        for name, value in line.items():
            if place := _place_of(name):
                groups[place[0]].setdefault(place[1], []).append((line["step"], value))
    return {group: {name: _thin(curve) for name, curve in curves.items()} for group, curves in groups.items()}


def _place_of(name: str) -> tuple[str, str] | None:
    """Return the group of a number and its name there; None if it is not drawn."""
    for prefix, group in (("score/", "scores"), ("health/", "health")):
        if name.startswith(prefix):
            return group, name.removeprefix(prefix)
    if name == "images_per_second":
        return "speed", "pictures a second"
    return None if name in _NO_LOSSES or name.startswith("lr_factor/") else ("losses", name)


def _thin(curve: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Average neighbouring points of a long curve; the last point stays."""
    width = math.ceil(len(curve) / CURVE_POINTS)
    if width < 2:
        return list(curve)
    parts = [curve[i : i + width] for i in range(0, len(curve), width)]
    return [(part[-1][0], sum(value for _, value in part) / len(part)) for part in parts]
