import io
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from rich.console import Console

from translate.data.sources.pair import Pair, read_pair
from translate.data.sources.pair_set import PairSet, resolve_pairs
from translate.evaluation.paired import MAX_REPEATED, PairedEvaluation
from translate.metrics.similarity import MAX_PSNR
from translate.utils.errors import OptionError, UserError

MEAN, NEAREST, MODEL = "mean training image", "nearest training source's photo", "this model"
MANY, OTHER, FLOOR = "this model, 16 answers", "another right answer", "other real pictures (floor)"
UNTOUCHED = "untouched input"
LOOKS = [(30, 30, 200), (200, 30, 30), (30, 160, 30), (230, 200, 40)]  # of one part, the disc
SIZE = 64


def place(scene: int) -> tuple[tuple[int, int], int]:
    rng = np.random.default_rng(scene)
    return tuple(rng.integers(22, 42, 2).tolist()), int(rng.integers(10, 20))


def sketch(scene: int) -> np.ndarray:
    page = np.full((SIZE, SIZE, 3), 255, np.uint8)
    return cv2.circle(page, *place(scene), (0, 0, 0), 2, cv2.LINE_AA)


def photo(scene: int, colour: tuple[int, int, int]) -> np.ndarray:
    page = np.full((SIZE, SIZE, 3), 250, np.uint8)
    return cv2.circle(page, *place(scene), colour, -1, cv2.LINE_AA)


def save(path, picture) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture[..., ::-1] if picture.ndim == 3 else picture)


@pytest.fixture
def root(tmp_path):
    """Discs: 12 pairs to train on, 6 to test on with 4 right answers each."""
    for i in range(12):
        save(tmp_path / "discs" / "trainA" / f"{i}.png", sketch(i)[..., 0])
        save(tmp_path / "discs" / "trainB" / f"{i}.png", photo(i, LOOKS[i % 4]))
    for i in range(6):
        save(tmp_path / "discs" / "testA" / f"{i}.png", sketch(100 + i)[..., 0])
        save(tmp_path / "discs" / "testB" / f"{i}.png", photo(100 + i, LOOKS[0]))
        for k, colour in enumerate(LOOKS):
            save(tmp_path / "discs" / "truth" / "A" / f"{i}" / f"{k}.png", photo(100 + i, colour))
        save(tmp_path / "discs" / "truth" / "parts" / f"{i}.png", (sketch(100 + i)[..., 0] * 0))
        parts = np.zeros((SIZE, SIZE), np.uint8)
        centre, radius = place(100 + i)
        save(tmp_path / "discs" / "truth" / "parts" / f"{i}.png", cv2.circle(parts, centre, radius - 2, 1, -1))
    return tmp_path / "discs"


@pytest.fixture
def pairs(root) -> PairSet:
    return resolve_pairs("", "", str(root), root.parent)


def scene_of(source: np.ndarray) -> int:
    return next(s for s in range(100, 106) if np.array_equal(sketch(s), source))


class Painter:
    """Knows the test scenes, and colours them from its palette; the first colour is its one answer."""

    def __init__(self, palette=LOOKS, random=True):
        self.palette, self.random, self.asked = palette, random, []

    def __call__(self, source, count=None, seed=None):
        assert source.dtype == np.uint8 and source.shape == (SIZE, SIZE, 3)
        scene = scene_of(source)
        self.asked.append((scene, count, seed))
        if count is None:
            return photo(scene, self.palette[0])
        return [photo(scene, self.palette[i % len(self.palette)]) for i in range(count)]


def score(translator, pairs, **options):
    scores = PairedEvaluation(translator, pairs, **options).run(progress=False)
    return {row.name: row for row in scores.directions[0].rows}, scores


