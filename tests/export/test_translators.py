"""Translators of pairs and of unpaired domains as ONNX files."""

import json

import numpy as np
import onnx
import pytest

from tests.conftest import picture
from tests.export.models import model, network, pictures
from translate import Translator
from translate.export.run import ExportOptions, export_model
from translate.inference.onnx.recipe import KEY
from translate.utils.errors import OptionError, UserError


def both(tmp_path, options=None, **changes):
    """Export tmp_path/model.safetensors; return the export and both translators."""
    chosen = ExportOptions(pictures=pictures(tmp_path / "pictures"), **(options or {}))
    made = export_model(tmp_path / "model.safetensors", tmp_path / "x.onnx", chosen)
    own = Translator.load(tmp_path / "model.safetensors", device="cpu", precision="fp32")
    return made, own, Translator.load(tmp_path / "x.onnx", device="cpu")


def assert_same(one, other):
    """Equal up to the rounding of a level."""
    assert one.shape == other.shape and one.dtype == other.dtype
    assert np.abs(one.astype(int) - other).max() <= 1 and (one != other).mean() < 0.01


def test_pairs_with_looks_and_hints(tmp_path):
    nets = {
        "G": network("style_resnet", in_channels=7, width=8, most=16, blocks=1, z_dim=3, upsample="bilinear"),
        "E": network("style_encoder", z_dim=3, width=8, kept=8),
    }
    model(tmp_path / "model.safetensors", "pix2pix", nets, channels={"a": 3, "b": 3, "hint": 4})
    made, own, onnx_file = both(tmp_path)
    assert len(made.rows) == 4 and max(row.difference for row in made.rows) < 1e-4
    assert [entry.name for entry in made.recipe.inputs] == ["picture", "hints", "z"]
    pixels, hints = picture(1, 50, 70), np.zeros((50, 70, 4), np.uint8)
    hints[10:20, 10:40] = 200, 30, 30, 255
    for options in ({}, {"seed": 4}, {"z": [0.5, -1.0, 0.0]}, {"hints": hints}, {"hints": hints, "seed": 1}):
        assert_same(own(pixels, **options), onnx_file(pixels, **options))
    variants = zip(own(pixels, count=3), onnx_file(pixels, count=3), strict=True)
    for one, other in variants:
        assert_same(one, other)
    # the file and its JSON say the same, and nothing of this machine
    stored = onnx.load(made.file)
    text = {entry.key: entry.value for entry in stored.metadata_props}[KEY]
    assert json.loads(text) == json.loads((tmp_path / "x.json").read_text())
    assert len(json.loads(text)["z"]["looks"]) == 8
    assert str(tmp_path).encode() not in made.file.read_bytes() and b"site-packages" not in made.file.read_bytes()
    assert stored.opset_import[0].version >= 20 and sorted(p.name for p in tmp_path.iterdir()) == [
        "model.safetensors", "pictures", "x.json", "x.onnx",
    ]  # fmt: skip


def test_both_directions_of_unpaired_domains(tmp_path):
    nets = {name: network("skip_style_resnet", width=8, trunk=8, blocks=1, z_dim=1) for name in ("G_ab", "G_ba")}
    nets["G_ba"].head.weight.data.neg_()
    model(tmp_path / "model.safetensors", "drift", nets)
    made, own, back = both(tmp_path, {"direction": "ba"})
    assert made.recipe.domains == ("monet", "photos")
    pixels = np.dstack((picture(2), picture(3)[..., 0]))
    assert_same(own(pixels, "ba"), back(pixels))
    assert_same(own(pixels, "ba", strength=0.2), back(pixels, strength=0.2))
    with pytest.raises(OptionError, match="only turns monet into photos"):
        back(pixels, "ab")


def test_a_unet_without_dropout_at_its_smallest_size(tmp_path):
    model(tmp_path / "model.safetensors", "pix2pix", {"G": network("unet_128", width=4)}, size=128)
    with pytest.raises(OptionError, match="--no-dropout"):
        both(tmp_path)
    assert not (tmp_path / "x.onnx").exists()
    chosen = ExportOptions(pictures=str(tmp_path / "pictures"), dropout=False)
    made = export_model(tmp_path / "model.safetensors", tmp_path / "x.onnx", chosen)
    assert made.rows[0].title == "1 x 128 x 128" and max(row.difference for row in made.rows) < 1e-4


def test_a_file_that_differs_is_not_kept(tmp_path, monkeypatch):
    model(tmp_path / "model.safetensors", "cut", {"G": network("skip_resnet", width=8, trunk=8, blocks=1)})
    monkeypatch.setattr("translate.export.run.MAX_DIFFERENCE", -1.0)
    with pytest.raises(UserError, match="not written: its output differs"):
        both(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.safetensors", "pictures"]
