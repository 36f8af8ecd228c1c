"""Training steps as textbooks and the classic repositories write them: the reference for the training core.

Eager fp32, separate discriminator calls for real and fake, target tensors of ones and zeros, `torch.optim.Adam`, and
every loss read with `.item()`. A test compares the losses and gradients of the training core with these.
"""

__all__ = ["Textbook"]

import copy
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from translate.networks.blocks import InstanceNorm
from translate.tasks import Task
from translate.tasks.cycle import Cycle
from translate.tasks.inpaint import OVERLAP_WEIGHT, Inpaint
from translate.tasks.losses.adversarial import lsgan_d, vanilla_d
from translate.utils.errors import UserError

Losses = dict[str, float]
CRITERIA: dict[Any, type[nn.Module]] = {lsgan_d: nn.MSELoss, vanilla_d: nn.BCEWithLogitsLoss}  # by loss of D


class Textbook:
    """Trains copies of the networks of a `paper` recipe's task (`nets`), with PyTorch's own instance norm."""

    def __init__(self, task: Task, lr: float = 2e-4, betas: tuple[float, float] = (0.5, 0.999)) -> None:
        """Copy the networks in fp32 and the default memory layout; raise UserError for options beyond the textbook."""
        self.kind = type(task).__name__.lower()
        self.options = {name: value for name, value in vars(task).items() if isinstance(value, int | float)}
        names = {name for names in task.phases.values() for name in names}
        self.nets = {name: use_library_norms(copy.deepcopy(task.get_submodule(name))) for name in sorted(names)}
        refuse_extras(task, self.kind)
        for net in self.nets.values():
            net.float().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        self.optimizers = {
            phase: torch.optim.Adam(chain(*(self.nets[n].parameters() for n in names)), lr=lr, betas=betas)
            for phase, names in task.phases.items()
        }
        self.criterion = CRITERIA[discriminator_loss(task)]()
        self.pools = {side: Pool(task.pool_a.size) for side in "ab"} if isinstance(task, Cycle) else {}

    def __call__(self, batch: dict[str, Tensor]) -> Losses:
        """Take one step on pictures (B, C, H, W) in [-1, 1]; return the losses."""
        return getattr(self, self.kind)(batch)

    def cycle(self, batch: dict[str, Tensor]) -> Losses:
        """Take a CycleGAN step: six generator calls, four for translations and two for identities."""
        G_ab, G_ba, D_a, D_b = (self.nets[name] for name in ("G_ab", "G_ba", "D_a", "D_b"))
        real_a, real_b = batch["a"], batch["b"]
        weight, identity = self.options["lambda_cycle"], self.options["lambda_identity"]
        l1 = nn.L1Loss()
        # update the generators
        self.freeze("D")
        fake_b = G_ab(real_a)
        rec_a = G_ba(fake_b)
        fake_a = G_ba(real_b)
        rec_b = G_ab(fake_a)
        losses = {
            "G/gan_ab": self.gan_loss(D_b(fake_b), real=True),
            "G/gan_ba": self.gan_loss(D_a(fake_a), real=True),
            "G/cycle": weight * l1(rec_a, real_a) + weight * l1(rec_b, real_b),
        }
        if identity:
            same_a, same_b = G_ba(real_a), G_ab(real_b)
            losses["G/identity"] = weight * identity * (l1(same_a, real_a) + l1(same_b, real_b))
        self.update("G", sum(losses.values()))
        # update the discriminators
        self.freeze("G")
        self.optimizers["D"].zero_grad()
        for side, D, real, fake in (("a", D_a, real_a, fake_a), ("b", D_b, real_b, fake_b)):
            losses[f"D/gan_{side}"] = self.discriminator_loss(D, real, self.pools[side](fake.detach()))
            losses[f"D/gan_{side}"].backward()
        self.optimizers["D"].step()
        return read_losses(losses)

    def pix2pix(self, batch: dict[str, Tensor]) -> Losses:
        """Take a pix2pix step: conditional discriminator and L1."""
        G, D = self.nets["G"], self.nets["D"]
        source, target = batch["a"], batch["b"]
        self.freeze("D")
        fake = G(source)
        losses = {
            "G/gan": self.gan_loss(D(torch.cat([source, fake], 1)), real=True),
            "G/l1": self.options["lambda_l1"] * nn.L1Loss()(fake, target),
        }
        self.update("G", sum(losses.values()))
        real, fake = torch.cat([source, target], 1), torch.cat([source, fake.detach()], 1)
        return read_losses(losses | self.train_discriminator(D, real, fake))

    def generate(self, batch: dict[str, Tensor]) -> Losses:
        """Take a DCGAN step: the discriminator sees real and fake batches in turn."""
        G, D, real = self.nets["G"], self.nets["D"], batch["image"]
        z = torch.empty(len(real), int(G.z_dim))  # type: ignore[arg-type]
        z = z.uniform_(-1, 1) if G.z_kind == "uniform" else z.normal_()
        self.freeze("D")
        fake = G(z.to(real.device))
        losses = {"G/gan": self.gan_loss(D(fake), real=True)}
        self.update("G", losses["G/gan"])
        return read_losses(losses | self.train_discriminator(D, real, fake.detach()))

    def inpaint(self, batch: dict[str, Tensor]) -> Losses:
        """Take a context encoder step: weighted squared error, and a discriminator of the completed picture."""
        G, D, image = self.nets["G"], self.nets["D"], batch["image"]
        hole = (batch["mask"] > 0).float()
        self.freeze("D")
        fake = G(torch.cat([image * (1 - hole), batch["mask"]], 1))
        completed = hole * fake + (1 - hole) * image
        reach = int(self.options["overlap"])
        rim = nn.MaxPool2d(2 * reach + 1, stride=1, padding=reach)(hole) * (1 - hole)
        weight = hole + OVERLAP_WEIGHT * rim
        losses = {
            "G/hole": self.options["lambda_hole"] * (weight * (fake - image) ** 2).mean(),
            "G/gan": self.options["lambda_gan"] * self.gan_loss(D(completed), real=True),
        }
        self.update("G", sum(losses.values()))
        return read_losses(losses | self.train_discriminator(D, image, completed.detach()))

    def train_discriminator(self, D: nn.Module, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Update the only discriminator of a task; return its loss."""
        self.freeze("G")
        loss = self.discriminator_loss(D, real, fake)
        self.update("D", loss)
        return {"D/gan": loss}

    def discriminator_loss(self, D: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        """Return half the sum of the losses on real and on fake pictures."""
        return (self.gan_loss(D(real), real=True) + self.gan_loss(D(fake), real=False)) * 0.5

    def gan_loss(self, scores: Tensor, *, real: bool) -> Tensor:
        """Return the loss of the scores against the target, 1 for real and 0 for fake."""
        return self.criterion(scores, torch.ones_like(scores) if real else torch.zeros_like(scores))

    def freeze(self, phase: str) -> None:
        """Disable gradients of the networks of `phase`, and enable those of the others."""
        for other, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                for p in group["params"]:
                    p.requires_grad_(other != phase)

    def update(self, phase: str, loss: Tensor) -> None:
        """Backpropagate the loss and take a step of Adam."""
        self.optimizers[phase].zero_grad()
        loss.backward()
        self.optimizers[phase].step()


class Pool:
    """CycleGAN's history of fakes: returns an older fake instead of a new one with probability 1/2."""

    def __init__(self, size: int) -> None:
        self.size, self.pictures = size, list[Tensor]()

    def __call__(self, fakes: Tensor) -> Tensor:
        returned = []
        for fake in fakes if self.size else ():
            swapped, slot = torch.rand(1) < 0.5, int(torch.randint(self.size, (1,)))
            if len(self.pictures) < self.size:
                self.pictures.append(fake)
            elif swapped:
                fake, self.pictures[slot] = self.pictures[slot], fake
            returned.append(fake)
        return torch.stack(returned) if self.size else fakes


def discriminator_loss(task: Task) -> Any:
    """Return the adversarial loss of the task's discriminators."""
    gan: Any = task.gan
    return gan.d


def refuse_extras(task: Task, kind: str) -> None:
    """Raise UserError for a recipe with options beyond the textbook."""
    names = ("z_dim", "lambda_fm", "lambda_r1", "lambda_r2", "lambda_known", "lambda_perceptual", "lambda_tv", "rim")
    extra = [name for name in names if getattr(task, name, 0)]
    extra += ["cycle_scale"] if getattr(task, "cycle_scale", 1) > 1 else []
    extra += ["gan"] if discriminator_loss(task) not in CRITERIA else []
    if kind == "inpaint" and not (isinstance(task, Inpaint) and "D" in task.phases and not task.tell_hole):
        extra.append("tell_hole")
    if extra:
        raise UserError(f"the textbook has no {extra[0]}; compare a recipe such as --preset paper with it")


def use_library_norms(net: nn.Module) -> nn.Module:
    """Replace our instance norms by PyTorch's."""
    for name, child in net.named_children():
        if isinstance(child, InstanceNorm):
            setattr(net, name, nn.InstanceNorm2d(child.channels, eps=child.eps))
        else:
            use_library_norms(child)
    return net


def read_losses(losses: dict[str, Tensor]) -> Losses:
    """Return the values of the losses, which waits for the device."""
    return {name: loss.item() for name, loss in losses.items()}