def test_the_right_answers_get_full_marks(pairs):
    painter = Painter()
    rows, _ = score(painter, pairs)
    assert list(rows) == [UNTOUCHED, MEAN, NEAREST, MODEL, MANY, OTHER, FLOOR]
    model, many = rows[MODEL], rows[MANY]
    assert (model.l1, model.psnr) == (0, MAX_PSNR) and model.ssim > 0.99
    assert model.edge_f1 > 0.95
    assert (model.coverage, model.precision, model.diversity) == (0.25, 1, None)
    assert (many.coverage, many.precision) == (1, 1)
    assert many.diversity == pytest.approx(0.8)  # 16 answers in 4 colours: a fifth of the couples look the same
    assert many.edge_f1 > 0.95 and many.kernels["DCT"].value < rows[MEAN].kernels["DCT"].value and many.l1 is None
    asked = {(count, seed) for _, count, seed in painter.asked}
    assert asked == {(None, None), (16, 0), *((1, k) for k in range(len(pairs.test)))}  # to each source another look


def test_another_right_answer_shows_what_pixels_cannot_judge(pairs):
    rows, _ = score(Painter(), pairs)
    other = rows[OTHER]
    assert other.l1 > 10 and other.psnr < 25 and other.edge_f1 > 0.95
    assert (other.coverage, other.precision, other.diversity) == (0, 0, 1)  # these four are far apart


def test_baselines_lose_where_they_should(pairs):
    rows, _ = score(Painter(), pairs)
    assert rows[MODEL].kernels["DCT"].value < rows[MEAN].kernels["DCT"].value
    for name in (MEAN, NEAREST):
        assert rows[name].l1 > 1 and rows[name].edge_f1 < rows[MODEL].edge_f1
    assert rows[FLOOR].psnr is None and rows[FLOOR].kernels != {}


def test_the_nearest_training_photo_is_that_of_the_nearest_sketch(pairs):
    train = replace(pairs, train=[replace(pair, name=f"t{pair.name}") for pair in pairs.test] + pairs.train)
    rows, _ = score(Painter(), train)
    assert rows[NEAREST].l1 == 0


def test_a_wrong_palette_is_seen(pairs):
    rows, _ = score(Painter([(120, 120, 120), (125, 118, 120)]), pairs)
    assert (rows[MANY].coverage, rows[MANY].precision) == (0, 0)
    assert rows[MANY].diversity < 0.1 and rows[MANY].edge_f1 > 0.95


def test_a_model_of_one_answer_has_no_row_of_many(pairs):
    painter = Painter(random=False)
    rows, scores = score(painter, pairs)
    assert MANY not in rows and rows[MODEL].coverage == 0.25
    assert all(count is None for _, count, _ in painter.asked)
    assert scores.directions[0].counts["looks"] == 0


def test_count_and_limit(pairs):
    painter = Painter()
    rows, scores = score(painter, pairs, count=2, limit=3)
    assert rows["this model, 2 answers"].coverage == 0.5
    assert scores.directions[0].counts["pictures"] == 3
    assert [scene for scene, count, _ in painter.asked if count is None] == [100, 102, 104]
    assert MAX_REPEATED == 50
    for wrong in ({"count": 0}, {"limit": 0}, {"count": -1}):
        with pytest.raises(OptionError, match=f"--{next(iter(wrong))}"):
            score(painter, pairs, **wrong)


def test_without_known_answers_there_is_no_coverage(pairs):
    rows, scores = score(Painter(), replace(pairs, truth=None))
    assert list(rows) == [UNTOUCHED, MEAN, NEAREST, MODEL, MANY, FLOOR]
    assert rows[MODEL].coverage is None and rows[MODEL].l1 == 0
    assert rows[MANY].kernels != {} and rows[MANY].coverage is None
    assert any("no coverage" in note for note in scores.directions[0].notes)
    assert "coverage" not in printed(scores).partition("kernel distance x")[0]


