"""Distillation: a student learns to give the answers of a teacher, which is any trained model of translation.

Hinton et al., 2015, https://arxiv.org/abs/1503.02531, on pictures. No truth is needed: the teacher answers any picture.
"""

__all__ = ["Distill", "DistillImages", "DistillPairs", "Teacher"]

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.features.load import load_features
from translate.tasks.base import Batch, Task, run_seeded
from translate.tasks.hint_planes import generator_input
from translate.tasks.losses.perceptual import feature_loss
from translate.utils import dist
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import Factory, options_of, spec_of

BLENDED = 0.5  # of the style codes are mixtures of two, as users blend looks
JITTER = 0.1  # of the spread of the codes: the noise with which seeds draw them
EVERY = 4  # pictures of a batch, of which the features see one: they cost more than student and teacher together
KINDS = ("unpaired", "paired")  # of tasks whose models can teach
DEEDS = {"masked": "fills holes", "reduced": "enlarges pictures", "labelled": "changes labels"}  # of other models
MAKES = "generates pictures"  # what all further ones do


class Teacher:
    """A trained model of translation, frozen.

    It is no module, so neither its weights nor its device belong to the task that uses it: no state, model file or
    optimizer has them.
    """

    def __init__(
        self, task: type[Task], nets: nn.ModuleDict, channels: Mapping[str, int], directions: Sequence[str], name: str
    ) -> None:
        """Keep the networks of a model.

        Args:
            task: Class of its task.
            nets: By name.
            channels: Of its pictures, by key of a batch.
            directions: That it translates in, the default first.
            name: In messages.

        Raises:
            UserError: The model does not translate.
        """
        if task.data not in KINDS:
            raise UserError(f"{name}: {DEEDS.get(task.data, MAKES)}; students are taught by models that translate")
        self.task, self.nets = task, nets.eval().requires_grad_(False)
        self.channels, self.directions, self.name = dict(channels), tuple(directions), name
        self._device = torch.device("cpu")
        # the names of the networks that translate, by direction; pairs are reversed before, not by the network
        ways = ("ab", "ba") if task.data == "paired" else self.directions
        used = {way: task.generator_for(self.nets, way, None, None)[0] for way in ways}
        self.generators = {way: next(name for name, net in self.nets.items() if net is G) for way, G in used.items()}

    @torch.no_grad()
    def __call__(self, source: Tensor, direction: str, z: Tensor | None) -> Tensor:
        """Translate the input of a generator (B, C, H, W), with the codes z (B, z_dim) if any: (B, C', H, W).

        Answers lie in [-1, 1]. Noise and dropout are drawn from torch's global generator.
        """
        if source.device != self._device:
            self.nets.to(source.device)
            self._device = source.device
        G = self.nets[self.generators[direction]]
        return (G(source) if z is None else G(source, z)).float().clamp(-1, 1)

    def __deepcopy__(self, memo: Any) -> "Teacher":
        return self  # nothing in it ever changes


