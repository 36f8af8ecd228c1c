"""Two kinds of files: the state from which a run goes on, and the model that people use.

State: plain containers of tensors, read with `weights_only=True`; `states` keeps several. Model: one `.safetensors`
file whose metadata carries the recipe to rebuild the networks. Neither can execute code. Both are written under a
temporary name, flushed and renamed.
"""

__all__ = [
    "Recipe", "check_state", "export_model", "from_original", "is_original", "load_model", "load_state", "model_file",
    "read_recipe", "sibling", "write_state",
]  # fmt: skip

import errno
import json
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import nn
from torch.optim import Optimizer

from translate.checkpoints.original_networks import read_original
from translate.networks import EXPORTABLE
from translate.tasks import TASKS
from translate.utils.errors import UserError
from translate.utils.factory import Factory, spec_of
from translate.utils.files import atomic_write
from translate.utils.safe_load import load_tensors, parse_json, refuse_packed, vet_networks, vet_recipe

FORMAT = 1
KEY = "image-translate"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that is needed to use a model without the run that made it.

    Attributes:
        task: Key of `tasks.TASKS`.
        nets: The spec of each exported network, by name.
        domains: The names of both domains; of the one set, where pictures come from nothing.
        size: Resolution that was trained at, px.
        preset: Recipe of configs/ that it came from.
        steps: Updates that it was trained for.
        data: Fingerprint of the training data.
        channels: Of the pictures by their place in a batch: "a", "b", and "hint" where the model takes hints; or
            "image", and as "label" the number of classes.
        directions: Ways that it translates, the usual one first. A model that goes one way alone has one, the
            --direction that it was trained with; its `domains` are then the source and the target. One that makes
            pictures from nothing has none.
        whole: Whether it only ever saw whole pictures of `size` px.
        facts: What is known of its pictures: {"sketch": True} where it translates line drawings, {"labels": "a"} where
            the sources are label maps ("b": the targets), {"classes": [...]}: the names of the classes,
            {"value_range": "0,4095"}: what is black and white in files of floats and wide integers.
        value_range: Of a picture inside the networks.
        format: Version of this layout.
    """

    task: str
    nets: dict[str, dict[str, Any]]
    domains: tuple[str, ...]
    size: int
    preset: str
    steps: int
    data: str
    channels: dict[str, int] = field(default_factory=lambda: {"a": 3, "b": 3})
    directions: tuple[str, ...] = ("ab", "ba")
    whole: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    value_range: tuple[float, float] = (-1.0, 1.0)
    format: int = FORMAT


def write_state(path: Path, step: int, parts: Mapping[str, Any]) -> None:
    """Write what `parts` (modules, optimizers and the like) hold after `step` steps to `path`, and flush it.

    Raises:
        OSError: The disk is full, or broken.
    """
    state = {"step": step} | {name: part.state_dict() for name, part in parts.items()}
    with path.open("wb") as file:
        try:
            torch.save(state, file)
        except RuntimeError as error:  # torch hides what the file said, Ctrl-C too
            raise error.__context__ or error from None
        file.flush()
        os.fsync(file.fileno())


def check_state(path: Path) -> None:
    """Read a state, an archive of parts with their checksums, and compare these.

    Raises:
        OSError: It is cut short, or some part is not as it was written.
    """
    try:
        refuse_packed(path)
        with zipfile.ZipFile(path) as archive:
            torn = archive.testzip()
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, RuntimeError, struct.error, zlib.error) as e:
        raise OSError(errno.EIO, f"it is cut short or damaged: {e}") from None
    if torn is not None:
        raise OSError(errno.EIO, f"it is damaged: {torn} is not as it was written")


def load_state(path: Path, parts: Mapping[str, Any], device: torch.device) -> int:
    """Put the state of `path` into `parts` and return its step.

    Of the parts, modules and optimizers have to be there; others stay as they are where the file, of an earlier
    version, does not know them.

    Raises:
        UserError: The file is damaged, or of other networks.
    """
    try:
        check_state(path)
        state = load_tensors(path, device)
        for name, part in parts.items():
            if name in state or isinstance(part, nn.Module | Optimizer):
                part.load_state_dict(state[name])
        return int(state["step"])
    except Exception as error:  # a foreign state makes modules and optimizers raise nearly everything
        text = getattr(error, "strerror", None) or str(error).strip()
        reason = text.splitlines()[0] if text else type(error).__name__
        raise UserError(f"{path}: is not a state of this run ({reason})") from None


def export_model(nets: nn.ModuleDict, recipe: Recipe, path: Path) -> None:
    """Write weights and recipe as one safetensors file."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in nets.state_dict().items()}
    with atomic_write(path) as temporary:
        temporary.write_bytes(
            save(weights, metadata={KEY: json.dumps(asdict(recipe))})
        )  # save_file hides it from others


def load_model(path: str | Path, device: torch.device | str = "cpu") -> tuple[Recipe, nn.ModuleDict]:
    """Read a model file, or that of a run folder; return its recipe and its networks, frozen, in eval mode.

    Raises:
        UserError: There is no such file, or it is damaged or no model of this toolkit.
    """
    file = model_file(path)
    if is_original(file):
        recipe, nets = from_original(file)
        return recipe, nets.to(device)
    recipe = read_recipe(file)
    vet_weights(file, recipe)
    nets = nn.ModuleDict({name: Factory(spec, EXPORTABLE, name)() for name, spec in recipe.nets.items()})
    nets.load_state_dict(load_file(file))
    return recipe, nets.to(device).eval().requires_grad_(False)


