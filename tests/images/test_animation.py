import sys

import numpy as np
import pytest
from PIL import Image

from translate.images.animation import FILM_SUFFIXES, enlarge, write_film
from translate.utils.errors import OptionError, UserError
from translate.utils.files import WriteError


def frames(count=7, height=48, width=64):
    """A bright square that moves to the right over a blue slope."""
    slope = np.zeros((height, width, 3), np.uint8)
    slope[..., 2] = np.linspace(40, 200, width).astype(np.uint8)
    for i in range(count):
        frame = slope.copy()
        frame[10:30, 4 + 5 * i : 24 + 5 * i] = (220, 180, 40)
        yield frame


def read_by_pillow(path):
    film = Image.open(path)
    found, delays = [], []
    for i in range(film.n_frames):
        film.seek(i)
        found.append(np.asarray(film.convert("RGB")))
        delays.append(film.info["duration"])
    return np.stack(found), delays, film.info.get("loop")


def read_by_av(path):
    av = pytest.importorskip("av")
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        return np.stack([frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]), stream.average_rate


@pytest.mark.parametrize(("suffix", "tolerance"), [(".gif", 3), (".webp", 6)])
def test_pictures_that_move(tmp_path, suffix, tolerance):
    write_film(tmp_path / "new" / f"walk{suffix}", frames(), fps=12.5)
    found, delays, loop = read_by_pillow(tmp_path / "new" / f"walk{suffix}")
    expected = np.stack(list(frames()))
    assert found.shape == expected.shape and delays == [80] * 7 and loop == 0
    assert np.abs(found.astype(int) - expected).mean() < tolerance
    assert [path.name for path in (tmp_path / "new").iterdir()] == [f"walk{suffix}"]  # nothing temporary


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("size", [(48, 64), (47, 63)])
def test_films(tmp_path, suffix, size):
    pytest.importorskip("av")
    write_film(tmp_path / f"walk{suffix}", frames(7, *size), fps=12.5)
    found, rate = read_by_av(tmp_path / f"walk{suffix}")
    expected = np.stack(list(frames(7, *size)))
    assert found.shape == (7, 48, 64, 3) and float(rate) == pytest.approx(12.5)
    assert np.abs(found[:, : size[0], : size[1]].astype(int) - expected).mean() < 6


def test_a_gif_is_never_faster_than_players_go(tmp_path):
    write_film(tmp_path / "a.gif", frames(3), fps=100)
    assert read_by_pillow(tmp_path / "a.gif")[1] == [20, 20, 20]


def test_a_gif_keeps_rare_colours(tmp_path):
    """A small green eye in a face of a thousand browns."""
    rows, columns = np.mgrid[:128, :128].astype(np.float32)
    face = np.stack([150 + rows * 0.7, 90 + columns * 0.6, 60 + (rows + columns) * 0.3], axis=2)
    face += np.random.default_rng(0).normal(0, 6, face.shape)
    face[60:66, 40:48] = (30, 160, 60)
    write_film(tmp_path / "a.gif", [face.clip(0, 255).astype(np.uint8)] * 2, fps=10)
    eye = np.asarray(Image.open(tmp_path / "a.gif").convert("RGB"))[61:65, 41:47].astype(int)
    assert np.abs(eye - (30, 160, 60)).max() < 20


def test_one_frame_is_a_film(tmp_path):
    for suffix in FILM_SUFFIXES:
        if suffix in (".mp4", ".webm"):
            pytest.importorskip("av")
        write_film(tmp_path / f"one{suffix}", frames(1), fps=10)
        assert (tmp_path / f"one{suffix}").stat().st_size > 100


def test_small_frames_are_enlarged():
    frame = next(iter(frames()))
    assert enlarge(frame).shape == (288, 384, 3)  # the shorter side decides
    assert enlarge(frame, 2).shape == (96, 128, 3)
    assert enlarge(frame, 1) is frame
    large = np.zeros((256, 300, 3), np.uint8)
    assert enlarge(large) is large


def test_a_film_that_fails_leaves_the_old_one(tmp_path):
    (tmp_path / "a.gif").write_bytes(b"old")

    def broken():
        yield from frames(2)
        raise WriteError("no more")

    with pytest.raises(WriteError):
        write_film(tmp_path / "a.gif", broken(), fps=10)
    assert (tmp_path / "a.gif").read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("name", "fps", "message"),
    [
        ("walk.avi", 10, r"'.avi' names no kind of film; use one of .gif, .webp, .mp4, .webm"),
        ("walk", 10, "'no suffix' names no kind of film"),
        ("walk.gif", 0, "fps 0 is out of range"),
        ("walk.gif", float("nan"), "fps nan is out of range"),
    ],
)
def test_mistakes(tmp_path, name, fps, message):
    with pytest.raises(OptionError, match=message):
        write_film(tmp_path / name, frames(), fps=fps)
    assert not list(tmp_path.iterdir())


def test_without_pyav_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UserError, match=r'walk.mp4: films .* need PyAV: pip install "image-translate\[video\]"'):
        write_film(tmp_path / "walk.mp4", frames(), fps=10)
    write_film(tmp_path / "walk.gif", frames(), fps=10)
