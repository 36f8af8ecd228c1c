"""Tiny models of every kind, and pictures to compare on."""

import cv2
import numpy as np
import torch
from torch import nn

from tests.conftest import picture
from translate.checkpoints.model_file import export_model
from translate.checkpoints.recipe import Recipe
from translate.export.run import ExportOptions
from translate.export.run import export_model as export_to_file
from translate.inference.translator import Translator
from translate.networks import EXPORTABLE
from translate.utils.factory import Factory

SIZE = 32
KINDS = {  # by task: what its recipe has besides
    "cut": {"directions": ("ab",)},
    "cycle": {"directions": ("ab", "ba")},
    "drift": {"directions": ("ab", "ba")},
    "pix2pix": {"directions": ("ab",), "whole": True},
    "pix2pix_labels": {"directions": ("ab",)},
    "upscale": {"directions": (), "domains": ("photos",), "channels": {"small": 3, "image": 3}},
    "inpaint": {"directions": (), "domains": ("photos",), "channels": {"image": 3}},
    "generate": {"directions": (), "domains": ("faces",), "channels": {"image": 3}},
    "generate_drift": {"directions": (), "domains": ("faces",), "channels": {"image": 3}},
}


def network(name, **options):
    torch.manual_seed(0)
    net = Factory({"name": name, **options}, EXPORTABLE, "G")()
    with torch.no_grad():  # as after training: no weight is zero, and outputs are about as wide as pictures
        for parameter in net.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return net.eval()


def model(path, task, nets, **changes):
    """Write a model file; return its recipe and networks."""
    facts = {"domains": ("photos", "monet"), "channels": {"a": 3, "b": 3}} | KINDS[task] | changes
    specs = {name: net.spec for name, net in nets.items()}
    recipe = Recipe(task=task, nets=specs, size=facts.pop("size", SIZE), preset="fast", steps=1, data="", **facts)
    modules = nn.ModuleDict(nets)
    export_model(modules, recipe, path)
    return recipe, modules


def pictures(folder):
    """Write four pictures of different sizes; return the folder as text."""
    folder.mkdir()
    for i in range(4):
        cv2.imwrite(str(folder / f"{i}.png"), picture(i, 40 + 8 * i, 56))
    return str(folder)


def export_both(tmp_path, options=None):
    """Export tmp_path/model.safetensors; return the export and both translators."""
    chosen = ExportOptions(pictures=pictures(tmp_path / "pictures"), **(options or {}))
    made = export_to_file(tmp_path / "model.safetensors", tmp_path / "x.onnx", chosen)
    own = Translator.load(tmp_path / "model.safetensors", device="cpu", precision="fp32")
    return made, own, Translator.load(tmp_path / "x.onnx", device="cpu")


def assert_same(one, other):
    """Equal up to the rounding of a level."""
    assert one.shape == other.shape and one.dtype == other.dtype
    assert np.abs(one.astype(int) - other).max() <= 1 and (one != other).mean() < 0.01
