"""The folder of a run: the paths of its files, and the run that it holds."""

__all__ = ["RunFolder"]

import contextlib
import shutil
from pathlib import Path

from translate.checkpoints.model_file import read_recipe
from translate.training.autotune import Plan
from translate.training.config import Config, differences, dump_config
from translate.training.states import StateFolder
from translate.utils import dist
from translate.utils.errors import OptionError, UserError
from translate.utils.files import atomic_write, remove_stale_temporaries
from translate.utils.toml_files import read_toml


class RunFolder:
    """config.toml, metrics.jsonl, samples/, state/ with `keep` states, model.safetensors and, during a run, cache/."""

    def __init__(self, path: Path, keep: int = 2) -> None:
        self.path = path
        self.config, self.model = path / "config.toml", path / "model.safetensors"
        self.states = StateFolder(path / "state", keep)
        self.cache, self.samples = path / "cache", path / "samples"

    def read_plan(self, config: Config) -> Plan | None:
        """Return the plan of the run in this folder, or None without a run.

        Raises:
            OptionError: The run has another configuration; the message names the differences.
            UserError: The path is a file, config.toml is damaged, or it is missing beside states.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path}: is a file; choose another --out")
        if not self.config.exists():
            if self.states.files():
                raise UserError(f"{self.path}: holds the state of a run without its config.toml; choose another --out")
            return None
        earlier = read_toml(self.config)
        if changes := differences(config, earlier):
            raise OptionError(
                f"{self.path} holds a run with other options: {', '.join(changes)}; "
                f"repeat the old ones to resume it, or choose another --out (and --init {self.path} to build on it)"
            )
        try:
            return Plan(**earlier.get("plan", {}))
        except TypeError:  # a field is missing or unknown
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

    @dist.on_main_process
    def write_config(self, config: Config, plan: Plan) -> None:
        """Write config.toml."""
        with atomic_write(self.config) as temporary:
            temporary.write_text(dump_config(config, vars(plan)), encoding="utf-8")

    def remove_temporaries(self) -> None:
        """Remove the temporary files that a killed process left behind."""
        for folder in (self.path, self.states.folder, self.samples, self.cache):
            remove_stale_temporaries(folder)

    @dist.on_main_process
    def delete_cache(self) -> None:
        """Delete the decoded pictures; they are decoded again if needed."""
        shutil.rmtree(self.cache, ignore_errors=True)
