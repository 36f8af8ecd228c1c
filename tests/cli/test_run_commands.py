from dataclasses import asdict
from shlex import split

import pytest

from translate.cli import run as cli
from translate.cli.run_commands import train_command
from translate.tasks import TASKS
from translate.training.config import load_config, preset_task
from translate.utils.plugins import presets

ODD = {
    "data": {"a": "my pictures/[old]", "b": "x'y", "crop": 64, "flip": False, "batch_size": 3},
    "train": {"phase_lr": {"D": 2.0}, "betas": [0.0, 0.9], "lr": 1e-5, "seed": 7, "steps": 9},
    "out": "runs/my run",
}


class Caught(Exception):
    """Carries the configuration that a command would train with."""


def as_table(config):
    """Return a configuration as config.toml has it."""
    return {key: value if not isinstance(value, tuple) else list(value) for key, value in asdict(config).items()}


def trained_with(command, monkeypatch):
    """Return the configuration with which a command would train."""

    def catch(config, **_):
        raise Caught(config)

    monkeypatch.setattr("translate.training.loop.train", catch)
    _, tool, *words = split(command)
    with pytest.raises(Caught) as caught:
        cli.main(tool.removeprefix("tools/").removesuffix(".py").replace("_", "-"), words)
    return caught.value.args[0]


SINGLE = ("images", "labelled", "masked", "reduced")  # kinds of data that are one set of pictures


@pytest.mark.parametrize(("task", "preset"), [(task, preset) for task in TASKS for preset in presets(task)])
def test_the_command_of_a_run_trains_the_same(task, preset, monkeypatch):
    kind = TASKS[preset_task(task, preset)].data
    images = {"images": "set of mine", "classes": "auto"} if kind in SINGLE else {}
    data = (
        {"images": "set of mine", "classes": "auto" if kind in ("images", "labelled") else ""}
        if images
        else {"a": "x y", "b": "z"}
    )
    config = load_config(task, preset, data=data, out="runs/q")
    command = train_command(as_table(config))
    assert trained_with(command, monkeypatch) == config
    assert len(command) < 200 and "--train.lr" not in command


def test_changed_options_of_all_types_come_back(monkeypatch):
    config = load_config("cycle", "paper", ODD)
    command = train_command(as_table(config))
    assert command.startswith("python tools/train_cycle.py --preset paper --a 'my pictures/[old]' --b 'x'\"'\"'y'")
    assert trained_with(command, monkeypatch) == config


def test_another_network_comes_back_with_its_options(monkeypatch):
    config = load_config("pix2pix", "fast", {"generator": {"name": "unet_256", "width": 16}, "data": {"root": "maps"}})
    assert trained_with(train_command(as_table(config)), monkeypatch) == config
