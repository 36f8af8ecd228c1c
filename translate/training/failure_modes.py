"""Faults that show in a few pictures while a network trains, and the option that usually cures each."""

__all__ = ["is_collapsed", "checkerboard", "is_identity", "examine", "inverted", "ignores_z"]

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from translate.metrics.diversity import pairwise_spread
from translate.tasks import Task

WORDS = {
    "inverted": "the colours come out INVERTED",
    "copies": "it COPIES ITS INPUT",
    "checkerboard": "it draws a CHECKERBOARD",
    "alike": "it COLLAPSES to nearly one picture, whatever the input",
    "one answer": "it has ONE ANSWER, whatever the look",
}
INVERTED = -0.5  # correlation of input and output below which colours are turned round
COPIED = 0.05  # of the contrast of the input: an output that is no further away is a copy
COPIED_PAIR = 0.2  # the same, of the way to the truth
CHECKERED = 3.0  # times the periodic part of real pictures
ALIKE = 0.2  # of how far real pictures are apart
ONE = 0.02  # of the way from the input to the truth: how far answers are apart
DETAIL = 0.07  # of the fine detail: less is nothing to be told of
GRAY_LEVEL = 1 / 127.5
FLAT = GRAY_LEVEL / 2  # detail that is less is none
SMALL, WINDOW, PERIOD = 32, 32, 4  # px


def examine(task: Task, rows: Mapping[str, Tensor], real: Tensor | None = None) -> list[str]:
    """Look for faults in the rows of a preview, and return a line for each.

    Args:
        task: Says which rows to compare, and what cures a fault.
        rows: By title, each (B, C, H, W) in [-1, 1].
        real: Real pictures, where the rows are pictures from nothing.
    """
    found = [("", name) for name in _faults_of(task, torch.cat(list(rows.values())), real)] if real is not None else []
    for source, made, truth in task.watched:
        faults = compare(task, rows[source], rows[made], rows[truth])
        answers = [row for title, row in rows.items() if title.startswith("answer ")]
        if getattr(task, "z_dim", 0) and len(answers) > 1 and ignores_z(answers, rows[source], rows[truth]):
            faults.append("one answer")
        found += [(f"{made}: " if len(task.watched) > 1 else "", name) for name in faults]
    return [f"{where}{WORDS[name]}: try {cure(task, name)}" for where, name in found if name in task.cures]


def compare(task: Task, source: Tensor, made: Tensor, real: Tensor) -> list[str]:
    """Return the faults of what was `made` of `source`, all (B, C, H, W) in [-1, 1]; of pairs, `real` is the truth."""
    paired, faults = task.data != "unpaired", _faults_of(task, made, real)
    if source.shape == made.shape:
        if not paired and source.shape[1] == 3 and inverted(source, made):
            faults.append("inverted")
        if is_identity(source, made, real if paired else None):
            faults.append("copies")
    if is_collapsed(made, source, real):
        faults.append("alike")
    return faults


def _faults_of(task: Task, made: Tensor, real: Tensor) -> list[str]:
    return ["checkerboard"] if "checkerboard" in task.cures and checkerboard(made, real) else []


def cure(task: Task, fault: str) -> str:
    """Return the option that usually cures `fault`; networks without transposed convolutions need no other network."""
    told = task.cures[fault]
    G = task.get_submodule(task.exports[0])
    turned = any(isinstance(module, torch.nn.ConvTranspose2d) for module in G.modules())
    return told if fault != "checkerboard" or turned else "half of --train.lr"


def inverted(source: Tensor, made: Tensor) -> bool:
    """Whether light and dark, or the colours, are turned round in most of some pictures (B, 3, H, W)."""
    return bool(min(agreement(source, made)) < INVERTED)


def agreement(source: Tensor, made: Tensor) -> tuple[float, float]:
    """Return the correlation of lightness, and that of colours, of two versions of pictures (B, 3, H, W).

    Each is the median over the pictures, from -1, turned round, to 1; 0 of gray ones.
    """
    one, other = opponents(source), opponents(made)
    return _correlation(one[:, :1], other[:, :1]), _correlation(one[:, 1:], other[:, 1:])


