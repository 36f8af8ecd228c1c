"""A network taken apart into its operations, and what of it is kept while a picture goes through."""

__all__ = ["NotStreamable", "StreamPlan", "module_of", "plan_stream"]

import copy
import operator
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from translate.inference.tiling.receptive_field import (
    LEAVES,
    NORMS,
    POINTWISE,
    POINTWISE_METHODS,
    POINTWISE_MODULES,
    argument,
)
from translate.utils.errors import UserError

KEPT = 16.0  # numbers for each pixel of the picture; maps with more of them are computed again, not kept


class NotStreamable(UserError):
    """A network has an operation that needs the whole picture."""


class Tracer(fx.Tracer):
    """Stops at the modules that have a rule."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, LEAVES) or super().is_leaf_module(m, module_qualified_name)


@dataclass
class StreamPlan:
    """How a network goes over a picture.

    Attributes:
        net: the network. graph: its operations.
        sizes: of every map, (C, H, W), by node; what is no map has none.
        norms: nodes that need a pass, in order.
        kept: maps that are kept once they are computed.
        passes: maps that are gone through, in order: those that norms look at, and those that are kept.
        last: of each kept map, the last pass that reads it.
        numbers: for each pixel of the picture, of kept maps at the same time at most.
    """

    net: nn.Module
    graph: fx.Graph
    sizes: dict[fx.Node, tuple[int, int, int]]
    norms: list[fx.Node]
    kept: set[fx.Node]
    passes: list[fx.Node] = field(default_factory=list)
    last: dict[fx.Node, int] = field(default_factory=dict)
    numbers: float = 0.0


def plan_stream(net: nn.Module, channels: int, height: int, width: int, z: Tensor | None = None) -> StreamPlan:
    """Trace `net`, and choose what is kept.

    Args:
        net: maps (1, channels, height, width), and z where it has one, to a picture of that size.
        channels: of the source.
        height: px, a multiple of `net.multiple`.
        width: likewise.
        z: (1, z_dim).

    Raises:
        NotStreamable: an operation needs the whole picture, or draws numbers.
    """
    name = getattr(net, "spec", {}).get("name", type(net).__name__)
    try:
        graph = Tracer().trace(net, None if z is not None else {"z": None} if _takes_z(net) else None)
    except (fx.proxy.TraceError, TypeError) as error:
        raise NotStreamable(f"{name} cannot be taken apart ({str(error).splitlines()[0]})") from None
    sizes = _sizes(net, graph, channels, height, width, z, name)
    norms = [node for node in graph.nodes if node in sizes and isinstance(module_of(net, node), NORMS)]
    pixels = height * width
    small = {node for node, (c, h, w) in sizes.items() if c * h * w <= KEPT * pixels}
    kept = {norm.args[0] for norm in norms} & small
    kept |= {n for n in small if n.target in (operator.add, torch.add) and sum(u in sizes for u in n.users) > 1}
    plan = StreamPlan(net, graph, sizes, norms, kept)
    _order(plan)
    plan.numbers = _most_kept(plan) / pixels
    return plan


def _takes_z(net: nn.Module) -> bool:
    return hasattr(net, "mapping")


def module_of(net: nn.Module, node: fx.Node) -> nn.Module | None:
    """Return the module that an operation calls, if it calls one."""
    return net.get_submodule(str(node.target)) if node.op == "call_module" else None


def _sizes(
    net: nn.Module, graph: fx.Graph, channels: int, height: int, width: int, z: Tensor | None, name: str
) -> dict[fx.Node, tuple[int, int, int]]:
    """Return the size of every map, found out on tensors without values."""
    shapes: dict[fx.Node, Any] = {}

    class Shapes(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            shapes[n] = super().run_node(n)
            return shapes[n]

    meta = copy.deepcopy(net).float().to("meta")  # in bf16, it would want autocast, which "meta" has not
    inputs: list[Tensor | None] = [torch.empty(1, channels, height, width, device="meta")]
    placeholders = [n for n in graph.nodes if n.op == "placeholder"]
    inputs += [z.to("meta") if z is not None else None for _ in placeholders[1:]]
    Shapes(meta, graph=graph).run(*inputs)
    maps = {placeholders[0]}
    for node in graph.nodes:
        if node.op not in ("placeholder", "output") and any(n in maps for n in node.all_input_nodes):
            found = shapes[node]
            if isinstance(found, Tensor):
                _check(net, node, found, name)
                maps.add(node)
    return {node: tuple(shapes[node].shape[1:]) for node in graph.nodes if node in maps}


def _check(net: nn.Module, node: fx.Node, found: Tensor, name: str) -> None:
    """Refuse an operation on maps that has no rule."""
    module = module_of(net, node)
    fits = isinstance(module, (*LEAVES, *POINTWISE_MODULES, nn.PixelUnshuffle, nn.PixelShuffle))
    fits |= node.op == "call_function" and node.target in (*POINTWISE, F.pixel_unshuffle, F.pixel_shuffle)
    fits |= node.op == "call_method" and node.target in POINTWISE_METHODS
    fits |= node.op == "call_function" and node.target is F.dropout and not float(argument(node, 1, "p"))
    if not fits or found.ndim != 4:
        what = type(module).__name__ if module else getattr(node.target, "__name__", str(node.target))
        why = "draws numbers for the whole picture" if node.target is F.dropout else "needs the whole picture at once"
        raise NotStreamable(f"{name} cannot be streamed: its {what} {why}")


def _order(plan: StreamPlan) -> None:
    """Set the passes, in the order of the network, and which of them is the last to read each kept map."""
    wanted = {norm.args[0] for norm in plan.norms} | plan.kept
    plan.passes = [node for node in plan.graph.nodes if node in wanted]
    output = next(node for node in plan.graph.nodes if node.op == "output")
    for i, node in enumerate([*plan.passes, output.args[0]]):
        for read in _read(plan, node):
            plan.last[read] = i


def _read(plan: StreamPlan, node: fx.Node) -> set[fx.Node]:
    """Return the kept maps from which a map is computed."""
    found, waiting, seen = set(), list(node.all_input_nodes), set()
    while waiting:
        one = waiting.pop()
        if one in seen or one not in plan.sizes:
            continue
        seen.add(one)
        if one in plan.kept:
            found.add(one)
        else:
            waiting += one.all_input_nodes
    return found


def _most_kept(plan: StreamPlan) -> float:
    """Return how many numbers are kept at the same time at most."""
    alive: set[fx.Node] = set()
    most = 0
    for i, node in enumerate(plan.passes):
        alive |= {node} & plan.kept
        most = max(most, sum(c * h * w for c, h, w in map(plan.sizes.__getitem__, alive)))
        alive = {one for one in alive if plan.last.get(one, -1) > i}
    return most
