import copy

import pytest
import torch
import torch.nn.functional as F

from tests.tasks.test_tasks import COMPACT, make_batch, make_task, make_teacher
from translate.networks import GENERATORS
from translate.tasks import TASKS
from translate.tasks.distill import Distill, DistillImages, DistillPairs, edge_distance
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import Factory

STUDENT = Factory(COMPACT, GENERATORS, "generator")
PICTURES = {"a": 3, "b": 3}


def nets_of(task):
    return torch.nn.ModuleDict({name: task.get_submodule(name) for name in task.exports})


def test_the_teacher_is_no_part_of_the_student():
    task = make_task("distill")
    assert task.exports == ("G_ab", "G_ba") and task.phases == {"G": ("G_ab", "G_ba")}
    assert {name.split(".")[0] for name in task.state_dict()} == {"G_ab", "G_ba"}
    assert not any(p.requires_grad for p in task.teacher.nets.parameters())
    assert copy.deepcopy(task).teacher is task.teacher


def test_the_losses_are_distances_to_the_teachers_answers():
    task, batch = make_task("distill", lambda_features=0.0, lambda_picture=2.0), make_batch()
    terms = task.losses("G", task(batch))
    for way in ("ab", "ba"):
        with torch.no_grad():
            truth = task.teacher.nets[f"G_{way}"](batch[way[0]]).clamp(-1, 1)
        difference = task.get_submodule(f"G_{way}")(batch[way[0]]) - truth
        assert terms[f"picture_{way}"].item() == pytest.approx(2 * difference.abs().mean().item(), rel=1e-5)
        down, right = difference[:, :, 1:] - difference[:, :, :-1], difference[..., 1:] - difference[..., :-1]
        edges = down.abs().mean() + right.abs().mean()
        assert terms[f"edges_{way}"].item() == pytest.approx(2 * edges.item(), rel=1e-5)
    assert set(terms) == {f"{name}_{way}" for name in ("picture", "edges") for way in ("ab", "ba")}


def test_flat_differences_have_no_edges():
    x = torch.rand(2, 3, 8, 8)
    assert edge_distance(x, x + 0.3).item() == pytest.approx(0, abs=1e-6)
    assert edge_distance(x, x.flip(3)) > 0.1


def test_looks_seeds_and_the_encoder_are_those_of_the_teacher():
    task = make_task("distill_pairs")
    assert task.exports == ("G", "E") and task.phases == {"G": ("G",)}
    nets, own = nets_of(task), task.teacher.nets
    for name, tensor in own["E"].state_dict().items():
        assert torch.equal(nets["E"].state_dict()[name], tensor)
    for seed in (None, 3):
        _, z = TASKS["pix2pix"].generator_for(nets, "ab", None, seed)
        assert torch.equal(z, TASKS["pix2pix"].generator_for(own, "ab", None, seed)[1])


def test_codes_are_drawn_around_the_looks_and_between_them():
    task = make_task("distill_pairs")
    task.E.looks.copy_(torch.where(torch.arange(256)[:, None] < 128, -1.0, 1.0).expand(-1, 3))
    codes = task._draw_codes(4000, torch.device("cpu"))
    assert codes.shape == (4000, 3)
    assert (codes.abs() - 1).abs().lt(0.4).all(1).float().mean() == pytest.approx(0.85, abs=0.1)  # the looks
    assert codes.abs().lt(0.5).all(1).float().mean() > 0.05  # between two of them
    assert task._draw_codes(3, torch.device("cpu")).shape == (3, 3)


def test_strengths_are_spread_over_their_range():
    task = make_task("distill, at a strength")
    s = task._draw_codes(1000, torch.device("cpu"))
    assert s.shape == (1000, 1) and s.min() >= 0 and s.max() <= 1 and abs(s.mean().item() - 0.5) < 0.05
    assert make_task("distill")._draw_codes(3, torch.device("cpu")) is None


def test_one_way_learns_the_default_direction_alone():
    task = Distill(STUDENT, PICTURES, teacher=make_teacher("cycle"), one_way=True, features="none")
    assert task.exports == ("G_ab",) and task.directions == ("ab",)
    assert set(task.losses("G", task(make_batch()))) == {"picture_ab", "edges_ab"}


@pytest.mark.parametrize("gray", [False, True])
def test_single_pictures_are_turned_into_the_sources_of_the_teacher(gray):
    teacher = make_teacher("cycle", a=1 if gray else 3, b=3, directions=("ab",)) if gray else make_teacher("cycle")
    task = DistillImages(STUDENT, {"image": 3}, teacher=teacher, features="none")
    x = make_batch(image=3)
    expected = x["image"].mean(1, keepdim=True) if gray else x["image"]
    with torch.no_grad():
        truth = teacher.nets["G_ab"](expected).clamp(-1, 1)
    assert torch.allclose(task(x)["truth_ab"], truth, atol=1e-6)


def test_hints_are_spread_for_teacher_and_student():
    teacher = make_teacher("pix2pix", a=1, b=3, hint=4)
    task = DistillPairs(STUDENT, {"a": 1, "b": 3, "hint": 4}, teacher=teacher, features="none")
    assert task(make_batch(a=1, b=3, hint=4))["answer_ab"].shape == (2, 3, 32, 32)
    with pytest.raises(UserError, match="takes hints, whose colours come from pairs; give --data, not --images"):
        DistillImages(STUDENT, {"image": 3}, teacher=teacher)


def test_a_reversed_pair_stands_as_the_teacher_wants_it():
    teacher = make_teacher("pix2pix", directions=("ba",))
    task, batch = DistillPairs(STUDENT, PICTURES, teacher=teacher, features="none"), make_batch()
    assert task.directions == ("ab",)
    assert task(batch)["truth_ab"].shape == batch["a"].shape


def test_a_teacher_with_dropout_is_told():
    task = make_task("distill_pairs", teacher=make_noisy_teacher())
    assert task.notes and "the student learns their middle" in task.notes[0]
    assert F.l1_loss(*(task.teacher(make_batch()["a"], "ab", None) for _ in range(2))) > 0


def make_noisy_teacher():
    teacher = make_teacher("pix2pix")
    spec = {"name": "resnet_6blocks", "width": 4, "dropout": 0.5}
    nets = torch.nn.ModuleDict({"G": Factory(spec, GENERATORS, "generator")(in_channels=3, out_channels=3)})
    return type(teacher)(TASKS["pix2pix"], nets, PICTURES, ("ab",), "runs/teacher")


def test_what_cannot_be_taught_is_refused_in_a_line():
    teacher = make_teacher("cycle")
    with pytest.raises(OptionError, match="a student needs a teacher: --method.teacher RUN"):
        Distill(STUDENT, PICTURES)
    with pytest.raises(UserError, match="learned from pictures of 3 and 3 channels, and these have 1 and 3 channels"):
        Distill(STUDENT, {"a": 1, "b": 3}, teacher=teacher)
    plain = Factory({"name": "skip_resnet"}, GENERATORS, "generator")
    with pytest.raises(OptionError, match="generator 'skip_resnet' takes no z, and the teacher does; say compact_res"):
        Distill(plain, PICTURES, teacher=make_teacher("drift"))
    for name, does in (("inpaint", "fills holes"), ("generate", "generates pictures")):
        with pytest.raises(UserError, match=f"m: {does}; students are taught by models that translate"):
            type(teacher)(TASKS[name], teacher.nets, PICTURES, (), "m")
