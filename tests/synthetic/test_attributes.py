"""Portraits with attributes: the tables say what was drawn, and a changed portrait differs where it should alone."""

import csv
from dataclasses import replace

import cv2
import numpy as np
import pytest

from translate.data.sources.attributes import resolve_labelled
from translate.synthetic import render
from translate.synthetic.faces.attributes import ATTRIBUTES, jobs, toggle
from translate.synthetic.faces.faces import draw_portrait

LOWEST = {"glasses": 26, "blush": 34}  # first rows, of 64 px, that these may change in an upright portrait


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("render") / "attributes"
    render("attributes", target, train=12, test=6, size=64, workers=1, progress=False)
    return target


def read(file):
    return cv2.imread(str(file)).astype(int)


def test_the_set_is_one_to_learn_from(folder):
    found = resolve_labelled(str(folder), "auto", "", folder)
    assert found.names == tuple(ATTRIBUTES) and len(found.images.train) == 12 and len(found.images.test) == 6
    with (folder / "test" / "attributes.csv").open(encoding="utf-8", newline="") as file:
        assert {value for row in csv.DictReader(file) for name, value in row.items() if name != "file"} == {"0", "1"}


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_truths_differ_from_their_portraits_in_one_place(folder, name):
    for k in range(6):
        file = f"{k:05d}.png"
        change = np.abs(read(folder / "test" / file) - read(folder / "truth" / name / file)).max(2)
        assert 0 < (change > 8).mean() < 0.6 and (change == 0).mean() > 0.25


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_toggling_twice_is_the_same_portrait(name):
    [draw] = {job.draw for job in jobs(2, 0, 64, 3) if job.files[0].endswith(".png")}
    [picture] = draw((3, 0, 1), 64)
    from translate.synthetic.faces.attributes import _sample

    portrait = _sample((3, 0, 1))
    assert np.array_equal(draw_portrait(portrait, 64), picture)
    assert toggle(toggle(portrait, name), name) == portrait != toggle(portrait, name)
    upright = replace(portrait, turn_degrees=0.0, tilt_degrees=0.0)
    change = np.abs(draw_portrait(upright, 64).astype(int) - draw_portrait(toggle(upright, name), 64)).max(2)
    assert not change[: LOWEST.get(name, 0)].any() and change.any()


def test_the_catalog_has_it():
    from translate.data.catalog.catalog import find_set

    assert find_set("attributes").render.name == "attributes" and find_set("attributes").single
