"""The training of one recipe with several seeds, each in a folder of its own."""

__all__ = ["configs_of_seeds"]

from dataclasses import replace

from translate.data.catalog.root import data_root
from translate.data.datasets import TRAINING_DATA
from translate.tasks import TASKS
from translate.training.config import Config
from translate.utils.errors import OptionError


def configs_of_seeds(config: Config, repeat: int) -> list[Config]:
    """Return `repeat` configurations of the same recipe: seeds from that of `config` on, in folders OUT_seedN.

    A single one is `config` itself.

    Raises:
        OptionError: `repeat` is below 1.
        UserError: no folder is named, and the data, after which it is called, cannot be used.
    """
    if repeat < 1:
        raise OptionError(f"--repeat should be at least 1, got {repeat}")
    if repeat == 1:
        return [config]
    first, out = config.train.seed, config.out or default_out(config)
    return [
        replace(config, out=f"{out}_seed{seed}", train=replace(config.train, seed=seed))
        for seed in range(first, first + repeat)
    ]


def default_out(config: Config) -> str:
    """Return the folder of a run that names none, as `train` does."""
    task = TASKS[config.task]
    return f"runs/{TRAINING_DATA[task.data](config.data, data_root()).title}{task.run_suffix}"
