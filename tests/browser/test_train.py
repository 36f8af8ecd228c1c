"""The page Train in a real browser: a training is started, watched, stopped and resumed; runs of others are shown."""

import json
from pathlib import Path

import psutil
import pytest

from tests.browser.conftest import serve
from tests.studio.routes.test_train import TINY
from translate.training.config import dump_config, load_config

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def here(two_folders, tmp_path, monkeypatch):
    """A working folder with two sets of pictures, and two runs of others."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRANSLATE_DATA", raising=False)
    for name, size in ((HOSTILE, 64), ("older", 128)):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        config = load_config("cycle", data={"a": "<b>a</b>", "b": "y", "size": size})
        (folder / "config.toml").write_text(dump_config(config, {"steps": 90, "size": size}))
        lines = [{"step": s, "G/gan": 1 / s, "score/fid": 100 - s, "seconds": 1.0} for s in range(10, 60, 10)]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (folder / "train.log").write_text("note step 9: it draws a <script>LATTICE</script>\n")
    yield tmp_path
    for process in psutil.Process().children(recursive=True):
        if "translate" in process.cmdline():
            process.kill()


@pytest.fixture
def page(visit, here):
    with serve(Path("runs")) as address:
        page = visit(address).open("train")
        page.set_default_timeout(60_000)
        yield page


def test_a_training_is_started_watched_stopped_and_resumed(page, here):
    # the form
    page.get_by_text("No model yet?").wait_for()
    page.get_by_label("First pictures (A)").fill("reds")
    page.get_by_role("button", name="Browse").nth(1).click()
    page.get_by_role("button", name="blues").click()
    page.get_by_role("button", name="Choose this folder").click()
    page.get_by_label("Length in").select_option("steps")
    page.get_by_label("Length", exact=True).fill("20")
    page.get_by_text("More options").click()
    page.get_by_label("Keys of the recipe").fill(TINY + "[data]\nsizes = 3\n")
    page.get_by_text("further options").wait_for()
    page.get_by_label("Keys of the recipe").fill(TINY.replace("log_every = 1", "log_every = 1, save_minutes = 0.0"))
    page.get_by_label("Picture size").fill("32")
    page.get_by_label("Length", exact=True).fill("4000")
    page.locator(".train-form .command", has_text="--steps 4000").wait_for()
    command = page.locator(".train-form .command code").text_content()
    assert command.startswith("python tools/train_cycle.py --a reds --b blues --size 32 --steps 4000 ")
    assert command.endswith("--out runs/reds2blues")
    # start, and watch
    page.get_by_role("button", name="Start the training").click()
    page.locator(".run-view .chip", has_text="in training").wait_for(timeout=120_000)
    page.locator(".run-samples[src]").wait_for(timeout=60_000)
    page.locator(".chart-line").first.wait_for(timeout=60_000)
    assert page.locator(".run-view .command code").text_content() == command
    # stop
    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator(".run-view .chip", has_text="stopped").wait_for(timeout=60_000)
    page.get_by_text("saved at step").first.wait_for()
    # go on, and find it again after the page was closed
    page.get_by_role("button", name="Go on", exact=True).click()
    page.locator(".run-view .chip", has_text="in training").wait_for(timeout=120_000)
    page.reload()
    page.locator(".run-view .chip", has_text="in training").wait_for(timeout=20_000)
    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator(".run-view .chip", has_text="stopped").wait_for(timeout=60_000)


def test_runs_of_others_are_shown_as_text_and_laid_beside_each_other(page):
    page.get_by_role("button", name=HOSTILE).click()
    page.locator(".run-view h2", has_text=HOSTILE).wait_for()
    page.get_by_text("<script>LATTICE</script>").first.wait_for()
    page.get_by_text("<b>a</b> to y").wait_for()
    assert page.locator(".chart figcaption").all_text_contents() == ["Score: fid", "Losses of G"]
    page.get_by_label("Lay beside it").select_option("older")
    page.locator(".run-view").nth(1).wait_for()
    differing = page.locator(".options .differs dt")
    differing.first.wait_for()
    assert set(differing.all_text_contents()) == {"picture size"}
    page.locator(".run-view").nth(1).get_by_role("button", name="Close").click()
    assert page.locator(".run-view").count() == 1


def test_the_pictures_are_checked_and_folders_outside_refused(page, here):
    (here / "blues" / "broken.png").write_bytes(b"x")
    page.get_by_label("First pictures (A)").fill("/etc")
    page.get_by_label("Second pictures (B)").fill("blues")
    page.get_by_text("lies outside the folders").wait_for()
    page.get_by_label("First pictures (A)").fill("reds")
    page.get_by_role("button", name="Check the pictures").click()
    page.locator(".findings .chip", has_text="mend").first.wait_for(timeout=60_000)
    assert "broken.png" in page.locator(".findings").text_content()
