"""Faults in the sample grids of a run, and the option that usually helps against each."""

__all__ = [
    "examine", "ignores_z", "is_blank", "is_collapsed", "is_identity", "is_inverted", "lattice_excess",
    "returns_all_inputs", "returns_input",
]  # fmt: skip

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from translate.metrics.diversity import pairwise_spread
from translate.metrics.lattice import lattice
from translate.tasks import Task
from translate.training.monitors.findings import Finding

INVERTED_CORRELATION = -0.5  # of source and output: merely paler or grayer outputs stay above
IDENTITY_OF_CONTRAST = 0.05  # a copy is nearer to its source than this part of the source's contrast
IDENTITY_OF_CHANGE = 0.2  # the same for pairs, as a part of the distance from source to truth
RETURNED_CHANGE = 0.25  # the change of a returned input, as a part of the source's contrast,
RETURNED_RESIDUAL = 0.1  # and what no linear map of its colours explains, as a part of the output's contrast
MIN_LATTICE = 0.5  # gray levels: less is not visible
LATTICE_RATIO = 1.5  # to the lattice of as many real pictures, their content included
SURE_LATTICE = 2.5  # times what the content of the outputs leaves by chance
COLLAPSED_SPREAD = 0.2  # of the spread of real pictures and of sources: outputs that vary less have collapsed
BLANK_CONTRAST = 0.1  # of the contrast of real pictures: flatter outputs are blank
Z_EFFECT = 0.02  # of the distance from source to truth: outputs that differ less ignore z
MIN_CONTRAST = 0.02  # root mean square: flatter pictures have no colours or shapes to compare
THUMBNAIL_PX = 32


def examine(
    task: Task, rows: Mapping[str, Tensor], real: Tensor | None = None, *, at_chance: bool = False
) -> list[Finding]:
    """Find the faults in the rows of a preview, by title, each (B, C, H, W) in [-1, 1].

    `task` defines the rows to compare and the remedies; `real` are real pictures, if the rows come from latents;
    `at_chance` says that no discriminator tells anything apart.
    """
    # generated pictures
    findings = [] if real is None else _own_faults(task, torch.cat(list(rows.values())), real)
    # translations
    if at_chance and returns_all_inputs(task, rows):
        return _report(task, "learns_nothing")
    for source, output, truth in task.compared_rows:
        found = compare(task, rows[source], rows[output], rows[truth])
        answers = [row for title, row in rows.items() if title.startswith("answer ")]
        if getattr(task, "z_dim", 0) and len(answers) > 1 and ignores_z(answers, rows[source], rows[truth]):
            found += _report(task, "ignores_z")
        findings += [replace(one, where=output if len(task.compared_rows) > 1 else "") for one in found]
    return findings


def _report(task: Task, kind: str, **details: float) -> list[Finding]:
    """Return a finding of this kind, unless the task has no remedy for it."""
    return [Finding.of(kind, f"try {choose_remedy(task, kind)}", **details)] if kind in task.remedies else []


def compare(task: Task, source: Tensor, output: Tensor, real: Tensor) -> list[Finding]:
    """Return the faults in outputs, all (B, C, H, W) in [-1, 1]; of pairs, `real` are the true targets."""
    paired, findings = task.data != "unpaired", _own_faults(task, output, real)
    if any(finding.kind == "blank" for finding in findings):  # which explains all other faults
        return findings
    if source.shape == output.shape:
        if not paired and source.shape[1] == 3 and is_inverted(source, output):
            findings += _report(task, "inverted")
        if is_identity(source, output, real if paired else None):
            findings += _report(task, "identity")
    return findings + (_report(task, "collapse") if is_collapsed(output, source, real) else [])


def _own_faults(task: Task, output: Tensor, real: Tensor) -> list[Finding]:
    """Return the faults that the outputs have by themselves."""
    if is_blank(output, real):
        return _report(task, "blank")
    strength, factor = lattice_excess(output, real)
    return _report(task, "checkerboard", strength=strength, factor=factor) if factor else []


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


def returns_all_inputs(task: Task, rows: Mapping[str, Tensor]) -> bool:
    """Whether every compared row of a preview is nearly its source."""
    pairs = [(rows[source], rows[output]) for source, output, _ in task.compared_rows]
    return bool(pairs) and all(returns_input(*pair) for pair in pairs)


def returns_input(source: Tensor, output: Tensor) -> bool:
    """Whether most outputs (B, C, H, W) are their sources with slightly other colours: no shape or texture changes."""
    if source.shape != output.shape:
        return False
    # how much changes at all
    x, y = (p.float().flatten(2) - p.float().flatten(2).mean(2, keepdim=True) for p in (source, output))
    change = _rms(output - source) / _rms(x).clamp_min(MIN_CONTRAST)
    # and how much of it no linear map of the colours explains: least squares, also where colours are all gray
    gram = x @ x.mT / x.shape[2] + MIN_CONTRAST**2 * torch.eye(x.shape[1], device=x.device)
    fit = torch.linalg.solve(gram, x @ y.mT / x.shape[2])
    residual = _rms(y - fit.mT @ x) / _rms(y).clamp_min(MIN_CONTRAST)
    return bool(change.median() < RETURNED_CHANGE and residual.median() < RETURNED_RESIDUAL)


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


def lattice_excess(output: Tensor, real: Tensor) -> tuple[float, float]:
    """Return the lattice of outputs (B, C, H, W) in gray levels and as a multiple of real ones'; zeros if it is usual.

    Transposed convolutions leave it (Odena et al., 2016, https://distill.pub/2016/deconv-checkerboard), and generators
    that have nothing to tell one flat place from another.
    """
    found, usual = lattice(output), max(lattice(real).whole, MIN_LATTICE / LATTICE_RATIO)
    if found.strength < max(LATTICE_RATIO * usual, SURE_LATTICE * found.chance):
        return 0.0, 0.0
    return found.strength, found.strength / usual


def _rms(difference: Tensor) -> Tensor:
    """Return the root mean square of each picture, (B, C, H, W) to (B,)."""
    return difference.float().square().flatten(1).mean(1).sqrt()
