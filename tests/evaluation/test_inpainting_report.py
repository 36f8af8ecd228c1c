import io
import json

from rich.console import Console

from translate.evaluation.inpainting_report import BandScores, InpaintingReport
from translate.evaluation.report import KernelScore, Row


def scores(**changed) -> InpaintingReport:
    kernels = {"DCT": KernelScore(value=-0.1, error=0.4)}
    bands = [
        BandScores(low=0.01, high=0.2, area=0.11, rows=[Row("this model", l1=12.34, psnr=20.5, seam=1.25)]),
        BandScores(low=0.2, high=0.4, area=0.3, rows=[Row("floor", kernels=kernels)], apart=3.21),
    ]
    options = {"title": "[photos]", "pictures": 9, "others": 50, "size": 64, "features": {"DCT": "dct-v1"}, "seed": 0}
    return InpaintingReport(**options | {"bands": bands, "remarks": ["2 unreadable files were left out"]} | changed)


def printed(found: InpaintingReport) -> str:
    console = Console(width=132, file=io.StringIO(), record=True)
    console.print(found.table())
    return console.export_text()


def test_the_table_has_a_section_for_each_size_of_hole():
    text = printed(scores())
    for word in (
        "holes up to 20 %",
        "holes of 20 to 40 %",
        "12.3",
        "20.50",
        "1.25",
        "-0.1 ± 0.4",
        "distance,",
        "kernel distance x 1000: lower",
    ):
        assert word in text
    assert "9 test pictures of [photos], 64 px, against themselves" in text
    assert "11 %, 30 % of it on average" in text
    assert "holes of 20 to 40 %: the answers to one hole are 3.2 levels apart" in text
    assert "2 unreadable files" in text and "inside the hole" in text
    assert "SSIM" not in text.partition("kernel distance x")[0]  # no row has one


def test_the_dictionary_is_ready_for_json():
    found = scores().to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["bands"][0]["rows"][0].keys() == {"name", "l1", "psnr", "kernels", "seam"}
    assert (found["bands"][1]["low"], found["bands"][1]["high"], found["bands"][1]["apart"]) == (0.2, 0.4, 3.21)
