"""The server as a process: its port, the browser that opens the page, and signals that stop it."""

__all__ = ["serve"]

import asyncio
import errno
import signal
import socket
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

import uvicorn

from translate.studio.app import create_app
from translate.studio.settings import Settings
from translate.utils.errors import OptionError, short_reason
from translate.utils.terminal import say

GRACE_S = 5  # for running requests when the server stops
MAX_PORT = 65535
BACKLOG = 2048  # connections that wait to be accepted


def serve(settings: Settings, *, open_browser: bool) -> None:
    """Serve a studio until SIGINT or SIGTERM.

    Raises:
        OptionError: the port, the host, the device or the memory cannot be used, or two models have one name.
        UserError: a model of the settings is missing.
    """
    app = create_app(settings)
    listener = bind(settings.host, settings.port)
    url = address(settings, listener.getsockname()[1])
    say(f"The studio: {url}")
    say("Ctrl-C stops it.")
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=GRACE_S
    )
    with listener:
        asyncio.run(_run(Server(config), listener, (lambda: webbrowser.open(url)) if open_browser else None))
    say("The studio has stopped.")


class Server(uvicorn.Server):
    """A server whose signals are handled by `_run`; uvicorn would raise them again after it has stopped."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


async def _run(server: Server, listener: socket.socket, on_start: Callable[[], object] | None) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.handle_exit, number, None)
    serving = asyncio.ensure_future(server.serve([listener]))
    while on_start and not server.started and not serving.done():
        await asyncio.sleep(0.02)
    if on_start and not serving.done():
        loop.run_in_executor(None, on_start)
    await serving


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raise OptionError if that is not possible."""
    if not 0 <= port <= MAX_PORT:
        raise OptionError(f"--port {port} is out of range; choose 1 to {MAX_PORT}, or 0 for a free one")
    try:
        family, *_, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(place[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            line = f"port {port} is in use, perhaps by another studio; choose another with --port (0: any free one)"
        elif error.errno == errno.EACCES:
            line = f"port {port} is not allowed for you; choose one above 1023 with --port"
        else:
            line = f"--host {host}: cannot be listened on ({short_reason(error)}); give an address of this machine"
        raise OptionError(line) from None
    except UnicodeError:
        raise OptionError(f"--host {host}: is no name of a host; give an address of this machine") from None


def address(settings: Settings, port: int) -> str:
    """Return the URL of the page, with the token if there is one."""
    host = settings.host
    if host in ("0.0.0.0", "::", ""):
        host = socket.gethostname()
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}/" + (f"?token={quote(settings.token, safe='')}" if settings.token else "")
