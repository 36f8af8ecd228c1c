"""A training step as one CUDA graph: captured once and replayed with one call, so that no kernel waits for Python.

Nguyen et al., 2021, https://pytorch.org/blog/accelerating-pytorch-with-cuda-graphs/. Small networks and small batches
gain, since their steps are thousands of short kernels. A replay runs the same kernels on the same addresses: values
that change from step to step have to be on the device.
"""

__all__ = ["CapturedStep", "Step", "reset_optimizers", "refuse_host_draws"]

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.optim import Optimizer

from translate.utils.errors import OptionError

Step = Callable[[dict[str, Tensor]], dict[str, Tensor]]  # a batch on the device -> loss terms on the device
WARM_UP = 3  # steps before the capture, in which kernels are chosen and optimizer states allocated


class CapturedStep:
    """The function `step`, replayed as a CUDA graph from the fourth call on.

    Learning rates become tensors on the device, which `optim.set_lr` fills, and batches are copied to the addresses
    that the graph reads. Random numbers follow from the seed of each step, as in a plain step. The next call overwrites
    the returned terms.
    """

    def __init__(self, step: Step, optimizers: Iterable[Optimizer], device: torch.device) -> None:
        self._step, self._device, self._calls = step, device, 0
        self._graph: torch.cuda.CUDAGraph | None = None
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = torch.tensor(float(group["lr"]), device=device)
                group["capturable"] = True

    def __call__(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Take a step on `batch`, which is on the device, with the same shapes and layouts at every call.

        Raises:
            OptionError: The step draws numbers on the host, which a graph would repeat.
        """
        self._calls += 1
        if self._calls <= WARM_UP:
            return self._warm_up(batch)
        if self._graph is None:
            self._capture(batch)
        for name, x in batch.items():
            self._batch[name].copy_(x)
        assert self._graph
        self._graph.replay()
        return self._terms

    def _warm_up(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Take a plain step on a side stream, as a later capture requires."""
        current, side = torch.cuda.current_stream(self._device), torch.cuda.Stream(self._device)
        side.wait_stream(current)
        with torch.cuda.stream(side):
            terms = self._step(batch)
        current.wait_stream(side)
        return terms

    def _capture(self, batch: dict[str, Tensor]) -> None:
        """Record a step without taking it, and restore the state of the device's random number generator."""
        self._batch = {name: x.clone() for name, x in batch.items()}
        graph, state = torch.cuda.CUDAGraph(), torch.cuda.get_rng_state(self._device)
        # in the mode "thread_local" other threads may copy the next batch meanwhile
        with refuse_host_draws(), torch.cuda.graph(graph, capture_error_mode="thread_local"):
            self._terms = self._step(self._batch)
        torch.cuda.set_rng_state(state, self._device)
        self._graph = graph


def reset_optimizers(optimizers: Iterable[Optimizer]) -> None:
    """Prepare optimizers, whose state may come from a captured run, for plain steps."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"], group["capturable"] = float(group["lr"]), False


@contextmanager
def refuse_host_draws() -> Iterator[None]:
    """Check that the block draws no numbers from torch's generator on the host.

    Raises:
        OptionError: It does.
    """
    before = torch.get_rng_state()
    yield
    if not torch.equal(before, torch.get_rng_state()):
        raise OptionError(
            "this recipe draws numbers on the host, which a CUDA graph would repeat; say --train.graph off"
        )
