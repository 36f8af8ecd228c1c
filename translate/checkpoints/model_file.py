"""The model file: one `.safetensors` file, with the recipe to rebuild the networks in its metadata.

The file cannot execute code, and its recipe is checked before anything is built.
"""

__all__ = ["WEIGHTS", "export_model", "load_model", "model_file", "read_recipe", "write_model"]

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from shlex import quote
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from translate.checkpoints.adapters import apply_adapter, check_hash, find_base, only_corrections
from translate.checkpoints.hub.fetch import fetch_model
from translate.checkpoints.hub.name import is_hub_name, parse_hub_name
from translate.checkpoints.model_hash import model_hash
from translate.checkpoints.original import is_original, load_original
from translate.checkpoints.recipe import FORMAT, KEY, Recipe
from translate.checkpoints.validation import parse_json, validate_networks, validate_recipe
from translate.networks import EXPORTABLE
from translate.tasks import TASKS
from translate.utils.errors import OptionError, UserError, short_reason, shorten
from translate.utils.factory import Factory
from translate.utils.files import atomic_write, check_regular, is_url
from translate.utils.plugins import PLUGIN_HINT
from translate.utils.toml_files import read_toml

WEIGHTS = ("last", "best", "average")  # of a run
MAX_NAMED_PLUGINS, MAX_PATH_CHARS = 3, 256  # in an error: the file says what stands there


def export_model(nets: nn.ModuleDict, recipe: Recipe, path: Path) -> None:
    """Write the weights of networks and the recipe as one safetensors file."""
    write_model(nets.state_dict(), recipe, path)


def write_model(weights: Mapping[str, Tensor], recipe: Recipe, path: Path) -> None:
    """Write the weights of networks, as `nn.ModuleDict.state_dict` names them, and the recipe as a safetensors file.

    Of an adapter, only the corrections are written.
    """
    weights = only_corrections(weights) if recipe.adapter else weights
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    with atomic_write(path) as temporary:
        # save_file would write a file that only its owner can read
        temporary.write_bytes(save(weights, metadata={KEY: json.dumps(asdict(recipe))}))


def load_model(
    path: str | Path, device: torch.device | str = "cpu", weights: str = "last", base: str = ""
) -> tuple[Recipe, nn.ModuleDict]:
    """Load a model file, also from a run folder; return its recipe and its networks, frozen, in eval mode.

    `weights` are as for `model_file`. An adapter is merged into its base, which is `base` where it is given, else the
    model at the path that the adapter recorded, else a file of that name beside it.

    Raises:
        OptionError: The base is another model than the adapter corrects, or is given for a whole model.
        UserError: The file is missing, damaged or no model of this toolkit.
    """
    file = model_file(path, weights)
    if not is_original(file) and (recipe := read_recipe(file)).adapter:
        return _load_adapter(file, recipe, device, base)
    if base:
        raise OptionError(f"--base is for an adapter, and {file} is a whole model; leave it out")
    if is_original(file):
        recipe, nets = load_original(file)
        return recipe, nets.to(device)
    recipe = read_recipe(file)
    _check_weights(file, recipe)
    nets = nn.ModuleDict({name: Factory(spec, EXPORTABLE, name)() for name, spec in recipe.nets.items()})
    nets.load_state_dict(load_file(file))
    return recipe, nets.to(device).eval().requires_grad_(False)


def _load_adapter(file: Path, recipe: Recipe, device: torch.device | str, base: str) -> tuple[Recipe, nn.ModuleDict]:
    """Load the base of an adapter and merge the adapter into it; raises as `load_model`."""
    found = model_file(base or find_base(file, recipe.adapter))
    if read_recipe(found).adapter:
        raise OptionError(f"{file}: {found} is an adapter, too, and no base; name a whole model with --base")
    base_recipe, nets = load_model(found)
    check_hash(file, recipe.adapter, found, model_hash(base_recipe, nets))
    try:
        corrections = load_file(file)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{file}: {short_reason(error)}") from None
    apply_adapter(file, nets, corrections)
    return replace(recipe, nets=base_recipe.nets), nets.to(device)


def _check_weights(file: Path, recipe: Recipe) -> None:
    """Check that a model file holds the weights that its recipe needs, before any network is allocated.

    Raises:
        UserError: The weights do not fit, or the networks are absurdly large.
    """
    try:
        with safe_open(file, framework="pt") as opened:
            shapes = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
        validate_networks(recipe.nets, EXPORTABLE, shapes)
    except (UserError, ValueError, SafetensorError, OSError) as error:
        raise UserError(f"{file}: {error}") from None


