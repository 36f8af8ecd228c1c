"""The network of a model as a function of its inputs alone, with the names and shapes of the inputs."""

__all__ = ["Graph", "channels_of", "make_graph"]

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from translate.checkpoints.recipe import Recipe
from translate.export.forms import Noise, noise_inputs, to_graph_form
from translate.inference.onnx.recipe import OnnxInput
from translate.tasks import TASKS
from translate.tasks.inpaint import generator_input as inpainting_input
from translate.tasks.pix2pix import generator_input as translation_input
from translate.utils.errors import UserError


@dataclass(frozen=True)
class Graph:
    """A network as a function of its inputs, in their order."""

    module: nn.Module
    inputs: tuple[OnnxInput, ...]
    multiple: int  # px, of height and width
    fixed: int  # px; 0: any size

    @property
    def named_inputs(self) -> int:
        """How many inputs are arguments of the module's `forward` by name; the others follow as a tuple."""
        return 2 if isinstance(self.module, _Inpainting) else 1

    def example(self, batch: int, height: int, width: int) -> tuple[Tensor, ...]:
        """Return random inputs for a size, never constant: norms of constant pictures hide errors."""
        rng = torch.Generator().manual_seed(0)
        sizes = {"batch": batch, "height": height, "width": width}
        sizes |= {f"{side}/8": sizes[side] // 8 for side in ("height", "width")}
        shapes = [[sizes[d] if isinstance(d, str) else d for d in entry.shape] for entry in self.inputs]
        return tuple(torch.rand(shape, generator=rng) * 2 - 1 for shape in shapes)


class _Translation(nn.Module):
    """(picture, hints?, z?, noise...) -> picture."""

    def __init__(self, net: nn.Module, hinted: bool, styled: bool, noise: Noise) -> None:
        super().__init__()
        self.net, self.hinted, self.styled, self.noise = net, hinted, styled, noise

    def forward(self, picture: Tensor, *others: Tensor) -> Tensor:
        hints, others = others[: self.hinted], others[self.hinted :]
        self.noise.given = list(others[self.styled :])
        source = translation_input({"a": picture, "hint": hints[0]} if hints else {"a": picture})
        return self.net(source, *others[: self.styled])


class _Inpainting(nn.Module):
    """(picture, mask, z?, noise...) -> picture."""

    def __init__(self, net: nn.Module, styled: bool, noise: Noise) -> None:
        super().__init__()
        self.net, self.styled, self.noise = net, styled, noise

    def forward(self, picture: Tensor, mask: Tensor, *others: Tensor) -> Tensor:
        self.noise.given = list(others[self.styled :])
        return self.net(inpainting_input(self.net, picture, mask), *others[: self.styled])


class _Generation(nn.Module):
    """(z, label?) -> picture."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, z: Tensor, *label: Tensor) -> Tensor:
        return self.net(z, *label)


def make_graph(recipe: Recipe, nets: nn.ModuleDict, direction: str, *, dropout: bool = True) -> Graph:
    """Return the graph of one direction of a model; without `dropout`, that of the network without it.

    Raises:
        UserError: a network with dropout, or a plugin's task that is not one network's pass.
    """
    # the network
    kind = TASKS[recipe.task].data
    net, z_dim = _network_of(recipe, nets, direction, kind)
    noise = Noise()
    form = to_graph_form(net, noise, dropout=dropout)
    source, target = channels_of(recipe, direction, kind)
    # the inputs of its kind
    inputs = [] if kind == "images" else [_plane("picture", source, "the picture, RGB or its channels")]
    module: nn.Module
    hinted = "hint" in recipe.channels
    if kind == "images":
        module = _Generation(form)
    elif kind == "masked":
        module = _Inpainting(form, z_dim > 0, noise)
        inputs.append(_plane("mask", 1, "1 in the hole, -1 elsewhere; the picture is ignored in the hole"))
    else:
        module = _Translation(form, hinted, z_dim > 0, noise)
        if hinted:
            about = "coloured strokes, RGBA; alpha is 1 on strokes and -1 elsewhere, where colours are ignored"
            inputs.append(_plane("hints", recipe.channels["hint"], about))
    if z_dim:
        inputs.append(_style_input(recipe, z_dim))
    if kind == "images" and (classes := int(getattr(net, "classes", 0))):
        about = "weights of the classes; their sum is 1"
        inputs.append(OnnxInput(name="label", shape=("batch", classes), about=about, values=(0.0, 1.0)))
    inputs += noise_inputs(net)
    fixed = int(getattr(net, "fixed", 0)) if kind != "images" else int(net.size)  # type: ignore[arg-type]
    if fixed:
        inputs = [replace(entry, shape=_with_side(entry.shape, fixed)) for entry in inputs]
    multiple = fixed or int(getattr(net, "multiple", 1))
    return Graph(module.eval().requires_grad_(False), tuple(inputs), multiple, fixed)


def _with_side(shape: tuple[int | str, ...], side: int) -> tuple[int | str, ...]:
    return tuple(side if size in ("height", "width") else size for size in shape)


def _network_of(recipe: Recipe, nets: nn.ModuleDict, direction: str, kind: str) -> tuple[nn.Module, int]:
    """Return the network that predicts, and the size of its z; raise UserError for tasks that do more than one pass."""
    if kind in ("images", "masked"):
        net = nets["G"]
    else:
        try:
            net, _ = TASKS[recipe.task].generator_for(nets, direction, None, None)
        except NotImplementedError:
            raise UserError(
                f"the task {recipe.task!r} is not one pass of one network, so it cannot be exported"
            ) from None
    return net, int(getattr(net, "z_dim", 0))


def channels_of(recipe: Recipe, direction: str, kind: str) -> tuple[int, int]:
    """Return the channels of source and target; 0 for a source that is no picture."""
    if kind == "images":
        return 0, recipe.channels["image"]
    if kind in ("masked", "reduced"):
        return recipe.channels["image"], recipe.channels["image"]
    keys = direction if len(recipe.directions) > 1 else "ab"
    return recipe.channels[keys[0]], recipe.channels[keys[1]]


def _plane(name: str, channels: int, about: str) -> OnnxInput:
    return OnnxInput(name=name, shape=("batch", channels, "height", "width"), about=about)


def _style_input(recipe: Recipe, z_dim: int) -> OnnxInput:
    if TASKS[recipe.task].strength is not None:
        about = "the strength: 0 near the picture, 1 all of the target's look"
        return OnnxInput(name="z", shape=("batch", 1), about=about, values=(0.0, 1.0))
    return OnnxInput(name="z", shape=("batch", z_dim), about="the style code", values=None)
