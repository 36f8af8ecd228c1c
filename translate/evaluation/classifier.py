"""A small classifier trained on the spot, on real pictures, that says what samples show.

It judges only as well as it knows real pictures: report its `accuracy` on held-out ones beside what it says.
"""

__all__ = ["Classifier", "FactorClassifier", "train_classifier", "train_factor_classifier"]

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.images.tensors import from_uint8
from translate.utils.errors import UserError

EPOCHS = 16
BATCH = 64
RATE = 4e-3  # at its height, of AdamW with the one-cycle schedule
DECAY = 0.01
WIDTH = 16
LARGEST = 64  # px: larger pictures are shrunk
COARSE = 40  # px: from here on the first convolution halves the picture
PLACES = 4  # the answers look at 4 x 4 places of the picture: glasses are not just anywhere
TURN, ZOOM, SHIFT = 12.0, 0.15, 0.08  # degrees, share of the size, share of the side: none turns a 6 into a 9
FEW_EPOCHS, ENOUGH_STEPS = 100, 200  # a small set is shown more often


class SmallNet(nn.Module):
    """Five convolutions and a linear layer for each of several questions."""

    def __init__(self, channels: int, side: int, answers: Sequence[int]) -> None:
        super().__init__()
        coarse = side > COARSE
        wide = (2 * WIDTH if coarse else WIDTH, 2 * WIDTH, 2 * WIDTH, 4 * WIDTH, 4 * WIDTH)
        blocks = block(channels, wide[0], *((4, 2) if coarse else (3, 1)))
        for inputs, outputs, stride in zip(wide, wide[1:], (2, 1, 2, 1), strict=False):
            blocks += block(inputs, outputs, 3, stride)
        self.trunk = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(PLACES), nn.Flatten(), nn.Dropout(0.2))
        self.heads = nn.ModuleList(nn.Linear(wide[-1] * PLACES**2, count) for count in answers)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Answer (B, C, H, W) in [-1, 1] with the logits of each question, (B, answers)."""
        found = self.trunk(x)
        return [head(found) for head in self.heads]


def block(inputs: int, outputs: int, kernel: int, stride: int) -> list[nn.Module]:
    """A convolution, its normalisation and a ReLU."""
    return [nn.Conv2d(inputs, outputs, kernel, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


class Judge:
    """A trained `SmallNet`, asked with pictures as they are outside."""

    def __init__(self, net: SmallNet, channels: int, size: tuple[int, int]) -> None:
        self.net, self.channels, self.size = net.eval().requires_grad_(False), channels, size

    def probabilities(self, pictures: np.ndarray) -> list[Tensor]:
        """Return each question's probabilities, (N, answers) float32, of pictures (N, H, W, C) uint8."""
        batches = [self.ask(pictures[i : i + 8 * BATCH]) for i in range(0, len(pictures), 8 * BATCH)]
        return [torch.cat(found) for found in zip(*batches, strict=True)]

    def ask(self, pictures: np.ndarray) -> list[Tensor]:
        """The same of one batch."""
        return [logits.softmax(dim=1) for logits in self.net(prepare(pictures, self.channels, self.size))]


class Classifier:
    """Names the class of a picture."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge

    def predict(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Classify (N, H, W, C) uint8: the labels (N,) int64 and how sure each is, (N,) float32 from 0 to 1."""
        if not len(pictures):
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        sure, labels = self.judge.probabilities(pictures)[0].max(dim=1)
        return labels.numpy(), sure.numpy()

    def accuracy(self, pictures: np.ndarray, labels: np.ndarray) -> float:
        """Share of pictures whose label it finds."""
        return float((self.predict(pictures)[0] == labels).mean())


class FactorClassifier:
    """Names several factors of a picture, such as {"hair": "red", "glasses": "none"}.

    Attributes:
        words: the words of each factor that it knows.
    """

    def __init__(self, judge: Judge, words: dict[str, tuple[str, ...]]) -> None:
        self.judge, self.words = judge, words

    def predict(self, pictures: np.ndarray) -> dict[str, list[str]]:
        """Name each factor of pictures (N, H, W, C) uint8: N words by factor."""
        if not len(pictures):
            return {factor: [] for factor in self.words}
        found = self.judge.probabilities(pictures)
        return {
            factor: [words[i] for i in probabilities.argmax(dim=1).tolist()]
            for (factor, words), probabilities in zip(self.words.items(), found, strict=True)
        }

    def accuracy(self, pictures: np.ndarray, truth: Mapping[str, Sequence[str]]) -> dict[str, float]:
        """Share of pictures whose word it finds, by factor."""
        found = self.predict(pictures)
        return {factor: float(np.mean(np.array(found[factor]) == np.array(truth[factor]))) for factor in self.words}


