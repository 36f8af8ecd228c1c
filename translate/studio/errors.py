"""Every error as JSON with one line, the same as the commands print: {"error": "..."}."""

__all__ = [
    "BusyError", "ConflictError", "ExpiredError", "Mistakes", "RefusedError", "UnknownModelError", "UnknownRunError",
    "add_error_handlers", "error_response",
]  # fmt: skip

import traceback
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from translate.utils.errors import UserError
from translate.utils.terminal import as_line, console, escape


class UnknownModelError(UserError):
    """No model of the studio has this name (404)."""


class UnknownRunError(UserError):
    """No run of the studio has this name, or it lacks what was asked for (404)."""


class ConflictError(UserError):
    """A run is in a state that does not allow what was asked: it is being trained, or it is not (409)."""


class RefusedError(UserError):
    """A request from elsewhere, or without the token (401, 403), or too large (413)."""

    def __init__(self, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.status = status


class BusyError(UserError):
    """Too many requests wait (503); `seconds` until it is worth asking again."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class ExpiredError(UserError):
    """A request took more time than it may (504)."""


def error_response(line: object, status: int, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return an error as an answer."""
    return JSONResponse({"error": as_line(str(line))}, status, headers)


def add_error_handlers(app: FastAPI) -> None:
    """Turn the exceptions of endpoints into answers."""
    app.add_exception_handler(UserError, _answer_user_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid_request)


async def _answer_user_error(request: Request, error: Exception) -> JSONResponse:
    match error:
        case UnknownModelError() | UnknownRunError():
            return error_response(error, 404)
        case ConflictError():
            return error_response(error, 409)
        case RefusedError():
            return error_response(error, error.status)
        case BusyError():
            return error_response(error, 503, {"Retry-After": str(error.seconds)})
        case ExpiredError():
            return error_response(error, 504)
    return error_response(error, 400)


async def _answer_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return error_response(error.detail, error.status_code, error.headers)


async def _answer_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part not in ("body", "query"))
    return error_response(f"{field or 'the request'}: {first['msg']}", 400)


class Mistakes:
    """Middleware that answers an exception that nobody expected with one line; the terminal shows where it arose."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http":
                raise
            await _response_to_mistake(error)(scope, receive, send)


def _response_to_mistake(error: Exception) -> JSONResponse:
    if "memory" in f"{type(error).__name__} {error}".lower():
        return error_response("out of memory; give a smaller picture", 503)
    console.print(escape("".join(traceback.format_exception(error))), soft_wrap=True)
    return error_response(f"the studio made a mistake ({type(error).__name__}); its terminal shows more", 500)