def vet_weights(file: Path, recipe: Recipe) -> None:
    """Check that a model file holds the weights of its recipe's networks, before these take any memory.

    Raises:
        UserError: It holds others, or they are networks that nobody would train.
    """
    try:
        with safe_open(file, framework="pt") as opened:
            shapes = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
        vet_networks(recipe.nets, EXPORTABLE, shapes)
    except UserError as error:
        raise UserError(f"{file}: {error}") from None
    except (ValueError, SafetensorError, OSError) as error:
        raise UserError(f"{file}: {error}") from None


def is_original(file: Path) -> bool:
    """Whether a model file is a checkpoint of pytorch-CycleGAN-and-pix2pix or CUT."""
    return file.suffix in (".pth", ".pt")


def from_original(file: Path, *, dropout: bool = True, averages: bool = False) -> tuple[Recipe, nn.ModuleDict]:
    """Read a generator of the originals, and where both directions lie side by side, both.

    `latest_net_G_A.pth` is from A to B, and `latest_net_G_B.pth` back. Which of both is given goes the usual way.

    Args:
        file: The .pth file.
        dropout: As `original.read_original`.
        averages: Likewise.

    Raises:
        UserError: There is no such file, or it holds no such network.
    """
    back, other = file.stem.endswith("_G_B"), sibling(file)
    directions: tuple[str, ...]
    domains, first = _domains(file.parent.name), read_original(file, dropout=dropout, averages=averages)
    if other is not None:
        second = read_original(other, dropout=dropout, averages=averages)
        task, nets = "cycle", {"G_ab": second, "G_ba": first} if back else {"G_ab": first, "G_ba": second}
        directions, whole = (("ba", "ab") if back else ("ab", "ba")), False
    else:
        whole = spec_of(first)["name"].startswith("unet")  # a resnet may have learned from crops, and takes any size
        task, nets = ("pix2pix", {"G": first}) if whole else ("cycle", {"G_ab": first})
        directions, domains = ("ab",), domains[::-1] if back else domains
    specs = {name: spec_of(net) for name, net in nets.items()}
    ab = next(iter(specs.values()))
    recipe = Recipe(
        task=task, nets=specs, domains=domains, directions=directions, whole=whole,
        channels={"a": ab["in_channels"], "b": ab["out_channels"]},
        size=2 ** int(ab.get("levels", 8)), preset="original", steps=0, data="",
    )  # fmt: skip
    return recipe, nn.ModuleDict(nets)


def sibling(file: Path, network: str = "G") -> Path | None:
    """Return, beside `200_net_G_A.pth`, the file of the other direction; or of discriminator "D" of the same letter."""
    found = re.fullmatch(r"(.+_net_)G(_[AB])?", file.stem)
    if not found:
        return None
    letter = found[2] or ""
    if network == "G":
        letter = {"_A": "_B", "_B": "_A"}.get(letter, "")
    other = file.with_name(f"{found[1]}{network}{letter}{file.suffix}")
    return other if other.exists() and other != file else None


def _domains(name: str) -> tuple[str, str]:
    """Guess the names of the domains from that of the folder, such as horse2zebra_pretrained."""
    parts = re.fullmatch(r"([A-Za-z]+)2([A-Za-z]+)", name.removesuffix("_pretrained"))
    return (parts[1], parts[2]) if parts else ("a", "b")


def model_file(path: str | Path) -> Path:
    """Return the model file that `path`, a run folder or the file itself, stands for."""
    path = Path(path).expanduser()
    if path.is_dir():
        if not (path / "model.safetensors").exists():
            for name in ("latest_net_G_A.pth", "latest_net_G.pth"):  # a folder of checkpoints of the originals
                if (path / name).exists():
                    return path / name
            raise UserError(f"{path}: holds no model.safetensors yet; give a run that has saved, or a model file")
        return path / "model.safetensors"
    if not path.exists():
        raise UserError(f"{path}: no such model; give a run folder such as runs/photos2monet, or a .safetensors file")
    return path


def read_recipe(file: Path) -> Recipe:
    """Read and check the recipe of a model file, and not its weights.

    Raises:
        UserError: The file is damaged, no model of this toolkit, or newer than this version.
    """
    if is_original(file):
        return from_original(file)[0]
    try:
        with safe_open(file, framework="pt") as opened:
            text = (opened.metadata() or {}).get(KEY)
    except (SafetensorError, OSError) as error:
        reason = "it is damaged or cut short" if file.suffix == ".safetensors" else "only .safetensors files are"
        raise UserError(f"{file}: cannot be read as a model ({reason}: {error})") from None
    if text is None:
        raise UserError(f"{file}: is no model of this toolkit (it carries no recipe)")
    try:
        values = parse_json(text)
        if values["format"] > FORMAT:
            raise UserError(f"{file}: was written by a newer version (format {values['format']}); update this one")
        known = {f.name for f in fields(Recipe)}
        kept: Any = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known}
        if isinstance(channels := kept.get("channels"), int):  # the first files have one number for both domains
            kept["channels"] = {"a": channels, "b": channels}
        vet_recipe(kept)
        recipe = Recipe(**kept)
    except UserError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(f"{file}: its recipe is damaged ({error})") from None
    if recipe.task not in TASKS:
        raise UserError(f"{file}: was trained for the task {recipe.task!r}, which this version does not know")
    return recipe
