"""Kill training runs repeatedly at random times; check that they end bit-identical to uninterrupted runs.

    python tests/campaigns/resume.py                 # 50 kills of each task; some minutes
    python tests/campaigns/resume.py --task cycle    # of one task
    python tests/campaigns/resume.py --quick         # what the tests run: two kills of one recipe of each task

Every recipe at tiny size, on the CPU. Each process of a run is killed (SIGKILL) a random time after it reached a step:
within a step, a preview, a line of the log or any part of a save; one in five is killed soon after its start, while it
reads its data and its state. Prints measurements as JSON; exits with 1 if a check failed.
"""

__all__ = ["Figures", "campaign", "main"]

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import contextlib
import importlib
import json
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import load_file

from translate.images.io import write_picture
from translate.images.picture import Picture
from translate.training.config import Config, load_config
from translate.training.loop import train

SIDE = 40  # px of the pictures
TRAIN = {"precision": "fp32", "channels_last": "off", "device": "cpu", "log_every": 1, "previews": 6, "compile": "off"}
PIX2PIX = {"data": {"size": 40, "crop": 32, "batch_size": 2, "hints": True}}
STYLE = {"generator": {"width": 4, "most": 8, "z_dim": 4, "w_dim": 8}, "discriminator": {"width": 4, "most": 8}}
DIGITS = {"data": {"size": 32, "batch_size": 4, "classes": "auto"}}
HOLES = {"data": {"size": 32, "batch_size": 2}}
LABELS = {"data": {"size": 32, "batch_size": 4, "classes": "auto"}}
LARGER = {
    "generator": {"width": 8, "blocks": 1, "detail": 4},
    "data": {"size": 32, "batch_size": 2, "degrade": "real"},
}
RECIPES: dict[tuple[str, str], dict[str, Any]] = {
    ("cycle", "fast"): {
        "generator": {"width": 8, "trunk": 8, "blocks": 1},
        "discriminator": {"width": 8},
        "method": {"pool_size": 5},
        "data": {"size": 32, "crop": 32},
    },
    ("cycle", "paper"): {
        "generator": {"width": 2},
        "discriminator": {"width": 2},
        "method": {"pool_size": 5},
        "data": {"size": 32},
    },
    ("cut", "fast"): {
        "generator": {"width": 8, "trunk": 8, "blocks": 1},
        "discriminator": {"width": 8},
        "method": {"pool_size": 5, "patches": 32},
        "data": {"size": 32, "crop": 32},
    },
    ("cut", "fastcut"): {
        "generator": {"width": 2},
        "discriminator": {"width": 2},
        "method": {"patches": 32},
        "data": {"size": 32},
    },
    ("drift", "fast"): {
        "generator": {"width": 8, "trunk": 8, "blocks": 1},
        "method": {"queue": 64},
        "data": {"size": 32, "crop": 32, "batch_size": 4},
    },
    ("pix2pix", "fast"): PIX2PIX
    | {"generator": {"width": 8, "most": 8, "blocks": 1, "fold": 2}, "discriminator": {"width": 4, "window": 32}},
    ("pix2pix", "paper"): {"generator": {"width": 2}, "discriminator": {"width": 2}, "data": {"size": 64}},
    ("generate", "fast"): STYLE
    | DIGITS
    | {"method": {"augment_target": 0.6, "grow": 0.5, "lambda_r2": 0.05}, "train": {"ema": 0.9}},
    ("generate", "paper"): DIGITS | {"generator": {"width": 2}, "discriminator": {"width": 2}},
    ("generate", "large"): STYLE | DIGITS,
    ("generate", "drift"): DIGITS | {"generator": STYLE["generator"], "method": {"group": 2, "features": "none"}},
    ("inpaint", "fast"): HOLES
    | {
        "generator": {"width": 8, "trunk": 16, "blocks": 1},
        "discriminator": {"width": 4},
        "method": {"z_dim": 3},
    },
    ("inpaint", "paper"): HOLES | {"generator": {"width": 4}, "discriminator": {"width": 2}},
    ("inpaint", "partial"): HOLES | {"generator": {"width": 4}},
    ("stargan", "fast"): LABELS | {"generator": {"width": 8, "most": 8, "blocks": 1}, "discriminator": {"width": 4}},
    ("stargan", "paper"): LABELS
    | {
        "generator": {"width": 2, "blocks": 1},
        "discriminator": {"width": 2},
        "data": {"size": 32, "batch_size": 4, "classes": "auto"},
        "method": {"critic": 2},
    },
    ("upscale", "fast"): LARGER | {"discriminator": {"width": 4}},
    ("upscale", "l1"): LARGER,
}
TASKS = sorted({task for task, _ in RECIPES})
STEPS_PER_KILL = 4
MAX_KILL_DELAY_S = 0.12  # after the goal step
MAX_EARLY_DELAY_S = 0.5  # after the start of a process that is killed early
POLL_S = 0.002
SLOW_IMPORTS = (
    "torch._dynamo",
    "torch._refs",
    "torch.utils.tensorboard",
    "kornia",
    "albumentations",
)  # imported once, before forks
TIMING = ("seconds", "images_per_second", "waiting")


