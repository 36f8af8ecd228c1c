import sys
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from tests.inference.video.films import frames, model, read_film, same, write_film
from translate.images.io import read_rgb8, save_png
from translate.inference.options import VideoOptions
from translate.inference.precision import Mode
from translate.inference.video import run
from translate.inference.video.readers import is_video
from translate.inference.video.run import translate_video
from translate.utils.errors import OptionError, UserError
from translate.utils.locks import InUseError, hold

av = pytest.importorskip("av")


def translate(translator, source, output, **options):
    return translate_video(translator, source, output, VideoOptions(progress=False, **options))


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".m4v"])
def test_a_film_keeps_its_frames_times_and_sound(tmp_path, suffix):
    sound = "libopus" if suffix == ".webm" else "aac"
    source = write_film(tmp_path / "in.mkv", sound=sound)
    report = translate(same(), source, tmp_path / f"out{suffix}", denoise=False, segment=5)
    assert (report.frames, report.earlier, report.notes) == (12, 0, [])
    before, times, others = read_film(source)
    after, times_after, others_after = read_film(report.output)
    assert after.shape == before.shape
    assert np.allclose(times_after, times, atol=0.0011)  # Matroska counts milliseconds
    assert others_after == others and others[0][1]  # packet by packet
    assert np.abs(after.astype(int) - before).mean() < 3
    assert not list(tmp_path.glob(".*"))


def test_uneven_frame_times_are_kept(tmp_path):
    times = [0, 40, 70, 200, 210, 230, 400, 401, 450, 600, 900, 1000]
    source = write_film(tmp_path / "in.mkv", times=times, unit=Fraction(1, 1000))
    report = translate(same(), source, tmp_path / "out.mp4", segment=4)
    assert np.allclose(read_film(report.output)[1], np.array(times) / 1000, atol=0.0015)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_odd_sizes_are_kept(tmp_path, suffix):
    source = write_film(tmp_path / "in.mkv", list(frames(6, 47, 63)), pixel_format="yuv444p")
    report = translate(same(), source, tmp_path / f"out{suffix}", denoise=False)
    assert read_film(report.output)[0].shape == (6, 47, 63, 3)


@pytest.mark.parametrize(("rotation", "turns"), [(-90, -1), (90, 1), (180, 2)])
def test_a_phone_held_upright_gives_upright_frames(tmp_path, rotation, turns):
    source = write_film(tmp_path / "in.mp4", rotation=rotation)
    report = translate(same(), source, tmp_path / "out.mp4", denoise=False)
    before, after = read_film(source)[0], read_film(report.output)[0]
    turned = np.rot90(before, turns, axes=(1, 2))
    assert after.shape == turned.shape and np.abs(after.astype(int) - turned).mean() < 3


