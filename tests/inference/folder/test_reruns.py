"""Second runs into one output folder: what is done, what is made anew, and what is never overwritten unasked."""

import copy
import json
import os
import shutil
import threading

import numpy as np
import pytest
import torch
from torch import nn

from tests.inference.folder.folders import RECIPE, contents, pixels, run
from translate.checkpoints.model_file import export_model
from translate.checkpoints.recipe import Recipe
from translate.images.io import read_picture, write_picture
from translate.images.picture import Picture
from translate.inference.precision import Mode
from translate.inference.translator import Translator
from translate.networks import EXPORTABLE
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import Factory

NAMES = ("a.png", "sub/b.png", "sub/c.png")
REFUSED = "choose another --output, or say --overwrite"


def picture(value, size=(20, 24)):
    noise = np.random.default_rng(value).integers(0, 256, (*size, 3))
    return Picture(noise.astype(np.uint8))


@pytest.fixture
def photos(tmp_path):
    for i, name in enumerate(NAMES):
        write_picture(tmp_path / "in" / name, picture(i))
    return tmp_path / "in"


def save_model(file, seed):
    torch.manual_seed(seed)
    spec = {"name": "skip_resnet", "width": 4, "trunk": 4, "blocks": 1}
    nets = nn.ModuleDict({name: Factory(spec, EXPORTABLE, "generator")() for name in ("G_ab", "G_ba")})
    for parameter in nets.parameters():
        parameter.data.normal_(0, 0.3)
    specs = {name: net.spec for name, net in nets.items()}
    recipe = Recipe(task="cycle", nets=specs, domains=("a", "b"), size=32, preset="fast", steps=1, data="none")
    export_model(nets, recipe, file)
    return file


def load(file, precision="fp32"):
    return Translator.load(file, device="cpu", precision=precision)


# ---- another model


def test_another_model_is_refused_whatever_its_date(photos, tmp_path):
    first, second = save_model(tmp_path / "1.safetensors", 1), save_model(tmp_path / "2.safetensors", 2)
    os.utime(second, (1, 1))
    out = tmp_path / "out"
    run(load(first), photos, out)
    before = contents(out)
    with pytest.raises(OptionError, match=rf"out/a\.png: was made with the model .*1\.safetensors; {REFUSED}"):
        run(load(second), photos, out)
    assert contents(out) == before
    shutil.copy2(second, first)  # the file is swapped, and even older
    with pytest.raises(OptionError, match=r"was made with an earlier state of the model"):
        run(load(first), photos, out)
    assert run(load(first), photos, out, overwrite=True).done == 3
    run(load(second), photos, tmp_path / "fresh")
    assert contents(out) == contents(tmp_path / "fresh")
    assert run(load(second), photos, out).skipped == 3  # the same weights in another file


def test_a_model_that_is_swapped_meanwhile_leaves_no_mixture(photos, tmp_path):
    first, second = save_model(tmp_path / "1.safetensors", 1), save_model(tmp_path / "2.safetensors", 2)
    translator = load(first)
    original = translator.runner.run_batch

    def swapping(batch, request):
        if batch[0].name.endswith("c.png"):
            shutil.copy(second, first)
            raise KeyboardInterrupt
        return original(batch, request)

    translator.runner.run_batch = swapping
    with pytest.raises(KeyboardInterrupt):
        run(translator, photos, tmp_path / "out", workers=1)
    made = contents(tmp_path / "out")
    assert 0 < len(made) < 3
    with pytest.raises(OptionError, match="with an earlier state of the model"):
        run(load(first), photos, tmp_path / "out")
    assert contents(tmp_path / "out") == made


# ---- other pictures


def test_a_picture_replaced_by_an_older_one_is_made_anew(translator, photos, tmp_path):
    out = tmp_path / "out"
    run(translator, photos, out)
    write_picture(tmp_path / "older.png", picture(9, (5, 5)))
    os.utime(tmp_path / "older.png", (1, 1))
    shutil.copy2(tmp_path / "older.png", photos / "a.png")
    report = run(translator, photos, out)
    assert (report.done, report.skipped) == (1, 2)
    assert (pixels(out)["a.png"] == 255 - picture(9, (5, 5)).pixels).all()


