import os
import shutil
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="translate-tests-")  # not the user's choices

import cv2
import numpy as np
import pytest
import torch

torch.set_num_threads(1)


def pytest_sessionfinish():
    shutil.rmtree(os.environ["XDG_CACHE_HOME"], ignore_errors=True)


def picture(seed, height=40, width=48, sigma=2.0):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), sigma).astype(np.float32)
    return np.clip((smooth - 127) * 3 + 127, 0, 255).astype(np.uint8)


@pytest.fixture
def two_folders(tmp_path):
    """Two folders of small smooth pictures: 12 reddish, 11 bluish."""
    for name, count, channel in (("reds", 12, 2), ("blues", 11, 0)):
        (tmp_path / name).mkdir()
        for i in range(count):
            pixels = picture(1000 * channel + i)
            pixels[..., channel] = 255 - pixels[..., channel] // 3
            cv2.imwrite(str(tmp_path / name / f"{i:03d}.png"), pixels)
    return tmp_path / "reds", tmp_path / "blues"


TINY = {
    "generator": {"name": "skip_resnet", "width": 8, "trunk": 8, "blocks": 1},
    "discriminator": {"name": "patch_34", "width": 8, "norm": "none"},
    "data": {"crop": 32, "size": 32},
    "train": {"precision": "fp32", "channels_last": "off", "device": "cpu", "previews": 2, "steps": 6},
}


@pytest.fixture
def tiny():
    """A layer that makes any recipe small."""
    return TINY
