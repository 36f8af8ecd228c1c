"""Lists and streams of images: in order, in their kinds, in batches, and no more of them read than needed."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.inference import test_translator_paired as paired
from tests.inference.test_translator import RECIPE, Same, noise
from translate.inference.translator import Translator
from translate.utils.errors import OptionError, UserError


class Counting(nn.Module):
    """Answers with the negative, and notes the size of each batch."""

    multiple = 4

    def __init__(self):
        super().__init__()
        self.batches = []

    def forward(self, x):
        self.batches.append(len(x))
        return -x


@pytest.fixture
def translator():
    translator = Translator(RECIPE, nn.ModuleDict({"G_ab": Counting(), "G_ba": Same()}))
    translator.nets["G_ab"].batches.clear()
    return translator


def as_on_a_gpu(translator, monkeypatch):
    """Let equal pictures form batches, as on a GPU; the networks stay on the CPU."""
    monkeypatch.setattr(type(translator.runner), "_can_batch", True)


def test_each_result_of_a_list_is_of_the_kind_of_its_image(translator, tmp_path):
    images = [noise(9, 14, 3), Image.fromarray(noise(5, 6)), torch.zeros(3, 8, 8) + 0.5, noise(2, 8, 8, 3)]
    Image.fromarray(images[0]).save(tmp_path / "x.png")
    images += [tmp_path / "x.png", (tmp_path / "x.png").read_bytes()]
    results = translator(images)
    assert isinstance(results, list)
    assert [type(one).__name__ for one in results] == ["ndarray", "Image", "Tensor", "ndarray", "Image", "Image"]
    assert (results[0] == 255 - images[0]).all() and (results[3] == 255 - images[3]).all()
    assert results[1].mode == "L" and torch.equal(results[2], -images[2])
    assert all((np.asarray(one) == results[0]).all() for one in results[4:])
    assert len(translator(tuple(images[:2]))) == 2


def test_equal_pictures_are_computed_together_and_stay_in_order(translator, monkeypatch):
    images = [noise(8, 8, 3), noise(8, 8, 3) // 2, noise(8, 12, 3), noise(8, 8, 3) // 3, noise(8, 8, 3) // 4]
    expected = [255 - image for image in images]
    alone = translator(images)
    assert translator.nets["G_ab"].batches == [1] * 5
    translator.nets["G_ab"].batches.clear()
    as_on_a_gpu(translator, monkeypatch)
    for results in (alone, translator(images)):
        assert all((one == other).all() for one, other in zip(results, expected, strict=True))
    assert translator.nets["G_ab"].batches == [2, 1, 2]


def test_batches_are_bounded(translator, monkeypatch):
    as_on_a_gpu(translator, monkeypatch)
    translator(noise(70, 8, 8, 3))
    assert translator.nets["G_ab"].batches == [32, 32, 6]
    translator.nets["G_ab"].batches.clear()
    translator([np.zeros((512, 600, 3), np.uint8)] * 5)  # 3 of them fit in a megapixel
    assert translator.nets["G_ab"].batches == [3, 2]


def test_a_stream_reads_no_further_than_its_batch(translator, monkeypatch):
    read = []

    def camera():
        for i in range(100):
            read.append(i)
            yield noise(8, 8, 3) // (i + 1)

    frames = translator.stream(camera())
    assert not read
    for i in range(3):  # on a CPU each frame is a batch
        assert (next(frames) == 255 - noise(8, 8, 3) // (i + 1)).all() and read == list(range(i + 1))
    as_on_a_gpu(translator, monkeypatch)
    read.clear()
    frames = translator.stream(camera())
    assert (next(frames) == 255 - noise(8, 8, 3)).all() and len(read) == 32


def test_variants_of_several_images():
    translator = Translator(paired.RECIPE, paired.style_nets())
    images = [noise(32, 32, 1), noise(32, 32, 1) // 2]
    lists = translator(images, count=3, seed=1)
    batches = translator(np.stack(images), count=3, seed=1)
    assert [len(one) for one in lists] == [3, 3] and [one.shape for one in batches] == [(2, 32, 32, 3)] * 3
    for i, image in enumerate(images):
        for k, variant in enumerate(translator(image, count=3, seed=1)):
            assert (lists[i][k] == variant).all() and (batches[k][i] == variant).all()


@pytest.mark.parametrize(
    "images, message",
    [
        ("photo.png", r"stream takes many pictures, not one str; give a list or a generator"),
        (Image.new("RGB", (4, 4)), r"not one Image"),
        (None, r"not one NoneType"),
    ],
)
def test_a_stream_of_one_image_is_refused_at_once(translator, images, message):
    with pytest.raises(UserError, match=message):
        translator.stream(images)


def test_a_wrong_option_of_a_stream_is_refused_at_once(translator):
    with pytest.raises(OptionError, match="direction 'up'"):
        translator.stream([], "up")
    assert list(translator.stream([])) == []
