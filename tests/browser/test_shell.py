"""Every page: narrow and wide, light and dark, by keyboard, with and without models."""

import pytest

PAGES = ("draw", "translate", "fill", "generate", "train")


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1600, "dark")])
def test_nothing_is_wider_than_the_window(visit, width, scheme):
    one = visit(viewport={"width": width, "height": 740}, color_scheme=scheme)
    for name in PAGES:
        page = one.open(name)
        assert page.locator("#nav a[aria-current]").get_attribute("href") == f"#{name}"
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(19, 20, 24)"
    assert dark == (scheme == "dark")


def test_a_drawing_outlives_a_look_at_another_page(visit):
    from tests.browser.conftest import SHOE, draw

    page = visit().open("draw")
    draw(page, SHOE[0])
    page.get_by_role("link", name="Fill").click()
    page.get_by_text("Choose a picture first").wait_for()
    page.get_by_role("link", name="Draw").click()
    assert page.locator(".page-draw").get_by_label("Undo (Ctrl+Z)").is_enabled()


def test_every_control_has_a_name(visit):
    one = visit()
    for name in PAGES:
        page = one.open(name)
        nameless = page.evaluate(
            """() => [...document.querySelectorAll('button, input:not([type=file]), select')].filter((node) => {
              const labels = [...(node.labels ?? [])].map((label) => label.textContent.trim());
              return !(node.ariaLabel || node.textContent.trim() || labels.some(Boolean));
            }).map((node) => node.outerHTML)"""
        )
        assert not nameless


def test_without_models_a_page_says_how_to_get_one(visit):
    one = visit()
    one.context.route("**/api/models", lambda route: route.fulfill(json={"models": []}))
    for name, command in (("draw", "train_pix2pix"), ("translate", "train_cycle"), ("fill", "train_inpaint")):
        page = one.open(name)
        assert command in page.locator(f".page-{name} code").inner_text()
        assert page.locator(f".page-{name}").get_by_role("link", name="Train one here").is_visible()


def test_the_line_of_an_error_is_shown(visit, photo):
    one = visit()
    page = one.open("translate")
    page.route("**/api/translate", lambda route: route.fulfill(status=400, json={"error": "photo.png: is <b>odd</b>"}))
    page.locator(".page-translate .dropzone input").first.set_input_files(photo[0])
    page.locator(".status.error", has_text="photo.png: is <b>odd</b>").wait_for()
