import json

import cv2
import numpy as np
import pytest

from tests.commands.test_translate_folder import exported
from tests.test_evaluate_pairs import photo, save, sketch
from translate import cli


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The folder of a run of sketches to photos: a tiny untrained model, and the pairs that it names."""
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
    assert "…" not in text  # nothing is squeezed
    for word in ("mean training image", "nearest", "this model, 3 answers", "edge F1", "coverage"):
        assert word in " ".join(text.split())
    rows = json.loads((run.parent / "scores.json").read_text())["directions"][0]["rows"]
    assert [row["name"] for row in rows][2:5] == ["this model", "this model, 3 answers", "another right answer"]
    assert cv2.imread(str(run.parent / "grid.png")).shape == (7 * 66 - 2, 3 * 66 - 2, 3)


def test_other_pairs_can_be_named(capsys, run):
    status, text, err = call(capsys, run, "--a", "discs/testA", "--b", "discs/testB", "--limit", 2)
    assert status == 0, err
    assert "this model" in text and "coverage" not in text.partition("kernel distance: ")[0]


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("--count 0", 2, "--count 0 must be at least 1"),
        ("--limit -2", 2, "--limit -2 must be at least 1"),
        ("--data nowhere.csv", 1, "nowhere.csv"),
        ("--a discs/testA", 2, "--a is given without --b"),
    ],
)
def test_mistakes_get_one_line(capsys, run, words, status, message):
    found, _, err = call(capsys, run, *words.split())
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert found == status and len(lines) == 1 and message in lines[0]
