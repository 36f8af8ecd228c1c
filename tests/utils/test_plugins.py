import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins import no_plugins  # noqa: F401
from translate.networks import DISCRIMINATORS, EXPORTABLE, GENERATORS, INPAINTERS, LATENT_GENERATORS
from translate.tasks import TASKS
from translate.tasks.losses.adversarial import GAN_LOSSES, PAIRED_GAN_LOSSES, GanLoss
from translate.training.config import load_config
from translate.utils import plugins
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import resolve
from translate.utils.plugins import load_plugin, named_plugins, presets

ROOT = Path(__file__).parents[2]
NETWORK = "from torch import nn\nfrom translate.networks import GENERATORS\n"
THIN = NETWORK + 'GENERATORS.register("thin", nn.Identity)\n'
TASK = (
    "from translate.tasks import TASKS, Task\n@TASKS.register({name!r})\nclass Mine(Task):\n    data = 'unpaired'\n"
    "    exports = ('G',)\n"
)
pytestmark = pytest.mark.usefixtures("no_plugins")


def write(folder, name, text):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def install(folder, package, module, text, monkeypatch):
    """Install a package that announces its module as a plugin."""
    write(folder, f"{module}/__init__.py", text)
    write(folder, f"{package}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    write(folder, f"{package}-1.0.dist-info/entry_points.txt", f"[translate.plugins]\nmine = {module}\n")
    monkeypatch.syspath_prepend(str(folder))


def refusal(source):
    with pytest.raises(UserError) as caught:
        load_plugin(source)
    assert "\n" not in str(caught.value) and str(caught.value).startswith(f"plugin {source}: ")
    return str(caught.value)


# --- registries


def test_a_name_is_valid_wherever_its_registry_is_included(tmp_path):
    load_plugin(write(tmp_path, "thin.py", THIN))
    assert {"thin"} <= {*GENERATORS} & {*INPAINTERS} & {*EXPORTABLE}
    assert "thin" not in DISCRIMINATORS and "thin" not in LATENT_GENERATORS
    assert GENERATORS.origin("thin") == EXPORTABLE.origin("thin") == (str(tmp_path / "thin.py"), "thin.py")
    assert EXPORTABLE.origin("dcgan") == plugins.BUILT_IN
    assert len(EXPORTABLE) == len(list(EXPORTABLE)) == len({*EXPORTABLE})


def test_a_loss_serves_both_kinds_of_tasks():
    loss = GanLoss(lambda real, fake: real.mean(), lambda fake: fake.mean())
    assert GAN_LOSSES.register("mean", loss) is loss
    assert resolve("mean", PAIRED_GAN_LOSSES, "method.gan") is loss
    assert "relativistic" not in GAN_LOSSES
    with pytest.raises(UserError, match=r"GAN loss 'f': a GAN loss is a GanLoss\(d, g\)"):
        GAN_LOSSES.register("f", len)


def test_a_taken_name_is_refused_with_both_places(tmp_path):
    first, second = write(tmp_path, "first.py", THIN), write(tmp_path, "second.py", THIN)
    load_plugin(first)
    assert f"generator 'thin' of {second} exists already, in {first}; choose another name" in refusal(second)
    built_in = write(tmp_path, "third.py", TASK.format(name="mine") + TASK.format(name="cycle"))
    assert f"task 'cycle' of {built_in} exists already, in image-translate itself" in refusal(built_in)
    assert "mine" not in TASKS  # nothing of it stays
    twice = write(tmp_path, "fourth.py", TASK.format(name="twice") * 2)
    assert "task 'twice'" in refusal(twice)


def test_a_name_that_a_model_file_may_hold_is_unique(tmp_path):
    """A generator "dcgan" of pictures would be built in place of the one of latent codes."""
    text = NETWORK + 'GENERATORS.register("dcgan", nn.Identity)\n'
    assert "generator 'dcgan'" in refusal(write(tmp_path, "clash.py", text))
    assert "dcgan" not in GENERATORS


def test_a_notebook_may_run_its_cell_again():
    for width in (1, 2):
        scope = {"__name__": "__main__"}
        exec(f"{NETWORK}\n@GENERATORS.register('cell')\ndef cell(width={width}): return nn.Identity()", scope)
    assert GENERATORS["cell"].__defaults__ == (2,)


# --- what is wrong with a plugin


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found', p.py line 1"),
        ("x = 1\ny = [][3]", "IndexError: list index out of range, p.py line 2"),
        ("def f(:\n  pass", "SyntaxError: invalid syntax"),
        ("import sys\nsys.exit('gone')", "SystemExit: gone, p.py line 2"),
        ("x = 1", "it registers no task, network, loss or recipe"),
        ("raise ValueError('two\\nlines')", "ValueError: two, p.py line 1"),
        (NETWORK + "GENERATORS.register('a b', nn.Identity)", "generator 'a b': a name has letters, digits, _ and -"),
        (NETWORK + "GENERATORS.register('x', 3)", "a network is a class, or a function that returns a module"),
        (
            "from translate.tasks import TASKS\nTASKS.register('x', dict)",
            "a task is a subclass of translate.tasks.Task",
        ),
        (
            TASK.format(name="x").replace("unpaired", "pairs"),
            "its `data` should be one of images, labelled, masked",
        ),
        (TASK.format(name="x").replace("exports", "export"), "its `exports` should name the networks that inference"),
        (TASK.format(name="x") + "    directions = ('ba',)\n", 'its `directions` should be ("ab",) or ("ab", "ba")'),
    ],
)
def test_a_broken_plugin_is_one_line(tmp_path, text, words):
    names = [*EXPORTABLE, *TASKS]
    path = write(tmp_path, "p.py", text)
    assert words in refusal(path)
    assert [*EXPORTABLE, *TASKS] == names
    # once mended, it is loaded
    path.write_text(THIN)
    load_plugin(path)
    assert "thin" in GENERATORS


