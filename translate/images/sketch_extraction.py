"""Line drawings from photos: dark lines on white.

Photos are smoothed with their edges kept, the ridges of their colour gradient are followed (Di Zenzo 1986,
https://doi.org/10.1016/0734-189X(86)90223-9; thinning and two thresholds after Canny 1986,
https://doi.org/10.1109/TPAMI.1986.4767851), and short lines dropped. Lines are drawn with a soft pen at subpixel
positions, without stairs. `translate.images.line_drawings` handles drawings by users.
"""

__all__ = ["check_sketch_options", "draw_sketches", "extract_sketch", "extract_sketches"]

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from translate.utils.errors import OptionError

REFERENCE_PX = 256  # shorter side from which on all lengths grow with the picture
MAX_SIDE_PX = 512  # larger photos are shrunk, and their sketches enlarged
PEN_PX = 1.5
MAX_TEXTURE = 0.06  # in [0, 1]; weaker edges are smoothed away
LOW_THRESHOLD, HIGH_THRESHOLD = 0.02, 0.05  # change of colour per px, CIE Lab / 100, that continues and starts a line
FULL_CONTRAST = 0.25  # the strongest changes of a picture of full contrast; both thresholds scale with them
MIN_LENGTH_SHARE = 0.07  # of the shorter side
DETAIL_RANGE = 4.0  # ratio of thresholds and lengths at detail 0 to those at detail 1


def extract_sketches(photos: Tensor, *, detail: float = 0.5, min_length: int = 0) -> Tensor:
    """Draw the outlines of photos.

    Args:
        photos: (B, 3, H, W) in [0, 1].
        detail: 0: only the boldest outlines; 1: texture too.
        min_length: of a line, px; 0: 7 % of the shorter side, less with more detail.

    Returns:
        (B, 1, H, W) in [0, 1], dark lines on white.

    Raises:
        OptionError: `detail` or `min_length` is out of range.
    """
    check_sketch_options(detail, min_length)
    # shrink large photos
    size = photos.shape[-2:]
    reduced = min(1.0, MAX_SIDE_PX / min(size))
    if reduced < 1:
        photos = F.interpolate(photos, scale_factor=reduced, mode="bilinear", antialias=True).clamp(0, 1)
    # find the lines
    scale, strictness = max(1.0, min(photos.shape[-2:]) / REFERENCE_PX), DETAIL_RANGE ** (0.5 - detail)
    strength, across = colour_gradient(smooth(photos, scale, MAX_TEXTURE * strictness), scale)
    ridge, offset = thin_ridges(strength, across)
    limit = strictness * edge_contrast(strength)
    shortest = min_length * reduced or MIN_LENGTH_SHARE * strictness * min(photos.shape[-2:])
    lines = long_lines(ridge > LOW_THRESHOLD * limit, ridge > HIGH_THRESHOLD * limit, shortest)
    # draw them
    sketches = 1 - draw_lines(lines, offset, PEN_PX * scale)
    return F.interpolate(sketches, size, mode="bicubic").clamp(0, 1) if reduced < 1 else sketches


def extract_sketch(photo: np.ndarray, *, detail: float = 0.5, min_length: int = 0) -> np.ndarray:
    """Draw the outlines of one photo: (H, W, 3) uint8 RGB to (H, W) uint8. See `extract_sketches`."""
    return draw_sketches([photo], detail=detail, min_length=min_length, device=torch.device("cpu"))[0]


def draw_sketches(photos: Sequence[np.ndarray], *, detail: float, min_length: int, device: torch.device) -> np.ndarray:
    """Draw photos of one size, each (H, W, 3) uint8 RGB: (B, H, W) uint8. See `extract_sketches`."""
    pixels = torch.from_numpy(np.stack(photos)).to(device).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        sketches = extract_sketches(pixels, detail=detail, min_length=min_length)[:, 0]
    return (sketches * 255).round().byte().cpu().numpy()


def check_sketch_options(detail: float, min_length: int) -> None:
    """Raise OptionError where `detail` or `min_length` is out of range."""
    if not 0 <= detail <= 1:
        raise OptionError(f"--detail {detail:g} is out of range; choose 0 (only bold outlines) to 1 (texture too)")
    if min_length < 0:
        raise OptionError(f"--min-length {min_length} must not be negative; 0 lets it follow the picture's size")


def smooth(photos: Tensor, scale: float, flat: float) -> Tensor:
    """Smooth texture and keep edges with the guided filter (He et al. 2010); photos (B, 3, H, W) in [0, 1]."""
    from kornia.filters import guided_blur

    window = 2 * round(2 * scale) + 1
    planes = photos.flatten(0, 1)[:, None]  # each channel guides itself; a colour guide would solve a system per pixel
    for _ in range(2):
        planes = guided_blur(planes, planes, window, flat**2, border_type="replicate")
    return planes.view(photos.shape).clamp(0, 1)


