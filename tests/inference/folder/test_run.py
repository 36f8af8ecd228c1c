import errno
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.inference.folder.folders import GOOD, contents, layer_of, pictures, pixels, run
from translate import blend
from translate.data.files.worklist import Worklist
from translate.images.io import read_picture, write_picture
from translate.images.picture import Picture
from translate.utils.errors import OptionError, UserError
from translate.utils.files import WriteError, temporary_path
from translate.utils.locks import InUseError, hold


def test_a_tree_keeps_names_sizes_and_kinds(translator, source, tmp_path):
    report = run(translator, source, tmp_path / "out")
    assert (report.done, report.skipped, report.failed, report.ignored) == (GOOD, 0, 0, 1)
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
    assert report.notes == [
        f"{source}: left out 1 other file (.txt 1)",
        f"{source / 'film.gif'}: animated, only the first of 3 frames was translated",
    ]


def test_the_other_direction(translator, source, tmp_path):
    run(translator, source / "odd.png", tmp_path / "out", direction="ba")
    assert (read_picture(tmp_path / "out/odd.png").pixels == read_picture(source / "odd.png").pixels).all()
    with pytest.raises(OptionError, match="quality 101 is out of range; choose 1 to 100"):
        run(translator, source, tmp_path / "other", quality=101)
    with pytest.raises(OptionError, match="photos to monet"):
        run(translator, source, tmp_path / "other", direction="sideways")
    assert not (tmp_path / "other").exists()


def test_a_second_run_does_only_what_is_missing_or_changed(translator, source, tmp_path):
    out = tmp_path / "out"
    run(translator, source, out)
    (out / "odd.png").unlink()
    write_picture(source / "one.bmp", Picture(np.full((1, 1, 3), 77, np.uint8)))
    report = run(translator, source, out)
    assert (report.done, report.skipped, report.notes[:-1]) == (2, GOOD - 2, [])
    assert (read_picture(out / "one.bmp").pixels == 255 - 77).all()
    assert run(translator, source, out).done == 0
    assert run(translator, source, out, overwrite=True).done == GOOD


def test_bad_files_are_listed_and_the_others_translated(translator, source, tmp_path):
    (source / "text.jpg").write_text("I am a text")
    whole = (source / "cmyk.jpg").read_bytes()
    (source / "a/half.jpg").write_bytes(whole[: len(whole) // 2])
    (source / "empty.png").write_bytes(b"")
    (source / "dead.png").symlink_to(source / "nowhere.png")
    report = run(translator, source, tmp_path / "out")
    assert report.done == GOOD
    reasons = {path.name: reason for path, reason in report.failures}
    assert set(reasons) == {"text.jpg", "half.jpg", "empty.png", "dead.png"}
    assert reasons["text.jpg"] == "cannot be read as an image (its content is in no known image format)"
    assert "truncated" in reasons["half.jpg"]
    assert report.failed == 4 and report.log == tmp_path / "out/failed.jsonl"
    listed = [json.loads(line) for line in report.log.read_text().splitlines()]
    assert {one["file"]: one["reason"] for one in listed} == {str(path): reason for path, reason in report.failures}
    assert {
        "file": str(source / "empty.png"), "reason": "cannot be read as an image (the file is empty)",
        "error": "UserError", "output": str(tmp_path / "out/empty.png"),
    } in listed  # fmt: skip
    assert report.summary().endswith(f"4 failed (see {report.log})")
    for path, _ in report.failures:
        path.unlink()
    report = run(translator, source, tmp_path / "out")
    assert (report.failed, report.failures, report.log) == (0, [], None)
    assert not (tmp_path / "out/failed.jsonl").exists()


def test_failures_of_the_network_and_the_encoder_are_listed(translator, source, tmp_path, monkeypatch):
    write_picture(source / "long.png", Picture(np.zeros((2, 17000, 3), np.uint8)))
    (source / "long.png").rename(source / "long.webp")  # PNG content, but WebP ends at 16383 px
    original = translator.runner.run_batch

    def picky(batch, wish):
        if any(one.name.endswith("odd.png") for one in batch):
            raise RuntimeError("the network stumbles\nand tells a story")
        return original(batch, wish)

    monkeypatch.setattr(translator.runner, "run_batch", picky)
    report = run(translator, source, tmp_path / "out")
    reasons = {path.name: reason for path, reason in report.failures}
    assert reasons["odd.png"] == "RuntimeError: the network stumbles"
    assert reasons["long.webp"].startswith("cannot be written as WEBP")
    assert report.done == GOOD - 1


def test_a_report_names_a_few_and_the_file_lists_all(translator, tmp_path, capsys):
    for i in range(25):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / f"in/{i:02}.png").write_text("no picture")
        film = [Image.new("L", (8, 8), value) for value in (10, 200)]
        film[0].save(tmp_path / f"in/film{i:02}.gif", save_all=True, append_images=film[1:])
    report = run(translator, tmp_path / "in", tmp_path / "out", progress=True)
    assert (report.done, report.failed, len(report.failures)) == (25, 25, 10)
    assert len(report.log.read_text().splitlines()) == 25
    names = "film00.gif, film01.gif, film02.gif and 22 more"
    assert report.notes == [f"25 files: animated, only the first frame of each was translated: {names}"]
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("failed: ")]
    reason = "cannot be read as an image (its content is in no known image format)"
    assert told == [f"failed: {tmp_path / 'in' / f'{i:02}.png'}: {reason}" for i in range(25)]


