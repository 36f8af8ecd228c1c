"""Models of pairs: one way, other channels than they take, many answers, hints, sketches, whole pictures."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from translate.checkpoints.model_file import export_model
from translate.checkpoints.recipe import Recipe
from translate.images.io import save_png
from translate.inference.translator import Translator
from translate.networks import EXPORTABLE
from translate.tasks.pix2pix import typical_code
from translate.utils import memory
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import Factory

RECIPE = Recipe(
    task="pix2pix", nets={}, domains=("sketches", "photos"), size=32, preset="fast", steps=1, data="none",
    channels={"a": 1, "b": 3}, directions=("ab",),
)  # fmt: skip
Z = 4


def build(spec, **fixed):
    return Factory(spec, EXPORTABLE, "generator")(**fixed)


def style_nets(source=1, target=3, z_dim=Z):
    """The real networks with many answers, tiny and untrained, their looks made strong enough to be seen."""
    torch.manual_seed(0)
    spec = {"name": "style_resnet", "width": 8, "downs": 1, "blocks": 1, "style_dim": 8}
    G = build(spec, in_channels=source, out_channels=target, **({"z_dim": z_dim} if z_dim else {}))
    for name, parameter in G.named_parameters():
        if "from_style" in name or "mapping" in name or "head" in name:
            parameter.data.normal_(0, 0.5)
    if not z_dim:
        return nn.ModuleDict({"G": G})
    E = build({"name": "style_encoder", "width": 4}, in_channels=target, z_dim=z_dim)
    return nn.ModuleDict({"G": G, "E": E})


def unet_nets(dropout, levels=5):
    torch.manual_seed(0)
    spec = {"name": "unet_256", "width": 4, "levels": levels, "dropout": dropout}
    return nn.ModuleDict({"G": build(spec, in_channels=1, out_channels=3)})


@pytest.fixture(scope="module")
def translator():
    return Translator(RECIPE, style_nets())


class Shown(nn.Module):
    """Keeps what it is given, and answers with the first channel in three."""

    multiple, z_dim, random = 4, 0, False

    def forward(self, x):
        self.seen = x.clone()
        return x[:, :1].expand(-1, 3, -1, -1)


def shown(**changes):
    net = Shown()
    return Translator(replace(RECIPE, **changes), nn.ModuleDict({"G": net})), net


def noise(*shape, dtype=np.uint8, seed=0):
    full = np.random.default_rng(seed).random(shape)
    return full.astype(dtype) if np.dtype(dtype).kind == "f" else (full * np.iinfo(dtype).max).astype(dtype)


def drawing(size=(32, 32), width=2):
    """Dark lines on white, (H, W) uint8."""
    page = np.full(size, 255, np.uint8)
    height, across = size
    cv2.ellipse(page, (across // 2, height // 2), (across // 3, height // 4), 10, 0, 360, 30, width)
    cv2.line(page, (across // 5, height // 2), (4 * across // 5, height // 2), 30, width)
    return page


def saved(path, array):
    Image.fromarray(array).save(path)
    return path


# ---- channels and kinds


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [(), (1,), (3,), (4,)], ids=str)
def test_any_array_becomes_rgb_of_the_same_type(translator, dtype, channels):
    image = noise(17, 22, *channels, dtype=dtype)
    result = translator(image)
    assert result.shape == (17, 22, 3) and result.dtype == dtype
    assert np.ptp(result.astype(np.float64), axis=2).max() > 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I"])
def test_any_pil_image_becomes_rgb(translator, mode):
    base = Image.fromarray(noise(17, 22, 3))
    image = base.convert(mode) if mode[0] != "I" else Image.fromarray(noise(17, 22, dtype=np.uint16)).convert(mode)
    result = translator(image)
    assert result.size == (22, 17) and result.mode == "RGB"


def test_the_network_gets_the_channels_of_the_source():
    colour, net = noise(8, 12, 3), None
    one, net = shown()
    assert (one(colour)[..., 0] == cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)).all() and net.seen.shape[1] == 1
    three, net = shown(channels={"a": 3, "b": 3})
    three(colour[..., 0])
    assert net.seen.shape[1] == 3


def test_a_gray_result_keeps_the_shape_of_the_array():
    class Gray(nn.Module):
        z_dim, random = 0, False

        def forward(self, x):
            return x[:, :1]

    model = Translator(replace(RECIPE, channels={"a": 3, "b": 1}), nn.ModuleDict({"G": Gray()}))
    colour = noise(17, 16, 3)
    assert (model(colour) == colour[..., :1]).all() and model(colour).shape == colour.shape
    assert model(noise(17, 16)).shape == (17, 16) and model(noise(17, 16, 1)).shape == (17, 16, 1)
    assert model(noise(17, 16, 4)).shape == (17, 16, 3)
    assert model(Image.fromarray(colour)).mode == "L"


def test_transparent_pixels_are_composited_on_white():
    model, net = shown()
    image = np.zeros((8, 8, 4), np.uint8)
    image[2:4, 2:4, 3] = 255  # black, the rest clear
    assert (model(image)[..., 0] == 255 * (image[..., 3] == 0)).all()
    for picture in (Image.fromarray(image), Image.fromarray(image).convert("LA")):
        result = model(picture)
        assert result.mode == "RGB" and (np.asarray(result)[..., 0] == model(image)[..., 0]).all()


def test_tensors_have_the_channels_of_the_domains(translator):
    x = torch.rand(2, 1, 17, 22) * 2 - 1
    result = translator(x)
    assert result.shape == (2, 3, 17, 22) and translator(x[0]).shape == (3, 17, 22)
    assert torch.allclose(translator(x[0]), result[0], atol=1e-5)
    assert translator(x.double()).dtype == torch.float64
    many = translator(x, count=2)
    assert [y.shape for y in many] == [(2, 3, 17, 22)] * 2
    with pytest.raises(UserError, match=r"tensor of shape \(3, 8, 8\) .* give \(1, H, W\) or \(B, 1, H, W\)"):
        translator(torch.zeros(3, 8, 8))


def test_any_number_of_source_channels():
    class Two(Shown):
        pass

    model = Translator(replace(RECIPE, channels={"a": 5, "b": 3}), nn.ModuleDict({"G": Two()}))
    assert model(torch.zeros(5, 8, 8)).shape == (3, 8, 8)
    with pytest.raises(UserError, match="the array: has 3 channels, but this model takes 5; give it pictures of 5"):
        model(noise(8, 8, 3))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 300), (31, 33), (70, 40)], ids=str)
@pytest.mark.parametrize("nets", [style_nets, lambda: unet_nets(0.5)], ids=["style", "unet"])
def test_any_size_with_networks_of_any_multiple(nets, size):
    result = Translator(RECIPE, nets())(noise(*size))
    assert result.shape == (*size, 3)


# ---- one way


@pytest.mark.parametrize("way", ["ab", "ba"])
def test_a_one_way_model_has_one_direction(way):
    model, net = shown(directions=(way,), domains=("street_maps", "aerial_photos"), channels={"a": 3, "b": 3})
    image = noise(8, 8, 3)
    assert (model(image) == model(image, way)).all() and net.seen.shape == (1, 3, 16, 16)
    for other in ({"ab": "ba", "ba": "ab"}[way], "up"):
        message = rf"only turns street_maps into aerial_photos \(it was trained with --direction {way}\); leave --dir"
        with pytest.raises(OptionError, match=message):
            model(image, direction=other)


# ---- answers


def test_the_default_result_is_deterministic_and_typical(translator):
    image, state = noise(32, 32), torch.get_rng_state()
    assert (translator(image) == translator(image)).all()
    typical = typical_code(translator.nets["E"].looks)
    assert (translator(image) == translator(image, z=typical)).all()
    translator(image, count=2, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert translator.random and translator.z_dim == Z


def test_variants_are_reproducible_and_differ(translator):
    image = noise(32, 32)
    four = translator(image, count=4, seed=7)
    assert isinstance(four, list) and len(four) == 4
    assert all((a == b).all() for a, b in zip(translator(image, count=2, seed=7), four, strict=False))
    assert (translator(image, seed=7) == four[0]).all() and len(translator(image, count=1)) == 1
    assert all((four[i] != four[j]).mean() > 0.1 for i in range(4) for j in range(i))
    assert (translator(image, seed=8) != four[0]).any()


def test_variant_k_has_the_same_style_on_every_picture(translator, monkeypatch):
    seen = []
    G = translator.nets["G"]
    original = G.forward
    monkeypatch.setattr(G, "forward", lambda x, z=None: (seen.append(z.clone()), original(x, z))[1])
    translator(noise(32, 32), count=2, seed=3)
    translator(torch.zeros(3, 1, 16, 16), count=2, seed=3)
    assert torch.equal(seen[0], seen[2][:1]) and torch.equal(seen[1], seen[3][:1])
    assert torch.equal(seen[2], seen[0].expand(3, -1)) and not torch.equal(seen[0], seen[1])


def test_style_codes_are_encoded_and_applied(translator):
    photo, image = noise(32, 32, 3, seed=1), noise(32, 32)
    z = translator.look(photo)
    assert z.shape == (Z,) and z.dtype == np.float32
    x = torch.from_numpy(photo).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.no_grad():
        assert np.allclose(z, translator.nets["E"](x)[0][0], atol=1e-5)
    assert np.allclose(translator.look(Image.fromarray(photo)), z) and np.allclose(translator.look(x), z, atol=1e-5)
    assert translator.look(torch.cat([x, x])).shape == (2, Z)
    typical = typical_code(translator.nets["E"].looks).numpy()
    answers = translator(image, z=np.stack([z, typical]))
    assert (answers[0] == translator(image, z=z)).all() and (answers[1] == translator(image)).all()
    assert translator.look(noise(5, 900, 3)).shape == (Z,) and translator.look(noise(9, 9)).shape == (Z,)
    with pytest.raises(UserError, match=r"no\.png: cannot be read"):
        translator.look("no.png")
    with pytest.raises(UserError, match=r"tensor of shape \(1, 8, 8\)"):
        translator.look(torch.zeros(1, 8, 8))


def test_dropout_gives_variants():
    state = torch.get_rng_state()
    model, image = Translator(RECIPE, unet_nets(0.5, levels=6)), noise(64, 64)
    torch.set_rng_state(state)
    assert model.random and model.z_dim == 0
    assert (model(image) == model(image)).all()
    one, two = model(image, count=2, seed=1)
    assert (one != two).any() and (one == model(image, seed=1)).all()
    assert torch.equal(torch.get_rng_state(), state)
    x = torch.stack([torch.rand(1, 64, 64), torch.rand(1, 64, 64)])
    for options in ({}, {"seed": 2}):  # nobody's answer depends on what else is in the batch
        assert torch.allclose(model(x, **options)[1], model(x[1], **options), atol=1e-5)
    with pytest.raises(OptionError, match="has no z"):
        model(image, z=np.zeros(Z))
    with pytest.raises(OptionError, match="cannot read the look of a picture"):
        model.look(noise(8, 8, 3))


def test_a_deterministic_model_refuses_count_and_seed():
    model = Translator(RECIPE, style_nets(z_dim=0))
    assert not model.random and model.z_dim == 0 and (model(noise(8, 8)) == model(noise(8, 8))).all()
    for options in ({"count": 3}, {"seed": 0}):
        with pytest.raises(OptionError, match="this model has one answer per picture"):
            model(noise(8, 8), **options)


def test_wrong_requests_are_refused_before_the_pass(translator, monkeypatch):
    monkeypatch.setattr(translator.nets["G"], "forward", lambda *_: pytest.fail("worked for nothing"))
    for options in ({"count": 0}, {"count": -1}, {"z": np.zeros(Z + 1)}, {"scale": "big"}, {"hints": noise(8, 8, 4)}):
        with pytest.raises(OptionError):
            translator(noise(8, 8), **options)


# ---- hints


@pytest.fixture(scope="module")
def hinted():
    return Translator(replace(RECIPE, channels={"a": 1, "b": 3, "hint": 4}), style_nets(source=5))


def strokes(size=(32, 32), colour=(250, 20, 20)):
    layer = np.full((*size, 4), 255, np.uint8)  # clear white
    layer[..., 3] = 0
    layer[10:20, 8:24] = (*colour, 255)
    return layer


def test_hints_of_any_kind_change_the_result(hinted, tmp_path):
    image, layer = drawing(), strokes()
    plain, result = hinted(image), hinted(image, hints=layer)
    assert (plain != result).any() and (result != hinted(image, hints=strokes(colour=(20, 20, 250)))).any()
    path = saved(tmp_path / "layer.png", layer)
    for other in (path, str(path), Image.fromarray(layer)):
        assert (hinted(image, hints=other) == result).all()
    assert (np.asarray(hinted(saved(tmp_path / "x.png", image), hints=path)) == result).all()
    x = torch.from_numpy(image)[None, None] / 127.5 - 1
    y = hinted(x, hints=layer)[0].permute(1, 2, 0).add(1).mul(127.5)
    assert np.abs(y.numpy() - result).max() < 1


def test_an_empty_layer_is_no_hint(hinted):
    image, clear = drawing(), strokes()
    clear[..., 3] = 0
    assert (hinted(image, hints=clear) == hinted(image)).all()
    assert len(hinted(image, hints=strokes(), count=2)) == 2


def test_hints_reach_the_network_as_in_training():
    model, net = shown(channels={"a": 1, "b": 3, "hint": 4})
    model(drawing((30, 30)), hints=strokes((30, 30)))
    assert net.seen.shape == (1, 5, 32, 32)
    colour, belief = net.seen[0, 1:4, 1:31, 1:31], net.seen[0, 4, 1:31, 1:31]
    expected = torch.tensor([250, 20, 20]) / 127.5 - 1
    assert (belief[10:20, 8:24] == 1).all() and (belief[0] < 1).all()  # certain where they are, and fainter elsewhere
    assert torch.allclose(colour[:, 10:20, 8:24], expected[:, None, None], atol=1e-6)
    assert torch.allclose(colour, expected[:, None, None] * (belief + 1) / 2, atol=1e-5)


def test_hints_that_do_not_fit(hinted, translator, tmp_path):
    with pytest.raises(
        UserError, match="the array: the hints are 20 x 10 px, the picture is 32 x 32 px; make them one"
    ):
        hinted(drawing(), hints=noise(10, 20, 4))
    path = saved(tmp_path / "opaque.png", noise(32, 32, 3))
    with pytest.raises(UserError, match=r"opaque\.png: the hints have no transparency"):
        hinted(drawing(), hints=path)
    with pytest.raises(UserError, match=r"missing\.png: cannot be read"):
        hinted(drawing(), hints=tmp_path / "missing.png")
    with pytest.raises(UserError, match="a int is no picture"):
        hinted(drawing(), hints=3)
    for image in (drawing(), torch.zeros(1, 32, 32)):
        with pytest.raises(OptionError, match="this model takes no hints; train one with --hints"):
            translator(image, hints=strokes())
        with pytest.raises(UserError, match="10 x 9 px"):
            hinted(image, hints=strokes((9, 10)))


# ---- whole pictures


def test_a_picture_of_the_trained_size_is_not_resized(translator):
    whole = Translator(replace(RECIPE, whole=True), translator.nets)
    for image in (noise(32, 32), noise(32, 50), noise(40, 32)):
        assert (whole(image) == translator(image)).all()
    other = noise(64, 48)
    assert (whole(other, scale="native") == translator(other)).all() and (whole(other) != translator(other)).any()
    assert (translator(other, scale="fit") == translator(other)).all()  # it knows parts of pictures


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("size", [(64, 96), (16, 20), (100, 33), (1, 1)], ids=str)
def test_other_sizes_are_resized_to_the_trained_scale(size, dtype):
    model, net = shown(whole=True)
    smooth = cv2.GaussianBlur(noise(*size, dtype=np.float32), (0, 0), 6)
    image = smooth if dtype == np.float32 else (smooth * np.iinfo(dtype).max).astype(dtype)
    result = model(image)
    assert result.shape == (*size, 3) and result.dtype == dtype
    scale = 32 / min(size)
    seen = -(-np.round(np.array(size) * scale).astype(int) // 4) * 4
    assert net.seen.shape[2:] == tuple(seen)
    full = 1 if dtype == np.float32 else np.iinfo(dtype).max
    assert np.abs(result[..., 0] / full - image / full).max() < 0.06


def test_hints_and_style_images_are_resized_to_the_trained_scale():
    model, net = shown(whole=True, channels={"a": 1, "b": 3, "hint": 4})
    layer = strokes((64, 64))
    model(drawing((64, 64)), hints=layer)
    belief, colour = net.seen[0, 4], net.seen[0, 1:4]
    assert belief.shape == (32, 32) and (belief[6:9, 5:11] == 1).all() and (belief[16:] < 1).all()
    assert torch.allclose(colour[:, 6:9, 5:11].mean((1, 2)), torch.tensor([250, 20, 20]) / 127.5 - 1, atol=0.02)
    whole = Translator(replace(RECIPE, whole=True), style_nets())
    small = noise(32, 32, 3)
    large = cv2.resize(small, (128, 128), interpolation=cv2.INTER_NEAREST)
    assert np.allclose(whole.look(large), whole.look(small), atol=1e-5)


def test_label_maps_are_not_interpolated():
    model, net = shown(whole=True, facts={"labels": "a"})
    model((noise(48, 80) > 100) * np.uint8(200))
    assert len(net.seen[..., :32, :53].unique()) == 2


# ---- sketches

SKETCHES = {"whole": True, "facts": {"sketch": True}, "size": 128}


def test_a_clean_sketch_of_the_trained_size_is_unchanged():
    model, net = shown(**SKETCHES)
    sketch = cv2.GaussianBlur(drawing((128, 160)), (3, 3), 0)
    assert (model(sketch)[..., 0] == sketch).all()
    deep = sketch.astype(np.uint16) * 257
    assert (model(deep)[..., 0] == deep).all()


def test_a_sketch_of_another_size_is_tidied_and_the_result_resized():
    model, net = shown(**SKETCHES)
    result = model(drawing((640, 480), width=2))
    assert result.shape == (640, 480, 3) and net.seen.shape[2:] == (172, 128)
    assert net.seen.min() < -0.6 and net.seen.median() == 1  # a thin line would have gone pale
    model(drawing((640, 480)), scale="native")
    assert net.seen.shape[2:] == (640, 480)


def by_hand():
    """What users draw, by name."""
    page = drawing((128, 160)).astype(np.float32)[..., None].repeat(3, axis=2) / 255
    rng = np.random.default_rng(0)
    light = np.linspace(0.6, 1, 160, dtype=np.float32)[None, :, None] * np.array([1, 0.95, 0.85], np.float32)
    grain = rng.normal(0, 0.015, page.shape).astype(np.float32)
    ink = 1 - page
    return {
        "scanned": page * light + grain,
        "pencil": (1 - 0.4 * ink) * light + grain,
        "red pen": 1 - ink * np.array([0.1, 0.9, 0.9], np.float32),
        "yellow pen": 1 - ink * np.array([0, 0.2, 0.9], np.float32),
        "blue, scanned": (1 - ink * np.array([0.8, 0.7, 0.1], np.float32)) * light + grain,
        "marker": drawing((128, 160), width=7)[..., None].repeat(3, axis=2) / 255,
        "on black": ink,
    }


@pytest.mark.parametrize("how", by_hand())
def test_drawings_of_all_kinds_pass_and_come_out_as_dark_lines_on_white(how):
    model, net = shown(**SKETCHES)
    model((by_hand()[how].clip(0, 1) * 255).astype(np.uint8))
    gray = net.seen[0, 0, :128]
    assert gray.median() == 1 and gray.min() < -0.5 and 0.02 < (gray < 0).float().mean() < 0.35


@pytest.mark.parametrize("size", [(128, 128), (300, 200)], ids=str)
@pytest.mark.parametrize("sheet", ["white", "scanned", "clear"])
def test_an_empty_sheet_is_refused(size, sheet, tmp_path):
    model, _ = shown(**SKETCHES)
    page = np.full((*size, 3), 255, np.uint8)
    if sheet == "scanned":
        page = (page * 0.85 + np.random.default_rng(0).normal(0, 2, page.shape)).astype(np.uint8)
    if sheet == "clear":
        page = np.zeros((*size, 4), np.uint8)
    with pytest.raises(UserError, match=r"sheet\.png: is empty: there are no lines to go by"):
        model(saved(tmp_path / "sheet.png", page))


def photo(seed, on_white):
    """A shaded thing of several colours on white, or a landscape of them."""
    rng = np.random.default_rng(seed)
    shade = cv2.GaussianBlur(rng.random((160, 200, 3)).astype(np.float32), (0, 0), 12)
    shade = (shade - shade.min()) / np.ptp(shade)
    mask = np.ones((160, 200, 1), np.float32)
    if on_white:
        mask = cv2.ellipse(np.zeros((160, 200), np.float32), (100, 80), (70, 40), 15, 0, 360, 1, -1)[..., None]
    return (255 * (shade * mask * 0.9 + 1 - mask)).astype(np.uint8)


@pytest.mark.parametrize("on_white", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_a_photo_is_refused(seed, on_white, tmp_path):
    model, _ = shown(**SKETCHES)
    message = r"photo\.png: looks like a colour photo, but this model was trained on line drawings; make one with"
    with pytest.raises(UserError, match=message):
        model(saved(tmp_path / "photo.png", photo(seed, on_white)))
    assert Translator(replace(RECIPE, facts={"sketch": True}), style_nets()).look(photo(seed, True)).shape == (Z,)


def test_a_sketch_is_padded_with_paper():
    page = drawing((29, 30))
    page[:3] = 30  # a mirrored edge would repeat this line
    framed = {}
    for sketch in (True, False):
        model, net = shown(facts={"sketch": sketch})
        model(page)
        frame = torch.ones(32, 32, dtype=torch.bool)
        frame[1:30, 1:31] = False
        framed[sketch] = net.seen[0, 0][frame]
    assert (framed[True] == 1).all() and (framed[False] < 0).any()


# ---- files, memory and precision


def test_a_saved_model_equals_the_networks_in_memory(tmp_path, translator):
    nets = style_nets()
    recipe = replace(RECIPE, nets={name: net.spec for name, net in nets.items()}, whole=True, facts={"sketch": True})
    export_model(nets, recipe, tmp_path / "run" / "model.safetensors")
    loaded = Translator.load(tmp_path / "run", "cpu", "fp32")
    assert loaded.recipe.directions == ("ab",) and loaded.recipe.channels == {"a": 1, "b": 3} and loaded.recipe.whole
    x = torch.rand(1, 1, 32, 32)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(loaded(x, count=2), translator(x, count=2), strict=True))
    assert np.allclose(loaded.look(noise(32, 32, 3)), translator.look(noise(32, 32, 3)), atol=1e-5)


@pytest.mark.parametrize("precision", ["auto", "bf16"])
def test_precision_is_picked_for_any_channels(precision, monkeypatch):
    monkeypatch.setattr("translate.inference.precision._convolves_faster_in_bf16", lambda: True)
    recipe = replace(RECIPE, channels={"a": 1, "b": 3, "hint": 4})
    model = Translator(recipe, style_nets(source=5), precision=precision)
    assert model.precision in ("bf16", "fp32")
    assert len(model(drawing(), hints=strokes(), count=2)) == 2 and model.look(noise(32, 32, 3)).dtype == np.float32


def test_memory_is_known_for_any_channels_and_multiples(monkeypatch, tmp_path):
    hinted = Translator(replace(RECIPE, channels={"a": 1, "b": 3, "hint": 4}), style_nets(source=5))
    unet = Translator(RECIPE, unet_nets(0.5, levels=7))
    for model in (hinted, unet):
        per_pixel = model.runner.memory.peak_bytes(1024, 1024) / 1024**2
        assert 4 * 8 < per_pixel < 4000
    assert unet.runner.memory.peak_bytes(1, 129) == unet.runner.memory.peak_bytes(128, 256)  # what it is padded to
    monkeypatch.setattr(memory, "free_bytes", lambda device: 10**6)
    whole = Translator(replace(RECIPE, whole=True), style_nets())
    assert whole(np.zeros((1500, 1500), np.uint8)).shape == (1500, 1500, 3)  # it is seen small
    save_png(tmp_path / "x.png", np.zeros((2, 4000, 3), np.uint8))
    with pytest.raises(UserError, match=r"x\.png: 4000 x 2 px, at the model's scale: 64000 x 32 px need at least"):
        whole(tmp_path / "x.png")
