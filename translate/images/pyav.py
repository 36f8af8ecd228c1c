"""PyAV, the extra `video`: its import and its errors."""

__all__ = ["import_av", "in_a_line"]

from pathlib import Path
from typing import Any

from translate.utils.errors import UserError


def import_av(path: str | Path) -> Any:
    """Return PyAV, quiet.

    Raises:
        UserError: it is not installed.
    """
    try:
        import av
    except ImportError:
        raise UserError(f'{path}: films need PyAV: pip install "image-translate[video]"') from None
    av.logging.set_level(None)
    return av


def in_a_line(error: Exception) -> str:
    """Return what FFmpeg has to say, without the path."""
    return str(getattr(error, "strerror", None) or error or type(error).__name__).splitlines()[0]