@pytest.mark.parametrize("height", [96, 720])
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_greys_and_primaries_do_not_shift(tmp_path, suffix, height):
    card = np.zeros((height, 256, 3), np.uint8)
    card[: height // 2] = np.arange(256)[None, :, None]
    colours = [
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (255, 255, 0),
        (0, 255, 255),
        (255, 0, 255),
        (128, 128, 128),
        (30, 60, 90),
    ]
    for i, colour in enumerate(colours):
        card[height // 2 :, 32 * i : 32 * i + 32] = colour
    for k in range(3):
        save_png(tmp_path / "in" / f"{k}.png", card)
    report = translate(same(), tmp_path / "in", tmp_path / f"out{suffix}", quality=100)
    with av.open(str(report.output)) as film:
        frame = next(film.decode(video=0))
        matrix, full = int(frame.colorspace), int(frame.color_range)
        planes = [p.astype(float) for p in _planes(frame)]
    assert full != 2
    kr, kb = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114)}[matrix]
    y, u, v = (planes[0] - 16) / 219, (planes[1] - 128) / 224, (planes[2] - 128) / 224
    red, blue = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    shown = 255 * np.stack([red, (y - kr * red - kb * blue) / (1 - kr - kb), blue], -1)
    inner = np.s_[height // 2 + 8 : -8]
    assert np.abs(shown[: height // 2 - 8] - card[: height // 2 - 8]).max() < 5
    for i in range(len(colours)):
        patch = np.s_[32 * i + 8 : 32 * i + 24]
        assert np.abs(shown[inner][:, patch] - card[inner][:, patch]).mean((0, 1)).max() < 4
    again = translate(same(), report.output, tmp_path / "frames", denoise=False)
    back = read_rgb8(again.output / "000001.png")
    assert np.abs(back[: height // 2 - 8].astype(int) - card[: height // 2 - 8]).max() < 5


def _planes(frame):
    """Return Y, U and V at full size, (H, W), without any library's idea of colour."""
    for k, plane in enumerate(frame.planes):
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        yield rows if k == 0 else rows.repeat(2, 0).repeat(2, 1)[: frame.height, : frame.width]


@pytest.mark.parametrize("killed_at", [3, 7, 11])
@pytest.mark.parametrize("suffix", [".mp4", ".gif", ""])
def test_an_interrupted_run_gives_the_result_of_an_uninterrupted_one(tmp_path, monkeypatch, killed_at, suffix):
    source = write_film(tmp_path / "in.mp4", list(frames(noise=2.0, cut=6)), sound="aac")
    whole = translate(model(), source, tmp_path / f"whole{suffix}", segment=4)
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="killed"):
        patch.setattr(run._FilmTranslation, "_translate", killed_after(killed_at))
        translate(model(), source, tmp_path / f"cut{suffix}", segment=4)
    report = translate(model(), source, tmp_path / f"cut{suffix}", segment=4)
    assert report.earlier == killed_at // 4 * 4 and report.frames == 12 - report.earlier
    assert _bytes(report.output) == _bytes(whole.output)
    assert not list(tmp_path.glob(".*"))


def test_a_resumed_film_keeps_the_mode_of_its_segments(tmp_path, monkeypatch):
    """The second start would choose fp32, as on a busy machine whose memory of the first choice is lost."""
    source = write_film(tmp_path / "in.mp4", list(frames(8, noise=2.0)))
    modes = [Mode("bf16"), Mode("fp32")]
    monkeypatch.setattr("translate.inference.runner.pick_mode", lambda *_: (modes.pop(0), "timed"))
    whole = translate(model(precision="bf16"), source, tmp_path / "whole.gif", segment=4)
    exact = translate(model(precision="fp32"), source, tmp_path / "exact.gif", segment=4)

    def start(cache, precision="auto"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / cache))
        return translate(model(precision=precision), source, tmp_path / "cut.gif", segment=4)

    def cut_off():
        with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="killed"):
            patch.setattr(run._FilmTranslation, "_translate", killed_after(5))
            start("first")

    cut_off()
    report = start("second")
    assert report.earlier == 4 and modes == [Mode("fp32")]
    assert _bytes(report.output) == _bytes(whole.output) != _bytes(exact.output)
    report.output.unlink()
    cut_off()
    report = start("third", "fp32")  # which is another film
    assert report.earlier == 0 and _bytes(report.output) == _bytes(exact.output)


def killed_after(count, translate=run._FilmTranslation._translate):
    seen = iter(range(count))

    def cut_off(self, picture):
        if next(seen, None) is None:
            raise RuntimeError("killed")
        return translate(self, picture)

    return cut_off


def _bytes(path):
    return [f.read_bytes() for f in sorted(path.iterdir())] if path.is_dir() else path.read_bytes()


def test_segments_of_another_run_are_not_resumed(tmp_path, monkeypatch):
    source = write_film(tmp_path / "in.mp4")

    def fail(self, starts):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="killed"):
        patch.setattr("translate.inference.video.writers._FilmWriter.finish", fail)
        translate(model(), source, tmp_path / "out.mp4", segment=4)
    assert translate(model(), source, tmp_path / "out.mp4", segment=4, direction="ba").earlier == 0
    assert translate(model(), source, tmp_path / "out.mp4", segment=4).skipped


def test_gifs_keep_frames_durations_and_loop(tmp_path):
    pictures = [Image.fromarray(f) for f in frames(5)]
    pictures[0].save(
        tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=[50, 100, 30, 200, 70], loop=3
    )
    translate(same(), tmp_path / "a.gif", tmp_path / "b.gif", denoise=False)
    with Image.open(tmp_path / "b.gif") as film:
        assert film.n_frames == 5 and film.info["loop"] == 3
        durations = []
        for i, frame in enumerate(frames(5)):
            film.seek(i)
            durations.append(film.info["duration"])
            assert np.abs(np.asarray(film.convert("RGB")).astype(int) - frame).mean() < 4
    assert durations == [50, 100, 30, 200, 70]


def test_transparent_gifs_stay_transparent(tmp_path):
    pictures = []
    for frame in frames(3):
        alpha = np.zeros(frame.shape[:2], np.uint8)
        alpha[:, :40] = 255
        pictures.append(Image.fromarray(np.dstack((frame, alpha))))
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=50, disposal=2)
    translate(same(), tmp_path / "a.gif", tmp_path / "b.gif")
    with Image.open(tmp_path / "b.gif") as film:
        for i in range(3):
            film.seek(i)
            assert (np.asarray(film.convert("RGBA"))[..., 3] == np.asarray(pictures[i])[..., 3]).all()