def opponents(pictures: Tensor) -> Tensor:
    """Turn small copies of RGB pictures into lightness, red to green and blue to yellow, each less its mean."""
    r, g, b = F.adaptive_avg_pool2d(pictures.float(), SMALL).unbind(1)
    planes = torch.stack([(r + g + b) / 3, (r - g) / 2, b / 2 - (r + g) / 4], 1)
    return planes - planes.mean((2, 3), keepdim=True)


def _correlation(one: Tensor, other: Tensor) -> float:
    """Return the median correlation of planes (B, C, H, W); what hardly varies correlates with nothing."""
    one, other = one.flatten(1), other.flatten(1)
    size = one.square().mean(1).sqrt().clamp_min(0.02) * other.square().mean(1).sqrt().clamp_min(0.02)
    return float(((one * other).mean(1) / size).median())


def is_identity(source: Tensor, made: Tensor, truth: Tensor | None = None) -> bool:
    """Whether most outputs (B, C, H, W) are their inputs, nearly: next to the contrast of these, or to the truth."""
    away = _rms(made - source)
    if truth is None:
        return bool((away / _rms(source - source.mean((2, 3), keepdim=True)).clamp_min(0.02)).median() < COPIED)
    return bool((away / _rms(truth - source).clamp_min(0.02)).median() < COPIED_PAIR)


def is_collapsed(made: Tensor, *others: Tensor) -> bool:
    """Whether outputs (B, C, H, W) are much more alike than any of `others` are: inputs, real pictures."""
    return len(made) > 1 and pairwise_spread(made) < ALIKE * min(pairwise_spread(other) for other in others)


def ignores_z(answers: Sequence[Tensor], source: Tensor, truth: Tensor) -> bool:
    """Whether several answers (B, C, H, W) hardly differ, next to the way from the source to the truth."""
    apart = torch.stack([_rms(one - other) for one, other in zip(answers, answers[1:], strict=False)]).mean(0)
    way = _rms(truth - source) if truth.shape == source.shape else _rms(truth)
    return bool((apart / way.clamp_min(0.02)).median() < ONE)


def checkerboard(made: Tensor, real: Tensor) -> bool:
    """Whether pictures (B, C, H, W) have a pattern that repeats every 2 or 4 px, as real ones do not.

    Transposed convolutions leave such (Odena et al., 2016, https://distill.pub/2016/deconv-checkerboard).
    """
    (share, strength), (usual, _) = periodic(made), periodic(real)
    return share > max(DETAIL, CHECKERED * usual) and strength > GRAY_LEVEL


def periodic(pictures: Tensor) -> tuple[float, float]:
    """Return the part of the fine detail of pictures (B, C, H, W) that repeats every 4 px, 0 to 1, and its size.

    Within a window of 32 px the detail is averaged over all places that are a multiple of 4 px apart; of noise, 1/64
    stays. Both are medians over the windows that have any detail.
    """
    gray = pictures.float().mean(1, keepdim=True)
    fine = gray - F.avg_pool2d(gray, 5, stride=1, padding=2, count_include_pad=False)
    side = min(WINDOW, *(n // PERIOD * PERIOD for n in fine.shape[2:]))
    windows = F.unfold(fine, side, stride=side).transpose(1, 2).reshape(-1, side, side)
    repeats = windows.unflatten(2, (-1, PERIOD)).unflatten(1, (-1, PERIOD)).mean((1, 3))
    kept, whole = repeats.var((1, 2), correction=0), windows.square().mean((1, 2))
    told = whole > FLAT**2
    if not told.any():
        return 0.0, 0.0
    return float((kept[told] / whole[told]).median()), float(kept[told].median().sqrt())


def _rms(difference: Tensor) -> Tensor:
    """Root mean square of each of (B, C, H, W): (B,)."""
    return difference.float().square().flatten(1).mean(1).sqrt()
