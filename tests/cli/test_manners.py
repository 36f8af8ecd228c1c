"""What people do to a command line before they have read its manual, and how it takes leave of them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from tests.cli.test_errors_in_a_terminal import run_in_terminal
from tests.cli.test_run import SMALL, call, complaint
from translate.cli import run as cli
from translate.cli.foreign_options import EVERYWHERE, TRAINING, refuse_foreign_options
from translate.cli.recipe_help import recipe_rows
from translate.cli.recipe_options import known_options
from translate.data.catalog.catalog import load_catalog
from translate.tasks import TASKS
from translate.training.config import load_config
from translate.utils.errors import OptionError
from translate.utils.plugins import presets
from translate.utils.program import command_form

ROOT = Path(__file__).parents[2]


def start(*words, **options):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    # Ctrl-C is ignored by what a shell has started with &, and by its children
    return subprocess.Popen(
        [sys.executable, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler), **options,
    )  # fmt: skip


# --- help


def test_every_command_has_a_line(capsys):
    status, out, _ = call(capsys, "", "--help")
    lines = dict(re.findall(r"^  (\S+)  +(\S.*)$", out, re.MULTILINE))
    assert status == 0 and list(lines) == list(cli.COMMANDS)
    assert call(capsys, "") == call(capsys, "", "-h") == (0, out, "")


def test_the_version_is_told_everywhere(capsys):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert call(capsys, "", "--version") == (0, f"image-translate {version}\n", "")
    assert call(capsys, "train-cycle", "--version") == (0, f"image-translate {version}\n", "")


@pytest.mark.parametrize(("task", "preset"), [(task, preset) for task in TASKS for preset in presets(task)])
def test_all_keys_are_explained_with_the_values_of_the_preset(task, preset):
    rows = {option: (value, meaning) for option, value, meaning in recipe_rows(task, preset)}
    assert list(rows) == [f"--{key}" for key in known_options(load_config(task, preset).task)]
    assert not [option for option, (_, meaning) in rows.items() if len(meaning) < 10]
    config = load_config(task, preset)
    assert rows["--train.lr"][0] == str(config.train.lr)
    assert rows["--generator.name"][0] == f'"{config.generator["name"]}"'
    assert rows["--train.minutes"][0] == (str(config.train.minutes) if config.train.minutes else "-")


def test_help_all(capsys):
    status, out, err = call(capsys, "train-cycle", "--help-all", "--preset", "paper")
    assert status == 0 and not err
    assert "--train.decay_from 0.5" in out and "--lambda" not in out.partition("keys of the recipe")[0][-200:]
    assert "--preset fast: --minutes 30 --batch-size 1" in out and "--preset paper: --epochs 200" in out
    assert "Adam's learning rate" in out and "mirror half of the pictures" in out
    assert call(capsys, "evaluate", "--help-all")[0] == 0


# --- foreign command lines


@pytest.mark.parametrize(
    ("command", "words", "answer"),
    [
        (
            "train-cycle",
            "--dataroot D --name N --model cycle_gan --n_epochs 5 --gpu_ids -1 --lambda_A 7",
            "train_cycle.py --data D --out runs/N --epochs 5 --device cpu --lambda-cycle 7",
        ),
        (
            "train-cycle",
            "--dataroot D --name N --model pix2pix --direction BtoA --lambda_L1 50 --gpu_ids 0,1 --no_flip",
            "train_pix2pix.py --data D --out runs/N --direction ba --lambda-l1 50 --device cuda:0 --data.flip false",
        ),
        (
            "train-pix2pix",
            "--dataroot=D --checkpoints_dir /c --name N --n_epochs 5 --n_epochs_decay 15 --load_size 286 --ngf 32",
            "train_pix2pix.py --data D --ngf 32 --size 256 --data.zoom 1.117 --epochs 20 --train.decay_from 0.25"
            " --out /c/N",
        ),
        (
            "translate-folder",
            "--dataroot D/testA --name N --model test --results_dir R",
            "translate_folder.py --input D/testA --model checkpoints/N --output R",
        ),
        (
            "train-cycle",
            "--dataroot D --name N --CUT_mode FastCUT --model cut --lambda_NCE 5 --nce_idt false",
            "train_cut.py --data D --out runs/N --preset fastcut --lambda-nce 5 --nce-identity false",
        ),
        ("train-cycle", "--a x --b y --batch 4 --workers 2", "train_cycle.py --a x --b y --batch-size 4"),
        ("sample", "--model m --num 3 --gpu 1", "sample.py --model m --count 3 --device cuda:1"),
        ("train-inpaint", "--dataroot D --name N", "train_inpaint.py --images D --out runs/N"),
        ("evaluate", "--ckpt m --dataroot D", "evaluate.py --model m --data D"),
        (
            "train-gan",
            "--outdir=runs --data=faces.zip --gpus=1 --batch=32 --gamma=8 --cfg=stylegan3-t --frobnicate 2",
            "train_gan.py --out runs --images faces.zip --batch-size 32",
        ),
    ],
)
def test_a_foreign_command_is_translated_whole(command, words, answer):
    own = [f.name for f in fields(cli.COMMANDS[command][0])]
    with pytest.raises(OptionError) as caught:
        refuse_foreign_options(command, words.split(), own)
    line = str(caught.value).partition("; instead: ")[2].partition(" (left out: ")[0]
    assert line == f"python tools/{answer}"
    # the answer is no foreign command itself
    translated = answer.split()
    command = translated[0].removesuffix(".py").replace("_", "-")
    refuse_foreign_options(command, translated[1:], [f.name for f in fields(cli.COMMANDS[command][0])])


def test_what_has_no_counterpart_is_named_with_the_reason(capsys):
    line = complaint(capsys, "train-cycle", "--a", "x", "--b", "y", "--lambda_L1", "50", "--resume", "--model", "sc")[1]
    assert "--a x --b y (left out: --lambda_L1 50, of train-pix2pix: --lambda-l1 50; --resume, the same command" in line
    assert "--model sc, no such method here" in line


def test_no_foreign_name_hides_a_key_of_a_recipe():
    foreign = {name.replace("-", "_") for names, *_ in (*EVERYWHERE, *TRAINING) for name in names.split()}
    foreign -= {"norm", "name"}  # alone, these are ambiguous keys
    for task in TASKS:
        assert not foreign & {part for key in known_options(task) for part in (key, key.partition(".")[2])}


# --- what was given


@pytest.mark.parametrize("words", ["--minutes 0", "--steps 0", "--epochs 0", "--batch-size 0", "--train.steps 0"])
def test_nothing_is_no_length(capsys, two_folders, words):
    reds, blues = two_folders
    out = reds.parent / "run"
    status, line = complaint(capsys, "train-cycle", "--a", reds, "--b", blues, "--out", out, *words.split())
    assert status == 2 and re.search(r"should be (above 0|at least 1), got 0", line)
    assert not out.exists()


def test_a_missing_model_to_start_from_is_told_before_anything_is_rendered(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--a", "photos", "--b", "monet", "--init", "nowhere", "--out", tmp_path / "run"]
    assert "nowhere: no such model" in complaint(capsys, "train-cycle", *words)[1]
    assert not list(tmp_path.iterdir())


def test_numbers_of_other_commands_are_not_ignored(capsys):
    assert "--max-pixels should be at least 1" in complaint(capsys, "evaluate", "--model", "m", "--max-pixels", 0)[1]
    assert "--frames is of no use alone" in complaint(capsys, "sample", "--model", "m", "--frames", 60)[1]
    assert "--steps 0 is out of range" in complaint(capsys, "bench", "train", "--steps", 0)[1]
    words = ["--model", "m", "--input", "a.png", "--output", "b.png"]
    assert "--fps is for films" in complaint(capsys, "translate-folder", *words, "--fps", "25")[1]


# --- how the program was called


def test_hints_have_the_form_of_the_call(monkeypatch, tmp_path):
    for program, form in (
        ("tools/train_cycle.py", "python tools/sample.py"),
        (str(ROOT / "tools" / "train_gan.py"), f"python {ROOT / 'tools' / 'sample.py'}"),
        ("/usr/bin/translate", "translate sample"),
        ("/site-packages/translate/__main__.py", "python -m translate sample"),
        ("", "python tools/sample.py"),
    ):
        monkeypatch.setattr(sys, "argv", [program])
        monkeypatch.chdir(ROOT)
        assert command_form("sample") == form
    # an installed package has no scripts
    monkeypatch.setattr("translate.utils.program._CHECKOUT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["notebook"])
    assert command_form("sample") == "translate sample"


# --- data sets


def test_a_data_set_is_described_before_it_is_fetched(capsys, tmp_path):
    name = "edges2handbags"
    status, out, _ = call(capsys, "prepare-dataset", name, "--about", "--root", tmp_path)
    assert status == 0 and not list(tmp_path.iterdir())
    dataset = load_catalog()[name]
    assert dataset.licence in out and dataset.download[0].url in out and f"not yet in {tmp_path}" in out
    assert complaint(capsys, "prepare-dataset", "--about")[0] == 2


def test_all_commands_share_the_folder_of_data_sets(capsys, tmp_path, monkeypatch):
    for variable in (str(tmp_path / "sets"), ""):
        monkeypatch.setenv("TRANSLATE_DATA", variable)
        monkeypatch.chdir(tmp_path)
        words = [] if variable else ["--root", tmp_path / "sets"]
        assert call(capsys, "prepare-dataset", "digits", *words)[0] == 0
        status, out, err = call(capsys, "check-data", "--images", "digits", "--json", tmp_path / "found.json", *words)
        assert status in (0, 1), err
        assert "7,000" in out or "6,000" in out
        assert [p.name for p in (tmp_path / "sets").iterdir() if not p.name.startswith(".")] == ["digits"]
        assert not (tmp_path / "data").exists()


# --- output


def test_quiet_and_log(capsys, two_folders, tmp_path):
    reds, blues = two_folders
    log = tmp_path / "logs" / "all.txt"
    words = ["--a", reds, "--b", blues, "--out", tmp_path / "run", *SMALL]
    assert call(capsys, "train-cycle", *words, "--quiet", "--log", log) == (0, "", "")
    text = log.read_text()
    assert "train_cycle.py --a" in text.splitlines()[0] and "step 2/2" in text and "is ready" in text
    assert "\x1b" not in text
    # errors are shown, and appended
    status, out, err = call(capsys, "train-cycle", *words, "--quiet", "--log", log, "--seed", "5")
    assert (status, out) == (2, "") and err.startswith("error: ")
    assert log.read_text().startswith(text) and err.strip() in log.read_text()
    # and a log that cannot be written is a line
    assert "blues: is a folder; name a file in it" in complaint(capsys, "train-cycle", *words, "--log", blues)[1]
    # translating, with a summary for programs
    (reds / "broken.jpg").write_text("no picture")
    summary = tmp_path / "summary.json"
    words = ["--model", tmp_path / "run", "--input", reds, "--output", tmp_path / "out", "--json", summary]
    status, out, err = call(capsys, "translate-folder", *words, "--quiet")
    assert (status, out) == (1, ""), err
    table = json.loads(summary.read_text())
    assert table["failed"] == 1 and table["done"] == len(list((tmp_path / "out").glob("*.png")))
    assert table["failures"][0]["file"].endswith("broken.jpg") and table["failures"][0]["reason"]


@pytest.mark.parametrize("redirect", ["2>&1", ""])
def test_a_reader_that_goes_away_costs_nothing(two_folders, tmp_path, redirect):
    """`train ... | head -1` trains to the end, saves, and ends with status 0."""
    reds, blues = two_folders
    words = ["--a", str(reds), "--b", str(blues), "--out", str(tmp_path / "run"), *SMALL[:-6], "--steps", "30"]
    words += ["--precision", "fp32", "--train.channels_last", "off", "--log_every", "1"]
    script = f'"$@" {redirect} | head -1 > {tmp_path}/line; exit ${{PIPESTATUS[0]}}'
    command = [sys.executable, str(ROOT / "tools" / "train_cycle.py"), *words]
    done = subprocess.run(["bash", "-c", script, "bash", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr
    assert (tmp_path / "run" / "model.safetensors").exists()
    assert len((tmp_path / "line").read_text().splitlines()) == 1
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["step"] == 30


# --- Ctrl-C


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.3, 0.6, 1.0, 1.5, 2.5])
def test_an_interrupt_in_the_first_moments_is_one_word(two_folders, tmp_path, delay):
    reds, blues = two_folders
    words = ["--a", reds, "--b", blues, "--out", tmp_path / "run", *SMALL[:-6], "--steps", "100000"]
    process = start("-c", STARTED, ROOT / "tools" / "train_cycle.py", *words)
    try:
        assert process.stdout.read(1) == b"."  # the first import after the handler is set
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert b"Traceback" not in err and b"terminate" not in err
    assert process.returncode in (130, 75), err
    if process.returncode == 130:
        assert err.decode().endswith("interrupted\n")


def test_little_is_imported_before_an_interrupt_is_one_word():
    code = "import translate.cli, sys; print(*{'typing', 're', 'torch', 'tyro'} & set(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    printed = subprocess.check_output([sys.executable, "-S", "-c", code], env=environment)
    assert printed.split() == []


STARTED = """
import os, runpy, sys
seen = []
def watch(event, arguments):
    if event == "import" and arguments[0] == "translate.cli.run" and not seen:
        seen.append(True)
        os.write(1, b".")
sys.addaudithook(watch)
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_help_in_a_terminal_is_whole(tmp_path):
    printed = run_in_terminal([ROOT / "tools" / "train_cycle.py", "--help"], tmp_path)
    assert "--help-all" in printed and "--value-range" in printed
