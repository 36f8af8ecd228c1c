"""Feed damaged and malicious files and command lines to the toolkit; check that each gives a one-line error.

    python tests/campaigns/hostile.py            # 2,000 pictures, 500 models and states, 500 configs: minutes
    python tests/campaigns/hostile.py --quick    # what the tests run

A child process does the work; it is restarted when it dies or hangs. Prints measurements as JSON; exits with 1 if the
child crashed, hung, raised an error that is not for users, wrote in a wrong place, or took too much memory.
"""

__all__ = ["Figures", "campaign", "main"]

import argparse
import json
import os
import random
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings

from tests.campaigns.hostile_files import (
    evil_names,
    mutate,
    mutate_model,
    option_lines,
    seed_models,
    seed_pictures,
    tomls,
)

ANSWER_TIMEOUT_S = 5.0
START_TIMEOUT_S = 60.0
MAX_GROWTH_MB = 1500.0  # of the child's memory since its start


@dataclass
class Figures:
    """Measurements; memory in MB, as reported by the operating system.

    Attributes:
        answers: numbers of inputs read (or accepted) and refused with a one-line error, by kind.
        slowest: time of the slowest answer, s.
        growth: of the child's peak memory.
        broken: failed checks, a line each.
    """

    answers: dict[str, dict[str, int]] = field(default_factory=dict)
    seconds: float = 0.0
    slowest: float = 0.0
    growth: float = 0.0
    broken: list[str] = field(default_factory=list)


class Child:
    """A process that reads hostile inputs one by one, in the folder `place`."""

    def __init__(self, place: Path, figures: Figures) -> None:
        self.place, self.figures, self.process = place, figures, None
        self._answers = {kind: Counter() for kind in ("picture", "model", "config")}

    def run(self, job: dict[str, Any]) -> None:
        """Send one input and record the outcome."""
        process = self.process or self._start()
        began = time.perf_counter()
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        answer = self._receive(ANSWER_TIMEOUT_S)
        self.figures.slowest = max(self.figures.slowest, round(time.perf_counter() - began, 2))
        if answer is None:
            self._record_failure(job)
            return
        self.figures.growth = max(self.figures.growth, answer["growth"])
        self._answers[job["kind"]][answer["word"]] += 1
        self.figures.answers = {kind: dict(counts) for kind, counts in self._answers.items()}
        if answer["word"] not in ("read", "refused"):
            self.figures.broken.append(f"{answer['word']}: {answer['line'][:400]} <- {job}"[:800])
        if answer["growth"] > MAX_GROWTH_MB:
            self.figures.broken.append(f"{job}: memory grew by {answer['growth']:.0f} MB"[:400])
            self.end()

    def _start(self) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "tests.campaigns.hostile_child"]
        root = str(Path(__file__).parents[2])
        environment = {**os.environ, "PYTHONPATH": root, "HOME": str(self.place / "home"), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.place / "work", env=environment, text=True
        )
        assert self._receive(START_TIMEOUT_S), "the child does not start"
        return self.process

    def _receive(self, timeout_s: float) -> dict[str, Any] | None:
        """Return the answer of the process; None if it has died or does not answer in time."""
        ready, _, _ = select.select([self.process.stdout], [], [], timeout_s)
        line = self.process.stdout.readline() if ready else ""
        return json.loads(line) if line.endswith("\n") else None

    def _record_failure(self, job: dict[str, Any]) -> None:
        code = self.process.poll()
        how = f"hung for {ANSWER_TIMEOUT_S:.0f} s" if code is None else f"crashed ({code})"
        self.figures.broken.append(f"{job}: {how}"[:800])
        self.process.kill()
        self.process.wait()
        self.process = None

    def end(self) -> None:
        """End the process; the next input starts another."""
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()
        self.process = None


