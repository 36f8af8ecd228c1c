"""One training step, the same for every task, and its seed."""

__all__ = ["batch_to_device", "make_step", "seed_step", "train_step"]

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from translate.images.tensors import to_device
from translate.tasks import Task
from translate.training.cuda_graph import CapturedStep, Step, reset_optimizers
from translate.training.planning.plan import Plan
from translate.utils import dist
from translate.utils.device import autocast


def train_step(
    task: Task, batch: dict[str, Tensor], optimizers: Mapping[str, Optimizer], *, precision: str, clip: float = 0.0
) -> dict[str, Tensor]:
    """Update the networks of every phase, once or as often as `task.turns` says.

    Args:
        task: On the device of `batch`.
        batch: This rank's rows: pictures (B, C, H, W) in [-1, 1], labels (B,).
        optimizers: One per phase, in the order of the updates.
        precision: "bf16" (autocast) or "fp32".
        clip: Largest gradient norm of a phase; 0 = no limit.

    Returns:
        The loss terms as "phase/term", detached and still on the device: reading them would make the host wait.
    """
    # compute what all phases share
    device = next(iter(batch.values())).device
    logs: dict[str, Tensor] = {}
    with autocast(device, precision):
        x = task(batch)
    for phase, optimizer in optimizers.items():
        for turn in range(task.turns.get(phase, 1)):
            task.turn = turn
            scalars = update(task, phase, x, optimizer, precision=precision, clip=clip)
        logs |= {f"{phase}/{name}": term for name, term in scalars.items()}
    return logs


def update(
    task: Task, phase: str, x: dict[str, Tensor], optimizer: Optimizer, *, precision: str, clip: float
) -> dict[str, Tensor]:
    """Update the networks of one phase, by the tensors `x` that all phases share; return its terms, detached."""
    # backward, with the networks of other phases frozen
    device = next(iter(x.values())).device
    with autocast(device, precision), task.train_only(phase):
        terms = task.losses(phase, x)
    optimizer.zero_grad(set_to_none=True)
    torch.stack(list(terms.values())).sum().backward()
    # average over ranks, clip, update
    scalars = {name: term.detach() for name, term in (terms | (task.extra_logs or {})).items()}
    dist.all_reduce_mean([*(p.grad for p in task.parameters_of(phase) if p.grad is not None), *scalars.values()])
    if clip:
        nn.utils.clip_grad_norm_(task.parameters_of(phase), clip)
    optimizer.step()
    task.extra_logs = None
    return scalars


def make_step(task: Task, optimizers: Mapping[str, Optimizer], plan: Plan, clip: float, device: torch.device) -> Step:
    """Return the function of one training step by `plan`: it takes a batch on `device` and returns its loss terms."""

    def step(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return train_step(task, batch, optimizers, precision=plan.precision, clip=clip)

    if plan.graph and device.type == "cuda":
        return CapturedStep(step, optimizers.values(), device)
    reset_optimizers(optimizers.values())
    return step


def seed_step(seed: int, step: int) -> None:
    """Seed torch from (seed, step), so that resuming needs no generator state."""
    torch.manual_seed(int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0]))


def batch_to_device(batch: Mapping[str, Tensor], device: torch.device, *, channels_last: bool) -> dict[str, Tensor]:
    """Move a batch to `device`, and convert uint8 pictures (B, C, H, W) to float32 in [-1, 1] there."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return {name: to_device(x, device, layout) for name, x in batch.items()}
