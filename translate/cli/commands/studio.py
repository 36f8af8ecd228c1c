"""studio: a page in the browser, and an HTTP API, for everything that a model can do."""

__all__ = ["StudioOptions", "studio"]

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import UseAppendAction, arg

from translate.cli.commands.options import Flag, PathText, PluginOptions, Precision, RootOptions, Text, TrustOptions
from translate.utils.errors import OptionError, UserError

Models = Annotated[Sequence[str], UseAppendAction, arg(metavar="PATH", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class StudioOptions(TrustOptions, RootOptions, PluginOptions):
    """Open a page in the browser: draw, translate, fill, generate, train; and an HTTP API for programs."""

    model: Models = ()  # Run folder, model.safetensors or hf://user/name, beside those below --runs; may be repeated.
    runs: PathText = "runs"  # Folder of run folders, each of them a model.
    host: str = "127.0.0.1"  # Address to listen on; with another one than this machine's own, a token is needed.
    port: int = 7860  # Port to listen on; 0: any free one.
    # Word that every request from the network has to know (default: one is made and printed, if --host is given).
    token: Text = ""
    no_browser: Flag = False  # Do not open the page in the browser.
    max_upload: str = "200MB"  # Largest request.
    max_seconds: float = 120.0  # Longest time of an answer, waiting included, s.
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1" or "mps".
    precision: Precision = "auto"  # "auto", "bf16" or "fp32".
    memory: Text = ""  # Memory limit of the process, such as 3GB, as for translate-folder.
    config: PathText = ""  # TOML file with any of these options; flags win over it.


def studio(options: StudioOptions) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    try:
        from translate.studio.security import is_loopback
        from translate.studio.serve import serve
        from translate.studio.settings import Settings
    except ModuleNotFoundError as error:
        raise UserError(f"the studio needs {error.name}; install it: pip install 'image-translate[studio]'") from None
    import secrets

    from translate.utils.memory import parse_bytes

    if options.max_seconds <= 0:
        raise OptionError(f"--max-seconds should be above 0, got {options.max_seconds:g}")
    token = options.token or ("" if is_loopback(options.host) else secrets.token_urlsafe(24))
    settings = Settings(
        roots=(Path(options.runs).expanduser(),), models=tuple(Path(path).expanduser() for path in options.model),
        host=options.host, port=options.port, token=token, device=options.device, precision=options.precision,
        memory=options.memory, max_bytes=parse_bytes(options.max_upload), max_seconds=options.max_seconds,
    )  # fmt: skip
    serve(settings, open_browser=not options.no_browser)
    return 0