def test_folders_of_frames_in_and_out(tmp_path):
    for i, frame in enumerate(frames(11), 1):
        save_png(tmp_path / "in" / f"frame_{i}.png", frame)  # 10 comes after 9
    report = translate(same(), tmp_path / "in", tmp_path / "out.mp4", fps=10, denoise=False, quality=100)
    found, times, _ = read_film(report.output)
    assert np.allclose(times, np.arange(11) / 10)
    assert np.abs(found.astype(int) - np.stack(list(frames(11)))).mean() < 2
    report = translate(same(), report.output, tmp_path / "frames", denoise=False)
    names = sorted(p.name for p in report.output.iterdir())
    assert names == [f"{i:06d}.png" for i in range(1, 12)]
    assert (read_rgb8(report.output / "000010.png") == found[9]).all()


def test_streams_that_a_container_cannot_hold_are_left_out_and_noted(tmp_path):
    source = write_film(tmp_path / "in.mkv", sound="pcm_s16le")
    report = translate(same(), source, tmp_path / "out.webm")
    assert read_film(report.output)[2] == []
    assert len(report.notes) == 1 and "audio pcm_s16le" in report.notes[0]


def test_seed_direction_and_overwrite(tmp_path):
    source = write_film(tmp_path / "in.mp4")
    translate(model(), source, tmp_path / "out.mp4")
    first = (tmp_path / "out.mp4").read_bytes()
    again = translate(model(), source, tmp_path / "out.mp4", direction="ba")
    assert again.skipped and "--overwrite" in again.summary()
    translate(model(), source, tmp_path / "out.mp4", direction="ba", overwrite=True)
    assert (tmp_path / "out.mp4").read_bytes() != first


def test_a_truncated_film_is_translated_as_far_as_possible(tmp_path):
    source = write_film(tmp_path / "in.mkv", list(frames(40, noise=20)))
    data = source.read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) // 2])
    report = translate(same(), tmp_path / "cut.mkv", tmp_path / "out.mp4")
    assert 5 < report.frames < 35
    assert len(report.notes) == 1 and "frames could be read" in report.notes[0]
    assert len(read_film(report.output)[0]) == report.frames


