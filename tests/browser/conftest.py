"""A studio with tiny models, and a browser that may talk to it alone."""

import asyncio
import base64
import os
import shutil
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from tests.conftest import picture
from translate.checkpoints.model_file import export_model
from translate.checkpoints.recipe import Recipe
from translate.networks import EXPORTABLE
from translate.utils.factory import Factory

CHROMIUM = os.environ.get("CHROMIUM", "") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
SIZE, Z = 128, 4
RECIPE = Recipe(
    task="pix2pix", nets={}, domains=("sketches", "photos"), size=SIZE, preset="fast", steps=1, data="none",
    channels={"a": 1, "b": 3, "hint": 4}, directions=("ab",), whole=True, facts={"sketch": True},
)  # fmt: skip


def pytest_collection_modifyitems(items):
    reason = "" if CHROMIUM else "no chromium here: install Debian's package `chromium`, or name one in CHROMIUM"
    try:
        import fastapi  # noqa: F401
        import playwright  # noqa: F401
    except ModuleNotFoundError as error:
        reason = f"needs {error.name}: pip install -e '.[dev]'"
    for item in items:
        if reason and "browser" in Path(item.fspath).parts:
            item.add_marker(pytest.mark.skip(reason=reason))


def build(name, **options):
    """An untrained network whose styles are strong enough to be seen."""
    net = Factory({"name": name}, EXPORTABLE, "network")(**options)
    for part, parameter in net.named_parameters():
        if "from_style" in part or "mapping" in part or "from_z" in part or "head" in part:
            parameter.data.normal_(0, 0.5)
    return net


def write_models(root):
    """Write one untrained model of each kind: `sketch2shoe`, `photos2monet`, `photos2other` and `photos_inpaint`."""
    torch.manual_seed(0)
    style = {"width": 8, "downs": 1, "blocks": 1, "style_dim": 8}
    shoe = {"G": build("style_resnet", in_channels=5, out_channels=3, z_dim=Z, **style)}
    shoe["E"] = build("style_encoder", width=4, in_channels=3, z_dim=Z)
    cycle = replace(RECIPE, task="cycle", domains=("photos", "monet"), channels={"a": 3, "b": 3}, facts={}, whole=False)
    cycle = replace(cycle, directions=("ab", "ba"))
    hole = replace(RECIPE, task="inpaint", domains=("photos",), channels={"image": 3, "mask": 1}, directions=())
    skip = {"width": 8, "trunk": 8, "blocks": 1}
    models = {
        "sketch2shoe": (RECIPE, shoe),
        "photos2monet": (cycle, {name: build("skip_resnet", **skip) for name in ("G_ab", "G_ba")}),
        "photos2other": (cycle, {name: build("skip_resnet", **skip) for name in ("G_ab", "G_ba")}),
        "photos_inpaint": (
            replace(hole, facts={}, whole=False),
            {"G": build("fourier_resnet", width=8, trunk=16, blocks=1, in_channels=4, out_channels=3, z_dim=Z)},
        ),
    }
    for name, (recipe, nets) in models.items():
        (root / name).mkdir(parents=True)
        recipe = replace(recipe, nets={net: module.spec for net, module in nets.items()})
        export_model(nn.ModuleDict(nets), recipe, root / name / "model.safetensors")


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A folder of run folders."""
    root = tmp_path_factory.mktemp("studio") / "runs"
    write_models(root)
    return root


@pytest.fixture(scope="session")
def studio(models):
    """The address of a running studio."""
    with serve(models) as address:
        yield address


@contextmanager
def serve(root):
    """Run a studio of the runs in a folder; yield its address."""
    from translate.studio.app import create_app
    from translate.studio.serve import Server, bind, uvicorn
    from translate.studio.settings import Settings

    settings = Settings(roots=(root,), port=0, device="cpu", precision="fp32")
    listener = bind(settings.host, settings.port)
    server = Server(uvicorn.Config(create_app(settings), log_level="warning", access_log=False))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


KEEP_BLOBS = """
const create = URL.createObjectURL; window.blobs = new Map();
URL.createObjectURL = (blob) => { const url = create(blob); window.blobs.set(url, blob); return url; };
"""


class Visit:
    """A page of the studio; what it asks of other origins is refused, and noted like its errors."""

    def __init__(self, browser, address, **options):
        self.address, self.foreign, self.errors, self.calls = address, [], [], []
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        self.context.route("**/*", self.guard)
        self.context.add_init_script(KEEP_BLOBS)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self.listen)

    def guard(self, route):
        url = route.request.url
        if not url.startswith((self.address, "blob:", "data:")):
            self.foreign.append(url)
            route.abort()
            return
        path = url.removeprefix(self.address)
        if path.startswith("/api/"):
            self.calls.append(path)
        route.continue_()

    def listen(self, message):
        """Note errors; that the API refuses something is said on the page."""
        if message.type == "error" and "/api/" not in message.location["url"]:
            self.errors.append(message.text)

    def open(self, name):
        self.page.goto(f"{self.address}/#{name}")
        self.page.locator("html[data-ready]").wait_for()
        return self.page


@pytest.fixture
def visit(browser, studio):
    """Open the studio as `visit(width=...)`; at the end, no foreign request and no error may have been seen."""
    visits = []

    def start(address=studio, **options):
        visits.append(Visit(browser, address, **options))
        return visits[-1]

    yield start
    for one in visits:
        one.context.close()
        assert not one.foreign and not one.errors


@pytest.fixture
def photo(tmp_path):
    """A PNG of 96 x 64 px, and its pixels."""
    pixels = picture(3, 64, 96)
    cv2.imwrite(str(tmp_path / "photo.png"), pixels)
    return tmp_path / "photo.png", pixels


def draw(page, points, board=".board"):
    """Draw one stroke through points, as shares of the board."""
    box = page.locator(board).bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


SHOE = [
    [(0.15, 0.65), (0.2, 0.5), (0.45, 0.45), (0.6, 0.3)],
    [(0.6, 0.3), (0.85, 0.3), (0.88, 0.65)],
    [(0.12, 0.68), (0.5, 0.72), (0.9, 0.68)],
]


def picture_of(page, selector):
    """Return the bytes of the picture that an image shows."""
    return base64.b64decode(page.evaluate(READ_PICTURE, selector))


READ_PICTURE = """
async (selector) => {
  let text = "";
  const blob = window.blobs.get(document.querySelector(selector).src);
  for (const byte of new Uint8Array(await blob.arrayBuffer())) text += String.fromCharCode(byte);
  return btoa(text);
}
"""


def until(page, expression, argument=None):
    """Wait until an expression is true; Playwright's own way needs `eval`, which the page forbids."""
    for _ in range(400):
        if page.evaluate(expression, argument):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"not true within 20 s: {expression}")


def read_png(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
