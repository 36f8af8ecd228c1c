"""pix2pix: paired translation, with one output for each source or, by a style code z, many.

Isola et al., 2017, https://arxiv.org/abs/1611.07004 (one output). Feature matching: Wang et al., 2018 (pix2pixHD),
https://arxiv.org/abs/1711.11585. Many outputs: Zhu et al., 2017 (BicycleGAN), https://arxiv.org/abs/1711.11586, and
Mao et al., 2019 (MSGAN), https://arxiv.org/abs/1903.05628.
"""

__all__ = ["Pix2pix"]

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from translate.networks import ENCODERS
from translate.networks.augment import Augment
from translate.networks.features.load import load_features
from translate.networks.style_resnet import StyleEncoder
from translate.tasks.base import Batch, Task, run_seeded
from translate.tasks.hint_planes import generator_input
from translate.tasks.losses.adversarial import GAN_LOSSES, kl_to_normal, mode_seeking
from translate.tasks.losses.multiscale import feature_matching, gan_d, gan_g, judge, mean_of, shows_features
from translate.tasks.losses.perceptual import feature_loss
from translate.tasks.losses.projected import NO_OPTIONS, make_projected, projected_loss
from translate.utils import dist
from translate.utils.errors import OptionError
from translate.utils.factory import Factory, options_of, resolve

SEEKING_FRACTION = 0.7  # of a run, over which mode seeking falls to 0 (StarGAN v2: Choi et al., 2020, section 2.1)
TYPICAL_FRACTION = 16  # one over the share of codes that a common look has; the built-in shoes have eight looks
MIN_WHITE = 0.95  # in [-1, 1]: darker pixels are not white paper


