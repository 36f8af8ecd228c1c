"""Tracing of a network into its operations, and the choice of the feature maps to keep during tiled inference."""

__all__ = ["NotTileable", "TilingPlan", "called_module", "plan_tiling"]

import copy
import operator
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_leaves

from translate.inference.tiling.receptive_field import LEAVES, NORMS, has_region_rule
from translate.networks.transformers.attention import Transformer
from translate.utils.errors import UserError

MAX_KEPT_VALUES_PER_PIXEL = 16.0  # of the picture; larger feature maps would fill the memory, and are computed again


WAY_OUT = "leave out --memory and --stats local for one pass over the whole picture, or shrink it"


class NotTileable(UserError):
    """A network has an operation that cannot run tile by tile."""


class Tracer(fx.Tracer):
    """Stops at the modules that have a region rule, and at those that need the whole picture by their nature."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, (*LEAVES, Transformer)) or super().is_leaf_module(m, module_qualified_name)


@dataclass
class TilingPlan:
    """The operations of a network for a picture of one size, and the order of passes over its tiles."""

    net: nn.Module
    graph: fx.Graph  # operations of the network
    shapes: dict[fx.Node, tuple[int, int, int]]  # (C, H, W) of every feature map; other nodes have none
    norms: list[fx.Node]  # nodes whose statistics need a pass, in order
    kept: set[fx.Node]  # feature maps that are kept once they are computed
    passes: list[fx.Node] = field(default_factory=list)  # inputs of norms and kept maps, in the order of their passes
    last_pass: dict[fx.Node, int] = field(default_factory=dict)  # that reads each kept map
    kept_values_per_pixel: float = 0.0  # of the picture; the largest number that is kept at the same time

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture, px."""
        return next(iter(self.shapes.values()))[1:]

    @property
    def output(self) -> fx.Node:
        """The node that computes the result."""
        node = next(node for node in self.graph.nodes if node.op == "output").args[0]
        assert isinstance(node, fx.Node)
        return node


def plan_tiling(net: nn.Module, channels: int, height: int, width: int, z: Tensor | None = None) -> TilingPlan:
    """Trace a network for a source (1, channels, height, width), and choose the feature maps to keep.

    `net` maps the source, and z (1, z_dim) if it takes one, to a picture of the same size or a multiple of it. Height
    and width are multiples of `net.multiple`.

    Raises:
        NotTileable: an operation needs the whole picture, or draws random numbers.
    """
    # 1. trace
    name = getattr(net, "spec", {}).get("name", type(net).__name__)
    try:
        graph = Tracer().trace(net, {"z": None} if z is None and hasattr(net, "mapping") else None)
    except (fx.proxy.TraceError, TypeError) as error:
        raise NotTileable(f"{name} cannot be traced ({str(error).splitlines()[0]}); {WAY_OUT}") from None
    shapes = _map_shapes(net, graph, torch.empty(1, channels, height, width, device="meta"), z, name)

    # 2. keep small maps that norms or several later operations read
    norms = [node for node in graph.nodes if node in shapes and isinstance(called_module(net, node), NORMS)]
    pixels = height * width
    small = {node for node, (c, h, w) in shapes.items() if c * h * w <= MAX_KEPT_VALUES_PER_PIXEL * pixels}
    kept = {norm.args[0] for norm in norms} & small
    kept |= {n for n in small if n.target in (operator.add, torch.add) and sum(u in shapes for u in n.users) > 1}

    # 3. order the passes
    plan = TilingPlan(net, graph, shapes, norms, kept)
    wanted = {norm.args[0] for norm in norms} | kept
    plan.passes = [node for node in graph.nodes if node in wanted]
    for i, node in enumerate([*plan.passes, plan.output]):
        plan.last_pass |= dict.fromkeys(_kept_inputs(plan, node), i)
    plan.kept_values_per_pixel = _peak_kept_values(plan) / pixels
    return plan


def called_module(net: nn.Module, node: fx.Node) -> nn.Module | None:
    """Return the module that an operation calls, if any."""
    return net.get_submodule(str(node.target)) if node.op == "call_module" else None


def _map_shapes(
    net: nn.Module, graph: fx.Graph, picture: Tensor, z: Tensor | None, name: str
) -> dict[fx.Node, tuple[int, int, int]]:
    """Return the shape of every feature map, by a run on the meta device; raise NotTileable as `plan_tiling`."""
    values: dict[fx.Node, Any] = {}

    class Recorder(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            values[n] = super().run_node(n)
            return values[n]

    meta = copy.deepcopy(net).float().to("meta")  # bf16 weights would need autocast, which "meta" lacks
    first, *others = (n for n in graph.nodes if n.op == "placeholder")
    Recorder(meta, graph=graph).run(picture, *(z.to("meta") if z is not None else None for _ in others))
    maps = {first}
    for node in graph.nodes:
        is_computed = node.op not in ("placeholder", "output") and any(n in maps for n in node.all_input_nodes)
        if is_computed and any(isinstance(value, Tensor) for value in tree_leaves(values[node])):
            _check_tileable(net, node, values[node], name)
            maps.add(node)
    return {node: tuple(values[node].shape[1:]) for node in graph.nodes if node in maps}


def _check_tileable(net: nn.Module, node: fx.Node, value: Any, name: str) -> None:
    """Raise NotTileable for an operation on feature maps that has no region rule; `value` is its result."""
    module = called_module(net, node)
    is_map = isinstance(value, Tensor) and value.ndim == 4
    if not has_region_rule(module, node) or not is_map:
        what = type(module).__name__ if module else getattr(node.target, "__name__", str(node.target))
        why = "draws numbers for the whole picture" if node.target is F.dropout else "needs the whole picture at once"
        raise NotTileable(f"{name} cannot run tile by tile: its {what} {why}; {WAY_OUT}")


def _kept_inputs(plan: TilingPlan, node: fx.Node) -> set[fx.Node]:
    """Return the kept maps from which a map is computed."""
    kept, waiting, seen = set(), list(node.all_input_nodes), set()
    while waiting:
        source = waiting.pop()
        if source in seen or source not in plan.shapes:
            continue
        seen.add(source)
        if source in plan.kept:
            kept.add(source)
        else:
            waiting += source.all_input_nodes
    return kept


def _peak_kept_values(plan: TilingPlan) -> int:
    """Return the largest number of values that are kept at the same time, after `plan.last_pass` is known."""
    alive: set[fx.Node] = set()
    peak = 0
    for i, node in enumerate(plan.passes):
        alive |= {node} & plan.kept
        peak = max(peak, sum(c * h * w for c, h, w in map(plan.shapes.__getitem__, alive)))
        alive = {kept for kept in alive if plan.last_pass.get(kept, -1) > i}
    return peak
