"""CMYK to sRGB."""

__all__ = ["cmyk_to_rgb", "image_from_cmyk"]

import io

import numpy as np
from PIL import Image, ImageCms


def image_from_cmyk(image: Image.Image) -> Image.Image:
    """Convert CMYK to sRGB by the image's own profile; without one, by Pillow's formula."""
    try:
        inks = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        converted = ImageCms.profileToProfile(image, inks, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (KeyError, OSError, ImageCms.PyCMSError):
        converted = None
    return converted or image.convert("RGB")


def cmyk_to_rgb(inks: np.ndarray, icc: bytes | None) -> np.ndarray:
    """Convert (H, W, 4) of uint8, uint16 or floats in [0, 1] to sRGB of the same type.

    Profiles are applied in 8 bits; without one, deep numbers keep their depth.
    """
    full = 255 if inks.dtype == np.uint8 else 65535 if inks.dtype == np.uint16 else 1
    if inks.dtype == np.uint8 or icc:
        narrow = np.rint(inks.astype(np.float32) * (255 / full)).clip(0, 255).astype(np.uint8)
        image = Image.fromarray(narrow, "CMYK")
        if icc:
            image.info["icc_profile"] = icc
        rgb = np.asarray(image_from_cmyk(image))
        return rgb if full == 255 else (rgb.astype(np.float32) * (full / 255)).astype(inks.dtype)
    light = 1 - inks.astype(np.float64) / full
    rgb = light[..., :3] * light[..., 3:] * full
    return (np.rint(rgb) if full > 1 else rgb).astype(inks.dtype)
