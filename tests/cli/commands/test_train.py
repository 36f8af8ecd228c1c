import json
import sys
import time
import tomllib

import cv2
import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from tests.cli.test_run import SMALL, call, complaint
from tests.conftest import picture
from tests.plugins import forget_plugins, no_plugins  # noqa: F401
from tests.utils.test_plugins import install
from translate import Translator, load_plugin
from translate.checkpoints.model_file import KEY
from translate.utils.errors import UserError

PLUGIN = """
from torch import nn
from translate.networks import GENERATORS
from translate.tasks import TASKS, Task

@GENERATORS.register("deep")
class Deep(nn.Module):
    def __init__(self, in_channels=3, out_channels=3, depth=1):
        super().__init__()
        self.body = nn.Sequential(*(nn.Conv2d(in_channels, out_channels, 3, padding=1) for _ in range(depth)))
    def forward(self, x):
        return self.body(x)

@TASKS.register("{task}")
class Mine(Task):
    data = "{data}"
    phases = {{"G": ("G",)}}
    exports = ("G",)
    def __init__(self, generator, discriminator, channels, *, weight=1.0):
        super().__init__()
        self.G, self.weight = generator(in_channels=3, out_channels=3), weight
    def forward(self, batch):
        return batch | {{"fake": self.G(batch["a"])}}
    def losses(self, phase, x):
        return {{"l1": self.weight * (x["fake"] - x["b"]).abs().mean()}}
    @staticmethod
    def predict(nets, batch, **options):
        return nets["G"](batch["a"])
    @staticmethod
    def preview(nets, batch):
        return {{"a": batch["a"], "b": nets["G"](batch["a"])}}
"""
RECIPE = '[generator]\nname = "deep"\n[discriminator]\nname = "patch_34"\n[train]\nsteps = 3\nprecision = "fp32"\n'
EXACT = ["--device", "cpu", "--train.channels_last", "off", "--size", "32"]


