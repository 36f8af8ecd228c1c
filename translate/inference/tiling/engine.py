"""Exact tiled inference: a network's output tile by tile in bounded memory, equal to that of one pass over the picture.

The network is traced into its operations (torch.fx). A rule for each operation gives the region of its input that a
region of its output needs, so any region of any feature map can be computed from the picture, with its true neighbours.
Only norms need a whole map. Their statistics are gathered in separate passes over all tiles, one pass per norm in the
order of the network, and merged in float64 (Chan et al., 1979). Small feature maps, such as those of a trunk of
residual blocks, are cached as they were computed until their last use; larger ones are computed again in every pass.
"""

__all__ = ["run_tiled"]

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, fx, nn

from translate.inference.tiling.feature_maps import FeatureMap, FeatureMapStore, MemoryPlan
from translate.inference.tiling.local_norm import LocalMoments
from translate.inference.tiling.receptive_field import NORMS, ReadRegion, region_rule
from translate.inference.tiling.regions import Moments, Region, tiles
from translate.inference.tiling.trace import TilingPlan, called_module
from translate.networks.blocks import BatchNorm, InstanceNorm
from translate.networks.style_resnet import StyleNorm
from translate.utils.concurrency import prefetch, thread_pool

Context = Callable[[], AbstractContextManager[Any]]
Compute = Callable[[Region], Any]
MapTiles = Callable[[Compute, Iterable[Region]], Iterator[tuple[Region, Any]]]


class TiledForward:
    """Computes regions of the feature maps of a tiling plan."""

    def __init__(self, plan: TilingPlan, picture: ReadRegion, z: Tensor | None, store: FeatureMapStore) -> None:
        self.plan, self.picture, self.store = plan, picture, store
        self.moments = {norm.args[0]: self._new_moments(plan.shapes[norm.args[0]]) for norm in plan.norms}  # type: ignore[index]
        self.cache: dict[fx.Node, FeatureMap] = {}
        self.constants = self._compute_constants(z)

    def _new_moments(self, shape: tuple[int, int, int]) -> Moments | LocalMoments:
        _, height, width = shape
        cell = self.store.plan.norm_cell * height / self.plan.size[0]
        return LocalMoments(height, width, cell) if cell else Moments()

    def _compute_constants(self, z: Tensor | None) -> dict[fx.Node, Any]:
        """Compute the nodes that do not depend on the picture, such as the layers that map z to a style."""
        plan, known = self.plan, dict[fx.Node, Any]()
        for node in plan.graph.nodes:
            if node in plan.shapes or node.op == "output":
                continue
            if node.op == "placeholder":  # the picture has a shape, so this is z
                known[node] = z
            elif all(n in known for n in node.all_input_nodes):
                arguments = fx.map_arg((node.args, node.kwargs), known.__getitem__)
                known[node] = run_node(plan.net, node, *arguments)
        return known

    def region(self, node: fx.Node, region: Region) -> Tensor:
        """Compute a region of a feature map, or read it from the cache."""
        if node in self.cache:
            return self.cache[node].read(region)
        if node.op == "placeholder":
            return self.picture(region)
        module = called_module(self.plan.net, node)
        if isinstance(module, NORMS):
            return self._normalise(module, node, region)
        if rule := region_rule(module, node):
            source = node.args[0]
            assert isinstance(source, fx.Node)
            return rule(partial(self.region, source), region, self.plan.shapes[source][1:])
        return self._pointwise(node, region)

    def _pointwise(self, node: fx.Node, region: Region) -> Tensor:
        def value(n: fx.Node) -> Any:
            if n in self.constants:
                return self.constants[n]
            return self.region(n, region) if n in self.plan.shapes else self._pointwise(n, region)  # such as x.dtype

        return run_node(self.plan.net, node, *fx.map_arg((node.args, node.kwargs), value))

    def _normalise(self, norm: nn.Module, node: fx.Node, region: Region) -> Tensor:
        source = node.args[0]
        assert isinstance(source, fx.Node)
        x, moments = self.region(source, region), self.moments[source]
        if isinstance(norm, InstanceNorm):
            return moments.normalise(x, region, norm.eps)
        if isinstance(norm, BatchNorm):
            return moments.normalise(x, region, norm.eps, norm.weight, norm.bias)
        assert isinstance(norm, StyleNorm)
        style = self.constants[node.args[1]] if isinstance(node.args[1], fx.Node) else None
        return norm.modulate(moments.normalise(x, region, norm.norm.eps), style)

    def run_pass(self, node: fx.Node, i: int, map_tiles: MapTiles) -> None:
        """Compute a feature map in pass `i`: gather its moments, keep it if planned, release used maps."""
        shape, moments = self.plan.shapes[node], self.moments.get(node)
        kept = FeatureMap(self.store, shape) if node in self.plan.kept else None

        def compute(region: Region) -> Any:
            x = self.region(node, region)
            if kept is not None:
                kept.write(region, x)
            return [] if moments is None else moments.partial(x, region)

        tile = self.store.plan.tile * shape[1] // self.plan.size[0]
        for _, parts in map_tiles(compute, tiles(*shape[1:], tile)):
            if moments is not None:
                moments.merge(parts)
        if kept is not None:
            self.cache[node] = kept
        for unused in [other for other in self.cache if self.plan.last_pass.get(other, -1) <= i]:
            self.store.release(self.cache.pop(unused))


