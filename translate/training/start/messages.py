"""Notes to the user, and the header of a run."""

__all__ = ["print_header", "print_left_out", "print_note", "print_notes"]

from collections.abc import Sequence
from pathlib import Path

import torch

from translate.data.datasets import LabelledData, TrainingData
from translate.data.files.find import left_out_notes
from translate.data.options import DataConfig
from translate.tasks import Task
from translate.training.config import Config
from translate.training.planning.plan import Plan
from translate.utils.terminal import console, escape


def print_note(text: str, word: str = "note") -> None:
    """Print one line, headed by `word` in yellow."""
    console.print(f"[yellow]{word}[/] {escape(text)}", soft_wrap=True)


def print_notes(data: TrainingData, task: Task, findings: Sequence[str]) -> None:
    """Print labels, the notes of data and task, the `findings` of the data check, skipped files, and small domains."""
    if isinstance(data, LabelledData):
        console.print(data.label_table)
    for line in (*data.notes, *task.notes, *findings):
        print_note(line)
    for line in data.skipped[:5]:
        print_note(line, "skipped")
    if len(data.skipped) > 5:
        print_note(f"{len(data.skipped) - 5} more files that cannot be read", "skipped")
    for name, count in data.counts.items():
        if count < 10:
            print_note(f"{name} has {count} picture(s) to train on: the model will memorise them")


def print_left_out(options: DataConfig) -> None:
    """Print what is left out of the folders that a run learns from."""
    for line in left_out_notes([options.a, options.b, options.root, options.pairs, options.images, options.masks]):
        print_note(line)


def print_header(config: Config, plan: Plan, folder: Path, device: torch.device, start: int) -> None:
    """Print the folder, the task, the length and the settings of the run that starts at step `start`."""
    length = f"resuming at step {start} of {plan.steps}" if start else f"{plan.steps} steps"
    console.print(
        f"[bold]{escape(str(folder))}[/]: {config.task}, preset {config.preset}, {length}, "
        f"batch {config.data.batch_size}, {plan.crop} px crops of {plan.size} px pictures, "
        f"{device}, {plan.mode}",
        soft_wrap=True,
    )
    if plan.tried and not start:
        console.print(f"a step took: {plan.tried}", soft_wrap=True)
