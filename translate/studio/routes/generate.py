"""Pictures of a model that makes its own: directions, walks, sums, edits by a drawing, projections of a photo."""

__all__ = ["router"]

import json
from collections.abc import Callable
from itertools import chain
from typing import Annotated, Any, Literal

import numpy as np
import torch
from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, Field, ValidationError

from translate.images.animation import enlarge, write_film
from translate.images.io import decode_picture
from translate.images.picture import Picture, flatten_alpha, to_depth
from translate.inference.latent.arithmetic import sum_styles
from translate.inference.latent.edit import as_layer, edit
from translate.inference.latent.interpolate import interpolate_styles
from translate.inference.latent.neighbours import square_crop
from translate.inference.latent.project import project
from translate.studio.answers import file_response
from translate.studio.latent import (
    Point,
    as_points,
    directions_of,
    image_of,
    images_of,
    move_styles,
    styles_of_points,
)
from translate.studio.progress import Advance, answer_with_progress
from translate.studio.state import Studio, studio_of
from translate.studio.uploads import safe_name
from translate.utils.errors import OptionError

router = APIRouter(prefix="/api", tags=["samples"])
Shared = Annotated[Studio, Depends(studio_of)]
MAX_SECONDS = 600.0  # of a search
MAX_FRAMES = 240
_MAX_STEPS, _MAX_STARTS = 2000, 64


class Sampling(BaseModel):
    """What all requests of samples have."""

    model: str = ""
    label: str | None = None
    truncation: float = Field(default=1.0, ge=0, le=2)


class Samples(Sampling):
    """Samples to draw, moved along the directions."""

    points: list[Point]
    amounts: list[float] = []  # along each direction, in standard deviations


class Walk(Sampling):
    """A film from sample to sample."""

    points: list[Point]
    frames: int = Field(default=60, ge=2, le=MAX_FRAMES)
    fps: float = Field(default=20, gt=0, le=60)
    loop: bool = False
    format: Literal["gif", "webp", "mp4", "webm"] = "gif"


class Term(BaseModel):
    """Samples whose mean counts, and its factor."""

    factor: float = Field(ge=-10, le=10)
    points: list[Point]


class Sum(Sampling):
    """A sum of the mean styles of samples."""

    terms: list[Term] = Field(min_length=1, max_length=16)


@router.get("/directions")
async def get_directions(request: Request, studio: Shared, model: str = "", label: str | None = None) -> dict[str, Any]:
    """List the directions along which the pictures of a model vary most, with their share of the variance."""

    def compute() -> dict[str, Any]:
        stds = directions_of(studio.shelf.sampler(model), label or None).stds.double()
        shares = (stds.square() / stds.square().sum()).tolist()
        return {"directions": [{"index": i, "share": round(share, 4)} for i, share in enumerate(shares)]}

    return await studio.worker.run(request, compute)


@router.post("/points")
async def draw_points(request: Request, studio: Shared, order: Samples) -> dict[str, Any]:
    """Draw samples, given by seeds or styles, and moved along the directions by `amounts`."""

    def draw() -> dict[str, Any]:
        sampler, label = studio.shelf.sampler(order.model), order.label or None
        w = styles_of_points(sampler, order.points, label, order.truncation)
        names = [f"seed_{p.seed}" if p.seed is not None else f"sample_{i}" for i, p in enumerate(order.points)]
        with studio.slots.acquire(exclusive=True):
            return {"images": images_of(sampler, move_styles(sampler, w, order.amounts, label), names)}

    return await studio.worker.run(request, draw)


@router.post("/walk")
async def walk(request: Request, studio: Shared, order: Walk) -> Response:
    """Return a film that goes from sample to sample."""
    with studio.uploads.folder() as place:
        film = place / f"walk.{order.format}"

        def draw() -> Response:
            sampler = studio.shelf.sampler(order.model)
            points = as_points(sampler, order.points)
            styles = interpolate_styles(
                sampler, points, order.frames, label=order.label or None, truncation=order.truncation, loop=order.loop
            )
            frames = chain.from_iterable(sampler.draw(part) for part in styles.split(16))
            write_film(film, (enlarge(frame) for frame in frames), fps=order.fps)
            return file_response(film.read_bytes(), film.name)

        return await studio.worker.run(request, draw, MAX_SECONDS)


