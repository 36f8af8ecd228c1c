import threading
import time

import pytest
import torch

from translate.utils.concurrency import MAP_AHEAD, CpuSlots, map_in_threads


@pytest.fixture
def cores(monkeypatch):
    """What each thread was told to compute with."""
    told = threading.local()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    monkeypatch.setattr(torch, "set_num_threads", lambda n: setattr(told, "threads", n))
    return told


def test_small_ones_side_by_side_and_a_large_one_by_itself(cores):
    slots, lock, inside, seen = CpuSlots(3), threading.Lock(), [], []

    def work(whole):
        with slots.acquire(exclusive=whole):
            with lock:
                inside.append(whole)
                seen.append((cores.threads, tuple(inside)))
            time.sleep(0.01)
            with lock:
                inside.remove(whole)

    with slots.pool() as pool:
        for done in [pool.submit(work, whole) for whole in [False] * 9 + [True] + [False] * 6 + [True, True]]:
            done.result()
    assert {threads for threads, together in seen if True in together} == {4}
    assert all(together == (True,) for _, together in seen if True in together)
    assert {threads for threads, together in seen if True not in together} == {1}
    assert max(len(together) for _, together in seen) == 3
    assert cores.threads == 4  # the caller's


def test_one_slot_has_all_cores_and_an_error_frees_it(cores):
    slots = CpuSlots(1)
    for whole in (False, True):
        with pytest.raises(ZeroDivisionError), slots.acquire(exclusive=whole):
            assert cores.threads == 4
            1 / 0  # noqa: B018


def test_a_map_in_threads_keeps_the_order_and_does_not_run_far_ahead():
    started = []
    results = map_in_threads(lambda i: started.append(i) or -i, range(3 * MAP_AHEAD + 1))
    assert next(results) == 0
    assert max(started) < MAP_AHEAD
    assert [0, *results] == [-i for i in range(3 * MAP_AHEAD + 1)]


def test_an_error_in_a_map_in_threads_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(map_in_threads(lambda i: 1 // i, [1, 0]))
