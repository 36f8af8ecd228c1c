"""Five kinds of fringe: hair over the forehead."""

__all__ = ["FRINGES", "fringe_locks"]

from collections.abc import Callable

import numpy as np

from translate.synthetic.faces.factors import Part, Portrait
from translate.synthetic.faces.hair import Lock

Rng = np.random.Generator


def fringe_locks(portrait: Portrait) -> list[Lock]:
    """Return the locks over the forehead, in the order in which they are drawn."""
    return FRINGES[portrait.fringe](portrait.stream(Part.FRINGE))


def _straight(rng: Rng) -> list[Lock]:
    """Cut the hair in a line above the eyes."""
    level = rng.uniform(-0.30, -0.20)
    locks = []
    for x in sorted(np.linspace(-0.88, 0.88, 9), key=lambda v: -abs(v)):
        tip = (x + rng.uniform(-0.05, 0.05), level + 0.16 * x * x + rng.uniform(-0.08, 0.08))
        locks.append(Lock((0.35 * x, -1.24), (0.95 * x, -1.05), tip, rng.uniform(0.24, 0.40), 0.6))
    return locks


def _parted(rng: Rng) -> list[Lock]:
    """Part the hair in the middle, so that it falls to both sides."""
    middle = rng.uniform(-0.12, 0.12)
    locks = []
    for side in (-1, 1):
        for reach, low, wide in ((0.94, 0.24, 0.34), (0.80, 0.0, 0.34), (0.62, -0.22, 0.32), (0.42, -0.38, 0.28)):
            tip = (side * reach + rng.uniform(-0.04, 0.04), low + rng.uniform(-0.06, 0.06))
            locks.append(Lock((middle + side * 0.05, -1.24), (middle + side * 0.8 * reach, -1.12), tip, wide, 0.35))
    return locks


def _side(rng: Rng) -> list[Lock]:
    """Sweep the hair over the forehead from a parting at one side."""
    side = -1 if rng.random() < 0.5 else 1
    root = (side * 0.5, -1.2)
    locks = [
        Lock(root, (side * 0.9, -1.05), (side * 0.95, 0.12), 0.3, 0.35),
        Lock(root, (side * 0.8, -1.0), (side * 0.80, -0.3), 0.26, 0.35),
    ]
    for reach, low in ((-0.96, 0.24), (-0.78, -0.02), (-0.56, -0.14), (-0.28, -0.20), (0.02, -0.30), (0.28, -0.52)):
        tip = (side * reach + rng.uniform(-0.04, 0.04), low + rng.uniform(-0.05, 0.05))
        locks.append(Lock(root, (side * (0.45 * reach - 0.05), -1.16), tip, 0.36, 0.4))
    return locks


def _spiky(rng: Rng) -> list[Lock]:
    """Return pointed tufts of different lengths."""
    lean = rng.uniform(-0.12, 0.12)
    locks = []
    for k, x in enumerate(np.linspace(-0.92, 0.92, 8)):
        low = (-0.10 if k % 2 else -0.40) + rng.uniform(-0.08, 0.08) + 0.2 * x * x
        tip = (x + lean + rng.uniform(-0.07, 0.07), low)
        locks.append(Lock((0.6 * x, -1.2), (0.95 * x - lean, -0.8), tip, 0.40, 0.0))
    return [locks[k] for k in (0, 7, 2, 5, 4, 6, 1, 3)]


def _none(rng: Rng) -> list[Lock]:
    """Comb the hair back from the hairline, which stays visible; two thin strands have come loose."""
    locks = []
    for k, x in enumerate(np.linspace(-0.74, 0.74, 9)):
        root = (x, -0.86 + 0.36 * x * x)
        tip = (0.66 * x + rng.uniform(-0.05, 0.05), (-1.36 if k % 2 else -1.24) + 0.2 * x * x)
        locks.append(Lock(root, (0.96 * x, -1.12 + 0.2 * x * x), tip, 0.17, -0.4))
    side = -1 if rng.random() < 0.5 else 1
    for x in (0.30, 0.42):
        tip = (side * (x + 0.12), rng.uniform(-0.5, -0.25))
        locks.append(Lock((side * x, -0.95), (side * (x + 0.22), -0.7), tip, 0.1))
    return locks


FRINGES: dict[str, Callable[[Rng], list[Lock]]] = {
    "straight": _straight,
    "parted": _parted,
    "side": _side,
    "spiky": _spiky,
    "none": _none,
}
