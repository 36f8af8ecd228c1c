import numpy as np
import pytest
import torch

from translate.inference.onnx.noise import TorchNoise


@pytest.mark.parametrize("seed", [0, 7, 2**62 + 12345])
def test_the_noise_is_that_of_torch(seed):
    torch.manual_seed(seed)
    noise = TorchNoise(seed)
    for shape in ((1, 1, 16, 24), (1, 8, 3, 5), (1, 1, 4, 4), (2, 3, 7, 9)):  # whole blocks, and remainders
        expected = torch.randn(*shape).numpy()
        found = noise.normal(*shape)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=2e-5)
