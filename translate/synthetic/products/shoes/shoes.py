"""Invented shoes of ten kinds: their shapes, and the colours and materials of each kind."""

__all__ = ["KINDS", "ROLES", "SHOES", "UPPERS", "build", "dress", "jobs"]

from translate.synthetic.arrays import Array, f32
from translate.synthetic.draw_all import Job
from translate.synthetic.light import rgb
from translate.synthetic.products.dataset import Line, line_jobs
from translate.synthetic.products.palette import Look, Paint, Scheme, contrast, draw_scheme, mix, tint
from translate.synthetic.products.product import Product
from translate.synthetic.products.shoes.classic import boot, loafer, oxford
from translate.synthetic.products.shoes.heels import flat, pump, sandal, wedge
from translate.synthetic.products.shoes.parts import Maker, Rng
from translate.synthetic.products.shoes.sport import hightop, running, sneaker

KINDS: dict[str, tuple[float, Maker]] = {  # kind: its frequency, and its maker
    "sneaker": (0.16, sneaker),
    "hightop": (0.10, hightop),
    "running": (0.12, running),
    "boot": (0.14, boot),
    "oxford": (0.10, oxford),
    "loafer": (0.08, loafer),
    "pump": (0.11, pump),
    "flat": (0.06, flat),
    "sandal": (0.07, sandal),
    "wedge": (0.06, wedge),
}
UPPERS = {  # materials, and their relative frequency
    "sneaker": {"smooth": 4, "leather": 2, "canvas": 3, "suede": 3, "patent": 1},
    "hightop": {"smooth": 3, "leather": 2, "canvas": 5, "suede": 2},
    "running": {"mesh": 5, "knit": 5},
    "boot": {"leather": 4, "smooth": 4, "suede": 4, "nubuck": 2, "patent": 1},
    "oxford": {"smooth": 6, "leather": 3, "suede": 2, "patent": 2},
    "loafer": {"smooth": 4, "leather": 4, "suede": 4, "patent": 1},
    "pump": {"smooth": 4, "patent": 4, "suede": 3, "satin": 2, "leather": 1, "croc": 1},
    "flat": {"smooth": 4, "patent": 2, "suede": 2, "satin": 2, "canvas": 1},
    "sandal": {"smooth": 4, "leather": 4, "suede": 2, "nubuck": 2, "patent": 1},
    "wedge": {"smooth": 3, "suede": 3, "canvas": 3, "leather": 2},
}
ROLES = ("upper", "panel", "accent", "sole", "lace", "lining", "heel", "tongue", "outsole", "elastic")
SPORT = ("sneaker", "hightop", "running")
LEATHERS = [rgb(c) for c in (0x2A1D16, 0x19191B, 0x6A4426, 0x9A6E40, 0xC09A68)]  # of soles
SKINS = [rgb(c) for c in (0xD9BC94, 0xC8A27A, 0xE6DCCB, 0x2A2725, 0x8C6A4C)]  # of linings
GUM = rgb(0xB4773C)


def build(rng: Rng, size: int) -> Product:
    """Build a shoe of a random kind; `Product.kind` begins with a key of `KINDS`."""
    shares = [share for share, _ in KINDS.values()]
    return list(KINDS.values())[rng.choice(len(shares), p=shares)][1](rng, size)


