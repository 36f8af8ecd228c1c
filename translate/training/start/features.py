"""The pretrained features of a run: found once, and then always the same."""

__all__ = ["settle_features"]

from dataclasses import replace

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
    for section, name in named_features(config).items():
        known = folder.read_plan()[1].get(section, {}).get("features") if name == "auto" else None
        found = known or find_features(name)
        if found == NONE and section == "discriminator":
            raise OptionError(f"--netD {config.discriminator['name']}: {NEEDS_FEATURES}")
        if found == NONE and name == "auto" and not known:
            print_note(
                f"trained without pretrained features, which draw detail sooner and hold shapes; for these: {INSTALL}"
            )
        config = replace(config, **{section: getattr(config, section) | {"features": found}})
    return config


def named_features(config: Config) -> dict[str, str]:
    """Return the names of the features that the task and its discriminator use, by section of `config`."""
    task, named = TASKS[config.task], {}
    options = {name: option.default for name, option in options_of(task).items()} | config.method
    users = ["lambda_features", "lambda_projected", *(["lambda_pair_features"] if config.data.pairs else [])]
    weights = [options[name] for name in users if name in options]
    if "features" in options and (any(weights) or not weights):
        named["method"] = options["features"]
    if task.discriminators is not None:
        known = options_of(task.discriminators[config.discriminator.get("name", "")])
        if "features" in known:
            named["discriminator"] = config.discriminator.get("features", known["features"].default)
    return named
