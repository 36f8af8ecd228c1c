"""The parts of the object renderer: curves, volumes, pen strokes, materials and the studio."""

import numpy as np
import pytest

from translate.synthetic.curves import bounding_box, curve, dashes, ellipse, fill, offset, resample, ribbon, section
from translate.synthetic.light import rgb
from translate.synthetic.products.hand_drawing import HANDS, draw_sketch
from translate.synthetic.products.material import MATERIALS, grain
from translate.synthetic.products.palette import METALS, Paint, contrast, draw_scheme, mix, tint
from translate.synthetic.products.product import Product
from translate.synthetic.products.relief import inflate, slopes
from translate.synthetic.products.studio import Studio

GRAY, RED = rgb(0x909090), rgb(0xC03030)
SQUARE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]


def rng(seed=0):
    return np.random.default_rng(seed)


def board(size=64):
    """A box with a flap over its upper half and a ball in front of its right edge."""
    product = Product(size, "test", scale=0.5, origin=(0.2, 0.25))
    box = product.body("box", SQUARE)
    flap = product.panel("flap", [(-0.5, 0.5), (1.5, 0.5), (1.5, 1.5), (-0.5, 1.5)], box, stitch=0.04)
    ball = product.body("ball", ellipse((1.0, 0.25), 0.2), puff=1.0, radius=0.3)
    return product, box, flap, ball


def look(material="leather", colour=GRAY):
    return {role: Paint(colour, material) for role in ("box", "flap", "ball", "thread")}


def length(path):
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())


def test_curve_passes_through_its_points():
    points = np.float32([(0, 0), (1, 0.2), (1.4, 1), (0.2, 0.9)])
    for closed, count in ((True, 4), (False, 3)):
        path = curve(points, closed=closed, density=10)
        assert len(path) == 10 * count + (not closed)
        for point in points:
            assert np.linalg.norm(path - point, axis=1).min() < 1e-5


def test_curve_through_a_circle_is_nearly_one():
    path = curve(ellipse((0, 0), 1.0)[::4], density=20)
    assert np.abs(np.linalg.norm(path, axis=1) - 1).max() < 0.02


def test_points_given_twice_are_corners():
    corners = np.repeat(np.float32(SQUARE), 2, axis=0)
    path = curve(corners)
    distance = np.minimum(np.abs(path - np.round(path)).min(1), 1)
    assert distance.max() < 1e-5  # all of it lies on the sides of the square
    assert length(np.concatenate([path, path[:1]])) == pytest.approx(4, abs=1e-3)


def test_offset_goes_inwards_whichever_way_round():
    ring = ellipse((0.3, 0.1), 1.0)
    for path in (ring, ring[::-1]):
        assert np.linalg.norm(offset(path, 0.2) - [0.3, 0.1], axis=1) == pytest.approx(0.8, abs=0.01)


def test_pieces_of_a_path():
    path = np.float32([(0, 0), (3, 0), (3, 1)])
    assert section(path, 0.25, 0.25)[0] == pytest.approx([1, 0])
    assert section(path, 1, 0.75)[[0, -1]] == pytest.approx(np.float32([(3, 1), (3, 0)]))
    assert np.linalg.norm(np.diff(resample(path, 0.5), axis=0), axis=1) == pytest.approx(0.5)
    cut = dashes(path, 0.3, 0.2)
    assert len(cut) == 8 and sum(length(dash) for dash in cut) == pytest.approx(8 * 0.3, rel=0.02)


def test_ribbon_has_its_width():
    band = ribbon(np.float32([(0, 0), (1, 0), (2, 0)]), [0.2, 0.4, 0.2])
    assert np.abs(band[:, 1]) == pytest.approx([0.1, 0.2, 0.1, 0.1, 0.2, 0.1])


def test_fill_covers_the_area_even_through_a_box():
    path = ellipse((20, 16), 10)
    box = bounding_box([path], 3, 64)
    assert box == (slice(3, 30), slice(7, 34))
    assert np.pi * 10**2 < fill([path], box).sum() < np.pi * 10.7**2  # OpenCV draws half a pixel around it
    assert bounding_box([path - 100], 3, 64) is None


def disk(edge, radius):
    y, x = np.mgrid[:edge, :edge] - (edge - 1) / 2
    return np.hypot(x, y), (np.hypot(x, y) < radius).astype(np.float32)


