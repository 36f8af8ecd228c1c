"""Initial weights of a run, from a model of this toolkit or a checkpoint of the originals (--init)."""

__all__ = ["init_features", "init_weights"]

from pathlib import Path

import torch
from torch import nn

from translate.checkpoints.model_file import load_model, model_file, read_recipe
from translate.checkpoints.original import is_original, load_discriminator, sibling
from translate.networks.patchgan import PatchGAN
from translate.tasks import TASKS, Task
from translate.tasks.distill import Distill
from translate.training.run_folder import RunFolder
from translate.utils.errors import UserError
from translate.utils.factory import spec_of
from translate.utils.terminal import console, escape


def init_weights(task: Task, path: str, folder: RunFolder) -> tuple[str, ...]:
    """Copy the weights of the model `path`, if given, into the networks of a run that has no state yet.

    Return the names of the discriminators that had weights beside it, as the originals' have.

    A model of the same task initialises the networks of the same names; the generator of another task's model
    initialises every generator, as far as its weights fit.

    Raises:
        UserError: The model has other networks, or less than half of the weights fit.
    """
    if not path or folder.states.files():
        return ()
    recipe, nets = load_model(path)
    judges = _init_discriminators(task, file) if is_original(file := model_file(path)) else ()
    # a model of another task
    if (task.teacher.task if isinstance(task, Distill) else type(task)) is not TASKS[recipe.task]:
        generator = next(iter(nets.values()))  # every task exports its generator first
        for name in (name for name in task.exports if name.startswith("G")):
            _copy_fitting(generator, task.get_submodule(name), f"--init {path}: {name}")
        return judges
    # a model of the same task
    if missing := [name for name in task.exports if name not in nets]:
        console.print(f"{escape(path)} has no {' and '.join(missing)}, which starts anew", soft_wrap=True)
    for name in (name for name in task.exports if name in nets):
        net = task.get_submodule(name)
        try:
            net.load_state_dict(nets[name].state_dict())
        except (KeyError, RuntimeError):
            raise UserError(f"--init {path}: has no {name} like this run's; it should be {spec_of(net)}") from None
    return judges


def init_features(path: str) -> tuple[str, ...]:
    """Return the titles of the frozen networks that trained the model `path`, if it is given and still there."""
    try:
        return read_recipe(model_file(path)).features if path else ()
    except UserError:
        return ()


def _init_discriminators(task: Task, file: Path) -> tuple[str, ...]:
    """Copy the weights of the discriminators in files beside a generator of the originals; return their names.

    The originals' D_A judges the outputs of G_A, which belong to domain b.
    """
    back, other = file.stem.endswith("_B"), sibling(file)
    files = {"D_a" if back else "D_b": sibling(file, "D"), "D": sibling(file, "D")}
    if other is not None:
        files["D_b" if back else "D_a"] = sibling(other, "D")
    found = []
    for name, weights in files.items():
        D = getattr(task, name, None)
        if weights is not None and isinstance(D, PatchGAN):
            load_discriminator(weights, D)
            console.print(f"{name} starts from {escape(str(weights))}", soft_wrap=True)
            found.append(name)
    return tuple(found)


def _copy_fitting(source: nn.Module, target: nn.Module, what: str) -> None:
    """Copy the weights of `source` that fit `target` by name and shape, and print their share of the target.

    Raises:
        UserError: The share is less than half.
    """
    old, new = target.state_dict(), source.state_dict()
    fitting = {key: new[key] for key in old if key in new and new[key].shape == old[key].shape}
    share = sum(map(torch.numel, fitting.values())) / sum(map(torch.numel, old.values()))
    if share < 0.5:
        name, other = spec_of(target)["name"], spec_of(source)["name"]
        hint = f"train it with --netG {name}" if name != other else f"it should be {spec_of(target)}"
        raise UserError(f"{what} is {name}, and hardly any weight of the model's {other} fits; {hint}")
    target.load_state_dict(fitting, strict=False)
    console.print(f"{escape(what)} starts from {100 * share:.0f} % of its weights", soft_wrap=True)