def test_a_picture_of_equal_size_and_date_is_told_apart(translator, tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    for name, value in (("in/x.bmp", 1), ("new.bmp", 2)):
        write_picture(tmp_path / name, picture(value))
        os.utime(tmp_path / name, (10**9, 10**9))
    run(translator, source, out)
    shutil.copy2(tmp_path / "new.bmp", source / "x.bmp")
    assert run(translator, source, out).done == 1
    assert (read_picture(out / "x.bmp").pixels == 255 - picture(2).pixels).all()


def test_a_new_date_alone_changes_nothing(translator, photos, tmp_path):
    out = tmp_path / "out"
    run(translator, photos, out)
    for when in (2**31, 1, 4 * 10**9):  # the last one lies in the future
        os.utime(photos / "a.png", (when, when))
        assert run(translator, photos, out).skipped == 3
    shutil.move(photos, tmp_path / "moved")
    assert run(translator, tmp_path / "moved", out).skipped == 3


def test_other_pictures_of_the_same_names_are_refused(translator, photos, tmp_path):
    out = tmp_path / "out"
    run(translator, photos, out)
    before = contents(out)
    write_picture(tmp_path / "others/a.png", picture(5))
    os.utime(tmp_path / "others/a.png", (1, 1))
    with pytest.raises(OptionError, match=rf"out/a\.png: is the result of .*in/a\.png; {REFUSED}"):
        run(translator, tmp_path / "others", out)
    assert contents(out) == before
    write_picture(tmp_path / "further/d.png", picture(5))
    assert run(translator, tmp_path / "further", out).done == 1  # nothing is in its way
    assert run(translator, photos, out).skipped == 3


# ---- results that no run has made


def test_an_edited_result_is_kept_and_told_once(translator, photos, tmp_path):
    out = tmp_path / "out"
    run(translator, photos, out)
    write_picture(out / "a.png", picture(7))
    report = run(translator, photos, out)
    assert report.skipped == 3 and report.notes == [
        f"{out}: kept 1 result that no known run has made, or that were edited (a.png); --overwrite makes them anew"
    ]
    assert run(translator, photos, out).notes == []
    write_picture(photos / "a.png", picture(8))
    report = run(translator, photos, out)
    assert report.failures[0].reason == "was changed after it was made; move it away, or say --overwrite"
    assert (read_picture(out / "a.png").pixels == picture(7).pixels).all()
    assert run(translator, photos, out, overwrite=True).done == 3


def test_files_of_the_user_are_not_overwritten(translator, photos, tmp_path):
    out = tmp_path / "out"
    write_picture(out / "a.png", picture(7))
    os.utime(out / "a.png", (1, 1))
    with pytest.raises(
        OptionError, match=rf"a\.png: was made by no known run, before its picture or the model; {REFUSED}"
    ):
        run(translator, photos, out)
    assert contents(out) == {"a.png": (out / "a.png").read_bytes()}


@pytest.mark.parametrize("note", [None, {"direction": "ba"}])
def test_folders_of_the_first_version_go_on(translator, photos, tmp_path, note):
    out, options = tmp_path / "out", note or {}
    run(translator, photos, out, **options)
    for file in out.glob(".translated*"):
        file.unlink()
    if note:
        (out / ".translated.json").write_text(json.dumps(note))
    (out / "sub/c.png").unlink()
    with pytest.raises(OptionError, match="was made with other options"):
        run(translator, photos, out, **({} if note else {"direction": "ba"}))
    report = run(translator, photos, out, **options)
    assert (report.done, report.skipped) == (1, 2)
    assert len(report.notes) == 1 and "kept 2 results that no known run has made" in report.notes[0]
    assert run(translator, photos, out, **options).notes == []
    with pytest.raises(OptionError, match="was made with"):
        run(Translator(RECIPE, nn.ModuleDict({"G_ab": Factor(0.5), "G_ba": Factor(2)})), photos, out, **options)


class Factor(nn.Module):
    multiple = 4

    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(float(value)))

    def forward(self, x):
        return x * self.value


