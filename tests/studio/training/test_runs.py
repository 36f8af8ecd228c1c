"""Run folders as plain data, also those of others and damaged ones."""

import json
import os
from pathlib import Path

import pytest

from tests.conftest import TINY
from tests.inference.test_sampler import save
from translate.studio.errors import UnknownRunError
from translate.studio.training.runs import CURVE_POINTS, LOG_NAME, describe_run, find_run, list_runs, sample_file
from translate.training.config import dump_config, load_config
from translate.utils.locks import hold


@pytest.fixture
def run(tmp_path):
    """A run folder in the middle of a training of 100 steps."""
    folder = tmp_path / "runs" / "things"
    (folder / "samples").mkdir(parents=True)
    config = load_config("cycle", "fast", TINY, {"data": {"a": "photos", "b": "monet"}, "out": str(folder)})
    (folder / "config.toml").write_text(dump_config(config, {"steps": 100, "size": 32}))
    lines = [{"step": s, "G/gan": s / 10, "lr": 1e-4, "images_per_second": 5.0, "waiting": 0.0, "seconds": 20.0}
             for s in range(10, 60, 10)]  # fmt: skip
    lines += [{"step": 50, "score/fid": 7.5}, {"step": 50, "health/spread": 0.5, "health/nearness": 0.9}]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"step": 60, "G/g')
    for step in (20, 40):
        (folder / "samples" / f"step_{step:07d}.png").write_bytes(b"png")
    return folder


def test_a_run_in_training_is_found_by_its_lock(run):
    with hold(run / ".lock", "x"):
        found = describe_run(run)
    assert found["state"] == "training" and f"process {os.getpid()}" in found["reason"]
    assert (found["step"], found["steps"], found["samples"]) == (50, 100, [20, 40])
    assert found["seconds_left"] == pytest.approx(50 * 2.0)  # 20 s for each 10 steps
    assert found["seconds"] == pytest.approx(100.0)
    assert found["curves"]["losses"] == {"G/gan": [(s, s / 10) for s in range(10, 60, 10)]}
    assert found["curves"]["scores"] == {"fid": [(50, 7.5)]}
    assert found["health"] == [
        "step 50: two samples differ 0.50 times as much as two real pictures; they are 0.90 times as far from the"
        " nearest training picture as unseen ones are"
    ]
    assert found["data"] == "photos to monet"
    assert "train_cycle.py --a photos --b monet --size 32 --steps 6" in found["command"]
    assert found["command"].endswith(f"--out {run}")


@pytest.mark.parametrize(
    ("log", "state", "reason"),
    [
        ("", "stopped", ""),
        ("# now\nsaved at step 50 of 100; run the same command to go on\n", "stopped", "saved at step 50 of 100"),
        ("# now\nerror: out of memory; lower --size\n", "failed", "out of memory; lower --size"),
        ("# now\nTraceback (most recent call last):\n  x\nRuntimeError: odd\n", "failed", "RuntimeError: odd"),
        ("# before\nerror: no disk\n# now\nstep 50/100\n", "stopped", ""),
    ],
)
def test_a_run_that_is_not_in_training_says_why(run, log, state, reason):
    (run / LOG_NAME).write_text(log)
    found = describe_run(run)
    assert (found["state"], found["seconds_left"]) == (state, None)
    assert found["reason"].startswith(reason) and bool(found["reason"]) == bool(reason)


def test_a_finished_run_has_a_verdict(run):
    save(run)  # a model of 1 step
    text = (run / "config.toml").read_text().replace("steps = 100", "steps = 1")
    (run / "config.toml").write_text(text)
    (run / "health.json").write_text('{"learned": 999, "findings": ["it makes BLANK pictures"], "judged": true}')
    found = describe_run(run)
    assert found["state"] == "finished" and found["model"]
    assert found["health"][-1] == "its pictures DO NOT look healthy: it makes BLANK pictures"


def test_runs_are_listed_whatever_their_folders_hold(run):
    root = run.parent
    (root / "notes").mkdir()  # no run
    (root / ".hidden").mkdir()
    (root / ".hidden" / "config.toml").write_text("")
    for name, file, text in (
        (
            "<img src=x onerror=alert(1)>",
            "metrics.jsonl",
            '[]\n{"step": "1"}\n{"step": 3, "G/g": NaN, "a": 1e999}\nnull\n',
        ),
        ("damaged", "config.toml", "task = [[["),
        ("strange", "config.toml", 'task = 3\ndata = 3\nplan = "x"\n'),
        ("other", "config.toml", 'task = "foreign"\npreset = "fast"\n[plan]\nsteps = -1\n'),
    ):
        (root / name).mkdir()
        (root / name / file).write_text(text)
    Path(os.fsdecode(os.fsencode(root / "bad") + b"\xff")).mkdir()
    runs = list_runs([root, root / "missing"])
    assert {one["name"] for one in runs} == {"things", "damaged", "strange", "other", "<img src=x onerror=alert(1)>"}
    for one in runs:
        json.dumps(described := describe_run(root / one["name"]), allow_nan=False)
        assert described["steps"] >= 0
    assert "unknown" in describe_run(root / "other")["no_command"]


@pytest.mark.parametrize("name", ["", ".", "..", "../runs/things", "things/", "/etc", "missing", ".hidden", "things\0"])
def test_runs_are_named_not_located(run, name):
    with pytest.raises(UnknownRunError):
        find_run([run.parent], name)
    assert find_run([run.parent], "things") == run


def test_a_sample_is_no_link_out_of_the_folder(run, tmp_path):
    assert sample_file(run, 40).read_bytes() == b"png"
    (tmp_path / "secret").write_text("secret")
    (run / "samples" / "step_0000060.png").symlink_to(tmp_path / "secret")
    for step in (60, 80, -1):
        with pytest.raises(UnknownRunError):
            sample_file(run, step)


def test_long_curves_are_thinned_to_their_means(run):
    lines = "".join(json.dumps({"step": s, "G/gan": float(s % 2)}) + "\n" for s in range(1, 10_001))
    (run / "metrics.jsonl").write_text(lines)
    curve = describe_run(run)["curves"]["losses"]["G/gan"]
    assert len(curve) <= CURVE_POINTS and curve[-1][0] == 10_000
    assert all(abs(value - 0.5) < 0.02 for _, value in curve)
