"""Data-parallel training: each rank computes its rows of a batch, and the result is that of a single process.

`torchrun` starts the processes and passes rank and world size in the environment. Rank r of n holds the rows r, r + n,
r + 2n ... of the global batch. Any slice or concatenation along the batch (real and fake in one call, the first
quarter) therefore holds, over all ranks, the rows of a single process, and tasks and networks need no distributed code.
They only replace the functions that draw random numbers or mix rows:

- `randn_like`, `dropout`, `draw_local_rows` draw for the global batch, from one seed, and keep the local rows;
- `all_gather_rows` returns the rows of all ranks, for image pools and batch statistics.

Gradients are averaged by one all-reduce after each backward pass, as in StyleGAN3, and not by DistributedDataParallel:
its hooks expect one call of each network per step, with gradients, where ours are called several times and are frozen
in each other's phases. In a single process every function returns its input or calls PyTorch's.
"""

__all__ = [
    "all_gather_rows", "all_reduce_mean", "any_rank", "as_single_process", "assert_same_weights",
    "broadcast_from_main", "broadcast_weights", "draw_local_rows", "dropout", "global_shape", "init",
    "is_main_process", "local_indices", "local_rows", "main_process_first", "max_over_ranks", "on_main_process",
    "randn_like", "world_size",
]  # fmt: skip

import atexit
import functools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain
from typing import Any, Literal, ParamSpec, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, distributed, nn

from translate.utils.errors import OptionError, UserError

P = ParamSpec("P")
T = TypeVar("T")
PEER_TIMEOUT = timedelta(minutes=10)  # a process that does not answer for this long counts as dead
DATA_TIMEOUT = timedelta(days=1)  # other ranks wait while the main process downloads and decodes pictures


class _World:
    """The `rank` of this process, the world `size`, and a group for broadcasts, which waits for the data."""

    def __init__(self) -> None:
        self.rank, self.size = 0, 1
        self.broadcast_group: distributed.ProcessGroup | None = None


_world = _World()


