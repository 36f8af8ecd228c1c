import copy

import pytest
import torch

from translate.tasks.feature_queue import FeatureQueue


def numbers(*values):
    return torch.tensor(values, dtype=torch.float32)[:, None]


def content(queue):
    """The numbers in the queue by class."""
    groups, (rows,) = queue.groups(), queue.read()
    return [sorted(rows[groups == k, 0].tolist()) for k in range(queue.classes)]


def test_the_newest_of_each_class_are_kept():
    queue = FeatureQueue(2, 3)
    queue.push([numbers(1, 2, 3)], torch.tensor([0, 1, 0]))
    assert content(queue) == [[1, 3], [2]]
    assert queue.groups().tolist() == [0, 0, -1, 1, -1, -1]
    queue.push([numbers(4, 5, 6)], torch.tensor([0, 0, 1]))
    assert content(queue) == [[3, 4, 5], [2, 6]]


def test_pictures_without_a_label_are_dropped():
    queue = FeatureQueue(2, 3)
    queue.push([numbers(1, 2, 3)], torch.tensor([-1, 1, -1]))
    assert content(queue) == [[], [2]]


def test_of_a_batch_larger_than_the_queue_the_last_are_kept():
    queue = FeatureQueue(1, 3)
    queue.push([numbers(*range(8))], torch.zeros(8, dtype=torch.int64))
    assert content(queue) == [[5, 6, 7]]


def test_each_kind_of_feature_keeps_its_shape():
    queue = FeatureQueue(1, 4)
    queue.push([torch.zeros(2, 1, 5), torch.zeros(2, 6, 7, dtype=torch.float16)], torch.zeros(2, dtype=torch.int64))
    assert [(x.shape, x.dtype) for x in queue.read()] == [((4, 1, 5), torch.float32), ((4, 6, 7), torch.float16)]


def test_it_is_part_of_the_state():
    queue, other = FeatureQueue(2, 3), FeatureQueue(2, 3)
    queue.push([numbers(1, 2, 3)], torch.tensor([0, 1, 0]))
    other.load_state_dict(copy.deepcopy(queue.state_dict()))
    for one in (queue, other):
        one.push([numbers(4, 5)], torch.tensor([0, 0]))
    assert torch.equal(queue.read()[0], other.read()[0])
    assert content(other) == [[3, 4, 5], [2]]


def test_a_state_of_the_queue_before_begins_empty():
    task = torch.nn.ModuleDict({"queue_a": FeatureQueue(1, 3)})
    task.load_state_dict({"queue_a.points_0": torch.zeros(3, 1), "queue_a.filled": torch.ones(())})
    assert task["queue_a"].groups().tolist() == [-1, -1, -1]
    with pytest.raises(RuntimeError, match="Missing key"):
        task.load_state_dict({})
