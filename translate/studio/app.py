"""The application: middleware, routes, the page."""

__all__ = ["create_app"]

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import torch
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

import translate
from translate.studio.errors import Mistakes, add_error_handlers
from translate.studio.limits import BodyLimit
from translate.studio.routes import ROUTERS
from translate.studio.security import Guard
from translate.studio.settings import PAGE, Settings
from translate.studio.shelf import Shelf
from translate.studio.state import Studio
from translate.studio.uploads import Uploads
from translate.studio.worker import Worker
from translate.utils.concurrency import CpuSlots
from translate.utils.device import pick_device
from translate.utils.memory import keep_freed_memory, parse_bytes

FILE_THREADS = 3  # that decode, encode and write, while others keep the device busy


def create_app(settings: Settings) -> FastAPI:
    """Build the application; it opens its worker and temporary folder when it starts.

    Raises:
        OptionError: an unknown device or memory, or two models of one name.
        UserError: a model of the settings is missing.
    """
    device, shelf = pick_device(settings.device), Shelf(settings)
    if settings.memory:
        parse_bytes(settings.memory)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.studio = studio = open_studio(settings, shelf, on_cpu=device.type == "cpu")
        yield
        studio.worker.close()
        studio.uploads.close()

    app = FastAPI(
        title="image-translate studio", version=translate.__version__, docs_url=None, redoc_url=None, lifespan=lifespan
    )  # the documentation pages of FastAPI load scripts from elsewhere; /docs is a page of ours
    add_error_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/", Page(directory=PAGE, html=True))
    app.add_middleware(Mistakes)
    app.add_middleware(BodyLimit, max_bytes=settings.max_bytes)
    app.add_middleware(Guard, settings=settings)
    return app


def open_studio(settings: Settings, shelf: Shelf, *, on_cpu: bool) -> Studio:
    """Open what the endpoints share."""
    count = torch.get_num_threads() if on_cpu else 1
    if on_cpu:
        keep_freed_memory()  # the next picture needs as much
    worker = Worker(count + FILE_THREADS, settings.max_waiting, settings.max_seconds)
    return Studio(settings, shelf, worker, Uploads(), CpuSlots(count))


class Page(StaticFiles):
    """The files of the page, of which browsers ask at every visit whether they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file of the page."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response
