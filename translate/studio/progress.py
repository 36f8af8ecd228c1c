"""Answers of long computations: JSON at the end, or lines of JSON with the progress before it."""

__all__ = ["Advance", "answer_with_progress"]

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from translate.studio.errors import ExpiredError
from translate.studio.worker import Worker, stop_if_cancelled
from translate.utils.errors import UserError

LINES = "application/x-ndjson"
_SHARE = 0.01  # of the work, between two lines
Advance = Callable[[float], None]


async def answer_with_progress(
    request: Request, worker: Worker, function: Callable[[Advance], dict[str, Any]], max_seconds: float | None = None
) -> Response:
    """Call `function` in the worker, and answer with its result.

    A client that accepts application/x-ndjson gets lines {"progress": 0.31}, and at the end the result or {"error":
    ...}; what goes wrong before the first line has the usual status. `function` is given what takes the progress, 0 to
    1, which also ends it when the client has gone.
    """
    if LINES not in request.headers.get("accept", ""):
        return JSONResponse(await worker.run(request, lambda: function(lambda share: stop_if_cancelled()), max_seconds))
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[float | None]()
    shown = -1.0

    def advance(share: float) -> None:
        nonlocal shown
        stop_if_cancelled()
        if share >= shown + _SHARE:
            shown = share
            loop.call_soon_threadsafe(queue.put_nowait, share)

    task = asyncio.ensure_future(worker.run(request, lambda: function(advance), max_seconds))
    task.add_done_callback(lambda _: queue.put_nowait(None))
    first = await queue.get()
    if first is None:
        return JSONResponse(task.result())
    return StreamingResponse(_lines(first, queue, task), media_type=LINES)


async def _lines(first: float, queue: "asyncio.Queue[float | None]", task: "asyncio.Task[Any]") -> AsyncIterator[str]:
    share: float | None = first
    while share is not None:
        yield json.dumps({"progress": round(share, 3)}) + "\n"
        share = await queue.get()
    try:
        yield json.dumps(task.result()) + "\n"
    except ExpiredError as error:
        yield json.dumps({"error": str(error), "status": 504}) + "\n"
    except UserError as error:
        yield json.dumps({"error": str(error), "status": 400}) + "\n"
