import numpy as np
import pytest
import torch
from onnx import helper
from PIL import Image

from tests.conftest import picture
from tests.inference.onnx.models import MASK, PICTURE, recipe, write
from translate import Translator
from translate.inference.onnx.recipe import OnnxInput, StyleCodes
from translate.inference.onnx.translator import OnnxTranslator
from translate.utils.errors import OptionError, UserError

Z = OnnxInput(name="z", shape=("batch", 3), about="the style code")


@pytest.fixture
def negative(tmp_path):
    return Translator.load(write(tmp_path / "x.onnx", made=recipe()))


def styled(tmp_path, **z):
    """A model that fills the picture with its z, one number a channel."""
    nodes = [
        helper.make_node("Constant", [], ["axes"], value_ints=[2, 3]),
        helper.make_node("Unsqueeze", ["z", "axes"], ["colour"]),
        helper.make_node("Sub", ["picture", "picture"], ["black"]),
        helper.make_node("Add", ["black", "colour"], ["result"]),
    ]
    made = recipe(inputs=(PICTURE, Z), task="pix2pix", paired=True, random=True, z=StyleCodes(dim=3, **z))
    return Translator.load(write(tmp_path / "z.onnx", nodes, made))


def test_pictures_of_every_kind_keep_size_depth_and_alpha(negative):
    pixels = picture(1, 37, 45)
    assert isinstance(negative, OnnxTranslator) and isinstance(negative, Translator)
    np.testing.assert_array_equal(negative(pixels), 255 - pixels)
    np.testing.assert_array_equal(negative(np.stack([pixels, pixels[::-1]]))[1], 255 - pixels[::-1])
    deep = pixels.astype(np.uint16) * 257
    np.testing.assert_array_equal(negative(deep), 65535 - deep)
    clear = np.dstack((pixels, pixels[..., 0]))
    np.testing.assert_array_equal(negative(clear), np.dstack((255 - pixels, pixels[..., 0])))
    gray = negative(Image.fromarray(pixels[..., 0]))
    assert gray.mode == "L"
    np.testing.assert_array_equal(np.asarray(gray), 255 - pixels[..., 0])
    unit = pixels.astype(np.float32) / 255
    np.testing.assert_allclose(negative(unit), 1 - unit, atol=1e-6)


def test_files_lists_and_streams(negative, tmp_path):
    Image.fromarray(picture(2)).save(tmp_path / "p.png")
    first, second = negative([tmp_path / "p.png", (tmp_path / "p.png").read_bytes()])
    np.testing.assert_array_equal(np.asarray(first), 255 - picture(2))
    assert list(negative.stream(iter([tmp_path / "p.png"])))[0].size == second.size == (48, 40)


def test_the_network_sees_multiples_and_the_trained_scale(tmp_path):
    shown = OnnxInput(name="picture", shape=("batch", 3, "height", "width"), about="")
    translator = Translator.load(write(tmp_path / "x.onnx", made=recipe(inputs=(shown,), whole=True, size=32)))
    sizes, run = [], translator.runner.run
    translator.runner.run = lambda feeds: sizes.append(feeds["picture"].shape[2:]) or run(feeds)
    assert translator(picture(3, 50, 100)).shape == (50, 100, 3)
    assert translator(picture(3, 50, 100), scale="native").shape == (50, 100, 3)
    assert translator(picture(3, 5, 7), scale="native").shape == (5, 7, 3)
    assert sizes == [(32, 64), (56, 104), (16, 16)]


def test_seeds_draw_what_the_model_itself_draws(tmp_path):
    from translate.tasks.pix2pix import draw_code

    looks = np.random.default_rng(0).uniform(-0.5, 0.5, (20, 3)).astype(np.float32)
    codes = tuple(tuple(map(float, row)) for row in looks)
    translator = styled(tmp_path, default=codes[3], drawn="looks", looks=codes)
    request = translator.request(count=2, seed=5)
    for variant in request.variants:
        expected = draw_code(torch.from_numpy(looks), variant.seed)
        np.testing.assert_allclose(translator.runner.style_code(variant), expected.numpy(), atol=1e-6)
    flat = np.zeros((16, 16, 3), np.uint8)
    np.testing.assert_array_equal(translator(flat)[0, 0], np.rint((looks[3] + 1) * 127.5))
    np.testing.assert_array_equal(translator(flat, z=[1.0, -1.0, 0.0])[0, 0], [255, 0, 128])
    assert len(translator(flat, z=looks[:4])) == 4
    one, other = translator(flat, count=2, seed=5)
    assert (one != other).any()
    with pytest.raises(OptionError, match="leave out count and seed"):
        translator(flat, z=[0, 0, 0], seed=1)
    with pytest.raises(OptionError, match=r"takes \(3,\)"):
        translator(flat, z=[0, 0])


