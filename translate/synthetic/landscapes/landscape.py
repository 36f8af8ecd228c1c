"""The `photos` domain: synthetic photographs of landscapes; and the jobs of both domains.

A scene is planned in metres (`scenes`), lit by one sun and one sky (`view`), drawn from far to near, mirrored
in its water, and developed like a film (`camera`). The plan does not depend on the resolution: a seed gives the same
scene at every size.
"""

__all__ = ["canvas_size", "jobs", "pair_jobs", "painting", "photo", "photograph", "repaint", "scene", "shrink"]

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np

from translate.synthetic.arrays import Array, Picture, f32
from translate.synthetic.draw_all import Job
from translate.synthetic.landscapes.brush_strokes import paint
from translate.synthetic.landscapes.camera import develop
from translate.synthetic.landscapes.pen import Pen
from translate.synthetic.landscapes.perspective import View
from translate.synthetic.landscapes.scenes import SCENES, Scene
from translate.synthetic.landscapes.shadows import cloud_shadows, thing_shadows
from translate.synthetic.landscapes.site import Plan, Site
from translate.synthetic.landscapes.sky import draw_sky
from translate.synthetic.landscapes.terrain import draw_ridges, shade_ground, water_surface
from translate.synthetic.landscapes.vegetation import draw_sward, lilies
from translate.synthetic.light import rgb, sample_light

Rng = np.random.Generator
Seed = Sequence[int]

MIN_CANVAS_PX = 128  # px: smaller pictures are drawn at a multiple of their size and averaged down
STROKES_SEED = 1  # last word of the seed of a painting's brush strokes
BLOOMS = [rgb(c) for c in (0xF4E4E8, 0xF4F0E8, 0xF0B4C4, 0xF0E8A8)]


def jobs(train: int, test: int, size: int, seed: int) -> list[Job]:
    """Return the jobs of both domains: four folders of different scenes, and the truths of the test scenes."""
    return [
        *(Job(photo, (seed, 0, k), size, (f"trainA/{k:05d}.png",)) for k in range(train)),
        *(Job(painting, (seed, 1, k), size, (f"trainB/{k:05d}.png",)) for k in range(train)),
        *(Job(scene, (seed, 2, k), size, (f"testA/{k:05d}.png", f"truth/A/{k:05d}.png")) for k in range(test)),
        *(Job(scene, (seed, 3, k), size, (f"truth/B/{k:05d}.png", f"testB/{k:05d}.png")) for k in range(test)),
    ]


def pair_jobs(train: int, test: int, size: int, seed: int) -> list[Job]:
    """Return the jobs of true pairs: the first training photos of `jobs`, painted, and other scenes to test on."""
    return [
        Job(scene, (seed, stream, k), size, tuple(f"{split}{side}/{k:05d}.png" for side in "AB"))
        for split, count, stream in (("train", train, 0), ("test", test, 4))
        for k in range(count)
    ]


def photo(seed: Seed, size: int) -> tuple[Picture]:
    """Photograph the scene `seed`; one (size, size, 3) uint8 RGB picture."""
    return (shrink(photograph(seed, canvas_size(size)), size),)


def painting(seed: Seed, size: int) -> tuple[Picture]:
    """Paint the scene `seed`; one (size, size, 3) uint8 RGB picture."""
    return (scene(seed, size)[1],)


def scene(seed: Seed, size: int) -> tuple[Picture, Picture]:
    """Photograph the scene `seed` and paint it: two (size, size, 3) uint8 RGB pictures."""
    large = photograph(seed, canvas_size(size))
    return shrink(large, size), shrink(repaint(large, seed), size)


def repaint(photo: Picture, seed: Seed) -> Picture:
    """Paint the photograph of the scene `seed`, with the strokes that belong to it."""
    return paint(photo, np.random.default_rng((*seed, STROKES_SEED)))


def canvas_size(size: int) -> int:
    """Return the edge at which pictures of `size` px are drawn, px."""
    return size * -(-MIN_CANVAS_PX // size)


def shrink(picture: Picture, size: int) -> Picture:
    """Average a canvas down to `size` px."""
    if picture.shape[0] == size:
        return picture
    return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def photograph(
    seed: Seed, size: int, scenes: Mapping[str, Scene] = SCENES, change: Callable[[Site, Plan], None] | None = None
) -> Picture:
    """Photograph a scene; each part has its own random stream, as some draw more numbers at higher resolution.

    Args:
        seed: of the scene.
        size: edge of the canvas, px.
        scenes: the compositions to choose from, with shares that sum up to 1.
        change: changes the plan; objects that it appends leave the random streams of the others as they are.
    """
    rng = np.random.default_rng(seed)
    for_sky, for_land, for_plan, for_ground, for_things, for_film = rng.spawn(6)
    light = sample_light(rng)
    choice = list(scenes.values())[rng.choice(len(scenes), p=[entry.share for entry in scenes.values()])]
    view = View(size, rng.uniform(*choice.horizon), rng.uniform(*choice.eye))
    backdrop = draw_ridges(for_land, draw_sky(for_sky, view, light), view, light)
    site = Site(for_plan, view, light)
    plan = choice.plan(site)
    if change:
        change(site, plan)
    image = _lay_ground(for_ground, backdrop, site, plan)
    pen = Pen(view, light, mirrored=bool(plan.water.any()))
    streams = for_things.spawn(len(plan.things))
    for thing, stream in sorted(zip(plan.things, streams, strict=True), key=lambda pair: -pair[0].z):
        pen.stand(thing.x, thing.z)
        thing.draw(pen, stream)
    if len(pen.layers) > 1:
        image = _flood(for_ground, image, backdrop, site, plan, pen)
    return develop(for_film, pen.over(image), light.key)


def _lay_ground(rng: Rng, backdrop: Array, site: Site, plan: Plan) -> Array:
    """Lay the lit ground and its vegetation under the `backdrop` (H, W, 3) of sky and ridges."""
    view, first = site.view, site.view.first_row
    shadow = np.maximum(thing_shadows(rng, site, plan.things), cloud_shadows(rng, site))
    image = backdrop.copy()
    image[first:] = shade_ground(plan.albedo, site.z, shadow, site.light)
    cover = np.zeros(image.shape[:2], np.float32)
    cover[first:] = plan.grass
    petals = None
    if plan.blossoms is not None:  # lit like the ground on average
        petals = plan.blossoms * image[first:].mean((0, 1)) / plan.albedo.mean((0, 1))
    return draw_sward(image, rng, view, cover, height=plan.blade, blossoms=petals, abundance=plan.abundance)


def _flood(rng: Rng, image: Array, backdrop: Array, site: Site, plan: Plan, pen: Pen) -> Array:
    """Fill the water with the mirrored world, and lay lilies on it."""
    view, light, first = site.view, site.light, site.view.first_row
    flip = f32([[1.0, 0.0, 0.0], [0.0, -1.0, 2 * view.horizon * view.size - 1]])
    mirrored = cv2.warpAffine(backdrop, flip, backdrop.shape[:2], borderMode=cv2.BORDER_REFLECT_101)
    water = water_surface(rng, pen.over(mirrored, 1), site.x, site.z, view, light, plan.calm)
    image[first:] += (water - image[first:]) * plan.water[..., None]
    if plan.lilies is None:
        return image
    bloom = BLOOMS[rng.integers(len(BLOOMS))]
    return lilies(image, rng, view, light.sun * 0.6 + light.fill, plan.lilies, bloom)
