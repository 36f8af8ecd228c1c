"""Pictures of any number of channels through a model: arrays, files, folders, and models trained on them."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageCms
from torch import nn

from translate.checkpoints.model_file import read_recipe
from translate.checkpoints.recipe import Recipe
from translate.images.io import read_picture, write_picture
from translate.images.picture import Picture
from translate.inference.folder.run import translate_folder
from translate.inference.options import FolderOptions
from translate.inference.postprocess import postprocess
from translate.inference.translator import Translator
from translate.networks import EXPORTABLE
from translate.training.config import load_config
from translate.training.loop import train
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import Factory

QUIET = FolderOptions(progress=False)

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
RNG = np.random.default_rng(0)


class Negative(nn.Module):
    multiple = 4

    def forward(self, x):
        return -x


class Bands(nn.Module):
    """Gives so many channels: its input's first, again and again."""

    multiple = 4

    def __init__(self, count):
        super().__init__()
        self.count = count

    def forward(self, x):
        return x[:, :1].expand(-1, self.count, -1, -1)


def model(a, b, ab=None, ba=None, **facts):
    recipe = Recipe(
        task="cycle", nets={}, domains=("a", "b"), size=32, preset="fast", steps=1, data="",
        channels={"a": a, "b": b}, facts=facts,
    )  # fmt: skip
    return Translator(recipe, nn.ModuleDict({"G_ab": ab or Negative(), "G_ba": ba or Negative()}))


def blobs(count, height=40, width=48, seed=0):
    rng = np.random.default_rng([seed, count])
    planes = [cv2.resize(rng.random((5, 6), np.float32), (width, height)) for _ in range(count)]
    return np.dstack(planes) if count > 1 else planes[0]


# ---- one picture


@pytest.mark.parametrize("channels", [2, 4, 5, 9])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_arrays_of_bands(channels, dtype):
    scale = np.iinfo(dtype).max if dtype[0] == "u" else 1
    array = (blobs(channels, 13, 18) * scale).astype(dtype)
    result = model(channels, channels)(array)
    assert result.shape == array.shape and result.dtype == array.dtype
    np.testing.assert_allclose(result, scale - array, atol=1 if dtype[0] == "u" else 1e-6)


def test_four_channels_are_bands_only_for_a_model_of_four():
    array = (blobs(4) * 255).astype(np.uint8)
    assert np.array_equal(model(4, 4)(array), 255 - array)
    made = model(3, 3)(array)
    assert np.array_equal(made[..., :3], 255 - array[..., :3]) and np.array_equal(made[..., 3], array[..., 3])


@pytest.mark.parametrize("has, takes", [(5, 3), (3, 5), (2, 1), (4, 6)])
def test_channels_that_do_not_fit_name_both_numbers(tmp_path, has, takes):
    write_picture(tmp_path / "x.tif", Picture((blobs(has) * 255).astype(np.uint8)))
    with pytest.raises(UserError, match=rf"x\.tif: has {has} channels, but this model takes {takes}; give it"):
        model(takes, takes)(tmp_path / "x.tif")


def test_files_of_bands_give_arrays_and_the_rest_pil_images(tmp_path):
    write_picture(tmp_path / "x.tif", Picture(blobs(5)))
    np.save(tmp_path / "x.npy", blobs(3))
    assert isinstance(model(5, 5)(tmp_path / "x.tif"), np.ndarray)
    assert model(3, 3)(tmp_path / "x.npy").dtype == np.float32
    result = model(5, 3, Bands(3))(tmp_path / "x.tif")
    assert isinstance(result, Image.Image) and result.mode == "RGB"


def test_a_result_has_the_channels_of_its_domain(tmp_path):
    gray = (blobs(1) * 255).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "gray.png"), gray)
    to_colour, to_gray = model(1, 3, Bands(3)), model(3, 1, Bands(1))
    assert to_colour(tmp_path / "gray.png").mode == "RGB"
    Image.fromarray(gray).convert("RGB").save(tmp_path / "rgb.png")
    assert to_gray(tmp_path / "rgb.png").mode == "L"


def test_bands_are_resized_for_a_model_that_sees_whole_pictures():
    translator = model(7, 7)
    whole = Recipe(**{**vars(translator.recipe), "whole": True})
    seen = Translator(whole, nn.ModuleDict({"G_ab": Negative(), "G_ba": Negative()}))
    array = blobs(7, 50, 80)
    result = seen(array)
    assert result.shape == array.shape and np.abs(result - (1 - array)).mean() < 0.02


def test_the_value_range_is_that_of_the_model_unless_given():
    array = (blobs(1) * 4000 - 1000).astype(np.int16)
    result = model(1, 1, value_range="-1000,3000")(array)
    assert result.dtype == np.int16 and np.abs(result.astype(int) - (2000 - array)).max() <= 1
    with pytest.raises(UserError, match="type int16"):
        model(1, 1)(array)


def test_only_unpaired_models_keep_the_colour_profile():
    like = Picture((blobs(3) * 255).astype(np.uint8), icc=SRGB, dpi=(300, 300))
    made = 255 - like.pixels
    for paired, icc in ((False, SRGB), (True, None)):
        result = postprocess(made, like, paired)
        assert result.icc == icc and result.dpi == (300, 300)


# ---- folders


