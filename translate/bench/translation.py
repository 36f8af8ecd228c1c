"""A folder's translation compared: with the network's own time, with a plain one's, and with the original's script."""

__all__ = ["FolderTimes", "Pass", "Translation", "check_translation", "compare_translation"]

import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from translate.bench.original_repo import NAME, Peer, Script
from translate.bench.timing import interleaved, ratio, spread
from translate.bench.worker import Worker, environment, python
from translate.checkpoints.model_file import load_model, model_file, read_recipe
from translate.checkpoints.recipe import Recipe
from translate.data.files.find import find_images
from translate.images.io import read_picture, read_rgb8
from translate.inference.preprocess import network_size
from translate.tasks import TASKS
from translate.utils.errors import UserError

CANDIDATE = python("translate.bench.candidates")
BATCHES = {"cpu": (1, 8), "cuda": (1, 16, 64)}  # pictures that a pass of the network alone has
PLAIN, FOLDER = "eager fp32", "folder to folder"
OURS, ORIGINAL = "tools/translate_folder.py", "the original's test.py"
COMMAND_ROUNDS = 3  # whole commands are long


@dataclass(frozen=True)
class Pass:
    """The network alone, on pictures in memory.

    Attributes:
        name: of it.
        batch: pictures in a pass.
        precision: "fp32" or "bf16".
        seconds: a picture, one number a round.
        peak: of memory, the model included, bytes.
    """

    name: str
    batch: int
    precision: str
    seconds: list[float]
    peak: int


@dataclass(frozen=True)
class FolderTimes:
    """A whole folder, files to files.

    Attributes:
        name: of what translated it.
        precision: "fp32" or "bf16".
        seconds: of the whole folder, one number a round.
        peak: of memory, the model included, bytes; None where it was not measured.
    """

    name: str
    precision: str
    seconds: list[float]
    peak: int | None = None


@dataclass(frozen=True)
class Translation:
    """A model and a folder.

    Attributes:
        model, images: where they are.
        pictures: in the folder. size: height and width of most of them as the network sees them, px.
        work: what all of them are for the network, in pictures of `size`.
        device: where.
        flops: floating-point operations of one picture of `size`.
        passes: of the network alone; the first is the plain one.
        folder: our translation of the folder in a running program.
        commands: whole commands, start-up and all: ours, and the original's where there is one.
        difference: mean difference between the results of both, of 255; None where there is only one.
        notes: what is missing, and why.
    """

    model: str
    images: str
    pictures: int
    size: tuple[int, int]
    work: float
    device: str
    flops: int
    passes: list[Pass]
    folder: FolderTimes
    commands: list[FolderTimes] = field(default_factory=list)
    difference: float | None = None
    notes: list[str] = field(default_factory=list)

    def best_pass(self) -> Pass:
        """Return our fastest pass."""
        return min(self.passes[1:], key=lambda p: spread(p.seconds).median)

    def network_share(self) -> float:
        """Return what part of the folder's time the network alone takes for as much."""
        return 1 / ratio(self.folder.seconds, [self.work * s for s in self.best_pass().seconds])


@dataclass(frozen=True)
class _Task:
    """What is translated: all that the candidates are told."""

    model: Path
    images: Path
    device: str
    precision: str
    recipe: Recipe
    count: int
    size: tuple[int, int]
    work: float

    def spec(self, kind: str, **more: Any) -> dict[str, Any]:
        place = self.recipe.directions[0][0] if len(self.recipe.directions) > 1 else "a"
        return {
            "kind": kind, "model": str(self.model), "images": str(self.images), "device": self.device,
            "precision": self.precision, "size": self.size, "direction": self.recipe.directions[0],
            "place": place, "channels": self.recipe.channels[place], **more,
        }  # fmt: skip


def check_translation(model: Path, images: Path) -> None:
    """Check that there is something to measure.

    Raises:
        UserError: no such model, one that translates no pictures, or a folder without pictures.
    """
    recipe = read_recipe(model_file(model))
    if TASKS[recipe.task].data not in ("paired", "unpaired"):
        raise UserError(f"{model}: is a model of the task {recipe.task!r}; give one of train_cycle or train_pix2pix")
    find_images(str(images))


def compare_translation(
    model: Path, images: Path, device: torch.device, precision: str, *, rounds: int, seconds: float, peer: Peer | None
) -> Translation:
    """Measure a model on a folder of pictures.

    Args:
        model: run folder or model file.
        images: the folder.
        device: where.
        precision: "auto", "bf16" or "fp32", of ours.
        rounds: turns of each candidate, at most.
        seconds: after which no new round begins, once there are three.
        peer: a checkout of the original.

    Raises:
        OptionError: the original cannot run the model.
        UserError: a candidate fails, such as for want of memory.
    """
    recipe, nets = load_model(model)
    count, size, work = _sizes(images, recipe, nets)
    task = _Task(model, images, str(device), precision, recipe, count, size, work)
    script = peer.translating(recipe, nets, images, count, str(device)) if peer else None
    with tempfile.TemporaryDirectory() as scratch:
        flops, passes, folder = _in_processes(task, Path(scratch), rounds, seconds)
        commands, difference = _commands(task, script, Path(scratch), rounds, seconds)
    return Translation(
        str(model), str(images), count, size, work, str(device), flops, passes, folder, commands, difference
    )


