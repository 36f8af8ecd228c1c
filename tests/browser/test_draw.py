"""Draw in a real browser: strokes, answers, looks, pictures from outside."""

import base64
import re
import time

import numpy as np
import pytest

import translate
from tests.browser.conftest import SHOE, SIZE, draw, picture_of, read_png, until

LOOK_IS_THERE = re.compile(r"Your look in [\d.]+ s\.")
LIMIT_S = 15.0  # on a busy machine; on a quiet one, two cores need less than 1.5 s
KEEP_FORMS = """
const send = window.fetch; window.forms = [];
window.fetch = (url, init) => {
  if (init?.body instanceof FormData) window.forms.push([url, init.body]);
  return send(url, init);
};
"""
REPLAY = """
async (changes) => {
  const [url, form] = window.forms.at(-1);
  for (const [key, value] of Object.entries(changes)) value === null ? form.delete(key) : form.set(key, value);
  const answer = await fetch(url, {method: "POST", body: form, headers: {Accept: "application/json"}});
  return (await answer.json()).images;
}
"""
INK = """
(layer) => {
  const canvas = document.querySelector(`.board-${layer}`);
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let i = 3; i < data.length; i += 4) sum += data[i] / 255;
  return sum / (canvas.width * canvas.height);
}
"""


def wait_for_answers(page):
    """Wait until the last stroke has its answers; the page asks 0.12 s after it."""
    page.evaluate("() => new Promise((resolve) => setTimeout(resolve, 300))")
    page.locator(".draw-grid .status:not(.busy)", has_text=re.compile("answers in|Your look in")).wait_for()


def wait_for_six(page):
    wait_for_answers(page)
    assert "6 answers in" in page.locator(".draw-grid .status").inner_text()
    assert page.locator(".six img:visible").count() == 6


def drawn(visit, **options):
    """Open the page, draw a shoe, and wait for its answers."""
    one = visit(**options)
    one.context.add_init_script(KEEP_FORMS)
    page = one.open("draw")
    for stroke in SHOE:
        draw(page, stroke)
    wait_for_six(page)
    return one, page


def test_three_strokes_have_six_answers(visit):
    one = visit()
    page = one.open("draw")
    draw(page, SHOE[0])
    wait_for_six(page)  # by now the model is loaded
    draw(page, SHOE[1])
    draw(page, SHOE[2])
    start = time.perf_counter()
    page.locator(".draw-grid .status.busy").wait_for()
    page.locator(".draw-grid .status:not(.busy)", has_text="6 answers in").wait_for()
    seconds = time.perf_counter() - start
    print(f"\nsix answers of {SIZE} px, {seconds:.2f} s after the pen was lifted")
    assert seconds < LIMIT_S
    assert page.locator(".hero img:visible").count() == 1
    assert read_png(picture_of(page, ".hero img")).shape == (SIZE, SIZE, 3)
    assert len({picture_of(page, f".six .card:nth-child({k}) img") for k in range(1, 7)}) == 6


def test_an_empty_board_makes_no_call(visit):
    one = visit()
    page = one.open("draw")
    assert page.get_by_text("Draw a few lines").is_visible() and page.get_by_text("Draw here").is_visible()
    page.get_by_label("Colours", exact=True).check()
    draw(page, SHOE[0])
    page.get_by_text("Colours alone are no drawing yet").wait_for()
    page.keyboard.press("Control+z")
    page.wait_for_timeout(500)
    assert page.get_by_text("Draw here").is_visible()
    assert not [path for path in one.calls if "translate" in path]


def test_a_kept_look_is_drawn_on_with_and_downloaded_as_the_api_answers(visit):
    one, page = drawn(visit)
    page.get_by_label("Keep the look of answer 3", exact=True).click()
    assert page.get_by_text("look kept").is_visible()
    kept = picture_of(page, ".six .card:nth-child(3) img")
    assert picture_of(page, ".hero img") == kept
    count = page.evaluate("window.forms.length")
    draw(page, [(0.3, 0.55), (0.5, 0.6)])
    until(page, "(count) => window.forms.length === count + 2", count)  # the kept look first, then six
    wait_for_six(page)
    with page.expect_download() as download:
        page.get_by_label("Download this picture").click()
    [answer] = page.evaluate(REPLAY, {"count": None, "seed": None, "z": kept_z(page)})
    assert download.value.path().read_bytes() == base64.b64decode(answer["data"])
    assert download.value.suggested_filename == answer["name"]
    # the same look without keeping: the third answer of the seed
    six = page.evaluate(REPLAY, {"z": None, "count": "6", "seed": "0"})
    assert np.allclose(six[2]["z"], kept_z_values(page))


def kept_z(page):
    return page.evaluate("() => window.forms.map(([, form]) => form.get('z')).filter(Boolean).at(-1)")


def kept_z_values(page):
    return page.evaluate("() => JSON.parse(window.forms.map(([, form]) => form.get('z')).filter(Boolean).at(-1))")


