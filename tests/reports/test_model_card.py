import re
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
import torch
import yaml
from rich.console import Group
from rich.text import Text

from tests.conftest import picture
from translate.checkpoints.model_file import export_model, read_recipe
from translate.checkpoints.recipe import Recipe
from translate.cli.run_commands import card_commands
from translate.evaluation.report import Column, Report, make_table
from translate.networks import GENERATORS
from translate.reports.model_card import CardOptions, describe_model, licence_id, text_of, without_home, write_card
from translate.reports.rich_blocks import Block, Cell
from translate.reports.scores import ScoreOptions, keep_scores, kept_scores
from translate.training.monitors.findings import Verdict
from translate.utils.errors import UserError
from translate.utils.factory import Factory

CONFIG = """
task = "cycle"
preset = "fast"
plugins = []
out = "{out}"

[data]
a = "{a}"
b = "{b}"
size = 32

[train]
seed = 7
steps = 6
"""
OPTIONS = CardOptions(repo="ada/painter")


@dataclass(frozen=True)
class FakeReport(Report):
    """A table of scores as `evaluate` prints it."""

    def table(self):
        columns = [Column("pictures", lambda row: row[0], justify="left"), Column("PSNR", lambda row: row[1])]
        rows = [("photos -> monet", ""), ("untouched input", "18.4"), ("this model", "19.25")]
        return Group(make_table(columns, rows), Text("PSNR: in dB | higher is better"))


def make_run(folder, a="photos", b="monet", domains=("photos", "monet")):
    spec = {"name": "skip_resnet", "in_channels": 3, "out_channels": 3, "width": 8, "trunk": 8, "blocks": 1}
    nets = torch.nn.ModuleDict({name: Factory(spec, GENERATORS, name)() for name in ("G_ab", "G_ba")})
    recipe = Recipe(
        task="cycle", nets={name: spec for name in nets}, domains=domains, size=32, preset="fast", steps=6, data="abc"
    )
    export_model(nets, recipe, folder / "model.safetensors")
    (folder / "config.toml").write_text(CONFIG.format(out=folder, a=a, b=b))
    (folder / "samples").mkdir()
    for step in (3, 6):
        cv2.imwrite(str(folder / "samples" / f"step_{step:07d}.png"), picture(step, 64, 200))
    return folder


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "home" / "painter")


def write(model, folder, options=OPTIONS):
    card = describe_model(model, options)
    files = write_card(card, folder, card_commands(card))
    text = (folder / "README.md").read_text()
    _, header, body = text.split("---\n", 2)
    return files, yaml.safe_load(header), body


