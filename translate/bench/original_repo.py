"""Commands that run the unchanged scripts of a checkout of pytorch-CycleGAN-and-pix2pix."""

__all__ = ["RUN_NAME", "OriginalRepo", "original_weights"]

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from translate.bench.cases import Case
from translate.bench.pictures import write_dataset
from translate.bench.worker import python_command
from translate.checkpoints.recipe import Recipe
from translate.networks.resnet import Resnet
from translate.utils.errors import OptionError

REQUIRED_FILES = ("train.py", "test.py", "models/__init__.py", "options/train_options.py", "data/__init__.py")
RUNNER = "translate.bench.original_run"
RUN_NAME = "bench"
NEVER = str(10**9)  # an interval in epochs or steps that no benchmark reaches
MODELS = {"cycle": "cycle_gan", "pix2pix": "pix2pix"}  # the original's model, by our task


@dataclass(frozen=True)
class OriginalRepo:
    """A checkout in the folder `path`."""

    path: Path

    @classmethod
    def open(cls, path: str) -> Self:
        """Return the checkout in a folder; raise OptionError if files of it are missing."""
        root = Path(path).expanduser().resolve()
        missing = [name for name in REQUIRED_FILES if not (root / name).is_file()]
        if missing:
            raise OptionError(
                f"--peer {path}: has no {missing[0]}; give a folder that pytorch-CycleGAN-and-pix2pix was cloned to"
            )
        return cls(root)

    def training_command(self, case: Case, crop: int, stack: ExitStack) -> list[str] | None:
        """Return the command that trains a case with the original, or None if the original has no equivalent.

        Its steps see pictures of `crop` px; the end of `stack` removes the folder of the run.
        """
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        options = self.training_options(case, crop, crop, folder / "data", folder)
        if options is None:
            return None
        write_dataset(case.kind, folder / "data", max(16, 2 * case.batch_size), crop)
        return [*python_command(RUNNER, self.path, "train.py"), *options]

    def training_options(self, case: Case, crop: int, load_size: int, data: Path, folder: Path) -> list[str] | None:
        """Return the options of train.py that train a case on `data` for ever, or None if there is no equivalent.

        Pictures are resized to `load_size` px and cropped to `crop`; `folder` is for the files of the run.
        """
        generator = _generator_name(case, crop)
        if case.config.preset != "paper" or not generator:
            return None
        return [
            "--dataroot", str(data),
            "--model", MODELS[case.config.task], "--netG", generator, "--batch_size", str(case.batch_size),
            "--load_size", str(load_size), "--crop_size", str(crop), "--num_threads", "0", "--n_epochs", NEVER,
            "--display_id", "-1", "--no_html", "--display_freq", NEVER, "--print_freq", NEVER,
            "--save_latest_freq", NEVER, "--save_epoch_freq", NEVER, *_run_options(folder, case.device),
        ]  # fmt: skip

    def test_command(
        self, recipe: Recipe, nets: nn.ModuleDict, images: Path, count: int, device: str
    ) -> Callable[[Path], list[str]]:
        """Return a function that writes our weights into a folder and returns a command of test.py.

        The command translates the `count` pictures of `images` in the model's first direction, into the same folder.

        Raises:
            OptionError: the original has no such network.
        """
        G = dict(nets.items()).get("G_ab")
        if not isinstance(G, Resnet) or len(G.trunk) not in (6, 9):
            name = next(iter(recipe.nets.values()))["name"]
            raise OptionError(
                f"--peer: the original cannot run a {recipe.task} model of {name}; "
                "give one of train_cycle with --netG resnet_9blocks or resnet_6blocks"
            )
        weights, generator, width = original_weights(G), f"resnet_{len(G.trunk)}blocks", str(G.head.in_channels)

        def prepare(folder: Path) -> list[str]:
            (folder / RUN_NAME).mkdir(parents=True)
            torch.save(weights, folder / RUN_NAME / "latest_net_G.pth")
            return [
                *python_command(RUNNER, self.path, "test.py"), "--dataroot", str(images.resolve()), "--model", "test",
                "--netG", generator, "--ngf", width, "--no_dropout", "--preprocess", "none",
                "--num_test", str(count), "--results_dir", str(folder), *_run_options(folder, device),
            ]  # fmt: skip

        return prepare


def _generator_name(case: Case, crop: int) -> str:
    """Return the original's name of the case's generator; "" if it has no such generator."""
    name, size = case.config.generator["name"], case.size
    if case.config.task == "cycle":
        blocks = {"resnet_9blocks": 9, "resnet_6blocks": 6, "resnet": 6 if size <= 128 else 9}.get(name)
        return f"resnet_{blocks}blocks" if blocks else ""
    if case.config.task == "pix2pix" and name == "unet" and crop in (128, 256):
        return f"unet_{crop}"
    return ""


def _run_options(folder: Path, device: str) -> list[str]:
    gpu = "-1" if device == "cpu" else device.partition(":")[2] or "0"
    return ["--name", RUN_NAME, "--checkpoints_dir", str(folder), "--gpu_ids", gpu]


def original_weights(G: Resnet) -> dict[str, Tensor]:
    """Return the weights of a generator by the original's names, which are positions in one nn.Sequential.

    Paddings, norms and activations have positions too: three layers from one convolution to the next.
    """
    n = len(G.trunk)
    positions: dict[str, int | str] = {"stem": 1, "down1": 4, "down2": 7, "up1": n + 10, "up2": n + 13, "head": n + 17}
    for i in range(n):
        positions |= {f"trunk.{i}.conv1": f"{i + 10}.conv_block.1", f"trunk.{i}.conv2": f"{i + 10}.conv_block.5"}
    return {
        f"model.{position}.{name}": tensor.detach().cpu().contiguous().clone()
        for layer, position in positions.items()
        for name, tensor in G.get_submodule(layer).state_dict().items()
    }
