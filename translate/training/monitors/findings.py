"""Faults of a run, in words: one type for all monitors of losses, previews and generated pictures."""

__all__ = ["MIN_JUDGED_PICTURES", "Finding", "Verdict"]

from dataclasses import dataclass
from typing import Any, Self

MIN_JUDGED_PICTURES = 200  # learned from: before, a network has hardly left its random weights
MESSAGES = {
    # divergence: the run goes back to its newest state
    "loss_not_finite": "the loss {name} is not a finite number",
    "weights_not_finite": "its weights or their moments are not all finite numbers",
    "explosion": "its losses rose to {ratio:.3g} times what is usual",
    # divergence: the discriminator is useless
    "strong_d": "D TELLS EVERY PICTURE APART, so that G learns little from it",
    "blind_d": "D COLLAPSED and says the same of every picture",
    # failure_modes
    "blank": "it makes BLANK pictures, of one colour each",
    "inverted": "the colours come out INVERTED",
    "identity": "it COPIES ITS INPUT",
    "learns_nothing": "it LEARNS NOTHING: the generator returns its input, and D tells nothing apart",
    "checkerboard": "it draws a LATTICE: what repeats every 8 px has {strength:.1f} gray levels, {factor:.2g} times as"
    " many as in real pictures",
    "collapse": "it COLLAPSES to nearly one picture, whatever the input",
    "ignores_z": "it has ONE ANSWER, whatever the look",
    # mode_collapse
    "few_pictures": "it COLLAPSES to few pictures{of_what}",
    "memorized": "it LEARNS PICTURES BY HEART",
}


@dataclass(frozen=True)
class Finding:
    """A fault of a run."""

    kind: str  # key of MESSAGES
    message: str
    remedy: str = ""  # what the user can do; "" if the run itself reacts
    where: str = ""  # the row of a preview that shows it, if it has several

    @classmethod
    def of(cls, kind: str, remedy: str = "", **details: Any) -> Self:
        """Return a finding with the message of its kind, filled in with `details`."""
        return cls(kind, MESSAGES[kind].format(**details), remedy)

    def __str__(self) -> str:
        parts = (self.where, self.message, self.remedy)
        return ": ".join(part for part in parts if part)


@dataclass(frozen=True)
class Verdict:
    """Whether the last pictures of a run look healthy."""

    learned: int  # pictures that the run has learned from, repeated ones counted
    findings: tuple[str, ...] = ()  # the faults of its last pictures
    judged: bool = True  # whether it has learned from enough pictures to be judged
    young: bool = False  # whether a longer run may mend the faults

    @property
    def healthy(self) -> bool:
        """Whether nothing is known to be wrong."""
        return not self.findings

    def __str__(self) -> str:
        if not self.judged:
            return f"whether its pictures are healthy cannot be said yet: it has learned from {self.learned} only"
        if self.healthy:
            return "its pictures look healthy"
        more = f"; it has learned from {self.learned} pictures only, so a longer run may mend it" if self.young else ""
        return f"its pictures DO NOT look healthy: {'; '.join(self.findings)}{more}"
