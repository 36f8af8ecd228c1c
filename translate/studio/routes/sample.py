"""New pictures from a generator."""

__all__ = ["router"]

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from translate.images.grid import make_grid
from translate.images.io import write_picture
from translate.images.picture import Picture
from translate.inference.latent.sheet import samples_sheet
from translate.inference.sampler import Sampler
from translate.studio.answers import answer, wants_json
from translate.studio.state import Studio, studio_of
from translate.studio.translation import Outcome
from translate.utils.errors import OptionError

router = APIRouter(prefix="/api", tags=["pictures"])
MAX_SAMPLES = 256  # of one request


class SampleRequest(BaseModel):
    """Which samples are wanted."""

    model: str = ""
    seeds: list[Annotated[int, Field(ge=0, lt=2**63)]] = Field([0], max_length=MAX_SAMPLES)
    label: str | dict[str, float] | None = None
    truncation: float = 1.0
    z: list[list[float]] | None = Field(None, max_length=MAX_SAMPLES, description="latent vectors in place of seeds")


@router.post("/sample")
async def sample(request: Request, studio: Annotated[Studio, Depends(studio_of)], wanted: SampleRequest) -> Response:
    """Draw samples: the answer is a sheet of them, or each by itself as JSON if that is asked for."""
    with studio.uploads.folder() as place:

        def run() -> Response:
            sampler = studio.shelf.sampler(wanted.model)
            with studio.slots.acquire(exclusive=True):
                rows, pictures = draw(sampler, wanted)
            if wants_json(request):
                files = write_all(place, pictures, gray=sampler.gray)
            else:
                sheet = {"sheet": make_grid(rows)} if len(pictures) > 1 else pictures
                files = write_all(place, sheet, gray=sampler.gray and len(pictures) == 1)
            return answer(request, [Outcome("samples", files)])

        return await studio.worker.run(request, run)


def draw(sampler: Sampler, wanted: SampleRequest) -> tuple[Sequence[Sequence[np.ndarray]], dict[str, np.ndarray]]:
    """Return the rows of a sheet, and the pictures by the stems of their files."""
    if wanted.z is None:
        sheet = samples_sheet(sampler, wanted.seeds, wanted.label, wanted.truncation)
        return sheet.rows, sheet.files
    if not wanted.z or any(len(row) != sampler.z_dim for row in wanted.z):
        raise OptionError(f"z should be lists of {sampler.z_dim} numbers, as this model takes them")
    z = torch.tensor(wanted.z)
    if not z.isfinite().all():
        raise OptionError("z holds numbers that are not finite; give finite ones")
    weights = sampler.weights_of(range(len(z)), wanted.label)
    pictures = sampler.draw(sampler.styles(z, weights, wanted.truncation))
    return [list(pictures)], {f"{i:03d}": picture for i, picture in enumerate(pictures)}


def write_all(place: Path, pictures: dict[str, np.ndarray], *, gray: bool) -> tuple[Path, ...]:
    """Write pictures as PNG, as the command sample does; return the files."""
    files = tuple(place / f"{stem}.png" for stem in pictures)
    for file, pixels in zip(files, pictures.values(), strict=True):
        write_picture(file, Picture(pixels, gray=gray))
    return files
