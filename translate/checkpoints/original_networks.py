"""Checkpoints of pytorch-CycleGAN-and-pix2pix and of contrastive-unpaired-translation, recognised from what is in them.

Their files, `<epoch>_net_<network>.pth`, hold weights under the names of places in one long sequence, and nothing else:
layers without weights count as places, too. So the names and shapes tell which layers there are, and what is left open
is what has no weights: the dropout of a U-Net.
"""

__all__ = ["read_discriminator", "read_original"]

import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from translate.networks import GENERATORS
from translate.utils.errors import UserError
from translate.utils.factory import Factory
from translate.utils.safe_load import load_tensors, refuse_expanded

Weights = dict[str, Tensor]
NORM_PARTS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
PREFIXES = ("module.", "_orig_mod.")
KINDS = ("resnet_9blocks", "resnet_6blocks", "unet_256", "unet_128", "and the resnets of CUT")


def read_original(file: Path, *, dropout: bool = True, averages: bool = False) -> nn.Module:
    """Read a generator; it carries its spec, as all that `build.Factory` makes.

    Args:
        file: The .pth file.
        dropout: Whether that of a network which may have been trained with it goes on, as the originals have it.
        averages: Whether batch norms use the averages of training, as their `--eval` has it, and not the statistics
            of each picture; dropout is off then.

    Raises:
        UserError: The file is damaged or holds other things than tensors, or a network that is none of these.
    """
    weights = read_weights(file)
    spec, places = _unet(weights) if "model.model.0.weight" in weights else _resnet(weights, file)
    theirs = {mine: place for place, mine in places.items()}
    mine = {_moved(key, places): tensor for key, tensor in weights.items() if not _is_constant(key, weights)}
    if averages:
        spec, mine = _averaged(spec, mine, file)
    if averages or not dropout:
        spec |= {"dropout": 0.0}
    with (
        torch.device("meta"),
        warnings.catch_warnings(),
    ):
        # the numbers are the file's: nothing is allocated before its weights fit
        warnings.simplefilter("ignore")
        net = _built(spec, file)
    if spec["norm"] == "none":  # then the originals have no biases
        biases = {name: tensor for name, tensor in net.state_dict().items() if name.endswith(".bias")}
        mine = {name: torch.zeros(tensor.shape) for name, tensor in biases.items()} | mine
    _check(net, mine, theirs, file)
    net = _built(spec, file)
    net.load_state_dict(mine)
    return net.eval().requires_grad_(False)


def read_discriminator(file: Path, net: nn.Module) -> None:
    """Give `net`, a PatchGAN, the weights of a discriminator.

    Raises:
        UserError: The file is damaged, or of another network.
    """
    weights = read_weights(file)
    places = {layer: layer.replace("model.", "body.", 1) for layer in (key.rpartition(".")[0] for key in weights)}
    mine = {_moved(key, places): tensor for key, tensor in weights.items() if not _is_constant(key, weights)}
    _check(net, mine, {mine: place for place, mine in places.items()}, file)
    net.load_state_dict(mine)


def read_weights(file: Path) -> Weights:
    """Read the tensors of a file, by name, without what wrappers put before the names. No code is run.

    Raises:
        UserError: The file is damaged, or holds other things.
    """
    try:
        found = load_tensors(file)
    except pickle.UnpicklingError:
        raise UserError(f"{file}: holds objects that are no tensors, which could run code; nothing of it was") from None
    except (ValueError, OSError) as error:
        raise UserError(f"{file}: cannot be read as a checkpoint ({_first_line(error)})") from None
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not isinstance(found, Mapping) or not found or not all(isinstance(x, Tensor) for x in found.values()):
        raise UserError(f"{file}: holds no network: a table of tensors by name is expected, as state_dict() gives it")
    try:
        refuse_expanded(found)
    except ValueError as error:
        raise UserError(f"{file}: cannot be read as a checkpoint ({error})") from None
    return {_bare(str(key)): tensor for key, tensor in found.items()}


def _bare(key: str) -> str:
    while prefix := next((p for p in PREFIXES if key.startswith(p)), ""):
        key = key.removeprefix(prefix)
    return key


def _is_constant(key: str, weights: Weights) -> bool:
    """Whether an entry is no weight: the kernel of a blur, or what instance norms kept before PyTorch 0.4."""
    layer, _, part = key.rpartition(".")
    return part == "filt" or (part in NORM_PARTS[2:] and f"{layer}.weight" not in weights)


def _moved(key: str, places: Mapping[str, str]) -> str:
    """Return the name of a weight after its layer has moved to another place."""
    layer, _, part = key.rpartition(".")
    return f"{places.get(layer, layer)}.{part}"


def _built(spec: Mapping[str, Any], file: Path) -> nn.Module:
    try:
        return Factory(spec, GENERATORS, "generator")()
    except UserError:
        raise
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:
        raise UserError(f"{file}: holds no network that can be built ({_first_line(error)})") from None


def _check(net: nn.Module, weights: Weights, theirs: Mapping[str, str], file: Path) -> None:
    """Say which of the weights is the first not to fit; `theirs` are their places of our layers."""
    wanted = net.state_dict()
    for name, tensor in wanted.items():
        if name.endswith("num_batches_tracked"):  # older files have none
            weights.setdefault(name, torch.zeros_like(tensor, device="cpu"))
    for name, tensor in wanted.items():
        if name not in weights:
            raise UserError(f"{file}: has no {_moved(name, theirs)}, which {_called(net)} needs")
        if weights[name].shape != tensor.shape:
            sizes = f"{tuple(weights[name].shape)}, not {tuple(tensor.shape)}"
            raise UserError(f"{file}: {_moved(name, theirs)} is {sizes} as in {_called(net)}")
    if more := next((name for name in weights if name not in wanted), ""):
        raise UserError(f"{file}: has {_moved(more, theirs)}, which {_called(net)} has not")