# ---- leftovers, killed runs, shards


def test_leftovers_of_another_count_are_told(many, sketches, tmp_path):
    out = tmp_path / "out"
    run(many, sketches, out, count=3)
    report = run(many, sketches, out, count=2)
    names = "y_3.png, x_3.png"
    assert report.notes == [f"{out}: 2 files are not of this run but of another --count: {names}"]
    assert "6 files are not of this run" in run(many, sketches, out).notes[0]
    assert "2 files are not of this run" in run(many, sketches, out, count=3).notes[0]


def test_a_killed_overwriting_run_goes_on_without_the_word(translator, photos, tmp_path):
    out = tmp_path / "out"
    run(translator, photos, out)
    back = copy.copy(translator)
    back.runner = copy.copy(translator.runner)
    original = back.runner.run_batch

    def killed(batch, request):
        if batch[0].name.endswith("c.png"):
            raise KeyboardInterrupt
        return original(batch, request)

    back.runner.run_batch = killed
    with pytest.raises(KeyboardInterrupt):
        run(back, photos, out, direction="ba", overwrite=True)
    with pytest.raises(OptionError, match="was made with --direction ba, not without"):
        run(translator, photos, out)
    assert run(translator, photos, out, direction="ba").done >= 1
    assert all((result == read_picture(photos / name).pixels).all() for name, result in pixels(out).items())
    write_picture(photos / "d.png", picture(4))  # the permission has ended with the run
    run(translator, photos / "d.png", out)
    with pytest.raises(OptionError, match="was made without --direction"):
        run(translator, photos, out, direction="ba")


def test_a_kill_between_a_result_and_its_entry_is_no_foreign_file(translator, photos, tmp_path):
    out = tmp_path / "out"
    run(translator, photos, out)
    journal = out / ".translated.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    last = max(i for i, line in enumerate(lines) if "written" in line)
    journal.write_text("".join(lines[:last]) + lines[last][:30])
    report = run(translator, photos, out)
    assert (report.done, report.skipped, report.notes) == (1, 2, [])
    assert run(translator, photos, out).skipped == 3


def test_all_shards_and_repeated_runs_compute_in_one_mode(photos, tmp_path, monkeypatch):
    model = save_model(tmp_path / "m.safetensors", 1)
    modes = iter([Mode("fp32", channels_last=False), Mode("bf16"), Mode("bf16")])
    monkeypatch.setattr("translate.inference.mode_choice.ModeChoice._choose", lambda _: next(modes))
    out = tmp_path / "out"
    used = []
    monkeypatch.setattr(
        "translate.inference.folder.run.FolderPipeline.run", lambda self, *_: used.append(self.translator.mode)
    )
    for shard in ("1/2", "2/2", ""):
        run(load(model, "auto"), photos, out, shard=shard)
    assert used == [Mode("fp32", channels_last=False)] * len(used) and len(used) == 3
    run(load(model, "fp32"), photos, out)
    assert used[-1] == Mode("fp32", channels_last=False)


def test_a_finished_folder_measures_nothing(photos, tmp_path, monkeypatch):
    model = save_model(tmp_path / "m.safetensors", 1)
    run(load(model, "auto"), photos, tmp_path / "out")
    monkeypatch.setattr("translate.inference.mode_choice.ModeChoice._choose", lambda _: pytest.fail("measured"))
    assert run(load(model, "auto"), photos, tmp_path / "out").skipped == 3
    with pytest.raises(OptionError, match="was made in fp32|was made in bf16"):
        done = json.loads((tmp_path / "out/.translated.json").read_text())["runs"].popitem()[1]["mode"][0]
        run(load(model, "fp32" if done == "bf16" else "bf16"), photos, tmp_path / "out")


def test_quality_counts_where_it_changes_results(translator, photos, tmp_path):
    write_picture(tmp_path / "jpeg/x.jpg", picture(1))
    for source, out in ((photos, "png"), (tmp_path / "jpeg", "jpg")):
        run(translator, source, tmp_path / out)
    assert run(translator, photos, tmp_path / "png", quality=50).skipped == 3
    with pytest.raises(OptionError, match="was made without --quality, not with --quality 50"):
        run(translator, tmp_path / "jpeg", tmp_path / "jpg", quality=50)


