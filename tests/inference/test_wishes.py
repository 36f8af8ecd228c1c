"""Models that change labels: any image, folder and film, tile by tile; what cannot be done is said in one line."""

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from tests.conftest import picture
from translate import Translator
from translate.checkpoints.description import describe
from translate.checkpoints.model_file import load_model, write_model
from translate.checkpoints.recipe import Recipe
from translate.export.run import export_model
from translate.inference.folder.run import translate_folder
from translate.inference.options import FolderOptions
from translate.networks import EDITORS
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import Factory

SPECS = {
    "attribute_resnet": {"name": "attribute_resnet", "width": 8, "most": 8, "blocks": 1},
    "star_resnet": {"name": "star_resnet", "width": 4, "blocks": 1},
}


def make(name="attribute_resnet", whole=False, memory=None):
    torch.manual_seed(0)
    G = Factory(SPECS[name], EDITORS, "generator")(in_channels=3, out_channels=3, z_dim=2)
    for p in G.parameters():
        if p.ndim == 4:
            nn.init.normal_(p, 0, p[0].numel() ** -0.5)
    recipe = Recipe(
        task="stargan", nets={"G": G.spec}, domains=("faces",), size=32, preset="fast", steps=1, data="none",
        channels={"image": 3, "attributes": 2}, directions=(), whole=whole, facts={"attributes": ["glasses", "blond"]},
    )  # fmt: skip
    return Translator(recipe, nn.ModuleDict({"G": G}), memory=memory)


def test_wishes_reach_the_generator():
    t, x = make(), picture(0, 40, 36)
    tensor = torch.from_numpy(x).permute(2, 0, 1).float()[None] / 127.5 - 1
    expected = t.nets["G"](tensor, torch.tensor([[1.0, -1.0]]))
    torch.testing.assert_close(t(tensor, to="glasses,-blond"), expected, atol=1e-5, rtol=0)
    assert t(x, to="blond").shape == x.shape and t(x[..., 0], to="blond").shape == (40, 36)
    assert np.array_equal(t(x, z=[0.0, 1.0]), t(x, to="blond")) and not t.random
    assert [one.shape for one in t([x, x[:20]], to="blond")] == [(40, 36, 3), (20, 36, 3)]
    for options, message in (
        ({}, "say what a picture is to get"),
        ({"to": "blond", "seed": 1}, "leave out seed"),
        ({"to": "blond", "direction": "ab"}, "changes labels, which has no direction"),
        ({"to": "blond", "strength": 0.5}, "this model has no strength"),
    ):
        with pytest.raises(OptionError, match=message):
            t(x, **options)


def test_tiles_equal_one_pass(monkeypatch):
    whole, x = make(), picture(1, 96, 88)
    expected = whole(x, to="-glasses")
    monkeypatch.setattr("translate.inference.runner.ModelRunner._tile_budget", lambda *_: 60_000_000)
    assert np.abs(make()(x, to="-glasses").astype(int) - expected).max() <= 1


def test_a_network_that_needs_the_whole_picture_says_so(monkeypatch):
    t = make("star_resnet")
    monkeypatch.setattr("translate.inference.runner.ModelRunner._tile_budget", lambda *_: 60_000_000)
    t.runner.memory.limit = 60_000_000
    with pytest.raises(UserError, match="star_resnet cannot (run tile by tile|be traced)") as caught:
        t(picture(1, 96, 88), to="glasses")
    assert "\n" not in str(caught.value)


def test_folders_are_translated_and_other_wishes_refused(tmp_path):
    (tmp_path / "in").mkdir()
    for i in range(3):
        cv2.imwrite(str(tmp_path / "in" / f"{i}.png"), picture(i, 40, 36))
    t, out = make(), tmp_path / "out"
    report = translate_folder(t, tmp_path / "in", out, FolderOptions(to="glasses", progress=False))
    assert report.done == 3
    assert np.array_equal(cv2.imread(str(out / "1.png"))[..., ::-1], t(picture(1, 40, 36)[..., ::-1], to="glasses"))
    again = translate_folder(t, tmp_path / "in", out, FolderOptions(to="glasses", progress=False))
    assert again.done == 0 and again.skipped == 3
    with pytest.raises(OptionError, match="--overwrite"):
        translate_folder(t, tmp_path / "in", out, FolderOptions(to="-glasses", progress=False))


def test_the_model_file_comes_back_and_is_not_exported(tmp_path):
    t, file = make(), tmp_path / "model.safetensors"
    write_model(t.nets.state_dict(), t.recipe, file)
    recipe, nets = load_model(file)
    assert recipe.facts == t.recipe.facts and describe(recipe)["pages"] == [] and not describe(recipe)["many"]
    x = picture(3, 32, 32)
    assert np.array_equal(Translator(recipe, nets)(x, to="blond"), t(x, to="blond"))
    with pytest.raises(UserError, match="changes labels, which exported files do not know yet"):
        export_model(file, tmp_path / "model.onnx")
