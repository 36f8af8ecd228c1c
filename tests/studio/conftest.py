import pytest

from tests.studio.studios import client, save_model, sketches, unpaired


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Return a folder of runs: two models."""
    root = tmp_path_factory.mktemp("runs")
    save_model(root / "monet", *unpaired())
    save_model(root / "shoes", *sketches())
    return root


@pytest.fixture
def studio(runs):
    """Return a client of a studio on `runs`, a page of the same origin."""
    with client(roots=(runs,)) as opened:
        yield opened
