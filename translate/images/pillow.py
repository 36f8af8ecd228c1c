"""Pillow's process-wide settings while a header is read: no limit, no warnings."""

__all__ = ["lenient_pillow"]

import contextlib
import threading
import warnings
from collections.abc import Iterator

from PIL import Image

_lock = threading.Lock()


@contextlib.contextmanager
def lenient_pillow() -> Iterator[None]:
    """Switch off Pillow's limit of pixels, which callers check themselves, and its warnings; one thread at a time."""
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit
