"""What models of super-resolution keep of a picture: opacity, place, resolution, and on request its exact means."""

__all__ = ["enlarge_plane", "enlarged", "enlarged_alpha", "match_means"]

from dataclasses import replace

import numpy as np

from translate.images.formats.tiff_tags import scale_tags
from translate.images.picture import FULL_SCALE, Picture, to_gray_rgb
from translate.images.samples import REACH, cubic_weights

STRIP_ROWS = 64  # of the source, whose enlargement is corrected at a time


def enlarged(output: np.ndarray, like: Picture, *, consistent: bool = False) -> Picture:
    """Return a network output (scale H, scale W, C), C of 1 or 3, as the enlargement of the picture `like` (H, W).

    Gray, opacity and the colour profile stay; dots per inch and the pixel size of a georeference follow the scale.
    With `consistent`, means over the pixels of one source pixel, rounded, are its bits (`match_means`).
    """
    scale = output.shape[0] // like.pixels.shape[0]
    pixels = output.repeat(3, axis=2) if output.shape[2] == 1 else output
    if like.gray:
        pixels = to_gray_rgb(pixels)
    alpha = None if like.alpha is None else enlarged_alpha(like.alpha, scale, consistent=consistent)
    if consistent:
        pixels = match_means(pixels, like.pixels)
    dpi = like.dpi and (scale * like.dpi[0], scale * like.dpi[1])
    return replace(like, pixels=pixels, alpha=alpha, dpi=dpi, tags=scale_tags(like.tags, scale), indices=None)


def enlarged_alpha(alpha: np.ndarray, scale: int, margin: int = 0, *, consistent: bool = False) -> np.ndarray:
    """Return opacity (H, W), enlarged bicubically; `margin` as for `enlarge_plane`, `consistent` as for `enlarged`."""
    large = enlarge_plane(alpha, scale, margin)
    if not consistent:
        return large
    inside = alpha[margin : alpha.shape[0] - margin, margin : alpha.shape[1] - margin]
    return match_means(large[..., None], inside[..., None])[..., 0]


def enlarge_plane(plane: np.ndarray, scale: int, margin: int = 0) -> np.ndarray:
    """Enlarge (H, W), uint8, uint16 or float32 in [0, 1], bicubically; each pixel depends on its neighbours alone.

    A plane with a `margin`, 0 or 2 pixels wide, is part of a larger one, and loses it.
    """
    x = np.pad(plane.astype(np.float32), REACH - margin, mode="edge")
    for _ in range(2):  # columns, then rows, by the transpose
        size = x.shape[0] - 2 * REACH
        lines = [sum(w * x[k : k + size] for k, w in enumerate(weights)) for weights in cubic_weights(scale)]
        x = np.stack(lines, axis=1).reshape(scale * size, -1).T
    full = FULL_SCALE[plane.dtype]
    x = np.ascontiguousarray(x).clip(0, full)
    return x if full == 1 else np.rint(x).astype(plane.dtype)


def match_means(pixels: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Return the nearest pixels whose means over blocks, rounded, are `source`.

    `pixels` are (scale H, scale W, C) and `source` (H, W, C), both uint8 or both uint16. Means of blocks stay within
    half a level of the source, so that it does not matter how halves are rounded. A block that is off gets equal
    amounts added to all of its pixels, as far as there is room between black and white.
    """
    assert pixels.dtype == source.dtype and pixels.dtype in (np.uint8, np.uint16)
    height, width, channels = source.shape
    scale = pixels.shape[0] // height
    result = np.empty_like(pixels)
    for top in range(0, height, STRIP_ROWS):
        part = source[top : top + STRIP_ROWS]
        rows = slice(scale * top, scale * (top + len(part)))
        blocks = pixels[rows].reshape(len(part), scale, width, scale, channels).transpose(0, 2, 4, 1, 3)
        flat = _match_sums(blocks.reshape(-1, scale**2).astype(np.int32), part.reshape(-1), FULL_SCALE[pixels.dtype])
        blocks = flat.reshape(len(part), width, channels, scale, scale).transpose(0, 3, 1, 4, 2)
        result[rows] = blocks.reshape(scale * len(part), scale * width, channels)
    return result


def _match_sums(blocks: np.ndarray, means: np.ndarray, white: int) -> np.ndarray:
    """Add to `blocks` (n, pixels) int32, in place, so that their means, rounded, are `means` (n,); return them."""
    count = blocks.shape[1]
    sums, wanted, slack = blocks.sum(axis=1), means.astype(np.int32) * count, (count - 1) // 2
    missing = np.clip(sums, wanted - slack, wanted + slack) - sums
    for sign in (1, -1):
        at = np.flatnonzero(sign * missing > 0)
        room = white - blocks[at] if sign > 0 else blocks[at]
        blocks[at] += sign * _share_out(sign * missing[at], room)
    return blocks


def _share_out(amounts: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Divide whole `amounts` (n,) among the pixels of blocks with `room` (n, pixels) as evenly as possible.

    Amounts are at most the sums of the rooms. Pixels with the least room come first, so that what they cannot take is
    divided among the others; the last get one more each, where the amount does not divide.
    """
    order = np.argsort(room, axis=1, kind="stable")
    left, shares = amounts.copy(), np.zeros_like(room)
    count = room.shape[1]
    for k in range(count):
        column = order[:, k : k + 1]
        share = np.minimum(left // (count - k), np.take_along_axis(room, column, axis=1)[:, 0])
        np.put_along_axis(shares, column, share[:, None], axis=1)
        left -= share
    assert not left.any()
    return shares
