import pytest
import torch

from translate.bench import roofline


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(roofline, "CONVOLUTIONS", ((16, 16), (32, 16)))
    monkeypatch.setattr(roofline, "MATMUL_SIDES", {"cpu": (64, 128)})
    monkeypatch.setattr(roofline, "COPY_BYTES", {"cpu": 2**20})
    monkeypatch.setattr(roofline, "TRIAL_S", 0.002)
    monkeypatch.setattr(roofline, "SUSTAINED_S", 0.005)


def test_every_sound_type_has_its_rates(small, monkeypatch):
    monkeypatch.setattr(roofline, "_bf16_is_native", lambda device: True)
    found = roofline.measure_ceiling(torch.device("cpu"))
    assert set(found.convolution) == set(found.matmul) == {"fp32", "bf16"}
    assert found.best("fp32") == max(found.convolution["fp32"], found.matmul["fp32"]) > 0
    assert found.copy > 0 and found.has_fast_bf16()
    assert found.shapes["matmul fp32"] in ("64 x 64", "128 x 128")
    assert found.shapes["convolution bf16"].split(", ")[-1] in ("NCHW", "NHWC")


def test_unsound_bf16_is_not_measured(small, monkeypatch):
    monkeypatch.setattr(roofline, "bf16_is_sound", lambda device: False)
    found = roofline.measure_ceiling(torch.device("cpu"))
    assert set(found.convolution) == set(found.matmul) == {"fp32"} and not found.has_fast_bf16()


def test_a_rate_is_operations_per_second(monkeypatch):
    """0.3 GFLOP in 10 ms are 30 GFLOP/s; the fastest trial counts."""
    monkeypatch.setattr(roofline, "_repeat_for", lambda _seconds, work, _device: work())
    trials = [("slow", 0.1, lambda: 0.01), ("fast", 0.3, lambda: 0.01), ("dear", 0.5, lambda: 0.02)]
    rate, name = roofline._highest_rate(iter(trials), torch.device("cpu"))
    assert name == "fast" and rate == pytest.approx(30)


def test_operation_counts_equal_those_of_torch():
    from torch.utils.flop_counter import FlopCounterMode

    for trials in (roofline._convolutions, roofline._matmuls):
        for _, operations, work in trials(torch.device("cpu"), "fp32"):
            with FlopCounterMode(display=False) as counter:
                work()
            assert counter.get_total_flops() == pytest.approx(1e9 * operations)
            break
