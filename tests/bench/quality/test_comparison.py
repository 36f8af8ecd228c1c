import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
import tomli_w
import torch

from tests.conftest import TINY, picture
from tests.training.test_train_generate import FAST as GENERATE
from tests.training.test_train_inpaint import PRESETS as INPAINT
from tests.training.test_train_pix2pix import FAST as PIX2PIX
from translate.bench.original_repo import REQUIRED_FILES
from translate.bench.quality import comparison, job_process, original_process
from translate.bench.quality.budget import StepClock
from translate.bench.quality.comparison import QualityOptions, compare_recipes, make_jobs
from translate.bench.quality.job import Job, find_recipe
from translate.bench.quality.picture_set import find_set
from translate.checkpoints.model_file import load_model
from translate.evaluation.panel import Panel
from translate.utils.errors import OptionError, UserError
from translate.utils.locks import InUseError, hold


def fill(folder, count, first=0, width=40):
    folder.mkdir(parents=True)
    for i in range(count):
        cv2.imwrite(str(folder / f"{i:02d}.png"), picture(first + i, 40, width))


def write_recipe(file, layer, **sections):
    layer = {name: values for name, values in layer.items() if name in ("method", "generator", "discriminator", "data")}
    layer = {**layer, "train": {"precision": "fp32", "channels_last": "off"}, **sections}
    layer["data"] = {key: value for key, value in layer.get("data", {}).items() if key in ("crop", "batch_size")}
    file.write_text(tomli_w.dumps(layer))
    return str(file)


@pytest.fixture
def asked(tmp_path):
    """The options of a comparison of two recipes on two unpaired domains."""
    for side, first in (("A", 0), ("B", 100)):
        fill(tmp_path / "u" / f"train{side}", 12, first)
        fill(tmp_path / "u" / f"test{side}", 3, first + 50)
    names = [write_recipe(tmp_path / f"cycle_{name}.toml", TINY, method={"lambda_cycle": x}) for name, x in TWO.items()]
    return QualityOptions(out=tmp_path / "out", sets=[f"u={tmp_path / 'u'}"], recipes=names, cpu_seconds=4.0, size=32)


TWO = {"one": 5.0, "two": 1.0}


class Clock(StepClock):
    """A clock by which every step takes 1 s."""

    def __init__(self, budget):
        super().__init__(budget, clock=lambda: self.start_up + len(self.costs) + 1)


@pytest.fixture
def in_process(monkeypatch):
    """Run jobs in this process, and list them."""
    done = []

    def run_all(jobs, parallel):
        for job in jobs:
            job_process.run_job(Job.load(job.folder))
            done.append(f"{job.recipe} {job.config.train.seed}")
        return []

    monkeypatch.setattr(comparison, "run_all", run_all)
    monkeypatch.setattr(job_process, "StepClock", Clock)
    monkeypatch.setattr(comparison, "load_panel", lambda file: Panel())
    return done


def test_recipes_are_compared_and_a_killed_comparison_goes_on(asked, in_process, monkeypatch):
    # killed within the second run
    steps = []

    class Killed(Clock):
        def end_step(self):
            steps.append(1)
            if len(steps) == 18:  # a trial of 6 steps, a run of 4, a trial, half a run
                raise KeyboardInterrupt
            return super().end_step()

    with monkeypatch.context() as patch:
        patch.setattr(job_process, "StepClock", Killed)
        with pytest.raises(KeyboardInterrupt):
            compare_recipes(asked)
    folder = asked.out / "u" / "cycle_two" / "0"
    assert in_process == ["cycle_one 0"] and (folder / "steps.json").exists()
    # it goes on, to the same weights as without a break
    report = compare_recipes(asked)
    assert in_process == ["cycle_one 0", "cycle_two 0"]
    broken = load_model(folder / "run")[1].state_dict()
    compare_recipes(replace(asked, out=asked.out / "again", recipes=asked.recipes[1:]))
    whole = load_model(asked.out / "again" / "u" / "cycle_two" / "0" / "run")[1].state_dict()
    assert all(torch.equal(whole[name], broken[name]) for name in whole)
    # the report
    assert [section.title for section in report.sections] == ["u: uA -> uB", "u: uB -> uA"]
    assert [row.name for row in report.sections[0].rows] == ["untouched input", "cycle_one", "cycle_two"]
    values = report.sections[1].rows[-1].values
    assert values["steps"] == [4.0] and values["cpu_seconds"] == [4.0] and len(values["DCT"]) == 1
    written = json.loads((asked.out / "quality.json").read_text())
    assert written["sections"][1]["rows"][-1]["values"] == values
    assert "| cycle_two |" in (asked.out / "quality.md").read_text()
    # sources, two recipes, and real pictures: captions, and six columns
    assert cv2.imread(str(asked.out / "u_ab.png")).shape == (4 * 128 + 3 * 2, 7 * 128 + 6 * 2, 3)


