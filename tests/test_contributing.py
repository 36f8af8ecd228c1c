"""CONTRIBUTING's plugin, as it stands there: trained for a few steps, resumed, scored and used."""

import json
import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cli.test_run import call, complaint
from tests.conftest import picture
from tests.plugins import no_plugins  # noqa: F401
from translate import Translator, load_plugin
from translate.checkpoints.model_file import read_recipe
from translate.tasks import TASKS
from translate.tasks.base import Task
from translate.utils.errors import UserError

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
FEW = ["--steps", "6", "--size", "32", "--device", "cpu", "--precision", "fp32", "--train.channels_last", "off"]


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def project(tmp_path, monkeypatch, no_plugins):  # noqa: F811
    """Return a folder with the files of the example and two folders of pictures."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    (tmp_path / "oneway.py").write_text(blocks("python")[0])
    (tmp_path / "configs" / "oneway_fast.toml").write_text(blocks("toml")[0])
    for name, count in (("photos", 24), ("paintings", 20)):
        (tmp_path / name).mkdir()
        for i in range(count):
            pixels = picture(i + 100 * len(name), 40, 40)
            cv2.imwrite(str(tmp_path / name / f"{i:02d}.png"), pixels if name == "photos" else 255 - pixels)
    cv2.imwrite(str(tmp_path / "photo.png"), picture(1, 37, 45))
    return tmp_path


def test_the_example_is_trained_scored_and_used(project, capsys):
    commands = [shlex.split(line) for line in blocks("sh")[-1].splitlines()]
    assert [words[:2] for words in commands] == [
        ["translate", name] for name in ("train", "evaluate", "translate-folder")
    ]
    for _, command, *words in commands:
        words += {"train": FEW, "evaluate": ["--json", "scores.json", "--grid", "grid.png"]}.get(command, [])
        status, out, err = call(capsys, command, *words)
        assert status == 0, err
        if command == "train":
            assert "evaluate.py --model runs/oneway --plugin oneway.py" in out and "step 6/6" in err
    # the log has the extra values, the model file its name and one direction
    line = json.loads(Path("runs/oneway/metrics.jsonl").read_text().splitlines()[-1])
    assert {"G/gan", "G/flip", "D/gan", "D/real", "D/fake"} <= set(line)
    recipe = read_recipe(Path("runs/oneway/model.safetensors"))
    assert (recipe.task, recipe.directions, recipe.plugins) == ("oneway", ("ab",), ("oneway.py",))
    # scored in this direction alone
    table = json.loads(Path("scores.json").read_text())
    assert "photos" in json.dumps(table) and "ba" not in {part.get("direction") for part in table["directions"]}
    assert len(list(Path("painted").glob("*.png"))) == 24
    # used from Python, as the page says
    scope = {}
    exec(blocks("python")[1], scope)
    assert scope["painted"].size == (45, 37)
    # with refusals in a line
    words = ["--model", "runs/oneway", "--input", "photo.png", "--output", "o.png", "--direction", "ba"]
    assert "only turns photos into paintings; leave" in complaint(capsys, "translate-folder", *words)[1]


def test_the_page_names_what_is_there(no_plugins):  # noqa: F811
    for home, names in re.findall(r"^\| `translate\.([\w.]+)\.([A-Z_]+)`", TEXT, re.MULTILINE):
        module = __import__(f"translate.{home}", fromlist=[names])
        assert hasattr(getattr(module, names), "register")
    rows = TEXT.partition("What a task must say")[2].partition("Networks and losses")[0]
    for name in re.findall(r"^\| ((?:`[\w(, )]+`(?:, )?)+)", rows, re.MULTILINE):
        for word in re.findall(r"`(\w+)", name):
            assert word in Task.__annotations__ or hasattr(Task, word), word


def test_large_pictures_of_the_example_go_through_tile_by_tile(project, capsys, monkeypatch):
    load_plugin("oneway.py")
    words = ["--task", "oneway", "--plugin", "oneway.py", "--a", "photos", "--b", "paintings", "--out", "run"]
    assert call(capsys, "train", *words, *FEW)[0] == 0
    whole, tiled = (Translator.load("run", "cpu", "fp32") for _ in range(2))
    monkeypatch.setattr(tiled.runner, "_tile_budget", lambda height, width: 10**9)
    large = picture(3, 1200, 1100)
    difference = np.abs(whole(large).astype(int) - tiled(large).astype(int))
    assert difference.max() <= 1
    # without `generator_for`, a model needs the whole picture
    monkeypatch.delattr(TASKS["oneway"], "generator_for")
    tiled.runner.memory.limit = 10**9
    with pytest.raises(UserError, match="the task 'oneway' does not translate tile by tile"):
        tiled(large)
