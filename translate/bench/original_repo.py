"""A checkout of pytorch-CycleGAN-and-pix2pix, whose scripts are run as they are, as processes of their own."""

__all__ = ["Peer", "original_weights"]

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from translate.bench.cases import Case
from translate.bench.pictures import write_dataset
from translate.bench.worker import python
from translate.checkpoints.recipe import Recipe
from translate.networks.resnet import Resnet
from translate.utils.errors import OptionError

PARTS = ("train.py", "test.py", "models/__init__.py", "options/train_options.py", "data/__init__.py")
RUNNER = "translate.bench.original_run"
NAME = "bench"
NEVER = str(10**9)
# what trains the same networks with the same losses there, by task; the size decides between the generators
MODELS = {"cycle": ("cycle_gan", "resnet"), "pix2pix": ("pix2pix", "unet")}
PICTURES = 16


@dataclass(frozen=True)
class Peer:
    """The checkout in the folder `path`."""

    path: Path

    @classmethod
    def at(cls, path: str) -> "Peer":
        """Return the checkout in a folder.

        Raises:
            OptionError: the folder holds no such thing.
        """
        root = Path(path).expanduser().resolve()
        missing = [part for part in PARTS if not (root / part).is_file()]
        if missing:
            raise OptionError(
                f"--peer {path}: has no {missing[0]}; give a folder that pytorch-CycleGAN-and-pix2pix was cloned to"
            )
        return cls(root)

    def training(self, case: Case, crop: int, stack: ExitStack) -> list[str] | None:
        """Return the command whose steps are those of the original, or None where it has nothing like the case.

        Args:
            case: what is trained.
            crop: px, what a step sees.
            stack: keeps the data of the run.
        """
        generator = _generator(case, crop)
        if case.config.preset != "paper" or not generator:
            return None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_dataset(case.kind, folder / "data", max(PICTURES, 2 * case.batch_size), crop)
        return [
            *python(RUNNER, self.path, "train.py"), "--dataroot", str(folder / "data"),
            "--model", MODELS[case.config.task][0], "--netG", generator, "--batch_size", str(case.batch_size),
            "--load_size", str(crop), "--crop_size", str(crop), "--num_threads", "0", "--n_epochs", NEVER,
            "--display_id", "-1", "--no_html", "--display_freq", NEVER, "--print_freq", NEVER,
            "--save_latest_freq", NEVER, "--save_epoch_freq", NEVER, *_places(folder, case.device),
        ]  # fmt: skip

    def translating(self, recipe: Recipe, nets: nn.ModuleDict, images: Path, count: int, device: str) -> "Script":
        """Return what translates a folder with the weights of ours in its usual direction.

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
        return Script(self.path, original_weights(G), len(G.trunk), G.head.in_channels, images, count, device)


@dataclass(frozen=True)
class Script:
    """One translation of a folder by the original's test.py.

    Attributes:
        path: of the checkout.
        weights: of the generator, by its names.
        blocks, width: of the generator.
        images: the folder.
        count: its pictures.
        device: "cpu" or "cuda".
    """

    path: Path
    weights: dict[str, Tensor]
    blocks: int
    width: int
    images: Path
    count: int
    device: str

    def prepare(self, folder: Path) -> list[str]:
        """Write the weights into `folder`, where the results will be as well; return the command."""
        (folder / NAME).mkdir(parents=True)
        torch.save(self.weights, folder / NAME / "latest_net_G.pth")
        return [
            *python(RUNNER, self.path, "test.py"), "--dataroot", str(self.images.resolve()), "--model", "test",
            "--netG", f"resnet_{self.blocks}blocks", "--ngf", str(self.width), "--no_dropout", "--preprocess", "none",
            "--num_test", str(self.count), "--results_dir", str(folder), *_places(folder, self.device),
        ]  # fmt: skip


def _generator(case: Case, crop: int) -> str:
    """Return the original's name of the generator of a case; "" where it has none."""
    name, size = case.config.generator["name"], case.size
    if case.config.task == "cycle":
        blocks = {"resnet_9blocks": 9, "resnet_6blocks": 6, "resnet": 6 if size <= 128 else 9}.get(name)
        return f"resnet_{blocks}blocks" if blocks else ""
    if case.config.task == "pix2pix" and name == "unet" and crop in (128, 256):
        return f"unet_{crop}"
    return ""


def _places(folder: Path, device: str) -> list[str]:
    gpu = "-1" if device == "cpu" else device.partition(":")[2] or "0"
    return ["--name", NAME, "--checkpoints_dir", str(folder), "--gpu_ids", gpu]


def original_weights(G: Resnet) -> dict[str, Tensor]:
    """Return the weights of a generator by the names that they have in the original: places in one long sequence.

    Paddings, norms and activations count as well: three places before the stem's successor, three a layer.
    """
    n = len(G.trunk)
    places: dict[str, str] = {"stem": "1", "down1": "4", "down2": "7", "up1": f"{n + 10}", "up2": f"{n + 13}"}
    places["head"] = f"{n + 17}"
    for i in range(n):
        places |= {f"trunk.{i}.conv1": f"{i + 10}.conv_block.1", f"trunk.{i}.conv2": f"{i + 10}.conv_block.5"}
    weights = {}
    for mine, theirs in places.items():
        for name, tensor in G.get_submodule(mine).state_dict().items():
            weights[f"model.{theirs}.{name}"] = tensor.detach().cpu().contiguous().clone()
    return weights