def test_rows_are_medians_over_the_seeds(asked, in_process):
    report = compare_recipes(replace(asked, recipes=asked.recipes[:1], seeds=(0, 1, 5)))
    row = report.sections[0].rows[-1]
    assert in_process == ["cycle_one 0", "cycle_one 1", "cycle_one 5"] and row.seeds == 3
    low, middle, high = sorted(row.values["DCT"])
    assert low < high and row.cell("DCT", 2) == f"{middle:.2f} ({low:.2f} to {high:.2f})"
    assert row.cell("steps", 0) == "4" and row.cell("better", 0) == "-"  # of 3 pictures
    # a model of one direction
    for seed in "015":
        shutil.rmtree(asked.out / "u" / "cycle_one" / seed / "answers" / "ba")
    one_way = compare_recipes(replace(asked, recipes=asked.recipes[:1], seeds=(0, 1, 5)))
    assert [[row.name for row in section.rows] for section in one_way.sections] == [
        ["untouched input", "cycle_one"], ["untouched input"]
    ]  # fmt: skip
    assert one_way.sections[0].rows == report.sections[0].rows and len(in_process) == 3


@pytest.mark.parametrize(
    ("task", "layer", "folders", "kind"),
    [
        ("pix2pix", PIX2PIX, {"train": 80, "val": 80}, "paired"),
        ("generate", GENERATE, {"train": 40, "test": 40}, "images"),
        ("inpaint", INPAINT["fast"], {"train": 40, "test": 40}, "masked"),
    ],
)
def test_every_kind_of_task_answers(asked, in_process, tmp_path, task, layer, folders, kind):
    for name, width in folders.items():
        fill(tmp_path / "s" / name, 8, len(name), width)
    recipe = write_recipe(tmp_path / f"{task}_tiny.toml", layer)
    place = tmp_path / "s" if kind == "paired" else tmp_path / "s" / "train"
    found = find_set(f"s={place}")
    assert kind in found.kinds
    report = compare_recipes(replace(asked, sets=[f"s={place}"], recipes=[recipe], cpu_seconds=1.0))
    (section,) = report.sections
    values = section.rows[-1].values
    assert values["steps"] == [1.0] and len(values["DCT"]) == 1
    assert "other real pictures" in [row.name for row in section.rows]
    assert ("psnr" in values) == (kind != "images") == (section.rows[0].name == "untouched input")
    answers = list((asked.out / "s" / f"{task}_tiny" / "0" / "answers").rglob("*.png"))
    assert len(answers) >= 2


# ---- the original


MODEL = """
import torch
class Model:
    def __init__(self, opt):
        self.opt, self.rates = opt, []
        self.netG_A, self.netG_B = torch.nn.Conv2d(3, 3, 1), torch.nn.Conv2d(3, 3, 1)
    def setup(self):
        weights = torch.optim.SGD(self.netG_A.parameters(), lr=1.0)
        falling = lambda step: 1 - max(0, step + 1 - self.opt.n_epochs) / (self.opt.n_epochs_decay + 1)
        self.schedulers = [torch.optim.lr_scheduler.LambdaLR(weights, falling)]
        self.weights = weights
    def optimize_parameters(self):
        self.weights.step()
        self.rates.append(self.weights.param_groups[0]["lr"])
        open("rates.txt", "w").write(" ".join(f"{rate:.2f}" for rate in self.rates))
def create_model(opt):
    return Model(opt)
"""
TRAIN = """
import os, sys
from types import SimpleNamespace
from models import create_model
words = dict(zip(sys.argv[1::1], sys.argv[2::1]))
assert len(os.listdir(words["--dataroot"] + "/trainA")) == 12
assert (words["--model"], words["--load_size"], words["--crop_size"]) == ("cycle_gan", "36", "32")
model = create_model(SimpleNamespace(n_epochs=int(words["--n_epochs"]), n_epochs_decay=100))
model.setup()
for step in range(int(words["--n_epochs"])):
    model.optimize_parameters()
    model.update_learning_rate()
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder with the layout of the original and a small training loop."""
    folder = tmp_path / "checkout"
    for part in REQUIRED_FILES:
        (folder / part).parent.mkdir(exist_ok=True, parents=True)
        (folder / part).write_text("")
    (folder / "train.py").write_text(TRAIN)
    (folder / "models" / "__init__.py").write_text(MODEL)
    monkeypatch.setattr(original_process, "StepClock", Clock)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.delitem(sys.modules, "models", raising=False)
    monkeypatch.chdir(tmp_path)
    return folder