@router.post("/arithmetic")
async def add_samples(request: Request, studio: Shared, order: Sum) -> dict[str, Any]:
    """Add and subtract the mean styles of samples: the picture of the sum, and behind it that of each mean."""

    def add() -> dict[str, Any]:
        sampler, label = studio.shelf.sampler(order.model), order.label or None
        styles = [styles_of_points(sampler, term.points, label, order.truncation) for term in order.terms]
        total = sum_styles(sampler, [(t.factor, w) for t, w in zip(order.terms, styles, strict=True)], label)
        means = torch.stack([w.mean(0) for w in styles])
        names = ["sum", *(f"mean_{i}" for i in range(1, len(means) + 1))]
        with studio.slots.acquire(exclusive=True):
            return {"images": images_of(sampler, torch.cat([total[None], means]), names)}

    return await studio.worker.run(request, add)


@router.post("/edit")
async def edit_sample(
    request: Request, studio: Shared, strokes: Annotated[UploadFile | None, File()] = None,
    lines: Annotated[UploadFile | None, File()] = None, model: Annotated[str, Form()] = "",
    label: Annotated[str, Form()] = "", start: Annotated[str, Form()] = "",
    truncation: Annotated[float, Form(ge=0, le=2)] = 1.0, count: Annotated[int, Form(ge=1, le=_MAX_STARTS)] = 12,
    steps: Annotated[int, Form(ge=1, le=_MAX_STEPS)] = 40, seed: Annotated[int, Form(ge=0, lt=2**32)] = 0,
) -> Response:  # fmt: skip
    """Find samples that have the colours of strokes and the lines of a drawing, near the sample `start` if given.

    Both layers are square and transparent where nothing is drawn; `start` is JSON, {"seed": 3} or {"w": [...]}.
    """
    layers = [await read_upload(upload) if upload else None for upload in (strokes, lines)]
    point = parse_point(start) if start else None

    def search(advance: Advance) -> dict[str, Any]:
        sampler = studio.shelf.sampler(model)
        origin = styles_of_points(sampler, [point], label or None, truncation)[0] if point else None
        colours, drawn = (as_layer(read()) if read else None for read in layers)
        found = edit(
            sampler, colours, drawn, start=origin, candidates=count, steps=steps, label=label or None, seed=seed,
            advance=advance,
        )  # fmt: skip
        names = [f"edit_{i}" for i in range(1, len(found.w) + 1)]
        pictures = zip(names, found.pictures, found.w, found.costs.tolist(), strict=True)
        return {"images": [image_of(*one, gray=sampler.gray) | {"cost": cost} for *one, cost in pictures]}

    return await answer_with_progress(request, studio.worker, search, MAX_SECONDS)


@router.post("/project")
async def project_photo(
    request: Request, studio: Shared, image: UploadFile, model: Annotated[str, Form()] = "",
    label: Annotated[str, Form()] = "", starts: Annotated[int, Form(ge=1, le=_MAX_STARTS)] = 8,
    steps: Annotated[int, Form(ge=1, le=_MAX_STEPS)] = 200, seed: Annotated[int, Form(ge=0, lt=2**32)] = 0,
) -> Response:  # fmt: skip
    """Find the sample that is nearest to a photo: its picture, and behind it the photo as the model is shown it."""
    read = await read_upload(image)

    def search(advance: Advance) -> dict[str, Any]:
        sampler, given = studio.shelf.sampler(model), to_depth(flatten_alpha(read()), np.uint8)
        found = project(sampler, given, starts=starts, steps=steps, label=label or None, seed=seed, advance=advance)
        target = square_crop(given, sampler.size)
        images = [image_of("nearest", found.picture, found.w, gray=sampler.gray), image_of("photo", target)]
        return {"images": images, "distance": found.distance}

    return await answer_with_progress(request, studio.worker, search, MAX_SECONDS)


async def read_upload(upload: UploadFile) -> Callable[[], Picture]:
    """Return a function that decodes an uploaded picture, for a thread of the worker."""
    name, data = safe_name(upload), await upload.read()
    return lambda: decode_picture(data, name)


def parse_point(text: str) -> Point:
    """Parse a point; raise OptionError if it is none."""
    try:
        return Point(**json.loads(text))
    except (ValueError, TypeError, ValidationError):
        raise OptionError('start is no sample; give JSON, {"seed": 3} or {"w": [...]}') from None
