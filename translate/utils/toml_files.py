"""TOML files of users, of bounded size and depth."""

__all__ = ["read_toml"]

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from translate.utils.errors import UserError

_LONGEST = 2**20  # bytes of a TOML file


_DEEPEST = 8


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; a file that cannot be read or parsed is a UserError that names it."""
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST + 1)
        if len(data) > _LONGEST:
            raise UserError(f"{path}: is no configuration; it has more than {_LONGEST:,} bytes")
        values = tomllib.loads(data.decode("utf-8"))
        if is_deeper(values, _DEEPEST):
            raise UserError(f"{path}: is no configuration; it is nested too deeply")
        return values
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except UserError:
        raise
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: is not valid TOML ({error})") from None


def is_deeper(value: Any, levels: int) -> bool:
    """Whether tables and lists are nested more than so many levels deep."""
    if not isinstance(value, Mapping | list):
        return False
    inner = value.values() if isinstance(value, Mapping) else value
    return not levels or any(is_deeper(one, levels - 1) for one in inner)
