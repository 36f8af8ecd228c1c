"""The endpoints: each parses a request, calls inference, and answers; `ROUTERS` lists them.

    models     what there is, warming up
    sample     new pictures from a generator
    sketch     line drawings of photos
    status     healthz, metrics and the page of the API
    translate  translate, fill and look

The models of a request are named, never given by a path.
"""

__all__ = ["ROUTERS"]

from fastapi import APIRouter

from translate.studio.routes import models, sample, sketch, status, translate

ROUTERS: list[APIRouter] = [models.router, translate.router, sample.router, sketch.router, status.router]