@pytest.fixture
def plugin(tmp_path, no_plugins, monkeypatch):  # noqa: F811
    """Return a function that writes a plugin and its recipe."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()

    def write(task="mine", data="unpaired"):
        (tmp_path / "configs" / f"{task}_fast.toml").write_text(RECIPE)
        (tmp_path / f"{task}.py").write_text(PLUGIN.format(task=task, data=data))
        return f"{task}.py"

    return write


# --- any task


def test_it_trains_cycle_as_its_own_command_does(capsys, two_folders, tmp_path):
    reds, blues = two_folders
    words = ["--a", reds, "--b", blues, *SMALL, "--precision", "fp32", "--train.channels_last", "off"]
    assert call(capsys, "train-cycle", *words, "--out", tmp_path / "one")[0] == 0
    status, out, err = call(capsys, "train", "--task", "cycle", *words, "--out", tmp_path / "two")
    assert status == 0, err
    assert "translate_folder.py --model" in out
    for file in ("model.safetensors", "config.toml"):
        one, two = ((tmp_path / run / file).read_bytes() for run in ("one", "two"))
        assert one.replace(b"/one", b"/two") == two
    # the same run: either command resumes the other's
    assert "is complete" in call(capsys, "train", "--task", "cycle", *words, "--out", tmp_path / "one")[2]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "--task is missing; see python tools/train.py --help"),
        ("--task cycel --a x --b y", "unknown task 'cycel'; did you mean 'cycle'?"),
        ("--task render --a x --b y", "or give the plugin that has it: --plugin X"),
        ("--task cycle --images x", "--images is not for the task 'cycle', which learns from two domains: --a X --b Y"),
        ("--task cycle --a x --b y --hints", "--hints is not for the task 'cycle', which learns from two domains"),
        ("--task cycle --a x --b y --direction ba", "--direction is not for the task 'cycle'"),
        ("--task generate --a x", "--a is not for the task 'generate', which learns from single pictures: --images X"),
        ("--task generate --images x --masks m", "--masks is not for the task 'generate'"),
        (
            "--task inpaint --images x --labels l",
            "--labels is not for the task 'inpaint', which learns from single",
        ),
        ("--task pix2pix --images x", "--images is not for the task 'pix2pix', which learns from pairs: --data X, or"),
        ("--task pix2pix --data x --preset fsat", "unknown preset 'fsat'; did you mean 'fast'?"),
        ("--tsak cycle", "unknown option --tsak; did you mean '--task'?"),
        ("--task cycle --plugin nowhere.py", "plugin nowhere.py: no such file"),
        ("--task", "--task lacks a value, a text"),
    ],
)
def test_a_wrong_combination_is_answered(capsys, words, message):
    status, line = complaint(capsys, "train", *words.split())
    assert message in line and status == 2


def test_help_all_lists_the_recipe_of_a_plugin(capsys, plugin):
    words = ["--task", "mine", "--plugin", plugin(), "--help-all"]
    status, out, err = call(capsys, "train", *words)
    assert status == 0, err
    assert "--method.weight 1.0" in out and "--generator.depth 1" in out and "--preset fast: --steps 3" in out
    assert "--help-all needs --task NAME" in complaint(capsys, "train", "--help-all")[1]


# --- plugins


def test_a_plugin_of_the_config_file_is_loaded(capsys, plugin, two_folders, tmp_path):
    reds, blues = two_folders
    (tmp_path / "c.toml").write_text(f'task = "mine"\nplugin = "{plugin()}"\na = "{reds}"\nb = "{blues}"\n')
    status, _, err = call(capsys, "train", "--config", "c.toml", "--out", "run", *EXACT)
    assert status == 0, err
    assert tomllib.loads((tmp_path / "run" / "config.toml").read_text())["plugins"] == [str(tmp_path / "mine.py")]


def test_no_file_chooses_the_code_that_runs(capsys, plugin, two_folders, tmp_path, monkeypatch):
    reds, blues = two_folders
    words = ["--task", "mine", "--a", reds, "--b", blues, "--out", "run", *EXACT]
    assert call(capsys, "train", *words, "--plugin", plugin())[0] == 0
    forget_plugins()
    # neither a run with its plugin beside it, nor a model file that names one
    monkeypatch.chdir(tmp_path / "run")
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "m.safetensors").write_bytes((tmp_path / "run" / "model.safetensors").read_bytes())
    source = tmp_path / "mine.py"
    for model, name in ((tmp_path / "run", source), (tmp_path / "alone" / "m.safetensors", "mine.py")):
        line = complaint(capsys, "evaluate", "--model", model)[1]
        assert "was trained for the task 'mine', which this version does not know" in line
        assert line.endswith(f"if you trust its plugin, add --plugin {name} (in Python: load_plugin)")
    assert "plugin_mine" not in sys.modules
    # the way out works: in the command line, and in Python
    words = ["--model", tmp_path / "run", "--input", reds, "--output", tmp_path / "out"]
    assert call(capsys, "translate-folder", *words, "--plugin", source)[0] == 0
    forget_plugins()
    with pytest.raises(UserError):
        Translator.load(tmp_path / "run")
    load_plugin(source)
    assert Translator.load(tmp_path / "run")(picture(0)).shape == (40, 48, 3)


def test_a_run_is_resumed_with_its_plugin_elsewhere(capsys, plugin, two_folders, tmp_path):
    reds, blues = two_folders
    words = ["--task", "mine", "--a", reds, "--b", blues, *EXACT]
    assert call(capsys, "train", *words, "--plugin", plugin(), "--out", "run")[0] == 0
    assert call(capsys, "train", *words, "--plugin", "mine.py", "--out", "longer", "--steps", 6)[0] == 0
    forget_plugins()
    (tmp_path / "configs").rename(tmp_path / "moved_configs")
    (tmp_path / "moved").mkdir()
    (tmp_path / "mine.py").rename(tmp_path / "moved" / "mine.py")
    (tmp_path / "moved_configs").rename(tmp_path / "moved" / "configs")
    more = ["--plugin", "moved/mine.py", "--out", "run", "--steps", 6, "--extend"]
    status, _, err = call(capsys, "train", *words, *more)
    assert status == 0, err
    assert "do not change what is learned" in err and "moved/mine.py" in err


def test_an_installed_plugin_needs_no_option(capsys, plugin, two_folders, tmp_path, monkeypatch):
    plugin()
    reds, blues = two_folders
    site = tmp_path / "site"
    install(site, "mine-package", "mine_plugin", PLUGIN.format(task="mine", data="unpaired"), monkeypatch)
    (tmp_path / "configs").rename(site / "mine_plugin" / "configs")
    words = ["--task", "mine", "--a", reds, "--b", blues, "--out", "run", *EXACT]
    status, out, err = call(capsys, "train", *words)
    assert status == 0, err
    assert "--plugin" not in out
    # a command that needs nothing of it does not load it; one of its options does
    forget_plugins()
    words = ["--a", reds, "--b", blues, *EXACT, "--steps", 1, "--lr", 1e-4]
    assert call(capsys, "train-cycle", *words, "--ngf", 8, "--generator.blocks", 1, "--out", "other")[0] == 0
    assert "mine_plugin" not in sys.modules
    assert call(capsys, "train-cycle", *words, "--netG", "deep", "--depth", 2, "--out", "deep")[0] == 0
    assert call(capsys, "translate-folder", "--model", "run", "--input", reds, "--output", "out")[0] == 0


def test_a_network_that_cannot_be_exported_is_told_before_training(capsys, plugin, two_folders, tmp_path):
    reds, blues = two_folders
    file = tmp_path / plugin()
    file.write_text(file.read_text().replace("generator(in_channels=3, out_channels=3)", "nn.Conv2d(3, 3, 1)"))
    words = ["--task", "mine", "--a", reds, "--b", blues, "--plugin", file]
    line = complaint(capsys, "train", *words)[1]
    assert "task 'mine': a model file cannot hold its network 'G'; build it with `generator`" in line


def test_a_task_may_have_no_discriminator(capsys, plugin, two_folders, tmp_path):
    reds, blues = two_folders
    source = plugin("alone")
    text = (tmp_path / source).read_text().replace("generator, discriminator, channels", "generator, channels")
    (tmp_path / source).write_text(text.replace("    exports", "    discriminators = None\n    exports"))
    # a recipe of another task may name it
    recipe = RECIPE.replace('[discriminator]\nname = "patch_34"\n', "")
    (tmp_path / "configs" / "alone_fast.toml").write_text(recipe)
    (tmp_path / "configs" / "cycle_alone.toml").write_text(f'task = "alone"\n{recipe}')
    words = ["--task", "cycle", "--a", reds, "--b", blues, "--plugin", source, "--preset", "alone"]
    status, _, err = call(capsys, "train", *words, *EXACT, "--out", "run")
    assert status == 0, err
    config = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert (config["task"], config["preset"], config["discriminator"]) == ("alone", "alone", {})
    # its options and no others
    listed = call(capsys, "train", *words, "--help-all")[1]
    assert "--method.weight 1.0" in listed and "--generator.depth 1" in listed and "--discriminator" not in listed
    for option in ("--netD", "--ndf", "--discriminator.width", "--n-layers-D=3"):
        value = [] if "=" in option else [4]
        line = complaint(capsys, "train", *words, option, *value)[1]
        assert f"{option.partition('=')[0]}: the task 'alone' trains without a discriminator; leave it out" in line
    (tmp_path / "c.toml").write_text('[discriminator]\nname = "patch_34"\n')
    line = complaint(capsys, "train", *words, *EXACT, "--out", "other", "--config", "c.toml")[1]
    assert "the task 'alone' trains without a discriminator; leave out [discriminator]" in line


def test_a_pair_task_of_a_plugin_learns_in_either_direction(capsys, plugin, tmp_path):
    for side in "ab":
        (tmp_path / side).mkdir()
        for i in range(6):
            cv2.imwrite(str(tmp_path / side / f"{i}.png"), picture(i + ord(side)))
    words = ["--task", "mine", "--plugin", plugin(data="paired"), "--a", "a", "--b", "b", "--direction", "ba", *EXACT]
    status, _, err = call(capsys, "train", *words, "--out", "run")
    assert status == 0, err
    recipe = Translator.load("run").recipe
    assert recipe.directions == ("ba",) and recipe.domains[0].endswith("B")
    assert call(capsys, "evaluate", "--model", "run", "--plugin", "mine.py")[0] == 0


def test_a_count_of_layers_in_a_model_file_builds_no_more_than_its_weights(capsys, plugin, two_folders, tmp_path):
    """The name of a plugin's option says nothing: "depth" may be a million layers."""
    reds, blues = two_folders
    words = ["--task", "mine", "--a", reds, "--b", blues, "--plugin", plugin(), "--out", "run", *EXACT]
    assert call(capsys, "train", *words)[0] == 0
    file = tmp_path / "run" / "model.safetensors"
    with safe_open(file, framework="pt") as opened:
        recipe = json.loads(opened.metadata()[KEY])
    recipe["nets"]["G"]["depth"] = 2**15
    save_file(load_file(file), file, metadata={KEY: json.dumps(recipe)})
    began = time.process_time()
    line = complaint(capsys, "translate-folder", "--model", file, "--input", reds, "--output", "o")[1]
    assert (
        "its networks cannot be built (more parts than the weights in the file" in line
        and time.process_time() - began < 2
    )
