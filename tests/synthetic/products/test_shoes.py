"""Shoes: every kind, the agreement of sketch and photo, colourways, and the folders of the set."""

import cv2
import numpy as np
import pytest

from translate.synthetic import render
from translate.synthetic.products.dataset import COLOURWAYS, answers, line_jobs, pair
from translate.synthetic.products.hand_drawing import HANDS, draw_sketch
from translate.synthetic.products.shoes.shoes import KINDS, ROLES, SHOES, UPPERS, build, dress
from translate.synthetic.products.studio import Studio

SIZE = 64


def make(kind, seed=0, size=SIZE):
    return KINDS[kind][1](np.random.default_rng(seed), size)


def draw(target, workers=1, **options):
    render("shoes", target, size=SIZE, workers=workers, progress=False, **options)
    return {p.relative_to(target).as_posix(): cv2.imread(str(p), -1) for p in sorted(target.rglob("*.png"))}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw(tmp_path_factory.mktemp("render") / "shoes", train=2, test=2)


def test_layout(drawn):
    truth = {f"truth/A/{k:05d}/{c}.png" for k in range(2) for c in range(8)} | {
        f"truth/parts/{k:05d}.png" for k in range(2)
    }
    pairs = {f"{folder}/{k:05d}.png" for folder in ("trainA", "trainB", "testA", "testB") for k in range(2)}
    assert set(drawn) == truth | pairs
    for name, picture in drawn.items():
        gray = name.startswith(("trainA", "testA", "truth/parts"))
        assert picture.dtype == np.uint8 and picture.shape == ((SIZE, SIZE) if gray else (SIZE, SIZE, 3)), name


def test_the_test_photo_is_the_first_right_answer(drawn):
    for k in range(2):
        assert np.array_equal(drawn[f"testB/{k:05d}.png"], drawn[f"truth/A/{k:05d}/0.png"])


def test_no_shoe_is_in_two_places(drawn):
    sketches = [p for name, p in drawn.items() if name.startswith(("trainA", "testA"))]
    assert not any(np.array_equal(sketches[i], sketches[j]) for i in range(len(sketches)) for j in range(i))
    jobs = line_jobs(SHOES, 5, 5, SIZE, 0)
    assert len({job.seed for job in jobs}) == 10


def test_pixels_do_not_depend_on_workers_or_on_the_number_of_pictures(drawn, tmp_path):
    again = draw(tmp_path / "again", workers=2, train=1, test=1)
    assert len(again) == 2 + 2 + 8 + 1
    assert all(np.array_equal(picture, drawn[name]) for name, picture in again.items())


def test_another_seed_is_another_set(drawn, tmp_path):
    other = draw(tmp_path / "other", train=1, test=0, seed=1)
    assert all(not np.array_equal(picture, drawn[name]) for name, picture in other.items())


def test_a_pair_is_the_same_alone_and_among_the_answers():
    sketch, photo = pair(SHOES, (4, 0, 7), SIZE)
    again = answers(SHOES, (4, 0, 7), SIZE)
    assert len(again) == 2 + COLOURWAYS + 1
    assert np.array_equal(sketch, again[0]) and np.array_equal(photo, again[1]) and np.array_equal(photo, again[2])


