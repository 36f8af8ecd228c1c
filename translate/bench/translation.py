"""Comparison of the translation of a folder: the network alone, the whole folder, and the original's script."""

__all__ = ["PassTimes", "TranslationComparison", "check_translation", "compare_translation"]

import math
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from translate.bench.original_repo import RUN_NAME, OriginalRepo
from translate.bench.timing import Times, percentiles, speedup, time_in_turns
from translate.bench.worker import Worker, package_environment, python_command
from translate.checkpoints.model_file import load_model, model_file, read_recipe
from translate.checkpoints.recipe import Recipe
from translate.data.files.find import find_images
from translate.images.io import read_picture, read_rgb8
from translate.inference.preprocess import network_size
from translate.tasks import TASKS
from translate.utils.errors import OptionError, UserError

BATCH_SIZES = {"cpu": (1, 8), "cuda": (1, 16, 64)}  # of a forward pass of the network alone
PLAIN, FOLDER = "eager fp32", "folder to folder"
OURS, ORIGINAL = "tools/translate_folder.py", "the original's test.py"
MAX_COMMAND_ROUNDS = 3  # since whole commands take long

Spec = dict[str, Any]
Prepare = Callable[[Path], list[str]]  # takes a folder; returns a command that writes its results there


@dataclass(frozen=True, kw_only=True)
class PassTimes(Times):
    """Measurements of a forward pass of the network alone, on pictures in memory; `seconds` are per picture."""

    batch: int


@dataclass(frozen=True)
class TranslationComparison:
    """Measurements of a model's translation of a folder."""

    model: str  # path
    images: str  # path
    pictures: int  # number of pictures in the folder
    size: tuple[int, int]  # most common height and width of the network's input, px
    work: float  # pixels of all network inputs, in pictures of `size`
    device: str
    flops: int  # floating-point operations for one picture of `size`
    passes: list[PassTimes]  # of the network alone; in plain PyTorch first
    folder: Times  # our translation of the folder in a running process
    commands: list[Times]  # whole commands, including start-up: ours, and the original's if given
    difference: float | None  # mean absolute difference between results of both commands, of 255
    notes: list[str] = field(default_factory=list)

    def best_pass(self) -> PassTimes:
        """Return our fastest forward pass."""
        return min(self.passes[1:], key=lambda p: percentiles(p.seconds).median)

    def network_share(self) -> float:
        """Return the time of the network alone for all pictures as a share of the folder's time."""
        return 1 / speedup(self.folder.seconds, [self.work * s for s in self.best_pass().seconds])


def check_translation(model: Path, images: Path) -> None:
    """Raise UserError if the model is missing or does not translate pictures, or if the folder has none."""
    recipe = read_recipe(model_file(model))
    if TASKS[recipe.task].data not in ("paired", "unpaired"):
        raise UserError(f"{model}: is a model of the task {recipe.task!r}; give one of train_cycle or train_pix2pix")
    find_images(str(images))


def compare_translation(
    model: Path, images: Path, device: torch.device, precision: str, *,
    rounds: int, seconds: float, peer: OriginalRepo | None,
) -> TranslationComparison:  # fmt: skip
    """Measure a model on a folder of pictures; `precision` is ours, `rounds` and `seconds` as in `time_in_turns`.

    Raises:
        OptionError: the original cannot run the model.
        UserError: a candidate fails, for example out of memory.
    """
    # load the model and describe the work
    recipe, nets = load_model(model)
    if recipe.facts.get("maps"):
        raise OptionError(f"{model}: takes or answers one-hot label maps, and translations of pictures alone are timed")
    count, size, work = _network_sizes(images, recipe, nets)
    direction = recipe.directions[0]
    place = direction[0] if len(recipe.directions) > 1 else "a"
    spec: Spec = {
        "model": str(model), "images": str(images), "device": str(device), "precision": precision, "size": size,
        "direction": direction, "place": place, "channels": recipe.channels[place],
    }  # fmt: skip
    original = peer.test_command(recipe, nets, images, count, str(device)) if peer else None
    # measure
    with tempfile.TemporaryDirectory() as scratch:
        flops, passes, folder = _time_in_processes(spec, Path(scratch), rounds, seconds)
        commands, difference = _time_commands(spec, original, Path(scratch), rounds, seconds)
    return TranslationComparison(
        str(model), str(images), count, size, work, str(device), flops, passes, folder, commands, difference
    )