def test_a_missing_plugin_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "no such file; a plugin is a .py file, or the name of a module" in refusal("nowhere.py")
    assert "no such file" in refusal("./nowhere") and "no such file" in refusal(str(tmp_path))
    assert "no such module, installed or in the current folder" in refusal("nowhere")


def test_a_module_of_the_current_folder_is_loaded_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "thin_plugin.py", "from helper_plugin import NAME\n" + THIN.replace('"thin"', "NAME"))
    write(tmp_path, "helper_plugin.py", "NAME = 'thin'\n")
    load_plugin("thin_plugin")
    load_plugin("thin_plugin")
    load_plugin("thin_plugin.py")  # the same file
    assert named_plugins() == ("thin_plugin", str(tmp_path / "thin_plugin.py"))
    assert GENERATORS.origin("thin").plugin == "thin_plugin"


# --- recipes


def test_recipes_lie_beside_the_plugin(tmp_path):
    path = write(tmp_path, "p.py", TASK.format(name="mine"))
    write(tmp_path, "configs/mine_slow.toml", "[train]\nsteps = 7\nlr = 1e-5\n")
    write(tmp_path, "configs/cycle_mine.toml", "[train]\nsteps = 3\n")
    load_plugin(path)
    config = load_config("mine", "slow", {"train": {"seed": 3}})
    assert (config.train.steps, config.train.lr, config.train.seed, config.plugins) == (7, 1e-5, 3, (str(path),))
    assert load_config("cycle", "mine").train.steps == 3
    assert list(presets("mine")) == ["slow"] and list(presets("cycle")) == ["drift", "fast", "mine", "paper"]
    with pytest.raises(OptionError, match="unknown preset 'fast'; choose from slow"):
        load_config("mine")
    # the same recipe of another plugin
    other = write(tmp_path / "other", "q.py", TASK.format(name="other"))
    recipe = write(tmp_path / "other", "configs/cycle_fast.toml", "")
    assert f"recipe 'cycle_fast' of {recipe} exists already, in image-translate itself" in refusal(other)


def test_a_task_without_a_recipe_is_told_where_to_write_it(tmp_path):
    load_plugin(write(tmp_path, "p.py", TASK.format(name="mine")))
    with pytest.raises(OptionError, match="task 'mine' has no recipe; write configs/mine_fast.toml beside its plugin"):
        load_config("mine")


def test_a_plugin_in_a_checkout_may_use_its_recipes(tmp_path, monkeypatch):
    monkeypatch.setattr(plugins, "package_folder", lambda name: tmp_path / name)
    write(tmp_path, "configs/cycle_fast.toml", "")
    plugins.recipes.cache_clear()
    load_plugin(write(tmp_path, "p.py", THIN))
    plugins.recipes.cache_clear()


# --- installed plugins


def test_an_installed_plugin_is_loaded_when_a_name_is_unknown(tmp_path, monkeypatch):
    install(tmp_path, "mine-package", "mine_plugin", THIN, monkeypatch)
    assert (
        "skip_resnet" in GENERATORS
        and INPAINTERS["skip_resnet"]
        and TASKS["cycle"]
        and "mine_plugin" not in sys.modules
    )
    assert load_config("cycle").task == "cycle" and presets("cycle") and "mine_plugin" not in sys.modules
    assert resolve("thin", INPAINTERS, "generator") is GENERATORS["thin"]
    assert "mine_plugin" in sys.modules and named_plugins() == ()
    assert GENERATORS.origin("thin").plugin == "mine_plugin"


def test_an_installed_plugin_is_listed(tmp_path, monkeypatch):
    install(tmp_path, "mine-package", "mine_plugin", TASK.format(name="mine"), monkeypatch)
    assert "mine" in list(TASKS)


def test_a_broken_installed_plugin_costs_a_line(tmp_path, monkeypatch, capsys):
    install(tmp_path, "mine-package", "mine_plugin", THIN + "1 / 0\n", monkeypatch)
    with pytest.raises(OptionError, match="unknown generator 'thin'"):
        resolve("thin", GENERATORS, "generator")
    list(GENERATORS)
    line = "plugin 'mine' of the package mine-package: cannot be loaded (ZeroDivisionError: division by zero, "
    err = capsys.readouterr().err
    assert err == f"{line}__init__.py line 4); it is left out\n"
    assert "thin" not in GENERATORS


def test_help_loads_no_plugin(tmp_path):
    install(tmp_path, "mine-package", "mine_plugin", "raise SystemExit('loaded')", pytest.MonkeyPatch())
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nfrom translate.cli.run import run_command\n"
        "for words in ('train --help', 'train --help --task cycle', 'train-cycle --help', 'evaluate --help'):\n"
        "    command, *words = words.split()\n    assert run_command(command, words) == 0\n"
        "assert 'torch' not in sys.modules and 'mine_plugin' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
