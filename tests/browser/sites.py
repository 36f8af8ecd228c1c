"""Exported pages on `python -m http.server`, and what their tests share."""

import base64
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from tests.browser.conftest import Visit, read_png
from tests.conftest import picture
from translate.utils.errors import UserError

LEVELS = 2  # of 255: largest difference to Python, at which a test fails
KEEP_QUESTIONS = """
const post = Worker.prototype.postMessage; window.questions = [];
Worker.prototype.postMessage = function (message) { window.questions.push(message); post.call(this, message); };
"""
LAST_FIELD = """
async ([wanted, name]) => {
  const question = window.questions.filter(({kind}) => kind === wanted).at(-1);
  let text = "";
  for (const byte of new Uint8Array(await question.fields[name].arrayBuffer())) text += String.fromCharCode(byte);
  return btoa(text);
}
"""


def export_pages(root, names, size):
    """Export the run folders of these names below `root` to pages in `sites`, compared on three pictures."""
    pytest.importorskip("onnxscript", reason="needs onnxscript: pip install -e '.[dev]'")
    from translate.export.onnxruntime_web import find_package
    from translate.export.run import ExportOptions
    from translate.export.site import export_page

    try:
        find_package()
    except UserError as error:
        pytest.skip(str(error))
    (root / "pictures").mkdir()
    for i in range(3):
        cv2.imwrite(str(root / "pictures" / f"{i}.png"), picture(i, size, size))
    for name in names:
        export_page(root / name, root / "sites" / name, ExportOptions(pictures=str(root / "pictures")))


@contextmanager
def serve_folder(folder):
    """Run `python -m http.server`, which sends no headers for threads; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "http.server", str(port), "-b", "127.0.0.1", "-d", str(folder)]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    for _ in range(100):
        try:
            urllib.request.urlopen(address)
            break
        except OSError:
            time.sleep(0.1)
    yield address
    process.terminate()
    process.wait()


@contextmanager
def visiting(browser, address):
    """Yield a function that opens a site; at the end, no foreign request and no error may have been seen."""
    visits = []

    def start(name, **options):
        one = Visit(browser, f"{address}/{name}", **options)
        one.context.add_init_script(KEEP_QUESTIONS)
        visits.append(one)
        return one

    yield start
    for one in visits:
        one.context.close()
        assert not one.foreign and not one.errors


def open_page(one, name):
    """Open a page, and wait for the model; the first visit reloads itself once, for threads."""
    page = one.open(name)
    page.get_by_text("The model runs on this device").wait_for()
    return page


def last_field(page, kind, name):
    """Return the bytes of a file in the newest question of a kind that the page asked its model."""
    return base64.b64decode(page.evaluate(LAST_FIELD, [kind, name]))


def largest_difference(one, other):
    assert one.shape == other.shape
    return np.abs(one.astype(int) - other.astype(int)).max()


def rgb(png):
    return cv2.cvtColor(read_png(png), cv2.COLOR_BGR2RGB)
