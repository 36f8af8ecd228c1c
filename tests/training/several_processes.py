"""Trains every recipe, tiny, into a folder: by itself, or in several processes under torchrun."""

import functools
import itertools
import os
import signal
import sys
from pathlib import Path

import torch

from tests.conftest import TINY
from tests.training.test_train_cut import FAST as CUT_FAST
from tests.training.test_train_drift import FAST as DRIFT_FAST
from tests.training.test_train_generate import DRIFT as IMAGES_DRIFT
from tests.training.test_train_generate import FAST as IMAGES_FAST
from tests.training.test_train_generate import PAPER as IMAGES_PAPER
from tests.training.test_train_inpaint import PRESETS as INPAINT
from tests.training.test_train_label_maps import LABELS
from tests.training.test_train_pix2pix import FAST as PAIRS_FAST
from tests.training.test_train_pix2pix import PAPER as PAIRS_PAPER
from tests.training.test_train_stargan import PRESETS as STARGAN
from tests.training.test_train_upscale import PRESETS as UPSCALE
from translate.training import optim
from translate.training import step as training
from translate.training.config import load_config
from translate.training.loop import train
from translate.utils.errors import UserError

CYCLE_PAPER = {"generator": {"width": 4}, "discriminator": {"width": 4}, "data": {"size": 40, "crop": 32}}
COMMON = {
    "train": {
        "steps": 5,
        "log_every": 1,
        "previews": 1,
        "precision": "fp32",
        "save_minutes": 0.0,
        "device": "cpu",
        "channels_last": "off",
    }
}
EXTRA = {
    "cycle fast": (TINY, {"data": {"batch_size": 4}, "method": {"pool_size": 6, "lambda_r1": 0.01}}),
    "cycle paper": (CYCLE_PAPER, {"data": {"batch_size": 2}}),
    "cycle fast pairs": (TINY, {"data": {"batch_size": 4, "pair_share": 0.5}, "method": {"pool_size": 6}}),
    "cut fast": (CUT_FAST, {"data": {"batch_size": 4}, "method": {"pool_size": 6}}),
    "cut fastcut": (CYCLE_PAPER, {"data": {"batch_size": 2}, "method": {"patches": 32}}),
    "drift fast": (DRIFT_FAST, {"data": {"batch_size": 4}}),
    "pix2pix fast": (PAIRS_FAST, {"data": {"batch_size": 4}, "method": {"free_nats": 0.02}}),
    "pix2pix labels": (LABELS, {"data": {"batch_size": 4}}),
    "pix2pix paper": (PAIRS_PAPER, {"data": {"batch_size": 4}}),
    "generate fast": (IMAGES_FAST, {"data": {"batch_size": 8}, "method": {"augment": 0.7}}),
    "generate drift": (IMAGES_DRIFT, {"data": {"batch_size": 8}}),
    "generate paper": (IMAGES_PAPER, {"data": {"batch_size": 8}}),
    "inpaint fast": (INPAINT["fast"], {"data": {"batch_size": 4}}),
    "inpaint paper": (INPAINT["paper"], {"data": {"batch_size": 4}}),
    "inpaint partial": (INPAINT["partial"], {"data": {"batch_size": 4}}),
    "stargan fast": (STARGAN["fast"], {"data": {"batch_size": 8}}),
    "stargan paper": (STARGAN["paper"], {}),
    "upscale fast": (UPSCALE["fast"], {"data": {"batch_size": 4, "degrade": "real"}}),
    "upscale l1": (UPSCALE["l1"], {"data": {"batch_size": 4}}),
}


def config_of(name, data, out, **train_options):
    """Return the configuration of one of the recipes, on the pictures below `data`, for a run in `out`."""
    task, preset, *beside = name.split()
    where = {
        "cycle": {"a": str(data / "reds"), "b": str(data / "blues")},
        "cut": {"a": str(data / "reds"), "b": str(data / "blues")},
        "drift": {"a": str(data / "reds"), "b": str(data / "blues")},
        "pix2pix": {"a": str(data / "drawings"), "b": str(data / "photos")},
        "generate": {"images": str(data / "p")},
        "inpaint": {"images": str(data / "photos")},
        "stargan": {"images": str(data / "p"), "classes": "auto"},
        "upscale": {"images": str(data / "photos")},
    }[task]
    if beside:
        where |= {"pairs": str(data / "beside")}
    if preset == "labels":
        where = {"a": str(data / "photos"), "b": str(data / "maps")}
    small, extra = EXTRA[name]
    run = {"data": where, "out": str(out / name.replace(" ", "_"))}
    return load_config(task, preset, small, COMMON, extra, run, {"train": train_options})


def train_all(data, out, names=tuple(EXTRA), seed=0):
    """Train the recipes with a large epsilon in Adam: gradients that are zero except for rounding stay small."""
    optim.Adam = functools.partial(torch.optim.Adam, eps=1e-2)
    try:
        for name in names:
            train(config_of(name, data, out, seed=seed))
    finally:
        optim.Adam = torch.optim.Adam


def die_once(step, marker):
    """Let process 1 be killed as it begins its update number `step`, unless that has happened already."""
    real, calls = training.train_step, itertools.count()

    def train_step(*args, **kwargs):
        if os.environ["RANK"] == "1" and next(calls) == step and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    training.train_step = train_step


if __name__ == "__main__":
    data, out, *names = sys.argv[1:]
    if killed := os.environ.get("TEST_KILLED"):
        die_once(3, Path(killed))
    try:
        train_all(Path(data), Path(out), names or tuple(EXTRA), int(os.environ.get("TEST_SEED", "0")))
    except UserError as error:
        sys.exit(f"error: {error}")
