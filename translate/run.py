"""A run folder: what was asked for, what it came to, and where everything lies."""

__all__ = ["RunFolder", "data_of"]

import shutil
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from translate.checkpoint import read_recipe
from translate.config import Config, differences, dump_config, read_toml
from translate.errors import OptionError, UserError
from translate.images import atomic_write
from translate.plan import Plan


class RunFolder:
    """config.toml, metrics.jsonl, samples/, state/last.pt, model.safetensors and, while it runs, cache/."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config, self.state, self.model = (
            path / "config.toml",
            path / "state" / "last.pt",
            path / "model.safetensors",
        )
        self.cache = path / "cache"

    def recall(self, config: Config) -> Plan | None:
        """Return the plan of the run that this folder already holds; None if it holds none.

        Raises:
            OptionError: That run has another configuration; the message names the differences.
            UserError: The folder holds something else, or its config.toml is damaged.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path}: is a file; choose another --out")
        if not self.config.exists():
            if self.state.exists():
                raise UserError(f"{self.path}: holds the state of a run without its config.toml; choose another --out")
            return None
        earlier = read_toml(self.config)
        if changes := differences(config, earlier):
            raise OptionError(
                f"{self.path} holds a run with other options: {', '.join(changes)}; "
                f"repeat the old ones to resume it, or choose another --out (and --init {self.path} to build on it)"
            )
        return self._plan(earlier.get("plan", {}))

    def _plan(self, values: Mapping[str, Any]) -> Plan:
        known = {f.name: f.default is MISSING for f in fields(Plan)}
        if not {name for name, needed in known.items() if needed} <= set(values) <= set(known):
            raise UserError(f"{self.config}: its [plan] is damaged; choose another --out, or delete the folder")
        return Plan(**values)

    def steps_done(self) -> int:
        """Return the number of steps that the saved model was trained for; 0 where there is none."""
        return read_recipe(self.model).steps if self.model.exists() and self.state.exists() else 0

    def remember(self, config: Config, plan: Plan) -> None:
        """Write config.toml."""
        with atomic_write(self.config) as temporary:
            temporary.write_text(dump_config(config, vars(plan)), encoding="utf-8")

    def forget_cache(self) -> None:
        """Delete the decoded pictures; they are made again if they are needed."""
        shutil.rmtree(self.cache, ignore_errors=True)


def data_of(model: str | Path) -> dict[str, Any]:
    """Return the [data] of the run that `model`, its folder or a file in it, belongs to; {} if there is no run."""
    run = Path(model).expanduser()
    file = (run if run.is_dir() else run.parent) / "config.toml"
    return read_toml(file).get("data", {}) if file.exists() else {}