def test_the_original_trains_for_the_same_budget(asked, checkout, in_process, tmp_path):
    asked = replace(asked, peer=str(checkout), recipes=asked.recipes[:1], cpu_seconds=12.0)
    ours, original = make_jobs(asked)
    assert (ours.peer, original.recipe, original.config.preset) == ("", "original", "paper")
    comparison.drop_changed([original], overwrite=False)
    with pytest.raises(SystemExit, match="0"):
        original_process.run_original(Job.load(original.folder))
    assert original.result()["steps"] == 12 and original.result()["parameters"] == 24
    rates = [float(rate) for rate in (tmp_path / "rates.txt").read_text().split()]
    assert rates[:6] == [1.0] * 6 and rates[6:] == pytest.approx([1 - k / 7 for k in range(1, 7)], abs=0.01)
    report = compare_recipes(asked)
    assert in_process == ["cycle_one 0"] and report.sections[1].rows[-1].name == "original"


def test_what_the_original_needs_is_named(asked, checkout):
    (checkout / "models" / "__init__.py").write_text("import no_such_module")
    _, original = make_jobs(replace(asked, peer=str(checkout), recipes=asked.recipes[:1]))
    comparison.drop_changed([original], overwrite=False)
    with pytest.raises(UserError, match="checkout needs no_such_module: pip install no_such_module"):
        original_process.run_original(original)


# ---- processes


def test_jobs_run_in_processes_and_failures_are_told(asked, monkeypatch):
    jobs = make_jobs(replace(asked, recipes=asked.recipes[:1], seeds=(0, 1)))
    words = ["import sys; sys.exit('no memory')", "import sys; sys.stdin.read()"]
    commands = iter([[sys.executable, "-c", text] for text in words])
    monkeypatch.setattr(comparison, "python_command", lambda *_: next(commands))
    comparison.drop_changed(jobs, overwrite=False)
    failures = comparison.run_all(jobs[:1], 1)
    assert failures == [f"u, cycle_one, seed 0: no memory ({jobs[0].folder / 'log.txt'})"]
    with comparison.start(jobs[1]) as process:  # it would wait for ever
        assert process.poll() is None
    assert process.returncode == 0


def test_a_process_ends_with_its_benchmark(tmp_path):
    code = "from translate.bench.quality.job_process import stop_with_the_benchmark as s; s(); input()"
    done = subprocess.run([sys.executable, "-c", code], stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == -15


# ---- mistakes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sets": ["photos2mone"]}, "--sets photos2mone: no such data set; did you mean 'photos2monet'?"),
        ({"sets": ["x=nowhere"]}, "'nowhere' is no folder"),
        ({"recipes": ["cycle_fats"]}, "--recipes cycle_fats: no such recipe; did you mean 'cycle_fast'?"),
        ({"recipes": ["nowhere.toml"]}, "--recipes nowhere.toml: no such file"),
        ({"recipes": ["generate_fast"]}, "--recipes generate_fast: learns from single pictures, which no set has"),
        ({"peer": "."}, "has no train.py"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_trained(asked, changes, message):
    with pytest.raises(OptionError, match=message.replace("?", r"\?")):
        compare_recipes(replace(asked, **changes))
    assert not asked.out.exists()


def test_a_changed_budget_or_recipe_is_noticed(asked, in_process):
    short = replace(asked, recipes=asked.recipes[:1], cpu_seconds=1.0)
    compare_recipes(short)
    longer = replace(short, cpu_seconds=2.0)
    with pytest.raises(OptionError, match=r"of other options: cpu_seconds = 2.0 \(was 1.0\); .* --overwrite"):
        compare_recipes(longer)
    report = compare_recipes(replace(longer, overwrite=True))
    assert report.sections[0].rows[-1].values["steps"] == [2.0] and len(in_process) == 2
    file = Path(asked.recipes[0])
    file.write_text(file.read_text().replace("lambda_cycle = 5.0", "lambda_cycle = 6.0"))
    with pytest.raises(OptionError, match=r"method.lambda_cycle = 6.0 \(was 5.0\)"):
        compare_recipes(longer)


def test_a_folder_in_use_is_refused(asked, monkeypatch):
    monkeypatch.setattr("os.getpid", lambda: 1)
    with hold(asked.out / ".lock", "x"), pytest.raises(InUseError, match="is being worked in by process"):
        compare_recipes(asked)


def test_steps_fill_the_budget_by_their_median():
    times = iter([5.0, 6.0, 7.0, *(7.0 + 0.5 * k for k in range(1, 20))])
    clock = StepClock(10.0, lambda: next(times))
    while not clock.measured:
        clock.end_step()
    assert (clock.start_up, clock.seconds, clock.steps) == (5.0, 0.5, 20)


@pytest.mark.parametrize(("name", "preset"), [("generate_drift_mine", "drift"), ("generate_mine", "fast")])
def test_a_file_differs_from_the_preset_in_its_name(name, preset, tmp_path):
    file = tmp_path / f"{name}.toml"
    file.write_text("train.lr = 1e-4", encoding="utf-8")
    recipe = find_recipe(str(file))
    assert (recipe.name, recipe.task, recipe.preset) == (name, "generate", preset)
    assert recipe.layer == {"train": {"lr": 1e-4}}
