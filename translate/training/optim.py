"""Adam for every phase, and the learning rate as a function of the step."""

__all__ = ["lr_at", "make_optimizers", "set_lr"]

from collections.abc import Mapping

from torch import Tensor
from torch.optim import Adam, Optimizer

from translate.tasks import Task
from translate.training.config import TrainConfig
from translate.utils.factory import resolve


def make_optimizers(task: Task, train: TrainConfig) -> dict[str, Optimizer]:
    """Return one Adam per phase, over the networks that it trains; fused where the device has the kernel."""
    for phase in train.phase_lr:
        resolve(phase, task.phases, "phase in train.phase_lr")
    betas = (float(train.betas[0]), float(train.betas[1]))
    fused = next(task.parameters()).device.type in ("cpu", "cuda")
    return {phase: Adam(task.parameters_of(phase), lr=train.lr, betas=betas, fused=fused) for phase in task.phases}


def lr_at(step: float, steps: int, train: TrainConfig) -> float:
    """Return the learning rate of `step`: a linear rise, a plateau, a linear fall towards 0 at `steps`.

    With `stairs` = E the rate is constant in each of E intervals, and the fall ends one stair above 0. E = 200 gives
    CycleGAN's schedule of 200 epochs: 1 - max(0, epoch - 100) / 101 of the full rate.
    """
    if train.warmup and step < train.warmup * steps:
        return train.lr * (step + 1) / (train.warmup * steps + 1)
    if train.stairs:
        stair = step * train.stairs // steps
        flat = round(train.stairs * train.decay_from)
        return train.lr * (1 - max(0, stair + 1 - flat) / (train.stairs - flat + 1))
    fall = (1 - step / steps) / (1 - train.decay_from) if train.decay_from < 1 else 1.0
    return train.lr * min(1.0, fall)


def set_lr(
    optimizers: Mapping[str, Optimizer], lr: float, train: TrainConfig, lowered: Mapping[str, float] | None = None
) -> None:
    """Set the learning rate of every phase to `lr`, times the phase's factors in `train.phase_lr` and `lowered`."""
    for phase, optimizer in optimizers.items():
        for group in optimizer.param_groups:
            rate = lr * train.phase_lr.get(phase, 1.0) * (lowered or {}).get(phase, 1.0)
            if isinstance(group["lr"], Tensor):  # a CUDA graph reads the rate from this tensor
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate
