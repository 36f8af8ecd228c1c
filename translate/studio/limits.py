"""The size of a request's body: refused at its head if it says so there, else as soon as it exceeds the limit."""

__all__ = ["BodyLimit"]

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from translate.studio.errors import error_response


class BodyLimit:
    """Middleware that lets no more than `max_bytes` of a body through."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app, self.max_bytes = app, max_bytes
        self.line = f"the request is larger than {max_bytes / 1e6:g} MB; send less at once, or raise --max-upload"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self.max_bytes:
            await error_response(self.line, 413)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise HTTPException(413, self.line)
            return message

        await self.app(scope, counted, send)
