"""How the server is: for a load balancer, and for Prometheus; and the page of the API."""

__all__ = ["router"]

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import FileResponse, PlainTextResponse

from translate.studio.settings import PAGE
from translate.studio.state import Studio, studio_of
from translate.utils.memory import resident_bytes

router = APIRouter(tags=["status"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Answer at once, however many computations wait."""
    return {"status": "ok"}


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(studio: Annotated[Studio, Depends(studio_of)]) -> PlainTextResponse:
    """Return the figures of the server in Prometheus' text format."""
    worker = studio.worker
    outcomes = [f'{{outcome="{word}"}} {count}' for word, count in sorted(worker.figures.outcomes.items())]
    lines = [
        *_metric("requests_total", "counter", "Computations by outcome.", *outcomes),
        *_metric("compute_seconds_total", "counter", "Time spent in computations.", f" {worker.figures.seconds:.3f}"),
        *_metric("waiting", "gauge", "Computations that wait for the device.", f" {worker.waiting}"),
        *_metric("pending", "gauge", "Computations that wait or run.", f" {worker.pending}"),
        *_metric("models_loaded", "gauge", "Models in memory.", f" {studio.shelf.loaded}"),
        *_metric("resident_bytes", "gauge", "Memory of the process.", f" {resident_bytes()}"),
    ]
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/docs", include_in_schema=False)
async def docs() -> FileResponse:
    """Return the page that shows /openapi.json."""
    return FileResponse(PAGE / "docs.html")


def _metric(name: str, kind: str, text: str, *values: str) -> list[str]:
    full = f"translate_studio_{name}"
    return [f"# HELP {full} {text}", f"# TYPE {full} {kind}", *(f"{full}{value}" for value in values)]
