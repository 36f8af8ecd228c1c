"""The pretrained features of a run: found once, and then always the same."""

__all__ = ["settle_features"]

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from translate.networks.features.load import INSTALL, NONE, find_features
from translate.networks.projected import NEEDS_FEATURES
from translate.tasks import TASKS
from translate.training.config import Config
from translate.training.run_folder import RunFolder
from translate.training.start.messages import print_note
from translate.utils.errors import OptionError
from translate.utils.factory import options_of


def settle_features(config: Config, folder: RunFolder) -> Config:
    """Return `config` with the features that "auto" stands for: those with which the run in `folder` began, if any.

    Losses are left out where there are no features; a discriminator on features cannot be.

    Raises:
        UserError: The features are missing.
    """
    task, (_, earlier) = TASKS[config.task], folder.read_plan()
    options = {name: option.default for name, option in options_of(task).items()} | config.method
    weights = [options[name] for name in ("lambda_features", "lambda_projected") if name in options]
    if "features" in options and (any(weights) or not weights):
        found = find_again(options["features"], earlier.get("method", {}))
        if found == NONE and options["features"] == "auto" and not earlier.get("method", {}).get("features"):
            print_note(
                f"trained without pretrained features, which draw detail sooner and hold shapes; for these: {INSTALL}"
            )
        config = replace(config, method=config.method | {"features": found})
    name = config.discriminator.get("name", "")
    if task.discriminators is not None and "features" in options_of(task.discriminators[name]):
        found = find_again(config.discriminator.get("features", "auto"), earlier.get("discriminator", {}))
        if found == NONE:
            raise OptionError(f"--netD {name}: {NEEDS_FEATURES}")
        config = replace(config, discriminator=config.discriminator | {"features": found})
    return config


def find_again(name: str, earlier: Mapping[str, Any]) -> str:
    """Find the features `name`; "auto" are those of the table `earlier` of the run's configuration, if it has any."""
    return (earlier.get("features") if name == "auto" else None) or find_features(name)
