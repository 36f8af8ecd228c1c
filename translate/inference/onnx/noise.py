"""The normal noise that torch draws on a CPU, without torch, so that a seed gives the same picture without it."""

__all__ = ["TorchNoise"]

import math

import numpy as np

BLOCK = 16  # numbers that torch makes at once: eight radii and eight angles
MANTISSA = 24  # bits of a float32 in [0, 1)


class TorchNoise:
    """Draws as torch does after `torch.manual_seed(seed)`, up to the last bits of logarithm and cosine.

    torch fills an array of 16 numbers or more with uniform numbers of the Mersenne Twister, and turns each block of 16
    into normal ones (Box and Muller, 1958): eight of them are 1 - u for the radii, the others the angles.
    """

    def __init__(self, seed: int) -> None:
        self._twister = np.random.RandomState(seed & 0xFFFFFFFF)

    def normal(self, *shape: int) -> np.ndarray:
        """Draw N(0, 1) of a shape with 16 numbers or more: float32."""
        count = math.prod(shape)
        assert count >= BLOCK, shape
        uniform = self._uniform(count)
        whole = count - count % BLOCK
        normal = np.concatenate((_box_muller(uniform[:whole]), uniform[whole:]))
        if whole < count:  # the last 16 are drawn again
            normal[-BLOCK:] = _box_muller(self._uniform(BLOCK))
        return normal.reshape(shape)

    def _uniform(self, count: int) -> np.ndarray:
        words = self._twister.randint(0, 2**32, count, np.uint32)
        return (words & np.uint32(2**MANTISSA - 1)).astype(np.float32) * np.float32(2.0**-MANTISSA)


def _box_muller(uniform: np.ndarray) -> np.ndarray:
    first, second = uniform.reshape(-1, 2, BLOCK // 2).transpose(1, 0, 2)
    radius = np.sqrt(np.float32(-2) * np.log(np.float32(1) - first))
    angle = np.float32(2 * math.pi) * second
    return np.stack((radius * np.cos(angle), radius * np.sin(angle)), 1).reshape(-1)