def train_classifier(
    pictures: np.ndarray, labels: np.ndarray, *, classes: int, seed: int = 0, epochs: int | None = None
) -> Classifier:
    """Train a classifier; the same arguments give the same one.

    Args:
        pictures: (N, H, W, C) uint8, C of 1 or 3.
        labels: (N,) integers from 0 to classes - 1; pictures with other labels, such as -1, are left out.
        classes: how many there are.
        seed: of the first weights, the order and the little turns and shifts of the pictures.
        epochs: times that each picture is shown; by default 16, more for small sets.

    Raises:
        UserError: there is no labelled picture, or only one class.
    """
    labels = np.asarray(labels)
    known = (labels >= 0) & (labels < classes)
    if classes < 2 or len(np.unique(labels[known])) < 2:
        raise UserError(f"a classifier needs pictures of 2 classes, not {len(np.unique(labels[known]))}")
    targets = torch.from_numpy(labels[known].astype(np.int64))
    return Classifier(train(pictures[known], [targets], [classes], seed, epochs))


def train_factor_classifier(
    pictures: np.ndarray, factors: Mapping[str, Sequence[str]], *, seed: int = 0, epochs: int | None = None
) -> FactorClassifier:
    """Train one network that names all factors.

    Args:
        pictures: (N, H, W, C) uint8, C of 1 or 3.
        factors: N words by factor.
        seed: as in `train_classifier`.
        epochs: likewise.

    Raises:
        UserError: there are no pictures, or no factors.
    """
    if not len(pictures) or not factors:
        raise UserError("a classifier of factors needs pictures and at least one factor")
    words = {factor: tuple(sorted(set(values))) for factor, values in factors.items()}
    targets = [torch.tensor([words[factor].index(word) for word in values]) for factor, values in factors.items()]
    judge = train(pictures, targets, [len(each) for each in words.values()], seed, epochs)
    return FactorClassifier(judge, words)


def train(pictures: np.ndarray, targets: list[Tensor], answers: list[int], seed: int, epochs: int | None) -> Judge:
    """Train a network on pictures (N, H, W, C) uint8 and the right answers to each question, (N,) int64."""
    channels, size = pictures.shape[-1], working_size(pictures.shape[1:3])
    shown = torch.cat([prepare(pictures[i : i + 512], channels, size) for i in range(0, len(pictures), 512)])
    steps = -(-len(shown) // BATCH)
    epochs = min(FEW_EPOCHS, max(EPOCHS, -(-ENOUGH_STEPS // steps))) if epochs is None else epochs
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = SmallNet(channels, max(size), answers)
        optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=epochs * steps)
        for _ in range(epochs):
            for chosen in torch.randperm(len(shown)).split(BATCH):
                logits = net(jostled(shown[chosen]))
                terms = [F.cross_entropy(found, target[chosen]) for found, target in zip(logits, targets, strict=True)]
                loss = torch.stack(terms).sum()
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                schedule.step()
    return Judge(net, channels, size)


def working_size(size: tuple[int, ...]) -> tuple[int, int]:
    """The height and width that a network for pictures of `size` works at, px."""
    height, width = size
    scale = min(1.0, LARGEST / max(height, width))
    return round(height * scale), round(width * scale)


def prepare(pictures: np.ndarray, channels: int, size: tuple[int, int]) -> Tensor:
    """Bring pictures (N, H, W, 1 or 3) uint8 to (N, channels, *size) in [-1, 1]."""
    planes = from_uint8(torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2))
    if planes.shape[1] != channels:
        planes = planes.mean(dim=1, keepdim=True).expand(-1, channels, -1, -1)
    if tuple(planes.shape[-2:]) != size:
        planes = F.interpolate(planes, size, mode="bilinear", antialias=True)
    return planes.contiguous()


def jostled(x: Tensor) -> Tensor:
    """Turn, zoom and shift each of (B, C, H, W) a little, at random; what comes in repeats the edge."""
    count = len(x)
    angle = (torch.rand(count) * 2 - 1) * TURN * torch.pi / 180
    scale = 1 + (torch.rand(count) * 2 - 1) * ZOOM
    shift = (torch.rand(count, 2) * 2 - 1) * 2 * SHIFT
    cos, sin = angle.cos() * scale, angle.sin() * scale
    rows = torch.stack([cos, -sin, shift[:, 0], sin, cos, shift[:, 1]], dim=1)
    grid = F.affine_grid(rows.view(count, 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)
