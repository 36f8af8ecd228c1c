import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.conftest import picture
from tests.data.label_scenes import scene
from tests.training.several_processes import EXTRA, config_of, train_all
from tests.training.test_loop import assert_same, everything, stop_after
from translate.training.loop import train
from translate.utils import dist
from translate.utils.errors import OptionError

SETS = {"reds": (12, 40), "blues": (11, 40), "photos": (12, 64), "drawings": (12, 64), "maps": (12, 64)} | {
    f"p/{kind}": (16, 32) for kind in ("cats", "dogs")
}
SETS |= {"beside/A": (9, 40), "beside/B": (9, 40)}


def in_two(*words, agent=(), **env):
    """Train recipes in two processes on this machine."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", *agent]
    return subprocess.run(
        [*command, "-m", "tests.training.several_processes", *map(str, words)],
        cwd=Path(__file__).parents[2], env=os.environ | env, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """What every task learns from: two domains, pairs, and two classes."""
    data = tmp_path_factory.mktemp("several")
    for k, (folder, (count, side)) in enumerate(SETS.items()):
        (data / folder).mkdir(parents=True)
        for i in range(count):
            shown = picture(1000 * k + i, side, side)
            if folder == "drawings":
                shown = np.full((64, 64), 255, np.uint8)
                cv2.circle(shown, (32, 32), 10 + i, 0, 1, cv2.LINE_AA)
            if folder == "maps":
                shown = scene(i, 64)[1]
            cv2.imwrite(str(data / folder / f"{i:03d}.png"), shown)
    return data


@pytest.fixture(scope="module")
def both(pictures):
    """Folders of the same runs: of one process, and of two; one run of the latter is begun by one process."""
    train_all(pictures, pictures / "one")
    with pytest.MonkeyPatch.context() as patch:
        killed = stop_after(patch, 3)
        with pytest.raises(killed):
            train_all(pictures, pictures / "two", ["pix2pix fast"])
    done = in_two(pictures, pictures / "two")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "resuming at step 3" in done.stderr and done.stderr.count("resuming") == 1  # the first process speaks alone
    return pictures / "one", pictures / "two"


@pytest.mark.parametrize("name", EXTRA)
def test_two_processes_do_what_one_does(both, pictures, name):
    """Rounding at the kink of an activation or a clamp can change one run's gradients, but not those of three seeds."""
    for seed in range(3):
        runs = both
        if seed:
            runs = pictures / f"one, seed {seed}", pictures / f"two, seed {seed}"
            train_all(pictures, runs[0], [name], seed)
            assert in_two(pictures, runs[1], name, TEST_SEED=str(seed)).returncode == 0
        try:
            assert_same_run(*(folder / name.replace(" ", "_") for folder in runs))
            break
        except AssertionError:
            if seed == 2:
                raise


def assert_same_run(one, two):
    for mine, theirs in zip(lines_of(one), lines_of(two), strict=True):
        assert mine.keys() == theirs.keys()
        for key in mine.keys() - {"images_per_second", "waiting", "seconds"}:
            assert mine[key] == pytest.approx(theirs[key], rel=1e-5, abs=1e-5), key
    assert_near(one, two)


def assert_near(one, two):
    """Compare pools, weights and averages; Adam's means follow the signs of differences that are all but 0."""
    mine, theirs = (torch.load(run / "state" / "last.pt", weights_only=True) for run in (one, two))
    assert mine.keys() == theirs.keys() and mine["step"] == theirs["step"]
    for part in ("task", "ema"):
        assert mine[part].keys() == theirs[part].keys()
        for key, value in mine[part].items():
            torch.testing.assert_close(theirs[part][key], value, rtol=1e-5, atol=1e-5, msg=lambda m, k=key: f"{k}: {m}")


def lines_of(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_a_killed_process_ends_the_others_and_a_restart_goes_on_bit_for_bit(both, pictures):
    killed = str(pictures / "killed")
    agent = ["--max-restarts=1", "--monitor-interval=5"]  # seconds: time for the other process to say why it stops
    done = in_two(pictures, pictures / "again", "generate fast", agent=agent, TEST_KILLED=killed)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "error: process 0 stops: another process of this run has ended" in done.stderr
    assert "resuming at step 3 of 5" in done.stderr
    runs = [everything(folder / "generate_fast") for folder in (both[1], pictures / "again")]
    for mine, theirs in zip(*runs, strict=True):
        assert_same(mine, theirs)
    assert [line["step"] for line in lines_of(pictures / "again" / "generate_fast")] == [1, 2, 3, 4, 5, 5]


def test_without_restarts_the_run_ends_and_one_process_can_go_on(both, pictures):
    done = in_two(pictures, pictures / "alone", "cycle fast", TEST_KILLED=str(pictures / "killed too"))
    assert done.returncode != 0
    assert torch.load(pictures / "alone" / "cycle_fast" / "state" / "last.pt", weights_only=True)["step"] == 3
    train_all(pictures, pictures / "alone", ["cycle fast"])
    assert_near(both[0] / "cycle_fast", pictures / "alone" / "cycle_fast")


def test_a_batch_is_dealt_out_evenly_or_refused(pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(OptionError, match="--batch-size 4 does not divide among 3 processes; choose 3 or 6"):
        train(config_of("cycle fast", pictures, tmp_path))
    monkeypatch.setenv("WORLD_SIZE", "8")
    with pytest.raises(OptionError, match="choose 8"):
        dist.init(torch.device("cpu"), 4)
