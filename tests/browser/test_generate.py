"""The page Generate in a real browser: a sheet, sliders, a walk by mouse and by keys, a sum, paint, a photo."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import draw, picture_of, serve, until
from tests.studio.studios import faces, save_model


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder of runs with a generator of two classes, whose name would be a script if it were HTML."""
    root = tmp_path_factory.mktemp("generate") / "runs"
    nets, recipe = faces()
    for level in nets["G"].levels:
        level.to_rgb.weight.data.mul_(2)
    save_model(root / "<img src=x onerror=alert(1)>", nets, recipe)
    return root


@pytest.fixture(scope="module")
def address(root):
    with serve(root) as address:
        yield address


@pytest.fixture
def page(visit, address):
    page = visit(address).open("generate")
    page.set_default_timeout(60_000)
    return page


def image_of(page, selector):
    """The picture that an image shows."""
    return Image.open(io.BytesIO(picture_of(page, selector)))


def pixels_of(page, selector):
    return np.asarray(image_of(page, selector))


def test_a_sheet_of_seeds_grows_and_obeys_label_and_variety(page):
    cards = page.locator(".sheet-panel > .cards .card.sample")
    cards.nth(23).wait_for()
    assert page.locator(".model-picker select").input_value() == "<img src=x onerror=alert(1)>"
    assert page.locator(".tool-panel h2").text_content() == "Seed 0"
    page.get_by_role("button", name="More").click()
    cards.nth(47).wait_for()
    first = np.asarray(image_of(page, ".sheet-panel > .cards .card:nth-child(2) img"))
    page.get_by_label("Label").select_option("cat")  # seed 1 was a dog
    until(page, "() => document.querySelectorAll('.cards.sheet .card.sample').length === 24")
    assert (np.asarray(image_of(page, ".sheet-panel > .cards .card:nth-child(2) img")) != first).any()
    page.get_by_label("Variety").fill("0")
    page.wait_for_timeout(400)
    until(page, "() => !document.querySelector('.sheet-panel .status').classList.contains('busy')")
    one, other = (np.asarray(image_of(page, f".sheet-panel > .cards .card:nth-child({i}) img")) for i in (1, 2))
    np.testing.assert_array_equal(one, other)  # the mean picture


def test_a_sample_is_moved_and_kept(page):
    page.locator(".sheet-panel > .cards .card.sample").nth(3).wait_for()
    page.locator(".card.sample .picture").nth(3).click()
    before = pixels_of(page, ".chosen-picture img")
    page.get_by_label("Direction 1").fill("2.5")
    page.get_by_role("button", name="Keep").and_(page.locator(":enabled")).wait_for()
    after = pixels_of(page, ".chosen-picture img")
    assert (before != after).any()
    page.get_by_role("button", name="Keep").click()
    assert page.locator(".cards.sheet").first.locator(".card.sample").count() == 1
    np.testing.assert_array_equal(pixels_of(page, ".chosen-picture img"), after)


def test_a_walk_by_dragging_and_by_keys(page):
    cards = page.locator(".card.sample .picture")
    cards.nth(5).wait_for()
    page.get_by_role("radio", name="Walk").check()
    page.get_by_label("Length").select_option("1")
    cards.nth(1).drag_to(cards.nth(5))
    page.locator(".film img[src]").wait_for()
    assert image_of(page, ".film img").n_frames == 20
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download").and_(page.locator(".tool:not([hidden]) *")).click()
    assert saved.value.suggested_filename == "walk.gif"
    film = page.locator(".film img").get_attribute("src")
    cards.nth(2).focus()
    page.keyboard.press("w")
    page.keyboard.press("Tab")
    page.keyboard.press("w")
    until(page, "(old) => document.querySelector('.film img').src !== old", film)
    ends = page.locator(".slot-sample").evaluate_all("(nodes) => nodes.map((node) => node.title)")
    assert ends == ["Remove Seed 2", "Remove Seed 3"]


def test_a_sum_by_dragging_and_by_keys(page):
    cards = page.locator(".card.sample .picture")
    cards.nth(5).wait_for()
    page.get_by_role("radio", name="Add").check()
    cards.nth(0).drag_to(page.get_by_role("group", name="A", exact=True))
    page.locator(".result img[src]").wait_for()
    plain = pixels_of(page, ".result img")
    for key, i in (("b", 1), ("c", 2), ("c", 4)):
        cards.nth(i).focus()
        page.keyboard.press(key)
    page.get_by_role("group", name="C", exact=True).locator(".slot-sample").nth(1).wait_for()
    page.wait_for_timeout(500)
    assert (pixels_of(page, ".result img") != plain).any()


def test_paint_finds_samples_and_a_photo_is_projected(page, photo):
    page.locator(".card.sample .picture").nth(5).wait_for()
    page.get_by_role("radio", name="Paint").check()
    draw(page, [(0.2, 0.2), (0.5, 0.4)], ".tool .board")
    page.get_by_role("button", name="Find samples").click()
    page.locator(".cards.found .card.sample").first.wait_for()
    page.get_by_role("radio", name="Photo").check()
    page.locator(".tool:not([hidden]) input[type=file]").set_input_files(photo[0])
    page.get_by_role("button", name="Cancel").and_(page.locator(":visible")).click()
    page.get_by_text("cancelled").wait_for()
    page.locator(".tool:not([hidden]) input[type=file]").set_input_files(photo[0])
    page.get_by_text("distance 0.").wait_for(timeout=60_000)
