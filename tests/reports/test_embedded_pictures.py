import base64
import io

import numpy as np
from PIL import Image

from tests.conftest import picture
from translate.reports.embedded_pictures import PictureBudget


def test_pictures_are_shrunk_and_compressed():
    array = picture(0, 120, 300, sigma=12.0)
    budget = PictureBudget(100_000)
    found = budget.embed(array, "wide", 100)
    kind, data = found.uri.split(",")
    shown = np.array(Image.open(io.BytesIO(base64.b64decode(data))))
    assert kind == "data:image/webp;base64" and shown.shape == (found.height, found.width, 3) == (40, 100, 3)
    reference = np.array(Image.fromarray(array).resize((100, 40), Image.Resampling.BOX))
    assert np.abs(shown.astype(int) - reference).mean() < 6
    assert budget.left == 100_000 - len(data)


def test_pictures_beyond_the_budget_are_left_out_by_name():
    size = PictureBudget(10**6).embed(picture(1), "one", 64)
    budget = PictureBudget(len(size.uri))
    assert budget.embed(picture(1), "one", 64) and budget.embed(picture(1), "two", 64) is None
    assert budget.left_out == ["two"] and budget.left >= 0
