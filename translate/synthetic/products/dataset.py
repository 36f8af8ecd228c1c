"""A product line as a data set: sketches of invented products, their photos, and all correct answers for tests."""

__all__ = ["COLOURWAYS", "Line", "answers", "line_jobs", "pair"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from translate.synthetic.arrays import Picture
from translate.synthetic.draw_all import Job
from translate.synthetic.products.hand_drawing import draw_sketch
from translate.synthetic.products.palette import Look
from translate.synthetic.products.product import Product
from translate.synthetic.products.studio import Studio

Rng = np.random.Generator
Seed = Sequence[int]

COLOURWAYS = 8  # correct answers to a test sketch
SHAPE, HAND, COLOUR, SHOT = range(4)  # random streams of a product


@dataclass(frozen=True)
class Line:
    """One kind of merchandise; both functions are importable, and can be sent to a worker process.

    Attributes:
        build: returns a product from a random generator and the edge of the picture, px.
        dress: chooses the colours and materials of a product.
        roles: the roles whose colour belongs to the look, and their numbers in the parts map, from 1.
    """

    build: Callable[[Rng, int], Product]
    dress: Callable[[Rng, Product], Look]
    roles: tuple[tuple[str, int], ...]


def pair(line: Line, seed: Seed, size: int) -> tuple[Picture, Picture]:
    """Draw the sketch (size, size) and the photo (size, size, 3) in colourway 0 of the product `seed`."""
    product = _product(line, seed, size)
    return _sketch(product, seed), _photo(line, Studio(product), seed, 0)


def answers(line: Line, seed: Seed, size: int) -> tuple[Picture, ...]:
    """Draw the sketch, its photo in colourway 0, all `COLOURWAYS` photos, and the parts map (size, size)."""
    product = _product(line, seed, size)
    studio = Studio(product)
    photos = [_photo(line, studio, seed, k) for k in range(COLOURWAYS)]
    return _sketch(product, seed), photos[0], *photos, studio.parts_map(dict(line.roles))


def line_jobs(line: Line, train: int, test: int, size: int, seed: int) -> list[Job]:
    """Return the jobs of `train` pairs, and of `test` pairs with their correct answers and parts maps."""
    jobs = [
        Job(partial(pair, line), (seed, 0, k), size, (f"trainA/{k:05d}.png", f"trainB/{k:05d}.png"))
        for k in range(train)
    ]
    for k in range(test):
        truth = (f"truth/A/{k:05d}/{c}.png" for c in range(COLOURWAYS))
        files = (f"testA/{k:05d}.png", f"testB/{k:05d}.png", *truth, f"truth/parts/{k:05d}.png")
        jobs.append(Job(partial(answers, line), (seed, 1, k), size, files))
    return jobs


def _product(line: Line, seed: Seed, size: int) -> Product:
    return line.build(np.random.default_rng((*seed, SHAPE)), size)


def _sketch(product: Product, seed: Seed) -> Picture:
    return draw_sketch(product, np.random.default_rng((*seed, HAND)))


def _photo(line: Line, studio: Studio, seed: Seed, colourway: int) -> Picture:
    look = line.dress(np.random.default_rng((*seed, COLOUR, colourway)), studio.product)
    return studio.photograph(look, np.random.default_rng((*seed, SHOT, colourway)))
