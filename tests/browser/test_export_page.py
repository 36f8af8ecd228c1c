"""The page of an exported model in a real browser, from `python -m http.server`, with all else blocked."""

import base64
import re
import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from tests.browser.conftest import CHROMIUM, RECIPE, SHOE, build, draw, picture_of, read_png, until
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
from translate.inference.translator import Translator

SIZE, Z = 64, 4  # px


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return the folder of two run folders and their pages in `sites`: shoe, with hints, and monet."""
    root = tmp_path_factory.mktemp("exported")
    write_models(root)
    export_pages(root, ("shoe", "monet"), SIZE)
    return root


def write_models(root):
    """Write a model of drawings with hints and looks, and one of two directions, both with real networks."""
    torch.manual_seed(0)
    style = {"width": 8, "downs": 1, "blocks": 1, "style_dim": 8, "z_dim": Z}
    shoe = {"G": build("style_resnet", in_channels=5, out_channels=3, **style)}
    shoe["E"] = build("style_encoder", width=4, in_channels=3, z_dim=Z)
    monet = {name: build("skip_resnet", width=8, trunk=8, blocks=1) for name in ("G_ab", "G_ba")}
    both = replace(RECIPE, task="cycle", domains=("photos", "monet"), channels={"a": 3, "b": 3}, facts={}, whole=False)
    for name, recipe, nets in (("shoe", RECIPE, shoe), ("monet", replace(both, directions=("ab", "ba")), monet)):
        (root / name).mkdir(parents=True)
        recipe = replace(recipe, size=SIZE, nets={net: module.spec for net, module in nets.items()})
        export_model(nn.ModuleDict(nets), recipe, root / name / "model.safetensors")


@pytest.fixture(scope="module")
def server(exported):
    with serve_folder(exported / "sites") as address:
        yield address


@pytest.fixture
def visit(browser, server):
    with visiting(browser, server) as start:
        yield start


def wait_for_six(page):
    page.evaluate("() => new Promise((resolve) => setTimeout(resolve, 300))")
    page.locator(".draw-grid .status:not(.busy)", has_text="6 answers in").wait_for()


def test_three_strokes_have_the_answers_of_python(visit, exported):
    page = open_page(visit("shoe"), "draw")
    assert page.evaluate("crossOriginIsolated")  # by the service worker: threads are allowed
    for stroke in SHOE:
        draw(page, stroke)
    start = time.perf_counter()
    wait_for_six(page)
    seconds = time.perf_counter() - start
    drawing = cv2.imdecode(np.frombuffer(last_field(page, "translate", "image"), np.uint8), 1)
    translator = Translator.load(exported / "shoe", "cpu", "fp32")
    answers = translator(cv2.cvtColor(drawing, cv2.COLOR_BGR2RGB), count=6, seed=0)
    shown = [rgb(picture_of(page, f".six .card:nth-child({k}) img")) for k in range(1, 7)]
    differences = [largest_difference(*pair) for pair in zip(shown, answers, strict=True)]
    print(f"\nsix answers of {SIZE} px in {seconds:.2f} s, largest difference to Python {max(differences)} of 255")
    assert max(differences) < LEVELS and len({one.tobytes() for one in shown}) == 6
    # colours, and a kept look
    page.get_by_label("Keep the look of answer 2", exact=True).click()
    page.get_by_label("Red", exact=True).click()
    draw(page, [(0.3, 0.6), (0.7, 0.62)])
    page.get_by_text(re.compile("six others|6 answers in")).wait_for()
    wait_for_six(page)
    hints = read_png(last_field(page, "translate", "hints"))
    image = cv2.cvtColor(drawing, cv2.COLOR_BGR2RGB)
    answers = translator(image, count=6, seed=0, hints=cv2.cvtColor(hints, cv2.COLOR_BGRA2RGBA))
    assert largest_difference(rgb(picture_of(page, ".hero img")), answers[1]) < LEVELS


def test_a_dropped_picture_is_translated_in_both_directions(visit, exported, tmp_path):
    photo = picture(3, 61, 94)
    cv2.imwrite(str(tmp_path / "photo.png"), photo)
    page = open_page(visit("monet"), "translate")
    page.locator(".dropzone input").first.set_input_files(tmp_path / "photo.png")
    translator = Translator.load(exported / "monet", "cpu", "fp32")
    for label, direction in (("photos → monet", "ab"), ("monet → photos", "ba")):
        page.get_by_label(label).check()
        until(page, "(way) => window.questions.at(-1).fields?.direction === way", direction)
        page.locator(".status:not(.busy)", has_text="Done in").wait_for()
        answer = rgb(picture_of(page, ".compare-after"))
        assert largest_difference(answer, translator(cv2.cvtColor(photo, cv2.COLOR_BGR2RGB), direction)) < LEVELS
    with page.expect_download() as download:
        page.get_by_role("button", name="Download this picture").click()
    assert download.value.suggested_filename == "photo.png"
    assert (rgb(download.value.path().read_bytes()) == answer).all()
    (tmp_path / "notes.png").write_text("no picture")
    page.locator(".more-pictures input").set_input_files(tmp_path / "notes.png")
    page.get_by_text("notes.png: this browser cannot read such a file").first.wait_for()
    assert page.get_by_text("Longest side, at most").is_visible() and not page.get_by_text("Statistics").is_visible()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1600, "dark")])
def test_nothing_is_wider_than_the_window(visit, width, scheme):
    page = visit("shoe", viewport={"width": width, "height": 740}, color_scheme=scheme).open("draw")
    for name in ("translate", "draw"):
        page.evaluate("(name) => (location.hash = name)", name)
        page.locator(f".page-{name}").wait_for()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width


TIDY = """
async ([data, width, height, side]) => {
  const {tidy, isClean} = await import(location.pathname.replace(/[^/]*$/, "") + "js/drawing.js");
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const plane = (channel) => Uint8ClampedArray.from({length: width * height}, (_, i) => bytes[3 * i + channel]);
  const drawing = {width, height, planes: [0, 1, 2].map(plane)};
  const {data: levels, width: w, height: h} = tidy(drawing, side);
  return {clean: isClean(drawing), width: w, levels: [...levels]};
}
"""


def test_drawings_are_cleaned_as_python_cleans_them(visit):
    from translate.images.line_drawings import tidy_sketch
    from translate.inference.inputs.pixels import _is_clean

    page = visit("shoe").open("draw")
    rng = np.random.default_rng(0)
    kinds = (255, 20, (SIZE, SIZE)), (255, 200, (SIZE, SIZE)), (190, 60, (150, 120)), (20, 240, (48, 64))
    for paper, ink, size in kinds:
        drawing = np.full((*size, 3), paper, np.uint8)
        for _ in range(4):
            cv2.polylines(drawing, [(rng.random((4, 2)) * size[::-1]).astype(int)], False, (ink,) * 3, 2, cv2.LINE_AA)
        text = base64.b64encode(drawing.tobytes()).decode()
        found = page.evaluate(TIDY, [text, size[1], size[0], SIZE])
        expected = tidy_sketch(drawing, SIZE)
        levels = np.reshape(found["levels"], (-1, found["width"]))
        assert largest_difference(levels, expected) < LEVELS and found["clean"] == _is_clean(drawing)


def test_opened_as_a_file_the_page_says_what_it_needs(browser, exported):
    page = browser.new_page()
    page.goto((exported / "sites" / "shoe" / "index.html").as_uri())
    page.get_by_text("python -m http.server").wait_for()
    page.close()


def test_a_gpu_has_the_answer_of_the_processor(browser, server):
    """Chromium imitates a GPU on the processor; the page passes by such a one unless it is asked for."""
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]
    with browser.browser_type.launch(executable_path=CHROMIUM, args=flags) as other:
        page = other.new_page()
        page.goto(f"{server}/shoe/")
        page.get_by_text("of its processor").wait_for()
        if not page.evaluate("async () => Boolean(await navigator.gpu?.requestAdapter())"):
            pytest.skip("this chromium has no WebGPU")
        page.goto(f"{server}/shoe/?device=webgpu")
        page.get_by_text("The model runs on this device, on its GPU").wait_for(timeout=120_000)
