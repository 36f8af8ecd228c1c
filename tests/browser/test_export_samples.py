"""The exported pages Fill and Generate in a real browser, from `python -m http.server`, with all else blocked."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from tests.browser.conftest import RECIPE, build, draw, picture_of, read_png, until
from tests.browser.sites import (
    LEVELS,
    export_pages,
    largest_difference,
    last_field,
    open_page,
    rgb,
    serve_folder,
    visiting,
)
from tests.conftest import picture
from translate.checkpoints.model_file import export_model
from translate.inference.sampler import Sampler
from translate.inference.translator import Translator

SIZE = 32  # px
CLASSES = ("cat", "dog", "long_eared_owl")
BOARD = ".page-fill .board"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return the folder of two run folders and their pages in `sites`: holes and faces."""
    root = tmp_path_factory.mktemp("exported")
    torch.manual_seed(0)
    holes = build("fourier_resnet", width=8, trunk=16, blocks=1, in_channels=4, out_channels=3, z_dim=4)
    faces = build("style_synthesis", size=SIZE, width=8, most=16, w_dim=12, z_dim=8, classes=len(CLASSES))
    for level in faces.levels:
        level.to_rgb.weight.data.mul_(2)  # as different as samples of a trained one
    plain = replace(RECIPE, size=SIZE, domains=("things",), directions=(), whole=False, facts={})
    hole = replace(plain, task="inpaint", channels={"image": 3, "mask": 1})
    face = replace(plain, task="generate", channels={"image": 3, "label": 3}, facts={"classes": list(CLASSES)})
    for name, recipe, net in (("holes", hole, holes), ("faces", face, faces)):
        (root / name).mkdir()
        export_model(
            nn.ModuleDict({"G": net}), replace(recipe, nets={"G": net.spec}), root / name / "model.safetensors"
        )
    export_pages(root, ("holes", "faces"), SIZE)
    return root


@pytest.fixture(scope="module")
def server(exported):
    with serve_folder(exported / "sites") as address:
        yield address


@pytest.fixture
def visit(browser, server):
    with visiting(browser, server) as start:
        yield start


def test_a_painted_hole_has_the_answers_of_python(visit, exported, tmp_path):
    pixels = picture(3, 61, 94)
    cv2.imwrite(str(tmp_path / "photo.png"), pixels)
    page = open_page(visit("holes"), "fill")
    page.locator(".page-fill .dropzone input").set_input_files(tmp_path / "photo.png")
    page.locator(BOARD).wait_for()
    draw(page, [(0.3, 0.3), (0.6, 0.5)], BOARD)
    page.get_by_label("4", exact=True).check()
    page.get_by_role("button", name="Fill the hole").click()
    page.get_by_text("4 answers in").wait_for()
    hole = read_png(last_field(page, "fill", "mask"))
    hole = (hole[..., 0] if hole.ndim == 3 else hole) > 127
    photo = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    translator = Translator.load(exported / "holes", "cpu", "fp32")
    answers = translator(photo, mask=hole, count=4, seed=0)
    shown = [rgb(picture_of(page, f".fill-cards .card:nth-child({k}) img")) for k in (1, 2, 3, 4)]
    differences = [largest_difference(*pair) for pair in zip(shown, answers, strict=True)]
    print(f"\nfour fillings, largest difference to Python {max(differences)} of 255")
    assert max(differences) < LEVELS and 0.01 < hole.mean() < 0.3
    for one in shown:
        np.testing.assert_array_equal(one[~hole], photo[~hole])
    assert len({one.tobytes() for one in shown}) == 4
    # one answer, without a seed
    page.get_by_label("1", exact=True).check()
    page.get_by_role("button", name="Fill the hole").click()
    page.get_by_text("Filled in").wait_for()
    answer = rgb(picture_of(page, ".page-fill .compare-after"))
    assert largest_difference(answer, translator(photo, mask=hole)) < LEVELS


def test_samples_are_those_of_python(visit, exported):
    page = open_page(visit("faces"), "generate")
    cards = page.locator(".cards .card .picture")
    sampler = Sampler.load(exported / "faces", "cpu")
    cards.nth(11).wait_for()
    page.get_by_role("button", name="More").click()
    cards.nth(23).wait_for()
    shown = [rgb(picture_of(page, f".cards .card:nth-child({k + 1}) img")) for k in range(24)]
    difference = largest_difference(np.stack(shown), sampler(24))
    print(f"\n24 samples, largest difference to Python {difference} of 255")
    assert difference < LEVELS and len({one.tobytes() for one in shown}) == 24
    # of one label
    page.get_by_label("Label").select_option("long eared owl")
    until(page, "() => document.querySelectorAll('.cards .card').length === 12")
    page.get_by_text("12 samples in").wait_for()
    shown = [rgb(picture_of(page, f".cards .card:nth-child({k + 1}) img")) for k in range(12)]
    assert largest_difference(np.stack(shown), sampler(12, label="long_eared_owl")) < LEVELS
    # a chosen one is kept
    cards.nth(5).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download this picture").click()
    assert download.value.suggested_filename == "sample_5.png"
    np.testing.assert_array_equal(rgb(download.value.path().read_bytes()), shown[5])
