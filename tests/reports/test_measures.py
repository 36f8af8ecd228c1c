from translate.evaluation.generation_report import GenerationReport, SampleRow, SetScore
from translate.evaluation.report import KernelScore, Row
from translate.evaluation.translation_report import DirectionScores, TranslationReport
from translate.reports.measures import Measure, measures_of


def test_the_scores_of_the_model_alone_are_taken_from_a_translation():
    rows = [
        Row("untouched input", psnr=9.0),
        Row("this model", psnr=20.0, errors={"psnr": 0.5}, kernels={"DCT": KernelScore(value=5.0, error=1.0)}),
        Row("best weights, of step 70", invented=0.25),
        Row("this model, 3 answers", coverage=0.5),
    ]
    report = TranslationReport({"DCT": "dct-v1"}, [DirectionScores("ab", "x", "y", rows, {}, "test", [])], 0)
    assert measures_of(report) == [
        Measure("x -> y", "kernel distance x 1000, by DCT", 5.0, 1.0),
        Measure("x -> y", "PSNR, dB", 20.0, 0.5),
        Measure("x -> y, best weights", "invented", 0.25),
        Measure("x -> y, 3 answers", "coverage", 0.5),
    ]


def test_an_interval_has_the_confidence_of_95_percent():
    assert Measure("", "x", 10.0, 2.0).interval == (10 - 1.96 * 2, 10 + 1.96 * 2)
    assert Measure("", "x", 10.0).interval is None and Measure("", "x", 0.0, 0.0).interval is None


def test_the_scores_of_samples():
    scores = {"DCT": SetScore(kernel=3.0, kernel_error=None, density=0.9, coverage=0.8)}
    rows = [SampleRow(name=name, count=9, variety=1.0, lattice=None, scores=scores) for name in ("mean", "this model")]
    found = measures_of(GenerationReport(title="discs", features={}, held_out=9, rows=rows, memory={}))
    assert [(measure.name, measure.value) for measure in found] == [
        ("kernel distance x 1000, by DCT", 3.0), ("density, by DCT", 0.9), ("coverage, by DCT", 0.8), ("variety", 1.0),
    ]  # fmt: skip