def _network_sizes(images: Path, recipe: Recipe, nets: nn.ModuleDict) -> tuple[int, tuple[int, int], float]:
    """Return the number of pictures, their most common network size, and their total area over that of this size."""
    files = find_images(str(images))
    multiple = max(int(getattr(net, "multiple", 1)) for net in nets.values())
    sizes: Counter[tuple[int, int]] = Counter()
    for file in files:
        height, width = read_picture(file).pixels.shape[:2]
        rows, columns = (-(-side // multiple) * multiple for side in network_size(recipe, height, width))
        sizes[rows, columns] += 1
    (most_common, _), *_ = sizes.most_common(1)
    area = sum(height * width * count for (height, width), count in sizes.items())
    return len(files), most_common, area / math.prod(most_common)


def _time_in_processes(spec: Spec, scratch: Path, rounds: int, seconds: float) -> tuple[int, list[PassTimes], Times]:
    """Time the network alone, plain and ours, and the folder in turns; return FLOPs, forward passes and folder."""
    specs = {PLAIN: spec | {"kind": "plain_network", "batch": 1}}
    for batch in BATCH_SIZES.get(spec["device"].partition(":")[0], (1,)):
        specs[f"network, batch {batch}"] = spec | {"kind": "network", "batch": batch}
    specs[FOLDER] = spec | {"kind": "folder", "output": str(scratch / "folder")}
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(name, candidate)) for name, candidate in specs.items()}
        times = time_in_turns({name: worker.take_turn for name, worker in workers.items()}, rounds, seconds)
        folder = workers.pop(FOLDER)
        passes = []
        for name, worker in workers.items():
            batch, precision = specs[name]["batch"], worker.facts.get("precision", "fp32")
            seconds_each = [s / batch for s in times[name]]
            passes.append(
                PassTimes(name=name, precision=precision, seconds=seconds_each, peak=worker.peak, batch=batch)
            )
        whole = Times(name=FOLDER, precision=folder.facts["precision"], seconds=times[FOLDER], peak=folder.peak)
        return workers[PLAIN].facts["flops"], passes, whole


# ---- whole commands


def _time_commands(
    spec: Spec, original: Prepare | None, scratch: Path, rounds: int, seconds: float
) -> tuple[list[Times], float | None]:
    """Time our command and the original's, each into an empty folder; return also the difference of their results."""
    model, images = Path(spec["model"]).resolve(), Path(spec["images"])

    def our_command(folder: Path) -> list[str]:
        return [
            *python_command("translate", "translate-folder"), "--model", str(model), "--input", str(images.resolve()),
            "--output", str(folder), "--device", spec["device"], "--precision", spec["precision"],
        ]  # fmt: skip

    commands: dict[str, Prepare] = {OURS: our_command} | ({ORIGINAL: original} if original else {})
    folders = {OURS: scratch / "ours", ORIGINAL: scratch / "original"}
    turns = {name: _command_turn(name, prepare, folders[name]) for name, prepare in commands.items()}
    times = time_in_turns(turns, min(rounds, MAX_COMMAND_ROUNDS), seconds)
    rows = [
        Times(name=name, precision="fp32" if name == ORIGINAL else "", seconds=seconds)
        for name, seconds in times.items()
    ]
    if not original:
        return rows, None
    return rows, _mean_difference(images, folders[OURS], folders[ORIGINAL] / RUN_NAME / "test_latest" / "images")


def _command_turn(name: str, prepare: Prepare, folder: Path) -> Callable[[], float]:
    """Return a function that empties `folder`, runs a command with results there, and returns its seconds."""

    def run() -> float:
        shutil.rmtree(folder, ignore_errors=True)
        command = prepare(folder)
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, env=package_environment(), cwd=folder.parent, check=False)
        seconds = time.perf_counter() - began
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            reason = lines[-1].removeprefix("error: ") if lines else f"ended with status {done.returncode}"
            raise UserError(f"{name}: {reason}")
        return seconds

    return run


def _mean_difference(images: Path, ours: Path, originals: Path) -> float | None:
    """Return the mean absolute difference between both results for the first picture, of 255; None without a match."""
    file = find_images(str(images))[0]
    results = ours / file.relative_to(images), originals / f"{file.stem}_fake.png"
    if not all(result.exists() for result in results):
        return None
    a, b = (read_rgb8(result).astype(np.float32) for result in results)
    return float(np.abs(a - b).mean()) if a.shape == b.shape else None
