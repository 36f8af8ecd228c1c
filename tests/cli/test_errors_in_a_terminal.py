"""Wrong command lines in a real terminal, in a pipe and with stdout to a file: one plain line each."""

import fcntl
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from translate.cli.run import COMMANDS

ROOT = Path(__file__).parents[2]
MAX_CHARS = 200
TRAINING = [
    "--steps 1.5",
    "--minutes ten",
    "--precision fp16",
    "--preset papr",
    "--size big",
    "--batch-size 0",
    "--minutes 0",
    "--seed",
    "--stps 3",
    "--config nowhere.toml",
    "--dataroot D --name N --model cycle_gan --n_epochs 5 --gpu_ids -1 --lambda_L1 50",
    "--resume",
    "--max-pixels 0",
    "stray words",
]
USING = [
    "--device",
    "--precision fp16",
    "--frobnicate 3",
    "--seed x",
    "--count 1.5",
    "--limit many",
    "--max-pixels 0",
    "--overwrite=perhaps",
    "--config nowhere.toml",
    "--gpu_ids 0 --verbose",
    "--resume",
    "stray words",
    "-q",
]
REQUIRED = {"translate-folder": "--model m --input i --output o", "sample": "--model m", "evaluate": "--model m"}
REQUIRED |= {"train": "--task cycle"}
REQUIRED |= {"report": "--model m", "compare": "r"}
REQUIRED |= {"distill": "--model m", "import-checkpoint": "--input i", "make-sketches": "--input i --output o"}
LINES = [
    f"{command} {REQUIRED.get(command, '')} {wrong}"
    for command in COMMANDS
    for wrong in (TRAINING if command.startswith("train") else USING)
    if (command, wrong) != ("compare", "stray words")  # which could be runs
] + list(REQUIRED)  # and nothing of what they need
RUNNER = """
import sys
from translate.cli.run import main
for line in open(sys.argv[1]).read().splitlines():
    command, *words = line.split()
    try:
        main(command, words)
    except SystemExit as error:
        assert error.code == 2, (line, error.code)
"""


def run_in_terminal(arguments, cwd, **environment):
    """Run a Python program with its output in a pseudo-terminal of 80 columns; return what it prints."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, b"\x18\0\x50\0\0\0\0\0")
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm-256color"} | environment
    process = subprocess.Popen([sys.executable, *arguments], stdin=slave, stdout=slave, stderr=slave, cwd=cwd, env=env)
    os.close(slave)
    output = b""
    try:
        while chunk := os.read(master, 65536):
            output += chunk
    except OSError:  # the terminal has no writer any more
        pass
    os.close(master)
    assert process.wait() == 0, output.decode()
    return output.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("setting", ["terminal", "without colour", "pipe", "stdout in a file"])
def test_every_wrong_line_is_one_plain_line(setting, tmp_path):
    """A dozen wrong lines for every command."""
    script, wrong = tmp_path / "runner.py", tmp_path / "wrong.txt"
    script.write_text(RUNNER)
    wrong.write_text("\n".join(LINES))
    env = {"PYTHONPATH": str(ROOT)} | ({"NO_COLOR": "1"} if setting == "without colour" else {})
    if setting in ("terminal", "without colour"):
        printed = run_in_terminal([script, wrong], tmp_path, **env)
    else:
        with (tmp_path / "out.txt").open("w") as file:
            stdout = file if setting == "stdout in a file" else subprocess.PIPE
            done = subprocess.run(
                [sys.executable, script, wrong], stdout=stdout, stderr=subprocess.PIPE, cwd=tmp_path,
                env=os.environ | {"TERM": "xterm-256color"} | env, check=False,
            )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        assert not done.stdout and not (tmp_path / "out.txt").read_text()
        printed = done.stderr.decode()
    answers = printed.splitlines()
    assert len(answers) == len(LINES), printed
    for line, answer in zip(LINES, answers, strict=True):
        assert answer.startswith("error: "), line
        assert len(answer) <= MAX_CHARS and answer.isprintable(), (line, answer)
        assert not any(riddle in answer for riddle in ("\\x1b", "None", "│", "─", "helptext", "INT", "('")), answer


def test_the_scripts_say_so_too(tmp_path):
    """The whole way, from the script to the terminal, with the status of a wrong option."""
    script = tmp_path / "call.py"
    words = [str(ROOT / "tools" / "train_cycle.py"), "--a", "x", "--steps", "1.5"]
    script.write_text(f"import subprocess, sys\nassert subprocess.run([sys.executable, *{words}]).returncode == 2\n")
    assert run_in_terminal([script], tmp_path) == "error: --steps should be a whole number, got '1.5'\n"
