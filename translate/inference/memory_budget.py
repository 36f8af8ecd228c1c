"""The memory that a pass through a model's networks takes, and the memory that is free for it."""

__all__ = ["ALWAYS_FITS_PX", "MIN_SIDE_PX", "MemoryBudget"]

from collections.abc import Callable
from functools import cached_property

import torch

from translate.inference.inputs.pixels import ALWAYS_FITS_PX, MIN_SIDE_PX
from translate.utils import memory
from translate.utils.errors import OptionError, UserError

OVERHEAD_BYTES_PER_PIXEL = 40  # of the copies around a pass: source, result and their conversions, three channels each


class MemoryBudget:
    """Estimates the memory of a pass, and compares the estimate with the free memory."""

    def __init__(
        self, device: torch.device, limit: int | None, *, multiple: int, channels: int, measure: Callable[[], float]
    ) -> None:
        """Create a budget for passes with `channels` of source and target together.

        The process may hold `limit` bytes; None: half of the free memory. Sides of pictures are padded to `multiple`
        px. `measure` returns the bytes that each pixel adds to the peak of a pass; it is called once, when needed.
        """
        self.device, self.limit, self.multiple, self._measure = device, limit, multiple, measure
        self._overhead_bytes_per_pixel = OVERHEAD_BYTES_PER_PIXEL * max(1.0, channels / 6)

    @cached_property
    def bytes_per_pixel(self) -> float:
        """Bytes that each pixel takes in a pass, and in the copies before and after."""
        return self._measure() + self._overhead_bytes_per_pixel

    def free_budget(self) -> int | None:
        """Return the bytes that a picture may take in addition to those that the process holds; None: unknown."""
        if self.limit is not None:
            return self.limit - memory.resident_bytes()
        free = memory.free_bytes(self.device)
        return None if free is None else free // 2  # other processes need memory, too

    def check_limit(self) -> None:
        """Raise OptionError if the process holds more than the limit already: once, instead of for each picture."""
        if self.limit is not None:
            needed = memory.resident_bytes()
            if self.limit < needed:
                given, least = (memory.gigabytes(size).replace(" ", "") for size in (self.limit, needed + needed // 4))
                raise OptionError(
                    f"--memory {given} is less than the model takes by itself; say --memory {least} or more"
                )

    def peak_bytes(self, height: int, width: int) -> int:
        """Estimate the memory that a pass over height x width px takes, without that of the model."""
        rows, columns = (-(-max(size, MIN_SIDE_PX) // self.multiple) * self.multiple for size in (height, width))
        return round(rows * columns * self.bytes_per_pixel)

    def check(self, batch: int, height: int, width: int, name: str) -> None:
        """Raise UserError if a batch of pictures would take more memory than is free."""
        if batch * height * width > ALWAYS_FITS_PX:
            free = memory.free_bytes(self.device)
            if free is not None and batch * self.peak_bytes(height, width) > free:
                raise self.too_large(batch, height, width, name, free)

    def too_large(self, batch: int, height: int, width: int, name: str, free: int | None = None) -> UserError:
        """Return the error for a batch that needs more memory than is free."""
        free = (memory.free_bytes(self.device) or 0) if free is None else free
        needed = batch * self.peak_bytes(height, width)
        return UserError(
            f"{name}: {width} x {height} px would need about {memory.gigabytes(needed)} of memory,"
            f" {memory.gigabytes(free)} are free; shrink it first or use a machine with more memory"
        )
