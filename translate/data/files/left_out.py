"""What is left out of a folder of pictures: files in formats that are not read, and files that are no pictures."""

__all__ = ["describe_left_out", "remedies"]

from collections.abc import Mapping

from translate.images.foreign import remedy_for

_MAX_SUFFIXES = 4  # of files that are no pictures, in one note


def describe_left_out(spec: str, counts: Mapping[str, int]) -> list[str]:
    """Return the note on the files that a walk through `spec` left out, given their number by suffix; [] for none."""
    parts = [f"{found} ({remedy})" for remedy, found in _by_remedy(counts).items()]
    others = {suffix: count for suffix, count in counts.items() if not remedy_for(suffix)}
    if total := sum(others.values()):
        named = sorted(others, key=lambda suffix: (-others[suffix], suffix))
        listed = ", ".join(f"{suffix} {others[suffix]}" for suffix in named[:_MAX_SUFFIXES])
        more = ", ..." if len(named) > _MAX_SUFFIXES else ""
        parts.append(f"{total} other file{'s' * (total > 1)} ({listed}{more})")
    return [f"{spec}: left out {'; '.join(parts)}"] if parts else []


def remedies(counts: Mapping[str, int]) -> str:
    """Return what to do with the pictures among the files left out; "" if there is none."""
    return "; ".join(f"{found}: {remedy}" for remedy, found in _by_remedy(counts).items())


def _by_remedy(counts: Mapping[str, int]) -> dict[str, str]:
    """Return the numbers of pictures in formats that are not read, in words, by what to do with them."""
    groups: dict[str, list[str]] = {}
    for suffix in sorted(counts, key=lambda suffix: (-counts[suffix], suffix)):
        if remedy := remedy_for(suffix):
            groups.setdefault(remedy, []).append(f"{counts[suffix]} {suffix}")
    return {remedy: ", ".join(found) for remedy, found in groups.items()}
