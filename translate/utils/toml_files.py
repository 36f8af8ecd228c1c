"""Users' TOML files, of bounded size and depth."""

__all__ = ["read_toml"]

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from translate.utils.errors import UserError
from translate.utils.files import check_regular

_MAX_BYTES = 2**20
_MAX_DEPTH = 8  # of tables and lists


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; raise UserError if it cannot be read or parsed."""
    try:
        check_regular(path)
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise UserError(f"{path}: is no configuration; it has more than {_MAX_BYTES:,} bytes")
        values = tomllib.loads(data.decode("utf-8"))
        if _is_deeper(values, _MAX_DEPTH):
            raise UserError(f"{path}: is no configuration; it is nested too deeply")
        return values
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except UserError:
        raise
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: is not valid TOML ({error})") from None


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether tables and lists are nested more than `levels` deep."""
    if not isinstance(value, Mapping | list):
        return False
    inner = value.values() if isinstance(value, Mapping) else value
    return not levels or any(_is_deeper(item, levels - 1) for item in inner)
