"""Portraits: every factor is seen where it should be and nowhere else, and the tables say what was drawn."""

import csv
from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest

from translate.synthetic import render
from translate.synthetic.faces.faces import FACTORS, draw_portrait, jobs, sample_factors
from translate.synthetic.faces.factors import COLUMNS, HAIR_LENGTHS, TURNS, factor_row

SIZE = 64
DRAWN_FACTORS = [factor for factor in FACTORS if factor != "turn"]
PLACES = {  # rows and columns of an upright portrait's parts, of 64 px, generously
    "eye_colour": (slice(27, 48), slice(12, 52)),
    "eye_shape": (slice(14, 50), slice(10, 54)),
    "mouth": (slice(14, 58), slice(10, 54)),  # with the brows
    "glasses": (slice(26, 48), slice(8, 56)),
    "frame": (slice(26, 48), slice(8, 56)),
    "blush": (slice(34, 54), slice(10, 54)),
    "clothing": (slice(46, 64), slice(0, 64)),
    "clothes_colour": (slice(46, 64), slice(0, 64)),
}
WHOLES = {"gender", "hair_colour", "hair_length", "fringe", "skin", "background"}


def someone(seed=0, **factors):
    portrait = sample_factors(np.random.default_rng(seed))
    return replace(portrait, turn_degrees=0.0, tilt_degrees=0.0, **{"glasses": "none", **factors})


def change(one, other):
    """The largest difference of the three channels (64, 64)."""
    return np.abs(draw_portrait(one, SIZE).astype(int) - draw_portrait(other, SIZE)).max(2)


def draw(target, workers=1, **options):
    render("faces", target, size=SIZE, workers=workers, progress=False, **options)
    return {p.relative_to(target).as_posix(): p.read_bytes() for p in sorted(target.rglob("*.*"))}


