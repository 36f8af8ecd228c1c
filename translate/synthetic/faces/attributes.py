"""Portraits with attributes that a picture has or has not, and the same test portraits with one attribute changed."""

__all__ = ["ATTRIBUTES", "jobs", "toggle"]

import csv
import io
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from translate.synthetic.arrays import Picture
from translate.synthetic.draw_all import Job
from translate.synthetic.faces.faces import Seed, draw_portrait
from translate.synthetic.faces.factors import Portrait, sample_factors


class Attribute(NamedTuple):
    """The factor of an attribute, and its words with and without it."""

    factor: str
    present: str
    absent: str


# two words each, so that both ways of changing a portrait have one right answer
ATTRIBUTES = {
    "glasses": Attribute("glasses", "glasses", "none"),
    "blond": Attribute("hair_colour", "blonde", "brown"),
    "smile": Attribute("mouth", "smile", "neutral"),
    "blush": Attribute("blush", "blush", "none"),
    "tanned": Attribute("skin", "tan", "fair"),
}
FRAME = "black"  # of all glasses: no picture without glasses tells the colour of others


def jobs(train: int, test: int, size: int, seed: int) -> list[Job]:
    """Return the jobs of both splits: pictures, a table of attributes each, and for test pictures the changed ones."""
    result = []
    for split, (folder, count) in enumerate((("train", train), ("test", test))):
        for k in range(count):
            name = f"{k:05d}.png"
            changed = [f"truth/{attribute}/{name}" for attribute in ATTRIBUTES] if folder == "test" else []
            result.append(Job(_pictures, (seed, split, k), size, (f"{folder}/{name}", *changed)))
        if count:
            result.append(Job(partial(_table, count), (seed, split), size, (f"{folder}/attributes.csv",)))
    return result


def toggle(portrait: Portrait, name: str) -> Portrait:
    """Return the portrait with the attribute `name` if it has not, and without it if it has."""
    factor, present, absent = ATTRIBUTES[name]
    changed: Any = {factor: absent if _has(portrait, name) else present}
    return replace(portrait, **changed)


def _has(portrait: Portrait, name: str) -> bool:
    factor, present, _ = ATTRIBUTES[name]
    return bool(getattr(portrait, factor) == present)


def _sample(seed: Seed) -> Portrait:
    """Sample a portrait that has each attribute with a probability of a half, independently."""
    rng = np.random.default_rng(seed)
    portrait = sample_factors(rng)
    words: Any = {one.factor: one.present if rng.random() < 0.5 else one.absent for one in ATTRIBUTES.values()}
    return replace(portrait, frame=FRAME, **words)


def _pictures(seed: Seed, size: int) -> list[Picture]:
    """Draw the portrait `seed` and, of the test split, the same with each attribute changed in turn."""
    portrait, split = _sample(seed), seed[1]
    changed = [toggle(portrait, name) for name in ATTRIBUTES] if split else []
    return [draw_portrait(each, size) for each in (portrait, *changed)]


def _table(count: int, seed: Seed, size: int) -> tuple[str]:
    """Return the attributes of the first `count` portraits of the split `seed`, as CSV."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("file", *ATTRIBUTES))
    for k in range(count):
        portrait = _sample((*seed, k))
        writer.writerow((f"{k:05d}.png", *(int(_has(portrait, name)) for name in ATTRIBUTES)))
    return (table.getvalue(),)
