import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.inference.folder.folders import RECIPE, SKETCH_RECIPE, Negative
from translate.images.io import write_picture
from translate.images.picture import Picture
from translate.inference.translator import Translator
from translate.networks import EXPORTABLE
from translate.utils.factory import Factory


@pytest.fixture
def translator():
    return Translator(RECIPE, nn.ModuleDict({"G_ab": Negative(), "G_ba": nn.Identity()}))


@pytest.fixture(scope="module")
def crisp():
    """A small network that is no mere function of one pixel."""
    torch.manual_seed(0)
    spec = {"name": "skip_resnet", "width": 8, "trunk": 8, "blocks": 1}
    nets = {name: Factory(spec, EXPORTABLE, "generator")() for name in ("G_ab", "G_ba")}
    for parameter in nn.ModuleDict(nets).parameters():
        parameter.data.normal_(0, 0.2)
    return Translator(RECIPE, nn.ModuleDict(nets))


@pytest.fixture
def source(tmp_path):
    """A tree of every kind of picture, and what is none."""
    root = tmp_path / "in"
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (13, 18, 4), dtype=np.uint8)
    for name, size in {
        "odd.png": (13, 17),
        "one.bmp": (1, 1),
        "wide.png": (3, 20000),
        "a/b/deep.png": (9, 5),
    }.items():
        write_picture(root / name, Picture(rng.integers(0, 256, (*size, 3), dtype=np.uint8)))
    write_picture(root / "a/16.png", Picture(rng.integers(0, 65536, (9, 5, 3), dtype=np.uint16)))
    write_picture(root / "a/gray.png", Picture(colour[..., :1].repeat(3, axis=2), gray=True))
    write_picture(root / "a/alpha.png", Picture(colour[..., :3].copy(), colour[..., 3].copy()))
    Image.fromarray(colour[..., :3]).quantize(8).save(root / "palette.png", transparency=2)
    Image.fromarray(colour[..., :3]).convert("CMYK").save(root / "cmyk.jpg")
    frames = [Image.new("L", (8, 8), value) for value in (10, 100, 200)]
    frames[0].save(root / "film.gif", save_all=True, append_images=frames[1:])
    (root / "readme.txt").write_text("no picture")
    (root / "a" / ".hidden").write_text("")
    return root


@pytest.fixture(scope="module")
def many():
    """A tiny untrained model with looks and hints, both made strong enough to be seen."""
    torch.manual_seed(0)
    spec = {"name": "style_resnet", "width": 8, "downs": 1, "blocks": 1, "style_dim": 8}
    G = Factory(spec, EXPORTABLE, "generator")(in_channels=5, out_channels=3, z_dim=4)
    for name, parameter in G.named_parameters():
        if "from_style" in name or "mapping" in name or "head" in name:
            parameter.data.normal_(0, 0.5)
    E = Factory({"name": "style_encoder", "width": 4}, EXPORTABLE, "encoder")(in_channels=3, z_dim=4)
    return Translator(SKETCH_RECIPE, nn.ModuleDict({"G": G, "E": E}))


@pytest.fixture
def sketches(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("x.png", "sub/y.png"):
        gray = rng.integers(0, 256, (20, 24, 1), dtype=np.uint8).repeat(3, axis=2)
        write_picture(tmp_path / "in" / name, Picture(gray, gray=True))
    return tmp_path / "in"


@pytest.fixture
def photos(tmp_path):
    """Two pictures whose looks differ."""
    for name, colour in (("red", (250, 10, 10)), ("blue", (10, 10, 250))):
        write_picture(tmp_path / f"{name}.png", Picture(np.full((32, 32, 3), colour, np.uint8)))
    return tmp_path / "red.png", tmp_path / "blue.png"
