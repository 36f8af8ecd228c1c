import json

import pytest
import torch

from translate.bench import candidates, training, translation
from translate.bench import scaling as growth
from translate.bench.candidates import CANDIDATES
from translate.bench.channel import serve


class Here:
    """A worker that serves in this very process, and takes the first two of the steps it is asked for."""

    def __init__(self, name, command, spec):
        self.name, self.turns = name, []
        spec = json.loads(json.dumps(spec))
        self.step, facts = CANDIDATES[spec["kind"]](spec)
        if self.step is None:
            self.facts = facts
        else:
            self.device = torch.device(spec["device"])
            serve(self, self.step, self.device, **facts)
            self.facts = self.said[0]

    said = ()

    def say(self, **facts):
        self.said = [*self.said, json.loads(json.dumps(facts))]

    def hear(self):
        return {"steps": 1} if len(self.said) < 3 else None

    @property
    def peak(self):
        return self.said[-1]["peak"]

    def turn(self):
        self.turns.append(1)
        return self.said[1 + len(self.turns) % 2]["seconds"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


@pytest.fixture
def here(monkeypatch):
    """Serve all candidates in this process: what they do is the same, and nothing is imported again and again."""
    for module in (training, translation, growth):
        monkeypatch.setattr(module, "Worker", Here)
    for module in (training, growth):
        monkeypatch.setattr(module, "ask", lambda name, spec: Here(name, [], spec).facts)
    monkeypatch.setattr(candidates, "LOOP", 0.01)
