"""Models of super-resolution as ONNX files, and what has no file or no page."""

import cv2
import numpy as np
import pytest

from tests.conftest import picture
from tests.export.models import model, network, pictures
from translate import Translator
from translate.export.run import ExportOptions, export_model
from translate.export.site import export_page
from translate.images.io import read_picture
from translate.images.label_maps import Classes
from translate.inference.onnx.folder import translate_folder
from translate.inference.options import FolderOptions
from translate.utils.errors import OptionError, UserError


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The folder of a model that triples, and of its file."""
    root = tmp_path_factory.mktemp("upscale")
    model(root / "model.safetensors", "upscale", {"G": network("upscale_resnet", width=8, blocks=1, detail=4, scale=3)})
    made = export_model(
        root / "model.safetensors", root / "x.onnx", ExportOptions(pictures=pictures(root / "pictures"))
    )
    return root, made


def test_a_file_enlarges_as_the_model_does(exported):
    root, made = exported
    assert made.recipe.kind == "upscale" and made.recipe.scale == 3 and max(row.difference for row in made.rows) < 1e-4
    assert len(made.rows) == 4 and any("3 times as wide" in step for step in made.recipe.postprocess)
    own, file = Translator.load(root / "model.safetensors", "cpu", "fp32"), Translator.load(root / "x.onnx", "cpu")
    assert file.scale == 3
    pixels = np.dstack((picture(1, 21, 34), picture(2, 21, 34)[..., 0]))
    for options in ({}, {"consistent": True}):
        expected, found = own(pixels, **options), file(pixels, **options)
        assert found.shape == (63, 102, 4) and np.abs(expected.astype(int) - found).max() <= 1
    means = file(pixels, consistent=True).reshape(21, 3, 34, 3, 4).mean((1, 3))
    np.testing.assert_array_equal(np.rint(means), pixels)
    for options, reason in (
        ({"direction": "ab"}, "enlarges pictures, which has no direction"),
        ({"seed": 1}, "one answer per picture"),
    ):
        with pytest.raises(OptionError, match=reason):
            file(pixels, **options)
    with pytest.raises(UserError, match="consistent is for 8 and 16 bits"):
        file(pixels / np.float32(255), consistent=True)


def test_folders_are_enlarged(exported, tmp_path):
    root, _ = exported
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "deep.png"), picture(3, 20, 26).astype(np.uint16) * 257)
    translator = Translator.load(root / "x.onnx", "cpu")
    options = FolderOptions(progress=False, consistent=True)
    report = translate_folder(translator, tmp_path / "in", tmp_path / "out", options)
    assert report.done == 1 and read_picture(tmp_path / "out" / "deep.png").pixels.shape == (60, 78, 3)
    cv2.imwrite(str(tmp_path / "in" / "lossy.jpg"), picture(3, 20, 26))
    with pytest.raises(OptionError, match="--consistent: .* say --format png"):
        translate_folder(translator, tmp_path / "in", tmp_path / "other", options)


def test_what_has_no_page_or_no_file_says_so(exported, tmp_path):
    root, _ = exported
    with pytest.raises(UserError, match="of the task 'upscale' has no page yet; leave --page out"):
        export_page(root / "model.safetensors", tmp_path / "site", ExportOptions())
    classes = Classes(form="gray", key="index", values=(0, 255), colours=(0, 0xFFFFFF), names=("sky", "sea"))
    net = network("skip_resnet", width=8, trunk=8, blocks=1, out_channels=2)
    file = tmp_path / "model.safetensors"
    model(file, "pix2pix_labels", {"G": net}, channels={"a": 3, "b": 2}, facts={"maps": {"b": classes.to_facts()}})
    for make, place in ((export_page, "site"), (export_model, "x.onnx")):
        with pytest.raises(UserError, match="one-hot label maps, which exported files do not know yet"):
            make(file, tmp_path / place, ExportOptions())
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
