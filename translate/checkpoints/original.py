"""Checkpoints of pytorch-CycleGAN-and-pix2pix and contrastive-unpaired-translation (CUT), loaded as models."""

__all__ = ["is_original", "load_discriminator", "load_original", "sibling"]

import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from translate.checkpoints.original_networks import (
    Weights,
    fold_batch_norms,
    is_constant,
    recognise_network,
    rename_layer,
)
from translate.checkpoints.recipe import Recipe
from translate.networks import GENERATORS
from translate.utils.errors import UserError, short_reason
from translate.utils.factory import Factory, spec_of
from translate.utils.safe_load import load_tensors, refuse_expanded

PREFIXES = ("module.", "_orig_mod.")  # of DataParallel and torch.compile


def is_original(file: Path) -> bool:
    """Whether a model file is a checkpoint of the originals."""
    return file.suffix in (".pth", ".pt")


def load_original(file: Path, *, dropout: bool = True, averages: bool = False) -> tuple[Recipe, nn.ModuleDict]:
    """Load a generator, and the one of the other direction if its file is beside; return recipe and networks.

    `latest_net_G_A.pth` translates from A to B, and `latest_net_G_B.pth` back. The direction of `file` is the default.

    Args:
        file: A .pth file.
        dropout: Keep the dropout of a network that may have been trained with it, as the originals do.
        averages: Use the running averages in batch norms, as the originals' `--eval`, instead of the statistics of
            each picture; dropout is off then.

    Raises:
        UserError: The file is missing or damaged, or holds no known generator.
    """
    back, other = file.stem.endswith("_G_B"), sibling(file)
    domains, first = _guess_domains(file.parent.name), _read_generator(file, dropout, averages)
    directions: tuple[str, ...] = ("ab",)
    if other is not None:
        second = _read_generator(other, dropout, averages)
        task, nets = "cycle", {"G_ab": second, "G_ba": first} if back else {"G_ab": first, "G_ba": second}
        directions, whole = (("ba", "ab") if back else ("ab", "ba")), False
    else:
        whole = spec_of(first)["name"].startswith("unet")  # a resnet may be trained on crops, and takes any size
        task, nets = ("pix2pix", {"G": first}) if whole else ("cycle", {"G_ab": first})
        domains = domains[::-1] if back else domains
    specs = {name: spec_of(net) for name, net in nets.items()}
    ab = next(iter(specs.values()))
    recipe = Recipe(
        task=task, nets=specs, domains=domains, directions=directions, whole=whole,
        channels={"a": ab["in_channels"], "b": ab["out_channels"]},
        size=2 ** int(ab.get("levels", 8)), preset="original", steps=0, data="",
    )  # fmt: skip
    return recipe, nn.ModuleDict(nets)


def load_discriminator(file: Path, net: nn.Module) -> None:
    """Load the weights of a discriminator into `net`, a PatchGAN.

    Raises:
        UserError: The file is damaged, or of another network.
    """
    weights = _read_weights(file)
    layers = {layer: layer.replace("model.", "body.", 1) for layer in (key.rpartition(".")[0] for key in weights)}
    renamed = _rename_weights(weights, layers)
    _check_weights(net, renamed, layers, file)
    net.load_state_dict(renamed)


def sibling(file: Path, network: str = "G") -> Path | None:
    """Return the file beside `200_net_G_A.pth` that holds the other direction or, for "D", its discriminator."""
    match = re.fullmatch(r"(.+_net_)G(_[AB])?", file.stem)
    if not match:
        return None
    letter = match[2] or ""
    if network == "G":
        letter = {"_A": "_B", "_B": "_A"}.get(letter, "")
    other = file.with_name(f"{match[1]}{network}{letter}{file.suffix}")
    return other if other.exists() and other != file else None


def _guess_domains(folder: str) -> tuple[str, str]:
    """Return the domains in a folder name such as horse2zebra_pretrained; else "a" and "b"."""
    match = re.fullmatch(r"([A-Za-z]+)2([A-Za-z]+)", folder.removesuffix("_pretrained"))
    return (match[1], match[2]) if match else ("a", "b")


