"""The `photos` domain: photographs of landscapes that nobody took, and the jobs that pair them with paintings.

A scene is planned in metres (`scenes`), lit by one sun and one sky (`view`), drawn from far to near, mirrored in its
water, and developed like a film (`camera`).
"""

__all__ = ["jobs", "painting", "photo"]

from collections.abc import Sequence

import cv2
import numpy as np

from translate.render.arrays import Array, Picture, f32
from translate.render.camera import develop
from translate.render.noise import blur, fbm, smoothstep
from translate.render.paint import paint
from translate.render.pen import BITS, UNIT, Pen
from translate.render.plants import draw_sward, lilies
from translate.render.scenes import SCENES, Plan, Site, Thing
from translate.render.sheet import Job
from translate.render.sky import draw_sky
from translate.render.terrain import draw_ridges, shade_ground, water_surface
from translate.render.view import Light, View, rgb, sample_light

Seed = Sequence[int]

SMALLEST = 128  # px: smaller pictures are drawn at a multiple of their size and averaged down
STROKES = 1  # last word of the seed of a painting's brush strokes
BLOOMS = [rgb(c) for c in (0xF4E4E8, 0xF4F0E8, 0xF0B4C4, 0xF0E8A8)]


def photo(seed: Seed, size: int) -> Picture:
    """Photograph the scene `seed`; (size, size, 3) uint8 RGB."""
    return _shrink(_photograph(seed, _drawn_at(size)), size)


def painting(seed: Seed, size: int) -> tuple[Picture]:
    """The painting alone of `scene`, as a tuple of one."""
    return (scene(seed, size)[1],)


def scene(seed: Seed, size: int) -> tuple[Picture, Picture]:
    """Photograph the scene `seed` and paint it: two (size, size, 3) uint8 RGB pictures."""
    large = _photograph(seed, _drawn_at(size))
    painted = paint(large, np.random.default_rng((*seed, STROKES)))
    return _shrink(large, size), _shrink(painted, size)


def jobs(train: int, test: int, size: int, seed: int) -> list[Job]:
    """What to draw for the two domains: four folders of different scenes, and the truths of the test ones."""
    return [
        *(Job(_alone, (seed, 0, k), size, (f"trainA/{k:05d}.png",)) for k in range(train)),
        *(Job(painting, (seed, 1, k), size, (f"trainB/{k:05d}.png",)) for k in range(train)),
        *(
            Job(scene, (seed, 2, k), size, (f"testA/{k:05d}.png", f"truth/A/{k:05d}.png"))
            for k in range(test)
        ),
        *(
            Job(scene, (seed, 3, k), size, (f"truth/B/{k:05d}.png", f"testB/{k:05d}.png"))
            for k in range(test)
        ),
    ]


def _alone(seed: Seed, size: int) -> tuple[Picture]:
    return (photo(seed, size),)


def _drawn_at(size: int) -> int:
    return size * -(-SMALLEST // size)


def _shrink(picture: Picture, size: int) -> Picture:
    if picture.shape[0] == size:
        return picture
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)


def _photograph(seed: Seed, size: int) -> Picture:
    rng = np.random.default_rng(seed)
    light = sample_light(rng)
    shares = np.array([entry[0] for entry in SCENES.values()])
    _, horizon, eye, plan_scene = list(SCENES.values())[rng.choice(len(shares), p=shares)]
    view = View(size, float(rng.uniform(*horizon)), float(rng.uniform(*eye)))
    backdrop = draw_ridges(rng, draw_sky(rng, view, light), view, light)
    site = Site(rng, view, light)
    plan = plan_scene(site)
    return develop(rng, _draw(rng, backdrop, site, plan), light.key)


def _draw(rng: np.random.Generator, backdrop: Array, site: Site, plan: Plan) -> Array:
    """Lay the scene together from far to near; (H, W, 3) linear."""
    view, light, first = site.view, site.light, site.view.first_row
    shadow = np.maximum(_shadows(rng, view, light, plan.things), _cloud_shadows(rng, site))
    image = backdrop.copy()
    image[first:] = shade_ground(plan.albedo, site.z, shadow, light)
    cover = np.zeros(image.shape[:2], np.float32)
    cover[first:] = plan.grass
    image = draw_sward(
        image, rng, view, cover, height=plan.blade, blossoms=plan.blossoms, abundance=plan.abundance
    )
    wet = bool(plan.water.any())
    pen = Pen(view, light, mirrored=wet)
    for thing in sorted(plan.things, key=lambda thing: -thing.z):
        pen.stand(thing.x, thing.z)
        thing.draw(pen)
    if wet:
        image = _flood(rng, image, backdrop, site, plan, pen)
    return pen.over(image)


def _flood(
    rng: np.random.Generator, image: Array, backdrop: Array, site: Site, plan: Plan, pen: Pen
) -> Array:
    """Fill the water with the mirrored world, and lay lilies on it."""
    view, light, first = site.view, site.light, site.view.first_row
    flip = f32([[1, 0, 0], [0, -1, 2 * view.horizon * view.size]])
    mirrored = cv2.warpAffine(backdrop, flip, backdrop.shape[:2], borderMode=cv2.BORDER_REFLECT_101)
    mirrored = pen.over(mirrored, 1)
    water = water_surface(rng, mirrored, site.x, site.z, view, light, plan.calm)
    image[first:] += (water - image[first:]) * plan.water[..., None]
    if plan.lilies is not None:
        sunlit = light.sun * 0.6 + light.fill
        image = lilies(image, rng, view, sunlit, plan.lilies, BLOOMS[rng.integers(len(BLOOMS))])
    return image


def _cloud_shadows(rng: np.random.Generator, site: Site) -> Array:
    """Patches of shade that clouds lay over the distance, (h, W) in [0, 1]."""
    drift = fbm(rng, site.z.shape, cells=2, octaves=4, gain=0.5, stretch=5)
    far = smoothstep(15.0, 60.0, site.z)
    return 0.65 * smoothstep(0.1, 0.9, drift) * far * float(rng.random() < 0.6)


def _shadows(rng: np.random.Generator, view: View, light: Light, things: list[Thing]) -> Array:
    """How much sunlight the things take from the ground, (h, W) in [0, 1]."""
    mask = np.zeros((view.size, view.size), np.uint8)
    near = 0.6 * view.eye
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    per_height = -light.to_sun[[0, 2]] / max(
        float(light.to_sun[1]), 0.12
    )  # shadow metres per metre of height
    for thing in things:
        if not thing.width:
            continue
        r, reach = thing.width / 2, thing.height * per_height
        along = np.clip(np.cos(angle)[:, None] * reach, -abs(reach), abs(reach)) * 0.5 + reach * 0.5
        ring = np.stack([r * np.cos(angle), r * np.sin(angle)], 1) * 0.8 + along + (thing.x, thing.z)
        z = np.maximum(ring[:, 1], near)
        points = np.stack(
            [
                view.column(0, 1) + ring[:, 0] * view.scale(1) / z,
                view.horizon * view.size + view.eye * view.scale(1) / z,
            ],
            1,
        )
        cv2.fillPoly(mask, [cv2.convexHull(np.round(points * UNIT).astype(np.int32))], 255, cv2.LINE_AA, BITS)
    soft = blur(mask[view.first_row :].astype(np.float32) / 255, 0.006 * view.size)
    leaves = fbm(rng, soft.shape, cells=40, octaves=2, stretch=2.5)
    return np.clip(smoothstep(0.15, 0.75, soft + 0.12 * leaves * (soft > 0.02)), 0, 1) * 0.9
