import threading
import time

import numpy as np
import pytest
import torch
from torch import nn

from tests.inference.folder.folders import SKETCH_RECIPE, contents, layer_of, pictures, pixels, run
from translate.data.files.worklist import Worklist
from translate.images.io import read_picture, write_picture
from translate.images.picture import Picture
from translate.inference.folder import jobs as jobs_module
from translate.inference.folder import pipeline as pipeline_module
from translate.inference.runner import ModelRunner
from translate.inference.translator import Translator
from translate.networks import EXPORTABLE
from translate.utils.concurrency import CpuSlots
from translate.utils.factory import Factory

# ---- stages


def test_no_more_pictures_are_held_than_the_queues_allow(translator, tmp_path, monkeypatch):
    for i in range(40):
        write_picture(tmp_path / f"in/{i:02}.png", Picture(np.full((4, 4, 3), i, np.uint8)))
    read, written, most, lock = 0, 0, 0, threading.Lock()

    def count_read(*arguments):
        nonlocal read, most
        with lock:
            read += 1
            most = max(most, read - written)
        return read_picture(*arguments)

    def count_written(*arguments, **options):
        nonlocal written
        time.sleep(0.005)  # a slow disk
        write_picture(*arguments, **options)
        with lock:
            written += 1

    monkeypatch.setattr(jobs_module, "read_picture", count_read)
    monkeypatch.setattr(pipeline_module, "write_picture", count_written)
    assert run(translator, tmp_path / "in", tmp_path / "out", workers=2).done == 40
    assert most <= 2 * (2 + 2) + 1  # one lane


def test_jobs_are_listed_while_pictures_are_translated(translator, tmp_path, monkeypatch):
    for i in range(60):
        write_picture(tmp_path / f"in/{i:02}.png", Picture(np.full((4, 4, 3), i, np.uint8)))
    given, ahead, lock = [], [], threading.Lock()
    original, plain = Worklist.__iter__, write_picture

    def counted(work):
        for job in original(work):
            given.append(job)
            yield job

    def noted(path, *arguments, **options):
        plain(path, *arguments, **options)
        with lock:
            ahead.append(len(given) - len(ahead))

    monkeypatch.setattr(Worklist, "__iter__", counted)
    monkeypatch.setattr(pipeline_module, "write_picture", noted)
    assert run(translator, tmp_path / "in", tmp_path / "out", workers=1).done == 60
    assert max(ahead) <= 2 * (1 + 2) + 2


# ---- batches and CPU slots


def many_sizes(root, count=40):
    """Pictures of two sizes in turn, and now and then another one, or one of 16 bits."""
    rng = np.random.default_rng(0)
    for i in range(count):
        size = (21, 22) if i % 11 == 5 else (16, 20) if i % 2 else (24, 16)
        deep = i % 7 == 3
        pixels = rng.integers(0, 65536 if deep else 256, (*size, 3), dtype=np.uint16 if deep else np.uint8)
        write_picture(root / f"{i:02}.png", Picture(pixels))
    return root


@pytest.fixture
def in_batches(monkeypatch):
    """Let pictures travel together as on a GPU, and note how many did."""
    monkeypatch.setattr("translate.inference.runner.ModelRunner._can_batch", True)
    monkeypatch.setattr("translate.inference.runner.MAX_BATCH", 4)
    together, original = [], ModelRunner.run_batch

    def noted(runner, batch, request):
        assert len({one.batch_key for one in batch}) == 1
        together.append(len(batch))
        return original(runner, batch, request)

    monkeypatch.setattr(ModelRunner, "run_batch", noted)
    return together


def test_batches_of_equal_size_give_the_results_of_single_pictures(crisp, tmp_path, in_batches, monkeypatch):
    source = many_sizes(tmp_path / "in")
    report = run(crisp, source, tmp_path / "out")
    assert (report.done, report.failed) == (40, 0) and sum(in_batches) == 40
    assert in_batches.count(4) >= 6 and max(in_batches) == 4
    monkeypatch.undo()
    run(crisp, source, tmp_path / "alone")
    together, alone = pixels(tmp_path / "out"), pixels(tmp_path / "alone")
    assert alone.keys() == together.keys()
    for name, result in alone.items():
        deep = result.dtype == np.uint16
        assert deep == (int(name[:2]) % 7 == 3) and result.dtype == together[name].dtype
        assert np.abs(result.astype(int) - together[name]).max() <= (0 if deep else 1), name
        assert (result == crisp(read_picture(source / name).pixels)).all()


def test_a_failing_picture_does_not_fail_its_batch(translator, tmp_path, in_batches, monkeypatch):
    source = many_sizes(tmp_path / "in")
    noted = translator.runner.run_batch

    def picky(batch, wish):
        if any(one.name.endswith("08.png") for one in batch):
            raise RuntimeError("no")
        return noted(batch, wish)

    monkeypatch.setattr(translator.runner, "run_batch", picky)
    (source / "12.png").write_text("no picture")
    report = run(translator, source, tmp_path / "out")
    assert (report.done, [path.name for path, _ in report.failures]) == (38, ["12.png", "08.png"])
    assert pictures(tmp_path / "out") == [f"{i:02}.png" for i in range(40) if i not in (8, 12)]


def test_variants_and_hints_work_with_batches(many, sketches, tmp_path, in_batches, monkeypatch):
    for name in ("x.png", "sub/y.png"):
        write_picture(tmp_path / "hints" / name, layer_of())
    run(many, sketches, tmp_path / "three", count=3)
    run(many, sketches, tmp_path / "drawn", hints=tmp_path / "hints")
    assert in_batches == [2, 1, 1]  # strokes belong to one picture
    monkeypatch.undo()
    for k, expected in enumerate(many(sketches / "sub/y.png", count=3), 1):
        assert (pixels(tmp_path / "three")[f"sub/y_{k}.png"] == np.asarray(expected)).all()
    expected = many(sketches / "x.png", hints=tmp_path / "hints/x.png")
    assert (pixels(tmp_path / "drawn")["x.png"] == np.asarray(expected)).all()


def test_a_result_does_not_depend_on_the_other_pictures(crisp, tmp_path, monkeypatch):
    source = many_sizes(tmp_path / "in", count=12)
    write_picture(source / "large.png", Picture(np.full((600, 500, 3), 90, np.uint8)))
    run(crisp, source, tmp_path / "one")
    monkeypatch.setattr("translate.inference.runner.ModelRunner.cpu_slots", lambda _: CpuSlots(3))
    before = torch.get_num_threads(), torch.random.get_rng_state()
    assert run(crisp, source, tmp_path / "three", workers=3).done == 13
    assert contents(tmp_path / "one") == contents(tmp_path / "three")
    assert torch.get_num_threads() == before[0] and torch.equal(torch.random.get_rng_state(), before[1])


def test_networks_that_draw_random_numbers_get_one_cpu_slot(many, crisp, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert many.runner.cpu_slots().count == crisp.runner.cpu_slots().count == 4  # a look is no chance
    drawing = Factory({"name": "unet_128", "width": 4}, EXPORTABLE, "generator")(in_channels=1, out_channels=3)
    assert Translator(SKETCH_RECIPE, nn.ModuleDict({"G": drawing})).runner.cpu_slots().count == 1
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    monkeypatch.setattr("translate.utils.memory.free_bytes", lambda _: 10.5 * crisp.runner.memory.peak_bytes(512, 512))
    assert crisp.runner.cpu_slots().count == 10
