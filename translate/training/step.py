"""One training step, the same for every task, and the seed that makes it reproducible."""

__all__ = ["autocast", "pick_device", "seed_step", "to_device", "train_step"]

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from translate.utils import dist
from translate.utils.errors import OptionError
from translate.tasks import Task


def train_step(
    task: Task,
    batch: dict[str, Tensor],
    optimizers: Mapping[str, Optimizer],
    *,
    precision: str,
    clip: float = 0.0,
) -> dict[str, Tensor]:
    """Update every phase once.

    Args:
        task: On the device of `batch`.
        batch: Pictures (B, C, H, W) in [-1, 1]; of several processes, the rows of this one.
        optimizers: One per phase, in the order of the updates.
        precision: "bf16" (autocast) or "fp32".
        clip: Largest gradient norm of a phase; 0 = no limit.

    Returns:
        The loss terms as "phase/term", detached and still on the device: reading them is what costs time.
    """
    device = next(iter(batch.values())).device
    logs: dict[str, Tensor] = {}
    with autocast(device, precision):
        x = task(batch)
    for phase, optimizer in optimizers.items():
        with autocast(device, precision), task.only(phase):
            terms = task.losses(phase, x)
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()
        told = {name: term.detach() for name, term in {**terms, **(task.observed or {})}.items()}
        dist.average([*(p.grad for p in task.parameters_of(phase) if p.grad is not None), *told.values()])
        if clip:
            nn.utils.clip_grad_norm_(task.parameters_of(phase), clip)
        optimizer.step()
        logs |= {f"{phase}/{name}": term for name, term in told.items()}
        task.observed = None
    return logs


def seed_step(seed: int, step: int) -> None:
    """Make every random draw of a step follow from (seed, step), so that resuming needs no generator state."""
    torch.manual_seed(int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0]))


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Return the context in which a step of this precision computes."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def to_device(batch: Mapping[str, Tensor], device: torch.device, *, channels_last: bool) -> dict[str, Tensor]:
    """Move a batch to `device` and bring uint8 pictures (B, C, H, W) to float32 in [-1, 1] there; labels stay."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    moved = {name: x.to(device, non_blocking=True) for name, x in batch.items()}
    return {
        name: x.to(torch.float32, memory_format=layout).div_(127.5).sub_(1) if x.dtype == torch.uint8 else x
        for name, x in moved.items()
    }


def pick_device(name: str) -> torch.device:
    """Return the device that `name` ("auto", "cpu", "cuda", "cuda:1", "mps") stands for here.

    Raises:
        OptionError: It is no device, or this machine has none of it.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise OptionError(f"--device {name!r} is unknown; choose auto, cpu, cuda, cuda:1 or mps") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise OptionError(f"--device {name}: this machine has {torch.cuda.device_count()} such; choose auto or cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise OptionError("--device mps: this machine has none; choose auto or cpu")
    if device.type not in ("cpu", "cuda", "mps"):
        raise OptionError(f"--device {name!r} is not supported; choose auto, cpu, cuda, cuda:1 or mps")
    return device
