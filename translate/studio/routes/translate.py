"""Translating pictures, filling holes, and reading looks."""

__all__ = ["router"]

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import Response

from translate.inference.options import FolderOptions
from translate.inference.request import Request as ModelRequest
from translate.inference.translator import Translator
from translate.studio.answers import answer
from translate.studio.state import Studio, studio_of
from translate.studio.translation import Order, translate, without_place
from translate.studio.uploads import safe_name, save
from translate.utils.errors import OptionError

router = APIRouter(prefix="/api", tags=["pictures"])
MAX_COUNT = 64  # answers to one picture


@dataclass(frozen=True)
class Choice:
    """The form fields that say which answers are wanted."""

    direction: str | None
    count: int | None
    seed: int | None
    strength: float | None
    z: Any
    keep: int | None

    def request(self, translator: Translator) -> ModelRequest:
        """Return the request to the model; raise OptionError as `Translator.request`."""
        given: dict[str, Any] = {"strength": self.strength, "z": self.z}
        if self.keep is None:
            return translator.request(self.direction, count=self.count, seed=self.seed, **given)
        if self.keep < 0 or self.keep >= MAX_COUNT:
            raise OptionError(f"keep {self.keep} is out of range; give the number of an answer, from 0 on")
        several = translator.request(self.direction, count=self.keep + 1, seed=self.seed or 0, **given)
        return ModelRequest(direction=several.direction, variants=several.variants[-1:], scale=several.scale)


def choice(
    direction: Annotated[str, Form()] = "", count: Annotated[int | None, Form(ge=1, le=MAX_COUNT)] = None,
    seed: Annotated[int | None, Form(ge=0, lt=2**63)] = None, strength: Annotated[float | None, Form()] = None,
    z: Annotated[str, Form()] = "", keep: Annotated[int | None, Form()] = None,
) -> Choice:  # fmt: skip
    """Parse the form fields that say which answers are wanted; a dependency of the endpoints."""
    try:
        code = json.loads(z) if z else None
    except ValueError:
        raise OptionError("z is no JSON; give a list of numbers, as an answer or /api/look has them") from None
    return Choice(direction or None, count, seed, strength, code, keep)


Shared = Annotated[Studio, Depends(studio_of)]
Wanted = Annotated[Choice, Depends(choice)]
Name = Annotated[str, Form()]


@router.post("/translate")
async def translate_pictures(
    request: Request, studio: Shared, wanted: Wanted, image: list[UploadFile],
    hints: Annotated[UploadFile | None, File()] = None, model: Name = "", stats: Name = "",
) -> Response:  # fmt: skip
    """Translate pictures: the answer is the picture in its own format; several are a zip, or JSON if asked for."""
    with studio.uploads.folder() as place:
        pictures = await save_all(image, place)
        layer = await save(hints, place / "hints" / safe_name(hints)) if hints else None
        options = FolderOptions(hints=layer, progress=False)
        return await studio.worker.run(
            request, lambda: run(request, studio, model, wanted, stats, pictures, place, options)
        )


@router.post("/fill")
async def fill(
    request: Request, studio: Shared, wanted: Wanted, image: UploadFile,
    mask: Annotated[UploadFile | None, File()] = None, model: Name = "",
) -> Response:  # fmt: skip
    """Fill the white part of the mask, or what is transparent; known pixels keep their bits."""
    with studio.uploads.folder() as place:
        pictures = await save_all([image], place)
        layer = await save(mask, place / "mask" / safe_name(mask)) if mask else None
        options = FolderOptions(masks=layer, progress=False)
        return await studio.worker.run(
            request, lambda: run(request, studio, model, wanted, "", pictures, place, options)
        )


@router.post("/look")
async def look(request: Request, studio: Shared, image: UploadFile, model: Name = "") -> dict[str, list[float]]:
    """Read the look of a picture of the target domain: the z that gives other pictures the same look."""
    with studio.uploads.folder() as place:
        [path] = await save_all([image], place)

        def read() -> list[float]:
            with without_place(place):
                return studio.shelf.translator(model).style_code(path).tolist()

        return {"z": await studio.worker.run(request, read)}


async def save_all(uploads: list[UploadFile], place: Path) -> list[Path]:
    """Save uploads, each in a folder of its own, so that equal names do not meet."""
    names = [safe_name(upload) for upload in uploads]
    return [
        await save(upload, place / "in" / str(i) / name)
        for i, (upload, name) in enumerate(zip(uploads, names, strict=True))
    ]


def run(
    http: Request, studio: Studio, model: str, wanted: Choice, stats: str, pictures: list[Path], place: Path,
    options: FolderOptions,
) -> Response:  # fmt: skip
    """Translate and return the answer, in a thread of the worker."""
    translator = studio.shelf.translator(model).with_norm_statistics(stats)
    translator.check_conditioning(hints=bool(options.hints), mask=bool(options.masks))
    request = wanted.request(translator)
    outcomes = translate(translator, Order(request, pictures, place, options), studio.slots)
    return answer(http, outcomes, [None if v.z is None else v.z.tolist() for v in request.variants])
