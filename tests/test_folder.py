import errno
import os
import threading
import time

import numpy as np
import pytest
from PIL import Image
from torch import nn

from translate import folder as folder_module
from translate.checkpoint import Recipe
from translate.errors import OptionError, UserError
from translate.folder import translate_folder
from translate.images import Picture, WriteError, read_picture, write_picture
from translate.translator import Translator
from translate.worklist import make_worklist

RECIPE = Recipe(task="cycle", nets={}, domains=("photos", "monet"), size=64, preset="fast", steps=1, data="none")


class Negative(nn.Module):
    multiple = 4

    def forward(self, x):
        return -x


@pytest.fixture
def translator():
    return Translator(RECIPE, nn.ModuleDict({"G_ab": Negative(), "G_ba": nn.Identity()}))


@pytest.fixture
def source(tmp_path):
    """A tree of every kind of picture, and what is none."""
    root = tmp_path / "in"
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (13, 18, 4), dtype=np.uint8)
    for name, size in {
        "odd.png": (13, 17),
        "one.bmp": (1, 1),
        "wide.png": (3, 20000),
        "a/b/deep.png": (9, 5),
    }.items():
        write_picture(root / name, Picture(rng.integers(0, 256, (*size, 3), dtype=np.uint8)))
    write_picture(root / "a/16.png", Picture(rng.integers(0, 65536, (9, 5, 3), dtype=np.uint16)))
    write_picture(root / "a/gray.png", Picture(colour[..., :1].repeat(3, axis=2), gray=True))
    write_picture(root / "a/alpha.png", Picture(colour[..., :3].copy(), colour[..., 3].copy()))
    Image.fromarray(colour[..., :3]).quantize(8).save(root / "palette.png", transparency=2)
    Image.fromarray(colour[..., :3]).convert("CMYK").save(root / "cmyk.jpg")
    frames = [Image.new("L", (8, 8), value) for value in (10, 100, 200)]
    frames[0].save(root / "film.gif", save_all=True, append_images=frames[1:])
    (root / "readme.txt").write_text("no picture")
    (root / "a" / ".hidden").write_text("")
    return root


GOOD = 10


def pictures(root):
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and p.name != "failed.txt")


def run(translator, source, output, **options):
    return translate_folder(translator, source, output, **{"progress": False, **options})


def test_a_tree_keeps_names_sizes_and_kinds(translator, source, tmp_path):
    report = run(translator, source, tmp_path / "out")
    assert (report.done, report.skipped, report.failed, report.ignored) == (GOOD, 0, [], 1)
    assert pictures(tmp_path / "out") == [
        name for name in pictures(source) if name[-4:] in (".png", ".bmp", ".jpg", ".gif")
    ]
    for name in pictures(tmp_path / "out"):
        before, after = read_picture(source / name), read_picture(tmp_path / "out" / name)
        assert after.pixels.shape == before.pixels.shape and after.pixels.dtype == before.pixels.dtype, name
        assert after.gray == before.gray or name == "film.gif"
        assert (after.alpha is None) == (before.alpha is None)
        if before.alpha is not None:
            assert (after.alpha == before.alpha).all()
        full = np.iinfo(before.pixels.dtype).max
        wrong = np.abs(after.pixels.astype(int) - (full - before.pixels.astype(int))).mean()
        assert wrong < (8 if name[-4:] in (".jpg", ".gif") else 1e-9), name
    assert report.notes == [f"{source / 'film.gif'}: animated, only the first of 3 frames was translated"]


def test_the_other_direction(translator, source, tmp_path):
    run(translator, source / "odd.png", tmp_path / "out", direction="ba")
    assert (read_picture(tmp_path / "out/odd.png").pixels == read_picture(source / "odd.png").pixels).all()
    with pytest.raises(OptionError, match="quality 101 is out of range; choose 1 to 100"):
        run(translator, source, tmp_path / "other", quality=101)
    with pytest.raises(OptionError, match="photos to monet"):
        run(translator, source, tmp_path / "other", direction="sideways")
    assert not (tmp_path / "other").exists()


def test_a_second_run_does_only_what_is_missing_or_older(translator, source, tmp_path):
    out = tmp_path / "out"
    run(translator, source, out)
    (out / "odd.png").unlink()
    later = time.time() + 5
    os.utime(source / "one.bmp", (later, later))
    report = run(translator, source, out)
    assert (report.done, report.skipped) == (2, GOOD - 2)
    os.utime(out / "one.bmp", (later, later))
    assert run(translator, source, out).done == 0
    assert run(translator, source, out, overwrite=True).done == GOOD


def test_a_newer_model_makes_all_again(translator, source, tmp_path):
    run(translator, source, tmp_path / "out")
    translator.file = tmp_path / "model.safetensors"
    translator.file.write_text("")
    later = time.time() + 5
    os.utime(translator.file, (later, later))
    assert run(translator, source, tmp_path / "out").done == GOOD


