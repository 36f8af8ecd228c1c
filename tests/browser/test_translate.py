"""Translate in a real browser: many pictures, before and after, downloads, two models."""

import zipfile

import cv2
import numpy as np

from tests.browser.conftest import picture_of
from tests.conftest import picture
from translate import FolderOptions, Translator, translate_folder

HOSTILE = '<img src=x onerror="window.broken = 1">.png'


def write_album(folder):
    """Write two PNGs, a 16-bit TIFF that browsers cannot show, and a file that is no picture."""
    folder.mkdir()
    for name, seed in (("one.png", 1), ("two.png", 2)):
        cv2.imwrite(str(folder / name), picture(seed, 40, 60))
    cv2.imwrite(str(folder / "deep.tif"), picture(3, 40, 60).astype(np.uint16) * 257)
    (folder / "broken.png").write_bytes(b"this is no picture")
    return sorted(folder.iterdir())


def add(page, files):
    page.locator(".page-translate .dropzone input").first.set_input_files(files)


def test_a_zip_of_many_is_what_translate_folder_writes(visit, tmp_path, models):
    page = visit().open("translate")
    page.get_by_label("Model", exact=True).select_option("photos2monet")
    add(page, write_album(tmp_path / "in"))
    page.get_by_text("1 of 4 failed").wait_for()
    assert page.locator(".thumb-state.done").count() == 3
    page.get_by_label("broken.png").click()
    assert "broken.png" in page.locator(".view-panel .empty.error").inner_text()
    page.get_by_label("deep.tif").click()
    assert page.get_by_text("Browsers cannot show deep.tif").is_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all as a zip").click()
    translator = Translator.load(models / "photos2monet", "cpu", "fp32")
    translate_folder(translator, tmp_path / "in", tmp_path / "out", FolderOptions(progress=False))
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == ["deep.tif", "one.png", "two.png"]
        for name in archive.namelist():
            assert archive.read(name) == (tmp_path / "out" / name).read_bytes()


def test_before_and_after_by_mouse_and_keyboard(visit, photo):
    page = visit().open("translate")
    add(page, photo[0])
    page.get_by_text("Done in").wait_for()
    view = page.locator(".compare:visible")
    assert picture_of(page, ".compare img:nth-child(1)") == photo[0].read_bytes()
    divider = view.get_by_role("slider")
    cut = "(node) => getComputedStyle(node.querySelector('.compare-after')).clipPath"
    assert view.evaluate(cut) == "inset(0px 0px 0px 50%)"
    divider.press("Home")
    assert view.evaluate(cut) == "inset(0px 0px 0px 0%)"
    divider.press("ArrowRight")
    assert view.evaluate(cut) == "inset(0px 0px 0px 0.5%)"
    box = view.bounding_box()
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"])
    assert abs(float(divider.input_value()) - 75) < 2
    with page.expect_download() as download:
        page.get_by_role("button", name="Download this picture").click()
    assert download.value.suggested_filename == "photo.png"
    assert picture_of(page, ".compare-after") == download.value.path().read_bytes() != photo[0].read_bytes()


def test_the_direction_and_two_models_beside_each_other(visit, photo):
    page = visit().open("translate")
    page.get_by_label("Model", exact=True).select_option("photos2monet")
    add(page, photo[0])
    page.get_by_text("Done in").wait_for()
    forth = picture_of(page, ".compare-after")
    shown = page.locator(".compare-after").first.get_attribute("src")
    page.get_by_label("monet → photos").check()
    page.wait_for_function(
        "(old) => ![null, '', old].includes(document.querySelector('.compare-after').src)", arg=shown
    )
    page.get_by_text("Done in").wait_for()
    assert picture_of(page, ".compare-after") != forth
    page.get_by_label("Beside it, a second model").select_option("photos2other")
    page.locator(".compare:visible").nth(1).wait_for()
    page.locator(".compare:visible .compare-after[src]").nth(1).wait_for()
    first, second = page.locator(".compare:visible").all()
    first.get_by_role("slider").press("Home")
    assert second.get_by_role("slider").input_value() == "0"
    assert first.get_by_text("photos2monet").is_visible() and second.get_by_text("photos2other").is_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all as a zip").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert sorted(archive.namelist()) == ["photos2monet/photo.png", "photos2other/photo.png"]


def test_a_job_is_cancelled(visit, photo):
    one = visit()
    page = one.open("translate")
    page.route("**/api/translate", lambda route: None)  # an answer that never comes
    add(page, photo[0])
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled; 0 of 1 are done").wait_for()
    page.unroute_all(behavior="ignoreErrors")
    page.get_by_role("button", name="Translate all").click()
    page.get_by_text("Done in").wait_for()


def test_file_names_are_text(visit, photo):
    page = visit().open("translate")
    add(page, {"name": HOSTILE, "mimeType": "image/png", "buffer": b"no picture"})
    page.locator(".thumb-state.failed").wait_for()
    assert page.evaluate("() => document.querySelectorAll('img[onerror]').length + Number('broken' in window)") == 0
