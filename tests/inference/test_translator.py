import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from translate.checkpoints.model_file import export_model
from translate.checkpoints.recipe import Recipe
from translate.images.io import save_png
from translate.images.picture import Picture
from translate.inference.translator import Translator
from translate.networks import GENERATORS
from translate.utils import memory
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import Factory

RECIPE = Recipe(task="cycle", nets={}, domains=("photos", "monet"), size=64, preset="fast", steps=1, data="none")


class Negative(nn.Module):
    multiple = 4

    def forward(self, x):
        assert x.shape[-1] % 4 == x.shape[-2] % 4 == 0 and min(x.shape[-2:]) >= 16
        return -x


class Same(nn.Module):
    multiple = 8

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 1, bias=False)
        self.layer.weight.data = torch.eye(3)[..., None, None]

    def forward(self, x):
        assert x.shape[-1] % 8 == x.shape[-2] % 8 == 0
        return self.layer(x)


@pytest.fixture
def translator():
    return Translator(RECIPE, nn.ModuleDict({"G_ab": Negative(), "G_ba": Same()}))


def noise(*shape, dtype=np.uint8):
    full = np.random.default_rng(0).random(shape)
    return full.astype(dtype) if np.dtype(dtype).kind == "f" else (full * np.iinfo(dtype).max).astype(dtype)


SIZES = [(1, 1), (1, 7), (3, 20000), (13, 17), (16, 16), (30, 41), (64, 48)]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("direction", ["ab", "ba"])
def test_any_size_is_kept(translator, size, direction):
    image = noise(*size, 3)
    result = translator(image, direction)
    assert (result == (255 - image if direction == "ab" else image)).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [(), (1,), (3,), (4,)], ids=str)
def test_arrays_keep_shape_and_type(translator, dtype, channels):
    image = noise(5, 6, *channels, dtype=dtype)
    before = image.copy()
    result = translator(image)
    assert result.shape == image.shape and result.dtype == dtype and (image == before).all()
    full = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    colour = slice(None) if channels != (4,) else slice(3)
    expected = full - image[..., colour].astype(np.float64)
    assert np.allclose(result[..., colour], expected, atol=1e-3 if dtype == np.float16 else 1e-6)
    if channels == (4,):
        assert np.allclose(result[..., 3], image[..., 3], atol=1e-6)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"])
def test_pil_images_keep_size_and_kind(translator, mode):
    base = Image.fromarray(noise(9, 14, 4))
    deep = {"I;16": np.uint16, "I": np.int32, "F": np.float32}
    image = Image.fromarray((noise(9, 14) / 255).astype(np.float32)) if mode == "F" else base.convert("L")
    image = image if mode in deep else base.convert("RGB").convert(mode) if mode != "RGBA" else base
    if mode in ("I;16", "I"):
        image = Image.fromarray(noise(9, 14, dtype=np.uint16)).convert(mode)
    result = translator(image)
    assert result.size == (14, 9)
    assert result.mode == {"1": "L", "P": "RGB"}.get(mode, mode)
    if mode in ("L", "RGB"):
        assert (np.asarray(result) == 255 - np.asarray(image)).all()
    if mode in ("RGBA", "LA"):
        assert result.getchannel("A").tobytes() == image.getchannel("A").tobytes()
    if mode in ("I;16", "I"):
        assert (np.asarray(result) == 65535 - np.asarray(image)).all()


