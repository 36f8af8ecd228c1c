"""Handbags: every kind is drawn, in one piece; its sketch, photo and parts map are of the same bag."""

import cv2
import numpy as np
import pytest

from translate.synthetic import render
from translate.synthetic.products.dataset import answers, pair
from translate.synthetic.products.hand_drawing import HANDS, draw_sketch
from translate.synthetic.products.handbags.body import sweep
from translate.synthetic.products.handbags.handbags import HANDBAGS, KINDS, ROLES, build, dress, jobs
from translate.synthetic.products.handbags.pattern import Bench, arch, frame, outline, trapeze
from translate.synthetic.products.material import MATERIALS
from translate.synthetic.products.studio import Studio

SIZE = 64
SHADOW = 1  # index of the part that is the shadow on the floor


def bag(kind, seed=0, size=SIZE):
    return build(np.random.default_rng((seed, 77)), size, kind)


def silhouette(product):
    """(size, size) bool: where the bag is, without its shadow."""
    mask = (product.label > SHADOW).astype(np.uint8) * 255
    return cv2.resize(mask, (product.size,) * 2, interpolation=cv2.INTER_AREA) > 127


def near(mask, distance):
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * distance + 1,) * 2, np.uint8)) > 0


@pytest.fixture(scope="module", params=KINDS)
def products(request):
    return [bag(request.param, seed) for seed in range(6)]


def test_it_fills_the_picture_and_leaves_a_margin(products):
    for product in products:
        shown = silhouette(product)
        assert 0.1 < shown.mean() < 0.75
        rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
        assert max(np.ptp(rows), np.ptp(columns)) > 0.75 * SIZE
        assert min(rows[0], columns[0]) >= 1 and max(rows[-1], columns[-1]) < SIZE - 1


def test_nothing_floats(products):
    for product in products:
        count, _, stats, _ = cv2.connectedComponentsWithStats((product.label > SHADOW).astype(np.uint8), connectivity=8)
        assert count == 2 or np.sort(stats[1:, cv2.CC_STAT_AREA])[-2] < 4, f"{count - 1} pieces"


def test_the_look_paints_every_part(products):
    for seed, product in enumerate(products):
        look = dress(np.random.default_rng(seed), product)
        assert {part.role for part in product.parts} <= set(look)
        assert {"thread", *ROLES} <= set(look)
        for paint in look.values():
            assert paint.material in MATERIALS
            assert paint.colour.shape == (3,) and paint.colour.min() >= 0 and paint.colour.max() < 1.1