def test_a_disk_inflates_to_half_a_ball():
    """The Poisson equation on a disk has the solution u = (r^2 - d^2) / 4, and 2 u doubles to half a ball's square."""
    distance, mask = disk(96, 40)
    height = inflate(mask, 1e4)
    expected = np.sqrt(np.maximum(40**2 - distance**2, 0) / 2)
    assert np.abs(height - expected)[distance < 36].max() < 2.5  # of 28 px


def test_a_wide_shape_has_a_plateau_and_no_crease():
    mask = np.zeros((80, 200), np.float32)
    mask[4:-4, 4:-4] = 1
    height = inflate(mask, 8.0)
    assert height[40, 100] == pytest.approx(np.sqrt(2) * 8, rel=0.03)
    middle = inflate(mask, 60.0)[20:60, 40:160]  # where the distance to the edge has its medial axis
    assert np.abs(np.diff(middle, 2, axis=0)).max() < 0.1


def test_slopes_of_a_plane():
    y, x = np.mgrid[:8, :8].astype(np.float32)
    across, down = slopes(0.5 * x - 0.25 * y)
    assert across[1:-1, 1:-1] == pytest.approx(0.5) and down[1:-1, 1:-1] == pytest.approx(-0.25)


def test_panels_end_where_their_part_ends():
    product, box, flap, ball = board()
    assert set(np.unique(product.label)) >= {0, box.index, flap.index, ball.index}
    inside = product.crop_mask(box, (slice(0, product.edge), slice(0, product.edge))) > 0.5
    assert not (product.label == flap.index)[~inside].any()
    rows, columns = np.nonzero(product.label == flap.index)
    at = product.pixels([(0.0, 0.5), (1.0, 1.0)])
    assert rows.max() == pytest.approx(at[0, 1], abs=2) and columns.min() == pytest.approx(at[0, 0], abs=2)


def test_the_ball_hides_the_edge_of_the_box_and_the_flap_does_not():
    product, *_ = board(128)
    sketch = draw_sketch(product, rng(), HANDS["clean"])

    def ink_at(x, y):
        column, row = (product.pixels((x, y)) * 128 / product.edge).astype(int)
        return sketch[row - 1 : row + 2, column - 1 : column + 2].min() < 170

    assert not ink_at(1.0, 0.25)  # the side of the box, behind the ball
    assert ink_at(0.8, 0.25)  # the ball's own outline
    assert ink_at(1.0, 0.75) and ink_at(0.5, 1.0)  # outline of the box, under the flap
    assert ink_at(0.5, 0.5)  # edge of the flap
    assert not ink_at(0.5, 0.54) and not ink_at(1.2, 1.2)  # stitches are left out, and panels end with the box


def test_holes_sink_and_studs_rise():
    product = Product(64, "test", scale=0.5, origin=(0.2, 0.25))
    box = product.body("box", SQUARE, puff=0)
    before = product.slope.copy()
    product.studs("ball", [(0.5, 0.5)], 0.1, box, lift=0.03)
    up = product.slope[0] - before[0]
    column, row = product.pixels((0.5, 0.5)).astype(int)
    assert up[row, : column - 2].sum() > 0 > up[row, column + 2 :].sum()


def test_a_photo_is_lit_from_above_on_a_white_floor():
    product, *_ = board(128)
    photo = Studio(product).photograph(look("suede"), rng()).astype(float)
    assert photo.shape == (128, 128, 3) and photo[:20].min() > 245
    column, top = (product.pixels((0.5, 1.0)) / 2).astype(int)
    bottom = int(product.pixels((0.5, 0.0))[1] / 2)
    assert photo[top + 4, column].mean() > photo[bottom - 4, column].mean() + 20
    assert photo[bottom + 2, column].mean() < 230 < photo[bottom + 14, column].mean()  # contact shadow, soon over


def test_a_thin_leg_casts_a_short_shadow():
    product = Product(128, "test", scale=0.8, origin=(0.1, 0.2))
    product.body("box", [(0.0, 0.3), (1.0, 0.3), (1.0, 0.6), (0.0, 0.6)])
    product.body("box", [(0.9, 0.0), (0.93, 0.0), (0.93, 0.35), (0.9, 0.35)])
    photo = Studio(product).photograph(look(), rng())
    row = int(product.pixels((0, 0))[1] / 2) + 1
    dark = np.flatnonzero(photo[row].mean(1) < 235)
    assert len(dark) and dark.min() > 128 * (0.1 + 0.8 * 0.8) and dark.max() < 128 * (0.1 + 0.8 * 1.03)