def test_sources_that_are_no_drawings_are_compared_by_the_target(root):
    pairs = resolve_pairs("", "", str(root), root.parent, "ba")
    painted = {read_pair(pair)[0].tobytes(): read_pair(pair)[1] for pair in pairs.test}
    rows, scores = score(lambda source: painted[source.tobytes()], pairs)
    assert rows[MODEL].edge_f1 == 1 and rows[MODEL].l1 == 0
    assert any("drawn after the right answers" in note for note in scores.directions[0].notes)
    assert (scores.directions[0].direction, scores.directions[0].source) == ("ba", "discsB")


def printed(scores) -> str:
    console = Console(width=150, file=io.StringIO(), record=True)
    console.print(scores.table())
    return console.export_text()


def test_table_and_json(pairs):
    _, scores = score(Painter(), pairs)
    text = printed(scores)
    for word in ("L1", "PSNR", "SSIM", "kernel distance x 1000", "edge F1", "coverage", "diversity", MANY, OTHER):
        assert word in text
    assert "discsA -> discsB: 6 test pictures, against 6 test pictures of discsB" in text
    narrow = Console(width=100, file=io.StringIO(), record=True)
    narrow.print(scores.table())
    assert "…" not in narrow.export_text()
    assert "compared with the sketches" in text and "16 answers each to 6 sketches" in text
    found = scores.to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert "hint" not in found["directions"][0]["rows"][0]
    _, bare = score(Painter(), replace(pairs, truth=None))
    assert "coverage" not in bare.to_dict()["directions"][0]["rows"][0]


def test_what_cannot_be_read_is_left_out(pairs):
    pairs.test[0].b.write_text("no picture")
    save(pairs.test[1].b, np.zeros((64, 20, 3), np.uint8))
    _, scores = score(Painter(), pairs)
    assert scores.directions[0].counts["pictures"] == 4
    assert scores.directions[0].counts["unreadable"] == 2
    for pair in pairs.test:
        pair.a.write_text("no picture")
    with pytest.raises(UserError, match="none of the 6 test pairs"):
        score(Painter(), pairs)


def test_what_the_model_refuses_is_counted(pairs):
    def choosy(source):
        if scene_of(source) == 101:
            raise UserError("1.png: is empty")
        return photo(scene_of(source), LOOKS[0])

    rows, scores = score(choosy, pairs)
    assert scores.directions[0].counts["pictures"] == 5 and rows[MODEL].l1 == 0
    assert any("1 were refused" in note and "is empty" in note for note in scores.directions[0].notes)


def test_no_test_pairs_or_no_training_pairs(pairs):
    with pytest.raises(UserError, match="discs has too few pairs to hold any out"):
        score(Painter(), replace(pairs, test=[]))
    rows, scores = score(Painter(), replace(pairs, train=[]))
    assert list(rows) == [UNTOUCHED, MODEL, MANY, OTHER]
    assert any("no training pairs" in note for note in scores.directions[0].notes)


def test_combined_pictures(pairs, tmp_path):
    combined = []
    for pair in pairs.test:
        path = tmp_path / "both" / f"{pair.name}.png"
        save(path, np.hstack(read_pair(pair)))
        combined.append(Pair(pair.name, path, path))
    assert score(Painter(), replace(pairs, test=combined))[0][MODEL].l1 == 0


def test_the_sheet_shows_sources_answers_and_truths(pairs):
    sheet = PairedEvaluation(Painter([LOOKS[1]]), pairs).grid(columns=2)
    assert sheet.shape == (7 * 66 - 2, 2 * 66 - 2, 3)  # source, answer, 4 random answers, truth
    np.testing.assert_array_equal(sheet[:64, :64], sketch(100))
    np.testing.assert_array_equal(sheet[66:130, 66:], photo(103, LOOKS[1]))
    np.testing.assert_array_equal(sheet[-64:, :64], photo(100, LOOKS[0]))
    assert PairedEvaluation(Painter(random=False), pairs).grid(columns=2).shape == (3 * 66 - 2, 2 * 66 - 2, 3)
    with pytest.raises(UserError, match="no readable test pairs"):
        PairedEvaluation(Painter(), replace(pairs, test=[])).grid()
