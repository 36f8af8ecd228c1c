"""Translating pictures, filling holes, and reading looks."""

__all__ = ["router"]

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import Response

from translate.inference.options import FolderOptions
from translate.inference.request import Request as ModelRequest
from translate.inference.translator import Translator
from translate.studio.answers import answer
from translate.studio.state import Studio, studio_of
from translate.studio.translation import Order, name_uploads, style_codes, translate
from translate.studio.uploads import save_all, save_one
from translate.utils.errors import OptionError

router = APIRouter(prefix="/api", tags=["pictures"])
MAX_COUNT = 64  # answers to one picture

Shared = Annotated[Studio, Depends(studio_of)]
Text = Annotated[str, Form()]
Layer = Annotated[UploadFile | None, File()]
Stats = Annotated[Literal["", "exact", "frozen", "local"], Form(description="of the norms, as for translate_folder")]


@dataclass(frozen=True)
class Choice:
    """The form fields that say which answers are wanted."""

    direction: str | None
    count: int | None
    seed: int | None
    strength: float | None
    z: Any
    keep: int | None
    scale: str
    to: str | None = None

    def request(self, translator: Translator) -> ModelRequest:
        """Return the request to the model; raise OptionError as `Translator.request`."""
        given: dict[str, Any] = {"strength": self.strength, "z": self.z, "scale": self.scale, "to": self.to}
        if self.keep is None:
            return translator.request(self.direction, count=self.count, seed=self.seed, **given)
        several = translator.request(self.direction, count=self.keep + 1, seed=self.seed or 0, **given)
        return ModelRequest(direction=several.direction, variants=several.variants[-1:], scale=several.scale)


def choice(
    direction: Annotated[str, Form(description="ab or ba; the model's own if it is left out")] = "",
    count: Annotated[int | None, Form(ge=1, le=MAX_COUNT, description="answers to each picture")] = None,
    seed: Annotated[int | None, Form(ge=0, lt=2**63, description="of the answers")] = None,
    strength: Annotated[float | None, Form(description="0 to 1, of a model that has one")] = None,
    z: Annotated[str, Form(description="a look, as JSON: a list of numbers, or several for several answers")] = "",
    keep: Annotated[int | None, Form(ge=0, lt=MAX_COUNT, description="only this answer of the seed, from 0")] = None,
    scale: Annotated[Literal["fit", "native"], Form(description="as for translate_folder")] = "fit",
    to: Annotated[str, Form(description="labels to get, or with a minus to lose: glasses,-blond")] = "",
) -> Choice:
    """Parse the form fields that say which answers are wanted."""
    try:
        code = json.loads(z) if z else None
    except (ValueError, RecursionError):
        raise OptionError("z is no JSON; give a list of numbers, as an answer or /api/look has them") from None
    return Choice(direction or None, count, seed, strength, code, keep, scale, to or None)


def files_wanted(
    format: Annotated[str, Form(description="of the answers, such as png; that of each picture if left out")] = "",
    quality: Annotated[int, Form(description="of JPEG, WebP, AVIF and HEIC, 1 to 100")] = 95,
    keep_metadata: Annotated[bool, Form(description="copy EXIF and the like into the answers")] = False,
) -> dict[str, Any]:
    """Parse the form fields that say how answers are written."""
    return {"format": format, "quality": quality, "keep_metadata": keep_metadata, "progress": False}


Wanted = Annotated[Choice, Depends(choice)]
Files = Annotated[dict[str, Any], Depends(files_wanted)]


@router.post("/translate")
async def translate_pictures(
    request: Request, studio: Shared, wanted: Wanted, files: Files, image: list[UploadFile],
    model: Text = "", hints: Layer = None, stats: Stats = "",
) -> Response:  # fmt: skip
    """Translate pictures: the answer is the picture in its own format; several are a zip, or JSON if asked for."""
    with studio.uploads.folder() as place:
        order = Order(
            place=place, pictures=await save_all(image, place), layer=await save_one(hints, place / "hints"),
            options=FolderOptions(**files),
        )  # fmt: skip

        def run() -> Response:
            translator = studio.shelf.translator(model).with_norm_statistics(stats)
            translator.check_conditioning(hints=hints is not None)
            return compute(request, studio, translator, wanted, order)

        return await studio.worker.run(request, run)


@router.post("/fill")
async def fill(
    request: Request, studio: Shared, wanted: Wanted, files: Files, image: list[UploadFile],
    model: Text = "", mask: Layer = None, invert_mask: Annotated[bool, Form()] = False,
    resize_mask: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Fill the white part of the mask, or what is transparent; known pixels keep their bits."""
    with studio.uploads.folder() as place:
        given: dict[str, Any] = {"masks": place, "invert_masks": invert_mask, "resize_masks": resize_mask}
        order = Order(
            place=place, pictures=await save_all(image, place), layer=await save_one(mask, place / "mask"),
            options=FolderOptions(**files, **given),
        )  # fmt: skip

        def run() -> Response:
            translator = studio.shelf.translator(model)
            if not translator.masked:
                raise OptionError("this model fills no holes; choose one of train_inpaint, or use /api/translate")
            return compute(request, studio, translator, wanted, order)

        return await studio.worker.run(request, run)


@router.post("/look")
async def look(request: Request, studio: Shared, image: UploadFile, model: Text = "") -> dict[str, list[float]]:
    """Read the look of a picture of the target domain: the z that gives other pictures the same look."""
    with studio.uploads.folder() as place:
        [path] = await save_all([image], place)

        def read() -> list[float]:
            translator = studio.shelf.translator(model)
            with name_uploads(place), studio.slots.acquire(exclusive=True):
                return translator.style_code(path).tolist()

        return {"z": await studio.worker.run(request, read)}


def compute(http: Request, studio: Studio, translator: Translator, wanted: Choice, order: Order) -> Response:
    """Translate, and return the answer; called in a thread of the worker."""
    request = wanted.request(translator)
    outcomes = translate(translator, request, order, studio.slots)
    return answer(http, outcomes, style_codes(translator, request))
