"""Tests of plugins return to the built-in names."""

import sys

import pytest

from translate.networks import DISCRIMINATORS, ENCODERS, GENERATORS, LATENT_DISCRIMINATORS, LATENT_GENERATORS, MASKED
from translate.tasks import TASKS
from translate.tasks.losses.adversarial import GAN_LOSSES, PAIRED_GAN_LOSSES
from translate.utils import plugins

NETWORKS = (DISCRIMINATORS, ENCODERS, GENERATORS, LATENT_DISCRIMINATORS, LATENT_GENERATORS, MASKED)


def forget_plugins():
    """Return to the built-in names, as in a new process; modules of plugins have "plugin" in their names."""
    for registry in (*NETWORKS, TASKS, GAN_LOSSES, PAIRED_GAN_LOSSES):
        for name in [name for name in registry._own if registry.origin(name).plugin]:
            del registry[name]
    plugins.recipes.cache_clear()
    plugins._State.named.clear()
    plugins._State.searched = False
    for name in [name for name in sys.modules if "plugin_" in name or "_plugin" in name]:
        if not name.startswith(("translate", "tests", "_pytest")):
            del sys.modules[name]


@pytest.fixture
def no_plugins(monkeypatch):
    """Forget plugins before and after a test."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    forget_plugins()
    yield
    forget_plugins()
