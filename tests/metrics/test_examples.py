import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest
import torch

import translate.metrics

MODULES = sorted(path.stem for path in Path(translate.metrics.__file__).parent.glob("[a-z]*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_right(name):
    module = importlib.import_module(f"translate.metrics.{name}")
    assert not doctest.testmod(module, extraglobs={"np": np, "torch": torch}).failed
