import os
import subprocess
import sys
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import picture
from translate.cli import run as cli

ROOT = Path(__file__).parents[2]
SMALL = [
    "--size",
    "32",
    "--crop",
    "32",
    "--generator.width",
    "8",
    "--trunk",
    "8",
    "--blocks",
    "1",
    "--discriminator.width",
    "8",
    "--steps",
    "2",
    "--precision",
    "fp32",
    "--train.channels_last",
    "off",
    "--train.previews",
    "1",
]


def call(capsys, command, *words):
    with pytest.raises(SystemExit) as exit_:
        cli.main(command, [str(w) for w in words])
    out, err = capsys.readouterr()
    return exit_.value.code or 0, out, err


def complaint(capsys, command, *words):
    status, _, err = call(capsys, command, *words)
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return status, lines[0]


@pytest.mark.parametrize("tool", sorted((ROOT / "tools").glob("*.py")), ids=lambda p: p.name)
def test_help_prints_at_once(tool):
    """Nothing slow is imported for --help, which then needs less than a quarter of a second."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", tool, "--help"], capture_output=True, text=True, check=True
    )
    assert "--help" in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "translate.cli.run" in imported
    assert not imported & {"torch", "numpy", "cv2", "PIL", "kornia", "albumentations", "torchmetrics", "scipy"}


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("--stps 3", 2, "unknown option --stps; did you mean --steps?"),
        ("--steps abc", 2, "--steps"),
        ("--preset slow", 2, "--preset should be one of fast, paper, drift, got 'slow'"),
        ("--size big", 2, "--size"),
        ("--a", 2, "--a"),
        ("", 2, "no pictures given"),
        ("--a {reds}", 2, "--a is given without --b"),
        ("--a {reds} --b {reds}", 2, "reds"),
        ("--a {reds} --b {reds}/../reds", 2, "reds"),
        ("--a {reds} --b {reds}/../nowhere", 1, "nowhere"),
        ("--a {reds} --b {empty}", 1, "empty"),
        ("--a {reds} --b {texts}", 1, "texts"),
        ("--a {reds} --b {blues} --steps 3 --minutes 2", 2, "give one of --steps, --epochs and --minutes"),
        ("--a {reds} --b {blues} --device tpu", 2, "--device 'tpu' is unknown"),
        ("--a {reds} --b {blues} --device cuda:77", 2, "cuda:77"),
        ("--a {reds} --b {blues} --netG vnet", 2, "unknown generator 'vnet'"),
        ("--a {reds} --b {blues} --lambda-cycle many", 2, "method.lambda_cycle should be a number"),
        ("--a {reds} --b {blues} --init {reds}", 1, "holds no model.safetensors yet"),
        ("--a {reds} --b {blues} --config nowhere.toml", 2, "--config nowhere.toml: cannot be read"),
        ("--a {reds} --b {blues} --out {reds}/000.png", 1, "000.png"),
        ("--data {reds}", 1, "has no trainA"),
        ("--a {reds} --b {blues} --size 50 --steps 1", 2, "--size should be a multiple of 4"),
        ("--a {reds} --b {blues} --crop 512 --steps 1", 2, "--data.crop 512 is larger than the pictures' 40 px"),
        ("--a {reds} --b {blues} --phase-lr {{E=2.0}}", 2, "unknown phase in train.phase_lr 'E'"),
    ],
)
def test_training_mistakes_are_one_line_errors(capsys, two_folders, words, status, message):
    reds, blues = two_folders
    empty, texts = reds.parent / "empty", reds.parent / "texts"
    empty.mkdir()
    texts.mkdir()
    (texts / "a.jpg").write_text("not a picture")
    words = words.format(reds=reds, blues=blues, empty=empty, texts=texts).split()
    if "--out" not in words:
        words += ["--out", str(reds.parent / "run")]
    if not {"--minutes", "--preset"} & set(words):
        words += SMALL if "--steps" not in words and "--stps" not in words and "--size" not in words else []
    found, line = complaint(capsys, "train-cycle", *words)
    assert message in line
    assert found == status


NEED_NOTHING = ("prepare-dataset", "bench", "studio")


@pytest.mark.parametrize("command", [name for name in cli.COMMANDS if name not in NEED_NOTHING])
def test_a_command_without_arguments_names_required_options(capsys, command):
    status, line = complaint(capsys, command)
    assert status == 2
    assert any(word in line for word in ("--task ", "--a ", "--data ", "--images ", "--model ", "--input ", "runs "))


def test_a_list_can_be_given_as_arguments(capsys):
    status, line = complaint(capsys, "train-inpaint", "--images", "photos", "--mask-kinds", "strokes,boxs")
    assert (status, line) == (2, "error: --mask-kinds: unknown kind 'boxs'; did you mean 'boxes'?")


def test_train_and_translate_a_folder(capsys, two_folders, tmp_path):
    reds, blues = two_folders
    (reds / "deep").mkdir()
    cv2.imwrite(str(reds / "deep" / "odd.png"), picture(5, 33, 71))
    cv2.imwrite(str(reds / "gray16.png"), np.random.default_rng(0).integers(0, 65536, (30, 31), np.uint16))
    (reds / "broken.jpg").write_text("not a picture")
    run, out = tmp_path / "run", tmp_path / "out"
    status, text, err = call(capsys, "train-cycle", "--a", reds, "--b", blues, "--out", run, *SMALL)
    assert status == 0, err
    assert "python tools/translate_folder.py --model" in text
    assert "broken.jpg" in err
    assert tomllib.loads((run / "config.toml").read_text())["plan"]["steps"] == 2

    status, text, err = call(capsys, "translate-folder", "--model", run, "--input", reds, "--output", out)
    assert status == 1
    assert "broken.jpg" in err
    made = {p.relative_to(out) for p in out.rglob("*.png")}
    assert made == {p.relative_to(reds) for p in reds.rglob("*.png")}
    assert cv2.imread(str(out / "deep" / "odd.png")).shape == (33, 71, 3)
    gray = cv2.imread(str(out / "gray16.png"), cv2.IMREAD_UNCHANGED)
    assert (gray.dtype, gray.shape) == (np.uint16, (30, 31))

    (reds / "broken.jpg").unlink()
    status, text, _ = call(capsys, "translate-folder", "--model", run, "--input", reds, "--output", out)
    assert status == 0
    assert str(len(made)) in text

    scores = tmp_path / "scores.json"
    status, text, err = call(capsys, "evaluate", "--model", run, "--json", scores)
    assert status == 0, err
    assert "untouched" in text
    assert scores.exists()

    status, line = complaint(capsys, "train-cycle", "--a", reds, "--b", blues, "--out", run, *SMALL, "--seed", "4")
    assert status == 2
    assert "train.seed = 4 (was 0)" in line


@pytest.mark.parametrize(
    ("command", "words", "status", "message"),
    [
        ("translate-folder", "--model nowhere --input x --output y", 1, "nowhere: no such model"),
        ("translate-folder", "--input x --output y", 2, "--model"),
        ("translate-folder", "--model m --input x --output y --qualty 3", 2, "did you mean '--quality'"),
        (
            "translate-folder",
            "--model m --input x --output y --direction up",
            2,
            "--direction should be one of ab, ba, got 'up'",
        ),
        ("evaluate", "--model nowhere", 1, "no such model"),
        ("evaluate", "--model nowhere --limt 3", 2, "did you mean '--limit'"),
        ("prepare-dataset", "horse2zebr", 1, "did you mean 'horse2zebra'?"),
        ("paint", "", 2, "unknown command 'paint'"),
    ],
)
def test_other_mistakes_are_one_line_errors(capsys, monkeypatch, tmp_path, command, words, status, message):
    monkeypatch.chdir(tmp_path)
    if command == "paint":
        found, line = complaint(capsys, "", command)
    else:
        found, line = complaint(capsys, command, *words.split())
    assert message in line
    assert found == status


def test_flags_win_over_a_config_file(capsys, two_folders, tmp_path):
    reds, blues = two_folders
    file = tmp_path / "my.toml"
    file.write_text(
        f'a = "{reds}"\nb = "{blues}"\nsize = 32\nsteps = 5\nseed = 3\n'
        '[generator]\nname = "skip_resnet"\nwidth = 8\ntrunk = 8\nblocks = 1\n[discriminator]\nwidth = 8\n'
        '[data]\ncrop = 32\n[train]\nprecision = "fp32"\nchannels_last = "off"\n'
    )
    words = ["--config", file, "--steps", "1", "--out", tmp_path / "run"]
    status, _, err = call(capsys, "train-cycle", *words)
    assert status == 0, err
    written = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert (written["train"]["steps"], written["train"]["seed"], written["generator"]["width"]) == (1, 3, 8)
    file.write_text("stepps = 5\n")
    assert "unknown option stepps; did you mean 'steps'" in complaint(capsys, "train-cycle", "--config", file)[1]
    file.write_text('steps = "many"\n')
    assert "steps should be a whole number" in complaint(capsys, "train-cycle", "--config", file)[1]


def test_names_with_markup_are_printed_verbatim(capsys, two_folders, tmp_path):
    reds, blues = two_folders
    (reds / "[").mkdir()
    (reds / "[" / "b].jpg").write_text("no picture")  # in markup, a closing tag without an opening one
    status, _, err = call(capsys, "train-cycle", "--a", reds, "--b", blues, "--out", tmp_path / "[" / "run]", *SMALL)
    assert status == 0, err
    assert "[/b].jpg" in err
    assert "[/run]" in err


def test_a_full_disk_is_a_one_line_error(capsys, two_folders, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    words = ["--a", two_folders[0], "--b", two_folders[1], "--out", tmp_path / "run", *SMALL]
    status, line = complaint(capsys, "train-cycle", *words)
    assert status == 1
    assert "No space left on device" in line
