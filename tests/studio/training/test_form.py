"""The form of the Train page gives a checked configuration, of places that it may name."""

import json

import pytest

from translate.studio.training.form import build_config, check_arguments, describe_form
from translate.utils.errors import OptionError


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "work" / "mine").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "work" / "link").symlink_to(tmp_path / "outside")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def form(task="cycle", name="x", further="", **options):
    return {"task": task, "preset": "fast", "name": name, "options": options, "further": further}


def test_a_form_becomes_a_configuration(here):
    given = form(a="photos", b="mine", minutes=3, size="auto", seed=None, init="", further="generator.width = 8")
    config = build_config(given, here / "runs", [here])
    assert (config.data.a, config.data.b, config.data.size, config.train.minutes) == ("photos", "mine", 0, 3.0)
    assert config.generator["width"] == 8 and config.out == str(here / "runs" / "x")


def test_a_run_to_start_from_is_named(here):
    (here / "runs" / "older").mkdir(parents=True)
    config = build_config(form(a="photos", b="mine", init="older"), here / "runs", [here])
    assert config.train.init == str(here / "runs" / "older")


def test_every_task_and_preset_that_is_offered_can_be_chosen(here):
    offered = describe_form()
    json.dumps(offered)
    names = {"a": "mine", "b": "monet", "data": "mine", "images": "mine"}
    assert {"cycle", "drift", "pix2pix", "generate", "inpaint"} <= {task["name"] for task in offered["tasks"]}
    for task in offered["tasks"]:
        for preset in task["presets"]:
            for way in task["inputs"]:
                options = {name: names[name] for name in way}
                build_config({**form(task["name"], **options), "preset": preset["name"]}, here / "runs", [here])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "no name of a run"),
        ({"name": "../x"}, "no name of a run"),
        ({"name": "a/b"}, "no name of a run"),
        ({"name": "--out"}, "no name of a run"),
        ({"task": "cicle"}, "task"),
        ({"b": ""}, "choose what to learn from: --a and --b, or --data"),
        ({"data": "mine"}, "choose what to learn from"),
        ({"a": "photo"}, "did you mean 'photos'?"),
        ({"a": "/etc"}, "lies outside the folders"),
        ({"a": ".."}, "lies outside the folders"),
        ({"a": "mine/../../outside"}, "lies outside the folders"),
        ({"a": "link"}, "lies outside the folders"),
        ({"a": "~"}, "lies outside the folders"),
        ({"a": "./none"}, "no such folder"),
        ({"a": "x" * 5000}, "no folder or data set"),
        ({"a": "./" + "x" * 5000}, "no such folder|no path"),
        ({"a": "mine\0"}, "no text"),
        ({"init": "/etc/passwd"}, "lies outside the folders"),
        ({"method.vgg": "../outside/w.pth"}, "vgg"),
        ({"minutes": -1}, "--minutes should be at least 0"),
        ({"minutes": 1, "steps": 2}, "give one of --steps"),
        ({"size": 33}, "multiple of 4"),
        ({"batch_size": "many"}, "whole number"),
        ({"sped": 1}, "unknown option sped; did you mean 'seed'?"),
        ({"train.lrr": 1}, "unknown option train.lrr"),
        ({"generator.name": "x"}, "generator"),
        ({"further": "width = 3"}, "is in no section"),
        ({"further": "width ="}, "further options: "),
        ({"further": "plugins = ['x']"}, "is in no section"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(here, changes, message):
    whole = {key: changes.pop(key) for key in ("task", "name", "further") if key in changes}
    with pytest.raises(OptionError, match=message) as error:
        build_config(form(**{"a": "photos", "b": "monet"} | whole | changes), here / "runs", [here])
    assert "\n" not in str(error.value)


def test_the_arguments_of_the_check(here):
    assert check_arguments(form(a="photos", b="mine"), [here]) == ["--a", "photos", "--b", "mine"]
    assert check_arguments(form("pix2pix", a="photos", b="mine"), [here])[-1] == "--pairs"
    assert check_arguments(form("generate", images="mine"), [here]) == ["--images", "mine"]
    for wrong in (form(), form(a="/etc", b="mine")):
        with pytest.raises(OptionError):
            check_arguments(wrong, [here])
