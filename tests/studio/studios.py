"""Models, pictures and clients of the tests of the studio."""

import numpy as np
import torch
from fastapi.testclient import TestClient
from torch import nn

from tests.conftest import picture
from translate.checkpoints.model_file import export_model
from translate.checkpoints.recipe import Recipe
from translate.images.io import write_picture
from translate.images.picture import Picture
from translate.networks import EXPORTABLE
from translate.studio.app import create_app
from translate.studio.settings import Settings
from translate.utils.factory import Factory

ORIGIN = "http://localhost:7860"
TINY_NET = {"name": "skip_resnet", "width": 4, "trunk": 4, "blocks": 1}


def unpaired(seed=0, **changes):
    """Return an untrained model for both directions."""
    torch.manual_seed(seed)
    nets = {name: Factory(TINY_NET, EXPORTABLE, "generator")() for name in ("G_ab", "G_ba")}
    given = {"task": "cycle", "domains": ("photos", "monet"), "size": 32, "preset": "fast", "steps": 3, "data": "none"}
    return nets, Recipe(**given | {"nets": {name: net.spec for name, net in nets.items()}} | changes)


def sketches(seed=0):
    """Return an untrained model with looks and hints, both strong enough to be seen."""
    torch.manual_seed(seed)
    spec = {"name": "style_resnet", "width": 8, "downs": 1, "blocks": 1, "style_dim": 8}
    G = Factory(spec, EXPORTABLE, "generator")(in_channels=5, out_channels=3, z_dim=4)
    for name, parameter in G.named_parameters():
        if "from_style" in name or "mapping" in name or "head" in name:
            parameter.data.normal_(0, 0.5)
    E = Factory({"name": "style_encoder", "width": 4}, EXPORTABLE, "encoder")(in_channels=3, z_dim=4)
    E.looks.normal_()
    recipe = Recipe(
        task="pix2pix", nets={"G": G.spec, "E": E.spec}, domains=("sketches", "photos"), size=32, preset="fast",
        steps=1, data="none", channels={"a": 1, "b": 3, "hint": 4}, directions=("ab",),
    )  # fmt: skip
    return {"G": G, "E": E}, recipe


def dropout(seed=0):
    """Return an untrained model whose answers differ by dropout, which draws from torch's own generator."""
    torch.manual_seed(seed)
    spec = {"name": "unet", "width": 4, "size": 64, "dropout": 0.5}
    G = Factory(spec, EXPORTABLE, "generator")(in_channels=3, out_channels=3)
    recipe = Recipe(
        task="pix2pix", nets={"G": G.spec}, domains=("maps", "photos"), size=64, preset="fast", steps=1, data="none",
        directions=("ab",),
    )  # fmt: skip
    return {"G": G}, recipe


def inpainting(seed=0):
    """Return an untrained model that fills holes."""
    torch.manual_seed(seed)
    spec = {"name": "fourier_resnet", "width": 8, "trunk": 16, "blocks": 1}
    G = Factory(spec, EXPORTABLE, "generator")(in_channels=4, out_channels=3)
    recipe = Recipe(
        task="inpaint", nets={"G": G.spec}, domains=("photos",), size=32, preset="fast", steps=1, data="none",
        channels={"image": 3, "mask": 1}, directions=(),
    )  # fmt: skip
    return {"G": G}, recipe


def faces(seed=0):
    """Return an untrained generator of two classes."""
    torch.manual_seed(seed)
    spec = {"name": "style_synthesis", "width": 8, "most": 16, "w_dim": 12, "z_dim": 8, "size": 32, "classes": 2}
    G = Factory(spec, EXPORTABLE, "generator")()
    recipe = Recipe(
        task="generate", nets={"G": G.spec}, domains=("faces",), size=32, preset="fast", steps=1, data="none",
        channels={"image": 3, "label": 2}, directions=(), whole=True, facts={"classes": ["cat", "dog"]},
    )  # fmt: skip
    return {"G": G}, recipe


def save_model(folder, nets, recipe):
    folder.mkdir(parents=True, exist_ok=True)
    export_model(nn.ModuleDict(nets), recipe, folder / "model.safetensors")
    return folder


def client(**settings):
    settings = {"device": "cpu", "precision": "fp32"} | settings
    return TestClient(create_app(Settings(**settings)), base_url=ORIGIN)


def photo(path, seed=0, size=(40, 48)):
    write_picture(path, Picture(picture(seed, *size)))
    return path


def drawing(path, size=(32, 32)):
    gray = np.full((*size, 1), 255, np.uint8)
    gray[8:24, 10:12] = gray[8:10, 10:24] = 0
    write_picture(path, Picture(gray.repeat(3, axis=2), gray=True))
    return path
