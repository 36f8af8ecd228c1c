"""Line drawings of photos, for models that were trained on drawings."""

__all__ = ["router"]

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, UploadFile
from fastapi.responses import Response

from translate.images.io import read_rgb8, write_picture
from translate.images.picture import Picture
from translate.images.sketch_extraction import check_sketch_options, draw_sketches
from translate.studio.answers import file_response
from translate.studio.state import Studio, studio_of
from translate.studio.translation import name_uploads
from translate.studio.uploads import save_all
from translate.utils.device import pick_device

router = APIRouter(prefix="/api", tags=["pictures"])


@router.post("/sketch")
async def sketch(
    request: Request, studio: Annotated[Studio, Depends(studio_of)], image: UploadFile,
    detail: Annotated[float, Form(description="0: the boldest outlines; 1: texture too")] = 0.5,
    min_length: Annotated[int, Form(description="of a line, px; 0: by the size of the photo")] = 0,
) -> Response:  # fmt: skip
    """Draw the lines of a photo, as make_sketches does: a gray PNG of the same size."""
    check_sketch_options(detail, min_length)
    with studio.uploads.folder() as place:
        [path] = await save_all([image], place)

        def run() -> Response:
            with name_uploads(place), studio.slots.acquire(exclusive=True):
                [lines] = draw_sketches(
                    [read_rgb8(path)], detail=detail, min_length=min_length, device=pick_device(studio.settings.device)
                )
            file = place / f"{path.stem}.png"
            write_picture(file, Picture(lines[..., None].repeat(3, axis=2), gray=True))
            return file_response(file.read_bytes(), file.name)

        return await studio.worker.run(request, run)