@pytest.mark.parametrize(
    ("name", "output", "said"),
    [
        ("sound.m4a", "out.mp4", "has no pictures, only audio"),
        ("garbage.mp4", "out.mp4", "cannot be read as a film"),
        ("missing.mp4", "out.mp4", "no file or folder"),
        ("film.mp4", "film.mp4", "is the input itself"),
        ("film.mp4", "out.avi", "use .mp4, .m4v, .mov, .mkv, .webm, .gif, or a folder"),
        ("film.mp4", "out.png", "or a folder"),
        ("empty", "out.mp4", "empty"),
        ("picture.png", "out.mp4", "is a picture"),
        ("mixed", "out.mp4", "make them one size"),
        ("bad.gif", "out.mp4", "cannot be read as a GIF"),
    ],
)
def test_bad_input_is_one_line(tmp_path, name, output, said):
    write_film(tmp_path / "film.mp4")
    write_film(tmp_path / "sound.m4a", sound="aac", audio_only=True)
    (tmp_path / "garbage.mp4").write_bytes(b"no film at all" * 100)
    (tmp_path / "bad.gif").write_bytes(b"no film at all" * 100)
    (tmp_path / "empty").mkdir()
    save_png(tmp_path / "picture.png", np.zeros((20, 20, 3), np.uint8))
    save_png(tmp_path / "mixed" / "1.png", np.zeros((20, 20, 3), np.uint8))
    save_png(tmp_path / "mixed" / "2.png", np.zeros((20, 24, 3), np.uint8))
    with pytest.raises(UserError, match=said) as error:
        translate(same(), tmp_path / name, tmp_path / output)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"quality": 0}, "1 to 100"),
        ({"fps": 25.0}, "frame rate of its own"),
        ({"stats": "slow"}, "'slow' is unknown; choose from exact"),
        ({"direction": "ac"}, "neither"),
        ({"seed": 1, "looks": ["x.png"]}, "leave out --look or --seed"),
    ],
)
def test_wrong_options_are_refused(tmp_path, options, said):
    source = write_film(tmp_path / "film.mp4")
    with pytest.raises(OptionError, match=said):
        translate(model(), source, tmp_path / "out.mp4", **options)
    assert not (tmp_path / "out.mp4").exists() and not list(tmp_path.glob(".*"))


def test_without_pyav_a_line_names_the_extra(tmp_path, monkeypatch):
    source = write_film(tmp_path / "film.mp4")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UserError, match=r"image-translate\[video\]"):
        translate(model(), source, tmp_path / "out.mp4")


def test_a_full_disk_keeps_the_segments(tmp_path, monkeypatch):
    source = write_film(tmp_path / "film.mp4")

    def full(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(UserError, match="No space left"):
        patch.setattr("translate.inference.video.writers.mux_segments", full)
        translate(model(), source, tmp_path / "out.mp4", segment=4)
    assert not (tmp_path / "out.mp4").exists()
    report = translate(model(), source, tmp_path / "out.mp4", segment=4)
    assert (report.frames, report.earlier) == (0, 12) and len(read_film(report.output)[0]) == 12


def test_films_are_recognised(tmp_path):
    (tmp_path / "folder").mkdir()
    assert is_video("clip.MOV", "out") and is_video("a.gif", "b.gif") and is_video(tmp_path / "folder", "out.mp4")
    assert is_video(tmp_path / "folder", "out.avi")  # and is told there that it cannot be written
    assert (
        not is_video("a.png", "b.gif")
        and not is_video(tmp_path / "folder", "out")
        and not is_video("a.gif", "out")
        and not is_video("a.png", "out")
    )
    assert not is_video("a.gif", tmp_path / "folder")


def test_one_film_has_one_process(tmp_path):
    write_film(tmp_path / "in.mp4", frames(4))
    with (
        hold(tmp_path / ".out.mp4.lock", "out"),
        pytest.raises(InUseError, match=r"out.mp4: is being written by process"),
    ):
        translate(same(), tmp_path / "in.mp4", tmp_path / "out.mp4")
    assert translate(same(), tmp_path / "in.mp4", tmp_path / "out.mp4").frames == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]
