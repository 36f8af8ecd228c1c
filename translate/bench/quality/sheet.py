"""Contact sheets: the same held-out pictures as every recipe answers them, with captions."""

__all__ = ["write_sheet"]

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from translate.bench.quality.job import Job
from translate.bench.quality.picture_set import Pictures, Question
from translate.images.grid import make_grid
from translate.images.io import write_picture
from translate.images.picture import Picture
from translate.utils.sequences import subsample

COLUMNS = 6
MIN_CELL_PX = 128  # smaller pictures are enlarged, so that captions fit
CAPTION_PX, LINE_PX, MARGIN_PX = 128, 16, 4
CHARS = 16  # of a line of a caption


def write_sheet(file: Path, question: Question, jobs: Mapping[str, Job]) -> None:
    """Write rows of sources, the answers of a job of each recipe, and truths or other real pictures."""
    rows: list[tuple[str, Pictures]] = [("source", question.sources)] if question.sources else []
    rows += [(recipe, job.read_answers(question)) for recipe, job in jobs.items()]
    rows.append(("truth", question.truths) if question.truths else ("real pictures", question.real))
    cells = [[caption(name), *map(enlarge, subsample(pictures, COLUMNS))] for name, pictures in rows]
    write_picture(file, Picture(make_grid(cells)))


def enlarge(picture: np.ndarray) -> np.ndarray:
    """Repeat the pixels of small pictures, (H, W, 3) uint8."""
    times = -(-MIN_CELL_PX // picture.shape[0])
    return np.repeat(np.repeat(picture, times, axis=0), times, axis=1)


def caption(text: str) -> np.ndarray:
    """Write black on white, in lines of a few letters: (H, CAPTION_PX, 3) uint8."""
    lines = [text[start : start + CHARS] for start in range(0, len(text), CHARS)]
    cell = np.full((LINE_PX * len(lines) + 2 * MARGIN_PX, CAPTION_PX, 3), 255, np.uint8)
    for number, line in enumerate(lines):
        cv2.putText(cell, line, (MARGIN_PX, LINE_PX * (number + 1)), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0))
    return cell
