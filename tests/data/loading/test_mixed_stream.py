import numpy as np
import pytest
import torch

from tests.data.album import album, sample
from translate.data.loading.loader import Batches, PairedStream, UnpairedStream
from translate.data.loading.mixed_stream import MixedStream, pair_steps_before
from translate.utils import dist

SIDE = 8


def flat(value):
    return np.full((SIDE, SIDE, 3), value, np.uint8)


def make_stream(share=0.25, batch_size=2, seed=0):
    """Pictures of A are 0 to 6, of B 100 to 104; pairs are (200, 220), (201, 221), (202, 222)."""
    domains = {"a": album([flat(i) for i in range(7)]), "b": album([flat(100 + i) for i in range(5)])}
    pairs = album([np.dstack([flat(200 + i), flat(220 + i)]) for i in range(3)])
    return MixedStream(
        UnpairedStream(domains, crop=SIDE, flip=True, seed=seed),
        PairedStream(pairs, (3, 3), crop=SIDE, flip=True, seed=seed, which=2),
        share=share, batch_size=batch_size,
    )  # fmt: skip


def values(batch):
    return [(int(a[0, 0, 0]), int(b[0, 0, 0])) for a, b in zip(batch["a"], batch["b"], strict=True)]


def take(steps, start=0, **options):
    batches = iter(Batches(make_stream(**options), options.get("batch_size", 2), start=start))
    found = [next(batches) for _ in range(steps)]
    batches.close()
    return found


@pytest.mark.parametrize("share", [0.01, 0.1, 0.25, 1 / 3, 0.5, 0.9])
def test_the_share_of_steps_is_exact_and_evenly_spaced(share):
    steps = np.diff([pair_steps_before(step, share) for step in range(1001)])
    assert set(steps) <= {0, 1} and abs(steps.sum() - 1000 * share) < 1
    places = np.flatnonzero(steps)
    assert np.ptp(np.diff(places)) <= 1


def test_a_batch_is_of_pairs_or_of_strangers():
    found = take(40)
    for step, batch in enumerate(found):
        assert batch["paired"].tolist() == [int(step % 4 == 3)] * 2
        for a, b in values(batch):
            assert (b - a == 20 and a >= 200) if step % 4 == 3 else (a < 7 and 100 <= b < 105)
    # each kind goes on where its last batch ended: all are shown equally often
    shown = [pair for batch in found for pair in values(batch)]
    pairs = [pair for pair in shown if pair[0] >= 200]
    assert [sorted(pairs[i : i + 3]) for i in range(0, 18, 3)] == [[(200, 220), (201, 221), (202, 222)]] * 6
    strangers = [a for a, _ in shown if a < 200]
    assert [sorted(strangers[i : i + 7]) for i in range(0, 56, 7)] == [[*range(7)]] * 8


def test_both_pictures_of_a_pair_have_the_same_crop():
    ramp = np.arange(20 * 20 * 3, dtype=np.int64).reshape(20, 20, 3) % 251
    wide = album([np.dstack([ramp, 255 - ramp]).astype(np.uint8)] * 3)
    domains = {"a": album([flat(1)]), "b": album([flat(2)])}
    stream = MixedStream(
        UnpairedStream(domains, crop=SIDE, flip=True, seed=0),
        PairedStream(wide, (3, 3), crop=SIDE, flip=True, seed=0, which=2), share=0.5, batch_size=1,
    )  # fmt: skip
    crops = [sample(stream, step) for step in range(1, 60, 2)]
    assert all((crop["a"] == 255 - crop["b"]).all() for crop in crops)
    assert len({crop["a"].tobytes() for crop in crops}) > 10


def test_batches_depend_on_seed_and_step_alone():
    whole = take(15)
    for early, late in zip(whole[6:], take(9, start=6), strict=True):
        assert early.keys() == late.keys() == {"a", "b", "paired"}
        assert all(torch.equal(early[key], late[key]) for key in early)
    assert [values(x) for x in whole] != [values(x) for x in take(15, seed=1)]


def test_processes_share_a_batch(monkeypatch):
    whole = take(8, batch_size=4)
    parts = []
    for rank in range(2):
        monkeypatch.setattr(dist, "local_indices", lambda count, rank=rank: range(rank, count, 2))
        parts.append(take(8, batch_size=4))
    for batch, one, two in zip(whole, *parts, strict=True):
        for key, value in batch.items():
            assert torch.equal(value[0::2], one[key]) and torch.equal(value[1::2], two[key])
