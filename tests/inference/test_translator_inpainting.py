"""Models that fill holes, as a user calls them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from translate.checkpoints.model_file import export_model
from translate.checkpoints.recipe import Recipe
from translate.images.io import read_picture, save_png, write_picture
from translate.images.picture import Picture
from translate.inference.translator import Translator
from translate.networks import EXPORTABLE
from translate.utils import memory
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import Factory

SIZE, Z = 32, 4
RECIPE = Recipe(
    task="inpaint", nets={}, domains=("photos",), size=SIZE, preset="fast", steps=1, data="none",
    channels={"image": 3, "mask": 1}, directions=(),
)  # fmt: skip


def nets(name="fourier_resnet", channels=3, **options):
    """The real networks, tiny and untrained, their looks made strong enough to be seen."""
    torch.manual_seed(0)
    tiny = {"fourier_resnet": {"width": 8, "trunk": 16, "blocks": 1}, "context_encoder": {"width": 4}}.get(name, {})
    G = Factory({"name": name, **tiny}, EXPORTABLE, "generator")(
        in_channels=channels + 1, out_channels=channels, **options
    )
    for part, parameter in G.named_parameters():
        if "from_z" in part:
            parameter.data.normal_(0, 0.5)
    return nn.ModuleDict({"G": G})


@pytest.fixture(scope="module")
def translator():
    return Translator(RECIPE, nets(z_dim=Z))


def noise(*shape, dtype=np.uint8, seed=0):
    full = np.random.default_rng(seed).random(shape)
    return full.astype(dtype) if np.dtype(dtype).kind == "f" else (full * np.iinfo(dtype).max).astype(dtype)


def patch(height, width, *boxes):
    hole = np.zeros((height, width), bool)
    for top, left, down, across in boxes:
        hole[top : top + down, left : left + across] = True
    return hole


HOLE = patch(37, 43, (10, 12, 9, 11))
FAR = patch(137, 191, (10, 12, 9, 11), (100, 150, 20, 30), (136, 0, 1, 1))


# ---- what stays


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [(), (1,), (3,), (4,)], ids=str)
def test_arrays_of_any_type_keep_all_but_the_hole(translator, dtype, channels):
    for hole in (HOLE, FAR):
        image = noise(*hole.shape, *channels, dtype=dtype)
        before = image.copy()
        result = translator(image, mask=hole)
        assert result.shape == image.shape and result.dtype == dtype and (image == before).all()
        assert (result[~hole] == image[~hole]).all() and (result[hole] != image[hole]).any()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"])
def test_pil_images_of_any_mode_keep_all_but_the_hole(translator, mode):
    base = Image.fromarray(noise(37, 43, 3))
    if mode == "F":
        image = Image.fromarray(noise(37, 43, dtype=np.float32))
    else:
        image = Image.fromarray(noise(37, 43, dtype=np.uint16)).convert(mode) if mode[0] == "I" else base.convert(mode)
    result = translator(image, mask=HOLE)
    assert result.size == image.size and result.mode == ("L" if mode == "1" else mode)
    assert (np.asarray(result)[~HOLE] == np.asarray(image.convert("L") if mode == "1" else image)[~HOLE]).all()


def test_a_file_and_its_mask(translator, tmp_path):
    image = noise(37, 43, 3)
    save_png(tmp_path / "x.png", image)
    Image.fromarray(HOLE).save(tmp_path / "m.png")
    result = translator(tmp_path / "x.png", mask=tmp_path / "m.png")
    assert (np.asarray(result) == translator(image, mask=HOLE)).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_transparent_pixels_are_filled_and_become_opaque(translator, dtype, tmp_path):
    full = np.iinfo(dtype).max
    image = noise(37, 43, 4, dtype=dtype)
    image[..., 3] = np.where(HOLE, image[..., 3] // 2, full)
    write_picture(tmp_path / "x.png", Picture(image[..., :3].copy(), image[..., 3].copy()))
    result = translator(image)
    assert (result[..., 3] == full).all() and (result[~HOLE] == image[~HOLE]).all()
    assert (result == translator(image, mask=HOLE)).all()
    filled = translator.translate_all(read_picture(tmp_path / "x.png"), translator.request())[0]
    assert (np.dstack((filled.pixels, filled.alpha)) == result).all()


def test_a_gray_model_fills_colour_and_a_colour_model_gray():
    gray = Translator(replace(RECIPE, channels={"image": 1, "mask": 1}), nets(channels=1))
    colour = noise(37, 43, 3)
    result = gray(colour, mask=HOLE)
    assert (result[~HOLE] == colour[~HOLE]).all() and (result[HOLE] != colour[HOLE]).any()
    assert (np.ptp(gray(colour[..., :1].repeat(3, axis=2), mask=HOLE), axis=2) == 0).all()
    assert gray(torch.rand(1, 20, 21), mask=patch(20, 21, (5, 5, 5, 5))).shape == (1, 20, 21)


@pytest.mark.parametrize("name", ["context_encoder", "partial_unet", "skip_resnet"])
def test_other_networks(name):
    given = nets(name) if name != "skip_resnet" else translation_nets()
    size = getattr(given["G"], "fixed", 0) or SIZE
    model = Translator(replace(RECIPE, size=size), given)
    for hole in (HOLE, FAR):
        image = noise(*hole.shape, 3)
        result = model(image, mask=hole)
        assert (result[~hole] == image[~hole]).all() and (result[hole] != image[hole]).any()
    assert model.runner.memory.peak_bytes(500, 500) > 0


def translation_nets():
    """A generator that is not told the mask."""
    torch.manual_seed(0)
    G = Factory({"name": "skip_resnet", "width": 8}, EXPORTABLE, "generator")(in_channels=3, out_channels=3)
    return nn.ModuleDict({"G": G})


class Fixed(nn.Module):
    """Takes squares of 48 px alone, and answers white where it was told of the hole."""

    spec, fixed, multiple = {"in_channels": 4}, 48, 16  # noqa: RUF012

    def forward(self, x):
        assert x.shape[1:] == (4, 48, 48), x.shape
        return x[:, 3:].expand(-1, 3, -1, -1)


@pytest.mark.parametrize("precision", ["auto", "fp32", "bf16"])
def test_a_network_of_one_size(precision, monkeypatch):
    monkeypatch.setattr("translate.inference.precision._convolves_faster_in_bf16", lambda: True)
    model = Translator(replace(RECIPE, size=48), nn.ModuleDict({"G": Fixed()}), precision=precision)
    for shape in ((20, 30), (48, 48), (60, 47), (200, 300)):
        hole = patch(*shape, (8, 9, 7, 6))
        image = np.zeros((*shape, 3), np.uint8)
        assert (model(image, mask=hole)[10:14, 11:13] > 200).all()
    assert 0 < model.runner.memory.peak_bytes(48, 48) == model.runner.memory.peak_bytes(40, 30)
    x = torch.zeros(3, 40, 48)
    assert (model(x, mask=patch(40, 48, (8, 9, 7, 6)))[:, 9:14, 10:14] == 1).all()
    with pytest.raises(UserError, match="this model sees 48 x 48 px at once; give a smaller tensor, or an array"):
        model(torch.zeros(3, 40, 49), mask=patch(40, 49, (8, 9, 7, 6)))


# ---- tensors


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_tensors_keep_all_but_the_hole(translator, dtype):
    x = (torch.rand(2, 3, 37, 43) * 2 - 1).to(dtype)
    hole = torch.from_numpy(HOLE)
    for source, masks in ((x[0], (hole, hole[None], HOLE)), (x, (hole, hole[None, None], hole.expand(2, 1, 37, 43)))):
        for mask in masks:
            y = translator(source, mask=mask)
            assert y.shape == source.shape and y.dtype == dtype
            assert torch.equal(y[..., ~hole], source[..., ~hole]) and not torch.equal(y, source)
    both = torch.stack([hole, hole.flip(0)])[:, None]
    y = translator(x, mask=both)
    assert torch.equal(y[1][:, ~both[1, 0]], x[1][:, ~both[1, 0]])
    assert torch.allclose(y[0].float(), translator(x[0], mask=hole).float(), atol=1e-2)
    y.requires_grad_(True).sum().backward()  # it is the user's own


def test_tensors_equal_the_prediction_of_the_task(translator):
    x = torch.rand(1, 3, 32, 48) * 2 - 1
    mask = torch.from_numpy(patch(32, 48, (8, 8, 10, 10)))[None, None]
    from translate.tasks import TASKS

    with torch.inference_mode():
        expected = TASKS["inpaint"].predict(translator.nets, {"image": x, "mask": 2 * mask.float() - 1})
    assert torch.allclose(translator(x, mask=mask), torch.where(mask, expected, x), atol=1e-5)


# ---- several answers


def test_variants_are_functions_of_seed_and_number(translator):
    image = noise(137, 191, 3)
    four = translator(image, mask=FAR, count=4, seed=0)
    assert len(four) == 4 and all((one[~FAR] == image[~FAR]).all() for one in four)
    assert all((four[i] != four[j]).any() for i in range(4) for j in range(i))
    assert (translator(image, mask=FAR, seed=0) == four[0]).all()
    assert (translator(image, mask=FAR, count=2)[1] == four[1]).all()
    usual = translator(image, mask=FAR)
    assert (usual == translator(image, mask=FAR)).all()
    assert (translator(image, mask=FAR, z=np.zeros(Z)) == usual).all()
    assert (translator(image, mask=FAR, z=np.ones((1, Z)))[0] != usual).any()
    tensors = translator(torch.rand(2, 3, 32, 32), mask=patch(32, 32, (8, 8, 8, 8)), count=2)
    assert [y.shape for y in tensors] == [(2, 3, 32, 32)] * 2 and not torch.equal(*tensors)


# ---- mistakes


@pytest.mark.parametrize(
    "wish, error, message",
    [
        ({"direction": "ab"}, OptionError, "this model fills holes, which has no direction; leave --direction out"),
        ({"hints": "x.png"}, OptionError, "this model fills holes and takes no hints; leave them out"),
        ({"scale": "native"}, OptionError, "chooses the scale by the hole; leave the scale out"),
        ({"count": 0}, OptionError, "count 0 is out of range"),
        ({"z": [1.0]}, OptionError, "z has shape (1,); this model takes (4,)"),
        ({"mask": HOLE[:9]}, UserError, "the mask: the mask is 43 x 9 px, the picture 43 x 37 px; make them one size"),
        ({"mask": HOLE & False}, UserError, "the mask: is empty: there is no hole to fill"),
        ({"mask": HOLE | True}, UserError, "the mask: covers all of the picture: nothing is known to go by"),
        ({"mask": "nowhere.png"}, UserError, "nowhere.png: cannot be read as an image"),
        ({}, UserError, "the array: has no hole: give a mask (--masks), or make the hole transparent"),
    ],
)
def test_mistakes_are_one_line(translator, wish, error, message):
    with pytest.raises(error) as caught:
        translator(noise(37, 43, 3), **({"mask": HOLE} | wish if wish else {}))
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_tensors_need_a_mask(translator):
    with pytest.raises(UserError, match="the tensor: has no hole: give a mask"):
        translator(torch.zeros(3, 8, 8))
    with pytest.raises(UserError, match=r"give \(3, H, W\) or \(B, 3, H, W\)"):
        translator(torch.zeros(4, 8, 8), mask=patch(8, 8, (1, 1, 2, 2)))
    with pytest.raises(OptionError, match="this model cannot read the look of a picture"):
        translator.look(noise(8, 8, 3))


def test_other_models_take_no_mask():
    cycle = Recipe(task="cycle", nets={}, domains=("a", "b"), size=64, preset="fast", steps=1, data="none")
    model = Translator(cycle, nn.ModuleDict({"G_ab": nn.Identity(), "G_ba": nn.Identity()}))
    for image in (noise(37, 43, 3), torch.zeros(3, 37, 43)):
        with pytest.raises(OptionError, match="this model fills no holes; leave the mask out"):
            model(image, mask=HOLE)
    assert not model.masked and (model(noise(37, 43, 3)) == noise(37, 43, 3)).all()


def test_a_deterministic_model():
    model = Translator(RECIPE, nets("partial_unet", width=4, size=SIZE))
    assert model.z_dim == 0 and not model.random
    with pytest.raises(OptionError, match="this model has one answer per picture; leave out count"):
        model(noise(37, 43, 3), mask=HOLE, count=2)


# ---- files, memory and precision


def test_a_saved_model_equals_the_networks_in_memory(translator, tmp_path):
    given = nets(z_dim=Z)
    recipe = replace(RECIPE, nets={"G": given["G"].spec})
    export_model(given, recipe, tmp_path / "run" / "model.safetensors")
    loaded = Translator.load(tmp_path / "run", "cpu", "fp32")
    assert loaded.masked and loaded.recipe.directions == () and loaded.z_dim == Z and loaded.random
    image = noise(37, 43, 3)
    different = loaded(image, mask=HOLE).astype(int) - translator(image, mask=HOLE)
    assert np.abs(different).max() <= 1


@pytest.mark.parametrize("precision", ["auto", "bf16"])
def test_precision_is_picked(precision, monkeypatch):
    monkeypatch.setattr("translate.inference.precision._convolves_faster_in_bf16", lambda: True)
    model = Translator(RECIPE, nets(z_dim=Z), precision=precision)
    image = noise(37, 43, 3)
    assert model.precision in ("bf16", "fp32") and (model(image, mask=HOLE)[~HOLE] == image[~HOLE]).all()


def test_only_the_windows_take_memory(translator, monkeypatch):
    assert 4 * 8 < translator.runner.memory.peak_bytes(1024, 1024) / 1024**2 < 4000
    monkeypatch.setattr(memory, "free_bytes", lambda device: 10**6)
    large = np.zeros((1500, 1600, 3), np.uint8)
    hole = patch(1500, 1600, (1000, 1000, 20, 30))
    assert (translator(large, mask=hole)[~hole] == 0).all()
    with pytest.raises(UserError, match="the tensor: 1100 x 1000 px would need about"):
        translator(torch.zeros(3, 1000, 1100), mask=patch(1000, 1100, (10, 10, 20, 30)))
