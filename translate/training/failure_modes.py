"""Faults in the sample grids of a run, and the option that usually helps against each."""

__all__ = ["examine", "has_checkerboard", "ignores_z", "is_blank", "is_collapsed", "is_identity", "is_inverted"]

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from translate.metrics.diversity import pairwise_spread
from translate.tasks import Task
from translate.training.findings import Finding

INVERTED_CORRELATION = -0.5  # of source and output: merely paler or grayer outputs stay above
IDENTITY_OF_CONTRAST = 0.05  # a copy is nearer to its source than this part of the source's contrast
IDENTITY_OF_CHANGE = 0.2  # the same for pairs, as a part of the distance from source to truth
CHECKERBOARD_RATIO = 3.0  # of the periodic share of the detail to that of real pictures
MIN_PERIODIC_SHARE = 0.07  # of the fine detail: less is not visible
COLLAPSED_SPREAD = 0.2  # of the spread of real pictures and of sources: outputs that vary less have collapsed
BLANK_CONTRAST = 0.1  # of the contrast of real pictures: flatter outputs are blank
Z_EFFECT = 0.02  # of the distance from source to truth: outputs that differ less ignore z
MIN_CONTRAST = 0.02  # root mean square: flatter pictures have no colours or shapes to compare
GRAY_LEVEL = 1 / 127.5
FLAT_DETAIL = GRAY_LEVEL / 2  # root mean square: a window below it has no detail
THUMBNAIL_PX, WINDOW_PX, PERIOD_PX = 32, 32, 4


def examine(task: Task, rows: Mapping[str, Tensor], real: Tensor | None = None) -> list[Finding]:
    """Find the faults in the rows of a preview, by title, each (B, C, H, W) in [-1, 1].

    `task` defines the rows to compare and the remedies; `real` are real pictures, if the rows come from latents.
    """
    # generated pictures
    findings = [] if real is None else _report(task, _own_faults(task, torch.cat(list(rows.values())), real))
    # translations
    for source, output, truth in task.compared_rows:
        kinds = compare(task, rows[source], rows[output], rows[truth])
        answers = [row for title, row in rows.items() if title.startswith("answer ")]
        if getattr(task, "z_dim", 0) and len(answers) > 1 and ignores_z(answers, rows[source], rows[truth]):
            kinds.append("ignores_z")
        where = f"{output}: " if len(task.compared_rows) > 1 else ""
        findings += [replace(one, message=where + one.message) for one in _report(task, kinds)]
    return findings


def _report(task: Task, kinds: Sequence[str]) -> list[Finding]:
    return [Finding.of(kind, f"try {choose_remedy(task, kind)}") for kind in kinds if kind in task.remedies]


def compare(task: Task, source: Tensor, output: Tensor, real: Tensor) -> list[str]:
    """Return the kinds of faults in outputs, all (B, C, H, W) in [-1, 1]; of pairs, `real` are the true targets."""
    paired, kinds = task.data != "unpaired", _own_faults(task, output, real)
    if "blank" in kinds:  # which explains all other faults
        return kinds
    if source.shape == output.shape:
        if not paired and source.shape[1] == 3 and is_inverted(source, output):
            kinds.append("inverted")
        if is_identity(source, output, real if paired else None):
            kinds.append("identity")
    if is_collapsed(output, source, real):
        kinds.append("collapse")
    return kinds


def _own_faults(task: Task, output: Tensor, real: Tensor) -> list[str]:
    """Return the faults that the outputs have by themselves."""
    if is_blank(output, real):
        return ["blank"]
    return ["checkerboard"] if "checkerboard" in task.remedies and has_checkerboard(output, real) else []


def choose_remedy(task: Task, kind: str) -> str:
    """Return the option that usually helps; a G without transposed convolutions needs no other network."""
    G = task.get_submodule(task.exports[0])
    transposed = any(isinstance(module, torch.nn.ConvTranspose2d) for module in G.modules())
    return "half of --train.lr" if kind == "checkerboard" and not transposed else task.remedies[kind]


def is_inverted(source: Tensor, output: Tensor) -> bool:
    """Whether lightness or colours are inverted in most pictures (B, 3, H, W)."""
    return bool(min(colour_correlation(source, output)) < INVERTED_CORRELATION)


def colour_correlation(source: Tensor, output: Tensor) -> tuple[float, float]:
    """Return the correlations of lightness and of colours between two versions of pictures (B, 3, H, W).

    Both are medians over the pictures, from -1 (inverted) to 1, and 0 for gray pictures.
    """
    one, other = opponent_colours(source), opponent_colours(output)
    return _correlation(one[:, :1], other[:, :1]), _correlation(one[:, 1:], other[:, 1:])