def init(device: torch.device, batch_size: int) -> torch.device:
    """Join the processes that torchrun has started, if any, and return the device of this rank.

    Args:
        device: of a single process; several ranks on a machine get one GPU each.
        batch_size: of the global batch.

    Raises:
        OptionError: the batch does not divide among the ranks, or no backend links devices of this type.
        UserError: there are too few GPUs, or other processes do not answer.
    """
    # the world: one process, or ranks that share a batch
    size, local_rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))
    if size == 1:
        return device
    if batch_size % size:
        lower = batch_size // size * size
        choice = f"{lower} or {lower + size}" if lower else str(size)
        raise OptionError(f"--batch-size {batch_size} does not divide among {size} processes; choose {choice}")
    # this rank's device
    if device.type == "mps":
        raise OptionError("several processes need NVIDIA GPUs or the cores of CPUs; say --device cpu")
    if device.type == "cuda":
        if local_rank >= (gpus := torch.cuda.device_count()):
            raise UserError(f"{local_rank + 1} processes on a machine with {gpus} GPUs; start fewer")
        device = torch.device("cuda", local_rank)
        torch.cuda.set_device(device)
    elif device.type == "cpu":
        cores, local_size = len(os.sched_getaffinity(0)), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        torch.set_num_threads(max(1, cores // local_size))
    # the process groups
    if not distributed.is_initialized():
        with _peer_errors():
            _init_process_groups("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
        atexit.register(distributed.destroy_process_group)
    _world.rank, _world.size = distributed.get_rank(), distributed.get_world_size()
    return device


def _init_process_groups(backend: str) -> None:
    """Create the default group and the group for broadcasts.

    When torchrun restarts the processes of a machine, its store still holds the addresses of the dead ones; a prefix
    per attempt hides them. Several machines may count their attempts differently; see docs/several_machines.md.
    """
    store, rank, size = next(distributed.rendezvous("env://", timeout=PEER_TIMEOUT))
    if os.environ.get("GROUP_WORLD_SIZE", "1") == "1":
        store = distributed.PrefixStore(f"attempt {os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
    distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PEER_TIMEOUT)
    _world.broadcast_group = distributed.new_group(backend="gloo", timeout=DATA_TIMEOUT)


@contextmanager
def _peer_errors() -> Iterator[None]:
    """Turn the error of a failed collective call into one line: another process has ended or hangs."""
    try:
        yield
    except RuntimeError:  # of gloo and NCCL, whose messages help no user
        raise UserError(
            f"process {os.environ['RANK']} stops: another process of this run has ended or does not answer; "
            "what was saved is kept, and the same command goes on"
        ) from None


def world_size() -> int:
    """Return the number of processes."""
    return _world.size


# ------------------------------------------------------------------ the main process


def is_main_process() -> bool:
    """Whether this is the main process, rank 0, which writes and prints; read from the environment before `init`."""
    return "WORLD_SIZE" not in os.environ or int(os.environ.get("RANK", "0")) == 0


def on_main_process(function: Callable[P, None]) -> Callable[P, None]:
    """Decorate a function that writes or prints: it runs on the main process only, as in a single process."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        if is_main_process():
            with as_single_process():
                function(*args, **kwargs)

    return wrapper


@contextmanager
def as_single_process() -> Iterator[None]:
    """Set the world size to 1 inside the block, for work of the main process alone, such as previews."""
    rank, size = _world.rank, _world.size
    _world.rank, _world.size = 0, 1
    try:
        yield
    finally:
        _world.rank, _world.size = rank, size


def broadcast_from_main(function: Callable[[], T]) -> T:
    """Call `function` on the main process and broadcast its result to all ranks.

    Raises:
        UserError: from `function`, on the main process; the other ranks then exit without a message.
    """
    if _world.size == 1:
        return function()
    result: T | None = None
    failure: UserError | None = None
    if _world.rank == 0:
        try:
            result = function()
        except UserError as error:
            failure = error
    message: list[Any] = [result, failure is not None]
    with _peer_errors():
        distributed.broadcast_object_list(message, src=0, group=_world.broadcast_group, device=torch.device("cpu"))
    if failure:
        raise failure
    if message[1]:
        raise SystemExit(1)
    return cast(T, message[0])


def main_process_first(function: Callable[[], T]) -> T:
    """Call `function` on the main process and then on the other ranks, which find the files that it has prepared."""
    result: list[T] = []
    broadcast_from_main(lambda: result.append(function()))
    return result[0] if result else function()


# ------------------------------------------------------------------ decisions that all ranks share


def any_rank(*flags: bool) -> tuple[bool, ...]:
    """Return, for each flag, whether it is set on any rank, so that all ranks save, or stop, after the same step."""
    if _world.size == 1:
        return flags
    return tuple(map(bool, _all_reduce(torch.tensor(flags, dtype=torch.int32), "MAX").tolist()))


def max_over_ranks(seconds: float) -> float:
    """Return the longest time of all ranks, so that all ranks base a decision on the same number."""
    return seconds if _world.size == 1 else float(_all_reduce(torch.tensor(seconds, dtype=torch.float64), "MAX"))


def _all_reduce(x: Tensor, op: Literal["SUM", "MIN", "MAX"] = "SUM") -> Tensor:
    """Reduce a tensor over the ranks, in place; one on the host goes by gloo, so that no GPU is waited for."""
    with _peer_errors():
        distributed.all_reduce(x, getattr(distributed.ReduceOp, op))
    return x


# ------------------------------------------------------------------ local rows and the global batch


def local_rows(x: Tensor) -> Tensor:
    """Return this rank's rows of the global batch, (n * B, ...) to (B, ...)."""
    return x if _world.size == 1 else x[_world.rank :: _world.size]


def local_indices(count: int) -> range:
    """Return the indices of this rank's rows of a global batch of `count`."""
    return range(_world.rank, count, _world.size)


def global_shape(shape: torch.Size) -> torch.Size:
    """Return the shape of the global batch, (B, ...) to (n * B, ...)."""
    return torch.Size((shape[0] * _world.size, *shape[1:]))


def draw_local_rows(draw: Callable[[int], Tensor], count: int) -> Tensor:
    """Return this rank's rows of `draw(n * count)`, the draw of a single process for the global batch."""
    return draw(count) if _world.size == 1 else local_rows(draw(count * _world.size))


def randn_like(x: Tensor) -> Tensor:
    """Call `torch.randn_like` for local rows (B, ...)."""
    return torch.randn_like(x) if _world.size == 1 else local_rows(torch.randn_like(_empty_global(x)))


def dropout(x: Tensor, p: float) -> Tensor:
    """Call `F.dropout` in training mode for local rows (B, ...)."""
    if _world.size == 1:
        return F.dropout(x, p, True)
    return x * local_rows(F.dropout(torch.ones_like(_empty_global(x)), p))


def _empty_global(x: Tensor) -> Tensor:
    """Return an empty global batch (n * B, ...) in the layout of `x` (B, ...), which decides the order of draws."""
    last = x.dim() == 4 and not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if last else torch.contiguous_format
    return torch.empty(global_shape(x.shape), dtype=x.dtype, device=x.device, memory_format=layout)


def all_gather_rows(x: Tensor) -> Tensor:
    """Return the rows of all ranks, floats (B, ...) to (n * B, ...), in the order of the global batch.

    Gradients flow back to every rank; those of its parameters are correct after `all_reduce_mean`.
    """
    return x if _world.size == 1 else _all_gather_rows(x)


@torch.compiler.disable
def _all_gather_rows(x: Tensor) -> Tensor:
    return cast(Tensor, _AllGatherRows.apply(x))


class _AllGatherRows(torch.autograd.Function):
    """All ranks continue with the same rows, so the gradient of a rank's rows is the sum over the ranks."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.dtype, exact = x.dtype, x.to(torch.promote_types(x.dtype, torch.float32)).contiguous()
        parts = [torch.empty_like(exact) for _ in range(_world.size)]
        with _peer_errors():
            distributed.all_gather(parts, exact)
        return torch.stack(parts, 1).flatten(0, 1).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        exact = torch.promote_types(grad.dtype, torch.float32)
        total = _all_reduce(grad.to(exact, memory_format=torch.contiguous_format, copy=True))
        return local_rows(total).to(ctx.dtype)


# ------------------------------------------------------------------ gradients and weights


def all_reduce_mean(tensors: Sequence[Tensor]) -> None:
    """Replace tensors of one device by their means over the ranks, in one float32 all-reduce."""
    if _world.size == 1:
        return
    flat = _all_reduce(torch.cat([x.detach().float().flatten() for x in tensors])).div_(_world.size)
    with torch.no_grad():
        for x, mean in zip(tensors, flat.split([x.numel() for x in tensors]), strict=True):
            x.copy_(mean.view(x.shape))


@torch.no_grad()
def broadcast_weights(module: nn.Module) -> None:
    """Broadcast the main process's parameters and buffers."""
    if _world.size > 1:
        for x in chain(module.parameters(), module.buffers()):
            whole = x.contiguous()
            with _peer_errors():
                distributed.broadcast(whole, src=0)
            x.copy_(whole)


@torch.no_grad()
def assert_same_weights(module: nn.Module, what: str) -> None:
    """Check that all ranks hold the same bits of parameters and buffers, by the sum of each tensor's bits.

    Raises:
        UserError: a rank differs: a defective machine, or another state on its disk; the message begins with `what`.
    """
    if _world.size == 1:
        return
    sums = torch.stack([_bit_sum(x) for x in chain(module.parameters(), module.buffers())])
    if not torch.equal(_all_reduce(sums.clone(), "MIN"), _all_reduce(sums.clone(), "MAX")):
        raise UserError(
            f"{what}: the processes no longer hold the same weights; is the run folder on a disk that all machines "
            "share? If so, one of them computes wrongly; the last state is kept"
        )


def _bit_sum(x: Tensor) -> Tensor:
    """Return the sum of a tensor's elements as integers: independent of their order, changed by any single one."""
    words = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[x.element_size()]
    return x.contiguous().view(words).sum(dtype=torch.int64)
