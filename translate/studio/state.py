"""What the endpoints of a studio share."""

__all__ = ["Studio", "studio_of"]

from dataclasses import dataclass, field

from fastapi import Request

from translate.studio.settings import Settings
from translate.studio.shelf import Shelf
from translate.studio.training.processes import Trainings
from translate.studio.uploads import Uploads
from translate.studio.worker import Worker
from translate.utils.concurrency import CpuSlots


@dataclass(frozen=True)
class Studio:
    """The parts of a running studio."""

    settings: Settings
    shelf: Shelf
    worker: Worker
    uploads: Uploads
    slots: CpuSlots  # for passes on a CPU
    trainings: Trainings = field(default_factory=Trainings)


def studio_of(request: Request) -> Studio:
    """Return the studio that a request came to; a dependency of the endpoints."""
    studio: Studio = request.app.state.studio
    return studio
