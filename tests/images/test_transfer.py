import numpy as np
import pytest
import torch

from translate.images.io import to_array, to_tensor
from translate.images.transfer import HostCopy, to_device

CPU = torch.device("cpu")


def test_bytes_become_the_very_numbers_of_the_usual_way():
    pixels = np.arange(256, dtype=np.uint8).reshape(8, 32, 1).repeat(3, axis=2)
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    moved = to_device(x, CPU)
    assert torch.equal(moved, to_tensor(pixels)) and moved.dtype == torch.float32
    assert moved.is_contiguous(memory_format=torch.channels_last) and (x.numpy()[0, 0].ravel() == range(256)).all()
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
