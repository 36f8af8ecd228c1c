"""Models that fill holes as ONNX files."""

import numpy as np

from tests.conftest import picture
from tests.export.models import model, network, pictures
from translate import Translator
from translate.export.run import ExportOptions, export_model


def test_holes_with_noise_by_seed(tmp_path):
    """The membrane has a fixed number of levels in the graph, and the seed draws the noise of torch."""
    net = network("fourier_resnet", in_channels=4, width=8, trunk=16, blocks=1, z_dim=3)
    model(tmp_path / "model.safetensors", "inpaint", {"G": net})
    chosen = ExportOptions(pictures=pictures(tmp_path / "pictures"))
    made = export_model(tmp_path / "model.safetensors", tmp_path / "x.onnx", chosen)
    assert [entry.name for entry in made.recipe.inputs] == ["picture", "mask", "z", "noise", "coarse_noise"]
    own = Translator.load(tmp_path / "model.safetensors", device="cpu", precision="fp32")
    file = Translator.load(tmp_path / "x.onnx", device="cpu")
    pixels, hole = picture(1, 61, 83), np.zeros((61, 83), bool)
    hole[10:35, 20:70] = True
    for options in ({}, {"seed": 3}):
        expected, found = own(pixels, mask=hole, **options), file(pixels, mask=hole, **options)
        assert np.abs(expected.astype(int) - found).max() <= 1
        np.testing.assert_array_equal(found[~hole], pixels[~hole])


def test_holes_at_one_size_alone(tmp_path):
    model(tmp_path / "model.safetensors", "inpaint", {"G": network("context_encoder", in_channels=4, size=32, width=4)})
    chosen = ExportOptions(pictures=pictures(tmp_path / "pictures"))
    made = export_model(tmp_path / "model.safetensors", tmp_path / "x.onnx", chosen)
    assert made.recipe.inputs[0].shape == ("batch", 3, 32, 32) and len(made.rows) == 3
    own = Translator.load(tmp_path / "model.safetensors", device="cpu", precision="fp32")
    file = Translator.load(tmp_path / "x.onnx", device="cpu")
    pixels, hole = picture(1, 61, 83), np.zeros((61, 83), bool)
    hole[10:35, 20:40] = True
    assert np.abs(own(pixels, mask=hole).astype(int) - file(pixels, mask=hole)).max() <= 1
