"""The averaged generator, which is what users get (Karras et al., 2018, section 4.1, call it Gs)."""

__all__ = ["EMA"]

import copy

import torch
from torch import nn

from translate.tasks import Task

STATISTICS = ("running_mean", "running_var")  # of a batch norm


class EMA(nn.Module):
    """An exponential average of a task's exported networks.

    Step t moves it by 1 - min(decay, (1 + t) / (10 + t)) of the way, so that the first, useless weights are forgotten
    soon. With decay 0 it is the live network. The statistics of batch norms are averaged like the weights that they
    belong to; other buffers are copied.
    """

    def __init__(self, task: Task, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.nets = nn.ModuleDict({name: copy.deepcopy(task.get_submodule(name)) for name in task.exports})
        self.nets.eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, task: Task, step: int) -> None:
        """Move towards the live networks of `task` after training step `step`."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for key, net in self.nets.items():
            live = task.get_submodule(key)
            torch._foreach_lerp_(list(net.parameters()), list(live.parameters()), 1 - decay)
            for (name, mine), theirs in zip(net.named_buffers(), live.buffers(), strict=True):
                if name.endswith(STATISTICS):
                    mine.lerp_(theirs, 1 - decay)
                else:
                    mine.copy_(theirs)
