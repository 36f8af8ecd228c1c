"""Kill a long folder translation repeatedly; check that no file is lost, torn or left over and memory does not grow.

    python tests/campaigns/folder_runs.py            # 20,000 files; some minutes on two cores
    python tests/campaigns/folder_runs.py --quick    # what the tests run

Renders small pictures, some in sub-folders, and translates them with a tiny model: first a tenth of them, then all,
without interruption; then all again, killed (SIGKILL) three times at random and restarted. Prints measurements as JSON;
exits with 1 if a check failed.
"""

__all__ = ["Figures", "campaign", "main"]

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from translate.checkpoints.model_file import export_model
from translate.checkpoints.recipe import Recipe
from translate.images.io import read_picture, write_picture
from translate.images.picture import Picture
from translate.networks import EXPORTABLE
from translate.utils.factory import Factory

SIDE = 32  # px
FOLDER = 250  # pictures per folder
GROWTH = 1.05  # allowed ratio of memory for ten times the files: noise only
QUICK_GROWTH = 1.5  # the same for --quick, where a tenth of the files is too few to fill all threads
POLL_S = 0.05


@dataclass
class Figures:
    """Measurements; memory in MB, as reported by the operating system."""

    files: int
    seconds: float = 0.0
    peak_of_a_tenth: float = 0.0
    peak: float = 0.0
    peaks_when_killed: list[float] = field(default_factory=list)
    memory_over_the_run: list[float] = field(default_factory=list)
    killed_at: list[int] = field(default_factory=list)
    temporary_after_kills: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def main() -> None:
    """Run the campaign and print its measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="200 files and two kills")
    given = parser.parse_args()
    files, kills, growth = (200, 2, QUICK_GROWTH) if given.quick else (given.files, given.kills, GROWTH)
    with tempfile.TemporaryDirectory() as place:
        figures = campaign(Path(place), files, kills, given.seed, growth)
    print(json.dumps(asdict(figures), indent=2))
    sys.exit(1 if figures.broken else 0)


def campaign(place: Path, files: int, kills: int, seed: int = 0, growth: float = GROWTH) -> Figures:
    """Run the whole campaign in the empty folder `place`."""
    figures = Figures(files)
    model = tiny_model(place / "model")
    render(place / "tenth", files // 10)
    render(place / "all", files)
    figures.peak_of_a_tenth = max(monitor_memory(start(model, place / "tenth", place / "tenth_out")))
    began = time.perf_counter()
    over = list(monitor_memory(start(model, place / "all", place / "whole")))
    figures.seconds, figures.peak = round(time.perf_counter() - began, 1), max(over)
    figures.memory_over_the_run = [round(over[i]) for i in np.linspace(len(over) // 10, len(over) - 1, 10).astype(int)]
    killed = place / "killed"
    for count in kill_counts(files, kills, random.Random(seed)):
        process = start(model, place / "all", killed)
        figures.peaks_when_killed.append(max(monitor_memory(process, killed, count)))
        figures.killed_at.append(count_results(killed))
        figures.temporary_after_kills.append(len(temporary_files(killed)))
    figures.peaks_when_killed.append(max(monitor_memory(start(model, place / "all", killed))))
    figures.broken = [*memory_growth(figures, growth), *differences(place / "all", place / "whole", killed)]
    return figures


def kill_counts(files: int, kills: int, chance: random.Random) -> list[int]:
    """Draw the numbers of pictures after which to kill the process, one in each part of the run."""
    part = files // (kills + 1)
    return [part * i + chance.randrange(part // 10, part) for i in range(kills)]


def tiny_model(folder: Path) -> Path:
    """Write an untrained model for both directions."""
    torch.manual_seed(0)
    spec = {"name": "skip_resnet", "width": 4, "trunk": 4, "blocks": 1}
    nets = nn.ModuleDict({name: Factory(spec, EXPORTABLE, "generator")() for name in ("G_ab", "G_ba")})
    specs = {name: net.spec for name, net in nets.items()}
    recipe = Recipe(
        task="cycle", nets=specs, domains=("photos", "monet"), size=SIDE, preset="fast", steps=1, data="none"
    )
    export_model(nets, recipe, folder / "model.safetensors")
    return folder


def render(folder: Path, count: int) -> None:
    """Write `count` different gradients, a third of them at the top, the rest in nested sub-folders."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    for i in range(count):
        planes = [rows * (1 + i % 7) + i, columns * (1 + i % 5) + i // 3, (rows + columns) * 2 + i // 7]
        where = folder if i % 3 == 0 else folder / f"{i // (8 * FOLDER):02}" / f"{i // FOLDER:03}"
        write_picture(where / f"{i:06}.png", Picture((np.stack(planes, axis=2) % 256).astype(np.uint8)))


# ---- processes


def start(model: Path, source: Path, output: Path) -> subprocess.Popen[bytes]:
    """Start a translation as a user would."""
    words = ["--model", model, "--input", source, "--output", output, "--device", "cpu", "--precision", "fp32"]
    command = [sys.executable, "-m", "translate", "translate-folder", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def monitor_memory(process: subprocess.Popen[bytes], output: Path | None = None, count: int = 0) -> Iterator[float]:
    """Yield the resident memory of a process, MB, until it ends; kill it after `count` pictures."""
    assert process.stderr
    while process.poll() is None:
        if memory := resident_memory(process.pid):
            yield memory
        if output and count_results(output) >= count:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(POLL_S)
    _, err = process.communicate()
    if process.returncode not in (0, -signal.SIGKILL):
        raise RuntimeError(f"the translation ended with {process.returncode}: {err.decode()[-500:]}")


def resident_memory(process: int) -> float:
    """Return the resident memory of a process, MB; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


# ---- checks


def count_results(folder: Path) -> int:
    """Count the pictures below a folder."""
    return sum(1 for _ in folder.rglob("*.png"))


def temporary_files(folder: Path) -> list[Path]:
    """Return the temporary files below a folder."""
    return list(folder.rglob(".*.tmp"))


def differences(source: Path, whole: Path, killed: Path) -> list[str]:
    """Compare the killed run with the uninterrupted one: same files, same bytes, whole pictures, nothing else."""
    names = {path.relative_to(source) for path in source.rglob("*.png")}
    found = {path.relative_to(killed) for path in killed.rglob("*") if path.is_file()}
    found -= {Path(name) for name in (".translated.json", ".translated.jsonl")}
    broken = [f"{name}: is missing" for name in sorted(names - found)]
    broken += [f"{name}: should not be there" for name in sorted(found - names)]
    for name in sorted(names & found):
        if (killed / name).read_bytes() != (whole / name).read_bytes():
            broken.append(f"{name}: is torn")
        elif read_picture(killed / name).pixels.shape != (SIDE, SIDE, 3):
            broken.append(f"{name}: has another size")
    return broken


def memory_growth(figures: Figures, growth: float) -> list[str]:
    """List the runs in which more files took more memory."""
    tenth = figures.peak_of_a_tenth
    too_much = [peak for peak in (figures.peak, *figures.peaks_when_killed) if peak > growth * tenth]
    return [f"memory: {peak:.0f} MB, but a tenth of the files took {tenth:.0f} MB" for peak in too_much]


if __name__ == "__main__":
    main()