def test_paths_give_upright_pil_images(translator, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = noise(10, 20, 3)
    Image.fromarray(image).save(tmp_path / "x.png", exif=exif)
    for path in (tmp_path / "x.png", str(tmp_path / "x.png")):
        result = translator(path)
        assert isinstance(result, Image.Image) and result.size == (10, 20)
        assert (np.asarray(result) == np.rot90(255 - image, -1)).all()
    with pytest.raises(UserError, match=r"no\.png: cannot be read"):
        translator(tmp_path / "no.png")


@pytest.mark.parametrize("shape", [(3, 5, 7), (1, 3, 16, 18), (4, 3, 6, 6)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_tensors_keep_shape_and_type_and_are_usable_in_autograd(translator, shape, dtype):
    x = (torch.rand(shape) * 2 - 1).to(dtype)
    result = translator(x)
    assert result.shape == x.shape and result.dtype == dtype
    assert torch.allclose(result, -x)
    (torch.ones(shape, dtype=dtype, requires_grad=True) * result).sum().backward()


def test_gray_stays_gray(translator):
    class Red(nn.Module):
        def forward(self, x):
            return x * torch.tensor([1.0, -1.0, -1.0]).reshape(1, 3, 1, 1)

    red = Translator(RECIPE, nn.ModuleDict({"G_ab": Red(), "G_ba": Same()}))
    picture = red.translate_all(Picture(np.full((4, 5, 3), 255, np.uint8), gray=True), red.request())[0]
    assert picture.gray and (picture.pixels == 76).all()  # the luma of pure red
    assert red(np.full((4, 5), 255, np.uint8)).tolist() == [[76] * 5] * 4


@pytest.mark.parametrize(
    "image, message",
    [
        (np.zeros((4, 4, 5), np.uint8), r"the array: has 5 channels, but this model takes 3; give it pictures of 3"),
        (np.zeros((4,), np.uint8), r"array of shape \(4,\)"),
        (np.zeros((0, 4, 3), np.uint8), r"array of shape \(0, 4, 3\)"),
        (np.zeros((4, 4, 3), np.int64), r"type int64"),
        (np.full((4, 4, 3), 200.0), r"the array: its values run from 200 to 200; say --value-range 0,255"),
        (np.full((4, 4, 3), np.nan), r"the array: it holds NaN or infinite values"),
        (np.linspace(-1, 1, 48).reshape(4, 4, 3), r"the array: its values run from -1 to 1"),
        (torch.zeros(4, 4, 3), r"tensor of shape \(4, 4, 3\)"),
        (torch.zeros(3, 4, 4, dtype=torch.uint8), r"type torch.uint8"),
        (Image.fromarray(np.full((4, 4), 200, np.float32)), r"PIL image of mode F .*rescale"),
        (None, r"a NoneType is no picture; give a path, bytes, a file object, a PIL image, an array or a tensor"),
    ],
)
def test_wrong_inputs_are_refused_in_one_line(translator, image, message):
    with pytest.raises(UserError, match=message) as caught:
        translator(image)
    assert "\n" not in str(caught.value)


def test_a_wrong_direction_names_the_domains(translator):
    with pytest.raises(OptionError, match=r"'photos2monet' is neither 'ab' \(photos to monet\) nor 'ba' \(monet to"):
        translator(noise(4, 4, 3), direction="photos2monet")
    with pytest.raises(OptionError):
        translator.request("a")


# ---- loading


@pytest.fixture
def run(tmp_path):
    torch.manual_seed(0)
    nets = nn.ModuleDict(
        {k: Factory({"name": "resnet_6blocks"}, GENERATORS, k, size=64)(width=4) for k in ("G_ab", "G_ba")}
    )
    specs = {name: net.spec for name, net in nets.items()}
    recipe = Recipe(**{**vars(RECIPE), "nets": specs})
    export_model(nets, recipe, tmp_path / "run" / "model.safetensors")
    return tmp_path / "run", nets.eval()


def test_a_loaded_model_equals_the_saved_networks(run):
    folder, nets = run
    x = torch.rand(1, 3, 32, 48) * 2 - 1
    for path in (folder, folder / "model.safetensors", str(folder)):
        translator = Translator.load(path, device="cpu", precision="fp32")
        assert translator.file == folder / "model.safetensors"
        with torch.no_grad():
            assert torch.allclose(translator(x), nets["G_ab"](x), atol=1e-5)
            assert torch.allclose(translator(x, "ba"), nets["G_ba"](x), atol=1e-5)
    assert not torch.allclose(translator(x), translator(x, "ba"), atol=1e-3)
    assert not any(p.requires_grad for p in translator.nets.parameters()) and not translator.nets.training


def test_bf16_is_near_fp32_and_auto_is_one_of_them(run):
    x = noise(40, 56, 3)
    exact = Translator.load(run[0], "cpu", "fp32")(x)
    rough = Translator.load(run[0], "cpu", "bf16")(x)
    assert 0 < np.abs(exact.astype(int) - rough).mean() < 2
    assert Translator.load(run[0], "cpu").precision in ("fp32", "bf16")


def test_wrong_options_and_models(run, tmp_path):
    with pytest.raises(OptionError, match="precision 'fp16' is unknown; choose auto, bf16 or fp32"):
        Translator.load(run[0], "cpu", "fp16")
    with pytest.raises(OptionError, match="gpu"):
        Translator.load(run[0], "gpu")
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(UserError, match=str(path)):
            Translator.load(path)


def test_a_model_that_translates_nothing_is_refused(monkeypatch):
    class Generate:
        data = "images"

    monkeypatch.setitem(__import__("translate.tasks").tasks.TASKS, "generate", Generate)
    recipe = Recipe(**{**vars(RECIPE), "task": "generate"})
    with pytest.raises(UserError, match="a model of the task 'generate' translates no pictures"):
        Translator(recipe, nn.ModuleDict({"G": Same()}))


# ---- memory


class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 32, 3, padding=1), nn.Conv2d(32, 3, 3, padding=1)

    def forward(self, x):
        return self.two(torch.relu(self.one(x)))


def test_the_memory_limit():
    # At the worst moment alive: the input, the first convolution's output, and its relu.
    measured = memory.bytes_per_pixel(Stack().requires_grad_(False), torch.device("cpu"))
    assert measured == pytest.approx(1.25 * 4 * (3 + 32 + 32), rel=0.01)


def test_free_memory_respects_the_limit_of_a_container(tmp_path, monkeypatch):
    free = memory.free_bytes(torch.device("cpu"))
    assert free is None or 2**20 < free < 2**50
    for name, text in {
        "memory.max": "5000\n",
        "memory.current": "3000\n",
        "memory.stat": "inactive_file 700\n",
    }.items():
        (tmp_path / name).write_text(text)
    group = (str(tmp_path), "memory.max", "memory.current", "inactive_file")
    monkeypatch.setattr(memory, "_CGROUPS", (group,))
    assert memory.free_bytes(torch.device("cpu")) == 2700
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.free_bytes(torch.device("cpu")) in (None, pytest.approx(free, rel=0.5))


def test_a_picture_too_large_for_the_memory_is_refused_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "free_bytes", lambda device: 10**6)
    translator = Translator(RECIPE, nn.ModuleDict({"G_ab": Stack(), "G_ba": Stack()}))
    assert translator.runner.memory.peak_bytes(2000, 1000) == pytest.approx(2e6 * (1.25 * (268 + 12) + 40), rel=0.01)
    save_png(tmp_path / "x.png", np.zeros((1000, 2000, 3), np.uint8))
    message = r"x\.png: 2000 x 1000 px need at least .*GB of memory, even tile by tile; say --memory .*GB$"
    with pytest.raises(UserError, match=message):
        translator(tmp_path / "x.png")
    with pytest.raises(
        UserError, match="the tensor: 1024 x 1024 px would need about .* shrink it first or use a machine"
    ):
        translator(torch.zeros(2, 3, 1024, 1024))
    assert translator(np.zeros((100, 100, 3), np.uint8)).shape == (100, 100, 3)


def test_memory_that_runs_out_in_the_pass_is_the_same_error():
    class Greedy(nn.Module):
        def forward(self, x):
            if x.shape[-1] > 128:
                raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate")
            return x

    translator = Translator(RECIPE, nn.ModuleDict({"G_ab": Greedy()}))
    with pytest.raises(UserError, match="the array: 200 x 100 px would need about"):
        translator(np.zeros((100, 200, 3), np.uint8))


def test_repr_tells_the_model_its_training_and_where_it_runs(translator):
    assert repr(translator) == "Translator(photos -> monet and back, cycle fast, 1 steps, cpu fp32)"
