"""The fastest way to compute a step, remembered: the same command then has the same bits, loaded machine or not."""

__all__ = ["Choices"]

from collections.abc import Mapping
from typing import Any

import torch

from translate.training.config import Config
from translate.utils import dist, user_cache

KIND = "training"


class Choices:
    """What trials of one network on this machine have shown, kept in the user's cache folder."""

    def __init__(self, config: Config, device: torch.device, channels: Mapping[str, int]) -> None:
        """Describe all that the speed of a step depends on, save what a trial compares."""
        self._subject = user_cache.machine(device) | {
            "task": config.task, "method": config.method, "generator": config.generator,
            "discriminator": config.discriminator, "channels": dict(channels),
            "batch": config.data.batch_size, "processes": dist.world_size(), "clip": bool(config.train.clip),
            "checkpoint": config.train.checkpoint,
        }  # fmt: skip

    def recall(self, question: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the outcome of an earlier trial, the same on all ranks; None without one."""
        return dist.broadcast_from_main(lambda: user_cache.recall(KIND, self._subject | dict(question)))

    def remember(self, question: Mapping[str, Any], outcome: Mapping[str, Any]) -> None:
        """Keep the outcome of a trial."""
        if dist.is_main_process():
            user_cache.remember_trial(KIND, self._subject | dict(question), outcome)

    def origin(self, question: Mapping[str, Any], outcome: Mapping[str, Any] | None) -> str:
        """Describe where a choice comes from: a trial now, or the remembered `outcome` of an earlier one."""
        return user_cache.origin(KIND, self._subject | dict(question), outcome)
