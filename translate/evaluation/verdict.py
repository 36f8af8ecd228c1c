"""Whether results are better than the untouched input: only if all semantic features say so, beyond chance.

DCT features alone prefer some patterns, and even the untouched input with more contrast, to better pictures.
"""

__all__ = ["UNTOUCHED", "explain_verdict", "is_better"]

from collections.abc import Mapping

from translate.evaluation.panel import DCT
from translate.evaluation.report import Row

UNTOUCHED = "untouched input"
MIN_LEAD = 2.0  # standard errors of the difference between two kernel distances
MANY_COPIES = 0.1  # share of near-copies that a line mentions


def is_better(leads: Mapping[str, float]) -> bool | None:
    """Whether results beat the untouched input, given their leads in standard errors by the titles of networks.

    >>> is_better({"DCT": 9.0, "SqueezeNet": -1.0}), is_better({"DCT": -1.0, "SqueezeNet": 5.0})
    (False, True)

    None without semantic features: DCT features alone cannot tell.
    """
    semantic = [lead for title, lead in leads.items() if title != DCT]
    return min(semantic) >= MIN_LEAD if semantic else None


def explain_verdict(row: Row, target: str) -> list[str]:
    """Say in plain lines whether the pictures of a row are nearer to `target` than the untouched input."""
    leads = {title: score.lead for title, score in row.kernels.items() if score.lead is not None}
    semantic = " and ".join(title for title in leads if title != DCT)
    lines = []
    if row.near_copies is not None and row.near_copies >= MANY_COPIES:
        lines.append(f"{row.near_copies:.0%} of the answers of {row.name} are their input nearly unchanged")
    if not leads:
        return lines
    by_dct = leads[DCT] >= MIN_LEAD
    claim = f"{row.name} is nearer to {target} than the untouched input"
    if row.better is None:
        return [*lines, f"DCT features alone do not tell whether {row.name} is better than the untouched input"]
    if row.better and by_dct:
        return [*lines, f"{claim}, by DCT and {semantic} features"]
    if row.better:
        return [*lines, f"{claim}, by {semantic} features; DCT features disagree, and the semantic ones decide"]
    if by_dct:
        line = f"{row.name} is NOT better than the untouched input: DCT features call it nearer to {target}, but"
        return [*lines, f"{line} {semantic} features do not, and the semantic ones decide"]
    return [*lines, f"{row.name} is NOT better than the untouched input, by DCT and {semantic} features"]
