"""Pictures in memory and single samples, for tests of streams."""

import numpy as np

from translate.data.loading.cache import Pictures


def album(pictures):
    return Pictures(np.concatenate([p.ravel() for p in pictures]), np.array([p.shape for p in pictures]))


def sample(stream, index):
    """Return sample `index` as arrays: pictures (H, W, C), and labels."""
    parts = {name: part[0] for name, part in stream.crop(stream.sample(index, 1)).items()}
    return {name: (part.permute(1, 2, 0) if part.ndim == 3 else part).numpy() for name, part in parts.items()}
