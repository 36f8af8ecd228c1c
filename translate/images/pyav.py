"""The import of PyAV, which the extra `video` installs."""

__all__ = ["import_av"]

from pathlib import Path
from typing import Any

from translate.utils.errors import UserError


def import_av(path: str | Path, alternative: str = "") -> Any:
    """Return PyAV, with FFmpeg's log switched off.

    Args:
        path: the film that needs it.
        alternative: what else the user can do.

    Raises:
        UserError: it is not installed.
    """
    try:
        import av
    except ImportError:
        raise UserError(
            f'{path}: films of this kind need PyAV: pip install "image-translate[video]"{alternative}'
        ) from None
    av.logging.set_level(None)
    return av
