"""Fill in a real browser: a painted hole, a mask, known pixels bit for bit."""

import base64

import cv2
import numpy as np

from tests.browser.conftest import draw, picture_of, read_png

KEEP_MASK = """
const send = window.fetch;
window.fetch = (url, init) => {
  if (init?.body instanceof FormData) window.mask = init.body.get("mask");
  return send(url, init);
};
"""
READ_MASK = """
async () => {
  let text = "";
  for (const byte of new Uint8Array(await window.mask.arrayBuffer())) text += String.fromCharCode(byte);
  return btoa(text);
}
"""
BOARD = ".page-fill .board"


def opened(visit, photo):
    one = visit()
    one.context.add_init_script(KEEP_MASK)
    page = one.open("fill")
    assert page.get_by_text("Choose a picture first").is_visible()
    page.locator(".page-fill .dropzone input").set_input_files(photo[0])
    page.locator(BOARD).wait_for()
    return page


def test_a_painted_hole_is_filled_and_known_pixels_keep_their_bits(visit, photo):
    path, pixels = photo
    page = opened(visit, photo)
    assert page.get_by_role("button", name="Fill the hole").is_disabled()
    draw(page, [(0.3, 0.3), (0.6, 0.5)], BOARD)
    page.get_by_label("4", exact=True).check()
    page.get_by_role("button", name="Fill the hole").click()
    page.get_by_text("4 answers in").wait_for()
    hole = read_png(base64.b64decode(page.evaluate(READ_MASK)))
    hole = hole[..., 0] if hole.ndim == 3 else hole
    assert set(np.unique(hole)) == {0, 255} and hole.shape == pixels.shape[:2]
    assert hole[26, 43] == 255 and 0.01 < (hole > 0).mean() < 0.3
    page.get_by_label("Show answer 2").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    filled = cv2.imread(str(download.value.path()), cv2.IMREAD_UNCHANGED)
    assert (filled[hole == 0] == pixels[hole == 0]).all() and (filled[hole > 0] != pixels[hole > 0]).any()
    assert picture_of(page, ".page-fill .compare-after") == download.value.path().read_bytes()
    assert len({picture_of(page, f".fill-cards .card:nth-child({k}) img") for k in (1, 2, 3, 4)}) == 4


def test_a_mask_is_the_hole_whatever_its_colour(visit, photo, tmp_path):
    page = opened(visit, photo)
    mask = np.full((64, 96), 255, np.uint8)
    mask[10:30, 20:50] = 0  # a black hole
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    cv2.imwrite(str(tmp_path / "small.png"), mask[:32])
    masks = page.locator(".page-fill .toolbar input[type=file]").first
    masks.set_input_files(tmp_path / "small.png")
    page.get_by_text("small.png: is 96 x 32 px, the picture 96 x 64").wait_for()
    masks.set_input_files(tmp_path / "mask.png")
    page.get_by_role("button", name="Fill the hole").click()
    page.get_by_text("Filled in").wait_for()
    sent = read_png(base64.b64decode(page.evaluate(READ_MASK)))
    assert ((sent[..., 0] if sent.ndim == 3 else sent) == 255 - mask).all()


def test_strokes_are_undone_and_erased(visit, photo):
    page = opened(visit, photo)
    fill = page.get_by_role("button", name="Fill the hole")
    draw(page, [(0.3, 0.5), (0.6, 0.5)], BOARD)
    assert fill.is_enabled()
    page.keyboard.press("Control+z")
    assert fill.is_disabled()
    page.keyboard.press("Control+y")
    assert fill.is_enabled()
    page.get_by_role("slider", name="Width").press("End")
    page.get_by_label("Eraser (E)").click()
    draw(page, [(0.2, 0.5), (0.7, 0.5)], BOARD)
    assert fill.is_disabled()
