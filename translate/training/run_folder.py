"""The folder of a run: the paths of its files, and the run that it holds."""

__all__ = ["RunFolder"]

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from translate.checkpoints.model_file import read_recipe
from translate.training.config import Config, dump_config
from translate.training.monitors.findings import Verdict
from translate.training.planning.plan import Plan, Stretch
from translate.training.states import StateFolder
from translate.utils import dist
from translate.utils.errors import UserError
from translate.utils.files import WriteError, atomic_write, remove_stale_temporaries, write_json
from translate.utils.locks import hold
from translate.utils.toml_files import read_toml


class RunFolder:
    """config.toml, metrics.jsonl, samples/, state/ with `keep` states, and {model,best,average}.safetensors.

    While a run trains, also cache/ and averages/.
    """

    def __init__(self, path: Path, keep: int = 2) -> None:
        self.path = path
        self.config, self.model, self.best = path / "config.toml", path / "model.safetensors", path / "best.safetensors"
        self.average, self.averages = path / "average.safetensors", path / "averages"
        self.states = StateFolder(path / "state", keep)
        self.log = path / "metrics.jsonl"
        self.health = path / "health.json"
        self.cache, self.samples = path / "cache", path / "samples"

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Lock this folder against training in other processes, and remove it in the end if it is new and empty.

        Raises:
            InUseError: Another process holds the lock.
        """
        with contextlib.ExitStack() as stack:
            use = f"{self.path}: is being trained"
            if dist.is_main_process() and not self.path.exists():
                stack.callback(remove_empty, self.path)
            dist.broadcast_from_main(lambda: stack.enter_context(hold(self.path / ".lock", use)))
            yield

    def read_plan(self) -> tuple[Plan | None, dict[str, Any]]:
        """Return the plan and the configuration of the run in this folder, or None and {} without a run.

        Raises:
            UserError: The path is a file, config.toml is damaged, or it is missing beside states.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path}: is a file; choose another --out")
        if not self.config.exists():
            if self.states.files():
                raise UserError(f"{self.path}: holds the state of a run without its config.toml; choose another --out")
            return None, {}
        earlier = read_toml(self.config)
        try:
            values = dict(earlier.get("plan", {}))
            values["stretches"] = tuple(Stretch(*part) for part in values.get("stretches", ()))
            if before := values.pop(
                "earlier", ()
            ):  # written before there were stretches: steps and length, by extension
                starts, totals = [0, *(done for done, _ in before)], [*(total for _, total in before), values["steps"]]
                values["stretches"] = tuple(Stretch(s, s, n, n) for s, n in zip(starts, totals, strict=True))
            return Plan(**values), earlier
        except (KeyError, TypeError, ValueError):  # a field is missing, unknown or of another type
            raise UserError(
                f"{self.config}: its [plan] is damaged; choose another --out, or delete the folder"
            ) from None

    def steps_done(self) -> int:
        """Return the number of steps that the saved model was trained for; 0 without a state or a readable model."""
        if not (self.model.exists() and self.states.files()):
            return 0
        with contextlib.suppress(UserError):  # a damaged model is written again
            return read_recipe(self.model).steps
        return 0

    def trained_on(self) -> str:
        """Return the fingerprint of the data that the saved model was trained on; "" without a whole one."""
        with contextlib.suppress(UserError):
            return read_recipe(self.model).data if self.model.exists() else ""
        return ""

    @dist.on_main_process
    def write_config(self, config: Config, plan: Plan) -> None:
        """Write config.toml, unless it says the same already."""
        text = dump_config(config, vars(plan))
        if self.config.exists() and self.config.read_text(encoding="utf-8") == text:
            return
        with atomic_write(self.config) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def remove_temporaries(self) -> None:
        """Remove the temporary files that a killed process left behind."""
        for folder in (self.path, self.states.folder, self.samples, self.cache):
            remove_stale_temporaries(folder)

    def write_verdict(self, verdict: Verdict) -> None:
        """Write health.json; on a full disk, leave it out."""
        with contextlib.suppress(WriteError):
            write_json(self.health, asdict(verdict))

    def read_verdict(self) -> Verdict | None:
        """Return the verdict on the pictures of the finished run; None without one."""
        try:
            values = json.loads(self.health.read_text(encoding="utf-8"))
            return Verdict(**values | {"findings": tuple(values["findings"])})
        except (OSError, ValueError, KeyError, TypeError):  # an earlier version wrote none
            return None

    @dist.on_main_process
    def delete_cache(self) -> None:
        """Delete the decoded pictures; they are decoded again if needed."""
        shutil.rmtree(self.cache, ignore_errors=True)


def remove_empty(folder: Path) -> None:
    """Remove `folder` if nothing is in it."""
    with contextlib.suppress(OSError):
        folder.rmdir()
