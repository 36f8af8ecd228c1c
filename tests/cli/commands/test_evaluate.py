import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from tests.cli.commands.test_translate_folder import exported
from tests.evaluation.test_paired import photo, save, sketch
from tests.inference.test_sampler import save as save_sampler
from translate.checkpoints.model_file import export_model, load_model
from translate.checkpoints.recipe import Recipe
from translate.cli import run as cli
from translate.networks import EXPORTABLE
from translate.reports.rich_blocks import Block
from translate.reports.scores import kept_scores
from translate.utils.factory import Factory


@pytest.fixture(autouse=True)
def no_package(monkeypatch):
    """The panel without EfficientNet-Lite0, for speed."""
    monkeypatch.setattr("translate.evaluation.panel.PACKAGE", "no_such_package")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run folder of sketch to photo translation: a tiny untrained model and its pairs."""
    monkeypatch.chdir(tmp_path)
    for split, count in (("train", 4), ("test", 3)):
        for i in range(count):
            save(tmp_path / "discs" / f"{split}A" / f"{i}.png", sketch(i)[..., 0])
            save(tmp_path / "discs" / f"{split}B" / f"{i}.png", photo(i, (200, 40, 40)))
    for i in range(3):
        for k, colour in enumerate([(200, 40, 40), (40, 40, 200)]):
            save(tmp_path / "discs" / "truth" / "A" / f"{i}" / f"{k}.png", photo(i, colour))
        save(tmp_path / "discs" / "truth" / "parts" / f"{i}.png", (photo(i, (0, 0, 0))[..., 0] < 9).astype(np.uint8))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.toml").write_text('[data]\nroot = "discs"\n')
    return exported(tmp_path / "run", facts={"sketch": True}, hint=False)


def call(capsys, run, *words):
    with pytest.raises(SystemExit) as exit_:
        cli.main("evaluate", ["--model", str(run), "--device", "cpu", "--precision", "fp32", *map(str, words)])
    out, err = capsys.readouterr()
    return exit_.value.code or 0, out, err


def test_a_model_of_pairs_is_scored_on_its_test_pairs(capsys, run):
    status, text, err = call(capsys, run, "--count", 3, "--json", "scores.json", "--grid", "grid.png")
    assert status == 0, err
    assert "…" not in text  # no cell is cut off
    for word in ("mean training image", "nearest", "this model, 3 answers", "edge F1", "coverage"):
        assert word in " ".join(text.split())
    rows = json.loads((run.parent / "scores.json").read_text())["directions"][0]["rows"]
    assert [row["name"] for row in rows][3:6] == ["this model", "this model, 3 answers", "another right answer"]
    assert cv2.imread(str(run.parent / "grid.png")).shape == (7 * 66 - 2, 3 * 66 - 2, 3)
    # kept in the run folder, with the baselines, for the card of the model
    kept = kept_scores(run)
    names = [row[0].text for block in kept.blocks if isinstance(block, Block) for row in block.rows]
    assert "this model, 3 answers" in names and "mean training image" in names
    assert kept.protocol == ", --count 3, computed in fp32"


def test_scores_on_other_pictures_are_not_kept(capsys, run):
    status, _, err = call(capsys, run, "--data", "discs", "--limit", 2)
    assert status == 0, err
    assert kept_scores(run) is None


def test_a_network_that_trained_the_model_is_no_judge(capsys, run, monkeypatch):
    monkeypatch.undo()  # the package is there
    monkeypatch.chdir(run.parent)
    recipe, nets = load_model(run)
    export_model(nets, replace(recipe, features=("EfficientNet-Lite0",)), run / "model.safetensors")
    status, text, err = call(capsys, run, "--limit", 2)
    assert status == 0, err
    text = " ".join(text.split())
    assert "no column of EfficientNet-Lite0, as its features took part in the training of this model" in text
    assert "features dct-v1; seed 0" in text


def test_what_is_left_out_of_the_pictures_of_the_run_is_named(capsys, run):
    (run.parent / "discs/testB/photo.cr2").touch()
    status, text, err = call(capsys, run)
    assert status == 0, err
    assert "discs: left out 1 .cr2 (export as TIFF or JPEG)" in text


def test_other_pairs_can_be_named(capsys, run):
    status, text, err = call(capsys, run, "--a", "discs/testA", "--b", "discs/testB", "--limit", 2)
    assert status == 0, err
    assert "this model" in text and "coverage" not in text.partition("kernel distance x")[0]


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("--count -1", 2, "--count -1 must be at least 1"),
        (
            "--images discs/testA",
            2,
            "--images means nothing to a model that translates; say what to score it on with --a",
        ),
        (
            "--features w.pth",
            1,
            "w.pth: no such file; give the weights of SqueezeNet, VGG-16 or EfficientNet-Lite0",
        ),
        ("--limit -2", 2, "--limit -2 must be at least 1"),
        ("--strength 0", 2, "this model has no strength; leave it out, or train one with "),
        ("--data nowhere.csv", 1, "nowhere.csv"),
        ("--a discs/testA", 2, "--a is given without --b"),
    ],
)
def test_mistakes_are_one_line_errors(capsys, run, words, status, message):
    found, _, err = call(capsys, run, *words.split())
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert found == status and len(lines) == 1 and message in lines[0]


@pytest.fixture
def generated(tmp_path, monkeypatch):
    """A run folder of generation of discs with two labels."""
    monkeypatch.chdir(tmp_path)
    for split, count in (("train", 20), ("test", 10)):
        for i in range(count):
            for label, colour in (("red", (200, 40, 40)), ("blue", (40, 40, 200))):
                save(tmp_path / "discs" / split / label / f"{i}.png", photo(i + 100 * (split == "test"), colour))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.toml").write_text('[data]\nimages = "discs"\nclasses = "auto"\n')
    return save_sampler(tmp_path / "run", classes=("red", "blue"))


def test_a_generation_model_is_scored_on_samples(capsys, generated):
    status, text, err = call(capsys, generated, "--count", 12, "--json", "scores.json", "--grid", "grid.png")
    assert status == 0, err
    for word in ("real training pictures (floor)", "density", "coverage", "remember", "agreement", "12 samples"):
        assert word in " ".join(text.split())
    found = json.loads((generated.parent / "scores.json").read_text())
    assert [row["name"] for row in found["rows"]][2:] == ["this model", "real training pictures (floor)"]
    assert [row["count"] for row in found["labels"]["classes"]] == [6, 6]
    assert cv2.imread(str(generated.parent / "grid.png")).shape == (5 * 34 - 2, 10 * 34 - 2, 3)


def test_other_pictures_can_be_named_for_generation(capsys, generated):
    status, text, err = call(capsys, generated, "--images", "discs/train/red", "--limit", 8, "--count", 8)
    assert status == 1 and "2 held-out pictures can be used" in err
    for i in range(100):
        save(generated.parent / "more" / f"{i}.png", photo(i, (9, 200, 9)))
    status, text, err = call(capsys, generated, "--images", "more", "--count", 10)
    assert status == 0, err
    assert "agreement with labels is not known" in text


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("--a discs", 2, "--a means nothing to a model that makes pictures from nothing; say what to score it on with"),
        ("--data discs", 2, "--data means nothing to a model that makes pictures from nothing"),
        ("--count 3", 2, "--count 3 must be at least 8"),
        ("--limit -2", 2, "--limit -2 must be at least 8"),
        ("--images nowhere", 1, "nowhere"),
        ("--features nowhere.pth", 1, "nowhere.pth: no such file"),
    ],
)
def test_mistakes_with_generation_are_one_line_errors(capsys, generated, words, status, message):
    found, _, err = call(capsys, generated, *words.split())
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert found == status and len(lines) == 1 and message in lines[0]


def save_filler(folder, channels=3, **many):
    """Write a tiny untrained inpainting model."""
    torch.manual_seed(0)
    spec = {"name": "fourier_resnet", "width": 8, "trunk": 16, "blocks": 1}
    G = Factory(spec, EXPORTABLE, "generator")(in_channels=channels + 1, out_channels=channels, **many)
    for name, parameter in G.named_parameters():
        if "head" in name or many:
            parameter.data.normal_(0, 0.3)
    recipe = Recipe(
        task="inpaint", nets={"G": G.spec}, domains=("discs",), size=32, preset="fast", steps=1, data="none",
        channels={"image": channels, "mask": 1}, directions=(),
    )  # fmt: skip
    export_model(nn.ModuleDict({"G": G}), recipe, folder / "model.safetensors")
    return folder


@pytest.fixture
def holed(tmp_path, monkeypatch):
    """A run folder of inpainting of discs."""
    monkeypatch.chdir(tmp_path)
    for split, count in (("train", 6), ("test", 4)):
        for i in range(count):
            save(tmp_path / "discs" / split / f"{i}.png", photo(i + 100 * (split == "test"), (200, 40, 40)))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.toml").write_text('[data]\nimages = "discs"\nclasses = ""\n')
    return save_filler(tmp_path / "run")


def test_an_inpainting_model_is_scored_inside_the_holes(capsys, holed):
    status, text, err = call(capsys, holed, "--limit", 3, "--json", "scores.json", "--grid", "grid.png")
    assert status == 0, err
    for word in ("holes up to 20 %", "holes of 40 to 60 %", "OpenCV, Telea", "other real pictures", "seam", "L1"):
        assert word in " ".join(text.split())
    found = json.loads((holed.parent / "scores.json").read_text())
    assert (found["title"], found["pictures"], found["size"], len(found["bands"])) == ("discs", 3, 32, 3)
    mine = found["bands"][0]["rows"][3]
    assert mine["name"] == "this model" and mine["l1"] > 1 and mine["kernels"]["DCT"]
    assert cv2.imread(str(holed.parent / "grid.png")).shape == (4 * 34 - 2, 4 * 34 - 2, 3)


def test_other_pictures_can_be_named_for_inpainting(capsys, holed):
    for i in range(20):
        save(holed.parent / "more" / f"{i}.png", photo(i, (9, 200, 9)))
    status, text, err = call(capsys, holed, "--images", "more")
    assert status == 0, err
    assert "2 test pictures of more, 32 px, against themselves" in text


def test_inpainting_of_gray_pictures_and_with_several_results(capsys, holed):
    save_filler(holed, channels=1)
    status, text, err = call(capsys, holed, "--limit", 2, "--grid", "grid.png")
    assert status == 0, err
    grid = cv2.imread(str(holed.parent / "grid.png"))
    assert (grid == grid[..., :1]).all()
    save_filler(holed, z_dim=3)
    status, text, err = call(capsys, holed, "--limit", 2, "--count", 2, "--json", "scores.json")
    assert status == 0, err
    assert "the answers to one hole are" in text
    assert all(band["apart"] > 0 for band in json.loads((holed.parent / "scores.json").read_text())["bands"])


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("--a discs", 2, "--a means nothing to a model that fills holes; say what to score it on with --images"),
        ("--b discs", 2, "--b means nothing to a model that fills holes"),
        ("--data discs", 2, "--data means nothing to a model that fills holes"),
        ("--features w.pth", 1, "w.pth: no such file"),
        ("--strength 0", 2, "--strength means nothing to a model that fills holes; leave it out"),
        ("--count 1", 2, "--count 1 must be at least 2"),
        ("--limit -2", 2, "--limit -2 must be at least 1"),
        ("--images nowhere", 1, "nowhere"),
    ],
)
def test_mistakes_with_inpainting_are_one_line_errors(capsys, holed, words, status, message):
    found, _, err = call(capsys, holed, *words.split())
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert found == status and len(lines) == 1 and message in lines[0]


def test_an_inpainting_model_outside_a_run_needs_pictures(capsys, holed):
    (holed / "config.toml").unlink()
    status, _, err = call(capsys, holed)
    assert status == 2 and "lies in no run folder; say what to score it on: --images X" in err
