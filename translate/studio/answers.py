"""Pictures as answers: one file in its own format, a zip of several, or JSON."""

__all__ = ["answer", "wants_json"]

import base64
import json
import mimetypes
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from translate.studio.translation import Outcome

_TYPES = {".webp": "image/webp", ".avif": "image/avif", ".heic": "image/heic", ".npy": "application/octet-stream"}


def wants_json(request: Request) -> bool:
    """Whether the client asks for JSON in place of files."""
    return "application/json" in request.headers.get("accept", "")


def answer(request: Request, outcomes: Sequence[Outcome], codes: Sequence[list[float] | None] = ()) -> Response:
    """Return the files of all outcomes as the client wants them; `codes` are the looks of each picture's answers."""
    files = [file for outcome in outcomes for file in outcome.files]
    failed = [{"file": outcome.name, "reason": outcome.reason} for outcome in outcomes if outcome.reason]
    if wants_json(request):
        per_picture = max(1, len(codes))
        looks = [codes[i % per_picture] if codes else None for i in range(len(files))]
        images = [as_json(file, z) for file, z in zip(files, looks, strict=True)]
        return JSONResponse({"images": images, "failed": failed})
    if len(files) == 1 and not failed:
        return file_response(files[0].read_bytes(), files[0].name)
    return file_response(zip_of(files, failed), "answers.zip")


def as_json(file: Path, z: list[float] | None = None) -> dict[str, Any]:
    """Return a picture as JSON: its name, type, base64 of its bytes, and its look if it has one."""
    data = base64.b64encode(file.read_bytes()).decode("ascii")
    return {"name": file.name, "type": media_type(file.name), "data": data, "z": z}


def zip_of(files: Sequence[Path], failed: Sequence[dict[str, str]]) -> bytes:
    """Return the files as a zip, uncompressed since pictures are; with failed.jsonl, as translate_folder writes it."""
    out, taken = BytesIO(), set[str]()
    with zipfile.ZipFile(out, "w") as archive:
        for file in files:
            name = file.name if file.name not in taken else f"{file.parent.name}/{file.name}"
            taken.add(name)
            archive.write(file, name)
        if failed:
            archive.writestr("failed.jsonl", "".join(json.dumps(one) + "\n" for one in failed))
    return out.getvalue()


def file_response(data: bytes, name: str) -> Response:
    """Return a file to show or to save under its name."""
    disposition = f"inline; filename*=UTF-8''{quote(name, safe='')}"
    return Response(data, media_type=media_type(name), headers={"Content-Disposition": disposition})


def media_type(name: str) -> str:
    """Return the MIME type of a file by its name."""
    return _TYPES.get(Path(name).suffix.lower()) or mimetypes.guess_type(name)[0] or "application/octet-stream"
