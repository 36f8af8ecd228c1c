"""Names of domains, from folders and the catalog."""

__all__ = ["is_bare_name", "catalog_names", "catalog_set", "clean", "distinct_names", "name_of"]

import os
import re
from collections.abc import Sequence
from pathlib import Path

from translate.data.catalog import catalog
from translate.data.catalog.entry import Dataset
from translate.data.files.find import is_pattern, pattern_base

_GENERIC = re.compile(r"(?:train|test|val|images?|imgs?|pictures?|data)?(?:_?(?P<side>[AB]))?$", re.IGNORECASE)


def is_bare_name(spec: str) -> bool:
    """Whether `spec` may be a name of the catalog; `./photos` is always a path."""
    return not spec.startswith(("~", ".")) and "/" not in spec and "\\" not in spec


def clean(name: str) -> str:
    """Return `name` fit for a file name."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "pictures"


def name_of(path: Path, root: Path) -> str:
    """Name a domain after its folder, pattern or list; a generic one such as trainA after its parent too."""
    base = pattern_base(path) if is_pattern(str(path)) else path
    base = Path(os.path.normpath((base if base.is_dir() else base.with_suffix("")).absolute()))
    generic = _GENERIC.match(base.name)
    if generic is None:
        return clean(base.name)
    side = (generic["side"] or "").upper()
    known = catalog_names(base.parent, root)
    return known[side] if known and side else clean(base.parent.name + side)


def catalog_names(folder: Path, root: Path) -> dict[str, str]:
    """Return the name of each side, {"A": ..., "B": ...}, if `folder` is a data set of the catalog below `root`."""
    dataset = catalog_set(folder, root)
    return dataset.sides if dataset else {}


def catalog_set(folder: Path, root: Path) -> Dataset | None:
    """Return the data set of the catalog that was prepared as `folder` in `root`, or None."""
    dataset = catalog.load_catalog().get(folder.name)
    return dataset if dataset and folder.parent.resolve() == root.resolve() else None


def distinct_names(names: Sequence[str], folders: Sequence[Path]) -> tuple[str, str]:
    """Prefix two equal names with the first part in which the paths of their folders differ, else with A and B."""
    first, second = names
    if first != second:
        return first, second
    parts = [folder.absolute().parts for folder in folders]
    differing = next((pair for pair in zip(*parts, strict=False) if pair[0] != pair[1]), ("A", "B"))
    return f"{clean(differing[0])}_{first}", f"{clean(differing[1])}_{second}"
