import json

import pytest
import torch

from translate.bench import candidates, scaling, training, translation
from translate.bench.candidates import CANDIDATES
from translate.bench.channel import serve


class InProcessWorker:
    """A worker that runs its candidate in this process and takes the first two turns only."""

    def __init__(self, name, spec, command=()):
        self.name, self.turns = name, []
        spec = json.loads(json.dumps(spec))
        self.step, facts = CANDIDATES[spec["kind"]](spec)
        if self.step is None:
            self.facts = facts
        else:
            self.device = torch.device(spec["device"])
            serve(self, self.step, self.device, **facts)
            self.facts = self.sent[0]

    sent = ()

    def send(self, **facts):
        self.sent = [*self.sent, json.loads(json.dumps(facts))]

    def receive(self):
        return {"steps": 1} if len(self.sent) < 3 else None

    @property
    def peak(self):
        return self.sent[-1]["peak"]

    def take_turn(self):
        self.turns.append(1)
        return self.sent[1 + len(self.turns) % 2]["seconds"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


@pytest.fixture
def in_process(monkeypatch):
    """Run all candidates in this process, which saves the imports of new ones."""
    for module in (training, translation, scaling):
        monkeypatch.setattr(module, "Worker", InProcessWorker)
    for module in (training, scaling):
        monkeypatch.setattr(module, "fetch_facts", lambda name, spec: InProcessWorker(name, spec).facts)
    monkeypatch.setattr(candidates, "LOOP_S", 0.01)
