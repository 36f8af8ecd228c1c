"""A small classifier, trained on real pictures during an evaluation, for the labels and factors of samples.

Its labels are only as good as its `accuracy` on held-out real pictures, which has to be reported with them.
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
SMALL_SET_EPOCHS, SMALL_SET_STEPS = 100, 200  # small sets: at least this many steps, at most this many epochs
BATCH = 64
PEAK_LEARNING_RATE = 4e-3  # of AdamW with a one-cycle schedule
WIDTH = 16
MAX_SIDE_PX = 64  # larger pictures are downscaled
STRIDED_SIDE_PX = 40  # the first convolution has stride 2 for larger pictures
POOLED_SIDE = 4  # 4 x 4 pooled features keep positions, which matter for factors such as glasses
MAX_ROTATION_DEGREES, MAX_ZOOM, MAX_SHIFT = 12.0, 0.15, 0.08  # shares of the side; too little to change a label


class SmallNet(nn.Module):
    """Five convolutions and a linear head per question."""

    def __init__(self, channels: int, side: int, answers: Sequence[int]) -> None:
        super().__init__()
        strided = side > STRIDED_SIDE_PX
        widths = (2 * WIDTH if strided else WIDTH, 2 * WIDTH, 2 * WIDTH, 4 * WIDTH, 4 * WIDTH)
        blocks = conv_block(channels, widths[0], *((4, 2) if strided else (3, 1)))
        for inputs, outputs, stride in zip(widths, widths[1:], (2, 1, 2, 1), strict=False):
            blocks += conv_block(inputs, outputs, 3, stride)
        self.trunk = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(POOLED_SIDE), nn.Flatten(), nn.Dropout(0.2))
        self.heads = nn.ModuleList(nn.Linear(widths[-1] * POOLED_SIDE**2, count) for count in answers)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (B, C, H, W) in [-1, 1] to logits of each question, (B, answers)."""
        h = self.trunk(x)
        return [head(h) for head in self.heads]


