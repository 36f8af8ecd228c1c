import numpy as np
import pytest

from tests.conftest import picture
from translate.evaluation.panel import Panel
from translate.evaluation.report import MIN_TRUSTED
from translate.evaluation.tally import Tally


def test_means_have_standard_errors_where_they_can_be_trusted():
    tally, targets = Tally(Panel()), Tally(Panel())
    values = np.random.default_rng(0).normal(20, 3, MIN_TRUSTED).tolist()
    for i, value in enumerate(values):
        tally.add(picture(i), psnr=value, l1=1.0 if i else None)
        targets.add(picture(100 + i))
    row = tally.row("mine", targets.all_features())
    assert row.psnr == pytest.approx(np.mean(values))
    assert row.errors == {"psnr": pytest.approx(np.std(values, ddof=1) / MIN_TRUSTED**0.5)}  # one l1 is missing