@dataclass
class Figures:
    """Measurements of one recipe."""

    recipe: str
    steps: int
    kills: int = 0
    killed_while_writing: int = 0
    killed_before_the_first_step: int = 0
    seconds: float = 0.0
    states: list[int] = field(default_factory=list)
    tensors_compared: int = 0
    lines_compared: int = 0
    broken: list[str] = field(default_factory=list)


def main() -> None:
    """Run the campaign and print its measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", choices=TASKS, action="append")
    parser.add_argument("--kills", type=int, default=50, help="of each task, spread over its recipes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    for module in SLOW_IMPORTS:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    results = []
    with tempfile.TemporaryDirectory() as place:
        for task in given.task or TASKS:
            presets = [preset for its_task, preset in RECIPES if its_task == task][: 1 if given.quick else None]
            for i, preset in enumerate(presets):
                kills = 2 if given.quick else (given.kills + i) // len(presets)
                results.append(campaign(Path(place), task, preset, kills, random.Random(given.seed)))
    print(json.dumps([asdict(figures) for figures in results], indent=2))
    sys.exit(1 if any(figures.broken for figures in results) else 0)


def campaign(place: Path, task: str, preset: str, kills: int, chance: random.Random) -> Figures:
    """Run the campaign of one recipe, in the folder `place`."""
    began = time.perf_counter()
    figures = Figures(f"{task}, {preset}", steps=STEPS_PER_KILL * (kills + 2))
    whole, killed = place / task / preset / "whole", place / task / preset / "killed"
    run_in_process(lambda: render(place / "pictures"))
    data = {
        "generate": {"images": str(place / "pictures" / "kinds")},
        "inpaint": {"images": str(place / "pictures" / "kinds" / "a")},
        "stargan": {"images": str(place / "pictures" / "kinds")},
        "upscale": {"images": str(place / "pictures" / "kinds" / "a")},
    }.get(task, {name: str(place / "pictures" / "kinds" / name) for name in "ab"})

    def make_config(out: Path, save_minutes: float) -> Config:
        layer = {"out": str(out), "data": data, "train": TRAIN | {"save_minutes": save_minutes, "steps": figures.steps}}
        return load_config(task, preset, RECIPES[task, preset], layer)

    run_in_process(lambda: train(make_config(whole, 5.0)))
    for i in range(kills):
        run_and_kill(
            make_config(killed, 0.003 * (i % 2)), killed, figures, STEPS_PER_KILL * (i + 1), chance, early=i % 5 == 4
        )
    run_in_process(lambda: train(make_config(killed, 0.0)))
    figures.broken = differences(whole, killed, figures)
    figures.seconds = round(time.perf_counter() - began, 1)
    return figures


def render(folder: Path) -> None:
    """Write two kinds of pictures, twelve each, unless they exist."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    for i in range(24):
        planes = [rows * (1 + i % 7) + 9 * i, columns * (1 + i % 5) + 5 * i, (rows + columns) * 2 + i]
        path = folder / "kinds" / "ab"[i // 12] / f"{i % 12:02}.png"
        if not path.exists():
            write_picture(path, Picture((np.stack(planes, axis=2) % 256).astype(np.uint8)))


# ---- processes


def fork(work: Callable[[], object]) -> int:
    """Call `work` in a forked process, which shares all imports; return its process id."""
    if process := os.fork():
        return process
    status = 1
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            work()
            status = 0
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
    os._exit(status)


def run_in_process(work: Callable[[], object]) -> None:
    """Call `work` in a forked process and wait for its end."""
    _, status = os.waitpid(fork(work), 0)
    if status:
        raise RuntimeError(f"a process ended with {os.waitstatus_to_exitcode(status)}")


def run_and_kill(config: Config, out: Path, figures: Figures, goal: int, chance: random.Random, *, early: bool) -> None:
    """Resume the run in `out`; kill it a random time after step `goal`, or after its start if `early`."""
    began = time.monotonic()
    process = fork(lambda: train(config))
    wait = chance.uniform(0, MAX_EARLY_DELAY_S if early else MAX_KILL_DELAY_S)
    while not early and progress(out) < goal and time.monotonic() - began < 60:
        time.sleep(POLL_S)
    time.sleep(wait)
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
        raise RuntimeError(f"{out}: ended by itself with {os.waitstatus_to_exitcode(status)}")
    figures.kills += 1
    figures.killed_while_writing += any(out.rglob(".*.tmp"))
    figures.killed_before_the_first_step += early
    figures.states.append(len(list((out / "state").glob("*.pt"))))


def progress(out: Path) -> int:
    """Return the last logged step, or 0."""
    try:
        with (out / "metrics.jsonl").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            return json.loads(file.read().splitlines()[-1])["step"]
    except (OSError, IndexError, KeyError, ValueError):
        return 0


# ---- checks


def differences(whole: Path, killed: Path, figures: Figures) -> list[str]:
    """Compare the killed run with the uninterrupted one: weights, state, log, samples, and no other files."""
    broken = []
    for name in ("state/last.pt", "model.safetensors"):
        expected, actual = (load_values(out / name) for out in (whole, killed))
        broken += [
            f"{name}: {key} differs"
            for key in sorted(expected.keys() | actual.keys())
            if not is_equal(expected, actual, key)
        ]
        figures.tensors_compared += len(expected)
    for read in (log_lines, tensorboard_lines):
        first, second = read(whole), read(killed)
        broken += [f"{read.__name__}: {fact}" for fact in compare_lines(first, second)]
        figures.lines_compared += len(first)
    pictures = [sorted(path.name for path in (out / "samples").iterdir()) for out in (whole, killed)]
    if pictures[0] != pictures[1]:
        broken.append(f"samples: {pictures[0]} and {pictures[1]}")
    else:
        broken += [
            f"samples/{name}: differs"
            for name in pictures[0]
            if (whole / "samples" / name).read_bytes() != (killed / "samples" / name).read_bytes()
        ]
    broken += [f"{path.name}: was left behind" for path in (*killed.rglob(".*.tmp"), *killed.glob("cache"))]
    return [f"{figures.recipe}: {what}" for what in broken]


def load_values(file: Path) -> dict[str, Any]:
    """Return all values of a state or a model, by name."""
    if file.suffix == ".safetensors":
        return dict(load_file(file))
    return flatten(torch.load(file, weights_only=True))


def flatten(value: Any, name: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {k: v for key, item in value.items() for k, v in flatten(item, f"{name}/{key}").items()}
    if isinstance(value, list | tuple):
        return flatten(dict(enumerate(value)), name)
    return {name: value}


def is_equal(one: Mapping[str, Any], other: Mapping[str, Any], key: str) -> bool:
    if key not in one or key not in other:
        return False
    a, b = one[key], other[key]
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


def log_lines(out: Path) -> list[str]:
    """Return the lines of a run's log without its timings."""
    entries = [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [json.dumps({k: v for k, v in line.items() if k not in TIMING}) for line in entries]


def tensorboard_lines(out: Path) -> list[str]:
    """Return the TensorBoard events of a run, if it is installed, without timings."""
    if not (out / "tensorboard").exists():
        return []
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(out / "tensorboard"), {"scalars": 0, "images": 0}).Reload()
    names = board.Tags()["scalars"]
    scalars = [f"{name} {e.step} {e.value}" for name in names if name not in TIMING for e in board.Scalars(name)]
    return sorted(scalars + [f"samples {e.step}" for e in board.Images("samples")])


def compare_lines(one: list[str], other: list[str]) -> list[str]:
    """List lines that only one of the lists has, or else the difference of their lengths."""
    facts = [f"{line} is missing" for line in one if line not in set(other)]
    facts += [f"{line} should not be there" for line in other if line not in set(one)]
    return facts or [f"{len(other)} lines and not {len(one)}"] * (len(one) != len(other))


if __name__ == "__main__":
    main()