class Pix2pix(Task):
    """G: source -> target, against a discriminator that sees source and target together.

    One output (`z_dim` 0): L = gan + lambda_l1 |fake - b| + lambda_fm (feature matching) + lambda_features (distance of
    pretrained `features`) + lambda_projected (a second discriminator, on the same features). Discriminators see the
    fraction `augment` of sources and targets augmented.

    Many outputs (`z_dim`): an encoder E computes the style code z of the true target. G(a, E(b)) has to equal b, as
    above. G(a, z) with the z of another picture has to look real (no L1: the colours differ), to let E recover z, to
    differ from G(a, E(b)) as the two z differ (mode seeking), to keep white paper white, and to equal b where strokes
    give the colours. One discriminator judges both. BicycleGAN draws the second z from N(0, 1), to which E has to
    converge first; here it is drawn from the latest codes of E, which fit from the first step on.
    With `encode_hue`, E has a shortcut from the mean hue.
    """

    data = "paired"
    seeking: Tensor
    phases: dict[str, tuple[str, ...]] = {"G": ("G",), "D": ("D",)}
    exports: tuple[str, ...] = ("G",)
    compared_rows = (("input", "answer", "truth"),)
    remedies = Task.remedies | {
        "identity": "half of --lambda-l1",
        "checkerboard": "--netG skip_resnet",
        "collapse": "half of --train.lr",
        "ignores_z": "twice the --lambda-seek",
    }

    def __init__(
        self,
        generator: Factory,
        discriminator: Factory,
        channels: Mapping[str, int],
        *,
        z_dim: int = 0,
        gan: str = "vanilla",
        lambda_l1: float = 100.0,
        lambda_fm: float = 0.0,
        lambda_features: float = 0.0,
        features: str = "auto",
        lambda_kl: float = 0.01,
        free_nats: float = 0.0,
        encode_hue: bool = False,
        lambda_z: float = 0.5,
        lambda_seek: float = 1.0,
        lambda_paper: float = 0.0,
        lambda_projected: float = 0.0,
        projected: dict = NO_OPTIONS,
        augment: float = 0.0,
    ) -> None:
        super().__init__()
        if z_dim and "z_dim" not in options_of(generator.function):
            raise OptionError(f"generator {generator.name!r} gives one answer; say --z-dim 0, or --netG style_resnet")
        # the networks
        source = channels["a"] + channels.get("hint", 0)
        latent = {"z_dim": z_dim} if z_dim else {}
        self.G = generator(in_channels=source, out_channels=channels["b"], **latent)
        judged = {"in_channels": source + channels["b"]}
        picture = {"picture": (source, source + channels["b"])}
        self.D = discriminator(picture, **judged)
        if lambda_fm and not shows_features(self.D):
            raise OptionError("--lambda-fm needs a discriminator that shows its features, such as --netD multi_scale")
        if z_dim:
            encoder = Factory({"name": "style_encoder", "hues": encode_hue}, ENCODERS, "encoder")
            self.E = cast(StyleEncoder, encoder(in_channels=channels["b"], z_dim=z_dim))
            self.exports, self.phases = ("G", "E"), {"G": ("G", "E"), "D": ("D",)}
        self.P = make_projected(lambda_projected, projected, features, **judged, **picture)
        if self.P is not None:
            self.phases = self.phases | {"D": ("D", "P")}
        # the losses
        self.lambda_projected = lambda_projected
        self.augment = Augment(augment) if augment else None
        self.z_dim, self.gan = z_dim, resolve(gan, GAN_LOSSES, "method.gan")
        self.lambda_l1, self.lambda_fm, self.lambda_features = lambda_l1, lambda_fm, lambda_features
        self.features = load_features(features) if lambda_features else None
        self.lambda_kl, self.free_nats = lambda_kl, free_nats
        self.lambda_z, self.lambda_seek, self.lambda_paper = lambda_z, lambda_seek, lambda_paper
        self.register_buffer("seeking", torch.ones(()), persistent=False)

    def set_progress(self, progress: float) -> None:
        """Lower the weight of mode seeking."""
        self.seeking.fill_(max(0.0, 1 - progress / SEEKING_FRACTION))

    def forward(self, batch: Batch) -> Batch:
        """Generate the fakes: one for each source, or one with the true z and one with a random z."""
        source, b = generator_input(batch), batch["b"]
        x = batch | {"source": source}
        if not self.z_dim:
            return x | {"fake": self.G(source)}
        mean, log_variance = self.E(shift(b))
        z = mean + dist.randn_like(mean) * (0.5 * log_variance).exp()
        index = dist.draw_local_rows(lambda n: torch.randint(len(self.E.looks), (n,), device=b.device), len(b))
        drawn = self.E.looks[index]
        self.E.store_codes(mean.detach())
        fake, other = self.G(torch.cat([source, source]), torch.cat([z, drawn])).chunk(2)
        return x | {"fake": fake, "other": other, "z": z, "drawn": drawn, "mean": mean, "log_variance": log_variance}

    def losses(self, phase: str, x: Batch) -> dict[str, Tensor]:
        """Return the terms of the class docstring for G, the adversarial loss for D."""
        fakes = ("fake", "other") if self.z_dim else ("fake",)
        shown = self._shown(x, *(["b"] if phase == "D" or self.lambda_fm else []), *fakes)
        beside = {}
        if self.P is not None:
            loss = projected_loss(phase, self.P, shown.get("b"), [shown[name] for name in fakes])
            beside["projected"] = self.lambda_projected * loss
        judged = judge(self.D, shown)
        if phase == "D":
            return {"gan": mean_of(gan_d(self.gan, judged["b"], judged[name]) for name in fakes)} | beside
        terms = {
            "gan": mean_of(gan_g(self.gan, judged[name]) for name in fakes),
            "l1": self.lambda_l1 * F.l1_loss(x["fake"], x["b"]),
        }
        if self.lambda_fm:
            terms["fm"] = self.lambda_fm * feature_matching(judged["fake"], judged["b"])
        if self.features is not None:
            terms["features"] = self.lambda_features * feature_loss(self.features, x["fake"], x["b"])
        return terms | beside | (self._style_losses(x) if self.z_dim else {})

    def _style_losses(self, x: Batch) -> dict[str, Tensor]:
        """Return the terms on z. E must not learn from fakes, hence the detached weights."""
        fixed = {name: p.detach() for name, p in self.E.named_parameters()}
        recovered, _ = functional_call(self.E, fixed, (x["other"],))
        seek = mode_seeking(x["z"], x["drawn"], x["fake"], x["other"], slack=0.05)
        terms = {
            "kl": self.lambda_kl * kl_to_normal(x["mean"], x["log_variance"], self.free_nats),
            "z": self.lambda_z * F.l1_loss(recovered, x["drawn"]),
            "seek": self.seeking * self.lambda_seek * seek,
            "paper": self.lambda_paper * paper_loss(x["other"], x["b"]),
        }
        if "hint" in x:
            confidence = (x["source"][:, -1:] + 1) / 2
            terms["hint"] = self.lambda_l1 * (confidence * (x["other"] - x["b"]).abs()).mean()
        return terms

    def _shown(self, x: Batch, *names: str) -> dict[str, Tensor]:
        """Return what discriminators see: the source with each of the named targets, all of them augmented alike."""
        pairs = [torch.cat([x["source"], x[name]], 1) for name in names]
        return dict(zip(names, self.augment.together(*pairs) if self.augment else pairs, strict=True))

    @staticmethod
    def predict(
        nets: nn.ModuleDict, batch: Batch, *, z: Tensor | None = None, seed: int | None = None, **options: Any
    ) -> Tensor:
        """Translate batch["a"], (B, C, H, W) in [-1, 1], with the strokes batch["hint"], (B, 4, H, W), if given.

        Without `z` (B, z_dim), `seed` draws the code of one training picture for the whole batch, and the dropout of a
        generator without z. Without either, z is the typical code, and the dropout that of seed 0.
        """
        source = generator_input(batch)
        G, z = Pix2pix.generator_for(nets, "", z, seed)
        return run_seeded(G, source, None if z is None else z.expand(len(source), -1), seed)

    @staticmethod
    def generator_for(
        nets: nn.ModuleDict, direction: str, z: Tensor | None, seed: int | None
    ) -> tuple[nn.Module, Tensor | None]:
        """Return G and its z, chosen as in `predict`."""
        if z is None and "E" in nets:
            codes: Tensor = nets["E"].looks  # type: ignore[assignment]
            z = (typical_code(codes) if seed is None else draw_code(codes, seed))[None]
        return nets["G"], z

    @staticmethod
    def encode_style(nets: nn.ModuleDict, picture: Tensor) -> Tensor:
        """Return the style codes (B, z_dim) of pictures of the target domain, (B, C, H, W) in [-1, 1]."""
        return nets["E"](picture)[0]

    @staticmethod
    def preview(nets: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """Return the source, the hints, the output (with `z_dim` for five z, one of them the true z), and the truth."""
        a, b = batch["a"], batch["b"]
        rows = {"input": a}
        if "hint" in batch:
            rows["hints"] = draw_hints(batch["hint"])
        rows["answer"] = Pix2pix.predict(nets, batch)
        if nets["G"].random:
            rows |= {f"answer {k}": Pix2pix.predict(nets, batch, seed=k) for k in (1, 2, 3)}
        if "E" in nets:
            rows["look of the truth"] = Pix2pix.predict(nets, batch, z=Pix2pix.encode_style(nets, b))
        rows["truth"] = b
        return {title: row.expand(-1, 3, -1, -1) if row.shape[1] == 1 else row for title, row in rows.items()}


def shift(picture: Tensor) -> Tensor:
    """Shift (B, C, H, W) cyclically by up to a quarter, and mirror it half of the time.

    A style has to fit other shapes, so its code must not hold positions.
    """
    height, width = picture.shape[-2:]
    reach, device = min(height, width) // 4, picture.device
    down, right = torch.randint(-reach, reach + 1, (2,), device=device)
    rows = (torch.arange(height, device=device) - down) % height
    columns = (torch.arange(width, device=device) - right) % width
    columns = torch.where(torch.rand((), device=device) < 0.5, columns.flip(0), columns)
    return torch.empty_like(picture).copy_(picture.index_select(2, rows).index_select(3, columns))


def draw_hints(hint: Tensor) -> Tensor:
    """Draw RGBA strokes (B, 4, H, W) in [-1, 1] on light grey paper."""
    colour, alpha = hint.split([3, 1], dim=1)
    return torch.lerp(torch.full_like(colour, 0.8), colour, (alpha + 1) / 2)


def paper_loss(picture: Tensor, truth: Tensor) -> Tensor:
    """Return the mean over all pixels of |picture - truth| on white paper in the truth, and 0 elsewhere.

    Objects photographed on white have a white background in every style.
    """
    paper = truth.amin(1, keepdim=True) > MIN_WHITE
    return ((picture - truth).abs() * paper).mean()


def typical_code(codes: Tensor) -> Tensor:
    """Return the code of `codes` (n, z_dim) whose nearest sixteenth is closest: the middle of the commonest look.

    Codes come in clusters, and the one that is nearest to the mean of all may lie between them, where few pictures are.
    """
    neighbours = max(1, len(codes) // TYPICAL_FRACTION)
    distances = torch.cdist(codes, codes).sort(1).values[:, : neighbours + 1]  # the first is the code itself
    return codes[distances.mean(1).argmin()]


def draw_code(codes: Tensor, seed: int, jitter: float = 0.1) -> Tensor:
    """Draw one of `codes` (n, z_dim) plus noise of `jitter` times their spread, equal for a seed on every device.

    A normal distribution would also draw mixtures that no picture has, since codes come in clusters.
    """
    rng = np.random.default_rng(seed)
    chosen = codes[int(rng.integers(len(codes)))]
    noise = torch.from_numpy(rng.standard_normal(codes.shape[1], np.float32)).to(codes)
    return chosen + jitter * codes.std(0) * noise