def main() -> None:
    """Run the campaign and print its measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--models", type=int, default=500)
    parser.add_argument("--configs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="put the files of the campaign into this folder")
    parser.add_argument("--quick", action="store_true", help="150 pictures, 60 models, 40 configs")
    options = parser.parse_args()
    counts = (150, 60, 40) if options.quick else (options.pictures, options.models, options.configs)
    with tempfile.TemporaryDirectory() as place:
        figures = campaign(Path(options.keep or place), *counts, options.seed)
    print(json.dumps(asdict(figures), indent=2))
    sys.exit(1 if figures.broken else 0)


def campaign(place: Path, pictures: int, models: int, configs: int, seed: int = 0) -> Figures:
    """Run the whole campaign in the empty folder `place`."""
    figures, began = Figures(), time.perf_counter()
    for name in ("in", "out", "work", "home", "seeds"):
        (place / name).mkdir(parents=True)
    child = Child(place, figures)
    feed_pictures(child, pictures, random.Random(seed))
    feed_models(child, models, random.Random(seed + 1))
    (place / "in" / "config.toml").touch()
    feed_configs(child, configs)
    child.end()
    strays = (name for name in list_files(place) if not name.startswith(("in/", "seeds/", "out/")))
    figures.broken += [f"{name!r}: should not be there" for name in sorted(strays)]
    figures.broken += check_names(place)
    figures.growth, figures.seconds = round(figures.growth), round(time.perf_counter() - began, 1)
    return figures


def feed_pictures(child: Child, count: int, chance: random.Random) -> None:
    """Mutate pictures of every format; let the child read, measure and write each."""
    seeds = seed_pictures()
    for i in range(count):
        suffix, data = seeds[i % len(seeds)]
        path = child.place / "in" / f"{i:05}{suffix}"
        path.write_bytes(mutate(data, [one for _, one in seeds], chance))
        child.run({"kind": "picture", "path": str(path), "out": str(child.place / "out" / path.name)})


def feed_models(child: Child, count: int, chance: random.Random) -> None:
    """Mutate models, checkpoints and states, in their bytes and in their content."""
    seeds = seed_models(child.place / "seeds")
    for i in range(count):
        seed = seeds[i % len(seeds)]
        path = child.place / "in" / f"{i:05}{seed.suffix}"
        path.write_bytes(mutate_model(seed, seeds, chance))
        child.run({"kind": "model", "path": str(path), "state": seed.name.startswith("state")})


def feed_configs(child: Child, count: int) -> None:
    """Pass generated TOML files and command lines to the commands."""
    quiet = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}

    @settings(max_examples=count // 2, derandomize=True, **quiet)
    @given(tomls())
    def files(text: str) -> None:
        path = child.place / "in" / "config.toml"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        child.run({"kind": "config", "words": ["train-cycle", "--config", str(path)], "text": text[:300]})

    @settings(max_examples=count - count // 2, derandomize=True, **quiet)
    @given(option_lines())
    def lines(words: list[str]) -> None:
        child.run({"kind": "config", "words": words})

    files()
    lines()


def list_files(place: Path) -> set[str]:
    """Return the relative paths of all files below a folder."""
    return {path.relative_to(place).as_posix() for path in place.rglob("*") if not path.is_dir()}


def check_names(place: Path) -> list[str]:
    """Translate a folder of pictures with odd names, two of them broken; return the failed checks."""
    source, output, before = place / "names", place / "translated", list_files(place)
    count = evil_names(source, seed_pictures()[0][1])
    for name in ("broken\x1b[31m\n[b].png", "broken\udcff.png"):
        (source / name).write_bytes(b"no picture")
    words = ["--model", place / "seeds", "--input", source, "--output", output, "--device", "cpu"]
    command = [sys.executable, "-m", "translate", "translate-folder", *map(str, words), "--precision", "fp32"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, cwd=place / "work", capture_output=True, env=environment, timeout=120, check=False)
    printed = done.stdout + done.stderr
    broken = [
        f"names: {word!r} in the output: {printed[-500:]!r}" for word in (b"Traceback", b"\x1b") if word in printed
    ]
    count_translated = sum(1 for path in output.rglob("*.png"))
    failed = [json.loads(line)["file"] for line in (output / "failed.jsonl").read_text().splitlines()]
    if count_translated != count or done.returncode != 1 or len(failed) != 2:
        broken.append(f"names: {count_translated} of {count} translated, status {done.returncode}: {printed[-500:]!r}")
    strays = {name for name in list_files(place) - before if not name.startswith(("names/", "translated/"))}
    return broken + [f"{name!r}: should not be there" for name in sorted(strays)]


if __name__ == "__main__":
    main()
