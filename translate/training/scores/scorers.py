"""The scores of each kind of task on pictures of the choosing half, by the metrics that `evaluate` reports.

Every kind has the kernel distance of answers to real pictures, by DCT features, which nothing has trained; it decides
which weights are best. Beside it stand the distance to the truth where that is known, or the variety of samples.
"""

__all__ = ["SCORERS", "Score", "Scorer", "scorer_of"]

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from translate.images.label_maps import UNLABELLED
from translate.images.tensors import from_uint8, strongest, to_device, to_uint8
from translate.metrics.class_overlap import Overlap, count_classes
from translate.metrics.dct_features import DctFeatures
from translate.metrics.diversity import thumbnail_spread
from translate.metrics.image_sets import array_thumbnails, shrink
from translate.metrics.inpainting import l1_inside
from translate.metrics.kernel_distance import KERNEL_SCALE, KernelDistance, kernel_distance, mean_distance
from translate.metrics.similarity import l1, psnr
from translate.networks.upscale_resnet import Enlarge
from translate.tasks import Task
from translate.tasks.latents import draw_latents, one_hot
from translate.utils.errors import UserError

SEED = 0  # of the subsets of the kernel distance, and of noise that networks draw
AT_ONCE = 8  # pictures in a batch
Pictures = Mapping[str, Tensor]  # by batch key, (n, C, size, size) uint8 or float32 in [-1, 1], on the host
MIN_OF_LABEL, MAX_LABELS = 2, 6  # pictures with and without a label that is scored, and labels
MIN_SPREAD = 1e-6  # avoids division by zero for a set of identical pictures


@dataclass(frozen=True)
class Score:
    """What the choosing half says of a set of weights."""

    distance: KernelDistance  # lower is better; of label maps, 1 - mean IoU on halves of the pictures
    others: Mapping[str, float] = field(default_factory=dict)  # for the reader, by name
    kind: str = "kernel"  # or "iou"

    @property
    def numbers(self) -> dict[str, float]:
        """All numbers, by name, `kind` first; kernel distances times 1000, as `evaluate` reports them."""
        if self.kind == "iou":
            return {"iou": 1 - self.distance.value, "iou_error": self.distance.error, **self.others}
        value, error = (KERNEL_SCALE * number for number in (self.distance.value, self.distance.error))
        return {"kernel": value, "kernel_error": error, **self.others}

    def __str__(self) -> str:
        others = "".join(f", {name} {value:.3g}" for name, value in self.others.items())
        if self.kind == "iou":
            return f"mean IoU {self.numbers['iou']:.3f} ± {self.numbers['iou_error']:.3f}{others}"
        return f"kernel distance {self.numbers['kernel']:.1f} ± {self.numbers['kernel_error']:.1f}{others}"


class Scorer(ABC):
    """Scores networks on pictures of the choosing half.

    Args:
        task: Of the run; only its class is used.
        pictures: Of the choosing half.
        device: Of the networks.
        at_once: Pictures in a batch.
    """

    def __init__(self, task: Task, pictures: Pictures, device: torch.device, at_once: int = AT_ONCE) -> None:
        self.task, self.pictures, self.device, self.at_once = task, pictures, device, at_once
        self.describe = DctFeatures().to(device)

    @torch.no_grad()
    def __call__(self, nets: nn.ModuleDict) -> Score:
        """Score networks in eval mode; no state of theirs, and no random number of a run, depends on it."""
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(SEED)
            return self.score(nets)

    @abstractmethod
    def score(self, nets: nn.ModuleDict) -> Score:
        """Score networks."""

    def batches(self, *keys: str) -> Iterator[dict[str, Tensor]]:
        """Yield the pictures of some batch keys, as far as there are any, in batches on the device."""
        chosen = {key: self.pictures[key] for key in keys if key in self.pictures}
        for start in range(0, len(chosen[keys[0]]), self.at_once):
            yield {key: to_device(x[start : start + self.at_once], self.device) for key, x in chosen.items()}

    def features(self, pictures: Tensor) -> Tensor:
        """Return the features of pictures (n, C, H, W), uint8 or in [-1, 1]: (n, d), on the host."""
        parts = (self.describe(rgb8(x).to(self.device)) for x in pictures.split(self.at_once))
        return torch.cat([part.cpu() for part in parts])


