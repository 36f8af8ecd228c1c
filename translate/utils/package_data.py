"""Where the data files that come with the package lie: at a checkout's root, or inside an installed wheel."""

__all__ = ["shipped"]

from pathlib import Path

from translate.utils.errors import UserError


def shipped(folder: str, package: Path | None = None) -> Path:
    """Return the folder called `folder` ("datasets" or "configs") that belongs to this very package.

    Args:
        folder: the folder's name at the root of a source checkout.
        package: the folder of the package itself; only tests give another.

    Raises:
        UserError: the installation lacks it.
    """
    package = package or Path(__file__).parents[1]
    inside = package / "_shipped"
    # An installed wheel must not look beside itself: site-packages may hold a stranger called "datasets".
    place = inside / folder if inside.is_dir() else package.parent / folder
    if not place.is_dir():
        raise UserError(f"the installation lacks its {folder!r} folder ({place}); install the package again")
    return place
