import json
from functools import partial

import cv2
import numpy as np
import pytest

from tests.cli.test_run import call, complaint
from tests.conftest import picture
from tests.training.test_loop import assert_killed_run_goes_on
from tests.training.test_loop import make_config as cycle_config
from translate.data.sources.run_data import run_domains, run_few_pairs
from translate.training.config import load_config
from translate.training.loop import train
from translate.utils.errors import OptionError

SMALL = {"data": {"batch_size": 2, "pair_share": 0.5}, "train": {"steps": 8, "log_every": 1}}


@pytest.fixture
def pairs(two_folders, tmp_path):
    """A CSV file of 8 pairs of one size; one of them is held out, and one is among the pictures of the domains."""
    (tmp_path / "true").mkdir()
    for i in range(8):
        shown = picture(400 + i)
        cv2.imwrite(str(tmp_path / "true" / f"x{i}.png"), shown)
        cv2.imwrite(str(tmp_path / "true" / f"y{i}.png"), 255 - shown)
    rows = [f"true/x{i}.png,true/y{i}.png" for i in range(8)]
    table = tmp_path / "pairs.csv"
    table.write_text("\n".join(["a,b", *rows]) + "\n")
    return table


def make_config(folders, pairs, tiny, out, **train_options):
    changes = {"data": SMALL["data"] | {"pairs": str(pairs)}, "train": SMALL["train"] | train_options}
    return cycle_config(folders, out, tiny, **changes)


@pytest.fixture
def run(two_folders, pairs, tiny, tmp_path):
    return train(make_config(two_folders, pairs, tiny, tmp_path / "run"))


def test_a_killed_run_goes_on_bit_for_bit(run, two_folders, pairs, tiny, tmp_path, monkeypatch):
    assert_killed_run_goes_on(partial(make_config, two_folders, pairs, tiny), run, tmp_path, monkeypatch)


def test_every_second_step_compares_pairs(run):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    seen = [line["G/pairs"] > 0 for line in lines if "G/pairs" in line]
    assert seen == [False, True] * 4
    assert [line["G/pair_features"] > 0 for line in lines if "G/pairs" in line] == seen


def test_held_out_pairs_are_scored(run, two_folders, pairs, tmp_path, capsys):
    few = run_few_pairs(run)
    assert len(few.test) == 1 and len(few.train) == 7
    assert run_few_pairs(run, a=str(two_folders[0]), b=str(two_folders[1])) == few  # the run's own domains, named
    scores, grid = tmp_path / "scores.json", tmp_path / "grid.png"
    status, out, err = call(capsys, "evaluate", "--model", run, "--json", scores, "--grid", grid, "--device", "cpu")
    assert status == 0, err
    ab, ba = json.loads(scores.read_text())["directions"]
    assert ab["counts"]["pairs"] == ba["counts"]["pairs"] == ab["counts"]["truths"] == 1
    assert "PSNR and SSIM are those of 1 held-out pair" in ab["notes"]
    # the untouched source against its partner, by hand
    x, y = (cv2.imread(str(path)).astype(float) for path in few.test[0].files)
    by_hand = 10 * np.log10(255**2 / ((x - y) ** 2).mean())
    untouched = next(row for row in ba["rows"] if row["name"] == "untouched input")
    assert untouched["psnr"] == pytest.approx(by_hand, abs=1e-3)
    assert cv2.imread(str(grid)).shape[0] > 5 * 40  # three rows each way
    # a model that has never seen these pairs
    other = tmp_path / "other.csv"
    other.write_text("a,b\n" + "".join(f"true/y{i}.png,true/x{i}.png\n" for i in range(8)))
    assert not run_few_pairs(run, str(other)).test or run_few_pairs(run, str(other)).notes == ()


def test_pictures_of_pairs_are_remembered_as_learned(two_folders, pairs, tiny, tmp_path):
    """A picture that the domain holds out is learned from as part of a pair, and so is never scored."""
    before = run_domains(train(cycle_config(two_folders, tmp_path / "without", tiny)))[0].test
    cv2.imwrite(str(tmp_path / "true" / "partner.png"), picture(9))
    rows = pairs.read_text() + "".join(f"{path},true/partner.png\n" for path in before)
    pairs.write_text(rows)
    run = train(make_config(two_folders, pairs, tiny, tmp_path / "with"))
    learned = {pair.a for pair in run_few_pairs(run).train}
    assert not learned & {*run_domains(run)[0].test}


def test_the_command_says_what_it_found(two_folders, pairs, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["train-cycle", "--a", two_folders[0], "--b", two_folders[1], "--pairs", pairs, "--pair-share", "0.5"]
    small = [
        "--generator.width",
        "8",
        "--generator.trunk",
        "8",
        "--generator.blocks",
        "1",
        "--discriminator.width",
        "8",
    ]
    length = ["--size", "32", "--data.crop", "32", "--steps", "2", "--device", "cpu"]
    status, out, err = call(capsys, *words, *small, *length)
    assert status == 0, err
    assert "pairs: 7 true pairs in 50% of the steps; 1 held out, for evaluate" in err
    assert 'pairs = "' in (tmp_path / "runs" / "reds2blues" / "config.toml").read_text()


def test_what_cannot_be_is_refused_in_one_line(two_folders, pairs, tmp_path, capsys, tiny):
    folders = f"--a {two_folders[0]} --b {two_folders[1]}".split()
    for words, line in (
        (["train-cycle", *folders, "--pairs", "nowhere.csv"], "error: --pairs 'nowhere.csv' is neither a folder nor"),
        (["train-cycle", *folders, "--pairs", pairs, "--pair-share", "1.5"], "error: --pair-share should lie between"),
        (["train-cycle", *folders, "--pair-share", "0.5"], "error: --pair-share is the share of the steps that see"),
        (["train-cut", *folders, "--data.pairs", pairs], "error: --pairs is not for the task 'cut'; a few pairs teach"),
    ):
        status, error = complaint(capsys, *words)
        assert status in (1, 2) and error.startswith(line), error
    with pytest.raises(OptionError, match="--pairs is not for the task 'drift'"):
        train(load_config("drift", "fast", {"data": {"a": "x", "b": "y", "pairs": str(pairs)}}))