class TranslationScorer(Scorer):
    """Kernel distance of translations to the target, the mean over directions; with pairs also L1, in levels."""

    def __init__(self, task: Task, pictures: Pictures, device: torch.device, at_once: int = AT_ONCE) -> None:
        super().__init__(task, pictures, device, at_once)
        self.targets = {way: self.features(pictures[way[1]]) for way in task.directions}

    def score(self, nets: nn.ModuleDict) -> Score:
        """Translate the pictures in every direction of the task."""
        answers = {way: self.translate(nets, way) for way in self.targets}
        distances = {way: kernel_distance(self.features(x), self.targets[way], seed=SEED) for way, x in answers.items()}
        others: dict[str, float] = {}
        if len(distances) > 1:
            others |= {f"kernel_{way}": KERNEL_SCALE * distance.value for way, distance in distances.items()}
        if self.task.data == "paired":
            others["l1"] = fmean(l1_to_truth(x, self.pictures[way[1]]) for way, x in answers.items())
        return Score(mean_distance(list(distances.values())), others)

    def translate(self, nets: nn.ModuleDict, way: str) -> Tensor:
        """Translate the pictures in the direction `way`: (n, C, size, size) uint8, on the host."""
        parts = (self.task.predict(nets, batch, direction=way) for batch in self.batches(way[0], "hint"))
        return torch.cat([to_uint8(part).cpu() for part in parts])