def opponent_colours(pictures: Tensor) -> Tensor:
    """Convert RGB pictures to thumbnails of lightness, red-green and blue-yellow, each less its mean."""
    r, g, b = F.adaptive_avg_pool2d(pictures.float(), THUMBNAIL_PX).unbind(1)
    planes = torch.stack([(r + g + b) / 3, (r - g) / 2, b / 2 - (r + g) / 4], 1)
    return planes - planes.mean((2, 3), keepdim=True)


def _correlation(one: Tensor, other: Tensor) -> float:
    """Return the median correlation of planes (B, C, H, W); flat planes correlate with nothing."""
    one, other = one.flatten(1), other.flatten(1)
    size = one.square().mean(1).sqrt().clamp_min(MIN_CONTRAST) * other.square().mean(1).sqrt().clamp_min(MIN_CONTRAST)
    return float(((one * other).mean(1) / size).median())


def is_identity(source: Tensor, output: Tensor, truth: Tensor | None = None) -> bool:
    """Whether most outputs (B, C, H, W) nearly equal their sources, relative to the source's contrast or the truth."""
    change = _rms(output - source)
    if truth is None:
        contrast = _rms(source - source.mean((2, 3), keepdim=True))
        return bool((change / contrast.clamp_min(MIN_CONTRAST)).median() < IDENTITY_OF_CONTRAST)
    return bool((change / _rms(truth - source).clamp_min(MIN_CONTRAST)).median() < IDENTITY_OF_CHANGE)


def is_blank(output: Tensor, real: Tensor) -> bool:
    """Whether most outputs (B, C, H, W) have no contrast, where real pictures have some."""
    contrast, usual = (_rms(x - x.mean((2, 3), keepdim=True)).median() for x in (output, real))
    return bool(contrast < min(MIN_CONTRAST, BLANK_CONTRAST * float(usual)))


def is_collapsed(output: Tensor, *others: Tensor) -> bool:
    """Whether outputs (B, C, H, W) vary much less than each set of `others`: sources, real pictures."""
    return len(output) > 1 and pairwise_spread(output) < COLLAPSED_SPREAD * min(map(pairwise_spread, others))


def ignores_z(answers: Sequence[Tensor], source: Tensor, truth: Tensor) -> bool:
    """Whether outputs (B, C, H, W) for several z hardly differ, relative to the distance from source to truth."""
    spread = torch.stack([_rms(one - other) for one, other in zip(answers, answers[1:], strict=False)]).mean(0)
    change = _rms(truth - source) if truth.shape == source.shape else _rms(truth)
    return bool((spread / change.clamp_min(MIN_CONTRAST)).median() < Z_EFFECT)


def has_checkerboard(output: Tensor, real: Tensor) -> bool:
    """Whether pictures (B, C, H, W) have a pattern that repeats every 2 or 4 px, as real ones do not.

    Transposed convolutions leave it (Odena et al., 2016, https://distill.pub/2016/deconv-checkerboard).
    """
    (share, strength), (real_share, _) = periodic_detail(output), periodic_detail(real)
    return share > max(MIN_PERIODIC_SHARE, CHECKERBOARD_RATIO * real_share) and strength > GRAY_LEVEL


def periodic_detail(pictures: Tensor) -> tuple[float, float]:
    """Return the share of the fine detail of pictures (B, C, H, W) that repeats every 4 px, 0 to 1, and its amplitude.

    In each window of 32 px the detail is averaged over all places that are multiples of 4 px apart; of noise, 1/64
    remains. Both values are medians over the windows that have any detail.
    """
    gray = pictures.float().mean(1, keepdim=True)
    fine = gray - F.avg_pool2d(gray, 5, stride=1, padding=2, count_include_pad=False)
    side = min(WINDOW_PX, *(n // PERIOD_PX * PERIOD_PX for n in fine.shape[2:]))
    windows = F.unfold(fine, side, stride=side).transpose(1, 2).reshape(-1, side, side)
    repeats = windows.unflatten(2, (-1, PERIOD_PX)).unflatten(1, (-1, PERIOD_PX)).mean((1, 3))
    periodic, whole = repeats.var((1, 2), correction=0), windows.square().mean((1, 2))
    detailed = whole > FLAT_DETAIL**2
    if not detailed.any():
        return 0.0, 0.0
    return float((periodic[detailed] / whole[detailed]).median()), float(periodic[detailed].median().sqrt())


def _rms(difference: Tensor) -> Tensor:
    """Return the root mean square of each picture, (B, C, H, W) to (B,)."""
    return difference.float().square().flatten(1).mean(1).sqrt()
