"""A picture through a network tile by tile, with the result of the whole picture at once, in bounded memory.

A network is traced into its operations (torch.fx). Each of them can tell which region of its inputs it needs for a
region of its output, so any part of any map can be computed from the picture, with true neighbours around it. What
looks at a whole map are norms: their means and variances are gathered in passes over all tiles, one pass a norm in the
order of the network, and merged in float64 (Chan et al., 1979). Maps that are small beside the picture, such as those
of a trunk of residual blocks, are kept as long as they are needed; larger ones are computed again in every pass.
"""

__all__ = ["stream"]

import operator
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, fx, nn

from translate.inference.tiling.feature_maps import FeatureMap, FeatureMapStore, MemoryPlan
from translate.inference.tiling.local_norm import LocalMoments
from translate.inference.tiling.receptive_field import NORMS, Source, rule_of
from translate.inference.tiling.regions import Moments, Region, tiles
from translate.inference.tiling.trace import StreamPlan, module_of
from translate.inference.tiling.workers import TileWorkers
from translate.networks.blocks import BatchNorm, InstanceNorm
from translate.networks.style_resnet import StyleNorm
from translate.utils.concurrency import threads


class Streamer:
    """Computes regions of the maps of a plan."""

    def __init__(self, plan: StreamPlan, picture: Source, z: Tensor | None, maps: "FeatureMapStore") -> None:
        self.plan, self.picture, self.maps = plan, picture, maps
        self.moments = {norm.args[0]: self._moments(plan.sizes[norm.args[0]]) for norm in plan.norms}  # type: ignore[index]
        self.store: dict[fx.Node, FeatureMap] = {}
        self.constants = self._constants(z)

    def _moments(self, size: tuple[int, int, int]) -> Moments | LocalMoments:
        _, height, width = size
        cell = self.maps.way.cell * height / self.height
        return LocalMoments(height, width, cell) if cell else Moments()

    def _constants(self, z: Tensor | None) -> dict[fx.Node, Any]:
        """Compute everything that does not depend on the picture, such as what follows from a look."""
        plan, known = self.plan, {}
        placeholders = [n for n in plan.graph.nodes if n.op == "placeholder"]
        for node in plan.graph.nodes:
            if node in plan.sizes or node.op == "output":
                continue
            if node.op == "placeholder":
                known[node] = z if node in placeholders[1:] else None
            elif all(n in known for n in node.all_input_nodes):
                arguments = fx.map_arg((node.args, node.kwargs), known.__getitem__)
                known[node] = _call(plan.net, node, *arguments)
        return known

    def region(self, node: fx.Node, region: Region) -> Tensor:
        """Return a region of a map."""
        if node in self.store:
            return self.store[node].read(region)
        if node.op == "placeholder":
            return self.picture(region)
        module = module_of(self.plan.net, node)
        if isinstance(module, NORMS):
            return self._normed(module, node, region)
        if rule := rule_of(module, node):
            source = node.args[0]
            assert isinstance(source, fx.Node)
            return rule(partial(self.region, source), region, self.plan.sizes[source][1:])
        return self._pointwise(node, region)

    def _pointwise(self, node: fx.Node, region: Region) -> Tensor:
        def value(n: fx.Node) -> Any:
            if n in self.constants:
                return self.constants[n]
            return self.region(n, region) if n in self.plan.sizes else self._pointwise(n, region)  # a type, say

        return _call(self.plan.net, node, *fx.map_arg((node.args, node.kwargs), value))

    def _normed(self, norm: nn.Module, node: fx.Node, region: Region) -> Tensor:
        source = node.args[0]
        assert isinstance(source, fx.Node)
        x, moments = self.region(source, region), self.moments[source]
        if isinstance(norm, InstanceNorm):
            return moments.normalise(x, region, norm.eps)
        if isinstance(norm, BatchNorm):
            return moments.normalise(x, region, norm.eps, norm.weight, norm.bias)
        assert isinstance(norm, StyleNorm)
        style = node.args[1]
        given = self.constants[style] if isinstance(style, fx.Node) else None
        return norm.steered(moments.normalise(x, region, norm.norm.eps), given)

    def go(self, node: fx.Node, i: int, crew: TileWorkers) -> None:
        """Take pass `i` over a map: gather its moments, keep it, and drop what nobody reads any more."""
        size, moments = self.plan.sizes[node], self.moments.get(node)
        whole = self.maps.new(size) if node in self.plan.kept else None

        def work(region: Region) -> Any:
            x = self.region(node, region)
            if whole is not None:
                whole.write(region, x)
            return [] if moments is None else moments.measure(x, region)

        for _, parts in crew.go(work, tiles(*size[1:], self.maps.way.tile * size[1] // self.height)):
            if moments is not None:
                moments.take(parts)
        if whole is not None:
            self.store[node] = whole
        for one in [one for one in self.store if self.plan.last.get(one, -1) <= i]:
            self.maps.drop(self.store.pop(one))

    @property
    def height(self) -> int:
        """Of the picture, px."""
        return self.plan.sizes[next(iter(self.plan.sizes))][1]


def _call(net: nn.Module, node: fx.Node, args: Any, kwargs: Mapping[str, Any]) -> Any:
    """Carry out an operation."""
    if node.op == "call_module":
        return net.get_submodule(str(node.target))(*args, **kwargs)
    if node.op == "get_attr":
        return operator.attrgetter(str(node.target))(net)
    if node.op == "call_method":
        return getattr(args[0], str(node.target))(*args[1:], **kwargs)
    return node.target(*args, **kwargs)  # type: ignore[operator]


@torch.inference_mode()
def stream(
    plan: StreamPlan,
    picture: Source,
    write: Callable[[Region, Tensor], None],
    *,
    z: Tensor | None = None,
    way: MemoryPlan,
    device: torch.device | str = "cpu",
    advance: Callable[[float], None] = lambda share: None,
    around: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> None:
    """Send a picture through the network of `plan`.

    Args:
        plan: of `plan_stream`, for the size of the picture.
        picture: gives any region of it, (1, C, h, w) float32 in [-1, 1]; called in several threads.
        write: takes the regions of the result, (1, C', h, w), in order: each pixel once.
        z: (1, z_dim), as the plan was made with.
        way: in how much memory.
        device: where it is computed; maps are kept beside the CPU.
        advance: told at first and after every pass which share of all is done.
        around: the context that networks run in, such as autocast; entered in each thread.
    """
    advance(0.0)
    with around():
        streamer = Streamer(plan, picture, z, FeatureMapStore(way, torch.device(device)))
    output = next(node for node in plan.graph.nodes if node.op == "output").args[0]
    assert isinstance(output, fx.Node)
    _, height, width = plan.sizes[output]
    cores = torch.get_num_threads()
    try:
        with threads(way.crew) as pool:
            crew = TileWorkers(pool, way.crew, around)
            for i, node in enumerate(plan.passes):
                streamer.go(node, i, crew)
                advance((i + 1) / (len(plan.passes) + 1))
            for region, y in crew.go(partial(streamer.region, output), tiles(height, width, way.tile)):
                write(region, y)
    finally:
        torch.set_num_threads(cores)  # what threads of the process begin with from here on
    advance(1.0)
