"""Several processes as one: each computes its rows of a batch, and the result is that of one process.

`torchrun` starts them and says by the environment who is who. Process r of n has the rows r, r + n, r + 2n ... of the
global batch. Whatever is cut from a batch or joined along it (real and fake in one call, the first quarter of it) then
holds, in all processes together, the rows that one process would have, so that tasks and networks need not know. They
only call, in place of PyTorch's own:

- `draw_local_rows`, `randn_like`, `dropout`: draw the numbers of the global batch from one seed, keep local rows;
- `all_gather_rows` returns the rows of all ranks, for image pools and batch statistics.

Gradients are averaged in one call after each backward pass, as in StyleGAN3, and not by DistributedDataParallel: its
hooks expect that each network is called once and learns every time, where ours are called several times a step and are
frozen in each other's phases. With one process all of this does nothing.
"""

__all__ = [
    "SharedBatchNorm", "all_gather_rows", "any_rank", "as_single_process", "assert_same_weights", "average",
    "broadcast_from_main", "broadcast_weights", "draw_local_rows", "dropout", "global_shape", "init",
    "is_main_process", "is_single_process", "local_indices", "local_rows", "main_process_first", "max_over_ranks",
    "on_main_process", "randn_like",
]  # fmt: skip

import atexit
import functools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain
from typing import Any, ParamSpec, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, distributed, nn

from translate.utils.errors import OptionError, UserError

P = ParamSpec("P")
T = TypeVar("T")
PATIENCE = timedelta(minutes=10)  # for a process that does not answer, neither dead nor alive
PREPARING = timedelta(days=1)  # for the first process, which downloads and decodes pictures while others wait


class _World:
    """Who this process is: `rank` of `size`; `patient` is the group that waits for the data."""

    def __init__(self) -> None:
        self.rank, self.size = 0, 1
        self.patient: distributed.ProcessGroup | None = None


_world = _World()


def is_main_process() -> bool:
    """Whether this process is the one that writes and speaks; by the environment before `init`."""
    return int(os.environ.get("RANK", "0")) == 0 if "WORLD_SIZE" in os.environ else True


