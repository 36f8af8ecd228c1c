import mmap
import time

import numpy as np
import pytest
import torch

from translate.bench.machine import PeakMemory, describe_machine
from translate.bench.timing import mean_seconds, percentiles, speedup, time_in_turns


def test_percentiles_equal_numpys():
    seconds = np.random.default_rng(0).uniform(1, 2, 37).tolist()
    assert percentiles(seconds) == pytest.approx(tuple(np.percentile(seconds, (50, 10, 90))))
    assert percentiles([3.0]) == (3.0, 3.0, 3.0)


def test_speedup_is_the_median_over_rounds():
    assert speedup([2.0, 8.0, 100.0], [1.0, 4.0, 10.0]) == 2.0


def test_candidates_take_turns_and_each_begins_a_round():
    order = []
    turns = {name: lambda name=name: order.append(name) or 1.0 for name in "abc"}
    assert time_in_turns(turns, rounds=4, seconds=60) == {name: [1.0] * 4 for name in "abc"}
    assert "".join(order) == "abcbcacababc"


def test_no_round_begins_after_the_time_limit_except_the_first_three():
    turns = {"a": lambda: time.sleep(0.01) or 0.5}
    assert time_in_turns(turns, rounds=50, seconds=0) == {"a": [0.5] * 3}
    assert time_in_turns(turns, rounds=2, seconds=0) == {"a": [0.5] * 2}


def test_mean_seconds_is_the_mean_of_the_calls():
    calls = []
    seconds = mean_seconds(lambda: calls.append(time.sleep(0.01)), torch.device("cpu"), 5)
    assert len(calls) == 5
    assert seconds >= 0.01


def test_peak_memory_excludes_earlier_memory():
    before = np.ones(2**25)
    peak = PeakMemory(torch.device("cpu"))
    assert peak.bytes() < 2**24
    with mmap.mmap(-1, 2**27) as during:  # an allocator could reuse memory of earlier tests
        for _ in range(2**7):
            during.write(bytes(2**20))
        assert 0.9 < peak.bytes() / 2**27 < 1.3
    assert 0.9 < peak.bytes() / 2**27 < 1.3
    assert len(before) == 2**25


def test_describe_machine():
    facts = describe_machine(torch.device("cpu"))
    assert facts["torch"] == torch.__version__
    assert facts["threads"] == torch.get_num_threads()
    assert facts["processor"] and facts["cores"] >= 1
