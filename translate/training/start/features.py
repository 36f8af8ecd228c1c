"""The pretrained features of a run: found once, and then always the same."""

__all__ = ["settle_features"]

from dataclasses import replace

from translate.networks.features.load import INSTALL, NONE, find_features
from translate.tasks import TASKS
from translate.training.config import Config
from translate.training.run_folder import RunFolder
from translate.training.start.messages import print_note
from translate.utils.factory import options_of


def settle_features(config: Config, folder: RunFolder) -> Config:
    """Return `config` with the features that "auto" stands for: those with which the run in `folder` began, if any.

    Raises:
        UserError: The features are missing.
    """
    options = {name: option.default for name, option in options_of(TASKS[config.task]).items()} | config.method
    if "features" not in options or not options.get("lambda_features", 1):
        return config
    _, earlier = folder.read_plan()
    found = earlier.get("method", {}).get("features") if options["features"] == "auto" else None
    if found is None:
        found = find_features(options["features"])
        if found == NONE and options["features"] == "auto":
            print_note(
                f"trained without pretrained features, which draw detail sooner and hold shapes; for these: {INSTALL}"
            )
    return replace(config, method=config.method | {"features": found})