def test_the_list_of_failures_is_new_in_each_run(translator, tmp_path):
    write_picture(tmp_path / "in/x.png", Picture(np.zeros((4, 4, 3), np.uint8)))
    for name in ("a.png", "b.png"):
        (tmp_path / "in" / name).write_text("no picture")
    log = run(translator, tmp_path / "in", tmp_path / "out").log
    write_picture(tmp_path / "in/a.png", Picture(np.zeros((4, 4, 3), np.uint8)))
    report = run(translator, tmp_path / "in", tmp_path / "out")
    assert (report.done, report.skipped, report.failed) == (1, 1, 1) and len(log.read_text().splitlines()) == 1


def test_an_interrupted_run_has_listed_its_failures(translator, tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png").write_text("no picture")
    for i in range(20):
        write_picture(tmp_path / f"in/{i:02}.png", Picture(np.zeros((4, 4, 3), np.uint8)))
    (tmp_path / "in/00.png").write_text("no picture")
    original = translator.runner.run_batch

    def interrupted(batch, wish):
        if batch[0].name.endswith("15.png"):
            raise KeyboardInterrupt
        return original(batch, wish)

    monkeypatch.setattr(translator.runner, "run_batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(translator, tmp_path / "in", tmp_path / "out")
    (line,) = (tmp_path / "out/failed.jsonl").read_text().splitlines()
    assert json.loads(line)["file"] == str(tmp_path / "in/00.png")


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


def test_an_output_around_the_input_must_not_overwrite_it(translator, source, tmp_path):
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
    work = Worklist(str(source), tmp_path / "out")
    jobs, survey = list(work), work.survey()
    assert [job.path for job in jobs] == sorted(job.path for job in jobs)
    assert (survey.pictures, survey.ignored) == (len(jobs), 1)
    assert jobs[0].targets == (tmp_path / "out" / "a" / "16.png",)


# ---- shards, formats, one file


def test_shards_cover_all_pictures(translator, source, tmp_path):
    (source / "a/bad.png").write_text("no picture")
    (source / "bad.jpg").write_text("no picture")
    run(translator, source, tmp_path / "whole")
    out = tmp_path / "out"
    reports = [run(translator, source, out, shard=f"{i}/3", direction="ab") for i in (1, 2, 3)]
    assert sum(report.done for report in reports) == GOOD and sum(report.failed for report in reports) == 2
    logs = sorted(path.name for path in out.glob("failed*"))
    assert logs == sorted({f"failed-{i}of3.jsonl" for i, report in enumerate(reports, 1) if report.failed})
    for log in out.glob("failed*"):
        log.unlink()
    assert contents(out) == contents(tmp_path / "whole")
    assert [run(translator, source, out, shard=f"{i}/3").skipped for i in (1, 2, 3)] == [r.done for r in reports]
    assert run(translator, source, out).skipped == GOOD
    empty = run(translator, source / "odd.png", out, shard="1/2"), run(translator, source / "odd.png", out, shard="2/2")
    assert sorted(report.skipped + report.done for report in empty) == [0, 1]


def test_shards_that_change_the_options_together(translator, source, tmp_path):
    for i in (1, 2):
        run(translator, source, tmp_path / "out", shard=f"{i}/2")
    time.sleep(0.02)  # file times are coarse
    back = {"direction": "ba", "overwrite": True}
    assert sum(run(translator, source, tmp_path / "out", shard=f"{i}/2", **back).done for i in (1, 2)) == GOOD
    assert run(translator, source, tmp_path / "out", direction="ba").done == 0


def test_consecutive_frames_are_not_sharded(crisp, source, tmp_path):
    with pytest.raises(OptionError, match="leave out --shard, or say --stats frozen"):
        run(crisp.with_norm_statistics("smooth"), source, tmp_path / "out", shard="1/2")
    assert run(crisp.with_norm_statistics("frozen"), source / "odd.png", tmp_path / "out", shard="1/1").done == 1


def test_one_format_for_all(translator, source, tmp_path):
    report = run(translator, source, tmp_path / "out", format="tif")
    assert report.done == GOOD and {Path(name).suffix for name in pictures(tmp_path / "out")} == {".tif"}
    assert read_picture(tmp_path / "out/a/16.tif").pixels.dtype == np.uint16
    assert run(translator, source, tmp_path / "out", format="TIF").skipped == GOOD
    write_picture(source / "odd.bmp", Picture(np.zeros((4, 4, 3), np.uint8)))
    with pytest.raises(UserError, match=r"odd\.bmp and .*odd\.png would both become .*odd\.tif"):
        run(translator, source, tmp_path / "other", format="tif")
    assert not (tmp_path / "other").exists()


def test_one_picture_is_written_to_the_named_file(translator, source, tmp_path):
    out = tmp_path / "made" / "y.bmp"
    for _ in range(2):
        report = run(translator, source / "odd.png", out, direction="ba")
        assert (report.done, report.skipped) == (1, 0)
    assert (read_picture(out).pixels == read_picture(source / "odd.png").pixels).all()
    (source / "broken.png").write_text("no picture")
    report = run(translator, source / "broken.png", out)
    assert report.failed == 1 and report.log is None and "cannot be read" in report.failures[0].reason
    assert [path.name for path in out.parent.iterdir()] == ["y.bmp"]


# ---- what a kill left behind


def test_temporary_files_of_a_killed_run_are_removed(translator, source, tmp_path, monkeypatch):
    out = tmp_path / "out"
    run(translator, source, out)
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    monkeypatch.setattr(os, "getpid", lambda: process.pid)
    left = [temporary_path(out / name) for name in ("x.png", "a/x.png", "a/b/x.png")]
    monkeypatch.undo()
    alive = temporary_path(out / "a/x.png")
    for path in (*left, alive):
        path.write_text("half a pict")
    assert run(translator, source, out).skipped == GOOD
    assert not any(path.exists() for path in left) and alive.exists()


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
def test_a_full_disk_stops_the_run_and_keeps_results(translator, source, tmp_path, monkeypatch, workers):
    full_after(5, monkeypatch)  # four results, and the note of the folder
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


def test_an_output_that_cannot_be_created_is_refused_first(translator, source, tmp_path, monkeypatch):
    monkeypatch.setattr(translator.runner, "run_batch", lambda *_: pytest.fail("worked for nothing"))
    (tmp_path / "file").write_text("")
    for output in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(WriteError, match="cannot be written to .*; choose another folder"):
            run(translator, source, output)

    def closed(**_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("tempfile.TemporaryFile", closed)
    with pytest.raises(WriteError, match=r"out: cannot be written to \(Permission denied\)"):
        run(translator, source, tmp_path / "out")


def test_ctrl_c_leaves_complete_files_and_the_next_run_resumes(translator, source, tmp_path, monkeypatch):
    original, calls = translator.runner.run_batch, []

    def interrupted(batch, wish):
        calls.append(batch)
        if len(calls) >= 6:
            raise KeyboardInterrupt
        return original(batch, wish)

    monkeypatch.setattr(translator.runner, "run_batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(translator, source, tmp_path / "out")
    threads = [t for t in threading.enumerate() if t.name.startswith("ThreadPoolExecutor")]
    assert not threads
    written = pictures(tmp_path / "out")
    assert 0 < len(written) <= 5 and not any(name.endswith(".tmp") for name in written)
    monkeypatch.undo()
    report = run(translator, source, tmp_path / "out")
    assert (report.done, report.skipped) == (GOOD - len(written), len(written))


def test_the_bar_shows_count_and_speed(translator, source, tmp_path, capsys):
    run(translator, source, tmp_path / "out", progress=True)
    shown = capsys.readouterr()
    assert shown.out == "" and f"{GOOD}/{GOOD}" in shown.err and "img/s" in shown.err


def test_quality(translator, source, tmp_path):
    write_picture(source / "big.jpg", Picture(np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8)))
    run(translator, source / "big.jpg", tmp_path / "low", quality=20)
    run(translator, source / "big.jpg", tmp_path / "high")
    assert (tmp_path / "low/big.jpg").stat().st_size < (tmp_path / "high/big.jpg").stat().st_size / 2


# ---- models of pairs


def test_a_paired_model_writes_one_result_under_the_same_name(many, sketches, tmp_path):
    report = run(many, sketches, tmp_path / "out")
    assert (report.done, report.answers, report.notes) == (2, 1, [])
    assert pictures(tmp_path / "out") == ["sub/y.png", "x.png"] == pictures(sketches)
    for name, result in pixels(tmp_path / "out").items():
        assert (result == np.asarray(many(sketches / name))).all()
        assert not read_picture(tmp_path / "out" / name).gray
    assert run(many, sketches, tmp_path / "out").skipped == 2


def test_several_variants_are_numbered(many, sketches, tmp_path):
    report = run(many, sketches, tmp_path / "out", count=3, seed=5)
    assert (report.done, report.answers) == (2, 3) and "2 translated to 3 answers each in" in report.summary()
    found = pixels(tmp_path / "out")
    assert list(found) == [f"{stem}_{k}.png" for stem in ("sub/y", "x") for k in (1, 2, 3)]
    for k, expected in enumerate(many(sketches / "x.png", count=3, seed=5), 1):
        assert (found[f"x_{k}.png"] == np.asarray(expected)).all()
    run(many, sketches, tmp_path / "one", count=1, seed=5)
    assert pictures(tmp_path / "one") == ["sub/y.png", "x.png"]
    assert (pixels(tmp_path / "one")["x.png"] == found["x_1.png"]).all()


def test_a_rerun_makes_only_missing_variants(many, sketches, tmp_path):
    out = tmp_path / "out"
    run(many, sketches, out, count=3)
    before = contents(out)
    report = run(many, sketches, out, count=3, seed=0)  # 0 is what it was
    assert (report.done, report.skipped, report.notes) == (0, 2, [])
    (out / "x_2.png").unlink()
    assert (run(many, sketches, out, count=3).done, contents(out)) == (1, before)
    assert run(many, sketches, out, count=2).done == 0 and run(many, sketches, out, count=4).done == 2
    assert {name: contents(out)[name] for name in before} == before


def test_a_variant_with_the_name_of_another_picture_is_noted(many, sketches, tmp_path):
    write_picture(sketches / "x_1.png", Picture(np.zeros((20, 24, 3), np.uint8)))
    report = run(many, sketches, tmp_path / "out", count=2)
    assert report.done == 3 and len(report.notes) == 1
    assert report.notes[0].startswith(f"{tmp_path / 'out/x_1.png'}: is an answer to x.png, not to x_1.png; rename")
    assert (pixels(tmp_path / "out")["x_1.png"] == np.asarray(many(sketches / "x.png", seed=0))).all()
    assert run(many, sketches, tmp_path / "other").notes == []


@pytest.mark.parametrize(
    "first, second",
    [
        ({"seed": 1}, {"seed": 2}),
        ({}, {"seed": 0}),
        ({"seed": 1}, {}),
        ({"count": 2}, {"count": 2, "seed": 1}),
        ({"looks": "red"}, {"looks": "blue"}),
        ({"looks": "red"}, {}),
        ({"looks": "both", "count": 2}, {"looks": "both", "count": 3}),
        ({}, {"hints": "hints"}),
    ],
)
def test_results_of_another_request_are_replaced(many, sketches, photos, tmp_path, first, second):
    layer = Picture(np.full((20, 24, 3), 250, np.uint8), np.full((20, 24), 255, np.uint8))
    for name in ("x.png", "sub/y.png"):
        write_picture(tmp_path / "hints" / name, layer)

    def options(wish):
        given = {"red": photos[:1], "blue": photos[1:], "both": photos}
        paths = {"looks": lambda w: given[w], "hints": lambda w: tmp_path / w}
        return {key: paths.get(key, lambda w: w)(value) for key, value in wish.items()}

    out = tmp_path / "out"
    run(many, sketches, out, **options(first))
    before = contents(out)
    with pytest.raises(OptionError, match=r"out/.*\.png: was made with.*; choose another --output, or say --overwrite"):
        run(many, sketches, out, **options(second))
    assert contents(out) == before
    assert run(many, sketches, out, **options(second), overwrite=True).done == 2
    run(many, sketches, tmp_path / "fresh", **options(second))
    fresh = contents(tmp_path / "fresh")
    assert {name: contents(out)[name] for name in fresh} == fresh
    assert any(before.get(name) != data for name, data in fresh.items())
    assert run(many, sketches, out, **options(second)).done == 0


def test_an_interrupted_run_with_other_options_resumes(many, sketches, tmp_path, monkeypatch):
    out = tmp_path / "out"
    run(many, sketches, out, seed=1)
    original = many.runner.run_batch

    def interrupted(batch, wish):
        if batch[0].name.partition(":")[0].endswith("x.png"):
            raise KeyboardInterrupt
        return original(batch, wish)

    monkeypatch.setattr(many.runner, "run_batch", interrupted)
    time.sleep(0.02)  # file times are coarse
    with pytest.raises(KeyboardInterrupt):
        run(many, sketches, out, seed=2, overwrite=True)
    monkeypatch.undo()
    report = run(many, sketches, out, seed=2)
    assert (report.done, report.skipped) == (1, 1)
    assert (pixels(out)["x.png"] == np.asarray(many(sketches / "x.png", seed=2))).all()


def test_another_direction_is_another_request_too(translator, source, tmp_path):
    out = tmp_path / "out"
    run(translator, source / "odd.png", out)
    assert run(translator, source / "odd.png", out, direction="ab").done == 0
    with pytest.raises(OptionError, match=r"odd\.png: was made without --direction, not with --direction ba; choose"):
        run(translator, source / "odd.png", out, direction="ba")
    assert run(translator, source / "odd.png", out, direction="ba", overwrite=True).done == 1
    assert (read_picture(out / "odd.png").pixels == read_picture(source / "odd.png").pixels).all()


def test_a_damaged_note_does_not_hide_what_the_journal_knows(many, sketches, tmp_path):
    out = tmp_path / "out"
    run(many, sketches, out, seed=1)
    (out / ".translated.json").write_text("{")
    assert run(many, sketches, out, seed=1).skipped == 2
    with pytest.raises(OptionError, match="was made by an unknown run; choose another --output"):
        run(many, sketches, out, seed=2)
    (out / ".translated.jsonl").unlink()
    with pytest.raises(OptionError, match=r"is there, and the note .*\.translated\.json is damaged; choose"):
        run(many, sketches, out, seed=1)
    assert run(many, sketches, out, seed=1, overwrite=True).done == 2
    assert run(many, sketches, out, seed=1).skipped == 2


# ---- looks


def test_all_pictures_get_the_style_of_a_photo(many, sketches, photos, tmp_path):
    run(many, sketches, tmp_path / "out", looks=photos[:1])
    for name, result in pixels(tmp_path / "out").items():
        assert (result == np.asarray(many(sketches / name, z=many.look(photos[0])))).all()
    os.utime(photos[0], (1, 1))
    assert run(many, sketches, tmp_path / "out", looks=photos[:1]).done == 0
    write_picture(photos[0], Picture(np.full((32, 32, 3), 9, np.uint8)))
    with pytest.raises(OptionError, match="was made with another --look; choose"):
        run(many, sketches, tmp_path / "out", looks=photos[:1])


def test_variants_interpolate_between_two_styles(many, sketches, photos, tmp_path):
    run(many, sketches, tmp_path / "out", looks=photos, count=3)
    found = pixels(tmp_path / "out")
    z1, z2 = (many.look(photo) for photo in photos)
    for k, expected in enumerate(many(sketches / "x.png", z=blend(z1, z2, 3)), 1):
        assert (found[f"x_{k}.png"] == np.asarray(expected)).all()
    assert (found["x_1.png"] == np.asarray(many(sketches / "x.png", z=z1))).all()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"looks": 1, "count": 3}, "give one --look, without --count, or two with --count N"),
        ({"looks": 2}, "or two with --count N: the steps from one to the other"),
        ({"looks": 3, "count": 3}, "give one --look"),
        ({"looks": 1, "seed": 3}, "leave out --look or --seed"),
        ({"looks": 2, "count": 1}, "1 steps lead from no look to another"),
        ({"count": 0}, "count 0 is out of range"),
        ({"count": -1}, "count -1 is out of range"),
        ({"seed": -1}, "seed -1 is out of range"),
        ({"scale": "huge"}, "scale 'huge' is unknown; choose fit or native"),
        ({"direction": "ba"}, r"only turns sketches into photos \(it was trained with --direction ab\)"),
    ],
)
def test_wrong_options_are_refused_before_any_work(many, sketches, photos, tmp_path, options, message):
    if "looks" in options:
        options = {**options, "looks": [*photos, photos[0]][: options["looks"]]}
    with pytest.raises(OptionError, match=message):
        run(many, sketches, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_model_without_variants_styles_or_hints(translator, sketches, photos, tmp_path):
    for options, message in [
        ({"count": 2}, "one answer per picture; leave out count"),
        ({"seed": 2}, "one answer per picture; leave out seed"),
        ({"looks": photos[:1]}, "cannot read the look of a picture"),
        ({"hints": tmp_path}, "takes no hints"),
    ]:
        with pytest.raises(OptionError, match=message):
            run(translator, sketches, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_an_unreadable_style_image(many, sketches, tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.png: cannot be read"):
        run(many, sketches, tmp_path / "out", looks=[tmp_path / "nowhere.png"])
    assert not (tmp_path / "out").exists()


# ---- hints


def test_hints_are_matched_by_name_and_sub_folder(many, sketches, tmp_path):
    write_picture(tmp_path / "hints/sub/y.webp", layer_of())
    write_picture(tmp_path / "hints/y.png", layer_of())  # of another folder
    report = run(many, sketches, tmp_path / "out", hints=tmp_path / "hints")
    found = pixels(tmp_path / "out")
    assert report.notes == [f"{tmp_path / 'hints'}: has no layer for 1 of 2 pictures, which get no hints"]
    assert (found["x.png"] == np.asarray(many(sketches / "x.png"))).all()
    expected = many(sketches / "sub/y.png", hints=tmp_path / "hints/sub/y.webp")
    assert (found["sub/y.png"] == np.asarray(expected)).all()
    assert (found["sub/y.png"] != np.asarray(many(sketches / "sub/y.png"))).any()


def test_changed_hints_repeat_their_picture(many, sketches, tmp_path):
    for name in ("x.png", "sub/y.png"):
        write_picture(tmp_path / "hints" / name, layer_of())
    run(many, sketches, tmp_path / "out", hints=tmp_path / "hints")
    layer = layer_of()
    layer.pixels[5:15, 5:15] = 99
    write_picture(tmp_path / "hints/x.png", layer)
    os.utime(tmp_path / "hints/x.png", (1, 1))
    assert run(many, sketches, tmp_path / "out", hints=tmp_path / "hints").done == 1


def test_hints_inside_the_input_are_no_input(many, sketches, tmp_path):
    write_picture(sketches / "hints/x.png", layer_of())
    report = run(many, sketches, tmp_path / "out", hints=sketches / "hints")
    assert report.done == 2 and pictures(tmp_path / "out") == ["sub/y.png", "x.png"]


def test_one_layer_for_one_picture(many, sketches, tmp_path):
    write_picture(tmp_path / "red.png", layer_of())
    run(many, sketches / "x.png", tmp_path / "out", hints=tmp_path / "red.png")
    expected = np.asarray(many(sketches / "x.png", hints=tmp_path / "red.png"))
    assert (pixels(tmp_path / "out")["x.png"] == expected).all()


def test_unsuitable_hints_are_listed_and_the_others_used(many, sketches, tmp_path):
    write_picture(tmp_path / "hints/x.png", layer_of((9, 9)))
    write_picture(tmp_path / "hints/sub/y.png", layer_of())
    report = run(many, sketches, tmp_path / "out", hints=tmp_path / "hints")
    message = f"{tmp_path / 'hints/x.png'}: the hints are 9 x 9 px, the picture is 24 x 20 px; make them one size"
    assert report.done == 1 and report.failures == [(sketches / "x.png", message)]
    (tmp_path / "hints/x.png").write_text("no picture")
    report = run(many, sketches, tmp_path / "out", hints=tmp_path / "hints")
    assert report.failures[0].reason.startswith(f"{tmp_path / 'hints/x.png'}: cannot be read as an image")


def test_folders_of_hints_without_a_match(many, sketches, tmp_path):
    with pytest.raises(UserError, match="no file or folder"):
        run(many, sketches, tmp_path / "out", hints=tmp_path / "nowhere")
    write_picture(tmp_path / "hints/z.png", layer_of())
    with pytest.raises(UserError, match=r"hints: none of its layers is called like a picture; that of .*y\.png is "):
        run(many, sketches, tmp_path / "out", hints=tmp_path / "hints")
    for suffix in ("png", "webp"):
        write_picture(tmp_path / f"hints/x.{suffix}", layer_of())
    with pytest.raises(UserError, match=r"x\.webp: has the name of .*x\.png; keep one layer of hints for a picture"):
        run(many, sketches, tmp_path / "out", hints=tmp_path / "hints")
    assert not (tmp_path / "out").exists()


def test_one_output_folder_has_one_process(translator, source, tmp_path):
    output = tmp_path / "out"
    with hold(output / ".failed.lock", "out"):
        with pytest.raises(InUseError, match=rf"out: is being written to by process {os.getpid()}"):
            run(translator, source, output)
        assert pictures(output) == [".failed.lock"]
        run(translator, source, output, shard="2/2")  # the parts of a folder are for several processes
    assert run(translator, source, output).done
    assert not [*output.rglob(".*.lock")]
