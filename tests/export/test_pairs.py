"""Translators of pairs as ONNX files."""

import json

import numpy as np
import onnx
import pytest

from tests.conftest import picture
from tests.export.models import assert_same, export_both, model, network
from translate.export.run import ExportOptions, export_model
from translate.inference.onnx.recipe import KEY
from translate.utils.errors import OptionError


def test_pairs_with_looks_and_hints(tmp_path):
    nets = {
        "G": network("style_resnet", in_channels=7, width=8, most=16, blocks=1, z_dim=3),
        "E": network("style_encoder", z_dim=3, width=8, kept=8),
    }
    model(tmp_path / "model.safetensors", "pix2pix", nets, channels={"a": 3, "b": 3, "hint": 4})
    made, own, onnx_file = export_both(tmp_path)
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


def test_a_unet_without_dropout_at_its_smallest_size(tmp_path):
    model(tmp_path / "model.safetensors", "pix2pix", {"G": network("unet_128", width=4)}, size=128)
    with pytest.raises(OptionError, match="--no-dropout"):
        export_both(tmp_path)
    assert not (tmp_path / "x.onnx").exists()
    chosen = ExportOptions(pictures=str(tmp_path / "pictures"), dropout=False)
    made = export_model(tmp_path / "model.safetensors", tmp_path / "x.onnx", chosen)
    assert made.rows[0].title == "1 x 128 x 128" and max(row.difference for row in made.rows) < 1e-4
