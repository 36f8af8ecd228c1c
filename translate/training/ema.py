"""The averaged generator, which is exported (Gs of Karras et al., 2018, section 4.1)."""

__all__ = ["EMA"]

import copy

import torch
from torch import nn

from translate.tasks import Task


class EMA(nn.Module):
    """An exponential average of a task's exported networks.

    The decay at step t is min(decay, (1 + t) / (10 + t)), so that the first, useless weights vanish soon. With decay 0
    the average is the live network. Running statistics of batch norms are averaged like weights; other buffers are
    copied.
    """

    def __init__(self, task: Task, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.nets = nn.ModuleDict({name: copy.deepcopy(task.get_submodule(name)) for name in task.exports})
        self.nets.eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, task: Task, step: int) -> None:
        """Move the average towards the live networks of `task` after training step `step`."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for key, net in self.nets.items():
            live = task.get_submodule(key)
            torch._foreach_lerp_(list(net.parameters()), list(live.parameters()), 1 - decay)
            for (name, average), current in zip(net.named_buffers(), live.buffers(), strict=True):
                if name.endswith(("running_mean", "running_var")):
                    average.lerp_(current, 1 - decay)
                else:
                    average.copy_(current)
