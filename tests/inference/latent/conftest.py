import pytest
import torch
from torch import nn

from translate.checkpoints.recipe import Recipe
from translate.inference.sampler import Sampler
from translate.networks import LATENT_GENERATORS

SMALL = {"style_synthesis": {"width": 8, "most": 16, "w_dim": 12}, "dcgan": {"width": 4}}


@pytest.fixture(scope="package")
def make_sampler():
    """Make a sampler of a tiny untrained generator, whose pictures differ as much as those of a trained one."""

    def make(name="style_synthesis", labels=(), **options):
        torch.manual_seed(0)
        options = {"size": 32, "z_dim": 8, "classes": len(labels)} | SMALL[name] | options
        G = LATENT_GENERATORS[name](**options)
        for layer in G.modules():
            if isinstance(layer, nn.Linear):
                layer.weight.data.mul_(2)
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = 1.0
        for layer in [level.to_rgb for level in G.levels] if name == "style_synthesis" else [G.last]:
            layer.weight.data.mul_(2)
        G.train()(torch.randn(64, options["z_dim"]), torch.eye(len(labels)).repeat(64, 1)[:64] if labels else None)
        recipe = Recipe(
            task="generate", nets={"G": {"name": name, **options}}, domains=("things",), size=32, preset="fast",
            steps=1, data="none", channels={"image": G.out_channels}, directions=(), facts={"classes": list(labels)},
        )  # fmt: skip
        return Sampler(recipe, nn.ModuleDict({"G": G}))

    return make


@pytest.fixture(scope="package")
def sampler(make_sampler):
    return make_sampler()


@pytest.fixture(scope="package")
def labelled(make_sampler):
    return make_sampler(labels=("cats", "dogs", "birds"), z_dim=4)