def test_bad_files_are_listed_and_the_rest_goes_on(translator, source, tmp_path):
    (source / "text.jpg").write_text("I am a text")
    whole = (source / "cmyk.jpg").read_bytes()
    (source / "a/half.jpg").write_bytes(whole[: len(whole) // 2])
    (source / "empty.png").write_bytes(b"")
    (source / "dead.png").symlink_to(source / "nowhere.png")
    report = run(translator, source, tmp_path / "out")
    assert report.done == GOOD
    reasons = {path.name: reason for path, reason in report.failed}
    assert set(reasons) == {"text.jpg", "half.jpg", "empty.png", "dead.png"}
    assert reasons["text.jpg"] == "cannot be read as an image (its content is in no known image format)"
    assert "truncated" in reasons["half.jpg"]
    listed = (tmp_path / "out/failed.txt").read_text().splitlines()
    assert len(listed) == 4 and f"{source / 'empty.png'}: cannot be read as an image (the file is empty)" in listed
    assert report.summary().endswith("4 failed, 1 not pictures")
    for path, _ in report.failed:
        path.unlink()
    assert run(translator, source, tmp_path / "out").failed == []
    assert not (tmp_path / "out/failed.txt").exists()


def test_what_the_network_or_the_format_refuses_is_listed_too(translator, source, tmp_path, monkeypatch):
    write_picture(source / "long.png", Picture(np.zeros((2, 17000, 3), np.uint8)))
    (source / "long.png").rename(source / "long.webp")  # PNG content, but WebP ends at 16383 px
    original = translator.picture

    def picky(picture, direction, name):
        if name.endswith("odd.png"):
            raise RuntimeError("the network stumbles\nand tells a story")
        return original(picture, direction, name)

    monkeypatch.setattr(translator, "picture", picky)
    report = run(translator, source, tmp_path / "out")
    reasons = {path.name: reason for path, reason in report.failed}
    assert reasons["odd.png"] == "RuntimeError: the network stumbles"
    assert reasons["long.webp"].startswith("cannot be written as WEBP")
    assert report.done == GOOD - 1


# ---- where from and where to


def test_patterns_lists_and_single_files(translator, source, tmp_path):
    assert run(translator, str(source / "**" / "*6.png"), tmp_path / "p").done == 1
    assert pictures(tmp_path / "p") == ["a/16.png"]
    (source / "list.txt").write_text("odd.png\na/gray.png\n")
    assert run(translator, source / "list.txt", tmp_path / "l").done == 2
    assert pictures(tmp_path / "l") == ["a/gray.png", "odd.png"]
    (tmp_path / "far").mkdir()
    (tmp_path / "far/list.txt").write_text(f"{source / 'odd.png'}\n{source / 'a/gray.png'}\n")
    assert run(translator, tmp_path / "far/list.txt", tmp_path / "f").done == 2
    assert pictures(tmp_path / "f") == ["a/gray.png", "odd.png"]
    assert run(translator, source / "a/gray.png", tmp_path / "s").done == 1
    assert pictures(tmp_path / "s") == ["gray.png"]


def test_relative_paths(translator, source, tmp_path, monkeypatch):
    monkeypatch.chdir(source)
    assert run(translator, ".", "../out").done == GOOD
    assert run(translator, "a/../a/*.png", "../out2").done == 3
    assert pictures(tmp_path / "out2") == ["16.png", "alpha.png", "gray.png"]


def test_an_output_inside_the_input_is_not_its_own_input(translator, source):
    for _ in range(2):
        report = run(translator, source, source / "a/out", overwrite=True)
        assert (report.done, report.ignored) == (GOOD, 1)
    assert "a/out/a/out" not in {str(p.parent.relative_to(source)) for p in source.rglob("*")}


def test_an_output_that_is_the_input_is_refused(translator, source, tmp_path):
    before = {p: p.read_bytes() for p in source.rglob("*") if p.is_file()}
    (tmp_path / "link").symlink_to(source)
    for spec, output in [
        (source, source),
        (source, source / "a" / ".."),
        (source, tmp_path / "link"),
        (str(source / "*.png"), source),
        (source / "odd.png", source),
    ]:
        with pytest.raises(OptionError, match="is the folder of the input itself; choose another output folder"):
            run(translator, spec, output, overwrite=True)
    assert {p: p.read_bytes() for p in source.rglob("*") if p.is_file()} == before


def test_an_output_around_the_input_must_not_hit_it(translator, source, tmp_path):
    assert run(translator, source / "a" / "b", source / "a").done == 1
    write_picture(source / "a/a/gray.png", Picture(np.zeros((2, 2, 3), np.uint8)))
    with pytest.raises(OptionError, match=r"a/a/gray\.png: its translation would overwrite the input .*a/gray\.png"):
        run(translator, source / "a", source)


def test_nothing_to_translate(translator, source, tmp_path):
    with pytest.raises(UserError, match="no file or folder"):
        run(translator, tmp_path / "none", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="is empty"):
        run(translator, tmp_path / "empty", tmp_path / "out")
    write_picture(tmp_path / "shell/out/x.png", Picture(np.zeros((2, 2, 3), np.uint8)))
    with pytest.raises(UserError, match="all its pictures lie in the output folder"):
        run(translator, tmp_path / "shell", tmp_path / "shell/out")
    assert not (tmp_path / "out").exists()


def test_the_order_is_that_of_the_names(source, tmp_path):
    jobs, others = make_worklist(str(source), tmp_path / "out")
    assert [job.path for job in jobs] == sorted(job.path for job in jobs) and others == 1
    assert jobs[0].target == tmp_path / "out" / "a" / "16.png"


# ---- a disk that refuses


def full_after(count, monkeypatch):
    """Let the disk be full from the `count`-th file on."""
    fsync, lock, calls = os.fsync, threading.Lock(), []

    def limited(descriptor):
        with lock:
            calls.append(descriptor)
            if len(calls) > count:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", limited)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_full_disk_stops_with_one_line_and_keeps_what_is_written(translator, source, tmp_path, monkeypatch, workers):
    full_after(4, monkeypatch)
    with pytest.raises(WriteError, match=r"cannot be written \(No space left on device\); make room") as caught:
        run(translator, source, tmp_path / "out", workers=workers)
    assert "\n" not in str(caught.value) and str(tmp_path / "out") in str(caught.value)
    written = pictures(tmp_path / "out")
    assert len(written) == 4
    for name in written:
        assert read_picture(tmp_path / "out" / name).pixels.shape == read_picture(source / name).pixels.shape
    monkeypatch.undo()
    report = run(translator, source, tmp_path / "out")
    assert (report.done, report.skipped) == (GOOD - 4, 4)


def test_an_output_that_cannot_be_made_stops_before_any_work(translator, source, tmp_path, monkeypatch):
    monkeypatch.setattr(translator, "picture", lambda *_: pytest.fail("worked for nothing"))
    (tmp_path / "file").write_text("")
    for output in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(WriteError, match="cannot be written to .*; choose another folder"):
            run(translator, source, output)

    def closed(**_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("tempfile.TemporaryFile", closed)
    with pytest.raises(WriteError, match=r"out: cannot be written to \(Permission denied\)"):
        run(translator, source, tmp_path / "out")


def test_ctrl_c_leaves_whole_files_only_and_the_next_run_goes_on(translator, source, tmp_path, monkeypatch):
    original, calls = translator.picture, []

    def interrupted(picture, direction, name):
        calls.append(name)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return original(picture, direction, name)

    monkeypatch.setattr(translator, "picture", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(translator, source, tmp_path / "out")
    threads = [t for t in threading.enumerate() if t.name.startswith("ThreadPoolExecutor")]
    assert not threads
    written = pictures(tmp_path / "out")
    assert 0 < len(written) <= 5 and not any(name.endswith(".tmp") for name in written)
    monkeypatch.undo()
    report = run(translator, source, tmp_path / "out")
    assert (report.done, report.skipped) == (GOOD - len(written), len(written))


# ---- flow


def test_no_more_pictures_are_held_than_the_queues_allow(translator, tmp_path, monkeypatch):
    for i in range(40):
        write_picture(tmp_path / f"in/{i:02}.png", Picture(np.full((4, 4, 3), i, np.uint8)))
    read, written, most, lock = 0, 0, 0, threading.Lock()

    def count_read(path):
        nonlocal read, most
        with lock:
            read += 1
            most = max(most, read - written)
        return read_picture(path)

    def count_written(*arguments):
        nonlocal written
        time.sleep(0.005)  # a slow disk
        write_picture(*arguments)
        with lock:
            written += 1

    monkeypatch.setattr(folder_module, "read_picture", count_read)
    monkeypatch.setattr(folder_module, "write_picture", count_written)
    assert run(translator, tmp_path / "in", tmp_path / "out", workers=2).done == 40
    assert most <= 2 * (2 + 2)


def test_the_bar_shows_count_and_speed(translator, source, tmp_path, capsys):
    run(translator, source, tmp_path / "out", progress=True)
    shown = capsys.readouterr()
    assert shown.out == "" and f"{GOOD}/{GOOD}" in shown.err and "img/s" in shown.err


def test_quality(translator, source, tmp_path):
    write_picture(source / "big.jpg", Picture(np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8)))
    run(translator, source / "big.jpg", tmp_path / "low", quality=20)
    run(translator, source / "big.jpg", tmp_path / "high")
    assert (tmp_path / "low/big.jpg").stat().st_size < (tmp_path / "high/big.jpg").stat().st_size / 2
