"""What the pages in a browser need to know of a model."""

__all__ = ["LOOKS_PER_SEED", "PageModel", "has_page", "page_model"]

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from translate.checkpoints.description import describe
from translate.checkpoints.recipe import Recipe
from translate.inference.request import choose_variants
from translate.tasks import TASKS
from translate.tasks.latents import draw_latents

LOOKS_PER_SEED = 6  # answers that the page Draw shows at once
SEEDS = 32  # whose looks the pages have; further ones begin anew
SAMPLES = 240  # of a generator: twenty sheets, then they begin anew
PAGES = {"paired": ["draw", "translate"], "unpaired": ["translate"], "masked": ["fill"], "images": ["generate"]}


@dataclass(frozen=True)
class PageModel:
    """A model as the pages know it."""

    title: str
    description: dict[str, Any]
    typical: list[float]  # the z of the answer without a seed; [] without z
    looks: list[list[float]]  # the z of variant k of a seed, at LOOKS_PER_SEED * seed + k; of samples, by seed
    seeds: list[int] = field(default_factory=list)  # of the noise of each variant, as far as torch uses them


def has_page(recipe: Recipe, nets: nn.ModuleDict) -> bool:
    """Whether there is a page for this kind of model: networks that take one size alone fill no window of a page."""
    fixed = any(int(getattr(net, "fixed", 0)) for net in nets.values())
    return TASKS[recipe.task].data in PAGES and not fixed


def page_model(name: str, recipe: Recipe, nets: nn.ModuleDict) -> PageModel:
    """Describe a model for the pages; "local" tells them that it runs in the browser."""
    kind = TASKS[recipe.task].data
    description = {**describe(recipe), "name": name, "local": True, "pages": PAGES[kind]}
    title = (" ↔ " if len(recipe.directions) > 1 else " → ").join(name.replace("_", " ") for name in recipe.domains)
    if kind == "images":
        looks = _rounded(draw_latents(nets["G"], range(SAMPLES)).numpy())
        return PageModel(title, description, looks[0], looks)
    z_dim = max(int(getattr(net, "z_dim", 0)) for net in nets.values())
    variants = [v for s in range(SEEDS) for v in choose_variants(z_dim, True, count=LOOKS_PER_SEED, seed=s)[0]]
    seeds = [variant.seed for variant in variants if variant.seed is not None]
    if kind == "masked":
        looks = _rounded(np.stack([np.random.default_rng(seed).standard_normal(z_dim) for seed in seeds]))
        return PageModel(title, description, [0.0] * z_dim, looks, [seed & 0xFFFFFFFF for seed in seeds])
    description["many"] = "E" in nets  # a seed of other networks changes their noise or dropout alone
    typical = _code(recipe, nets, None) if z_dim else []
    return PageModel(title, description, typical, [_code(recipe, nets, s) for s in seeds if description["many"]])


def _code(recipe: Recipe, nets: nn.ModuleDict, seed: int | None) -> list[float]:
    """Return the style code that the task chooses by a seed."""
    _, z = TASKS[recipe.task].generator_for(nets, recipe.directions[0], None, seed)
    return _rounded(z.detach().cpu().numpy())[0] if z is not None else []


def _rounded(codes: np.ndarray) -> list[list[float]]:
    """Return codes (n, z_dim) with seven digits, which is what a float32 has."""
    return [[round(float(value), 7) for value in code] for code in codes]
