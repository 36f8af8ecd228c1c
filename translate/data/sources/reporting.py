"""The pictures to report a model on: none by which a step of its run was chosen."""

__all__ = ["reporting_part"]

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from translate.data.files.halves import is_choosing
from translate.data.sources.picture_record import HELD_OUT, RecordedPictures, find_states
from translate.utils.toml_files import read_toml

T = TypeVar("T")


def reporting_part(
    run: Path, record: RecordedPictures | None, title: str, test: Sequence[T], stem: Callable[[T], str],
    files: Callable[[T], Sequence[Path]], *, same: bool,
) -> tuple[list[T], list[str]]:  # fmt: skip
    """Leave out of `test` the choosing half, if the run has chosen by it.

    Args:
        run: its folder.
        record: of its pictures.
        title: of the pictures, for the note.
        test: pictures, or pairs, that the run has not learned from.
        stem: returns the stem that decides the half of one of these.
        files: returns the files of one of these.
        same: whether these are the pictures of the run; of others, only those in its record are left out.

    Returns:
        The others, and a note on those left out.
    """
    if not has_chosen(run):
        return list(test), []
    states = find_states(record, [file for item in test for file in files(item)]) if record and not same else {}

    def has_chosen_by(item: T) -> bool:
        known = same or any(states.get(file) == HELD_OUT for file in files(item))
        return known and is_choosing(stem(item))

    kept = [item for item in test if not has_chosen_by(item)]
    left_out = len(test) - len(kept)
    note = f"{title}: {left_out} of {len(test)} held-out pictures are not scored: the best step is chosen by them"
    return kept, [note] if left_out else []


def has_chosen(run: Path) -> bool:
    """Whether a run was scored while it trained, as its config.toml says."""
    file = run / "config.toml"
    return file.exists() and read_toml(file).get("plan", {}).get("evaluations", 0) > 0
