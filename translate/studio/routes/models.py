"""The models that there are, and warming one up before it is needed."""

__all__ = ["router"]

import time
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Body, Depends, Request
from starlette.concurrency import run_in_threadpool

from translate.images.picture import Picture
from translate.inference.translator import Translator
from translate.studio.state import Studio, studio_of

router = APIRouter(prefix="/api", tags=["models"])


@router.get("/models")
async def list_models(studio: Annotated[Studio, Depends(studio_of)]) -> dict[str, Any]:
    """List the models, with what each can do."""
    return {"models": await run_in_threadpool(studio.shelf.describe)}


@router.post("/warm")
async def warm(
    request: Request, studio: Annotated[Studio, Depends(studio_of)], model: Annotated[str, Body(embed=True)] = ""
) -> dict[str, Any]:
    """Load a model and run it once, so that the next request gets its answer at once."""
    start = time.perf_counter()
    await studio.worker.run(request, lambda: warm_up(studio.shelf.load(model)))
    return {"model": model, "seconds": round(time.perf_counter() - start, 3)}


def warm_up(model: Any) -> None:
    """Run a model on noise of its own size."""
    if not isinstance(model, Translator):
        model(1)
        return
    channels, _ = model.runner.channels(model.runner.default_direction)
    side = model.recipe.size
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    noise[8:-8, 8:-8] = 255
    hole = None
    if model.masked:
        hole = np.zeros((side, side), bool)
        hole[side // 4 : side // 2, side // 4 : side // 2] = True
    if classes := model.recipe.classes_of("a"):
        model.translate_all(classes.picture(np.zeros((side, side), np.uint8)), model.request())
        return
    picture = Picture(noise[..., :1].repeat(3, axis=2) if channels == 1 else noise, gray=channels == 1)
    model.translate_all(picture, model.request(), (hole, "the hole") if hole is not None else None)
