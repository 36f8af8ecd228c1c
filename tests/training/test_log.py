import json

import cv2
import pytest
import torch

from tests.tasks.test_tasks import make_task
from translate.training.ema import EMA
from translate.training.log import Log, drop_lines


def test_each_line_holds_the_means_since_the_last(tmp_path):
    with Log(tmp_path, 0, 6, 2) as log:
        for step in range(6):
            log.add({"G/x": torch.tensor(float(step)), "D/y": torch.tensor(1.0)})
            if step % 3 == 2:
                log.write(step + 1, lr=0.1, waited=0.0)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(line["step"], line["G/x"], line["D/y"]) for line in lines] == [(3, 1.0, 1.0), (6, 4.0, 1.0)]
    assert all(line["images_per_second"] > 0 for line in lines)


def test_resuming_drops_later_and_torn_lines(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps({"step": s}) + "\n" for s in (5, 10, 15)) + '{"step": 20, "G')
    drop_lines(path, 10)
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [5, 10]


def test_a_grid_has_a_row_for_each_entry(tmp_path):
    with Log(tmp_path, 0, 1, 1) as log:
        log.write_grid(7, {"a": torch.full((3, 3, 8, 8), 1.0), "b": torch.full((3, 3, 8, 8), -1.0)})
    sheet = cv2.imread(str(tmp_path / "samples" / "step_0000007.png"))
    assert sheet.shape == (18, 28, 3)
    assert (sheet[:8] == 255).all()
    assert (sheet[10:, :8] == 0).all()


def test_tensorboard_gets_the_same_numbers(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with Log(tmp_path, 0, 1, 1) as log:
        log.add({"G/x": torch.tensor(2.5)})
        log.write(1, lr=0.1, waited=0.0)
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(e.step, e.value) for e in events.Scalars("G/x")] == [(1, 2.5)]


def test_ema_follows_its_formula():
    task = make_task("cycle")
    ema = EMA(task, 0.7)
    expected = task.G_ab.stem.weight.detach().clone()
    for step in range(6):
        with torch.no_grad():
            task.G_ab.stem.weight += 1
        ema.update(task, step)
        decay = min(0.7, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * task.G_ab.stem.weight.detach()
    torch.testing.assert_close(ema.nets["G_ab"].stem.weight, expected)
    assert not ema.nets["G_ab"].stem.weight.requires_grad


def test_ema_averages_the_statistics_of_batch_norms():
    task = make_task("generate, dcgan")
    ema = EMA(task, 0.5)
    with torch.no_grad():
        task.G.norms[0].running_mean += 4
        task.G.norms[0].num_batches_tracked += 7
    ema.update(task, 100)
    torch.testing.assert_close(ema.nets["G"].norms[0].running_mean, torch.full((2 * 4,), 2.0))
    assert ema.nets["G"].norms[0].num_batches_tracked == 7


def test_ema_of_zero_is_the_live_network():
    task = make_task("cycle")
    ema = EMA(task, 0.0)
    with torch.no_grad():
        task.G_ba.head.weight += 0.5
    ema.update(task, 3)
    assert torch.equal(ema.nets["G_ba"].head.weight, task.G_ba.head.weight)
