"""Line drawings by users: telling them from photos, and normalising them for sketch models.

Users scan or photograph drawings under uneven light, in pencil, ink or colour, large or tiny, on white or on black.
Normalised drawings have dark lines of at least 1.5 px on white.
"""

__all__ = ["ink_share", "is_line_drawing", "paper_tone", "tidy_sketch"]

import cv2
import numpy as np

REFERENCE_PX = 256  # shorter side of the copies that are judged
MAX_LINE_TONE = 0.85  # of the paper's tone; darker pixels are lines
WORKING_SCALE = 4  # times the final size, to clean lines at; more costs time and adds no detail
MIN_PEN_PX = 1.5  # thinner lines break when they are shrunk
MIN_INK = 0.08  # less ink is the grain of the paper


def ink_share(picture: np.ndarray) -> float:
    """Return the share of pixels of (H, W) or (H, W, 3) uint8 RGB that are dark lines on white paper."""
    return float((darkest_channel(picture) < 0.8 * 255).mean())


def is_line_drawing(picture: np.ndarray) -> bool:
    """Whether (H, W) or (H, W, 3) uint8 RGB is mostly one light tone with thin dark lines, without colour.

    Coloured pens, gray paper and light lines on black do not count; normalise such drawings with `tidy_sketch` first.
    """
    small = shrink_to(picture, REFERENCE_PX)
    if small.ndim == 3 and (np.ptp(small.astype(np.int16), axis=2) > 40).mean() > 0.005:
        return False
    gray = darkest_channel(small)
    paper = float(np.median(gray))
    lines = (gray < MAX_LINE_TONE * paper).astype(np.uint8)
    around = cv2.dilate(lines, np.ones((5, 5), np.uint8))
    shaded = (around == 0) & (gray < paper - 15)
    deep = cv2.distanceTransform(lines, cv2.DIST_L2, 3) > 0.03 * REFERENCE_PX
    return bool(
        paper >= 200 and 0.001 < lines.mean() < 0.35 and shaded.mean() < 0.05 and deep.sum() < 0.1 * lines.sum()
    )


def tidy_sketch(picture: np.ndarray, side: int) -> np.ndarray:
    """Normalise a drawing, (H, W, 3) or (H, W) uint8 RGB, to dark lines on white, as sketch models expect.

    Returns (h, w) uint8 with a shorter side of `side` px; lines that were shrunk are at least 1.5 px wide.
    """
    # clean the lines at a working size, and thicken them so that they survive shrinking
    lines = remove_specks(ink_map(dark_on_light(shrink_to(picture, WORKING_SCALE * side))))
    height, width = lines.shape
    shrink = min(height, width) / side
    missing = round(MIN_PEN_PX * shrink - line_width(lines))
    if missing > 0:
        lines = cv2.dilate(lines, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (missing + 1, missing + 1)))
    # resize
    size = max(1, round(width / shrink)), max(1, round(height / shrink))
    if shrink < 1:  # enlarged edges are soft: sharpen them, and bridge gaps between pixels
        lines = np.clip(
            0.5 + (cv2.resize(lines, size, interpolation=cv2.INTER_CUBIC) - max(0.3, shrink / 2)) / shrink, 0, 1
        )
    else:
        lines = np.clip(1.5 * cv2.resize(lines, size, interpolation=cv2.INTER_AREA), 0, 1)
    return np.rint(255 * (1 - lines)).astype(np.uint8)


def shrink_to(picture: np.ndarray, side: int) -> np.ndarray:
    """Shrink a picture to a shorter side of `side` px at most."""
    height, width = picture.shape[:2]
    if min(height, width) <= side:
        return picture
    shrink = min(height, width) / side
    return cv2.resize(picture, (round(width / shrink), round(height / shrink)), interpolation=cv2.INTER_AREA)


def darkest_channel(picture: np.ndarray) -> np.ndarray:
    """Return the minimum over the channels, (H, W): every pen colour is dark in one channel."""
    return picture if picture.ndim == 2 else picture.min(axis=2)


def dark_on_light(picture: np.ndarray) -> np.ndarray:
    """Invert light lines on a dark ground, and take the darkest channel: (H, W) uint8."""
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.ndim == 3 else picture
    low, middle, high = np.percentile(luma, (0.5, 50, 99.5))
    if middle < 128 and high - middle >= middle - low:  # equal in an all-dark picture
        picture = 255 - picture
    return darkest_channel(picture)


def ink_map(gray: np.ndarray) -> np.ndarray:
    """Return the amount of ink on the paper: (H, W) uint8 to float32, 0 to 1.

    Light and soft shading count as paper; the rest is stretched, so that faint pencil reaches 1 like a pen.
    """
    drawn = np.clip(1 - gray / paper_tone(gray), 0, 1).astype(np.float32)
    noise = min(max(MIN_INK, 6 * float(np.median(drawn))), 0.3)  # no paper is grainier
    marked = drawn[drawn > 1.5 * noise]
    if not marked.size:
        return np.zeros_like(drawn)
    full = max(float(np.quantile(marked, 0.75)), 2 * noise)
    return np.clip((drawn - noise) / (full - noise), 0, 1)


def paper_tone(gray: np.ndarray) -> np.ndarray:
    """Estimate the tone of the paper under the lines: (H, W) uint8 to float32.

    A morphological closing of a small copy removes the lines; wide dark fills remain.
    """
    height, width = gray.shape
    shrink = max(1.0, min(height, width) / 128)
    grain = np.ones((round(shrink) | 1,) * 2, np.uint8)
    small = cv2.resize(
        cv2.dilate(gray, grain), (round(width / shrink), round(height / shrink)), interpolation=cv2.INTER_AREA
    )
    window = round(0.08 * min(small.shape)) | 1
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((window, window), np.uint8))
    soft = cv2.GaussianBlur(closed.astype(np.float32), (0, 0), window / 2)
    tone = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.maximum(tone, max(0.4 * float(np.quantile(tone, 0.9)), 1.0))


def remove_specks(lines: np.ndarray) -> np.ndarray:
    """Remove dust and noise: marks of less than 4 px at a size of 256 px."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((lines > 0.2).astype(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= 4 * (min(lines.shape) / REFERENCE_PX) ** 2
    keep[0] = False
    near = cv2.dilate(keep[labels].astype(np.uint8), np.ones((3, 3), np.uint8))
    return lines * near


def line_width(lines: np.ndarray) -> float:
    """Return the typical width of the lines, px: twice the distance from their centre lines to the paper."""
    framed = cv2.copyMakeBorder((lines > 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    inside = cv2.distanceTransform(framed, cv2.DIST_L2, 5)
    middles = inside[(inside > 0) & (inside >= cv2.dilate(inside, np.ones((3, 3), np.uint8)))]
    return 2 * float(np.median(middles)) - 0.5 if middles.size else 0.0