def _read_generator(file: Path, dropout: bool, averages: bool) -> nn.Module:
    """Rebuild the generator of `file`, frozen, in eval mode, with its spec attached as by `Factory`."""
    weights = _read_weights(file)
    spec, layers = recognise_network(weights, file)
    renamed = _rename_weights(weights, layers)
    if averages:
        spec, renamed = fold_batch_norms(spec, renamed, file)
    if averages or not dropout:
        spec |= {"dropout": 0.0}
    # check the weights before any memory is allocated: the file decides the sizes
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = _build(spec, file)
    if spec["norm"] == "none":  # without norms, the originals have no biases
        biases = {name: tensor for name, tensor in net.state_dict().items() if name.endswith(".bias")}
        renamed = {name: torch.zeros(tensor.shape) for name, tensor in biases.items()} | renamed
    _check_weights(net, renamed, layers, file)
    # build the network
    net = _build(spec, file)
    net.load_state_dict(renamed)
    return net.eval().requires_grad_(False)


def _read_weights(file: Path) -> Weights:
    """Read the tensors of a file by name, less the prefixes of wrappers, without executing code.

    Raises:
        UserError: The file is damaged, or holds anything but tensors.
    """
    try:
        content = load_tensors(file)
    except pickle.UnpicklingError:
        raise UserError(f"{file}: holds objects that are no tensors, which could run code; nothing of it was") from None
    except (ValueError, OSError) as error:
        raise UserError(f"{file}: cannot be read as a checkpoint ({short_reason(error)})") from None
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content or not all(isinstance(x, Tensor) for x in content.values()):
        raise UserError(f"{file}: holds no network: a table of tensors by name is expected, as state_dict() gives it")
    try:
        refuse_expanded(content)
    except ValueError as error:
        raise UserError(f"{file}: cannot be read as a checkpoint ({error})") from None
    return {_remove_prefixes(str(key)): tensor for key, tensor in content.items()}


def _remove_prefixes(key: str) -> str:
    while prefix := next((p for p in PREFIXES if key.startswith(p)), ""):
        key = key.removeprefix(prefix)
    return key


def _rename_weights(weights: Weights, layers: Mapping[str, str]) -> Weights:
    """Return the weights, without constants, under our names of the layers."""
    return {rename_layer(key, layers): tensor for key, tensor in weights.items() if not is_constant(key, weights)}


def _build(spec: Mapping[str, Any], file: Path) -> nn.Module:
    try:
        return Factory(spec, GENERATORS, "generator")()
    except UserError:
        raise
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:
        raise UserError(f"{file}: holds no network that can be built ({short_reason(error)})") from None


def _check_weights(net: nn.Module, weights: Weights, layers: Mapping[str, str], file: Path) -> None:
    """Check that `weights` fit `net`; `layers` maps the originals' layers to ours.

    Raises:
        UserError: A weight is missing, unknown or of another shape; the message holds its name in the file.
    """
    expected, original = net.state_dict(), {name: layer for layer, name in layers.items()}
    for name, tensor in expected.items():
        if name.endswith("num_batches_tracked"):  # older files have none
            weights.setdefault(name, torch.zeros_like(tensor, device="cpu"))
    for name, tensor in expected.items():
        if name not in weights:
            raise UserError(f"{file}: has no {rename_layer(name, original)}, which {_describe(net)} needs")
        if weights[name].shape != tensor.shape:
            sizes = f"{tuple(weights[name].shape)}, not {tuple(tensor.shape)}"
            raise UserError(f"{file}: {rename_layer(name, original)} is {sizes} as in {_describe(net)}")
    if more := next((name for name in weights if name not in expected), ""):
        raise UserError(f"{file}: has {rename_layer(more, original)}, which {_describe(net)} has not")


def _describe(net: nn.Module) -> str:
    spec = getattr(net, "spec", {"name": type(net).__name__})
    return f"{spec['name']} ({', '.join(f'{k} {v}' for k, v in spec.items() if k != 'name')})"
