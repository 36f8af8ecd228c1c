"""One entry of the catalog, `datasets/<name>.toml`, checked strictly: errors name the file and the key."""

__all__ = ["Dataset", "Download", "Render", "read_dataset"]

import dataclasses
import re
import tomllib
import types
import typing
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from translate.utils.errors import UserError, did_you_mean


@dataclasses.dataclass(frozen=True, kw_only=True)
class Download:
    """An archive at a public address."""

    url: str  # http or https
    size: int | None = None  # exact bytes, which are verified
    sha256: str | None = None  # 64 hexadecimal digits
    approx_size: int | None = None  # bytes, to display if `size` is unknown

    @property
    def file(self) -> str:
        """The archive's file name."""
        return PurePosixPath(self.url).name


@dataclasses.dataclass(frozen=True, kw_only=True)
class Render:
    """Pictures rendered on the user's machine."""

    name: str  # of the renderer
    train: int  # pictures to train on, of each domain
    test: int  # pictures to test on
    size: int = 256  # px


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set of the catalog; it has exactly one of `download`, `render` and `manual`."""

    name: str
    title: str
    description: str
    licence: str
    citation: str
    kind: Literal["unpaired", "paired", "images", "labelled"]  # two domains; or one set, perhaps labelled by folder
    counts: dict[str, int]  # pictures per folder
    domains: dict[str, str] = dataclasses.field(default_factory=dict)  # name of each domain to its side, "A" or "B"
    homepage: str = ""
    download: tuple[Download, ...] = ()
    render: Render | None = None
    manual: str | None = None  # how to get it where the licence allows no automatic download

    @property
    def sides(self) -> dict[str, str]:
        """The name of the domain on each side, "A" and "B"."""
        return {side: name for name, side in sorted(self.domains.items(), key=itemgetter(1))}

    @property
    def single(self) -> bool:
        """Whether the data set has a single domain."""
        return self.kind in ("images", "labelled")

    @property
    def combined(self) -> bool:
        """Whether each file shows both domains, A on the left and B on the right, as published pairs do."""
        return self.kind == "paired" and self.render is None

    @property
    def size(self) -> int | None:
        """Bytes to download, perhaps approximate; None if unknown or if nothing is downloaded."""
        sizes = [part.size or part.approx_size for part in self.download]
        return sum(filter(None, sizes)) if sizes and all(sizes) else None


def read_dataset(file: Path) -> Dataset:
    """Read one TOML file of the catalog; raise UserError if it is not TOML, or has a wrong, unknown or missing key."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: not TOML: {error}") from error
    dataset = _build(Dataset, {"name": file.stem, **table}, str(file))
    _check_values(dataset, str(file))
    return dataset


def _build(kind: type, table: dict[str, Any], where: str) -> Any:
    """Build the dataclass `kind` from a TOML table."""
    types_of = typing.get_type_hints(kind)
    for key in table:
        if key not in types_of:
            raise UserError(f"{where}: unknown key {key!r}{did_you_mean(key, types_of)}")
    for field in dataclasses.fields(kind):
        if field.name not in table and field.default is field.default_factory is dataclasses.MISSING:
            raise UserError(f"{where}: key {field.name!r} is missing")
    return kind(**{key: _convert(value, types_of[key], f"{where}: {key}") for key, value in table.items()})


def _convert(value: Any, expected: Any, where: str) -> Any:
    """Convert a TOML value to the annotated type: plain, a choice, a table or an array of tables."""
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if origin is types.UnionType:  # TOML has no null, so a written value is the other member
        return _convert(value, arguments[0], where)
    if origin is Literal:
        if value not in arguments:
            raise UserError(f"{where} is {value!r}{did_you_mean(str(value), arguments)}")
        return value
    if origin is dict:
        items = _require_type(value, dict, where).items()
        return {key: _require_type(item, arguments[1], f"{where}.{key}") for key, item in items}
    if origin is tuple:
        return tuple(_convert(item, arguments[0], where) for item in _require_type(value, list, where))
    if dataclasses.is_dataclass(expected):
        return _build(typing.cast(type, expected), _require_type(value, dict, where), where)
    return _require_type(value, expected, where)


def _require_type(value: Any, expected: type, where: str) -> Any:
    """Return `value` if its type is exactly `expected` (true is not a whole number)."""
    if type(value) is not expected:
        words = {str: "text", int: "a whole number", dict: "a table", list: "an array of tables"}
        raise UserError(f"{where} must be {words[expected]}, not {value!r}")
    return value


def _check_values(dataset: Dataset, where: str) -> None:
    """Check constraints between values."""
    sources = [key for key in ("download", "render", "manual") if getattr(dataset, key)]
    if len(sources) != 1:
        raise UserError(f"{where}: give exactly one of download, render and manual, not {sources or 'none'}")
    if dataset.single and dataset.domains:
        raise UserError(f"{where}: a set of kind {dataset.kind!r} has no domains; leave the key out")
    if not dataset.single and sorted(dataset.domains.values()) != ["A", "B"]:
        raise UserError(f"{where}: domains must name one domain 'A' and one 'B', not {dataset.domains}")
    for part in dataset.download:
        if not part.url.startswith(("http://", "https://")):
            raise UserError(f"{where}: download: url must be http or https, not {part.url!r}")
        if part.file in ("", "..") or "\\" in part.file:
            raise UserError(f"{where}: download: url must end in a file's name, not {part.url!r}")
        if part.sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", part.sha256):
            raise UserError(f"{where}: download: sha256 must be 64 lower-case hexadecimal digits")
