"""Adapting a model to few pictures: its discriminators go on with lower layers frozen, or corrections alone learn.

FreezeD: Mo et al., 2020, https://arxiv.org/abs/2002.10964, section 3.
"""

__all__ = ["Adaptation", "adapt"]

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from translate.checkpoints.adapters import add_low_rank, choose_rank
from translate.checkpoints.model_file import load_model, model_file
from translate.checkpoints.model_hash import model_hash
from translate.tasks import TASKS, Task
from translate.training.config import Config
from translate.training.run_folder import RunFolder
from translate.training.start.messages import print_note
from translate.training.states import StateFolder
from translate.utils import dist
from translate.utils.errors import OptionError, UserError
from translate.utils.files import write_json
from translate.utils.safe_load import load_tensors


@dataclass(frozen=True)
class Adaptation:
    """What a run that adapts a model began with; the file adaptation.json keeps it, in case the model moves."""

    judges: tuple[str, ...] = ()  # networks that went on from the state of --init, which no model file has
    adapter: dict[str, Any] = field(default_factory=dict)  # for `Recipe.adapter`; {}: model files hold whole networks


def adapt(task: Task, config: Config, folder: RunFolder, judges: Sequence[str] = ()) -> Adaptation:
    """Prepare the networks of a run with --adapt or --adapter, before its state is loaded.

    `judges` are the discriminators that have weights of --init already.

    Raises:
        OptionError: The model cannot be adapted in this way.
    """
    train = config.train
    if not (train.adapt or train.adapter):
        return Adaptation()
    settled: Adaptation = dist.broadcast_from_main(lambda: settle(task, config, folder, judges))
    discriminators = [task.get_submodule(name) for name in settled.judges if name.startswith(("D", "P"))]
    task.freeze([p for D in discriminators for p in lower_layers(D, train.freeze)])
    if settled.adapter:
        for net in (task.get_submodule(name) for name in task.exports):
            add_low_rank(net, settled.adapter["rank"])
            task.freeze([p for p in net.parameters() if not p.requires_grad])
    return settled


def settle(task: Task, config: Config, folder: RunFolder, judges: Sequence[str]) -> Adaptation:
    """Return what the run in `folder` began with; load the discriminators of a new run, and write its file.

    Raises:
        UserError: The file of a run that goes on is missing or damaged.
        OptionError: As `adapt`.
    """
    file = folder.path / "adaptation.json"
    if folder.states.files():
        try:
            known = json.loads(file.read_text(encoding="utf-8"))
            return Adaptation(tuple(known["judges"]), dict(known["adapter"]))
        except (OSError, ValueError, KeyError, TypeError):
            raise UserError(f"{file}: is missing or damaged, and the run cannot go on; choose another --out") from None
    init = Path(config.train.init).expanduser()
    facts = base_facts(task, config) if config.train.adapter else {}
    settled = Adaptation((*judges, *load_judges(task, init)), facts)
    write_json(file, asdict(settled))
    names = [name for name in settled.judges if name.startswith(("D", "P"))]
    frozen = f"{' and '.join(names)} go on from {init}, {config.train.freeze:.0%} of their layers frozen"
    print_note(frozen if names else f"{init} has no state with discriminators: they start anew, and nothing is frozen")
    if settled.adapter:
        print_note(f"corrections of rank {settled.adapter['rank']} learn alone; model files hold these, not {init}")
    return settled


def base_facts(task: Task, config: Config) -> dict[str, Any]:
    """Return path and hash of the model to correct, and the rank of the corrections.

    Raises:
        OptionError: --init is an adapter itself, or a model of another task.
    """
    file = model_file(config.train.init)
    recipe, nets = load_model(file)
    if recipe.adapter:
        raise OptionError(
            f"--adapter: {file} is an adapter itself; name its base, or say --adapt in place of --adapter"
        )
    if type(task) is not TASKS[recipe.task] or {*nets} != {*task.exports}:
        raise OptionError(f"--adapter corrects a model of the same task, and {file} is one of {recipe.task!r}")
    rank = config.train.adapter_rank or choose_rank(list(nets.values()))
    return {"base": str(file.resolve()), "hash": model_hash(recipe, nets), "rank": rank}


def load_judges(task: Task, init: Path) -> tuple[str, ...]:
    """Load the networks that no model file has from the state beside `init`, if any; return the names of these."""
    names = {name for nets in task.phases.values() for name in nets} - {*task.exports}
    states = StateFolder((init if init.is_dir() else init.parent) / "state").files()
    if not states:
        return ()
    try:
        weights: dict[str, Tensor] = load_tensors(states[0], torch.device("cpu"))["task"]
    except Exception as error:  # a damaged or foreign state
        raise OptionError(f"--init {init}: its state cannot be read ({error}); name its model.safetensors") from None
    loaded = []
    for name in sorted(names):
        net, prefix = task.get_submodule(name), f"{name}."
        own = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
        if {k: v.shape for k, v in net.state_dict().items()} == {k: v.shape for k, v in own.items()}:
            net.load_state_dict(own)
            loaded.append(name)
    return tuple(loaded)


def lower_layers(D: nn.Module, share: float) -> list[nn.Parameter]:
    """Return the parameters of the layers of a discriminator that are nearest to the picture, a share of all layers."""
    parameters: list[nn.Parameter] = []
    for judge in getattr(D, "judges", [D]):
        modules = judge.modules_by_depth() if hasattr(judge, "modules_by_depth") else judge.modules()
        layers = [one for one in modules if isinstance(one, nn.Conv2d | nn.Linear)]
        parameters += [p for one in layers[: int(share * len(layers))] for p in one.parameters()]
    return parameters
