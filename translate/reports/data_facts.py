"""What a run was trained on: names, numbers of pictures, fingerprint, and the licences that the catalog knows."""

__all__ = ["SourceFacts", "source_facts"]

from dataclasses import dataclass
from pathlib import Path

from translate.data.catalog.catalog import load_catalog, owner_of_domain
from translate.data.catalog.entry import Dataset
from translate.data.catalog.root import data_root
from translate.data.files.naming import catalog_set, is_bare_name
from translate.reports.trained_run import TrainedRun

OPTIONS = {"a": "--a", "b": "--b", "root": "--data", "pairs": "--pairs", "images": "--images", "masks": "--masks"}
UNKNOWN = "not known to this toolkit: pictures of your own"


@dataclass(frozen=True)
class SourceFacts:
    """A source of training pictures."""

    option: str  # that names it
    spec: str  # its value
    title: str  # of the data set; "" if it is none of the catalog
    licence: str
    citation: str


def source_facts(run: TrainedRun) -> list[SourceFacts]:
    """Return the sources that the configuration of a run names."""
    found = []
    for key, option in OPTIONS.items():
        if spec := str(run.data.get(key, "")):
            dataset = find_dataset(spec)
            known = (dataset.title, dataset.licence, dataset.citation) if dataset else ("", UNKNOWN, "")
            found.append(SourceFacts(option, spec, *known))
    return found


def find_dataset(spec: str) -> Dataset | None:
    """Return the data set of the catalog that --a, --b, --data or --images means, or None for files of the user."""
    if Path(spec).expanduser().exists():
        return next(
            (known for path in (Path(spec), *Path(spec).parents) if (known := catalog_set(path, data_root()))), None
        )
    return (load_catalog().get(spec) or owner_of_domain(spec)) if is_bare_name(spec) else None
