"""Where the weights of a new run come from, other than from its seed: a model, or a checkpoint of the originals."""

__all__ = ["start_from"]

from pathlib import Path

import torch
from torch import nn

from translate.checkpoints.model_file import load_model, model_file
from translate.checkpoints.original import is_original, load_discriminator, sibling
from translate.networks.patchgan import PatchGAN
from translate.tasks import TASKS, Task
from translate.training.run_folder import RunFolder
from translate.utils.errors import UserError
from translate.utils.factory import spec_of
from translate.utils.terminal import console, escape


def start_from(task: Task, path: str, folder: RunFolder) -> None:
    """Copy the weights of the model file `path`, if any, into a new run's networks.

    Those of the same task go to the networks of their names. Where another task trained the model, its generator starts
    every generator, with the weights that fit.

    Raises:
        UserError: The model has other networks, or less than half of the weights fit.
    """
    if not path or folder.states.found():
        return
    recipe, nets = load_model(path)
    if is_original(file := model_file(path)):
        add_discriminators(task, file)
    if type(task) is not TASKS[recipe.task]:
        other = next(iter(nets.values()))  # a generator: every task exports one first
        for name in (name for name in task.exports if name.startswith("G")):
            borrow(task.get_submodule(name), other, f"--init {path}: {name}")
        return
    if missing := [name for name in task.exports if name not in nets]:
        console.print(f"{escape(path)} has no {' and '.join(missing)}, which starts anew", soft_wrap=True)
    for name in (name for name in task.exports if name in nets):
        net = task.get_submodule(name)
        try:
            net.load_state_dict(nets[name].state_dict())
        except (KeyError, RuntimeError):
            raise UserError(f"--init {path}: has no {name} like this run's; it should be {spec_of(net)}") from None


def add_discriminators(task: Task, file: Path) -> None:
    """Copy the weights of the discriminators that lie beside a generator of the originals, as far as they fit.

    Theirs of letter A judges what comes out of the generator of that letter, which is domain b.
    """
    back = file.stem.endswith("_B")
    found = {"D_a" if back else "D_b": sibling(file, "D"), "D": sibling(file, "D")}
    if (other := sibling(file)) is not None:
        found["D_b" if back else "D_a"] = sibling(other, "D")
    for name, weights in found.items():
        D = getattr(task, name, None)
        if weights is not None and isinstance(D, PatchGAN):
            load_discriminator(weights, D)
            console.print(f"{name} starts from {escape(str(weights))}", soft_wrap=True)


def borrow(net: nn.Module, other: nn.Module, what: str) -> None:
    """Copy into `net` those weights of `other` that have the same name and shape, and tell how many these are.

    Raises:
        UserError: They make up less than half of the network.
    """
    mine, theirs = net.state_dict(), other.state_dict()
    fitting = {key: theirs[key] for key in mine if key in theirs and theirs[key].shape == mine[key].shape}
    share = sum(map(torch.numel, fitting.values())) / sum(map(torch.numel, mine.values()))
    if share < 0.5:
        name, given = spec_of(net)["name"], spec_of(other)["name"]
        way = f"train it with --netG {name}" if name != given else f"it should be {spec_of(net)}"
        raise UserError(f"{what} is {name}, and hardly any weight of the model's {given} fits; {way}")
    net.load_state_dict(fitting, strict=False)
    console.print(f"{escape(what)} starts from {100 * share:.0f} % of its weights", soft_wrap=True)
