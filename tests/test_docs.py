"""The Python examples of README and docs run as they stand, on models and pictures made tiny."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
import torch

from tests.conftest import TINY, picture
from tests.studio.studios import client
from tests.training.test_train_drift import FAST as DRIFT
from tests.training.test_train_generate import FAST as GENERATE
from tests.training.test_train_inpaint import PRESETS as INPAINT
from tests.training.test_train_pix2pix import FAST as PIX2PIX
from tests.training.test_train_stargan import PRESETS as STARGAN
from tests.training.test_train_upscale import PRESETS as UPSCALE
from translate import load_config, train

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FEW_STEPS = {'"minutes": 10.0': '"steps": 1, "device": "cpu"'}  # all that is changed in the examples

FACE = """
from translate import {names}
import inspect, translate
assert all(inspect.isclass(x) for x in (Sampler, Translator, FolderOptions, VideoOptions, UserError, OptionError))
assert all(inspect.isfunction(x) for x in (blend, load_config, train, translate_folder, translate_video))
assert TRUST.max_pixels > 0
"""


def examples(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """Return a folder with the models and pictures that the examples name."""
    place = tmp_path_factory.mktemp("docs")
    for name, count in (("summer", 10), ("winter", 10), ("holiday", 2)):
        for i in range(count):
            save(place / name / f"{i}.png", picture(i))
    for name in ("sketch", "my_red_boot", "blue", "photo", "painting"):
        save(place / f"{name}.png", picture(len(name), 64, 64))
        save(place / f"{name}.jpg", picture(len(name), 64, 64))
    white = np.full((64, 64, 3), 255, np.uint8)
    save(place / "sketch.png", cv2.circle(white, (32, 32), 20, (0, 0, 0), 2))
    save(place / "mask.png", cv2.circle(np.zeros((64, 64), np.uint8), (30, 30), 8, 255, -1))
    strokes = np.zeros((64, 64, 4), np.uint8)
    strokes[20:30, 20:30] = 0, 0, 255, 255
    save(place / "strokes.png", strokes)
    cut_out = np.full((64, 64, 4), 255, np.uint8)
    cut_out[20:30, 20:30, 3] = 0
    save(place / "cut_out.png", cut_out)
    rows = "".join(f"summer/{i}.png,{i % 2},{i // 2 % 2}\n" for i in range(10))
    (place / "summer.csv").write_text(f"file,glasses,blond\n{rows}", encoding="utf-8")
    summer, winter = str(place / "summer"), str(place / "winter")
    models = {
        "photos2monet": ("cycle", TINY, {"a": summer, "b": winter}),
        "summer2winter_drift": ("drift", DRIFT, {"a": summer, "b": winter}),
        "sketch2shoe": ("pix2pix", PIX2PIX, {"a": winter, "b": summer, "hints": True}),
        "photos_inpaint": ("inpaint", INPAINT["fast"], {"images": summer}),
        "photos_x4": ("upscale", UPSCALE["fast"], {"images": summer}),
        "attributes_stargan": ("stargan", STARGAN["fast"], {"images": summer, "classes": str(place / "summer.csv")}),
        "faces": ("generate", GENERATE, {"images": summer, "classes": ""}),
    }
    for name, (task, small, data) in models.items():
        run = {"data": data, "out": str(place / "runs" / name), "train": {"steps": 1, "device": "cpu"}}
        train(load_config(task, "fast", small, run))
    return place


def save(path, pixels):
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), pixels)


@pytest.fixture
def studio(workplace, monkeypatch):
    """Let programs reach a studio of the models of the workplace, without a port."""
    with client(roots=(workplace / "runs",)) as opened:
        monkeypatch.setattr(httpx, "post", lambda url, *, timeout, **options: opened.post(url, **options))
        yield opened


@pytest.mark.parametrize("page", [page for page in PAGES if examples(page)], ids=lambda page: page.name)
def test_the_examples_of_a_page_run(page, workplace, studio, monkeypatch):
    monkeypatch.chdir(workplace)
    array = picture(3, 64, 64)
    array[20:30, 20:30] = 255
    names = {"array": array, "tensor": torch.zeros(3, 64, 64)}
    for example in examples(page):
        for long, short in FEW_STEPS.items():
            example = example.replace(long, short)
        exec(compile(example, page.name, "exec"), names)


def test_the_public_names_are_what_they_seem_in_a_fresh_process():
    """A submodule of the same name once hid `translate.train`."""
    import translate

    orders = itertools.islice(itertools.permutations(sorted(set(translate.__all__) - {"__version__"})), 2)
    for names in orders:
        subprocess.run([sys.executable, "-c", FACE.format(names=", ".join(names))], cwd=ROOT, check=True, timeout=120)


def test_the_pages_link_to_what_is_there():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
