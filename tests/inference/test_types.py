"""The types of results, as a type checker infers them from the types of images."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = """
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image
from torch import Tensor

from translate import Translator


def show(t: Translator, picture: Image.Image, array: np.ndarray, x: Tensor, file: BinaryIO, path: Path) -> None:
    reveal_type(t(picture))  # PIL.Image.Image
    reveal_type(t(array, "ba"))  # numpy.ndarray
    reveal_type(t(x, seed=1))  # torch._tensor.Tensor
    reveal_type(t(picture, count=4))  # list[PIL.Image.Image]
    reveal_type(t([array, array]))  # list[numpy.ndarray]
    reveal_type(t((x,), mask=x))  # list[torch._tensor.Tensor]
    reveal_type(t([picture], count=2))  # list[list[PIL.Image.Image]]
    reveal_type(t("x.png"))  # PIL.Image.Image | Any
    reveal_type(t(b"content"))  # PIL.Image.Image | Any
    reveal_type(t(file, hints=path))  # PIL.Image.Image | Any
    reveal_type(t(path, count=3))  # list[PIL.Image.Image | Any]
    reveal_type(t([path, path]))  # list[PIL.Image.Image | Any]
    reveal_type(t([path], count=3))  # list[list[PIL.Image.Image | Any]]
    reveal_type(t(array, z=array))  # Any
    reveal_type(t.stream([picture]))  # Iterator[PIL.Image.Image]
    reveal_type(t.stream(p for p in [path]))  # Iterator[PIL.Image.Image | Any]
    t("x.png").save("y.png")
    t(picture, sead=1)  # error
    t(picture).shape  # error
"""


def test_the_types_of_results_follow_from_those_of_images(tmp_path):
    api = pytest.importorskip("mypy.api")
    example = tmp_path / "example.py"
    example.write_text(EXAMPLE)
    options = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
    report, errors, _ = api.run([*options, str(example)])  # with the cache of `make check`
    assert not errors, errors
    revealed = dict(re.findall(r'example\.py:(\d+): note: Revealed type is "(.*)"', report))
    failed = set(re.findall(r"example\.py:(\d+): error:", report))
    for number, line in enumerate(EXAMPLE.splitlines(), 1):
        wanted = line.partition("  # ")[2]
        if wanted == "error":
            assert str(number) in failed, f"{line}: no error"
        elif wanted:
            assert plain(revealed[str(number)]) == wanted, line
    assert len(failed) == EXAMPLE.count("# error"), report


def plain(revealed):
    """Shorten the spelling of a type, which differs between versions of mypy."""
    revealed = re.sub(r"\b(builtins|typing|collections\.abc)\.", "", revealed)
    revealed = re.sub(r"numpy\.ndarray\[[^|]*?\]\]", "numpy.ndarray", revealed)
    return re.sub(r"Union\[([^],]*), ([^],]*)\]", r"\1 | \2", revealed)
