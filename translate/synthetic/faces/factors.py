"""The factors of a portrait, their values and frequencies."""

__all__ = ["COLUMNS", "FACTORS", "HAIR_LENGTHS", "Part", "Portrait", "factor_row", "sample_factors"]

from dataclasses import dataclass
from enum import IntEnum, auto

import numpy as np

Rng = np.random.Generator

FACTORS: dict[str, dict[str, float]] = {  # frequency of each value of each factor
    "gender": {"woman": 0.55, "man": 0.45},
    "hair_colour": {
        "black": 0.14, "brown": 0.15, "blonde": 0.13, "red": 0.11, "silver": 0.10, "pink": 0.10, "blue": 0.10,
        "green": 0.08, "purple": 0.09,
    },
    "hair_length": {"short": 0.43, "medium": 0.31, "long": 0.26},
    "fringe": {"straight": 0.21, "parted": 0.22, "side": 0.22, "spiky": 0.21, "none": 0.14},
    "eye_colour": {"brown": 0.19, "blue": 0.19, "green": 0.17, "red": 0.15, "purple": 0.15, "amber": 0.15},
    "eye_shape": {"round": 0.4, "narrow": 0.32, "sleepy": 0.28},
    "mouth": {"smile": 0.3, "neutral": 0.24, "open": 0.24, "frown": 0.22},
    "glasses": {"none": 0.6, "glasses": 0.4},
    "frame": {"black": 0.3, "red": 0.25, "blue": 0.25, "green": 0.2},
    "skin": {"fair": 0.5, "tan": 0.28, "dark": 0.22},
    "turn": {"left": 0.3, "front": 0.4, "right": 0.3},
    "blush": {"none": 0.6, "blush": 0.4},
    "background": {"white": 0.22, "sky": 0.2, "rose": 0.16, "mint": 0.16, "cream": 0.14, "lilac": 0.12},
    "clothing": {"sailor": 0.25, "shirt": 0.25, "hoodie": 0.25, "turtleneck": 0.25},
    "clothes_colour": {"navy": 0.2, "red": 0.16, "white": 0.16, "green": 0.16, "grey": 0.16, "yellow": 0.16},
}  # fmt: skip
HAIR_LENGTHS = {  # the one factor that depends on another: shares of FACTORS["hair_length"] by gender
    "woman": {"short": 0.27, "medium": 0.35, "long": 0.38},
    "man": {"short": 0.63, "medium": 0.26, "long": 0.11},
}
TURNS = {"left": (-28.0, -15.0), "front": (-5.0, 5.0), "right": (15.0, 28.0)}  # degrees
TILT_DEVIATION = 6.0  # degrees, the standard deviation
MAX_TILT = 12.0  # degrees
COLUMNS = ("file", *FACTORS, "turn_degrees", "tilt_degrees")


class Part(IntEnum):
    """The parts of a picture that have a random stream of their own."""

    COLOURS = auto()
    BACKDROP = auto()
    POSE = auto()
    EYES = auto()
    GLASSES = auto()
    BACK_HAIR = auto()
    SIDE_LOCKS = auto()
    SPIKES = auto()
    FRINGE = auto()
    SHINE = auto()


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """The factors of one portrait; the values are those of `FACTORS`.

    Attributes:
        frame: colour of the glasses; without glasses it has no effect.
        turn_degrees: turn of the head to the picture's right; negative is left.
        tilt_degrees: tilt of the head to the picture's right.
        seed: of everything else: fall of the locks, exact shade of each colour, size and position of the head.
    """

    gender: str
    hair_colour: str
    hair_length: str
    fringe: str
    eye_colour: str
    eye_shape: str
    mouth: str
    glasses: str
    frame: str
    skin: str
    blush: str
    background: str
    clothing: str
    clothes_colour: str
    turn_degrees: float
    tilt_degrees: float
    seed: int

    def __post_init__(self) -> None:
        for factor, words in FACTORS.items():
            assert getattr(self, factor) in words, (factor, getattr(self, factor))

    @property
    def turn(self) -> str:
        """Return `turn_degrees` as a word."""
        return min(TURNS, key=lambda word: abs(self.turn_degrees - sum(TURNS[word]) / 2))

    @property
    def man(self) -> bool:
        """Whether the face is drawn as a man's."""
        return self.gender == "man"

    def stream(self, part: Part) -> Rng:
        """Return the random generator of one part of the picture; a changed factor does not affect other parts."""
        return np.random.default_rng((self.seed, part))


def sample_factors(rng: Rng) -> Portrait:
    """Sample all factors independently, except the length of the hair, which depends on the gender."""
    words = {factor: _choose(rng, shares) for factor, shares in FACTORS.items()}
    words["hair_length"] = _choose(rng, HAIR_LENGTHS[words["gender"]])
    turn = rng.uniform(*TURNS[words.pop("turn")])
    tilt = np.clip(rng.normal(0, TILT_DEVIATION), -MAX_TILT, MAX_TILT)
    return Portrait(**words, turn_degrees=float(turn), tilt_degrees=float(tilt), seed=int(rng.integers(1 << 31)))


def factor_row(file: str, portrait: Portrait) -> tuple[str, ...]:
    """Return the row of `COLUMNS` of the picture `file`; a frame without glasses is "none"."""
    words = {factor: getattr(portrait, factor) for factor in FACTORS}
    if portrait.glasses == "none":
        words["frame"] = "none"
    return file, *words.values(), f"{portrait.turn_degrees:.1f}", f"{portrait.tilt_degrees:.1f}"


def _choose(rng: Rng, shares: dict[str, float]) -> str:
    odds = np.fromiter(shares.values(), float)
    return list(shares)[rng.choice(len(odds), p=odds / odds.sum())]
