import numpy as np
import pytest
import torch

from tests.conftest import picture
from tests.data.album import album
from translate.data.datasets.masked import MaskedStream
from translate.data.loading import crops as crops_module
from translate.data.loading.cache import Pictures
from translate.data.loading.crops import Crops, crop_on_device, upload
from translate.data.loading.loader import Batches, PairedStream, SingleStream, UnpairedStream

CPU = torch.device("cpu")


def pictures(channels, count=9):
    """Pictures of different sizes."""
    wide = [np.dstack([picture(i, 24 + i, 40 - 2 * i), picture(50 + i, 24 + i, 40 - 2 * i)]) for i in range(count)]
    return album([one[..., :channels] for one in wide])


def sample_boxes(shapes, first, count, *, flip=True, seed=0, which=0):
    """Boxes of 16 px in pictures of such shapes, which need no pixels."""
    crops = Crops(Pictures(np.empty(0, np.uint8), shapes), crop=16, flip=flip, seed=seed, which=which)
    return crops.sample(first, count).numpy()


def test_a_box_is_a_function_of_seed_and_index():
    shapes = pictures(3).shapes

    def boxes(first, count, seed=0, which=0):
        return sample_boxes(shapes, first, count, seed=seed, which=which)

    whole = boxes(0, 50)
    assert whole.shape == (50, 4) and whole.dtype == np.int64
    for first, count in ((0, 1), (8, 2), (7, 20), (49, 1)):  # within a pass, and over the ends of some
        np.testing.assert_array_equal(boxes(first, count), whole[first : first + count])
    assert not np.array_equal(boxes(0, 50, seed=1), whole)
    assert not np.array_equal(boxes(0, 50, which=1), whole)


def test_boxes_reach_all_positions_inside_the_picture():
    shapes = np.array([(18, 16, 3), (16, 19, 3)])
    found = sample_boxes(shapes, 0, 600)
    assert {tuple(row[:3]) for row in found} == {(0, top, 0) for top in range(3)} | {(1, 0, left) for left in range(4)}
    assert 240 < found[:, 3].sum() < 360
    assert set(found[:, 3]) == {0, 1}
    assert not sample_boxes(shapes, 0, 600, flip=False)[:, 3].any()
    for start in range(0, 600, 2):
        assert set(found[start : start + 2, 0]) == {0, 1}  # every picture once a pass


@pytest.mark.parametrize("channels", [1, 3, 4, 6])
def test_a_crop_has_the_pixels_of_its_box(channels):
    source = pictures(channels)
    part = Crops(source, crop=16, flip=True, seed=3)
    boxes = part.sample(0, 60)
    cut = part.crop(boxes)
    assert cut.shape == (60, channels, 16, 16) and cut.dtype == torch.uint8
    for square, (which, top, left, mirrored) in zip(cut.permute(0, 2, 3, 1).numpy(), boxes.tolist(), strict=True):
        columns = [left + (15 - x if mirrored else x) for x in range(16)]
        np.testing.assert_array_equal(square, source[which][top : top + 16][:, columns])


@pytest.mark.parametrize("channels", [1, 3, 4, 6])
def test_crops_on_a_device_equal_crops_on_the_cpu(channels, monkeypatch):
    monkeypatch.setattr(crops_module, "_UPLOAD_CHUNK_VALUES", 1000)  # many pieces, the last one smaller
    source = pictures(channels)
    here, there = (Crops(source, crop=16, flip=True, seed=3) for _ in range(2))
    there.upload(CPU)
    boxes = here.sample(5, 70)
    assert torch.equal(here.crop(boxes), there.crop(boxes))
    assert here.crop(boxes).stride() == there.crop(boxes).stride()


def test_crop_on_device_gathers_one_square():
    pixels = torch.arange(100, 112, dtype=torch.uint8)[:, None]  # 2 x 3 px, then 3 x 2 px
    starts, widths = torch.tensor([0, 6]), torch.tensor([3, 2])
    boxes = torch.tensor([[0, 0, 1, 0], [1, 1, 0, 1]])
    cut = crop_on_device(pixels, starts, widths, boxes, 2)[..., 0]
    assert cut.tolist() == [[[101, 102], [104, 105]], [[109, 108], [111, 110]]]


def streams(colours, labels):
    draw = lambda height, width, rng: rng.random((height, width)) < 0.5  # noqa: E731
    yield lambda: UnpairedStream({"a": pictures(3), "b": pictures(3, 5)}, crop=16, flip=True, seed=1)
    yield lambda: PairedStream(pictures(4), (1, 3), crop=16, flip=True, seed=1, colour=colours)
    yield lambda: PairedStream(pictures(4), (1, 3), crop=16, flip=True, seed=1, colour=colours, hints=True)
    yield lambda: SingleStream(pictures(1), labels, crop=16, flip=True, seed=1)
    yield lambda: MaskedStream(SingleStream(pictures(3), None, crop=16, flip=True, seed=1), draw, crop=16, seed=1)


@pytest.mark.parametrize("which", range(5))
@pytest.mark.parametrize(("colours", "labels"), [((0.0, 0.0), None), ((0.0, 0.5), np.arange(9) % 2)])
def test_batches_do_not_depend_on_where_the_pictures_are_stored(which, colours, labels):
    make = list(streams(colours, labels))[which]
    ordinary, resident = Batches(make(), 4), Batches(make(), 4)
    assert not ordinary.resident
    resident.resident = upload(resident.stream.crops, CPU)
    assert resident.resident
    for step in (0, 3, 4):
        expected, found = ordinary.make(step), resident.make(step)
        assert expected.keys() == found.keys()
        assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_pictures_that_would_fill_the_device_are_not_uploaded(monkeypatch):
    part = Crops(pictures(3), crop=16, flip=True, seed=0)
    size = part.pictures.pixels.nbytes
    for free, fits in ((4 * size, True), (4 * size - 1, False), (None, False)):
        monkeypatch.setattr(crops_module, "free_bytes", lambda device, free=free: free)
        assert upload([part], CPU) is fits
    monkeypatch.setattr(crops_module, "free_bytes", lambda device: 7 * size)
    assert not upload([part, part], CPU)


@pytest.mark.gpu
@pytest.mark.parametrize("fits", [True, False])
@pytest.mark.parametrize("which", range(5))
def test_batches_on_a_gpu(which, fits, monkeypatch):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    if not fits:
        monkeypatch.setattr(crops_module, "_MAX_DEVICE_SHARE", 0)
    make = list(streams((0.0, 0.5), None))[which]
    batches = iter(Batches(make(), 4, device=torch.device("cuda")))
    found = [next(batches)]
    torch.cuda.set_sync_debug_mode("error")
    found += [next(batches) for _ in range(5)]
    torch.cuda.set_sync_debug_mode("default")
    batches.close()
    for step, batch in enumerate(found):
        for name, part in Batches(make(), 4).make(step).items():
            assert batch[name].is_cuda and torch.equal(batch[name].cpu(), part)
