"""Data files of the package: at the root of a checkout, or inside an installed wheel."""

__all__ = ["package_folder"]

from pathlib import Path

from translate.utils.errors import UserError


def package_folder(name: str, package: Path | None = None) -> Path:
    """Return the folder "datasets" or "configs" of the package; raise UserError if the installation lacks it."""
    package = package or Path(__file__).parents[1]
    inside = package / "_shipped"
    # An installed wheel must not search its parent: site-packages may hold another package called "datasets".
    folder = inside / name if inside.is_dir() else package.parent / name
    if not folder.is_dir():
        raise UserError(f"the installation lacks its {name!r} folder ({folder}); install the package again")
    return folder