def _called(net: nn.Module) -> str:
    """Return the nearest known network in words."""
    spec = getattr(net, "spec", {"name": type(net).__name__})
    return f"{spec['name']} ({', '.join(f'{k} {v}' for k, v in spec.items() if k != 'name')})"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


# ---- resnets


def _resnet(weights: Weights, file: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the spec of a resnet, and what its places are called here."""
    blocks = sorted({int(m[1]) for key in weights if (m := re.match(r"model\.(\d+)\.conv_block\.", key))})
    stem = weights.get("model.1.weight")
    if not blocks or stem is None or stem.ndim != 4:
        raise UserError(f"{file}: its first name is {next(iter(weights))}; known are {', '.join(KINDS)}")
    down = "model.7.filt" in weights
    last = blocks[-1]
    up = f"model.{last + 1}.filt" in weights
    dropped = getattr(weights.get(f"model.{last}.conv_block.6.weight"), "ndim", 0) == 4
    norm = "batch" if "model.2.weight" in weights else "instance" if "model.1.bias" in weights else "none"
    head = last + (10 if up else 8)
    spec = {
        "name": "resnet_9blocks", "in_channels": stem.shape[1], "width": stem.shape[0], "blocks": len(blocks),
        "out_channels": len(weights.get(f"model.{head}.weight", ())), "norm": norm,
        "dropout": 0.5 if dropped else 0.0,
        "antialias": "both" if down and up else "down" if down else "up" if up else "none",
    }  # fmt: skip
    layers = {1: "stem", 4: "down1", 8 if down else 7: "down2", head: "head"}
    layers |= {last + 2: "up1", last + 6: "up2"} if up else {last + 1: "up1", last + 4: "up2"}
    places = {f"model.{place}": name for place, name in layers.items()}
    in_order = [place for place in sorted(layers) if place != head]
    places |= {f"model.{place + 1}": f"norms.{i}" for i, place in enumerate(in_order)}
    for i, place in enumerate(blocks):
        second = 6 if dropped else 5
        inside = {1: "conv1", 2: "norm1", second: "conv2", second + 1: "norm2"}
        places |= {f"model.{place}.conv_block.{k}": f"trunk.{i}.{name}" for k, name in inside.items()}
    return spec, places


# ---- U-Nets


def _unet(weights: Weights) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the spec of a U-Net, whose levels lie in one another, and what its places are called here."""
    first, inside = weights["model.model.0.weight"], "model.model.1"
    levels = 2
    places = {"model.model.0": "down.0"}
    found = []
    while f"{inside}.model.5.weight" in weights:
        found.append(inside)
        inside += ".model.3"
        levels += 1
    for i, level in enumerate(found):
        up = levels - 2 - i
        places |= {f"{level}.model.1": f"down.{i + 1}", f"{level}.model.2": f"norm_down.{i}"}
        places |= {f"{level}.model.5": f"up.{up}", f"{level}.model.6": f"norm_up.{up}"}
    places |= {f"{inside}.model.1": f"down.{levels - 1}", f"{inside}.model.3": "up.0", f"{inside}.model.4": "norm_up.0"}
    places["model.model.3"] = f"up.{levels - 1}"
    normed = f"{inside}.model.4.weight" in weights
    norm = "batch" if normed else "instance" if "model.model.0.bias" in weights else "none"
    spec = {
        "name": "unet_256", "in_channels": first.shape[1], "width": first.shape[0], "levels": levels,
        "out_channels": weights["model.model.3.weight"].shape[1] if "model.model.3.weight" in weights else 0,
        "dropout": 0.5, "norm": norm,
    }  # fmt: skip
    return spec, places


# ---- batch norms by the averages of training


def _averaged(spec: dict[str, Any], weights: Weights, file: Path) -> tuple[dict[str, Any], Weights]:
    """Return the network without batch norms: they become part of the convolutions before them."""
    if spec["norm"] != "batch":
        return spec, weights
    merged = {key: tensor for key, tensor in weights.items() if "norm" not in key}
    for norm in {key.rpartition(".")[0] for key in weights if "norm" in key}:
        layer, grows = _before(norm)
        if f"{norm}.running_var" not in weights or f"{norm}.running_mean" not in weights:
            raise UserError(f"{file}: has no averages of training; leave --averages out")
        gain = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + 1e-5).sqrt()
        shape = (1, -1, 1, 1) if grows and spec.get("antialias") not in ("up", "both") else (-1, 1, 1, 1)
        merged[f"{layer}.weight"] = weights[f"{layer}.weight"] * gain.view(shape)
        merged[f"{layer}.bias"] = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * gain
    return spec | {"norm": "none"}, merged


def _before(norm: str) -> tuple[str, bool]:
    """Return the convolution before a norm of ours, and whether it is one that grows."""
    layer, _, number = norm.rpartition(".")
    if layer == "norms":
        return ("stem", "down1", "down2", "up1", "up2")[int(number)], int(number) > 2
    if layer == "norm_down":
        return f"down.{int(number) + 1}", False
    if layer == "norm_up":
        return f"up.{number}", True
    return f"{layer}.conv{norm[-1]}", False
