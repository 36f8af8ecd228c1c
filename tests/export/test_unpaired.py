"""Translators of unpaired domains as ONNX files, and files that differ from their model."""

import numpy as np
import pytest

from tests.conftest import picture
from tests.export.models import assert_same, export_both, model, network
from translate.utils.errors import OptionError, UserError


def test_both_directions_of_unpaired_domains(tmp_path):
    nets = {name: network("skip_style_resnet", width=8, trunk=8, blocks=1, z_dim=1) for name in ("G_ab", "G_ba")}
    nets["G_ba"].head.weight.data.neg_()
    model(tmp_path / "model.safetensors", "drift", nets)
    made, own, back = export_both(tmp_path, {"direction": "ba"})
    assert made.recipe.domains == ("monet", "photos")
    pixels = np.dstack((picture(2), picture(3)[..., 0]))
    assert_same(own(pixels, "ba"), back(pixels))
    assert_same(own(pixels, "ba", strength=0.2), back(pixels, strength=0.2))
    with pytest.raises(OptionError, match="only turns monet into photos"):
        back(pixels, "ab")


def test_a_file_that_differs_is_not_kept(tmp_path, monkeypatch):
    model(tmp_path / "model.safetensors", "upscale", {"G": network("upscale_resnet", width=8, blocks=1)})
    monkeypatch.setattr("translate.export.run.MAX_DIFFERENCE", -1.0)
    with pytest.raises(UserError, match="not written: its output differs"):
        export_both(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.safetensors", "pictures"]
