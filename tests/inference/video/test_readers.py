from fractions import Fraction

import pytest

from tests.inference.video.films import frames, write_film
from translate.inference.video.readers import open_clip

av = pytest.importorskip("av")


@pytest.mark.parametrize("suffix", ["mkv", "webm", "ts"])
def test_a_film_is_damaged_by_what_it_lacks_and_not_by_its_rate(tmp_path, suffix):
    """These containers count no frames, and duration times rate is no count where the rate varies."""
    codec = "libvpx-vp9" if suffix == "webm" else "libx264"
    times = [0, 70, 190, 200, 410, 700, 710, 720, 730, 1000, 1010, 1600]
    source = write_film(
        tmp_path / f"vfr.{suffix}", list(frames(12, noise=20)), rate=30, codec=codec, times=times,
        unit=Fraction(1, 1000), sound="libopus",
    )  # fmt: skip
    clip = open_clip(source)
    assert sum(1 for _ in clip.frames()) == 12 and not clip.notes
    # frames at an even rate, cut off; a transport stream may end after any frame, so it lacks a piece in the middle
    source = write_film(tmp_path / f"whole.{suffix}", list(frames(60, noise=20)), codec=codec)
    data = source.read_bytes()
    half = len(data) // 2
    (tmp_path / f"cut.{suffix}").write_bytes(data[:half] + (data[half + 20_000 :] if suffix == "ts" else b""))
    for name, whole in (("whole", True), ("cut", False)):
        clip = open_clip(tmp_path / f"{name}.{suffix}")
        count = sum(1 for _ in clip.frames())
        assert (count == 60 and not clip.notes) if whole else (20 < count < 58 and len(clip.notes) == 1)
    assert f"is damaged or cut off; {count} frames could be read" in clip.notes[0]