# ---- files that are none, and names that cannot be


def in_time(work, seconds=20):
    """Return the result of `work`, which must not hang."""
    box = []
    thread = threading.Thread(target=lambda: box.append(work()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it hangs"
    return box[0]


def outcome(work):
    try:
        return work()
    except UserError as error:
        return error


def test_nothing_hangs_on_a_pipe(many, translator, sketches, tmp_path):
    pipe = tmp_path / "in/pipe.png"
    os.mkfifo(pipe)
    (sketches / "link.png").symlink_to(pipe)
    report = in_time(lambda: run(translator, sketches, tmp_path / "out"))
    assert report.done == 2
    assert report.failures == [(sketches / "link.png", "cannot be read as an image (it is a named pipe, not a file)")]
    for wish in ({"hints": pipe}, {"looks": [pipe]}):
        error = in_time(lambda wish=wish: outcome(lambda: run(many, sketches, tmp_path / "hinted", **wish)))
        assert isinstance(error, UserError) and "pipe" in str(error)
    error = in_time(lambda: outcome(lambda: run(translator, pipe, tmp_path / "no")))
    assert "is neither a folder nor a file but a pipe" in str(error)
    error = in_time(lambda: outcome(lambda: Translator.load(pipe)))
    assert "cannot be read as a model (it is a named pipe" in str(error)
    os.mkfifo(tmp_path / "in/note.jsonl")
    result = in_time(lambda: run(translator, sketches / "x.png", pipe))
    assert "it is a named pipe" in result.failures[0].reason
    assert pipe.is_fifo()


def test_a_pipe_or_a_folder_in_place_of_a_result_is_one_failure(translator, photos, tmp_path):
    out = tmp_path / "out"
    (out / "sub/b.png").mkdir(parents=True)
    os.mkfifo(out / "a.png")
    with pytest.raises(OptionError, match=r"a\.png: is no file"):
        run(translator, photos, out)
    report = in_time(lambda: run(translator, photos, out, overwrite=True))
    assert (report.done, report.failed) == (1, 2)
    assert [reason.partition("(")[2].partition(")")[0] for _, reason in report.failures] == [
        "it is a named pipe, not a file", "it is a folder",
    ]  # fmt: skip


def test_a_name_or_path_that_is_too_long_is_one_failure(translator, photos, tmp_path):
    write_picture(photos / ("y" * 251 + ".png"), picture(3))
    report = run(translator, photos, tmp_path / "out", format="jpeg")
    assert (report.done, report.failed) == (3, 1)
    assert "File name too long" in report.failures[0].reason
    assert len(report.log.read_text().splitlines()) == 1
    deep = tmp_path / "deep"
    while len(str(deep)) < 3850:
        deep /= "d" * 200
    write_picture(photos / "e" / ("e" * 200) / "f.png", picture(3))
    report = run(translator, photos, deep)
    assert (report.done, report.failed) == (3, 2)
    assert all("File name too long" in reason for _, reason in report.failures)


def test_an_output_that_is_named_like_a_file_is_no_folder(translator, photos, tmp_path):
    for output, message in [
        ("out.xyz", r"out\.xyz: '\.xyz' is no format of images; choose from"),
        ("out.jpgg", r"out\.jpgg: '\.jpgg' is no format of images; did you mean 'jpg'\?; a folder has to exist first"),
    ]:
        with pytest.raises(OptionError, match=message):
            run(translator, photos / "a.png", tmp_path / output)
    for output in ("out.jpgg", "out.png"):
        with pytest.raises(OptionError, match="is named like a picture, but is to be the folder of the results"):
            run(translator, photos, tmp_path / output)
    assert not (tmp_path / "out.jpgg").exists()
    (tmp_path / "made.xyz").mkdir()
    for output in ("made.xyz", "v1.0", "2026.11.30"):
        assert run(translator, photos / "a.png", tmp_path / output).done == 1
