import json
import logging
from dataclasses import replace

import onnx
import pytest

from translate.export import run

logging.getLogger("torch.__trace").propagate = False  # pytest would format a record of every step of the tracer

BUILT = {}  # graphs by the JSON of their recipes, as bytes: tracing a network takes ten seconds


@pytest.fixture(autouse=True)
def each_network_is_traced_once(monkeypatch):
    """Give what has been built of a network to the next export of the same network, as a copy."""
    build = run.build_onnx

    def build_once(graph, recipe):
        key = json.dumps(replace(recipe, precision="").to_json())
        if key not in BUILT:
            BUILT[key] = build(graph, recipe).SerializeToString()
        return onnx.load_model_from_string(BUILT[key])

    monkeypatch.setattr(run, "build_onnx", build_once)