def rows(folder):
    with (folder / "factors.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("render") / "faces"
    draw(target, train=3, test=2)
    return target


def test_layout(folder):
    wanted = {f"train/{k:05d}.png" for k in range(3)} | {f"test/{k:05d}.png" for k in range(2)}
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*.*")}
    assert found == wanted | {"train/factors.csv", "test/factors.csv"}
    assert all(cv2.imread(str(folder / name), -1).shape == (SIZE, SIZE, 3) for name in wanted)


@pytest.mark.parametrize(("split", "number"), [("train", 0), ("test", 1)])
def test_the_tables_say_what_was_drawn(folder, split, number):
    table = rows(folder / split)
    assert tuple(table[0]) == COLUMNS
    assert [row["file"] for row in table] == sorted(p.name for p in (folder / split).glob("*.png"))
    for k, row in enumerate(table):
        portrait = sample_factors(np.random.default_rng((0, number, k)))
        assert tuple(row.values()) == factor_row(f"{k:05d}.png", portrait)
        picture = cv2.imread(str(folder / split / row["file"]))[..., ::-1]
        assert np.array_equal(picture, draw_portrait(portrait, SIZE))
        words = {factor: row[factor] for factor in FACTORS}
        assert words.pop("frame") in ([*FACTORS["frame"]] if row["glasses"] == "glasses" else ["none"])
        assert all(word in FACTORS[factor] for factor, word in words.items())
        low, high = TURNS[row["turn"]]
        assert low <= float(row["turn_degrees"]) <= high


def test_pixels_do_not_depend_on_workers_or_on_the_number_of_pictures(folder, tmp_path):
    again = draw(tmp_path / "again", workers=2, train=2, test=1)
    assert len(again) == 5
    for name, content in again.items():
        whole = (folder / name).read_bytes()
        assert whole.startswith(content) if name.endswith("csv") else whole == content, name


def test_another_seed_is_another_set(folder, tmp_path):
    other = draw(tmp_path / "other", train=1, test=0, seed=1)
    assert set(other) == {"train/00000.png", "train/factors.csv"}
    assert other["train/00000.png"] != (folder / "train/00000.png").read_bytes()


def test_no_portrait_is_drawn_twice():
    seeds = [job.seed for job in jobs(200, 100, SIZE, 0) if job.files[0].endswith("png")]
    portraits = [sample_factors(np.random.default_rng(seed)) for seed in seeds]
    assert len(portraits) == len({portrait.seed for portrait in portraits}) == 300


def test_a_portrait_is_a_function_of_its_factors():
    portrait = someone(3)
    assert np.array_equal(draw_portrait(portrait, SIZE), draw_portrait(replace(portrait), SIZE))
    assert (change(portrait, replace(portrait, seed=portrait.seed + 1)) > 8).mean() > 0.1


def test_all_factors_have_their_places():
    assert set(PLACES) | WHOLES == set(DRAWN_FACTORS)


@pytest.mark.parametrize("factor", DRAWN_FACTORS)
def test_every_word_of_a_factor_is_seen_where_it_should_be(factor):
    for seed in range(3):
        base = someone(seed, glasses="glasses") if factor == "frame" else someone(seed)
        first, *others = (replace(base, **{factor: word}) for word in FACTORS[factor])
        for other in others:
            changed = change(first, other)
            assert (changed > 24).sum() >= 12, (factor, other)
            if factor in PLACES:
                changed[PLACES[factor]] = 0
                assert changed.max() <= 2, (factor, other)


def test_glasses_are_clearly_seen():
    """In every frame, on every skin, turned or not, whatever the hair."""
    rows, columns = PLACES["glasses"]
    for seed, frame in enumerate(FACTORS["frame"]):
        for skin in FACTORS["skin"]:
            for turn in (-20.0, 0.0, 20.0):
                bare = replace(someone(seed, frame=frame, skin=skin), turn_degrees=turn)
                changed = change(bare, replace(bare, glasses="glasses"))[rows, columns]
                assert (changed > 40).sum() > 60, (frame, skin, turn)


def test_a_frame_without_glasses_has_no_effect():
    assert change(someone(1, frame="red"), someone(1, frame="blue")).max() == 0


def test_a_turn_moves_the_face_its_way():
    """Skin that a turn to the left uncovers lies left of that which a turn to the right does."""
    front = someone(2, skin="fair", hair_colour="blue", background="mint", hair_length="short", blush="none")
    centres = []
    for turn in (-22.0, 0.0, 22.0):
        picture = draw_portrait(replace(front, turn_degrees=turn), SIZE).astype(int)
        face = (picture[..., 0] > 230) & (picture[..., 0] - picture[..., 2] > 15)
        centres.append(np.nonzero(face[36:50])[1].mean())
    assert centres[0] < centres[1] - 1.5 and centres[1] < centres[2] - 1.5
    assert [replace(front, turn_degrees=t).turn for t in (-22.0, 3.0, 22.0)] == ["left", "front", "right"]


def test_hair_grows_down():
    hair = [someone(4, hair_length=length, hair_colour="blue", clothes_colour="red") for length in HAIR_LENGTHS["man"]]
    pictures = [draw_portrait(replace(portrait, background="white"), SIZE).astype(int) for portrait in hair]
    lowest = [((p[54:, :, 2] - p[54:, :, 0]) > 40).sum() for p in pictures]
    assert lowest[0] + 30 < lowest[1] and lowest[1] + 30 < lowest[2], lowest


def test_shares_and_independence():
    rng = np.random.default_rng(0)
    people = [sample_factors(rng) for _ in range(4000)]
    for factor, shares in FACTORS.items():
        found = Counter(getattr(portrait, factor) for portrait in people)
        assert sum(shares.values()) == pytest.approx(1), factor
        assert all(found[word] / 4000 == pytest.approx(share, abs=0.04) for word, share in shares.items()), factor
    for gender, shares in HAIR_LENGTHS.items():
        lengths = [portrait.hair_length for portrait in people if portrait.gender == gender]
        assert lengths.count("long") / len(lengths) == pytest.approx(shares["long"], abs=0.04)
    bespectacled = [sum(p.glasses == "glasses" for p in people if p.gender == g) for g in FACTORS["gender"]]
    genders = Counter(p.gender for p in people)
    ratios = [count / genders[g] for count, g in zip(bespectacled, FACTORS["gender"], strict=True)]
    assert ratios[0] == pytest.approx(ratios[1], abs=0.05)


@pytest.mark.parametrize("size", [64, 100, 256])
def test_a_portrait_is_the_same_at_every_size(size):
    portrait = someone(5, glasses="glasses")
    picture = draw_portrait(portrait, size)
    assert picture.shape == (size, size, 3) and picture.dtype == np.uint8
    small = cv2.resize(picture, (32, 32), interpolation=cv2.INTER_AREA).astype(int)
    reference = cv2.resize(draw_portrait(portrait, SIZE), (32, 32), interpolation=cv2.INTER_AREA)
    assert np.abs(small - reference).mean() < 4


def test_unknown_words_are_refused():
    with pytest.raises(AssertionError, match="hair_colour"):
        someone(0, hair_colour="plaid")
