"""Every option of every command with values that it cannot take: one short line each, and nothing is ignored."""

import json
from dataclasses import MISSING, fields
from typing import get_type_hints

import cv2
import numpy as np
import pytest

from tests.cli.test_run import SMALL, call
from translate.cli import run as cli
from translate.cli.values import kind_of_option

MAX_CHARS = 200
WHOLE_NUMBERS = ["nan", "inf", "1.5", "1e3", "99999999999999999999999", "", "  ", "reds", "https://example.org/a.png"]
NUMBERS = ["nan", "inf", "-inf", "1e30", "1e999", "", "0x10", "reds", "https://example.org/a.png"]
FLAGS = ["perhaps", "0", "-1", ""]
TEXTS = ["", "   ", "https://example.org/a.png", "s3://bucket/photos", "file:///tmp/a.png", "a\0b"]
OPTIONS = [
    (command, field.name, kind_of_option(get_type_hints(options_class, include_extras=True)[field.name]))
    for command, (options_class, _) in cli.COMMANDS.items()
    for field in fields(options_class)
]


def wrong_values(kind):
    """Return texts that are no value of an option of this kind."""
    if kind.is_flag:
        return FLAGS
    if str in kind.types:
        return TEXTS
    return NUMBERS if float in kind.types else WHOLE_NUMBERS if int in kind.types else ["no such choice", "0", "-1"]


def refused(capsys, command, *words):
    """Call a command with wrong words; return the one line that it prints."""
    status, out, err = call(capsys, command, *words)
    assert status in (1, 2) and not out, (command, words, out)
    assert err.startswith("error: ") and err.count("\n") == 1, (command, words, err)
    assert len(err) <= MAX_CHARS and err.strip().isprintable(), (command, words, err)
    return status, err


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two folders of pictures, and one picture beside them."""
    monkeypatch.chdir(tmp_path)
    for name in ("reds", "blues"):
        (tmp_path / name).mkdir()
        for i in range(4):
            pixels = np.random.default_rng(i).integers(0, 256, (40, 48, 3), np.uint8)
            cv2.imwrite(str(tmp_path / name / f"{i}{name}.png"), pixels)
    (tmp_path / "pic.png").write_bytes((tmp_path / "reds" / "0reds.png").read_bytes())
    return tmp_path


def required(command, *, without):
    """Return words for the options that a command cannot do without, except one."""
    options_class, _ = cli.COMMANDS[command]
    needed = [field.name for field in fields(options_class) if field.default is MISSING and field.name != without]
    return [f"--{name.replace('_', '-')}=nowhere" for name in needed]


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_no_option_takes_a_value_of_another_kind(capsys, folder, command):
    for option, kind in [(name, kind) for owner, name, kind in OPTIONS if owner == command]:
        for text in wrong_values(kind):
            given = f"--{option.replace('_', '-')}={text}"
            status, line = refused(capsys, command, *required(command, without=option), given)
            assert status == 2 and option.replace("_", "-") in line.replace("_", "-"), (given, line)
    assert sorted(path.name for path in folder.iterdir()) == ["blues", "pic.png", "reds"]


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_files_to_write_are_checked_before_any_work(capsys, folder, command):
    """No command works for an hour to find that its table cannot be written, or writes it over a picture."""
    names = [name for owner, name, _ in OPTIONS if owner == command]
    before = (folder / "pic.png").read_bytes()
    words = required(command, without="")
    for option in {"log", "json", "grid"} & set(names):
        assert "is a folder; name a file in it" in refused(capsys, command, *words, f"--{option}", "reds")[1]
        assert "pic.png is a file" in refused(capsys, command, *words, f"--{option}", "pic.png/new")[1]
        if option == "grid":
            assert "names no image format" in refused(capsys, command, *words, "--grid", "grid.xyz")[1]
        else:
            assert "would be lost" in refused(capsys, command, *words, f"--{option}", "pic.png")[1]
    if "root" in names:
        assert "is a file" in refused(capsys, command, *words, "--root", "pic.png")[1]
    if "config" in names:
        for config in ("reds", "pic.png", "nowhere.toml", "x" * 3000):
            assert refused(capsys, command, *words, "--config", config)[0] == 2
    assert (folder / "pic.png").read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        "train-cycle --size 0",
        "train-cycle --size -1",
        "train-cycle --batch-size 0",
        "train-cycle --batch-size -1",
        "train-cycle --steps -1",
        "train-cycle --minutes -0.5",
        "train-cycle --epochs 0",
        "train-cycle --seed -1",
        "train-cycle --max-pixels -1",
        "train-cycle --save-minutes -1",
        "train-cycle --keep 0",
        "train-cycle --train.lr nan",
        "train-cycle --train.lr -1",
        "train-cycle --lambda-cycle inf",
        "train-cycle --out reds",
        "train-cycle --out reds/run",
        "train-cycle --out .",
        "train-cycle --init pic.png",
        "train-cycle --device 0",
        "make-sketches --detail 1.5",
        "make-sketches --detail -1",
        "make-sketches --min-length -1",
        "make-sketches --output pic.png",
        "sample --truncation 1e6",
        "sample --frames 1",
        "sample --fps 0",
        "sample --scale -1",
        "evaluate --limit -1",
        "bench --steps 0",
        "bench --size -1",
    ],
)
def test_numbers_and_places_out_of_range(capsys, folder, words):
    command, *words = words.split()
    base = {
        "train-cycle": ["--a", "reds", "--b", "blues", "--out", "run", *SMALL],
        "make-sketches": ["--input", "reds", "--output", "sketches"],
        "sample": ["--model", "nowhere", *([] if "--truncation" in words else ["--interpolate", "1", "2"])],
        "evaluate": ["--model", "nowhere"],
        "bench": ["train"],
    }[command]  # fmt: skip
    if words[0] in ("--minutes", "--epochs"):
        base = [word for i, word in enumerate(base) if "--steps" not in base[max(0, i - 1) : i + 1]]
    refused(capsys, command, *base, *words)
    assert not (folder / "run").exists() and not (folder / "reds" / "run").exists()


def test_empty_values_in_a_file_are_the_defaults(capsys, folder):
    (folder / "c.toml").write_text('json = ""\nimages = "reds"\n')
    assert call(capsys, "check-data", "--config", "c.toml")[0] in (0, 1)
    (folder / "c.toml").write_text('json = "found.json"\nimages = "https://example.org/set"\n')
    assert "is an address" in refused(capsys, "check-data", "--config", "c.toml")[1]
    (folder / "c.toml").write_text('json = "found.json"\nimages = "reds"\n')
    call(capsys, "check-data", "--config", "c.toml")
    assert json.loads((folder / "found.json").read_text())