def test_two_looks_are_blended(visit):
    one, page = drawn(visit)
    page.get_by_label("Keep the look of answer 1", exact=True).click()
    page.locator(".six .card:nth-child(5)").hover()
    page.get_by_label("Blend with the look of answer 5").click()
    page.get_by_text(LOOK_IS_THERE).wait_for()
    half = kept_z_values(page)
    slider = page.get_by_role("slider", name="Blend")
    count = page.evaluate("window.forms.length")
    slider.press("End")
    until(page, "(count) => window.forms.length > count", count)
    page.get_by_text(LOOK_IS_THERE).wait_for()
    assert page.evaluate("window.forms.length") == count + 1  # the six others are as they were
    assert kept_z_values(page) != half and page.get_by_text("100 %").is_visible()
    first, second = np.array([[0.5, -1, 2, 0.3], [-1, 0.2, 0.4, 1.5]])
    code = "([a, b]) => import('/js/looks.js').then(({blend}) => [0, 0.25, 0.5, 0.75, 1].map((t) => blend(a, b, t)))"
    ours = page.evaluate(code, [first.tolist(), second.tolist()])
    assert np.allclose(ours, translate.blend(first, second, 5), atol=1e-6)


def test_undo_redo_and_the_eraser(visit):
    page = visit().open("draw")
    draw(page, SHOE[0])
    one = page.evaluate(INK, "lines")
    draw(page, SHOE[2])
    two = page.evaluate(INK, "lines")
    assert 0 < one < two
    page.keyboard.press("Control+z")
    assert page.evaluate(INK, "lines") == pytest.approx(one, rel=0.02)
    page.keyboard.press("Control+Shift+z")
    assert page.evaluate(INK, "lines") == pytest.approx(two, rel=0.02)
    page.keyboard.press("e")
    draw(page, SHOE[2])
    assert page.evaluate(INK, "lines") < 0.75 * two
    page.get_by_label("Clear the board").click()
    assert page.evaluate(INK, "lines") == 0
    page.get_by_label("Undo (Ctrl+Z)").click()
    assert page.evaluate(INK, "lines") > 0


def test_pens_press_and_fingers_draw(visit):
    one = visit(has_touch=True)
    page = one.open("draw")
    devtools = one.context.new_cdp_session(page)
    box = page.locator(".board").bounding_box()
    inks = []
    for y, force in ((0.2, 0.1), (0.5, 0.9)):
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x in (0.2, 0.4, 0.6, 0.8)]
        kinds = ["mousePressed", "mouseMoved", "mouseMoved", "mouseReleased"]
        for kind, (x, y) in zip(kinds, places, strict=True):
            pen = {"pointerType": "pen", "force": force, "button": "left", "buttons": 1, "clickCount": 1}
            devtools.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **pen})
        inks.append(page.evaluate(INK, "lines") - sum(inks))
    assert inks[1] > 1.5 * inks[0] > 0
    before = page.evaluate(INK, "lines")
    for kind, x in (("touchStart", 0.2), ("touchMove", 0.5), ("touchMove", 0.8)):
        point = {"x": box["x"] + x * box["width"], "y": box["y"] + 0.8 * box["height"]}
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert page.evaluate(INK, "lines") > before


def test_colours_reach_the_model(visit):
    one, page = drawn(visit)
    page.get_by_label("Red", exact=True).click()
    draw(page, [(0.3, 0.6), (0.7, 0.62)])
    until(page, "() => Boolean(window.forms.at(-1)[1].get('hints'))")
    wait_for_six(page)
    assert page.evaluate(INK, "hints") > 0.01
    with_hints, without = (page.evaluate(REPLAY, change) for change in ({}, {"hints": None}))
    assert [a["data"] for a in with_hints] != [b["data"] for b in without]


def test_a_drawing_is_traced_and_taken_over_by_the_keyboard(visit):
    page = visit().open("draw")
    template = page.get_by_label("Trace: Sneaker")
    template.press("Enter")
    backdrop = page.locator(".board-backdrop")
    assert backdrop.is_visible() and backdrop.evaluate("(image) => image.style.opacity") == "0.2"
    assert page.evaluate(INK, "lines") == 0
    until(page, "() => document.querySelector('.board-backdrop').complete")
    page.get_by_role("button", name="Use its lines").press("Enter")
    wait_for_six(page)
    assert page.evaluate(INK, "lines") > 0.01


DROP = """
([data, name, selector]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, {type: "image/png"}));
  const event = new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true});
  document.querySelector(selector).dispatchEvent(event);
}
"""


def drop(page, path, selector=".board"):
    page.evaluate(DROP, [base64.b64encode(path.read_bytes()).decode(), path.name, selector])


def test_a_dropped_photo_gives_lines_or_its_look(visit, photo):
    one = visit()
    one.context.add_init_script(KEEP_FORMS)
    page = one.open("draw")
    drop(page, photo[0])
    page.get_by_role("button", name="Draw its lines").click()
    until(page, f"() => ({INK})('lines') > 0")
    drop(page, photo[0])
    page.get_by_role("button", name="Take its look").click()
    page.get_by_text("look kept").wait_for()
    until(page, "() => window.forms.some(([, form]) => form.has('z'))")
    wait_for_answers(page)
    assert "/api/look" in one.calls and len(kept_z_values(page)) == 4


def test_a_dropped_drawing_becomes_the_drawing(visit, photo):
    page = visit().open("draw")
    drop(page, photo[0])
    page.get_by_role("button", name="It is a drawing").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_timeout(100)
    assert page.evaluate(INK, "lines") == 0
    drop(page, photo[0])
    page.get_by_role("button", name="It is a drawing").click()
    until(page, f"() => ({INK})('lines') > 0")
