"""Evaluation of a run that has chosen its best step: on the reporting half alone, last and best side by side."""

import json

import cv2
import numpy as np
import pytest

from tests.conftest import TINY, picture
from tests.training.scores.test_scoring import ruin_after
from translate.cli import run as cli
from translate.data.files.halves import split_halves
from translate.data.sources.run_data import run_domains, run_images, run_pairs
from translate.inference.sampler import Sampler
from translate.inference.translator import Translator
from translate.training.config import load_config
from translate.training.loop import train
from translate.training.scores import scoring
from translate.training.scores.cost import Pilot
from translate.utils.errors import OptionError

NAMES = [f"{i:03d}" for i in range(100)]
HALVES = split_halves("held", NAMES, str)
HELD = [*HALVES.choosing[:16], *HALVES.reporting[:17]]


@pytest.fixture(scope="module", autouse=True)
def quick():
    """The panel without EfficientNet-Lite0, and scores that cost nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("translate.evaluation.panel.PACKAGE", "no_such_package")
        patch.setattr(scoring, "time_pilot", lambda *_: Pilot(1e-9, 1e-9))
        yield


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Pictures of two domains, matched by name, in folders to train and to test on."""
    root = tmp_path_factory.mktemp("halves") / "tints"
    for part, stems in (("train", NAMES[:20]), ("test", HELD)):
        for side, channel in (("A", 2), ("B", 0)):
            (root / f"{part}{side}").mkdir(parents=True)
            for stem in stems:
                pixels = picture(200 * len(part) + int(stem), 32, 32)
                pixels[..., channel] = 255 - pixels[..., channel] // 3
                cv2.imwrite(str(root / f"{part}{side}" / f"{stem}.png"), pixels)
    return root


LAYERS = {
    "cycle": TINY,
    "pix2pix": {"generator": {"name": "skip_resnet", "width": 8, "trunk": 8, "blocks": 1},
                "discriminator": {"name": "patch_34", "width": 8, "norm": "none"},
                "method": {"z_dim": 0, "lambda_fm": 0.0, "lambda_features": 0.0, "lambda_projected": 0.0}},
    "generate": {"generator": {"width": 4, "most": 8, "z_dim": 4}, "discriminator": {"width": 4, "most": 8},
                 "data": {"batch_size": 4}},
}  # fmt: skip


def trained(task, data, out):
    """A run of three steps, all of which are scored, of which the last one is spoilt."""
    common = {"train": {"steps": 3, "evaluations": 3, "evaluation_share": 1.0, "previews": 0, "precision": "fp32",
                        "device": "cpu", "channels_last": "off", "ema": 0.0}}  # fmt: skip
    data = {"data": {"size": 32, "crop": 0} | data, "out": str(out)}
    with pytest.MonkeyPatch.context() as patch:
        ruin_after(patch, 2)
        return train(load_config(task, "fast", LAYERS[task], data, common))


@pytest.fixture(scope="module")
def runs(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    both, single = {"root": str(root)}, {"images": str(root / "trainB")}
    return {task: trained(task, single if task == "generate" else both, out / task) for task in LAYERS}


def evaluate(capsys, run, *words):
    with pytest.raises(SystemExit) as exit_:
        cli.main("evaluate", ["--model", str(run), "--device", "cpu", "--precision", "fp32", *map(str, words)])
    out, err = capsys.readouterr()
    assert not exit_.value.code, err
    return out


def test_a_run_that_has_chosen_is_tested_on_the_other_half(runs, root):
    reporting = set(HALVES.reporting[:17])
    for domain in run_domains(runs["cycle"]):
        assert {path.stem for path in domain.test} == reporting and len(domain.train) == 20
        assert any("16 of 33 held-out pictures are not scored: the best" in note for note in domain.notes)
    pairs, images = run_pairs(runs["pix2pix"]), run_images(runs["generate"])
    assert {pair.name for pair in pairs.test} == reporting and {s.stem for s in images.test} == reporting
    assert any("16 of 33" in note for note in pairs.notes) and any("16 of 33" in note for note in images.notes)
    # the same files by another name
    other = run_images(runs["generate"], str(root / "testB"))
    assert not {s.stem for s in other.test} & set(HALVES.choosing)


def test_a_run_without_scores_is_tested_on_all_that_it_holds_out(runs, root, tmp_path):
    text = (runs["cycle"] / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(text.replace("evaluations = 3\nscored", "evaluations = 0\nscored"))
    assert {path.stem for path in run_domains(tmp_path)[0].test} == set(HELD)


@pytest.mark.parametrize("task", ["cycle", "pix2pix", "generate"])
def test_last_and_best_are_reported_side_by_side(capsys, runs, tmp_path, task):
    words = ["--json", tmp_path / "last.json", *(["--count", 20] if task == "generate" else [])]
    printed = evaluate(capsys, runs[task], *words)
    table = json.loads((tmp_path / "last.json").read_text())
    rows = {row["name"]: row for row in (table["directions"][0] if "directions" in table else table)["rows"]}
    [best] = [name for name in rows if name.startswith("best weights, of step")]
    assert "best weights, of step" in " ".join(printed.split())
    assert any(name.startswith("average over ") and name.endswith("% of the run") for name in rows)
    words[1] = tmp_path / "best.json"
    evaluate(capsys, runs[task], *words, "--weights", "best")
    table = json.loads((tmp_path / "best.json").read_text())
    alone = {row["name"]: row for row in (table["directions"][0] if "directions" in table else table)["rows"]}
    assert not [name for name in alone if name.startswith("best weights")]
    key = "scores" if task == "generate" else "kernels"
    assert alone["this model"][key] == rows[best][key] != rows["this model"][key]


def test_models_load_with_either_weights(runs):
    pixels = picture(1, 32, 32)
    last, best = (Translator.load(runs["cycle"], "cpu", "fp32", weights=w) for w in ("last", "best"))
    assert best.file.name == "best.safetensors" and best.recipe.steps < last.recipe.steps == 3
    assert not np.array_equal(last(pixels), best(pixels))
    assert Sampler.load(runs["generate"], "cpu", weights="best").file.name == "best.safetensors"
    with pytest.raises(OptionError, match="--weights best chooses among the files of a run folder"):
        Translator.load(runs["cycle"] / "model.safetensors", weights="best")


def test_the_commands_take_the_weights(capsys, runs, root, tmp_path):
    for weights in ("last", "best"):
        source, result = root / "testA" / f"{HELD[0]}.png", tmp_path / f"{weights}.png"
        words = ["--model", runs["cycle"], "--input", source, "--output", result]
        with pytest.raises(SystemExit) as exit_:
            cli.main("translate-folder", [*map(str, words), "--weights", weights, "--precision", "fp32"])
        assert not exit_.value.code, capsys.readouterr().err
    assert (tmp_path / "last.png").read_bytes() != (tmp_path / "best.png").read_bytes()
    for words, status in ((["--weights", "best"], 0), (["--weights", "worst"], 2)):
        with pytest.raises(SystemExit) as exit_:
            cli.main("sample", ["--model", str(runs["generate"]), "--count", "2", *words])
        assert (exit_.value.code or 0) == status
    assert sum(line.startswith("error: ") for line in capsys.readouterr().err.splitlines()) == 1
