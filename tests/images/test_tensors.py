import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from translate.images.tensors import HostCopy, from_uint8, pad_to_multiple, to_array, to_device, to_tensor, to_uint8

CPU = torch.device("cpu")


def test_bytes_become_the_very_numbers_of_the_usual_way():
    pixels = np.arange(256, dtype=np.uint8).reshape(8, 32, 1).repeat(3, axis=2)
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    moved = to_device(x, CPU)
    assert torch.equal(moved, to_tensor(pixels)) and moved.dtype == torch.float32
    assert moved.is_contiguous(memory_format=torch.channels_last) and (x.numpy()[0, 0].ravel() == range(256)).all()
    assert torch.equal(from_uint8(x), moved) and torch.equal(to_uint8(moved), x)
    assert to_device(x, CPU, torch.contiguous_format).is_contiguous()
    labels = torch.arange(3)
    assert to_device(labels, CPU) is labels
    floats = torch.rand(1, 3, 4, 5).double() * 2 - 1
    assert torch.equal(to_device(floats, CPU), floats.float())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_what_comes_back_is_rounded_as_usual(dtype):
    levels = torch.linspace(-1.3, 1.3, 3 * 64 * 64)  # with every half between two levels near by
    halves = (2 * (torch.arange(255) + 0.5) / 255 - 1).repeat(50)[: levels.numel()]
    y = torch.stack([levels, torch.nn.functional.pad(halves, (0, levels.numel() - halves.numel()))])
    y = y.reshape(2, 3, 64, 64)
    arriving = HostCopy(y, dtype)
    for i in range(2):
        assert arriving.array(i).dtype == dtype and np.array_equal(arriving.array(i), to_array(y[i], dtype))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_way_to_a_gpu_and_back_is_the_same(dtype):
    x = torch.randint(0, 256, (4, 3, 33, 47), dtype=torch.uint8)
    gpu = torch.device("cuda")
    assert torch.equal(to_device(x, gpu).cpu(), to_device(x, CPU))
    y = torch.rand(4, 3, 33, 47) * 2.4 - 1.2
    for i in range(4):
        assert np.array_equal(HostCopy(y.to(gpu), dtype).array(i), HostCopy(y, dtype).array(i))


# ---- arrays


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_arrays_survive_the_way_through_tensors(dtype):
    full = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    array = np.linspace(0, full, 256 * 3 * 91).reshape(256, 91, 3).astype(dtype)
    x = to_tensor(array)
    assert x.shape == (1, 3, 256, 91) and x.dtype == torch.float32
    assert x.min() == -1 and x.max() == 1
    back = to_array(x, dtype)
    assert back.dtype == dtype and back.shape == array.shape
    assert np.allclose(back, array, atol=1e-7 if dtype == np.float32 else 0)


def test_to_array_clamps_rounds_and_takes_three_dimensions():
    x = torch.tensor([-3.0, -1.0, 0.0, 0.0038, 1.0, 3.0]).expand(3, 1, 6)
    assert to_array(x, np.uint8)[0, :, 0].tolist() == [0, 0, 128, 128, 255, 255]
    assert to_array(x.double()[None], np.uint16)[0, :, 2].tolist() == [0, 0, 32768, 32892, 65535, 65535]


def test_to_tensor_leaves_its_input_alone():
    array = np.full((2, 2, 3), 0.25, np.float32)
    to_tensor(array)
    assert (array == 0.25).all()


# ---- padding


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 2, 4, 7, 16, 32]), st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_padding_reaches_a_multiple_and_crops_back_exactly(height, width, multiple, minimum):
    x = torch.arange(2 * 3 * height * width, dtype=torch.float32).reshape(2, 3, height, width)
    padded, (rows, columns) = pad_to_multiple(x, multiple, minimum)
    assert torch.equal(padded[..., rows, columns], x)
    for size, got in zip((height, width), padded.shape[-2:], strict=True):
        assert got % multiple == 0 and got >= minimum and got < max(size, minimum) + multiple
    assert set(padded.unique().tolist()) <= set(x.unique().tolist())


def test_padding_mirrors_where_it_can_and_repeats_the_edge_elsewhere():
    x = torch.arange(6.0).reshape(1, 1, 1, 6)
    mirrored, _ = pad_to_multiple(x, 8)
    assert mirrored[0, 0, 0].tolist() == [1, 0, 1, 2, 3, 4, 5, 4]
    repeated, _ = pad_to_multiple(x[..., :2], 8)
    assert repeated[0, 0, 0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert (repeated == repeated[:, :, :1]).all()
    same, slices = pad_to_multiple(torch.zeros(1, 1, 8, 8), 4, 8)
    assert same.shape[-2:] == (8, 8) and slices == (slice(0, 8), slice(0, 8))
