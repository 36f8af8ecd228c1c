"""Limits on input from untrusted files; the command line sets them from its options.

An application that reads larger pictures, or follows links, sets this once: `TRUST.max_pixels = 10**9`.
"""

__all__ = ["MAX_PIXELS", "TRUST", "Trust"]

from dataclasses import dataclass

MAX_PIXELS = 2**28  # 16384 x 16384; as RGB in 8 bits 0.8 GB, which a file of a few kilobytes can unpack to


@dataclass
class Trust:
    """Limits for files from strangers."""

    max_pixels: int = MAX_PIXELS  # of a picture that is decoded whole, not tile by tile; checked in its header
    follow_links: bool = False  # whether symbolic links below a folder are followed to places outside of it


TRUST = Trust()
