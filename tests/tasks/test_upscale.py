import pytest
import torch

from tests.tasks.test_tasks import channels_of, make_batch, make_task
from translate.tasks.upscale import middle
from translate.utils.errors import OptionError


def losses(task, phase="G"):
    x = task(make_batch(**channels_of("upscale")))
    with task.train_only(phase):
        return {name: term.item() for name, term in task.losses(phase, x).items()}


def test_weights_rise_over_a_part_of_the_run():
    task = make_task("upscale", rise=0.5)
    found = []
    for progress in (0.0, 0.25, 0.5, 0.9):
        task.set_progress(progress)
        torch.manual_seed(0)
        found.append(losses(task))
    assert found[0]["gan"] == found[0]["fm"] == 0 and len({one["l1"] for one in found}) == 1
    assert found[1]["fm"] == pytest.approx(found[2]["fm"] / 2, rel=0.1)  # spectral norms move
    assert found[3]["fm"] == pytest.approx(found[2]["fm"], rel=0.1)


def test_without_an_adversarial_loss_there_is_no_discriminator():
    task = make_task("upscale, by pixels alone")
    assert task.phases == {"G": ("G",)} and not hasattr(task, "D") and set(losses(task)) == {"l1"}
    with pytest.raises(OptionError, match="--lambda-fm needs a discriminator that shows its features"):
        make_task("upscale, by pixels alone", lambda_fm=1.0)


def test_features_see_the_middle_of_the_crops():
    x = torch.arange(100.0 * 100).view(1, 1, 100, 100)
    assert torch.equal(middle(x), x[..., 18:82, 18:82]) and middle(x[..., :40]).shape == (1, 1, 64, 40)


@pytest.mark.parametrize("variant", ["upscale", "upscale, by pixels alone"])
def test_the_preview_shows_input_answer_and_truth(variant):
    task = make_task(variant)
    nets = torch.nn.ModuleDict({"G": task.G})
    rows = task.preview(nets, make_batch(**channels_of(variant)))
    assert list(rows) == ["input", "answer", "truth"] and {row.shape for row in rows.values()} == {(2, 3, 32, 32)}
    assert not torch.equal(rows["input"], rows["answer"])
