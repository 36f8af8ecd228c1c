"""The process of a job, `python -m translate.bench.quality.job_process FOLDER`: time steps, train, answer.

Killed at any time, it goes on where it stopped when it is started again; it also stops when its standard input ends,
which it does with the benchmark.
"""

__all__ = ["main", "run_job"]

import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from translate.bench.machine import PeakMemory
from translate.bench.quality.budget import StepClock
from translate.bench.quality.job import Job
from translate.bench.quality.picture_set import Question
from translate.checkpoints.model_file import load_model
from translate.inference.sampler import Sampler
from translate.inference.translator import Translator
from translate.training.callbacks import StopTraining
from translate.training.config import Config
from translate.training.loop import train
from translate.training.planning.autotune import affordable_crop
from translate.training.planning.plan import Plan
from translate.training.run_folder import RunFolder
from translate.utils.errors import UserError
from translate.utils.files import write_json
from translate.utils.signals import EXIT_STOPPED, Stopped

COST = "bench/cpu_seconds"  # its name in metrics.jsonl, where a resumed run has every step once


def main() -> None:
    """Run the job in the folder that the command line names; exit with 1 and one line if it fails."""
    threading.Thread(target=stop_with_the_benchmark, daemon=True).start()
    torch.set_num_threads(1)
    job = Job.load(Path(sys.argv[1]))
    try:
        if job.peer:
            from translate.bench.quality.original_process import run_original

            run_original(job)
        else:
            run_job(job)
    except Stopped:
        sys.exit(EXIT_STOPPED)
    except UserError as error:
        sys.exit(str(error))


def stop_with_the_benchmark() -> None:
    """Wait for the end of standard input, and send SIGTERM to this process, which saves the run."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def run_job(job: Job) -> None:
    """Time steps, train, answer; leave out what is done already."""
    peak = PeakMemory(torch.device("cpu"))
    file, run = job.folder / "steps.json", job.folder / "run"
    if not file.exists():
        write_json(file, choose_steps(job))
    chosen = json.loads(file.read_text(encoding="utf-8"))
    train_steps(fixed_config(job.config, chosen), job.cpu_seconds)
    recipe, nets = load_model(run)
    for question in job.questions():
        if question.key not in recipe.directions and recipe.directions:  # it learns one way only
            continue
        for number, answer in enumerate(answer_all(run, question)):
            job.write_answer(question, number, answer)
    job.finish(
        steps=chosen["steps"],
        start_up=chosen["start_up"],
        cpu_seconds=cpu_seconds_of(run / "metrics.jsonl"),
        peak=peak.before + peak.bytes(),
        model_bytes=(run / "model.safetensors").stat().st_size,
        parameters=sum(p.numel() for p in nets.parameters()),
        trained_with=list(recipe.features),
    )


def choose_steps(job: Job) -> dict[str, Any]:
    """Time steps in a trial run; return the number that fills the budget, their cost, the crop and the mode.

    A crop that follows from the time budget is chosen as in a run of --minutes, but by CPU seconds.
    """
    clock, plan = time_steps(job, job.config.data.crop)
    if job.config.data.crop < 0:
        whole = clock.seconds * (plan.size / plan.crop) ** 2
        crop = affordable_crop(plan.size, whole, job.cpu_seconds, torch.device("cpu"))
        if crop != plan.crop:
            clock, plan = time_steps(job, crop)
    costs = {"steps": clock.steps, "seconds_a_step": clock.seconds, "start_up": clock.start_up}
    mode = {"precision": plan.precision, "channels_last": "on" if plan.channels_last else "off"}
    return {**costs, "crop": plan.crop, "train": mode}


def time_steps(job: Job, crop: int) -> tuple[StepClock, Plan]:
    """Take a few steps of a run with this crop; return their times and the plan."""
    clock, trial = StepClock(job.cpu_seconds), job.folder / "trial"

    def on_step(step: int, terms: Mapping[str, Tensor]) -> None:
        clock.end_step()
        if clock.measured:
            raise StopTraining

    shutil.rmtree(trial, ignore_errors=True)
    train(replace(job.config, out=str(trial), data=replace(job.config.data, crop=crop)), on_step=on_step)
    plan, _ = RunFolder(trial).read_plan()
    assert plan
    shutil.rmtree(trial)
    return clock, plan


def fixed_config(config: Config, chosen: Mapping[str, Any]) -> Config:
    """Return the configuration of an ordinary run of the chosen steps, with nothing left to time."""
    fixed = replace(config.train, **chosen["train"], steps=chosen["steps"])
    return replace(config, data=replace(config.data, crop=chosen["crop"]), train=fixed)


def train_steps(config: Config, cpu_seconds: float) -> None:
    """Train, or resume; log the CPU seconds of the steps."""
    clock = StepClock(cpu_seconds)

    def on_step(step: int, terms: Mapping[str, Tensor]) -> dict[str, float]:
        cost = clock.end_step()
        return {} if cost is None else {COST: cost}

    train(config, on_step=on_step)


def cpu_seconds_of(log: Path) -> float:
    """Return the CPU seconds of all steps in metrics.jsonl, whose lines hold the mean since the line before."""
    total, since = 0.0, 0
    for line in map(json.loads, log.read_text(encoding="utf-8").splitlines()):
        if COST in line:
            total += line[COST] * (line["step"] - since)
            since = line["step"]
    return total


def answer_all(run: Path, question: Question) -> Iterator[np.ndarray]:
    """Yield the model's answer to every picture of a question, or as many samples as there are real pictures."""
    if not question.sources:
        yield from Sampler.load(run, "cpu", "fp32")(seeds=range(len(question.real)))
        return
    translator = Translator.load(run, "cpu", "fp32")
    for number, source in enumerate(question.sources):
        if question.holes:
            yield translator(source, mask=question.holes[number])
        else:
            yield translator(source, direction=question.key)


if __name__ == "__main__":
    main()