def model_file(path: str | Path, weights: str = "last") -> Path:
    """Return `path`, or the model file in it if it is a run folder or a folder of the originals.

    That of a model on the Hub, hf://user/name@revision, is fetched into the usual cache.

    Args:
        path: Of the file or the folder, or the name on the Hub.
        weights: Of a run folder: "last"; "best", with the best score while training; or "average", of several steps.

    Raises:
        OptionError: Other weights, or other weights of what is no run folder.
        UserError: There is no model file, or it cannot be fetched.
    """
    if weights == "last" and is_hub_name(path):
        return fetch_model(path)
    path = Path(path).expanduser()
    if weights != "last":
        return _other_file(path, weights)
    if path.is_dir():
        for name in ("model.safetensors", "latest_net_G_A.pth", "latest_net_G.pth"):
            if (path / name).exists():
                return model_file(path / name)
        raise UserError(f"{path}: holds no model.safetensors yet; give a run that has saved, or a model file")
    if not path.exists() and is_url(path):
        raise UserError(f"{path}: is a URL; download the model first, and give the file")
    if not path.exists():
        raise UserError(f"{path}: no such model; give a run folder such as runs/photos2monet, or a .safetensors file")
    try:
        check_regular(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read as a model ({short_reason(error)})") from None
    return path


def _other_file(run: Path, weights: str) -> Path:
    """Return the file of other weights of a run than the last; raises as `model_file`."""
    if weights not in WEIGHTS:
        raise OptionError(f"--weights {shorten(str(weights))!r} is unknown; choose from {', '.join(WEIGHTS)}")
    if not run.is_dir():
        shown = parse_hub_name(run) if is_hub_name(run) else run
        raise OptionError(f"--weights {weights} chooses among the files of a run folder, and {shown} is none")
    file = run / f"{weights}.safetensors"
    if not file.exists():
        raise UserError(
            f"{run}: holds no {file.name}: no scores were taken while it trained, or not yet; leave --weights out"
        )
    return model_file(file)


def read_recipe(file: Path) -> Recipe:
    """Read and check the recipe of a model file, without its weights.

    Raises:
        UserError: The file is damaged, no model of this toolkit, or newer than this version.
    """
    if is_original(file):
        return load_original(file)[0]
    # read the metadata
    try:
        with safe_open(file, framework="pt") as opened:
            text = (opened.metadata() or {}).get(KEY)
    except (SafetensorError, OSError) as error:
        reason = "it is damaged or cut short" if file.suffix == ".safetensors" else "only .safetensors files are"
        raise UserError(f"{file}: cannot be read as a model ({reason}: {error})") from None
    if text is None:
        raise UserError(f"{file}: is no model of this toolkit (it carries no recipe)")
    # parse and check the recipe, without fields that this version does not know
    try:
        values = parse_json(text)
        if values["format"] > FORMAT:
            raise UserError(f"{file}: was written by a newer version (format {values['format']}); update this one")
        known = {f.name for f in fields(Recipe)}
        kept: Any = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known}
        if isinstance(channels := kept.get("channels"), int):  # the first model files have one number for both domains
            kept["channels"] = {"a": channels, "b": channels}
        validate_recipe(kept)
        recipe = Recipe(**kept)
    except UserError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(f"{file}: its recipe is damaged ({error})") from None
    _check_names(file, recipe)
    return recipe


def _check_names(file: Path, recipe: Recipe) -> None:
    """Raise UserError for a task or a network that neither this version nor a loaded plugin knows.

    The plugin that the file or the run names is only mentioned: whoever sends a model must not choose what code runs.
    """
    names = {net: spec.get("name") for net, spec in recipe.nets.items() if isinstance(spec, dict)}
    problems = [f"unknown {n} {shorten(x)!r}" for n, x in names.items() if isinstance(x, str) and x not in EXPORTABLE]
    if recipe.task not in TASKS:
        problems.insert(0, f"was trained for the task {shorten(recipe.task)!r}, which this version does not know")
    if not problems:
        return
    plugins = [shorten(str(plugin), MAX_PATH_CHARS) for plugin in _plugins_of_run(file) or recipe.plugins]
    options = " ".join(f"--plugin {quote(plugin)}" for plugin in plugins[:MAX_NAMED_PLUGINS])
    hint = f"if you trust its plugin, add {options} (in Python: load_plugin)" if plugins else PLUGIN_HINT
    raise UserError(f"{file}: {problems[0]}; {hint}")


def _plugins_of_run(file: Path) -> list[Any]:
    """Return the plugins that the config.toml beside a model file names, if there is one."""
    try:
        return list(read_toml(file.parent / "config.toml").get("plugins", ()))
    except (UserError, TypeError):
        return []
