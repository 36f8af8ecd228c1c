import json

import pytest

from tests.cli.test_run import SMALL, call, complaint

EXACT = ["--device", "cpu", "--precision", "fp32"]


@pytest.fixture(autouse=True)
def no_package(monkeypatch):
    """The panel without EfficientNet-Lite0, for speed."""
    monkeypatch.setattr("translate.evaluation.panel.PACKAGE", "no_such_package")


@pytest.fixture
def words(two_folders, tmp_path, monkeypatch):
    """The options of a small training with two seeds."""
    monkeypatch.chdir(tmp_path)
    return ["--a", two_folders[0], "--b", two_folders[1], "--device", "cpu", *SMALL, "--out", "runs/x", "--repeat", "2"]


def test_seeds_are_trained_reported_compared_and_resumed(capsys, words, tmp_path):
    status, text, err = call(capsys, "train-cycle", *words, "--report")
    assert status == 0, err
    flat = " ".join(text.split())
    assert "x_seed0 x_seed1" in flat and "near copies" in flat
    pages = [(tmp_path / f"runs/x_seed{seed}/report.html").read_text() for seed in (0, 1)]
    assert "--seed 1" in pages[1] and "--seed" not in pages[0]
    assert "train_cycle.py" in pages[0] and "of CPU time on" in pages[0]
    # the same command finds both complete, and keeps their records
    records = [(tmp_path / f"runs/x_seed{seed}/resources.json").read_text() for seed in (0, 1)]
    status, again, err = call(capsys, "train-cycle", *words)
    assert status == 0 and err.count("is complete: 2 steps") == 2 and "near copies" in again
    assert records == [(tmp_path / f"runs/x_seed{seed}/resources.json").read_text() for seed in (0, 1)]
    # the commands of their own
    status, text, err = call(
        capsys, "report", "--model", "runs/x_seed1", *EXACT, "--output", "p.html", "--json", "p.json"
    )
    assert (status, text) == (0, "p.html is ready: open it in a browser\n"), err
    evaluated = call(capsys, "evaluate", "--model", "runs/x_seed1", *EXACT, "--json", "e.json")
    assert evaluated[0] == 0
    assert json.loads((tmp_path / "p.json").read_text())["scores"] == json.loads((tmp_path / "e.json").read_text())
    status, text, err = call(
        capsys, "compare", "runs/x_seed0", "runs/x_seed1", *EXACT, "--json", "c.json", "--grid", "c.png"
    )
    assert status == 0 and "reds -> blues: x_seed1" in text and (tmp_path / "c.png").is_file(), err
    assert len(json.loads((tmp_path / "c.json").read_text())["runs"]) == 2


@pytest.mark.parametrize(
    ("command", "words", "status", "message"),
    [
        ("report", ["--model", "nowhere"], 1, "nowhere: no such model; give a run folder"),
        ("report", ["--model", "x", "--max-mb", "-1"], 2, "--max-mb should be at least 0, got -1"),
        ("report", [], 2, "--model is missing"),
        ("compare", [], 2, "runs is missing"),
        ("compare", ["nowhere", "elsewhere"], 1, "nowhere: no such model; give a run folder"),
        ("compare", ["x", "--grid", "grid.txt"], 2, "--grid grid.txt"),
    ],
)
def test_mistakes_are_one_line_errors(capsys, tmp_path, monkeypatch, command, words, status, message):
    monkeypatch.chdir(tmp_path)
    found, line = complaint(capsys, command, *words)
    assert found == status and message in line
