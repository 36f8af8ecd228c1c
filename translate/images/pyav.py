"""The import of PyAV, which the extra `video` installs."""

__all__ = ["import_av"]

from pathlib import Path
from typing import Any

from translate.utils.errors import UserError


def import_av(path: str | Path, alternative: str = "") -> Any:
    """Import PyAV, which the film at `path` needs, without FFmpeg's log.

    Raises:
        UserError: PyAV is not installed; the message ends with the `alternative` to installing it.
    """
    try:
        import av
    except ImportError:
        raise UserError(
            f'{path}: films of this kind need PyAV: pip install "image-translate[video]"{alternative}'
        ) from None
    av.logging.set_level(None)
    return av