def test_the_card_of_a_run(run, tmp_path):
    files, header, body = write(run, tmp_path / "card")
    assert files == {path.name: path.stat().st_size for path in (tmp_path / "card").iterdir()}
    assert set(files) == {"README.md", "model.safetensors", "samples.jpg"}
    assert (tmp_path / "card/model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()
    assert header == {
        "license": "apache-2.0", "library_name": "image-translate", "pipeline_tag": "image-to-image",
        "tags": ["image-translate", "cycle", "unpaired"],
    }  # fmt: skip
    shown = cv2.imread(str(tmp_path / "card/samples.jpg"))
    newest = cv2.imread(str(run / "samples/step_0000006.png"))
    assert shown.shape == newest.shape and np.abs(shown.astype(int) - newest).mean() < 8
    assert 'Translator.load("hf://ada/painter")' in body and "![Samples](samples.jpg)" in body
    assert "\n    translate translate-folder --model hf://ada/painter --input FOLDER --output FOLDER\n" in body
    assert "\n    translate train-cycle --a photos --b monet " in body and "tools/" not in body
    assert "Landscape photos and their painted look" in body and "Apache-2.0, as this package" in body
    assert "## What the model is not good for" in body and "None were kept for this model file." in body
    assert re.search(r"sha256 `[0-9a-f]{64}`", body) and "Seed 7." in body


def test_no_folder_of_this_machine_stands_in_a_card(tmp_path):
    own = tmp_path / "home" / "ada lovelace"
    for name in ("cats", "dogs"):
        (own / name).mkdir(parents=True)
    run = make_run(tmp_path / "home" / "painter", str(own / "cats"), str(own / "dogs"), ("cats", "dogs"))
    _, header, body = write(run, tmp_path / "card")
    assert str(tmp_path) not in body and "ada lovelace" not in body
    assert "--a cats --b dogs" in body and "--out painter" in body
    assert "license" not in header and "pictures of the author's own; their licence is not stated" in body
    _, header, body = write(run, tmp_path / "card", CardOptions(repo="ada/painter", licence="CC-BY-4.0"))
    assert header["license"] == "cc-by-4.0" and "Licence of the model: cc-by-4.0." in body


def test_paths_are_shortened_to_names():
    given = {
        "a": "/home/x/cats/",
        "b": "~/dogs",
        "c": ["C:\\x\\y.toml", "../z"],
        "d": {"e": "scans/*.tif"},
        "f": 3,
        "g": "/",
    }
    assert without_home(given) == {
        "a": "cats",
        "b": "dogs",
        "c": ["y.toml", "z"],
        "d": {"e": "scans/*.tif"},
        "f": 3,
        "g": "/",
    }


def test_scores_stand_with_their_protocol(run, tmp_path):
    keep_scores(run, ScoreOptions(limit=20), FakeReport())
    _, _, body = write(run, tmp_path / "card")
    assert (
        "| pictures | PSNR |\n| --- | --: |\n" in body
        and "| **photos -\\> monet** |  |\n| untouched input | 18.4 |" in body
    )
    assert "| this model | 19.25 |" in body and "PSNR: in dB \\| higher is better" in body
    assert "at most 20 pictures of each domain" in body
    kept = kept_scores(run)
    assert kept.options.limit == 20 and [row[1].text for row in kept.blocks[0].rows] == ["", "18.4", "19.25"]
    # of another model file, they are not shown
    other = make_run(tmp_path / "other")
    (run / "model.safetensors").write_bytes((other / "model.safetensors").read_bytes())
    assert kept_scores(run) is None and "None were kept" in write(run, tmp_path / "card")[2]
    (run / "scores.json").write_text("{")
    assert kept_scores(run) is None


@pytest.mark.parametrize(("known", "line"), [
    ({"learned": 9000, "findings": ["the colours come out INVERTED"]}, "- known fault: the colours come out"),
    ({"learned": 9, "judged": False}, "- whether its pictures are healthy cannot be said"),
    ({"learned": 9000}, ""),
])  # fmt: skip
def test_known_faults_are_named(run, tmp_path, known, line):
    card = describe_model(run, OPTIONS)
    card = replace(card, run=replace(card.run, verdict=Verdict(**known)))
    write_card(card, tmp_path / "card", card_commands(card))
    text = (tmp_path / "card/README.md").read_text().partition("## What the model is not good for\n\n")[2]
    assert text.startswith(line) if line else text.startswith("- The model invents")


def test_a_model_file_alone_has_a_card(run, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "x.safetensors").write_bytes((run / "model.safetensors").read_bytes())
    files, header, body = write(alone / "x.safetensors", tmp_path / "card")
    assert set(files) == {"README.md", "model.safetensors"} and "license" not in header
    assert "The training data are not recorded" in body and "## Train the same" not in body
    assert read_recipe(tmp_path / "card/model.safetensors").domains == ("photos", "monet")


def test_the_picture_can_be_left_out(run, tmp_path):
    files, _, body = write(run, tmp_path / "card", CardOptions(repo="ada/painter", picture=False))
    assert "samples.jpg" not in files and "samples.jpg" not in body


def test_hostile_names_stay_text(tmp_path):
    run = make_run(tmp_path / "painter", domains=("a|b", "<img src=x> [l](http://x) `c`"))
    _, _, body = write(run, tmp_path / "card")
    assert (
        "\\<img src=x\\> \\[l\\](http://x) \\`c\\`" in body
        and "a\\|b" in body
        and "<img" not in body.replace("\\<img", "")
    )


def test_checkpoints_of_others_and_missing_models_are_refused(tmp_path):
    (tmp_path / "latest_net_G_A.pth").write_bytes(b"x")
    with pytest.raises(UserError, match="import it first"):
        describe_model(tmp_path / "latest_net_G_A.pth", OPTIONS)
    with pytest.raises(UserError, match="no such model"):
        describe_model(tmp_path / "nothing", OPTIONS)


def test_licences_of_the_catalog():
    texts = ("Apache-2.0, as this package", "CC-BY-4.0", "MIT", "none stated; photos")
    assert [licence_id(text) for text in texts] == ["apache-2.0", "cc-by-4.0", "mit", "other"]


def test_a_table_as_markdown():
    cells = [[Cell("a|b", False), Cell("1", True)]]
    block = Block([Cell("name", False), Cell("score", True)], cells, set())
    assert text_of(block) == "| name | score |\n| --- | --: |\n| a\\|b | 1 |"