def _sizes(images: Path, recipe: Recipe, nets: nn.ModuleDict) -> tuple[int, tuple[int, int], float]:
    """Return the number of pictures, the size at which a network sees most of them, and all of them in such pictures.

    Raises:
        UserError: there are none, or one cannot be read.
    """
    files = find_images(str(images))
    multiple = max(int(getattr(net, "multiple", 1)) for net in nets.values())
    sizes: Counter[tuple[int, int]] = Counter()
    for file in files:
        height, width = read_picture(file).pixels.shape[:2]
        rows, columns = (-(-side // multiple) * multiple for side in network_size(recipe, height, width))
        sizes[rows, columns] += 1
    usual = sizes.most_common(1)[0][0]
    area = sum(height * width * count for (height, width), count in sizes.items())
    return len(files), usual, area / (usual[0] * usual[1])


def _in_processes(task: _Task, scratch: Path, rounds: int, seconds: float) -> tuple[int, list[Pass], FolderTimes]:
    """Measure the network alone, ours and a plain one, and the folder; they take turns."""
    orders = {PLAIN: task.spec("plain_network", batch=1)}
    for batch in BATCHES.get(task.device.partition(":")[0], (1,)):
        orders[f"network, batch {batch}"] = task.spec("network", batch=batch)
    orders[FOLDER] = task.spec("folder", output=str(scratch / "folder"))
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(name, CANDIDATE, order)) for name, order in orders.items()}
        times = interleaved({name: worker.turn for name, worker in workers.items()}, rounds, seconds)
        passes = [
            Pass(
                name, orders[name]["batch"], worker.facts.get("precision", "fp32"),
                [s / orders[name]["batch"] for s in times[name]], worker.peak,
            )
            for name, worker in workers.items() if name != FOLDER
        ]  # fmt: skip
        worker = workers[FOLDER]
        folder = FolderTimes(FOLDER, worker.facts["precision"], times[FOLDER], worker.peak)
        return workers[PLAIN].facts["flops"], passes, folder


# ---- whole commands


def _commands(
    task: _Task, script: Script | None, scratch: Path, rounds: int, seconds: float
) -> tuple[list[FolderTimes], float | None]:
    """Measure our command and the original's, each into an empty folder every time; and how far they differ."""

    def ours(folder: Path) -> list[str]:
        return [
            *python("translate", "translate-folder"), "--model", str(task.model.resolve()),
            "--input", str(task.images.resolve()),
            "--output", str(folder), "--device", task.device, "--precision", task.precision,
        ]  # fmt: skip

    prepare = {OURS: ours} | ({ORIGINAL: script.prepare} if script else {})
    turns = {name: _command(name, how, scratch / name.split("/")[-1]) for name, how in prepare.items()}
    times = interleaved(turns, min(rounds, COMMAND_ROUNDS), seconds)
    rows = [FolderTimes(name, "fp32" if name == ORIGINAL else "", found) for name, found in times.items()]
    if not script:
        return rows, None
    results = scratch / ORIGINAL.split("/")[-1] / NAME / "test_latest" / "images"
    return rows, _difference(task.images, scratch / OURS.split("/")[-1], results)


def _command(name: str, prepare: Callable[[Path], Sequence[str]], folder: Path) -> Callable[[], float]:
    """Return what runs a command and returns its seconds; its results are in `folder` afterwards."""

    def run() -> float:
        shutil.rmtree(folder, ignore_errors=True)
        command = prepare(folder)
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, env=environment(), cwd=folder.parent, check=False)
        seconds = time.perf_counter() - began
        if done.returncode:
            words = done.stderr.decode(errors="replace").strip().splitlines()
            reason = words[-1].removeprefix("error: ") if words else f"ended with status {done.returncode}"
            raise UserError(f"{name}: {reason}")
        return seconds

    return run


def _difference(images: Path, ours: Path, theirs: Path) -> float | None:
    """Return the mean difference between both results of the first picture, of 255; None if they do not match."""
    file = find_images(str(images))[0]
    mine, other = ours / file.relative_to(images), theirs / f"{file.stem}_fake.png"
    if not (mine.exists() and other.exists()):
        return None
    a, b = read_rgb8(mine).astype(np.float32), read_rgb8(other).astype(np.float32)
    return float(np.abs(a - b).mean()) if a.shape == b.shape else None
