"""Networks in checkpoints of the originals, recognised by the names and shapes of their weights.

The files, `<epoch>_net_<network>.pth`, name weights by the index of their layer in one long `nn.Sequential`. Layers
without weights count, too, so that the names determine all layers except the dropout of a U-Net.
"""

__all__ = ["Weights", "fold_batch_norms", "is_constant", "recognise_network", "rename_layer"]

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from translate.utils.errors import UserError

Weights = dict[str, Tensor]
RUNNING_PARTS = ("running_mean", "running_var", "num_batches_tracked")  # of a norm
KNOWN = "resnet_9blocks, resnet_6blocks, unet_256, unet_128, and the resnets of CUT"


def recognise_network(weights: Weights, file: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the spec of a generator, and our layer names by the original ones.

    Raises:
        UserError: `file` holds no known network.
    """
    return _recognise_unet(weights) if "model.model.0.weight" in weights else _recognise_resnet(weights, file)


def is_constant(key: str, weights: Weights) -> bool:
    """Whether an entry is no weight: a blur kernel, or running averages of an instance norm before PyTorch 0.4."""
    layer, _, part = key.rpartition(".")
    return part == "filt" or (part in RUNNING_PARTS and f"{layer}.weight" not in weights)


def rename_layer(key: str, layers: Mapping[str, str]) -> str:
    """Rename the layer in the name of a weight by `layers`."""
    layer, _, part = key.rpartition(".")
    return f"{layers.get(layer, layer)}.{part}"


def _recognise_resnet(weights: Weights, file: Path) -> tuple[dict[str, Any], dict[str, str]]:
    # the spec
    blocks = sorted({int(m[1]) for key in weights if (m := re.match(r"model\.(\d+)\.conv_block\.", key))})
    stem = weights.get("model.1.weight")
    if not blocks or stem is None or stem.ndim != 4:
        raise UserError(f"{file}: its first name is {next(iter(weights))}; known are {KNOWN}")
    down = "model.7.filt" in weights
    last = blocks[-1]
    up = f"model.{last + 1}.filt" in weights
    dropout = getattr(weights.get(f"model.{last}.conv_block.6.weight"), "ndim", 0) == 4
    norm = "batch" if "model.2.weight" in weights else "instance" if "model.1.bias" in weights else "none"
    head = last + (10 if up else 8)
    spec = {
        "name": "resnet_9blocks", "in_channels": stem.shape[1], "width": stem.shape[0], "blocks": len(blocks),
        "out_channels": len(weights.get(f"model.{head}.weight", ())), "norm": norm,
        "dropout": 0.5 if dropout else 0.0,
        "antialias": "both" if down and up else "down" if down else "up" if up else "none",
    }  # fmt: skip
    # convolutions, each followed by its norm
    places = {1: "stem", 4: "down1", 8 if down else 7: "down2"}
    places |= {last + 2: "up1", last + 6: "up2"} if up else {last + 1: "up1", last + 4: "up2"}
    layers = {f"model.{place}": name for place, name in places.items()} | {f"model.{head}": "head"}
    layers |= {f"model.{place + 1}": f"norms.{i}" for i, place in enumerate(places)}
    # residual blocks
    second = 6 if dropout else 5
    parts = {1: "conv1", 2: "norm1", second: "conv2", second + 1: "norm2"}
    for i, place in enumerate(blocks):
        layers |= {f"model.{place}.conv_block.{k}": f"trunk.{i}.{name}" for k, name in parts.items()}
    return spec, layers


def _recognise_unet(weights: Weights) -> tuple[dict[str, Any], dict[str, str]]:
    # the levels, which are nested
    outer, inside = [], "model.model.1"
    while f"{inside}.model.5.weight" in weights:
        outer.append(inside)
        inside += ".model.3"
    levels = len(outer) + 2
    layers = {"model.model.0": "down.0"}
    for i, level in enumerate(outer):
        up = levels - 2 - i
        layers |= {f"{level}.model.1": f"down.{i + 1}", f"{level}.model.2": f"norm_down.{i}"}
        layers |= {f"{level}.model.5": f"up.{up}", f"{level}.model.6": f"norm_up.{up}"}
    layers |= {f"{inside}.model.1": f"down.{levels - 1}", f"{inside}.model.3": "up.0", f"{inside}.model.4": "norm_up.0"}
    layers["model.model.3"] = f"up.{levels - 1}"
    # the spec
    first, last = weights["model.model.0.weight"], weights.get("model.model.3.weight")
    normed = f"{inside}.model.4.weight" in weights
    spec = {
        "name": "unet_256", "in_channels": first.shape[1], "width": first.shape[0], "levels": levels,
        "out_channels": 0 if last is None else last.shape[1], "dropout": 0.5,
        "norm": "batch" if normed else "instance" if "model.model.0.bias" in weights else "none",
    }  # fmt: skip
    return spec, layers


def fold_batch_norms(spec: dict[str, Any], weights: Weights, file: Path) -> tuple[dict[str, Any], Weights]:
    """Fold batch norms, with their running averages, into the convolutions before them.

    Raises:
        UserError: `file` has no running averages.
    """
    if spec["norm"] != "batch":
        return spec, weights
    merged = {key: tensor for key, tensor in weights.items() if "norm" not in key}
    for norm in {key.rpartition(".")[0] for key in weights if "norm" in key}:
        layer, transposed = _convolution_before(norm)
        if f"{norm}.running_var" not in weights or f"{norm}.running_mean" not in weights:
            raise UserError(f"{file}: has no averages of training; leave --averages out")
        gain = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + 1e-5).sqrt()
        shape = (1, -1, 1, 1) if transposed and spec.get("antialias") not in ("up", "both") else (-1, 1, 1, 1)
        merged[f"{layer}.weight"] = weights[f"{layer}.weight"] * gain.view(shape)
        merged[f"{layer}.bias"] = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * gain
    return spec | {"norm": "none"}, merged


def _convolution_before(norm: str) -> tuple[str, bool]:
    """Return our name of the convolution before a norm, and whether it is an upsampling convolution."""
    layer, _, number = norm.rpartition(".")
    if layer == "norms":
        return ("stem", "down1", "down2", "up1", "up2")[int(number)], int(number) > 2
    if layer == "norm_down":
        return f"down.{int(number) + 1}", False
    if layer == "norm_up":
        return f"up.{number}", True
    return f"{layer}.conv{norm[-1]}", False
