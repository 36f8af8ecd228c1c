"""A training step as one CUDA graph: recorded once and then started with one call, so that no kernel waits for Python.

Nguyen et al., 2021, https://pytorch.org/blog/accelerating-pytorch-with-cuda-graphs/. Small networks and small batches
gain, whose steps are thousands of short kernels. A graph repeats what the GPU did, with the same addresses: whatever
differs from step to step has to lie on the device, or it stays as it was for ever.
"""

__all__ = ["CapturedStep", "Step", "forget_graph", "nothing_drawn"]

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.optim import Optimizer

from translate.utils.errors import OptionError

Step = Callable[[dict[str, Tensor]], dict[str, Tensor]]  # a batch on the device -> loss terms on the device
WARM_UP = 3  # steps before the capture: kernels are chosen, states are made


class CapturedStep:
    """Does what `step` does, from the fourth call on by its graph.

    Learning rates become tensors on the device, where `optim.set_lr` writes to them, and batches are copied to where
    the graph reads them. Random numbers follow from the seed of each step, as those of the plain step do. The terms
    that it returns are overwritten by the next call.
    """

    def __init__(self, step: Step, optimizers: Iterable[Optimizer], device: torch.device) -> None:
        self._step, self._device, self._calls = step, device, 0
        self._graph: torch.cuda.CUDAGraph | None = None
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = torch.tensor(float(group["lr"]), device=device)
                group["capturable"] = True

    def __call__(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Take a step.

        Args:
            batch: of the same shapes and layouts at every call.

        Raises:
            OptionError: the step draws numbers on the host, which a graph would repeat.
        """
        self._calls += 1
        if self._calls <= WARM_UP:
            return self._aside(batch)
        if self._graph is None:
            self._capture(batch)
        for name, x in batch.items():
            self._batch[name].copy_(x)
        assert self._graph
        self._graph.replay()
        return self._terms

    def _aside(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Take a plain step on a stream of its own, as captures want it; what it leaves behind knows no other."""
        here, aside = torch.cuda.current_stream(self._device), torch.cuda.Stream(self._device)
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            terms = self._step(batch)
        here.wait_stream(aside)
        return terms

    def _capture(self, batch: dict[str, Tensor]) -> None:
        """Record a step without taking it; the generator of the device stays where it is."""
        self._batch = {name: x.clone() for name, x in batch.items()}
        graph, state = torch.cuda.CUDAGraph(), torch.cuda.get_rng_state(self._device)
        # Only this thread is held to what a capture allows: others may fetch the next batch meanwhile.
        with nothing_drawn(), torch.cuda.graph(graph, capture_error_mode="thread_local"):
            self._terms = self._step(self._batch)
        torch.cuda.set_rng_state(state, self._device)
        self._graph = graph


def forget_graph(optimizers: Iterable[Optimizer]) -> None:
    """Bring optimizers whose state was saved by a captured run back to what a plain step wants."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"], group["capturable"] = float(group["lr"]), False


@contextmanager
def nothing_drawn() -> Iterator[None]:
    """Refuse a block that draws from torch's generator of the host.

    Raises:
        OptionError: it did.
    """
    before = torch.get_rng_state()
    yield
    if not torch.equal(before, torch.get_rng_state()):
        raise OptionError(
            "this recipe draws numbers on the host, which a CUDA graph would repeat; say --train.graph off"
        )