def test_shares_add_up():
    assert sum(share for share, _ in KINDS.values()) == pytest.approx(1) and set(UPPERS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_draws(kind):
    for seed in range(6):
        product = make(kind, seed)
        assert product.kind.split(",")[0] == kind
        solid = product.cover > 0.5
        share = solid.mean()
        rows, columns = np.nonzero(solid)
        assert 0.05 < share < 0.6
        assert (
            min(rows.min(), columns.min()) > 2 and max(rows.max(), columns.max()) < product.edge - 3
        )  # all in the picture
        assert columns.max() - columns.min() > 0.6 * product.edge
        assert cv2.connectedComponents(solid.astype(np.uint8))[0] == 2  # nothing floats
        photo = Studio(product).photograph(dress(np.random.default_rng(seed), product), np.random.default_rng(0))
        assert photo.shape == (SIZE, SIZE, 3) and photo[:3].min() > 240


@pytest.mark.parametrize("hand", HANDS)
def test_sketch_and_photo_agree(hand):
    """Every hand draws the whole silhouette, to about 2 px of 128, and nothing outside it."""
    for seed, kind in enumerate(KINDS):
        product = make(kind, seed, 128)
        sketch = draw_sketch(product, np.random.default_rng(seed), HANDS[hand])
        solid = (cv2.resize(product.cover, (128, 128), interpolation=cv2.INTER_AREA) > 0.5).astype(np.uint8)
        kernel = np.ones((3, 3), np.uint8)
        edge = (solid - cv2.erode(solid, kernel)) > 0
        to_ink = cv2.distanceTransform((sketch > 200).astype(np.uint8), cv2.DIST_L2, 5)
        assert np.percentile(to_ink[edge], 97) < 2.5, kind
        outside = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
        assert outside[sketch < 128].max() < 4, kind


def test_a_partial_sketch_leaves_out_inner_lines_only():
    product = make("sneaker", 3, 128)
    whole = draw_sketch(product, np.random.default_rng(0), HANDS["clean"])
    dropped = [(draw_sketch(product, np.random.default_rng(s), HANDS["partial"]) < 128).sum() for s in range(12)]
    assert min(dropped) < 0.93 * (whole < 128).sum()


def test_colour_seeds_change_the_look_and_not_the_shape():
    product = make("oxford", 5)
    studio = Studio(product)
    parts = studio.parts_map(dict(SHOES.roles))
    shots = [studio.photograph(dress(np.random.default_rng(k), product), np.random.default_rng(k)) for k in range(8)]
    colours = np.array([shot[parts == 1].mean(0) for shot in shots])
    far = [np.abs(colours[i] - colours[j]).max() for i in range(8) for j in range(i)]
    assert np.median(far) > 40
    solid = cv2.erode(cv2.resize(product.cover, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.ones((3, 3)))
    floor = cv2.dilate(product.cover, np.ones((60, 60)))[:: product.edge // SIZE, :: product.edge // SIZE] == 0
    assert all(shot[floor].min() > 235 for shot in shots) and solid.sum() > 100


def test_parts_map_names_what_is_seen():
    sketch, photo, *_, parts = answers(SHOES, (0, 1, 3), SIZE)
    assert parts.shape == sketch.shape == photo.shape[:2] and parts.dtype == np.uint8
    assert parts.max() <= len(ROLES) and (parts == ROLES.index("upper") + 1).mean() > 0.02
    white = photo.min(2) > 250
    assert (parts[white] > 0).mean() < 0.02 and (parts[photo.min(2) < 60] > 0).mean() > 0.5


def test_every_role_of_every_shoe_is_dressed_and_told_apart():
    for kind in KINDS:
        for seed in range(4):
            product = make(kind, seed)
            look = dress(np.random.default_rng(seed), product)
            assert {part.role for part in product.parts} <= set(look)
            assert {part.role for part in product.parts} - {"metal", "hole", "thread"} <= set(ROLES)


def test_a_shoe_is_the_same_at_every_size():
    small, large = (build(np.random.default_rng(8), size) for size in (128, 256))
    assert small.kind == large.kind and len(small.parts) == len(large.parts)
    covers = [cv2.resize(p.cover, (64, 64), interpolation=cv2.INTER_AREA) for p in (small, large)]
    assert np.abs(covers[0] - covers[1]).mean() < 0.01


@pytest.mark.parametrize("size", [96, 200])
def test_sizes(size):
    sketch, photo = pair(SHOES, (3, 0, 4), size)
    assert sketch.shape == (size, size) and photo.shape == (size, size, 3)
