"""The mode of a model's networks: given, or chosen on the first use and remembered in the user's cache folder.

The same model then computes the same bits at every start, whatever else the machine does meanwhile.
"""

__all__ = ["ModeChoice", "model_question"]

import threading
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from translate.checkpoints.model_hash import model_hash
from translate.checkpoints.recipe import Recipe
from translate.inference.precision import Mode, apply_mode
from translate.utils import memory, user_cache

KIND = "inference"


def model_question(recipe: Recipe, nets: nn.ModuleDict, device: torch.device) -> dict[str, Any]:
    """Return all that the choice depends on: machine, model, and size of its pictures."""
    return user_cache.machine(device) | {
        "model": model_hash(recipe, nets), "size": recipe.size,
    }  # fmt: skip


class ModeChoice:
    """Networks in a mode that is chosen when it is first needed; thread-safe.

    Attributes:
        loaded: the networks in fp32.
        note: one line on the choice, once it is made; "" if nothing was measured.
        on_choice: called with `note` when the choice is made.
    """

    def __init__(
        self, loaded: nn.ModuleDict, given: Mode | None, pick: Callable[[], tuple[Mode, str]] | None = None,
        question: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:  # fmt: skip
        """Use the mode that is `given`; None: the one remembered for `question`, or else that of `pick`."""
        self.loaded, self.note = loaded, ""
        self.on_choice: Callable[[str], None] = lambda note: None
        self._given, self._pick, self._question = given, pick, question
        self._threads = torch.get_num_threads()
        self._lock = threading.Lock()
        self._made: tuple[Mode, nn.ModuleDict] | None = None

    @property
    def known(self) -> Mode | None:
        """The mode that is given or chosen already, if any."""
        return self._made[0] if self._made else self._given

    @property
    def mode(self) -> Mode:
        """The mode, chosen now if need be."""
        return self._make()[0]

    @property
    def nets(self) -> nn.ModuleDict:
        """The networks in this mode."""
        return self._make()[1]

    def is_settled(self, mode: Mode) -> bool:
        """Whether it is known without a trial that the networks are in `mode`."""
        return mode == (self._made[0] if self._made else self._given)

    def _make(self) -> tuple[Mode, nn.ModuleDict]:
        with self._lock:
            if self._made is None:
                mode = self._given or self._choose()
                self._made = mode, apply_mode(self.loaded, mode)
            return self._made

    def _choose(self) -> Mode:
        """Recall the choice of an earlier start, or time the modes, on as many cores as when the model was loaded."""
        threads = torch.get_num_threads()
        torch.set_num_threads(self._threads)
        try:
            question = self._question()
            known = _recall(question)
            fact = known or self._time(question)
        finally:
            torch.set_num_threads(threads)
        self.note = f"{fact['tried']} ({user_cache.origin(KIND, question, known)})"
        self.on_choice(self.note)
        return Mode(*fact["mode"])

    def _time(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Time the modes, and remember the outcome, unless another process was faster: then return its outcome."""
        assert self._pick is not None
        mode, tried = self._pick()
        memory.release_freed()  # the first picture is measured against what this process holds
        fact = {"mode": [*mode], "tried": tried}
        return _recall(question) or user_cache.remember_trial(KIND, question, fact)


def _recall(question: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what is remembered, if it holds a mode and its reason."""
    known = user_cache.recall(KIND, question)
    match known:
        case {"mode": ["fp32" | "bf16", bool()], "tried": str()}:
            return known
    return None
