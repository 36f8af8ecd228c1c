"""The note in an output folder: the models, options and modes that its results were made with.

All shards share the note, so that they compute in one mode, and so does a run that is repeated after a kill.
"""

__all__ = ["NOTE", "Mode", "OutputNote", "Run", "agree"]

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from translate.utils.files import check_regular, write_json
from translate.utils.locks import hold

NOTE = ".translated.json"
VERSION = 2  # of the file; the first version was the dictionary of options alone
_FIRST_KEYS = (
    "values", "direction", "scale", "stats", "looks", "count", "seed", "hints", "masks",
)  # fmt: skip
_MAX_CHARS = 2**24  # a longer file is no note
_FLAGS = {"values": "value-range", "looks": "look"}  # of options with another name here

Mode = tuple[str, bool]  # precision, and whether the layout is channels_last


@dataclass(frozen=True)
class Run:
    """Everything that the results of a run depend on, besides the pictures."""

    model: str  # hash of the networks, or the name of a method without any
    file: str  # of the model, for messages
    options: Mapping[str, Any]  # those that change results, of JSON's types
    mode: Mode | None = None  # None: not chosen yet

    @property
    def name(self) -> str:
        """Return a name that is equal for equal runs."""
        parts = json.dumps([self.model, self.options, self.mode], sort_keys=True)
        return hashlib.blake2b(parts.encode(), digest_size=8).hexdigest()

    def difference(self, earlier: "Run") -> str:
        """Say what distinguishes an earlier run, such as "with --seed 1, not with --seed 2"."""
        parts = []
        if earlier.model != self.model:
            is_same_file = earlier.file == self.file
            parts.append("with an earlier state of the model" if is_same_file else f"with the model {earlier.file}")
        for key in sorted({*earlier.options, *self.options}):
            before, now = earlier.options.get(key), self.options.get(key)
            if before != now:
                parts.append(_difference(f"--{_FLAGS.get(key, key)}", before, now))
        if not parts and earlier.mode and self.mode:
            layouts = ["channels_last" if mode[1] else "contiguous" for mode in (earlier.mode, self.mode)]
            parts.append(f"in {earlier.mode[0]} ({layouts[0]}), not in {self.mode[0]} ({layouts[1]})")
        return " and ".join(parts) or "by another run"


def _difference(flag: str, before: Any, now: Any) -> str:
    if isinstance(before, list) and isinstance(now, list):
        return f"with another {flag}"
    return f"{_with(flag, before)}, not {_with(flag, now)}"


def _with(flag: str, value: Any) -> str:
    if value is None or value is False:
        return f"without {flag}"
    return f"with {flag}" if value is True or isinstance(value, list) else f"with {flag} {value}"


@dataclass
class OutputNote:
    """The content of the note."""

    runs: dict[str, Run] = field(default_factory=dict)  # by name, the last one last
    # options that the first version noted, which noted none for a plain run; None: the folder was empty before
    earlier: Mapping[str, Any] | None = None
    damaged: bool = False

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read the file of this or the first version; one that is missing is empty, and a damaged one `damaged`."""
        try:
            check_regular(file)
            with file.open(encoding="utf-8") as stream:
                values = json.loads(stream.read(_MAX_CHARS))
            if "version" not in values:
                return cls(earlier=dict(values.items()))
            runs = {name: _parse_run(run) for name, run in values["runs"].items()}
            return cls({name: run for name, run in runs.items() if run.name == name}, values.get("earlier"))
        except FileNotFoundError:
            return cls(earlier={})
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return cls(damaged=True)

    def write(self, file: Path) -> None:
        """Write the file atomically."""
        runs = {
            name: {"model": run.model, "file": run.file, "options": run.options, "mode": run.mode}
            for name, run in self.runs.items()
        }
        write_json(file, {"version": VERSION, "runs": runs, "earlier": self.earlier})

    def mode_of(self, run: Run, precision: str) -> Mode | None:
        """Return the mode in which the last run of this model computed, rather one of the same options; or None.

        `precision`: "auto", or the only one that counts.
        """
        modes = [
            (other.options == run.options, other.mode)
            for other in reversed(self.runs.values())
            if other.model == run.model and other.mode and precision in ("auto", other.mode[0])
        ]
        return max(modes, key=lambda one: one[0], default=(False, None))[1]

    def is_of_other_options(self, options: Mapping[str, Any]) -> bool:
        """Whether the first version noted other options than these; paths of looks, hints and masks do not count."""
        return self.earlier is not None and _first_options(self.earlier) != _first_options(options)


def agree(file: Path, run: Run, precision: str, choose: Callable[[], Mode | None], *, fresh: bool) -> Run:
    """Note a run in `file`, in the mode that other processes have noted for its model, or else in the chosen one.

    `fresh`: the folder held no results before.
    """
    with hold(file.with_suffix(".lock"), f"{file.parent}: its note is being written", wait=True):
        note = OutputNote.read(file)
        note.earlier = None if fresh else note.earlier
        run = replace(run, mode=note.mode_of(run, precision) or choose())
        if note.damaged or next(reversed(note.runs), "") != run.name:
            note.runs.pop(run.name, None)
            note.runs[run.name] = run
            note.write(file)
    return run


def _parse_run(values: Mapping[str, Any]) -> Run:
    mode = values["mode"]
    parsed = None if mode is None else (str(mode[0]), bool(mode[1]))
    return Run(str(values["model"]), str(values["file"]), dict(values["options"]), parsed)


def _first_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that the first version noted, without paths and lists."""
    kept = {key: options[key] for key in _FIRST_KEYS if options.get(key) not in (None, False)}
    kept |= {key: True for key in ("looks", "hints", "masks", "values") if key in kept}
    return kept | ({"stats": str(kept["stats"]).split()[0]} if "stats" in kept else {})
