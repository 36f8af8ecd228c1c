"""The `handbags` line: sketches and catalogue photos of made-up handbags."""

__all__ = ["HANDBAGS", "KINDS", "Kind", "build", "dress", "jobs"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from translate.synthetic.draw_all import Job
from translate.synthetic.products.dataset import Line, line_jobs
from translate.synthetic.products.handbags.assembly import sew
from translate.synthetic.products.handbags.closed import clutch, doctor, quilted, satchel
from translate.synthetic.products.handbags.open import bucket, hobo, tote
from translate.synthetic.products.handbags.pattern import Bench, frame
from translate.synthetic.products.handbags.zipped import backpack, bowling
from translate.synthetic.products.palette import Look, Paint, Scheme, contrast, draw_scheme, mix, tint
from translate.synthetic.products.product import Product

Rng = np.random.Generator
Range = tuple[float, float]

SIDE_VIEW_SHARE = 0.5  # share of bags that show a side panel


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of handbag.

    Attributes:
        draw: lays its pieces on the bench.
        share: of all bags.
        height: of its body, in body widths.
        depth: of its bottom, in body widths.
        taper: depth at its top, as a share of the bottom's.
        foot: half the width of its bottom, in body widths.
        pitch: downward tilt of the camera, radians.
        soft: deviation of its outlines, in picture widths.
        materials: of its body, and their frequencies.
    """

    draw: Callable[[Bench], None]
    share: float
    height: Range
    depth: Range
    taper: Range
    soft: float
    materials: Mapping[str, float]
    foot: float = 0.45
    pitch: Range = (0.14, 0.3)


LEATHERS = {"leather": 5, "smooth": 4, "suede": 1.5, "nubuck": 1, "patent": 1.2, "croc": 0.4, "canvas": 1}
STIFF = {"smooth": 5, "leather": 4, "patent": 2, "croc": 0.6, "suede": 1}
SOFT = {"leather": 5, "smooth": 3, "suede": 3, "nubuck": 2, "canvas": 1}

KINDS = {
    "tote": Kind(
        draw=tote, share=0.18, height=(0.7, 1.05), depth=(0.22, 0.36), taper=(0.7, 1.1), soft=0.006, foot=0.38,
        pitch=(0.2, 0.36), materials=LEATHERS | {"canvas": 4, "straw": 1.2},
    ),
    "satchel": Kind(
        draw=satchel, share=0.16, height=(0.6, 0.8), depth=(0.22, 0.32), taper=(0.6, 1.0), soft=0.003,
        materials=LEATHERS,
    ),
    "quilted": Kind(
        draw=quilted, share=0.14, height=(0.56, 0.74), depth=(0.18, 0.27), taper=(0.85, 1.0), soft=0.003,
        materials={"leather": 2, "smooth": 4, "patent": 2, "suede": 1, "satin": 1.5},
    ),
    "hobo": Kind(
        draw=hobo, share=0.12, height=(0.66, 0.85), depth=(0.12, 0.2), taper=(0.6, 1.0), soft=0.008, foot=0.28,
        materials=SOFT,
    ),
    "clutch": Kind(
        draw=clutch, share=0.1, height=(0.5, 0.66), depth=(0.07, 0.12), taper=(0.7, 1.0), soft=0.002,
        materials=STIFF | {"satin": 3},
    ),
    "backpack": Kind(
        draw=backpack, share=0.1, height=(0.95, 1.15), depth=(0.24, 0.34), taper=(0.75, 0.95), soft=0.005, foot=0.3,
        materials=SOFT | {"canvas": 4},
    ),
    "bucket": Kind(
        draw=bucket, share=0.08, height=(0.78, 1.0), depth=(0.5, 0.6), taper=(1.0, 1.0), soft=0.006, foot=0.3,
        pitch=(0.2, 0.34), materials=SOFT | {"straw": 1.5},
    ),
    "doctor": Kind(
        draw=doctor, share=0.06, height=(0.66, 0.8), depth=(0.36, 0.46), taper=(0.18, 0.28), soft=0.003,
        materials=STIFF,
    ),
    "bowling": Kind(
        draw=bowling, share=0.06, height=(0.62, 0.76), depth=(0.3, 0.42), taper=(0.5, 0.8), soft=0.004,
        materials=LEATHERS,
    ),
}  # fmt: skip


def build(rng: Rng, size: int, kind: str | None = None) -> Product:
    """Build the shape of a handbag.

    Args:
        rng: of all choices.
        size: edge of the picture, px.
        kind: a key of `KINDS`; None draws one.
    """
    names = list(KINDS)
    drawn = names[rng.choice(len(names), p=[k.share for k in KINDS.values()])]
    kind = kind or drawn
    cut = KINDS[kind]
    is_turned = rng.random() < SIDE_VIEW_SHARE
    depth = rng.uniform(*cut.depth)
    bench = Bench(
        rng=rng, height=rng.uniform(*cut.height), depth=(depth, depth * rng.uniform(*cut.taper)),
        yaw=rng.uniform(0.38, 0.68) if is_turned else rng.uniform(0, 0.06), pitch=rng.uniform(*cut.pitch),
    )  # fmt: skip
    bench.stand(cut.foot)
    cut.draw(bench)
    return sew(frame(bench.pieces, rng, soft=cut.soft), kind, size, rng)


def dress(rng: Rng, product: Product) -> Look:
    """Choose the colours and materials of a handbag."""
    scheme = draw_scheme(rng)
    choice = KINDS[product.kind].materials
    share = np.array(list(choice.values()), float)
    material = str(rng.choice(list(choice), p=share / share.sum()))
    trim = material if material in ("leather", "smooth", "patent", "nubuck") else str(rng.choice(["leather", "smooth"]))
    accent, handle = _panels(rng, scheme)
    return {
        "body": Paint(scheme.base, material),
        "accent": Paint(accent, trim if rng.random() < (0.75 if material in ROUGH else 0.3) else material),
        "handle": Paint(handle, trim),
        "lining": Paint(_lining(rng, scheme), "lining"),
        "metal": Paint(scheme.metal, "metal"),
        "thread": Paint(contrast(handle, rng.uniform(0.15, 0.6)), "cord"),
        "shadow": Paint(scheme.dark * 0.3, "lining"),
    }


def _panels(rng: Rng, scheme: Scheme) -> tuple[np.ndarray, np.ndarray]:
    """Choose the colours of the accent panels and of the handles: one of them may stand out."""
    accent = (scheme.second, scheme.base, scheme.accent)[rng.choice(3, p=[0.5, 0.25, 0.25])]
    handles = (scheme.base, accent, tint(scheme.base, -0.35), scheme.accent, scheme.dark)
    return accent, handles[rng.choice(5, p=[0.4, 0.25, 0.1, 0.15, 0.1])]


def _lining(rng: Rng, scheme: Scheme) -> np.ndarray:
    shades = (
        tint(scheme.base, -0.3), mix(scheme.dark, scheme.base, 0.3), mix(scheme.pale, scheme.base, 0.4), scheme.accent,
    )  # fmt: skip
    return shades[rng.choice(4, p=[0.35, 0.3, 0.25, 0.1])]


ROUGH = ("canvas", "straw", "suede", "nubuck")  # materials that are often trimmed with leather
ROLES = ("body", "accent", "handle", "lining", "metal")
HANDBAGS = Line(build, dress, roles=tuple((role, number) for number, role in enumerate(ROLES, 1)))


def jobs(train: int, test: int, size: int, seed: int) -> list[Job]:
    """Return the jobs of `train` pairs, and of `test` pairs of other bags with their correct answers."""
    return line_jobs(HANDBAGS, train, test, size, seed)
