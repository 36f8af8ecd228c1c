"""Rendered scenes with their label maps: shapes before sky and ground, in files of every form."""

import cv2
import numpy as np
from PIL import Image

NAMES = ("sky", "ground", "disc", "box")
COLOURS = np.array([[70, 130, 180], [107, 142, 35], [220, 20, 60], [70, 70, 70]], np.uint8)
PALETTE = np.concatenate([COLOURS, np.zeros((251, 3), np.uint8), [[224, 224, 192]]]).astype(np.uint8)


def scene(seed, side=48, border=True):
    """Return a photo (side, side, 3) and the numbers of its classes, 255 along the upper border."""
    rng = np.random.default_rng(seed)
    numbers = np.zeros((side, side), np.uint8)
    numbers[int(side * rng.uniform(0.4, 0.7)) :] = 1
    for _ in range(3):
        (x, y), size = rng.integers(6, side - 6, 2).tolist(), int(rng.integers(5, 10))
        if rng.random() < 0.5:
            cv2.circle(numbers, (x, y), size, 2, -1)
        else:
            cv2.rectangle(numbers, (x - size, y - size), (x + size, y + size), 3, -1)
    light = COLOURS + rng.normal(0, 15, (4, 3))
    grain = cv2.GaussianBlur(rng.normal(0, 40, (side, side, 3)), (0, 0), 1) + rng.normal(0, 5, (side, side, 3))
    photo = np.clip(light[numbers] + grain, 0, 255).astype(np.uint8)
    if border:
        numbers[:2] = 255
    return photo, numbers


def as_palette(numbers, palette=PALETTE):
    image = Image.fromarray(numbers)
    image.putpalette(palette.astype(np.uint8).tobytes())
    return image


FORMS = {  # class numbers to what is written
    "palette": as_palette,
    "gray": Image.fromarray,
    "gray16": lambda numbers: Image.fromarray(numbers.astype(np.uint16) * 1000),
    "rgb": lambda numbers: Image.fromarray(PALETTE[numbers]),
}


def write_scenes(root, form="palette", train=12, test=6, side=48, order="AB", suffix="png", border=True):
    """Write photos as side order[0], and their maps as the other, into trainA, trainB, testA and testB below `root`."""
    for split, count, start in (("train", train, 0), ("test", test, 100)):
        for letter in order:
            (root / f"{split}{letter}").mkdir(parents=True, exist_ok=True)
        for i in range(start, start + count):
            photo, numbers = scene(i, side, border)
            Image.fromarray(photo).save(root / f"{split}{order[0]}" / f"{i}.png")
            FORMS[form](numbers).save(root / f"{split}{order[1]}" / f"{i}.{suffix}")
    return root
