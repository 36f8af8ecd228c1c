"""The endpoints: each parses a request, calls inference, and answers; `ROUTERS` lists them.

models     what there is, warming up
status     healthz and metrics
translate  translate, fill and look
"""

__all__ = ["ROUTERS"]

from fastapi import APIRouter

from translate.studio.routes import models, status, translate

ROUTERS: list[APIRouter] = [models.router, translate.router, status.router]
