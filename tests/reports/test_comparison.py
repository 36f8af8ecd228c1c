import json
import shutil
import statistics

import numpy as np
import pytest
from rich.console import Console

from translate.images.io import read_rgb8
from translate.inference.translator import Translator
from translate.reports.comparison import compare_runs, short_names, why_incomparable
from translate.reports.comparison_grid import comparison_grid
from translate.reports.comparison_table import comparison_table
from translate.reports.measures import format_value
from translate.reports.scores import ScoreOptions, scores_of
from translate.reports.trained_run import read_run
from translate.utils.errors import UserError

OPTIONS = ScoreOptions(device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def comparison(runs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("translate.evaluation.panel.PACKAGE", "no_such_package")
        return compare_runs(runs, OPTIONS)


def printed(comparison):
    console = Console(width=120)
    with console.capture() as text:
        console.print(comparison_table(comparison))
    return text.get()


def test_seeds_of_one_recipe_are_one_column_with_mean_and_spread(comparison):
    tiny, half = comparison.recipes
    assert (tiny.name, half.name, len(tiny.runs)) == ("tiny", "half", 2)
    values = [{(m.part, m.name): m.value for m in run.measures} for run in tiny.runs]
    for key, found in tiny.scores().items():
        pair = [each[key] for each in values]
        assert (found.mean, found.spread) == pytest.approx((statistics.mean(pair), statistics.stdev(pair)))
    text = printed(comparison)
    assert "tiny (2 seeds)" in " ".join(text.split()) or "(2 seeds)" in text
    assert "method.lambda_cycle" in text and "generator.width" not in text


def test_only_differences_are_named(comparison):
    assert comparison.differences() == {"method.lambda_cycle": [5.0, 5.0, 2.5], "train.seed": [0, 1, 0]}


def test_the_scores_are_those_of_evaluate_and_survive_json(comparison, runs):
    found = json.loads(json.dumps(comparison.to_dict()))
    (part,) = [part for part in OPTIONS.load(runs[2]).run().directions if part.direction == "ab"]
    (row,) = [row for row in part.rows if row.name == "this model"]
    scores = {(each["part"], each["name"]): each for each in found["runs"][2]["scores"]}
    distance = scores[part.title, "kernel distance x 1000, by DCT"]
    assert (distance["value"], distance["error"]) == (row.kernels["DCT"].value, row.kernels["DCT"].error)
    assert found["runs"][2]["model_bytes"] == (runs[2] / "model.safetensors").stat().st_size
    assert [recipe["runs"] for recipe in found["recipes"]] == [["tiny_seed0", "tiny_seed1"], ["half"]]


def test_scores_are_kept_until_the_model_or_an_option_changes(comparison, runs, tmp_path, monkeypatch):
    folder = shutil.copytree(runs[0], tmp_path / "run")
    monkeypatch.setattr(ScoreOptions, "load", lambda *_: pytest.fail("evaluated again"))
    assert scores_of(folder, OPTIONS) == comparison.runs[0].measures
    with pytest.raises(pytest.fail.Exception, match="evaluated again"):
        scores_of(folder, ScoreOptions(device="cpu", precision="fp32", limit=3))
    shutil.copy(runs[1] / "model.safetensors", folder)
    with pytest.raises(pytest.fail.Exception, match="evaluated again"):
        scores_of(folder, OPTIONS)


def test_the_grid_shows_the_answers_of_each_run_to_the_same_pictures(comparison, runs):
    sheet, titles = comparison_grid(comparison, OPTIONS, columns=3)
    assert titles[:4] == [f"coloursA -> coloursB: {name}" for name in ("input", "tiny_seed0", "tiny_seed1", "half")]
    cell = lambda row, column: sheet[42 * row : 42 * row + 40, 42 * column : 42 * column + 40]  # noqa: E731
    source = read_rgb8(sorted((runs[0].parents[1] / "colours" / "testA").iterdir())[0])
    assert np.array_equal(cell(0, 0), source)
    for row, run in enumerate(runs, 1):
        assert np.array_equal(cell(row, 0), Translator.load(run, "cpu", "fp32")(source, direction="ab"))


def test_one_recipe_has_a_column_for_each_seed(runs):
    text = printed(compare_runs(runs[:2], OPTIONS))
    assert all(word in text for word in ("tiny_seed0", "tiny_seed1", "mean of", "2 seeds"))


def test_other_pictures_are_told_in_a_line(runs, tmp_path):
    other = shutil.copytree(runs[1], tmp_path / "other")
    config = (other / "config.toml").read_text()
    (other / "config.toml").write_text(config.replace('root = "', 'root = "elsewhere'))
    (other / "pictures.json.gz").unlink()
    found = compare_runs([runs[0], other], OPTIONS)
    line = (
        "other: other held-out pictures (coloursA, coloursB): its scores and answers cannot be compared with those of"
    )
    assert [note.startswith(line) for note in found.notes] == [True] and not found.runs[1].measures
    assert line in " ".join(printed(found).split())


def test_a_run_without_scores_has_no_grid(runs, tmp_path):
    lost = shutil.copytree(runs[0], tmp_path / "lost")
    config = (lost / "config.toml").read_text()
    (lost / "config.toml").write_text(config.replace('root = "', 'root = "elsewhere'))
    (lost / "scores.json").unlink(missing_ok=True)
    found = compare_runs([lost], OPTIONS)
    assert found.notes[0].startswith("lost: not scored: ") and "cost" in printed(found)
    with pytest.raises(UserError, match="none of these runs has been scored"):
        comparison_grid(found, OPTIONS)


def test_runs_are_named_apart(runs, tmp_path):
    assert short_names([tmp_path / "a" / "x", tmp_path / "b" / "x"]) == ["a/x", "b/x"]
    assert why_incomparable(read_run(runs[0]), read_run(runs[2])) == ""


def test_numbers_are_short():
    assert format_value(-71.184, like=721.0) == "-71" and format_value(0.5, like=21.5) == "0.50"
    assert [format_value(*each) for each in ((1234.5, 56.7), (12.345, 0.5), (0.1234, 0.0), (3.0,), (0.25,))] == [
        "1,234 ± 57", "12.35 ± 0.50", "0.123 ± 0.000", "3", "0.250",
    ]  # fmt: skip
