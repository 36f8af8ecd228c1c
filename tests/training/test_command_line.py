"""The command of a configuration gives that configuration."""

import json
import tomllib
from dataclasses import asdict, fields

import pytest

from tests.conftest import TINY
from translate.cli.commands.train import options_layer
from translate.cli.parsing import parse_options
from translate.cli.recipe_options import recipe_layer
from translate.cli.run import COMMANDS, train_task
from translate.training.command_line import COMMANDS as OF_TASKS
from translate.training.command_line import command_arguments, command_of
from translate.training.config import dump_config, load_config
from translate.utils.errors import OptionError
from translate.utils.plugins import presets


def read_back(values):
    """Parse the command of a configuration, as the command line does."""
    command = command_of(values["task"], values["preset"])
    options_class, function = COMMANDS[command]
    assert function is train_task
    options, sections, others = parse_options(options_class, command, command_arguments(values))
    task = options.task
    flags = recipe_layer(others, load_config(task, options.preset).task, [f.name for f in fields(options)])
    return load_config(task, options.preset, sections, options_layer(options), flags)


@pytest.mark.parametrize(
    ("task", "preset", "layers"),
    [
        ("cycle", "fast", [{"data": {"a": "photos", "b": "my monet's"}, "train": {"minutes": 5.0}}, {"out": "runs/d"}]),
        ("cycle", "paper", [TINY, {"data": {"root": "-odd"}, "out": "runs/1"}]),
        ("cycle", "fast", [{"data": {"a": "x", "b": "y", "pairs": "p.csv", "pair_share": 0.5}}]),
        ("cycle", "fast", [{"generator": {"name": "resnet_9blocks"}, "train": {"phase_lr": {"D": 2.0}}}]),
        ("pix2pix", "fast", [{"data": {"root": "x", "hints": True, "direction": "ba", "size": 128}}]),
        ("generate", "fast", [{"data": {"images": "3", "classes": "auto"}, "method": {"grow": 0.5}, "out": "7"}]),
        ("generate", "drift", [{"data": {"images": "faces"}, "train": {"epochs": 2.5, "clip": 1.0}}]),
        ("inpaint", "partial", [{"data": {"images": "i", "mask_kinds": ["boxes", "strokes"], "flip": False}}]),
        ("drift", "fast", [{"data": {"a": "x", "b": "y"}, "train": {"betas": [0.0, 0.9], "steps": 20}}]),
    ],
)  # fmt: skip
def test_the_command_gives_the_same_configuration(task, preset, layers):
    config = load_config(task, preset, *layers)
    assert read_back(asdict(config)) == config
    assert read_back(tomllib.loads(dump_config(config, {"steps": 3}))) == config


def test_the_command_of_the_demo_is_as_short_as_its_makefile_says():
    config = load_config("cycle", data={"a": "photos", "b": "monet"}, train={"minutes": 5}, out="runs/demo")
    words = " ".join(command_arguments(asdict(config)))
    assert (command_of("cycle"), words) == ("train-cycle", "--a photos --b monet --minutes 5 --out runs/demo")


def test_the_commands_of_tasks_are_those_of_the_command_line():
    known = {c.task: name for name, (c, _) in COMMANDS.items() if getattr(c, "task", "") in OF_TASKS}
    assert known == OF_TASKS
    for task, command in known.items():
        for preset in presets(task):
            load_config(task, preset)
            parse_options(COMMANDS[command][0], command, ["--preset", preset])


def test_unknown_tasks_and_presets_are_named():
    with pytest.raises(OptionError, match="unknown preset 'best'"):
        command_of("cycle", "best")
    with pytest.raises(OptionError, match="task"):
        command_arguments({"task": "cicle", "preset": "fast"})


def test_texts_that_look_like_numbers_stay_texts():
    values = asdict(load_config("cycle", data={"labels": "none"}, out="x"))
    values["generator"] = values["generator"] | {"name": "3", "other": json.loads('{"a b": [1, "2"]}')}
    words = command_arguments(values)
    assert words[words.index("--generator.name") + 1] == '"3"'
    assert words[words.index("--generator.other") + 1] == '{"a b" = [1, "2"]}'


def test_an_option_that_is_newer_than_a_run_counts_as_its_default():
    values = asdict(load_config("cycle", "paper", {"data": {"a": "x", "b": "y"}}))
    del values["data"]["zoom"]  # 1.1 in the preset, 1.0 by default
    assert "--data.zoom 1.0" in " ".join(command_arguments(values))