def test_only_the_hole_is_filled(tmp_path):
    nodes = [
        helper.make_node("Sub", ["picture", "picture"], ["black"]),
        helper.make_node("Mul", ["black", "mask"], ["zero"]),
        helper.make_node("Neg", ["zero"], ["result"]),
    ]
    made = recipe(kind="inpaint", task="inpaint", domains=("photos",), direction="", inputs=(PICTURE, MASK))
    translator = Translator.load(write(tmp_path / "x.onnx", nodes, made))
    pixels, hole = picture(4, 60, 50), np.zeros((60, 50), bool)
    hole[20:30, 10:25] = True
    result = translator(pixels, mask=hole)
    np.testing.assert_array_equal(result[~hole], pixels[~hole])
    assert (result[hole] != pixels[hole]).any()
    with pytest.raises(UserError, match="no hole"):
        translator(pixels)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"direction": "ba"}, "only turns photos into monet"),
        ({"seed": 1}, "one answer per picture"),
        ({"z": [1.0]}, "no z"),
        ({"strength": 0.5}, "no strength"),
        ({"hints": np.zeros((40, 48, 4), np.uint8)}, "no hints"),
        ({"mask": np.ones((40, 48), bool)}, "no holes"),
    ],
)
def test_what_a_file_cannot_do_is_answered_in_a_line(negative, options, reason):
    with pytest.raises(OptionError, match=reason):
        negative(picture(5), **options)


def test_what_needs_the_networks_says_so(negative, tmp_path):
    path = tmp_path / "x.onnx"
    for options in ({"stats": "frozen"}, {"memory": "3GB"}, {"weights": "best"}, {"reference": "p.png"}):
        with pytest.raises(OptionError, match="an ONNX file"):
            Translator.load(path, **options)
    with pytest.raises(OptionError, match="exported in fp32"):
        Translator.load(path, precision="bf16")
    with pytest.raises(OptionError, match="--device mps"):
        Translator.load(path, device="mps")
    for call in (lambda: negative.style_code("p.png"), lambda: negative.nets, lambda: negative(torch.zeros(3, 8, 8))):
        with pytest.raises(OptionError, match="an ONNX file"):
            call()
    assert negative.with_norm_statistics() is negative
    made = recipe(kind="generate", task="generate", domains=("faces",), inputs=(PICTURE,))
    with pytest.raises(UserError, match="makes pictures from z"):
        Translator.load(write(tmp_path / "g.onnx", made=made))


def test_a_strength_is_the_z(tmp_path):
    nodes = [
        helper.make_node("Constant", [], ["axes"], value_ints=[2, 3]),
        helper.make_node("Unsqueeze", ["z", "axes"], ["s"]),
        helper.make_node("Mul", ["picture", "s"], ["result"]),
    ]
    z = OnnxInput(name="z", shape=("batch", 1), about="the strength", values=(0.0, 1.0))
    made = recipe(task="drift", inputs=(PICTURE, z), z=StyleCodes(dim=1, default=(1.0,), drawn="strength"))
    translator = Translator.load(write(tmp_path / "x.onnx", nodes, made))
    pixels = picture(6)
    np.testing.assert_array_equal(translator(pixels), pixels)
    assert (translator(pixels, strength=0.0) == 128).all()


def test_pictures_too_large_for_the_memory_are_refused(tmp_path):
    translator = Translator.load(write(tmp_path / "x.onnx", made=recipe(bytes_per_pixel=1e12)))
    with pytest.raises(UserError, match="does not work tile by tile"):
        translator(picture(7))
