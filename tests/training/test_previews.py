import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from tests.training.test_loop import make_config
from tests.training.test_train_generate import FAST, classes  # noqa: F401
from tests.training.test_train_generate import make_config as make_gan_config
from translate.networks.resnet import SkipResnet
from translate.training.loop import train
from translate.training.monitors.findings import Verdict
from translate.training.previews import Previews
from translate.training.run_folder import RunFolder


def previews(steps, batch_size, generated):
    task = SimpleNamespace(from_latents=generated)
    return Previews(task, None, None, {}, steps, batch_size)


@pytest.mark.parametrize(
    ("steps", "batch", "generated", "first"),
    [
        (60, 16, True, 15),  # a quarter: 240 pictures
        (30, 16, True, 13),  # 200 pictures, the fewest
        (100_000, 16, True, 1000),  # 16,000 pictures
        (3, 1, False, None),
        (10_000, 1, False, 1000),
        (10_000, 4, False, 250),  # 1000 pictures
        (400, 1, False, 200),
    ],
)
def test_looks_are_bound_to_pictures_learned_from(steps, batch, generated, first):
    shown = previews(steps, batch, generated)
    steps_judged = [step for step in range(1, steps + 1) if not shown.is_early(step)]
    assert steps_judged[:1] == ([first] if first else [])


def test_a_run_of_three_steps_is_not_judged(two_folders, tmp_path, tiny, capsys):
    train(make_config(two_folders, tmp_path / "r", tiny, train={"steps": 3, "previews": 3}))
    err = capsys.readouterr().err
    assert "COLLAPSES" not in err and "INVERTED" not in err
    assert err.rstrip().splitlines()[-1] == (
        "step 3: whether its pictures are healthy cannot be said yet: it has learned from 3 only"
    )


def test_a_gan_that_ends_black_is_told(classes, tmp_path, monkeypatch, capsys):  # noqa: F811
    from translate.tasks.generate import Generate

    real = Generate.preview

    def black(nets, batch):
        return {title: torch.full_like(row, -1.0) for title, row in real(nets, batch).items()}

    monkeypatch.setattr(Generate, "preview", staticmethod(black))
    small = FAST | {"train": FAST["train"] | {"steps": 60, "previews": 5}}
    out = train(make_gan_config(classes, tmp_path / "r", "fast", small))
    err = capsys.readouterr().err.replace("\n", " ")
    assert "COLLAPSES to few pictures" in err or "BLANK" in err.partition("step 60: its pictures")[0]
    assert "step 60: its pictures DO NOT look healthy: it makes BLANK pictures" in err
    assert not RunFolder(out).read_verdict().healthy
    train(make_gan_config(classes, tmp_path / "r", "fast", small))  # said again of the finished run
    assert "its pictures DO NOT look healthy" in capsys.readouterr().err


def test_the_last_line_of_a_command_says_whether_its_pictures_look_healthy(two_folders, tmp_path):
    from tests.cli.test_run import SMALL

    words = ["--a", two_folders[0], "--b", two_folders[1], "--out", tmp_path / "r", *SMALL]
    command = [sys.executable, "-m", "translate", "train-cycle", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "whether its pictures are healthy cannot be said yet" in done.stdout.splitlines()[-1]


def test_a_run_that_learns_nothing_says_so_once_and_at_its_end(two_folders, tmp_path, tiny, monkeypatch, capsys):
    """240 pictures; the generators return their inputs, and the discriminators stay as they began."""
    monkeypatch.setattr(SkipResnet, "decode", lambda self, h, low, x: 0.95 * x.float() + 0 * h.sum())
    small = {"data": {"batch_size": 6}, "discriminator": {"norm": "spectral"}}
    short = {"steps": 40, "log_every": 10, "previews": 6, "lr": 1e-9}
    train(make_config(two_folders, tmp_path / "r", tiny, train=short, **small))
    err = capsys.readouterr().err.replace("\n", " ")
    assert err.count("LEARNS NOTHING") == 2
    assert "note step 34: it LEARNS NOTHING: the generator returns its input, and D tells nothing apart: try" in err
    assert "step 40: its pictures DO NOT look healthy: it LEARNS NOTHING" in err
    assert "D COLLAPSED" not in err and "COPIES" not in err


def test_verdicts_in_words():
    assert str(Verdict(5000)) == "its pictures look healthy"
    young = Verdict(960, ("it COLLAPSES",), young=True)
    assert str(young).startswith(
        "its pictures DO NOT look healthy: it COLLAPSES; it has learned from 960 pictures only"
    )