def colour_gradient(photos: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Return the strength and direction of colour change, from the eigenvectors of Di Zenzo's tensor.

    Args:
        photos: (B, 3, H, W) in [0, 1].
        scale: standard deviation of the smoothing, px.

    Returns:
        (B, 1, H, W) in CIE Lab / 100 per `scale` px, and unit vectors (B, 2, H, W) as x, y.
    """
    from kornia.color import rgb_to_lab
    from kornia.filters import gaussian_blur2d, spatial_gradient

    window = 2 * round(3 * scale) + 1
    lab = gaussian_blur2d(rgb_to_lab(photos) / 100, window, (scale, scale), border_type="replicate")
    dx, dy = spatial_gradient(lab).unbind(2)
    xx, yy, xy = ((one * other).sum(1, keepdim=True) for one, other in ((dx, dx), (dy, dy), (dx, dy)))
    largest = (xx + yy + ((xx - yy) ** 2 + 4 * xy**2).sqrt()) / 2
    angle = torch.atan2(2 * xy, xx - yy) / 2
    return largest.clamp(min=0).sqrt() * scale, torch.cat([angle.cos(), angle.sin()], 1)


def edge_contrast(strength: Tensor) -> Tensor:
    """Return the contrast of each picture's strong edges, 0.4 (fog, dusk) to 1: (B, 1, H, W) to (B, 1, 1, 1)."""
    strong = strength.flatten(1).topk(max(1, strength[0].numel() // 50)).values.mean(1)
    return (strong / FULL_CONTRAST).clamp(0.4, 1).view(-1, 1, 1, 1)


def thin_ridges(strength: Tensor, across: Tensor) -> tuple[Tensor, Tensor]:
    """Suppress the strength except where it is the maximum across the line.

    Returns:
        The ridge (B, 1, H, W), 0 elsewhere; and its offset from the centre of each pixel, at the vertex of the
        parabola through three values: (B, 2, H, W) px, at most half a pixel along `across`.
    """
    ahead, behind = (sample_shifted(strength, sign * across) for sign in (1, -1))
    bend = (ahead + behind - 2 * strength).clamp(max=-1e-6)
    vertex = ((behind - ahead) / (2 * bend)).clamp(-0.5, 0.5)
    return torch.where((strength >= ahead) & (strength > behind), strength, 0), vertex * across


def sample_shifted(plane: Tensor, offset: Tensor) -> Tensor:
    """Sample (B, 1, H, W) bilinearly at every pixel plus an offset, (B, 2, H, W) px as x, y."""
    height, width = plane.shape[-2:]
    x = torch.arange(width, device=plane.device) + offset[:, 0]
    y = torch.arange(height, device=plane.device)[:, None] + offset[:, 1]
    places = torch.stack([x / max(width - 1, 1), y / max(height - 1, 1)], -1) * 2 - 1
    return F.grid_sample(plane, places, padding_mode="border", align_corners=True)


def long_lines(faint: Tensor, bold: Tensor, shortest: float) -> Tensor:
    """Keep connected lines of `faint` that are long enough and touch `bold` (hysteresis); all (B, 1, H, W) bool."""
    kept = []
    for weak, strong in zip(faint[:, 0].cpu().numpy(), bold[:, 0].cpu().numpy(), strict=True):
        count, labels, stats, _ = cv2.connectedComponentsWithStats(weak.astype(np.uint8), connectivity=8)
        keep = stats[:, cv2.CC_STAT_AREA] >= shortest  # of a line one px thin
        keep &= np.bincount(labels[strong], minlength=count) > 0
        keep[0] = False  # the paper
        kept.append(keep[labels])
    return torch.from_numpy(np.stack(kept))[:, None].to(faint.device)


def draw_lines(lines: Tensor, offset: Tensor, width: float) -> Tensor:
    """Draw the pixels of thin lines (B, 1, H, W) bool with a round soft pen `width` px wide.

    Each pixel is shifted by `offset`, (B, 2, H, W) px as x, y. Returns the amount of ink, (B, 1, H, W) in [0, 1].
    """
    from kornia.filters import gaussian_blur2d

    # splat each pixel bilinearly at its subpixel position
    last_row, last_column = lines.shape[-2] - 1, lines.shape[-1] - 1
    canvas = torch.zeros(lines.shape, device=lines.device)
    n, _, y, x = lines.nonzero(as_tuple=True)
    exact_x, exact_y = x + offset[n, 0, y, x], y + offset[n, 1, y, x]
    left, top = exact_x.floor().long(), exact_y.floor().long()
    for column, row in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
        share = (1 - (exact_x - column).abs()) * (1 - (exact_y - row).abs())
        place = n, torch.zeros_like(n), row.clamp(0, last_row), column.clamp(0, last_column)
        canvas.index_put_(place, share, accumulate=True)
    # blur with the pen
    sigma = width / 2.2
    blurred = gaussian_blur2d(canvas.clamp(max=1), 2 * round(3 * sigma) + 1, (sigma, sigma), border_type="constant")
    return (blurred * sigma * 3.1).clamp(0, 1)  # a straight line's peak is 1 / (sigma sqrt(2 pi)); 24 % above black
