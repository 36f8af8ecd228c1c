"""Models that make pictures as ONNX files."""

import numpy as np
import onnxruntime
import pytest
import torch

from tests.export.models import model, network
from translate import Translator
from translate.export.run import export_model
from translate.utils.errors import UserError


def test_samples_with_labels(tmp_path):
    net = network("style_synthesis", size=32, width=4, classes=3, grow=True)
    model(
        tmp_path / "model.safetensors", "generate", {"G": net}, channels={"image": 3, "label": 3},
        facts={"classes": ["cat", "dog", "owl"]},
    )  # fmt: skip
    made = export_model(tmp_path / "model.safetensors", tmp_path / "x.onnx")
    assert made.recipe.kind == "generate" and made.recipe.classes == ("cat", "dog", "owl")
    session = onnxruntime.InferenceSession(made.file)
    z, label = torch.randn(5, 64), torch.eye(3)[[0, 1, 2, 0, 1]]
    [found] = session.run(None, {"z": z.numpy(), "label": label.numpy()})
    with torch.inference_mode():
        np.testing.assert_allclose(found, net(z, label).numpy(), atol=1e-4)
    with pytest.raises(UserError, match="makes pictures from z"):
        Translator.load(made.file)