def run_node(net: nn.Module, node: fx.Node, args: Any, kwargs: Mapping[str, Any]) -> Any:
    """Execute an operation of a traced network."""
    if node.op == "call_module":
        return net.get_submodule(str(node.target))(*args, **kwargs)
    if node.op == "get_attr":
        return operator.attrgetter(str(node.target))(net)
    if node.op == "call_method":
        return getattr(args[0], str(node.target))(*args[1:], **kwargs)
    return node.target(*args, **kwargs)  # type: ignore[operator]


def _map_tiles(
    pool: ThreadPoolExecutor, workers: int, context: Context, compute: Compute, regions: Iterable[Region]
) -> Iterator[tuple[Region, Any]]:
    """Yield each region with its result, in order; several `workers` compute a tile each on one core."""

    def compute_in_thread(region: Region) -> Any:
        if workers > 1:
            torch.set_num_threads(1)  # of this thread: one core per tile waits for no other core
        with torch.inference_mode(), context():  # both are thread-local
            return compute(region)

    submitted = ((region, pool.submit(compute_in_thread, region)) for region in regions)
    for region, future in prefetch(submitted, workers):
        yield region, future.result()


@torch.inference_mode()
def run_tiled(
    plan: TilingPlan, picture: ReadRegion, write: Callable[[Region, Tensor], None], *, z: Tensor | None = None,
    memory_plan: MemoryPlan, device: torch.device | str = "cpu",
    advance: Callable[[float], None] = lambda share: None, context: Context = nullcontext,
) -> None:  # fmt: skip
    """Run a network over a picture tile by tile.

    Args:
        plan: of `plan_tiling`, for the size of the picture.
        picture: reads a region of the picture, (1, C, h, w) float32 in [-1, 1]; called in several threads.
        write: receives the regions of the result, (1, C', h, w), in order, each pixel once.
        z: (1, z_dim), if the plan was made with z.
        memory_plan: tile size and storage.
        device: computes the tiles; kept feature maps stay in host memory.
        advance: receives the share of the work that is done, at first and after every pass.
        context: of the network's passes, such as autocast; entered in each thread.
    """
    # 1. compute the nodes that do not depend on the picture
    advance(0.0)
    with context():
        forward = TiledForward(plan, picture, z, FeatureMapStore(memory_plan, torch.device(device)))

    # 2. gather the norms' statistics, one pass each, then compute the output
    cores = torch.get_num_threads()
    try:
        with thread_pool(memory_plan.workers) as pool:
            map_tiles = partial(_map_tiles, pool, memory_plan.workers, context)
            for i, node in enumerate(plan.passes):
                forward.run_pass(node, i, map_tiles)
                advance((i + 1) / (len(plan.passes) + 1))
            _, height, width = plan.shapes[plan.output]
            tile_regions = tiles(height, width, memory_plan.tile * height // plan.size[0])
            for region, y in map_tiles(partial(forward.region, plan.output), tile_regions):
                write(region, y)
    finally:
        torch.set_num_threads(cores)  # the default of threads started from here on
    advance(1.0)
