"""Files of 16 and 8 bits, and other formats."""

import sys

import pytest
import torch

from tests.export.models import model, network, pictures
from translate.export.run import ExportOptions, export_model
from translate.utils.errors import OptionError, UserError


@pytest.fixture
def plain(tmp_path):
    model(tmp_path / "model.safetensors", "cut", {"G": network("resnet_6blocks", width=16)})
    return tmp_path / "model.safetensors", pictures(tmp_path / "pictures")


def test_half_and_int8_are_smaller_and_near(plain, tmp_path):
    file, folder = plain
    full = export_model(file, tmp_path / "full.onnx", ExportOptions(pictures=folder))
    half = export_model(file, tmp_path / "half.onnx", ExportOptions(pictures=folder, half=True))
    assert half.size < 0.6 * full.size and min(row.psnr for row in half.rows) > 45
    options = ExportOptions(pictures=folder, int8=True, min_psnr=10)
    small = export_model(file, tmp_path / "int8.onnx", options)
    assert small.size < 0.45 * full.size and small.recipe.precision == "int8"
    worst = min(row.psnr for row in small.rows)
    assert 10 < worst < min(row.psnr for row in half.rows)
    with pytest.raises(UserError, match=f"--min-psnr {int(worst)}"):
        export_model(file, tmp_path / "no.onnx", ExportOptions(pictures=folder, int8=True, min_psnr=worst + 1))
    assert not (tmp_path / "no.onnx").exists() and not (tmp_path / "no.json").exists()


def test_pt2_runs_where_torch_is(plain, tmp_path):
    file, folder = plain
    made = export_model(file, tmp_path / "x.pt2", ExportOptions(pictures=folder, format="pt2"))
    assert max(row.difference for row in made.rows) < 1e-4
    extra = {"image-translate.json": ""}
    module = torch.export.load(tmp_path / "x.pt2", extra_files=extra).module()
    assert (
        module(torch.randn(3, 3, 40, 64)).shape == (3, 3, 40, 64) and '"task": "cut"' in extra["image-translate.json"]
    )


@pytest.mark.parametrize(
    ("output", "options", "reason"),
    [
        ("x.pt2", {}, "ends in .onnx"),
        ("x.onnx", {"format": "pt2"}, "ends in .pt2"),
        ("x.pt2", {"format": "pt2", "half": True}, "--half and --int8 are for --format onnx"),
        ("x.onnx", {"direction": "ba"}, "direction ab alone"),
        ("x.onnx", {"pictures": ""}, "--pictures FOLDER"),
    ],
)
def test_options_that_do_not_fit_are_named(plain, tmp_path, output, options, reason):
    file, folder = plain
    with pytest.raises(OptionError, match=reason):
        export_model(file, tmp_path / output, ExportOptions(**{"pictures": folder} | options))
    with pytest.raises(OptionError, match="one of them"):
        ExportOptions(half=True, int8=True)


def test_a_missing_package_is_named(plain, tmp_path, monkeypatch):
    file, folder = plain
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setattr("translate.export.formats.find_spec", lambda name: None if name == "openvino" else name)
    with pytest.raises(UserError, match=r"openvino; install it: pip install 'image-translate\[export\]' 'openvino'"):
        export_model(file, tmp_path / "x.xml", ExportOptions(pictures=folder, format="openvino"))