def init(device: torch.device, batch_size: int) -> torch.device:
    """Meet the other processes that torchrun has started, if any, and return the device of this one.

    Args:
        device: of a process alone; GPUs are dealt out, one to each process of a machine.
        batch_size: pictures in a step of all processes.

    Raises:
        OptionError: the batch cannot be dealt out evenly, or nothing links such devices.
        UserError: there are too few GPUs, or the others do not come.
    """
    size, near = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))
    if size == 1:
        return device
    if batch_size % size:
        lower = batch_size // size * size
        choice = f"{lower} or {lower + size}" if lower else str(size)
        raise OptionError(f"--batch-size {batch_size} does not divide among {size} processes; choose {choice}")
    if device.type == "mps":
        raise OptionError("several processes need NVIDIA GPUs or the cores of CPUs; say --device cpu")
    if device.type == "cuda":
        if near >= torch.cuda.device_count():
            raise UserError(f"{near + 1} processes on a machine with {torch.cuda.device_count()} GPUs; start fewer")
        device = torch.device("cuda", near)
        torch.cuda.set_device(device)
    elif device.type == "cpu":
        cores, beside = len(os.sched_getaffinity(0)), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        torch.set_num_threads(max(1, cores // beside))
    if not distributed.is_initialized():
        with _peer_errors():
            _meet("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
        atexit.register(distributed.destroy_process_group)
    _world.rank, _world.size = distributed.get_rank(), distributed.get_world_size()
    return device


def _meet(backend: str) -> None:
    """Make the groups of processes.

    The addresses of a machine's earlier attempt are still in torchrun's store when it restarts the processes, which
    would call the dead. Several machines do not count their attempts alike; docs/several_machines.md tells of them.
    """
    store, rank, size = next(distributed.rendezvous("env://", timeout=PATIENCE))
    if os.environ.get("GROUP_WORLD_SIZE", "1") == "1":
        store = distributed.PrefixStore(f"attempt {os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
    distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)
    _world.patient = distributed.new_group(backend="gloo", timeout=PREPARING)


@contextmanager
def _peer_errors() -> Iterator[None]:
    """Say in one line that another process has ended or hangs, which is all that a failed exchange tells."""
    try:
        yield
    except RuntimeError:  # of gloo and of NCCL alike, and what they say helps nobody
        raise UserError(
            f"process {os.environ['RANK']} stops: another process of this run has ended or does not answer; "
            "what was saved is kept, and the same command goes on"
        ) from None


def on_main_process(function: Callable[P, None]) -> Callable[P, None]:
    """Let only the first process call `function`, which writes or shows something, and compute in it as if alone."""

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> None:
        if is_main_process():
            with as_single_process():
                function(*args, **kwargs)

    return called


@contextmanager
def as_single_process() -> Iterator[None]:
    """Compute, inside the block, as the only process: for previews, which the first one makes by itself."""
    rank, size = _world.rank, _world.size
    _world.rank, _world.size = 0, 1
    try:
        yield
    finally:
        _world.rank, _world.size = rank, size


def broadcast_from_main(make: Callable[[], T]) -> T:
    """Return to all processes what `make` returns to the first, which alone calls it.

    Raises:
        UserError: it did, in the first; the others then leave without a word, for the user has been told.
    """
    if _world.size == 1:
        return make()
    box: list[Any] = [None, False]
    failure: UserError | None = None
    if not _world.rank:
        try:
            box[0] = make()
        except UserError as error:
            failure, box[1] = error, True
    with _peer_errors():
        distributed.broadcast_object_list(box, src=0, group=_world.patient, device=torch.device("cpu"))
    if failure:
        raise failure
    if box[1]:
        raise SystemExit(1)
    return cast(T, box[0])


def main_process_first(make: Callable[[], T]) -> T:
    """Call `make` in the first process and then in the others, which find what it has downloaded or decoded."""
    found: list[T] = []
    broadcast_from_main(lambda: found.append(make()))
    return found[0] if found else make()


def any_rank(*flags: bool) -> tuple[bool, ...]:
    """Return, for each flag, whether it is set in any process: so all of them save, or stop, after the same step.

    It goes from host to host: no GPU is waited for.
    """
    if _world.size == 1:
        return flags
    found = torch.tensor(flags, dtype=torch.int32)
    with _peer_errors():
        distributed.all_reduce(found, distributed.ReduceOp.MAX)
    return tuple(map(bool, found.tolist()))


def max_over_ranks(seconds: float) -> float:
    """Return the longest of the times that the processes took, so that they decide alike by it."""
    if _world.size == 1:
        return seconds
    found = torch.tensor(seconds, dtype=torch.float64)
    with _peer_errors():
        distributed.all_reduce(found, distributed.ReduceOp.MAX)
    return float(found)


def is_single_process() -> bool:
    """Whether there is but one process."""
    return _world.size == 1


def draw_local_rows(draw: Callable[[int], Tensor], count: int) -> Tensor:
    """Return `draw(count)`; of several processes, each its rows of what one would draw for all of them."""
    return draw(count) if _world.size == 1 else local_rows(draw(count * _world.size))


def local_rows(x: Tensor) -> Tensor:
    """Return this process's rows of those of all, (n * B, ...) to (B, ...)."""
    return x if _world.size == 1 else x[_world.rank :: _world.size]


def randn_like(x: Tensor) -> Tensor:
    """Do as `torch.randn_like`, for rows (B, ...)."""
    return torch.randn_like(x) if _world.size == 1 else local_rows(torch.randn_like(_empty_global(x)))


def dropout(x: Tensor, p: float, training: bool = True) -> Tensor:
    """Do as `F.dropout`, for rows (B, ...)."""
    if _world.size == 1 or not training:
        return F.dropout(x, p, training)
    return x * local_rows(F.dropout(torch.ones_like(_empty_global(x)), p))


def _empty_global(x: Tensor) -> Tensor:
    """Return a tensor with as many rows as `x` (B, ...) has in all processes, in its layout, which orders the draws."""
    last = x.dim() == 4 and not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if last else torch.contiguous_format
    return torch.empty(global_shape(x.shape), dtype=x.dtype, device=x.device, memory_format=layout)


def global_shape(shape: torch.Size) -> torch.Size:
    """Return the shape of the rows of all processes, of those (B, ...) of one."""
    return torch.Size((shape[0] * _world.size, *shape[1:]))


def local_indices(count: int) -> range:
    """Return which rows of a batch of `count` are this process's."""
    return range(_world.rank, count, _world.size)


def all_gather_rows(x: Tensor) -> Tensor:
    """Return the rows of all processes, floats (B, ...) to (n * B, ...), in the order of the global batch.

    Gradients flow back to every process, and those of its parameters are right after `average`.
    """
    return x if _world.size == 1 else _all_gather(x)


@torch.compiler.disable
def _all_gather(x: Tensor) -> Tensor:
    return cast(Tensor, _AllGatherRows.apply(x))


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm with the statistics of the whole batch, wherever its pictures are; `nn.SyncBatchNorm` needs GPUs."""

    def forward(self, x: Tensor) -> Tensor:
        if _world.size == 1 or not self.training:
            return super().forward(x)
        exact = x.float()
        mean = all_gather_rows(exact.mean((0, 2, 3))[None]).mean(0)[:, None, None]
        variance = all_gather_rows((exact - mean).square().mean((0, 2, 3))[None]).mean(0)[:, None, None]
        self._follow(mean.detach().flatten(), variance.detach().flatten(), x.numel() // x.shape[1] * _world.size)
        y = (exact - mean) * (variance + self.eps).rsqrt()
        if self.affine:
            y = y * self.weight[:, None, None] + self.bias[:, None, None]
        return y.to(x.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the running statistics towards those of `count` values a channel."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum or 0.0)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum or 0.0)


class _AllGatherRows(torch.autograd.Function):
    """All processes go on with the same rows, so each one's share of the gradient is the sum over the processes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.dtype, exact = x.dtype, x.to(torch.promote_types(x.dtype, torch.float32)).contiguous()
        parts = [torch.empty_like(exact) for _ in range(_world.size)]
        with _peer_errors():
            distributed.all_gather(parts, exact)
        return torch.stack(parts, 1).flatten(0, 1).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        total = grad.to(
            torch.promote_types(grad.dtype, torch.float32), memory_format=torch.contiguous_format, copy=True
        )
        with _peer_errors():
            distributed.all_reduce(total)
        return local_rows(total).to(ctx.dtype)


def average(tensors: Sequence[Tensor]) -> None:
    """Replace tensors of one device by their means over the processes, in one exchange, in float32."""
    if _world.size == 1:
        return
    flat = torch.cat([x.detach().float().flatten() for x in tensors])
    with _peer_errors():
        distributed.all_reduce(flat)
    parts = flat.div_(_world.size).split([x.numel() for x in tensors])
    with torch.no_grad():
        for x, part in zip(tensors, parts, strict=True):
            x.copy_(part.view(x.shape))


@torch.no_grad()
def broadcast_weights(module: nn.Module) -> None:
    """Give every process the first one's parameters and buffers."""
    if _world.size > 1:
        for x in chain(module.parameters(), module.buffers()):
            whole = x.contiguous()
            with _peer_errors():
                distributed.broadcast(whole, src=0)
            x.copy_(whole)


@torch.no_grad()
def assert_same_weights(module: nn.Module, what: str) -> None:
    """Make sure that every process has the same bits of parameters and buffers, by a sum of them all.

    Raises:
        UserError: One has others: a defective machine, or another state on its disk.
    """
    if _world.size == 1:
        return
    sums = torch.stack([_digest(x) for x in chain(module.parameters(), module.buffers())])
    least, most = sums.clone(), sums.clone()
    with _peer_errors():
        distributed.all_reduce(least, distributed.ReduceOp.MIN)
        distributed.all_reduce(most, distributed.ReduceOp.MAX)
    if not torch.equal(least, most):
        raise UserError(
            f"{what}: the processes no longer hold the same weights; is the run folder on a disk that all machines "
            "share? If so, one of them computes wrongly; the last state is kept"
        )


def _digest(x: Tensor) -> Tensor:
    """Return the sum of a tensor's bits, as whole numbers: the same in any order, another for any change of one."""
    words = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[x.element_size()]
    return x.contiguous().view(words).sum(dtype=torch.int64)
