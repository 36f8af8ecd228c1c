"""A discriminator that sees the whole picture and scores every patch of it: a vision transformer with a map of scores.

Patches that overlap by half: Lee et al., 2022 (ViTGAN), https://arxiv.org/abs/2107.04589.
"""

__all__ = ["VitDiscriminator"]

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from translate.networks.blocks import init_he
from translate.networks.patchgan import box_blur
from translate.networks.transformers.attention import Transformer
from translate.utils.errors import OptionError, did_you_mean

NORMS = ("spectral", "none")


class VitDiscriminator(nn.Module):
    """A token for each square of `patch` px, which sees twice that side; transformer blocks; a score for each token.

    Maps (B, in_channels, H, W) in [-1, 1], H and W at least `patch`, to the activations of one scale: the tokens before
    and after each block as maps (B, width, h, w), and last the scores (B, 1, h, w), unbounded. The norm is "spectral"
    (Miyato et al., 2018; on every layer, beside the layer norms of the blocks) or "none". `detail` is that of
    `patchgan.PatchGAN`.
    """

    segments = ("embed", "trunk")

    def __init__(
        self, *, in_channels: int = 3, patch: int = 8, width: int = 64, layers: int = 4, heads: int = 4,
        norm: str = "spectral", detail: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        if norm not in NORMS:
            raise OptionError(f"unknown discriminator.norm {norm!r}{did_you_mean(norm, NORMS)}")
        if patch < 2 or patch % 2:
            raise OptionError(f"discriminator.patch should be an even number of px from 2 on, got {patch}")
        self.patch, self.detail = patch, detail
        planes = 2 * in_channels if detail else in_channels
        self.to_tokens = nn.Conv2d(planes, width, 2 * patch, stride=patch, padding=patch // 2)
        self.trunk = Transformer(width, layers, heads)
        self.norm, self.score = nn.LayerNorm(width), nn.Linear(width, 1)
        init_he(self.to_tokens)
        init_he(self.score)
        if norm == "spectral":
            for module in list(self.modules()):
                if isinstance(module, nn.Conv2d | nn.Linear):
                    spectral_norm(module)

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        maps = self.trunk.maps(self.embed(x))
        scores = self.score(self.norm(maps[-1].movedim(1, -1))).movedim(-1, 1)
        return [[*maps, scores.float()]]

    def embed(self, x: Tensor) -> Tensor:
        """Map pictures to tokens, (B, width, h, w)."""
        if self.detail:
            x = torch.cat([x, self.detail * (x - box_blur(x))], 1)
        return self.to_tokens(x)
