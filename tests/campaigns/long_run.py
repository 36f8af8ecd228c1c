"""Monitor a training run of 2,000 steps from outside: its memory and its number of open files do not grow.

    python tests/campaigns/long_run.py            # some minutes on the CPU
    python tests/campaigns/long_run.py --quick    # 240 steps, which the tests run

A tiny CycleGAN that logs every 5 steps, saves every second and draws forty sheets of samples. Prints measurements as
JSON; exits with 1 if a check failed. Linux only, as it reads /proc.
"""

__all__ = ["Figures", "main", "watch"]

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from translate.images.io import write_picture
from translate.images.picture import Picture

SIDE = 32  # px
GROWTH = 1.03  # allowed ratio of memory in the last tenth of the run to that in the second
QUICK_GROWTH = 1.15  # the same for --quick, which is mostly warm-up
POLL_S = 0.1
SMALL = {
    "size": SIDE, "crop": SIDE, "generator.width": 8, "trunk": 8, "blocks": 1, "discriminator.width": 8,
    "precision": "fp32", "channels_last": "off", "compile": "off", "device": "cpu", "log_every": 5, "previews": 40,
    "save_minutes": 1 / 60,
}  # fmt: skip


@dataclass
class Figures:
    """Measurements for each tenth of the run: memory in MB and open files, as reported by the operating system."""

    steps: int
    seconds: float = 0.0
    memory: list[float] = field(default_factory=list)
    open_files: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def main() -> None:
    """Run the campaign and print its measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        figures = watch(Path(place), 240 if given.quick else given.steps, QUICK_GROWTH if given.quick else GROWTH)
    print(json.dumps(asdict(figures), indent=2))
    sys.exit(1 if figures.broken else 0)


def watch(place: Path, steps: int, growth: float) -> Figures:
    """Train in the folder `place`; return the medians of each tenth of the run."""
    out, began = place / "run", time.perf_counter()
    process, samples = start(place, out, steps), []
    while process.poll() is None:
        if (step := progress(out)) and (sample := process_usage(process.pid)):
            samples.append((step, *sample))
        time.sleep(POLL_S)
    if process.returncode:
        raise RuntimeError(f"the run ended with {process.returncode}")
    tenths = [[sample for sample in samples if low < sample[0] <= high] for low, high in tenths_of(steps)]
    figures = Figures(steps, round(time.perf_counter() - began, 1))
    figures.memory = [round(float(np.median([memory for _, memory, _ in tenth])), 1) for tenth in tenths if tenth]
    figures.open_files = [int(np.median([files for *_, files in tenth])) for tenth in tenths if tenth]
    figures.broken = growths(figures, growth)
    return figures


def tenths_of(steps: int) -> list[tuple[float, float]]:
    """Return the limits of each tenth of `steps` steps."""
    return [(steps * i / 10, steps * (i + 1) / 10) for i in range(10)]


def start(place: Path, out: Path, steps: int) -> "subprocess.Popen[bytes]":
    """Start a run as a user would, on two folders of small pictures."""
    for i in range(24):
        pixels = np.random.default_rng(i).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        write_picture(place / "ab"[i // 12] / f"{i:02}.png", Picture(pixels))
    words = ["--a", place / "a", "--b", place / "b", "--out", out, "--steps", steps]
    for name, value in SMALL.items():
        words += [f"--{name}", value]
    command = [sys.executable, "-m", "translate", "train-cycle", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})


def progress(out: Path) -> int:
    """Return the last logged step, or 0."""
    try:
        return json.loads((out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1])["step"]
    except (OSError, IndexError, KeyError, ValueError):
        return 0


def process_usage(number: int) -> tuple[float, int] | None:
    """Return the resident memory of a process, MB, and its number of open files; None if it has ended."""
    try:
        lines = Path(f"/proc/{number}/status").read_text(encoding="ascii").splitlines()
        files = sum(1 for _ in Path(f"/proc/{number}/fd").iterdir())
    except OSError:
        return None
    memory = next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)
    return (memory, files) if memory else None


def growths(figures: Figures, growth: float) -> list[str]:
    """List what grew since the second tenth; the first is warm-up."""
    broken = []
    early, late = figures.memory[1], figures.memory[-1]
    if late > growth * early:
        broken.append(f"memory: {late:.0f} MB at the end, {early:.0f} MB in the second tenth")
    if figures.open_files[-1] > figures.open_files[1]:
        broken.append(f"open files: {figures.open_files[-1]} at the end, {figures.open_files[1]} in the second tenth")
    return broken


if __name__ == "__main__":
    main()
