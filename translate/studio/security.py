"""Who may talk to a studio: pages and programs of its own address, with the token if there is one.

A page of another site cannot read answers, since no CORS header allows it, but its requests would arrive; and a site
whose name is made to resolve to this machine (DNS rebinding) would count as the same origin. Both are refused by what
browsers themselves say: `Host`, `Origin` and `Sec-Fetch-Site`.
"""

__all__ = ["Guard"]

import hashlib
import hmac
import ipaddress
import socket
from urllib.parse import parse_qs, urlsplit

from fastapi.responses import RedirectResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from translate.studio.errors import RefusedError, error_response
from translate.studio.settings import Settings

OPEN_PATHS = ("/healthz",)  # which tell nothing
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none';"
        " form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


class Guard:
    """Middleware that refuses requests from elsewhere, and adds the security headers to every answer."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.token, self.cookie = app, settings.token, f"studio_{settings.port}"
        self.cookie_value = hashlib.sha256(self.token.encode()).hexdigest()  # a token may have any letters
        self.hosts = {"localhost", settings.host.lower()}
        if not is_loopback(settings.host):
            name = socket.gethostname().lower()
            self.hosts |= {name, f"{name}.local", socket.getfqdn().lower()}
        self.open_to_network = not is_loopback(settings.host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self.check_origin(scope)
            app = self.app if self.is_known(scope) else self.take_token(scope)
        except RefusedError as error:
            app = error_response(error, error.status)
        await app(scope, receive, send_with_headers)

    # ---- where a request comes from

    def check_origin(self, scope: Scope) -> None:
        """Raise RefusedError for a request to another host, or from a page of another origin."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self.is_own_host(host):
            raise RefusedError(f"the host {host[:60]!r} is not this studio; open it by the address that it printed")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise RefusedError("a page of another site asks; open the studio itself")
        site, mode = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode", "")
        if site not in ("none", "same-origin") and not (mode == "navigate" and is_page(scope)):
            raise RefusedError("a page of another site asks; open the studio itself")

    def is_own_host(self, host: str) -> bool:
        """Whether a Host header names this machine; a foreign name that resolves to it (DNS rebinding) does not."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self.hosts:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.open_to_network or address.is_loopback

    # ---- the token

    def is_known(self, scope: Scope) -> bool:
        """Whether a request needs no token, or has it in a header or in the cookie of the page."""
        if not self.token or scope["path"] in OPEN_PATHS:
            return True
        headers = Headers(scope=scope)
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self.is_token(given.strip().encode("latin-1")):  # the bytes as they came
            return True
        cookie = cookie_parser(headers.get("cookie", "")).get(self.cookie, "")
        return hmac.compare_digest(cookie.encode(), self.cookie_value.encode())

    def is_token(self, given: bytes) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(given, self.token.encode())

    def take_token(self, scope: Scope) -> ASGIApp:
        """Set the cookie for the page that was opened by /?token=..., and remove the token from its address."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        given = query.get("token", [""])[0]
        if not (is_page(scope) and self.is_token(given.encode())):
            raise RefusedError("the token is missing or wrong; open the address that the studio printed", 401)
        answer = RedirectResponse(scope["path"], 303)
        answer.set_cookie(self.cookie, self.cookie_value, httponly=True, samesite="strict")
        return answer


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_page(scope: Scope) -> bool:
    """Whether a request opens the page itself, which holds no data."""
    path: str = scope["path"]
    return scope["method"] in ("GET", "HEAD") and not path.startswith(("/api/", "/metrics"))