def test_sketch_agrees_with_the_photo(products):
    for product in products[:3]:
        shown = silhouette(product)
        sketch = draw_sketch(product, np.random.default_rng(1), HANDS["clean"])
        ink = sketch < 160
        assert sketch.shape == (SIZE, SIZE) and sketch.dtype == np.uint8
        assert (ink & near(shown, 1)).sum() > 0.97 * ink.sum()
        rim = shown & ~cv2.erode(shown.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        assert (rim & near(sketch < 220, 2)).sum() > 0.93 * rim.sum()


def test_photo_shows_the_silhouette_on_white(products):
    for product in products[:2]:
        look = dress(np.random.default_rng(5), product)
        photo = Studio(product).photograph(look, np.random.default_rng(6))
        assert photo.shape == (SIZE, SIZE, 3) and photo.dtype == np.uint8
        assert np.median(photo[~near(silhouette(product), 4)]) > 250


def test_parts_map_numbers_the_roles(products):
    for product in products[:3]:
        parts = Studio(product).parts_map(dict(HANDBAGS.roles))
        assert parts.shape == (SIZE, SIZE) and parts.dtype == np.uint8
        assert parts.max() <= len(ROLES) and (parts == 1 + ROLES.index("body")).mean() > 0.02
        assert not (near(parts > 0, 0) & ~near(silhouette(product), 1)).any()


def test_a_careless_hand_still_draws_the_chain():
    product = bag("quilted", 1, 256)
    chain = near(silhouette(product), 0)
    chain[int(0.3 * 256) :] = False  # what stands up above the bag
    assert chain.sum() > 200
    for seed in range(8):
        ink = draw_sketch(product, np.random.default_rng(seed), HANDS["partial"]) < 230
        assert (chain & near(ink, 3)).sum() > 0.9 * chain.sum()


def test_same_seed_same_bag():
    for one, two in zip(pair(HANDBAGS, (3, 1, 4), SIZE), pair(HANDBAGS, (3, 1, 4), SIZE), strict=True):
        assert np.array_equal(one, two)
    assert not np.array_equal(pair(HANDBAGS, (3, 1, 4), SIZE)[0], pair(HANDBAGS, (3, 1, 5), SIZE)[0])


def test_colourways_change_the_look_and_not_the_shape():
    _, photo, *looks, parts = answers(HANDBAGS, (0, 1, 2), SIZE)
    assert np.array_equal(photo, looks[0]) and len(looks) == 8
    body = parts == 1
    colours = np.array([look[body].mean(0) for look in looks])
    distances = np.linalg.norm(colours[:, None] - colours[None], axis=2)[np.triu_indices(8, 1)]
    assert np.median(distances) > 30
    grounds = [look[~near(parts > 0, 5)].astype(float) for look in looks]
    assert max(np.abs(ground - grounds[0]).mean() for ground in grounds) < 3


def test_a_bag_is_the_same_at_every_size():
    for kind in KINDS:
        small, large = (silhouette(bag(kind, 3, size)) for size in (64, 256))
        shrunk = cv2.resize(large.astype(np.float32), (64, 64), interpolation=cv2.INTER_AREA) > 0.5
        assert (small ^ shrunk).mean() < 0.02, kind


def test_every_kind_is_met_and_half_are_turned():
    assert sum(kind.share for kind in KINDS.values()) == pytest.approx(1)
    met = [build(np.random.default_rng(seed), SIZE).kind for seed in range(60)]
    assert len(set(met)) >= len(KINDS) - 1


def test_a_turned_bag_shows_its_side():
    frontal, turned = (
        Bench(rng=np.random.default_rng(0), height=0.7, depth=(0.3, 0.3), yaw=yaw, pitch=0.2) for yaw in (0.0, 0.5)
    )
    body = trapeze(0.5, 0.5, 0, 0.7)
    for bench in (frontal, turned):
        sweep(bench, body, rim=0.7)
    assert not frontal.pieces
    side = turned.pieces[0].curves[0]
    front = turned.on(body)
    assert side[:, 0].max() > front[:, 0].max() + 0.05
    assert side[:, 0].min() > front[:, 0].max() - 0.05


def test_camera_looks_down_from_the_front():
    bench = Bench(rng=np.random.default_rng(0), height=1.0, depth=(0.4, 0.4), yaw=0.0, pitch=0.25)
    front, back = bench.on([(0.5, 1.0)], 1)[0], bench.on([(0.5, 1.0)], -1)[0]
    assert back[1] > front[1] and abs(back[0]) < abs(front[0])  # the far rim is seen above, and smaller


def test_frame_fits_what_is_seen():
    bench = Bench(rng=np.random.default_rng(0), height=3.0, depth=(0.4, 0.4), yaw=0.0, pitch=0.0)
    bench.front(trapeze(0.5, 0.5, 0, 3.0), role="body", name="front")
    bench.front(trapeze(9, 9, 1, 2), role="accent", within="front")
    placed = frame(bench.pieces, np.random.default_rng(1), soft=0.0, margin=0.1)
    points = placed[0].curves[0]
    assert points[:, 1].min() == pytest.approx(0.1, abs=1e-3) and points[:, 1].max() == pytest.approx(0.9, abs=1e-3)
    assert placed[0].rim == pytest.approx(
        bench.pieces[0].rim * np.ptp(points[:, 1]) / np.ptp(bench.pieces[0].curves[0][:, 1]), rel=1e-3
    )


def test_outline_rounds_its_corners():
    square = outline([(0, 0), (1, 0), (1, 1), (0, 1)], 0.2)
    area = 0.5 * np.sum(square[:, 0] * np.roll(square[:, 1], -1) - np.roll(square[:, 0], -1) * square[:, 1])
    assert area == pytest.approx(1 - 4 * 0.2**2 / 6, abs=1e-3)  # a parabola cuts a sixth off a square
    bowed = outline([(0, 0), (1, 0), (1, 1), (0, 1)], 0.0, [0.1, 0, 0, 0])
    assert bowed[:, 1].min() == pytest.approx(-0.1, abs=2e-3)


def test_arch_stands_on_its_feet():
    bow = arch(0.2, 0.7, 0.4)
    assert np.allclose(bow[[0, -1]], [(-0.2, 0.7), (0.2, 0.7)], atol=1e-3)
    assert bow[:, 1].max() == pytest.approx(1.1, abs=2e-3)


def test_layout(tmp_path):
    render("handbags", tmp_path / "bags", train=2, test=1, size=SIZE, workers=1, progress=False)
    found = {p.relative_to(tmp_path / "bags").as_posix() for p in (tmp_path / "bags").rglob("*.png")}
    assert found == {
        *(f"train{side}/{k:05d}.png" for side in "AB" for k in range(2)),
        "testA/00000.png", "testB/00000.png", "truth/parts/00000.png",
        *(f"truth/A/00000/{k}.png" for k in range(8)),
    }  # fmt: skip
    assert len(jobs(2, 1, SIZE, 0)) == 3
