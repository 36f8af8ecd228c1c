"""Models, folders and helpers of the tests of folders."""

import numpy as np
from torch import nn

from translate.checkpoints.recipe import Recipe
from translate.images.io import read_picture
from translate.images.picture import Picture
from translate.inference.folder.run import translate_folder
from translate.inference.options import FolderOptions

RECIPE = Recipe(task="cycle", nets={}, domains=("photos", "monet"), size=64, preset="fast", steps=1, data="none")


class Negative(nn.Module):
    multiple = 4

    def forward(self, x):
        return -x


SKETCH_RECIPE = Recipe(
    task="pix2pix", nets={}, domains=("sketches", "photos"), size=32, preset="fast", steps=1, data="none",
    channels={"a": 1, "b": 3, "hint": 4}, directions=("ab",),
)  # fmt: skip


GOOD = 10  # pictures of the fixture `source` that can be translated


def pictures(root):
    files = (p for p in root.rglob("*") if p.is_file() and not p.name.startswith(("failed.jsonl", ".translated")))
    return sorted(p.relative_to(root).as_posix() for p in files)


def run(translator, source, output, **options):
    return translate_folder(translator, source, output, FolderOptions(**{"progress": False, **options}))


def pixels(root):
    return {name: read_picture(root / name).pixels for name in pictures(root) if name.endswith(".png")}


def contents(root):
    return {name: (root / name).read_bytes() for name in pictures(root)}


def layer_of(size=(20, 24)):
    layer = Picture(np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8))
    layer.pixels[5:15, 5:15], layer.alpha[5:15, 5:15] = (250, 10, 10), 255
    return layer