def test_colour_and_grain_belong_to_the_role():
    product, *_ = board(128)
    studio = Studio(product)
    parts = studio.parts_map({"box": 1, "flap": 2})
    assert set(np.unique(parts)) == {0, 1, 2}  # ball and thread are not asked for
    plain = studio.photograph(look(), rng()).astype(int)
    dyed = studio.photograph(look() | {"flap": Paint(RED, "leather")}, rng()).astype(int)
    changed = np.abs(plain - dyed).max(2) > 12
    inner = np.pad((parts == 2)[2:-2, 2:-2], 2)
    assert (
        changed[inner].mean() > 0.9 and not changed[(parts == 1)].mean() > 0.1 and not changed[parts == 0].mean() > 0.1
    )


@pytest.mark.parametrize("name", MATERIALS)
def test_every_material_can_be_photographed(name):
    product, *_ = board()
    photo = Studio(product).photograph(look(name), rng())
    assert 30 < photo[product.label[::4, ::4] > 0].mean() < 220 and photo[:8].min() > 240


def test_patent_shines_and_suede_does_not():
    product, *_ = board(128)
    studio = Studio(product)
    black = rgb(0x202020)
    seen = studio.parts_map({"box": 1, "flap": 1, "ball": 1}) == 1
    photos = {name: studio.photograph(look(name, black), rng())[seen] for name in ("patent", "suede")}
    assert np.percentile(photos["patent"], 99.5) > np.percentile(photos["suede"], 99.5) + 40


@pytest.mark.parametrize("name", sorted({m.grain for m in MATERIALS.values()} - {"smooth"}))
def test_grain_tiles_repeat_without_a_seam(name):
    across, down, tone = grain(name, 512)
    assert np.sqrt((across**2 + down**2).mean()) == pytest.approx(1, rel=1e-3)
    assert abs(tone.mean()) < 0.1
    for rows in (tone, tone.T):
        steps = np.abs(np.diff(rows, axis=0)).mean(1)
        assert np.abs(rows[0] - rows[-1]).mean() < 1.2 * steps.max() + 0.02


def test_the_grain_follows_the_size():
    assert grain("weave", 1024)[0].shape == (512, 512) and grain("weave", 256)[0].shape == (128, 128)


@pytest.mark.parametrize("name", HANDS)
def test_every_hand_draws_dark_lines_on_white_paper(name):
    product, *_ = board(128)
    sketch = draw_sketch(product, rng(), HANDS[name])
    assert sketch.shape == (128, 128) and sketch.dtype == np.uint8
    assert np.mean(sketch == 255) > 0.7 and 0.006 < np.mean(sketch < 128) < 0.25
    assert np.array_equal(sketch, draw_sketch(product, rng(), HANDS[name]))
    assert not np.array_equal(sketch, draw_sketch(product, rng(1), HANDS[name]))


def test_the_marker_is_thicker():
    product, *_ = board(128)
    thin, thick = ((draw_sketch(product, rng(), HANDS[name]) < 128).mean() for name in ("clean", "marker"))
    assert thick > 1.5 * thin


def test_shares_of_the_hands_add_up():
    assert sum(hand.share for hand in HANDS.values()) == pytest.approx(1)


def test_schemes_are_colours_and_the_accent_is_seen():
    for seed in range(60):
        scheme = draw_scheme(rng(seed))
        for colour in (scheme.base, scheme.second, scheme.accent, scheme.pale, scheme.dark, scheme.metal):
            assert colour.shape == (3,) and colour.dtype == np.float32 and 0 < colour.min() <= colour.max() < 1
        assert np.abs(scheme.accent ** (1 / 2.2) - scheme.base ** (1 / 2.2)).max() > 0.1


def test_tints():
    assert tint(RED, 0.5).mean() > RED.mean() > tint(RED, -0.5).mean()
    assert mix(RED, GRAY, 0.0) == pytest.approx(RED, abs=1e-3) and mix(RED, GRAY, 1.0) == pytest.approx(GRAY, abs=1e-3)
    assert (
        contrast(rgb(0x101010)).mean() > rgb(0x101010).mean() and contrast(rgb(0xF0F0F0)).mean() < rgb(0xF0F0F0).mean()
    )
    assert len(METALS) == 4
