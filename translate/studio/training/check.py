"""The command check-data in a process of its own, which ends with the request that asked for it."""

__all__ = ["run_check"]

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import Request

from translate.studio.training.processes import environment, program
from translate.utils.errors import UserError
from translate.utils.terminal import as_line

MAX_NAMES = 5  # of the files of a finding


async def run_check(request: Request, words: Sequence[str], result: Path) -> dict[str, Any]:
    """Run check-data with the arguments `words`; return parts and findings as plain data.

    Raises:
        UserError: the data cannot be checked; the line of the command says why.
    """
    process = await asyncio.create_subprocess_exec(
        *program("check-data", [*words, "--json", str(result)]), env=environment(),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output = asyncio.ensure_future(process.communicate())
    gone = asyncio.ensure_future(_has_gone(request))
    try:
        await asyncio.wait({output, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not output.done():
            raise UserError("the check was cancelled")
        _, errors = output.result()
    finally:
        gone.cancel()
        if process.returncode is None:
            process.kill()
            await output
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    if not result.exists():
        raise UserError(as_line(lines[-1].removeprefix("error: ")) if lines else "the check ended without a word")
    return _shorten(json.loads(result.read_text(encoding="utf-8")))


def _shorten(report: dict[str, Any]) -> dict[str, Any]:
    """Keep the first names of the files of each finding, and their number."""
    for finding in report["findings"]:
        files = finding.pop("files")
        finding |= {"files": [Path(name).name for name in files[:MAX_NAMES]], "count": len(files)}
    return report


async def _has_gone(request: Request) -> None:
    """Wait until the client of a request, whose body has been read, is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
