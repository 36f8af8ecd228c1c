"""The endpoints: each parses a request, calls inference, and answers; `ROUTERS` lists them.

    generate   directions, walks, sums, edits and projections of samples
    models     what there is, warming up
    sample     new pictures from a generator
    sketch     line drawings of photos
    status     healthz, metrics and the page of the API
    train      runs, watched, started, stopped, resumed; folders of pictures
    translate  translate, fill and look

The models and runs of a request are named, never given by a path.
"""

__all__ = ["ROUTERS"]

from fastapi import APIRouter

from translate.studio.routes import generate, models, sample, sketch, status, train, translate

ROUTERS: list[APIRouter] = [
    models.router, translate.router, sample.router, generate.router, sketch.router, train.router, status.router,
]  # fmt: skip