def test_a_folder_of_all_kinds(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    colour = (blobs(4) * 255).astype(np.uint8)
    Image.fromarray(colour).save(source / "alpha.png", icc_profile=SRGB)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(colour[..., :3]).save(source / "turned.jpg", exif=exif, icc_profile=SRGB, quality=95)
    write_picture(source / "deep.tif", Picture((blobs(3) * 65535).astype(np.uint16), icc=SRGB))
    np.save(source / "data.npy", blobs(3))
    write_picture(source / "five.tif", Picture(blobs(5)))
    report = translate_folder(model(3, 3), source, tmp_path / "out", QUIET)
    assert [failure.path.name for failure in report.failures] == ["five.tif"]
    alpha, turned, deep = (read_picture(tmp_path / "out" / name) for name in ("alpha.png", "turned.jpg", "deep.tif"))
    assert alpha.icc == turned.icc == deep.icc == SRGB
    assert np.array_equal(alpha.alpha, colour[..., 3]) and np.array_equal(alpha.pixels, 255 - colour[..., :3])
    assert turned.pixels.shape == (48, 40, 3)
    assert np.abs(turned.pixels.astype(int) - np.rot90(255 - colour[..., :3], -1)).mean() < 3
    given = read_picture(source / "deep.tif").pixels
    assert deep.pixels.dtype == np.uint16 and np.abs(deep.pixels.astype(int) - (65535 - given.astype(int))).max() <= 1
    np.testing.assert_allclose(np.load(tmp_path / "out" / "data.npy"), 1 - blobs(3), atol=1e-6)


def test_a_folder_of_bands_and_formats_that_cannot_hold_them(tmp_path):
    (tmp_path / "in").mkdir()
    write_picture(tmp_path / "in" / "x.tif", Picture((blobs(5) * 65535).astype(np.uint16)))
    write_picture(tmp_path / "in" / "y.png", Picture((blobs(3) * 255).astype(np.uint8)))
    report = translate_folder(model(5, 2, Bands(2)), tmp_path / "in" / "x.tif", tmp_path / "out", QUIET)
    stored = tifffile.imread(tmp_path / "out" / "x.tif")
    assert report.done == 1 and stored.shape == (40, 48, 2) and stored.dtype == np.uint16
    back = translate_folder(model(3, 5, Bands(5)), tmp_path / "in" / "y.png", tmp_path / "back", QUIET)
    assert "PNG has no room for 5 channels; use .tif (--format tif) or .npy" in str(back.failures)
    as_tif = translate_folder(
        model(3, 5, Bands(5)), tmp_path / "in" / "y.png", tmp_path / "tif", replace(QUIET, format="tif")
    )
    assert as_tif.done == 1 and read_picture(tmp_path / "tif" / "y.tif").channels == 5


# ---- training


def test_training_on_five_bands_and_rgb(tmp_path, tiny, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "five").mkdir(), (tmp_path / "rgb").mkdir()
    for i in range(11):
        write_picture(f"five/{i}.tif", Picture((blobs(5, seed=i) * 65535).astype(np.uint16)))
        write_picture(f"rgb/{i}.png", Picture((blobs(3, seed=i) * 255).astype(np.uint8)))
    layer = {"data": {"a": "five", "b": "rgb"}, "train": {"steps": 3}, "method": {"lambda_identity": 0.5}}
    out = train(load_config("cycle", "fast", tiny, layer))
    assert read_recipe(out / "model.safetensors").channels == {"a": 5, "b": 3}
    translator = Translator.load(out, "cpu", "fp32")
    painted = translator("five/3.tif")
    assert painted.size == (48, 40) and painted.mode == "RGB"
    back = translator("rgb/3.png", direction="ba")
    assert back.shape == (40, 48, 5) and back.dtype == np.uint8
    assert (out / "samples" / "step_0000003.png").exists()


def test_training_with_a_value_range(tmp_path, tiny, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        (tmp_path / name).mkdir()
        for i in range(11):
            np.save(tmp_path / name / f"{i}.npy", (blobs(1, seed=ord(name) + i) * 4000 - 1000).astype(np.int16))
    layer = {"data": {"a": "a", "b": "b"}, "train": {"steps": 2}}
    with pytest.raises(UserError, match=r"say --value-range -698,2708 if"):
        train(load_config("cycle", "fast", tiny, layer))
    out = train(load_config("cycle", "fast", tiny, layer, {"data": {"value_range": "-1000,3000"}}))
    translator = Translator.load(out, "cpu", "fp32")
    result = translator("a/3.npy")
    assert translator.values == (-1000, 3000) and result.dtype == np.int16 and result.shape == (40, 48)
    assert Translator.load(out, "cpu", "fp32", value_range="0,9").values == (0, 9)
    with pytest.raises(OptionError, match="--value-range 'nine'"):
        load_config("cycle", "fast", {"data": {"value_range": "nine"}})


def test_pairs_of_bands_and_deep_gray(tmp_path, tiny, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for i in range(11):
        write_picture(f"a/{i}.tif", Picture(blobs(5, seed=i)))
        deep = (blobs(1, seed=i) * 65535).astype(np.uint16)[..., None].repeat(3, axis=2)
        write_picture(f"b/{i}.png", Picture(deep, gray=True))
    layer = {"data": {"a": "a", "b": "b", "crop": 32, "size": 32}, "train": {"steps": 2}, "generator": {"width": 8}}
    out = train(load_config("pix2pix", "fast", {"train": tiny["train"]}, layer, {"discriminator": {"width": 4}}))
    assert read_recipe(out / "model.safetensors").channels == {"a": 5, "b": 1}
    result = Translator.load(out, "cpu", "fp32")("a/3.tif")
    assert result.mode == "F" and result.size == (48, 40)


def test_a_skip_between_other_channels_starts_from_the_mean():
    torch.manual_seed(0)
    net = Factory({"name": "skip_resnet", "width": 8, "trunk": 8, "blocks": 1}, EXPORTABLE, "generator")(
        in_channels=5, out_channels=3
    )
    x = torch.rand(1, 5, 32, 32) * 2 - 1
    near = net(x) - x.mean(1, keepdim=True)
    assert net(x).shape == (1, 3, 32, 32) and near.abs().mean() < 0.1
