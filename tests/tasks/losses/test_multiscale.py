import pytest
import torch

from translate.networks.patchgan import MultiScale, PatchGAN
from translate.tasks.losses.adversarial import GAN_LOSSES
from translate.tasks.losses.multiscale import feature_matching, gan_g, judge

SMALL = {"in_channels": 3, "width": 4, "layers": 2, "norm": "none"}
MAKERS = {
    "one": lambda: PatchGAN(**SMALL),
    "batch norm": lambda: PatchGAN(**SMALL | {"norm": "batch"}),
    "two scales": lambda: MultiScale(**SMALL, scales=2),
    "through a window": lambda: MultiScale(**SMALL, scales=2, window=32),
}


def made(kind):
    torch.manual_seed(0)
    return MAKERS[kind](), {
        name: torch.rand(2, 3, 64, 64, requires_grad=name != "real") for name in ("fake", "other", "real")
    }


def one_by_one(D, pictures):
    """Judge in separate calls, through one window."""
    corner = torch.tensor([5, 9])
    views = {name: [D.view(x, corner)] if isinstance(D, MultiScale) else [] for name, x in pictures.items()}
    outputs = {name: D(picture, *views[name]) for name, picture in pictures.items()}
    return {name: [[out]] if isinstance(out, torch.Tensor) else out for name, out in outputs.items()}


@pytest.mark.parametrize("kind", MAKERS)
def test_judging_together_equals_judging_one_by_one(kind, monkeypatch):
    D, pictures = made(kind)
    D.requires_grad_(False)
    monkeypatch.setattr(MultiScale, "draw_corner", lambda self, x: torch.tensor([5, 9]))
    gradients = []
    for judged in (judge(D, pictures), one_by_one(D, pictures)):
        loss = gan_g(GAN_LOSSES["hinge"], judged["fake"]) + gan_g(GAN_LOSSES["hinge"], judged["other"])
        if "scale" in kind or "window" in kind:
            loss = loss + feature_matching(judged["fake"], judged["real"])
        gradients.append(torch.autograd.grad(loss, [pictures["fake"], pictures["other"]]))
    for actual, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-7)


def test_no_graph_is_kept_of_pictures_without_gradient():
    D, pictures = made("two scales")
    D.requires_grad_(False)
    judged = judge(D, pictures)
    assert all(not layer.requires_grad for layers in judged["real"] for layer in layers)
    assert all(layer.requires_grad for name in ("fake", "other") for layers in judged[name] for layer in layers)


def test_in_its_phase_the_discriminator_gets_detached_pictures():
    D, pictures = made("two scales")
    judged = judge(D, pictures)
    sum(layers[-1].sum() for scales in judged.values() for layers in scales).backward()
    assert all(picture.grad is None for picture in pictures.values())
    assert all(p.grad is not None for p in D.parameters())


def test_gradients_of_merged_calls_keep_the_layout():
    D, pictures = made("two scales")
    D.requires_grad_(False).to(memory_format=torch.channels_last)
    pictures = {
        k: v.detach().to(memory_format=torch.channels_last).requires_grad_(k != "real") for k, v in pictures.items()
    }
    seen = []
    judged = judge(D, pictures)
    layer = judged["fake"][0][0]
    layer.grad_fn.register_hook(lambda into, out: seen.append(into[0]))
    feature_matching(judged["fake"], judged["real"]).backward()
    assert seen[0].shape[0] == 4
    assert seen[0].is_contiguous(memory_format=torch.channels_last)


def test_all_pictures_of_a_call_are_judged_through_one_window():
    D, pictures = made("through a window")
    pictures = dict.fromkeys(pictures, pictures["real"]) | {"fake": pictures["real"].clone().requires_grad_()}
    views = []
    original = MultiScale.forward
    D.forward = lambda x, view=None: views.append(view) or original(D, x, view)
    D.requires_grad_(False)
    for _ in range(3):
        judge(D, pictures)
    assert [len(view) for view in views] == [4, 2] * 3
    assert all(torch.equal(view[:2], views[i - i % 2][:2]) for i, view in enumerate(views))
    assert not torch.equal(views[0], views[2])
