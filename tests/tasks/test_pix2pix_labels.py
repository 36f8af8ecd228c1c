import torch
import torch.nn.functional as F

from tests.data.label_scenes import scene
from translate.networks import GENERATORS
from translate.tasks.pix2pix_labels import LOGIT_SCALE, Pix2pixLabels, dice_loss
from translate.utils.factory import Factory


def make(**options):
    torch.manual_seed(0)
    generator = Factory({"name": "skip_resnet", "width": 8, "trunk": 8, "blocks": 1}, GENERATORS, "generator")
    return Pix2pixLabels(generator, {"a": 3, "b": 4}, **options)


def batch(count=2):
    photos, maps = zip(*(scene(i) for i in range(count)), strict=True)
    numbers = torch.stack([torch.from_numpy(one) for one in maps]).long()
    planes = F.one_hot(numbers.clamp(max=4), 5).permute(0, 3, 1, 2)[:, :4].float() * 2 - 1
    a = torch.stack([torch.from_numpy(one) for one in photos]).permute(0, 3, 1, 2).float() / 127.5 - 1
    return {"a": a, "b": planes}, numbers


def test_cross_entropy_leaves_unlabelled_pixels_out():
    task, (x, numbers) = make(), batch()
    shared = task(x)
    expected = F.cross_entropy(LOGIT_SCALE * shared["planes"], numbers, ignore_index=255, reduction="sum")
    torch.testing.assert_close(task.losses("G", shared)["ce"], expected / numbers.numel())


def test_losses_are_means_over_pictures_so_that_processes_can_share_a_batch():
    task, (x, _) = make(lambda_dice=0.5), batch(4)
    whole = task.losses("G", task(x))
    parts = [{key: value[i : i + 2] for key, value in x.items()} for i in (0, 2)]
    halves = [task.losses("G", task(part)) for part in parts]
    for term in ("ce", "dice"):
        torch.testing.assert_close(whole[term], (halves[0][term] + halves[1][term]) / 2)


def test_dice_is_that_of_its_definition():
    (x, _) = batch(1)
    target = (x["b"] + 1) / 2
    probability = torch.rand(target.shape, generator=torch.Generator().manual_seed(1)).softmax(1)
    known, over, under = target.sum(1) > 0, 0.0, 0.0
    for k in range(4):
        p, t = (one[:, k][known] for one in (probability, target))
        if t.sum() > 0:
            over += 2 * (p * t).sum() / t.sum().sqrt()
            under += (p.sum() + t.sum()) / t.sum().sqrt()
    torch.testing.assert_close(dice_loss(probability, target), 1 - over / under, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(dice_loss(target, target), torch.tensor(0.0))
    assert dice_loss(target, torch.zeros_like(target)).isfinite()  # nothing is labelled