def conv_block(inputs: int, outputs: int, kernel: int, stride: int) -> list[nn.Module]:
    """Return a convolution, batch norm and ReLU."""
    return [nn.Conv2d(inputs, outputs, kernel, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


class Classifier:
    """Predicts the class of a picture."""

    def __init__(self, net: SmallNet, channels: int, size: tuple[int, int]) -> None:
        self.net, self.channels, self.size = net.eval().requires_grad_(False), channels, size

    def probabilities(self, pictures: np.ndarray) -> list[Tensor]:
        """Return each question's probabilities, (N, answers) float32, for pictures (N, H, W, C) uint8."""
        parts = (pictures[i : i + 8 * BATCH] for i in range(0, len(pictures), 8 * BATCH))
        logits = [self.net(preprocess(part, self.channels, self.size)) for part in parts]
        return [torch.cat([part.softmax(dim=1) for part in question]) for question in zip(*logits, strict=True)]

    def predict(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Classify (N, H, W, C) uint8: labels (N,) int64, and the probability of each, (N,) float32."""
        if not len(pictures):
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        confidence, labels = self.probabilities(pictures)[0].max(dim=1)
        return labels.numpy(), confidence.numpy()

    def accuracy(self, pictures: np.ndarray, labels: np.ndarray) -> float:
        """Return the share of pictures whose label it names."""
        return float((self.predict(pictures)[0] == labels).mean())


class FactorClassifier:
    """Names several factors of a picture, such as {"hair": "red", "glasses": "none"}, of which it knows some words."""

    def __init__(self, classifier: Classifier, words: dict[str, tuple[str, ...]]) -> None:
        self.classifier, self.words = classifier, words

    def predict(self, pictures: np.ndarray) -> dict[str, list[str]]:
        """Name each factor of pictures (N, H, W, C) uint8: N words by factor."""
        if not len(pictures):
            return {factor: [] for factor in self.words}
        answers = zip(self.words.items(), self.classifier.probabilities(pictures), strict=True)
        return {factor: [words[i] for i in shares.argmax(dim=1).tolist()] for (factor, words), shares in answers}

    def accuracy(self, pictures: np.ndarray, truth: Mapping[str, Sequence[str]]) -> dict[str, float]:
        """Return the share of pictures with the right word, by factor."""
        predicted = self.predict(pictures)
        return {factor: float(np.mean(np.array(predicted[factor]) == np.array(truth[factor]))) for factor in self.words}


def train_classifier(
    pictures: np.ndarray, labels: np.ndarray, *, classes: int, seed: int = 0, epochs: int | None = None
) -> Classifier:
    """Train a classifier, deterministically.

    Args:
        pictures: (N, H, W, C) uint8, C of 1 or 3.
        labels: (N,) integers from 0 to classes - 1; pictures with other labels, such as -1, are left out.
        classes: number of classes.
        seed: of the initial weights, the order of pictures and their augmentation.
        epochs: 16 by default, more for small sets.

    Raises:
        UserError: there is no labelled picture, or only one class.
    """
    labels = np.asarray(labels)
    known = (labels >= 0) & (labels < classes)
    if classes < 2 or len(np.unique(labels[known])) < 2:
        raise UserError(f"a classifier needs pictures of 2 classes, not {len(np.unique(labels[known]))}")
    targets = torch.from_numpy(labels[known].astype(np.int64))
    return train(pictures[known], [targets], [classes], seed, epochs)


def train_factor_classifier(
    pictures: np.ndarray, factors: Mapping[str, Sequence[str]], *, seed: int = 0, epochs: int | None = None
) -> FactorClassifier:
    """Train one network for all factors, given N words of each; other arguments as in `train_classifier`.

    Raises:
        UserError: there are no pictures, or no factors.
    """
    if not len(pictures) or not factors:
        raise UserError("a classifier of factors needs pictures and at least one factor")
    words = {factor: tuple(sorted(set(values))) for factor, values in factors.items()}
    targets = [torch.tensor([words[factor].index(word) for word in values]) for factor, values in factors.items()]
    classifier = train(pictures, targets, [len(each) for each in words.values()], seed, epochs)
    return FactorClassifier(classifier, words)


def train(pictures: np.ndarray, targets: list[Tensor], answers: list[int], seed: int, epochs: int | None) -> Classifier:
    """Train a network on pictures (N, H, W, C) uint8 and the right answers to each question, (N,) int64."""
    # prepare the pictures and choose the number of epochs
    channels, size = pictures.shape[-1], working_size(pictures.shape[1:3])
    x = torch.cat([preprocess(pictures[i : i + 512], channels, size) for i in range(0, len(pictures), 512)])
    steps = -(-len(x) // BATCH)
    epochs = min(SMALL_SET_EPOCHS, max(EPOCHS, -(-SMALL_SET_STEPS // steps))) if epochs is None else epochs

    # train
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = SmallNet(channels, max(size), answers)
        optimizer = torch.optim.AdamW(net.parameters(), lr=PEAK_LEARNING_RATE, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_LEARNING_RATE, total_steps=epochs * steps)
        for _ in range(epochs):
            for rows in torch.randperm(len(x)).split(BATCH):
                logits = net(augment(x[rows]))
                terms = [F.cross_entropy(each, target[rows]) for each, target in zip(logits, targets, strict=True)]
                loss = torch.stack(terms).sum()
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                schedule.step()
    return Classifier(net, channels, size)


def working_size(size: tuple[int, ...]) -> tuple[int, int]:
    """Return the height and width of the network's input for pictures of `size`, px."""
    height, width = size
    scale = min(1.0, MAX_SIDE_PX / max(height, width))
    return round(height * scale), round(width * scale)


def preprocess(pictures: np.ndarray, channels: int, size: tuple[int, int]) -> Tensor:
    """Convert pictures (N, H, W, 1 or 3) uint8 to (N, channels, *size) in [-1, 1]."""
    x = from_uint8(torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2))
    if x.shape[1] != channels:
        x = x.mean(dim=1, keepdim=True).expand(-1, channels, -1, -1)
    if tuple(x.shape[-2:]) != size:
        x = F.interpolate(x, size, mode="bilinear", antialias=True)
    return x.contiguous()


def augment(x: Tensor) -> Tensor:
    """Rotate, zoom and shift each of (B, C, H, W) at random, with edge padding."""
    count = len(x)
    angle = (torch.rand(count) * 2 - 1) * MAX_ROTATION_DEGREES * torch.pi / 180
    scale = 1 + (torch.rand(count) * 2 - 1) * MAX_ZOOM
    shift = (torch.rand(count, 2) * 2 - 1) * 2 * MAX_SHIFT
    cos, sin = angle.cos() * scale, angle.sin() * scale
    rows = torch.stack([cos, -sin, shift[:, 0], sin, cos, shift[:, 1]], dim=1)
    grid = F.affine_grid(rows.view(count, 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)