class Distill(Task):
    """The generators of the teacher, each made smaller; other networks, such as the encoder of looks, are copies.

    L = lambda_picture (|G(a, z) - T(a, z)| + |edges of G(a, z) - edges of T(a, z)|) + lambda_features (distance of
    pretrained features), for each direction of the teacher T. The codes z are those that seeds draw, and mixtures of
    them; of a teacher with a strength, z is uniform. The student of a teacher with dropout answers once for a picture.

    With `one_way` only the default direction is taught. `speedup` records what the generator was searched for.
    """

    data = "unpaired"
    taught = True
    discriminators = None
    phases: dict[str, tuple[str, ...]] = {"G": ()}
    exports: tuple[str, ...] = ()
    run_suffix = "_student"
    remedies = {}

    def __init__(
        self,
        generator: Factory,
        channels: Mapping[str, int],
        *,
        teacher: Any = "",
        one_way: bool = False,
        speedup: float = 0.0,
        lambda_picture: float = 10.0,
        lambda_features: float = 1.0,
        features: str = "auto",
    ) -> None:
        super().__init__()
        if not isinstance(teacher, Teacher):
            raise OptionError("a student needs a teacher: --method.teacher RUN, the folder or file of a trained model")
        # the directions, and the pictures for them
        self.teacher, self.directions = teacher, self._choose_directions(teacher, one_way)
        self._check_channels(channels)
        self.strength = teacher.task.strength
        # the networks
        taught = [teacher.generators[way] for way in self.directions]
        for name in taught:
            self.add_module(name, self._make_student(generator, teacher.nets[name]))
        kept = [name for name in teacher.nets if not name.startswith("G")]
        for name in kept:
            self.add_module(name, copy.deepcopy(teacher.nets[name]).requires_grad_(True))
        self.exports, self.phases = (*taught, *kept), {"G": tuple(taught)}
        if any(getattr(teacher.nets[name], "random", False) and not _z_dim(teacher.nets[name]) for name in taught):
            self.notes = ("the teacher draws noise for each answer, and the student learns their middle: one answer",)
        # the losses
        self.lambda_picture, self.lambda_features = lambda_picture, lambda_features
        self.features = load_features(features) if lambda_features else None

    def _choose_directions(self, teacher: Teacher, one_way: bool) -> tuple[str, ...]:
        return teacher.directions[:1] if one_way else teacher.directions

    def _check_channels(self, channels: Mapping[str, int]) -> None:
        """Raise UserError if the pictures are others than the teacher's."""
        wanted = self.teacher.channels
        if channels != wanted:
            words = ["{} {}".format(" and ".join(map(str, c.values())), "channels") for c in (wanted, channels)]
            raise UserError(f"{self.teacher.name}: learned from pictures of {words[0]}, and these have {words[1]}")

    @staticmethod
    def _make_student(generator: Factory, teacher: nn.Module) -> nn.Module:
        """Build the smaller network in the place of `teacher`."""
        spec, known = spec_of(teacher), options_of(generator.function)
        fixed: dict[str, Any] = {name: spec[name] for name in ("in_channels", "out_channels") if name in spec}
        if z_dim := _z_dim(teacher):
            if "z_dim" not in known:
                raise OptionError(f"generator {generator.name!r} takes no z, and the teacher does; say compact_resnet")
            fixed["z_dim"] = z_dim
        return generator(**fixed)

    def forward(self, batch: Batch) -> Batch:
        """Let the teacher and the student translate the pictures, in every direction."""
        x = dict(batch)
        for way in self.directions:
            source = self._source(batch, way)
            z = self._draw_codes(len(source), source.device)
            G = self.get_submodule(self.teacher.generators[way])
            x[f"truth_{way}"] = self.teacher(source, way, z)
            x[f"answer_{way}"] = G(source) if z is None else G(source, z)
        return x

    def _source(self, batch: Batch, way: str) -> Tensor:
        """Return the input of the generator of a direction."""
        return batch[way[0]]

    def _draw_codes(self, count: int, device: torch.device) -> Tensor | None:
        """Draw the codes or the strengths of `count` pictures, (count, z_dim); None for a teacher without."""
        if self.strength is not None:
            return dist.draw_local_rows(lambda n: torch.rand(n, 1, device=device), count)
        if "E" not in self.exports:
            return None
        looks: Tensor = self.get_buffer("E.looks")

        def draw(n: int) -> Tensor:
            one, other = looks[torch.randint(len(looks), (2, n), device=device)]
            share = torch.rand(n, 1, device=device) * (torch.rand(n, 1, device=device) < BLENDED)
            return torch.lerp(one, other, share) + JITTER * looks.std(0) * torch.randn_like(one)

        return dist.draw_local_rows(draw, count)

    def losses(self, phase: str, x: Batch) -> dict[str, Tensor]:
        """Return the terms of the class docstring."""
        terms = {}
        for way in self.directions:
            answer, truth = x[f"answer_{way}"], x[f"truth_{way}"]
            terms[f"picture_{way}"] = self.lambda_picture * F.l1_loss(answer, truth)
            terms[f"edges_{way}"] = self.lambda_picture * edge_distance(answer, truth)
            if self.features is not None:
                distance = feature_loss(self.features, answer[::EVERY], truth[::EVERY])
                terms[f"features_{way}"] = self.lambda_features * distance
        return terms

    def predict(self, nets: nn.ModuleDict, batch: Batch, **options: Any) -> Tensor:  # type: ignore[override]
        """Translate as the teacher's task does, with the networks of the student."""
        return self.teacher.task.predict(nets, batch, **options)

    def preview(self, nets: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:  # type: ignore[override]
        """Return, for each direction, the sources, the teacher's answers and the student's, with the default z."""
        rows = {}
        for way in self.directions:
            source, title = self._source(batch, way), " to ".join(way)
            G, z = self.teacher.task.generator_for(nets, way, None, None)
            z = None if z is None else z.to(source).expand(len(source), -1)
            rows[way[0]] = batch.get(way[0], source)
            rows[f"{title}, teacher"] = self.teacher(source, way, z)
            rows[f"{title}, student"] = run_seeded(G, source, z, 0)
        return {name: row.expand(-1, 3, -1, -1) if row.shape[1] == 1 else row for name, row in rows.items()}


class DistillPairs(Distill):
    """`Distill` from the sources of pairs, with the hints of a teacher that takes them."""

    data = "paired"

    def _choose_directions(self, teacher: Teacher, one_way: bool) -> tuple[str, ...]:
        return ("ab",)  # of pairs that are reversed already if the teacher wants them so

    def _source(self, batch: Batch, way: str) -> Tensor:
        return generator_input(batch)


class DistillImages(Distill):
    """`Distill` from single pictures, for the default direction of the teacher."""

    data = "images"

    def _choose_directions(self, teacher: Teacher, one_way: bool) -> tuple[str, ...]:
        if "hint" in teacher.channels:
            raise UserError(f"{teacher.name}: takes hints, whose colours come from pairs; give --data, not --images")
        return teacher.directions[:1]

    def _check_channels(self, channels: Mapping[str, int]) -> None:
        """Raise UserError if the teacher's sources are neither gray nor RGB."""
        [way] = self.directions
        self.channels = self.teacher.channels[way[0] if self.teacher.task.data == "unpaired" else "a"]
        if self.channels not in (1, 3):
            raise UserError(f"{self.teacher.name}: has sources of {self.channels} channels; give them as --a and --b")

    def _source(self, batch: Batch, way: str) -> Tensor:
        """Return the pictures, gray or RGB as the teacher wants them."""
        x = batch["image"]
        return x.mean(1, keepdim=True) if self.channels == 1 else x.expand(-1, 3, -1, -1)


def _z_dim(net: nn.Module) -> int:
    return int(getattr(net, "z_dim", 0))


def edge_distance(one: Tensor, other: Tensor) -> Tensor:
    """Return the mean distance of the differences between neighbouring pixels of pictures (B, C, H, W)."""
    difference = one - other
    return difference.diff(dim=2).abs().mean() + difference.diff(dim=3).abs().mean()