def dress(rng: Rng, product: Product) -> Look:
    """Choose the look of a shoe: one colour scheme for all parts, in materials that suit its kind."""
    kind = product.kind.split(",")[0]
    scheme = draw_scheme(rng)
    materials = UPPERS[kind]
    weights = f32(list(materials.values())).astype(float)
    upper = list(materials)[rng.choice(len(weights), p=weights / weights.sum())]
    sport = kind in SPORT
    firm = {"mesh": "smooth", "knit": "smooth", "canvas": "smooth"}.get(upper, upper)  # of panels
    panel = scheme.second if sport or rng.random() < 0.3 else scheme.base
    accent = scheme.accent if sport or rng.random() < 0.4 else scheme.second
    skin = SKINS[rng.integers(len(SKINS))]
    look = {
        "upper": Paint(scheme.base, upper),
        "panel": Paint(panel, firm if rng.random() < 0.7 else "suede"),
        "accent": Paint(accent, firm),
        "tongue": Paint(mix(scheme.base, scheme.second, 0.5), "mesh" if kind == "running" else upper),
        "lining": Paint(mix(skin, scheme.accent, 0.7) if sport and rng.random() < 0.5 else skin, "lining"),
        "elastic": Paint(scheme.dark if rng.random() < 0.6 else tint(scheme.base, -0.35), "elastic"),
        "metal": Paint(scheme.metal, "metal"),
        "hole": Paint(f32([0.012, 0.011, 0.01]), "lining"),
        "thread": Paint(contrast(scheme.base, rng.uniform(0.15, 0.6)), "cord"),
    }
    return look | _laces(rng, scheme) | (_sport_soles if sport else _fine_soles)(rng, scheme, product.kind)


def _laces(rng: Rng, scheme: Scheme) -> Look:
    laces = [scheme.pale, scheme.dark, scheme.accent, contrast(scheme.base, 0.3)]
    return {"lace": Paint(laces[rng.choice(4, p=[0.4, 0.2, 0.2, 0.2])], "cord")}


def _sport_soles(rng: Rng, scheme: Scheme, kind: str) -> Look:
    soles = [scheme.pale, scheme.dark, scheme.accent, GUM, tint(scheme.base, 0.5)]
    shares = [0.55, 0.1, 0.15, 0.05, 0.15] if kind == "running" else [0.6, 0.12, 0.08, 0.15, 0.05]
    sole = soles[rng.choice(5, p=shares)]
    treads = [scheme.dark, scheme.accent, GUM, scheme.base]
    tread = treads[rng.choice(4, p=[0.4, 0.25, 0.2, 0.15])]
    return {"sole": Paint(sole, "foam" if kind == "running" else "rubber"), "outsole": Paint(tread, "rubber")}


def _fine_soles(rng: Rng, scheme: Scheme, product_kind: str) -> Look:
    # the sole
    kind = product_kind.split(",")[0]
    leather = LEATHERS[rng.integers(len(LEATHERS))]
    welt = {"boot": [leather, scheme.dark, scheme.pale, GUM], "oxford": [leather, scheme.dark]}.get(kind, [leather])
    sole = welt[rng.integers(len(welt))]

    # the heel, by kind
    heels: list[tuple[Array, str]] = [(tint(sole, -0.25), "wood"), (scheme.dark, "smooth")]
    if kind in ("wedge", "sandal") and product_kind != "sandal, heel":
        heels = [
            (rgb(0xC9A06C), "cork"), (rgb(0xD8BE90), "straw"), (rgb(0x9A6A3E), "wood"), (scheme.base, "smooth"),
            (scheme.pale, "rubber"),
        ]  # fmt: skip
    elif kind in ("pump", "sandal"):
        heels = [
            (scheme.base, "smooth"), (scheme.base, "smooth"), (scheme.accent, "smooth"), (rgb(0x8A5A34), "wood"),
            (scheme.metal, "metal"),
        ]  # fmt: skip
    heel, material = heels[rng.integers(len(heels))]
    return {
        "sole": Paint(sole, "smooth"),
        "heel": Paint(heel, material),
        "outsole": Paint(scheme.dark, "rubber"),
    }


SHOES = Line(build, dress, tuple((role, k) for k, role in enumerate(ROLES, 1)))


def jobs(train: int, test: int, size: int, seed: int) -> list[Job]:
    """Return the jobs of `train` pairs and `test` pairs of shoes."""
    return line_jobs(SHOES, train, test, size, seed)