class LabelMapScorer(Scorer):
    """Mean IoU and pixel accuracy of answered label maps."""

    def score(self, nets: nn.ModuleDict) -> Score:
        """Answer the sources, and compare with the truths, of which unlabelled pixels do not count."""
        truths = self.pictures["b"]
        numbers = strongest(truths)[:, 0].masked_fill(truths.amax(1) == 0, UNLABELLED).numpy()
        answers = [strongest(self.task.predict(nets, batch))[:, 0].cpu().numpy() for batch in self.batches("a")]
        classes = truths.shape[1]
        pairs = zip(np.concatenate(answers), numbers, strict=True)
        overlap = Overlap.of([count_classes(answer, truth, classes) for answer, truth in pairs])
        halves = 1 - np.array(overlap.mean_ious_of_halves(SEED))
        distance = KernelDistance(
            1 - overlap.mean_iou, float(halves.std()), max(1, len(numbers) // 2), tuple(halves.tolist())
        )
        return Score(distance, {"accuracy": overlap.accuracy}, "iou")


class InpaintingScorer(Scorer):
    """Kernel distance of completed pictures to whole ones, and L1 in the hole, in levels."""

    def __init__(self, task: Task, pictures: Pictures, device: torch.device, at_once: int = AT_ONCE) -> None:
        super().__init__(task, pictures, device, at_once)
        self.truths = rgb8(pictures["image"])
        self.targets = self.features(self.truths)

    def score(self, nets: nn.ModuleDict) -> Score:
        """Fill the holes of the pictures."""
        holes = self.pictures["mask"] > 0
        filled = torch.cat([rgb8(self.task.predict(nets, batch)).cpu() for batch in self.batches("image", "mask")])
        completed = torch.where(holes, filled, self.truths)
        results, truths = (x.permute(0, 2, 3, 1).numpy() for x in (completed, self.truths))
        in_hole = fmean(map(l1_inside, results, truths, holes[:, 0].numpy()))
        return Score(kernel_distance(self.features(completed), self.targets, seed=SEED), {"l1_hole": in_hole})


class UpscalingScorer(Scorer):
    """Kernel distance of enlarged pictures to the originals, their PSNR, and its gain on the bicubic enlargement."""

    def __init__(self, task: Task, pictures: Pictures, device: torch.device, at_once: int = AT_ONCE) -> None:
        super().__init__(task, pictures, device, at_once)
        self.truths = rgb8(pictures["image"])
        self.targets = self.features(self.truths)
        enlarge = Enlarge(self.truths.shape[-1] // pictures["small"].shape[-1]).to(device)
        self.bicubic = self.psnr(
            torch.cat([to_uint8(enlarge(batch["small"])).cpu() for batch in self.batches("small")])
        )

    def score(self, nets: nn.ModuleDict) -> Score:
        """Enlarge the pictures."""
        answers = torch.cat([to_uint8(self.task.predict(nets, batch)).cpu() for batch in self.batches("small")])
        found = self.psnr(answers)
        others = {"psnr": found, "psnr_gain": found - self.bicubic}
        return Score(kernel_distance(self.features(answers), self.targets, seed=SEED), others)

    def psnr(self, answers: Tensor) -> float:
        """Return the mean PSNR of answers (n, C, size, size) uint8, dB."""
        return psnr(from_uint8(rgb8(answers)), from_uint8(self.truths)).mean().item()


class LabelScorer(Scorer):
    """Kernel distance of pictures that got a label to those that have it, and of those that lost it to those without.

    The mean over the first labels of which the pictures show enough of either kind; beside it the mean change, in
    levels.
    """

    def __init__(self, task: Task, pictures: Pictures, device: torch.device, at_once: int = AT_ONCE) -> None:
        super().__init__(task, pictures, device, at_once)
        self.key = "classes" if "classes" in pictures else "attributes"
        self.labels, self.targets = pictures[self.key].bool(), self.features(pictures["image"])
        fewer = torch.minimum(self.labels.sum(0), (~self.labels).sum(0))
        self.chosen = torch.nonzero(fewer >= MIN_OF_LABEL)[:, 0].tolist()[:MAX_LABELS]
        if not self.chosen:
            raise UserError("the held-out pictures show too few of every label")

    def score(self, nets: nn.ModuleDict) -> Score:
        """Change the chosen labels of all pictures, one at a time."""
        distances, changes = [], []
        for k in self.chosen:
            answers = torch.cat([to_uint8(self.task.predict(nets, x, z=self.wish(x, k))).cpu() for x in self.batches()])
            changes.append(l1_to_truth(answers, self.pictures["image"]))
            features, has = self.features(answers), self.labels[:, k]
            distances.append(kernel_distance(features[~has], self.targets[has], seed=SEED))
            if self.key == "attributes":
                distances.append(kernel_distance(features[has], self.targets[~has], seed=SEED))
        return Score(mean_distance(distances), {"change": fmean(changes)})

    def batches(self, *keys: str) -> Iterator[dict[str, Tensor]]:
        """Yield pictures and labels in batches on the device."""
        return super().batches("image", self.key)

    def wish(self, batch: Mapping[str, Tensor], k: int) -> Tensor:
        """Return the wishes that change label `k` of every picture, (B, labels); a class is given to all."""
        z = torch.zeros_like(batch[self.key], dtype=torch.float32)
        z[:, k] = 1.0 if self.key == "classes" else 1.0 - 2 * batch[self.key][:, k]
        return z


class GenerationScorer(Scorer):
    """Kernel distance of samples, of classes in turn, to real pictures, and their variety over that of these."""

    def __init__(self, task: Task, pictures: Pictures, device: torch.device, at_once: int = AT_ONCE) -> None:
        super().__init__(task, pictures, device, at_once)
        self.targets, self.spread = self.features(pictures["image"]), spread_of(pictures["image"])

    def score(self, nets: nn.ModuleDict) -> Score:
        """Draw as many samples as there are pictures, from seeds 0, 1, ..."""
        samples = torch.cat([self.draw(nets, range(len(self.targets))[i : i + self.at_once]) for i in self.starts()])
        variety = spread_of(samples) / max(self.spread, MIN_SPREAD)
        return Score(kernel_distance(self.features(samples), self.targets, seed=SEED), {"variety": variety})

    def starts(self) -> range:
        """Return the first seed of every batch."""
        return range(0, len(self.targets), self.at_once)

    def draw(self, nets: nn.ModuleDict, seeds: range) -> Tensor:
        """Draw the samples of `seeds`: (n, 3, size, size) uint8, on the host."""
        G: Any = nets["G"]
        batch = {}
        if G.classes:
            batch["label"] = one_hot(torch.tensor([seed % G.classes for seed in seeds]), G.classes).to(self.device)
        return rgb8(self.task.predict(nets, batch, z=draw_latents(G, seeds).to(self.device))).cpu()


SCORERS: dict[str, type[Scorer]] = {  # by Task.data
    "unpaired": TranslationScorer, "paired": TranslationScorer, "masked": InpaintingScorer, "images": GenerationScorer,
    "reduced": UpscalingScorer, "labelled": LabelScorer,
}  # fmt: skip


def scorer_of(task: Task) -> type[Scorer]:
    """Return the scorer for the answers of a task."""
    return LabelMapScorer if task.answers_classes else SCORERS[task.data]


def rgb8(pictures: Tensor) -> Tensor:
    """Convert gray or RGB (n, C, H, W), uint8 or in [-1, 1], to (n, 3, H, W) uint8."""
    eight_bits = pictures if pictures.dtype == torch.uint8 else to_uint8(pictures)
    return eight_bits.expand(-1, 3, -1, -1)


def l1_to_truth(answers: Tensor, truths: Tensor) -> float:
    """Return the mean L1 distance of answers (n, C, H, W) uint8 to truths, uint8 or in [-1, 1], in levels."""
    return l1(from_uint8(answers), to_device(truths, answers.device)).mean().item()


def spread_of(pictures: Tensor) -> float:
    """Return the spread of pictures (n, C, H, W), as in the report of samples."""
    return thumbnail_spread(array_thumbnails(shrink(rgb8(pictures).permute(0, 2, 3, 1).contiguous().numpy())))
