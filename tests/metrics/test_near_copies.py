import cv2
import numpy as np
import pytest
import torch

from translate.images.tensors import to_tensor
from translate.metrics.near_copies import is_near_copy

RNG = np.random.default_rng(0)
PHOTO = cv2.GaussianBlur(RNG.integers(0, 256, (96, 96, 3)).astype(np.float32), (0, 0), 3) * 4 - 380
PHOTO = np.clip(PHOTO + RNG.normal(0, 3, PHOTO.shape), 0, 255).astype(np.uint8)


def more_contrast(x):
    return np.clip((x.astype(float) - 128) * 1.15 + 128, 0, 255).astype(np.uint8)


def other_strokes(x):
    return cv2.blur(x, (1, 15))


CHANGES = {
    "none": (lambda x: x, True),
    "contrast": (more_contrast, True),
    "jpeg": (lambda x: cv2.imdecode(cv2.imencode(".jpg", x, [1, 90])[1], 1), True),
    "tint": (lambda x: cv2.add(x, np.full_like(x, 8)), True),
    "night": (lambda x: x // 2, False),
    "strokes": (other_strokes, False),
    "mirror": (lambda x: x[:, ::-1].copy(), False),
    "inverted": (lambda x: 255 - x, False),
}


@pytest.mark.parametrize("name", CHANGES)
def test_slight_changes_are_told_from_others(name):
    change, copied = CHANGES[name]
    assert is_near_copy(to_tensor(change(PHOTO)), to_tensor(PHOTO)).tolist() == [copied]


def test_each_picture_of_a_batch_is_judged_by_itself():
    some = torch.cat([to_tensor(PHOTO), to_tensor(255 - PHOTO), to_tensor(PHOTO)])
    assert is_near_copy(some, to_tensor(PHOTO).expand_as(some)).tolist() == [True, False, True]
    assert is_near_copy(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)).tolist() == [True]
