"""What the results of a folder depend on besides its pictures, as its note says it: the model and the options."""

__all__ = ["describe_run"]

from pathlib import Path
from typing import Any

from translate.checkpoints.model_hash import model_hash
from translate.data.files.output_note import Run
from translate.inference.options import FolderOptions
from translate.inference.request import Request
from translate.inference.translator import Translator
from translate.utils.errors import UserError, short_reason
from translate.utils.files import content_hash

DEFAULT_QUALITY = FolderOptions().quality


def describe_run(
    translator: Translator, request: Request, options: FolderOptions, *, lossy: bool, white_is_hole: bool | None
) -> Run:
    """Return the run, without its mode, for the note in the output folder.

    Args:
        translator: the model, with its norm statistics.
        request: for every picture.
        options: of which only those are noted that make results differ from those of a plain run.
        lossy: whether results depend on the quality.
        white_is_hole: which colour of the masks is the hole; None: there are no masks.
    """
    statistics, quality = translator.statistics, options.quality
    noted = {
        "values": list(translator.values) if translator.values else None,
        "direction": None if request.direction == translator.check_direction(None) else request.direction,
        "scale": None if request.scale == "fit" else request.scale,
        "consistent": options.consistent,
        "strength": None if options.strength == translator.strength else options.strength,
        "to": options.to,
        "stats": None if statistics.kind == "exact" else statistics.kind,
        "reference": [statistics.reference_hash] if statistics.reference_hash else None,
        "hints": bool(options.hints),  # which ones, is noted with each result
        "masks": "with black holes" if white_is_hole is False else bool(options.masks),
        "keep-metadata": options.keep_metadata,
        "quality": quality if lossy and quality != DEFAULT_QUALITY else None,
    } | _variants(options)
    file = "" if translator.file is None else str(translator.file)
    plain = {key: value for key, value in noted.items() if value is not None and value is not False}
    return Run(model_hash(translator.recipe, translator.nets), file, plain)


def _variants(options: FolderOptions) -> dict[str, Any]:
    """Return the options that choose among the possible results of a picture."""
    if options.looks:
        return {"looks": [_look_hash(path) for path in options.looks], "count": options.count}
    if options.count is None and options.seed is None:
        return {}
    return {"seed": options.seed or 0}  # file names show the count


def _look_hash(path: Any) -> str:
    try:
        return content_hash(Path(path))
    except OSError as error:
        raise UserError(f"{path}: cannot be read as an image ({short_reason(error)})") from error
