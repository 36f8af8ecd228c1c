import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from rich.console import Console

from tests.campaigns.folder_runs import tiny_model
from translate.checkpoints.model_file import export_model, load_model
from translate.checkpoints.recipe import Recipe
from translate.data.sources.domains import Domain, resolve_domains
from translate.evaluation.evaluation import EvaluationOptions
from translate.evaluation.panel import Panel
from translate.evaluation.registry import load_evaluation
from translate.evaluation.unpaired import UnpairedEvaluation
from translate.images.io import read_rgb8
from translate.metrics.dct_features import DctFeatures
from translate.metrics.similarity import MAX_PSNR
from translate.networks import EXPORTABLE
from translate.synthetic import render
from translate.utils.errors import OptionError, UserError
from translate.utils.factory import Factory

UNTOUCHED, COLOUR, MODEL = "untouched input", "colour transfer", "this model"
FLOOR = "other real pictures (floor)"


def scene(seed: int, size: tuple[int, int]) -> np.ndarray:
    """A coarse pattern with some grain: (H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(60, 180, (size[0] // 8 + 1, size[1] // 8 + 1, 3)).repeat(8, 0).repeat(8, 1)
    return (coarse[: size[0], : size[1]] + rng.integers(0, 30, (*size, 3))).astype(np.uint8)


def painted(picture: np.ndarray) -> np.ndarray:
    return (255 - cv2.blur(picture, (5, 5))) // 2 + np.array([90, 40, 0], np.uint8)


def save(folder: Path, index: int, picture: np.ndarray) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{index:03d}.png"
    cv2.imwrite(str(path), picture[..., ::-1])
    return path


@pytest.fixture
def domains(tmp_path: Path) -> tuple[Domain, Domain]:
    """24 test photos of mixed sizes with their truth, and 24 other paintings each to train and to test."""
    sizes = [(24, 32), (32, 24), (19, 21)]
    photos = [scene(i, sizes[i % 3]) for i in range(24)]
    test_a = [save(tmp_path / "testA", i, x) for i, x in enumerate(photos)]
    for i, x in enumerate(photos):
        save(tmp_path / "truth" / "A", i, painted(x))
    sets = {}
    for name, start in (("trainB", 100), ("testB", 200)):
        sets[name] = [save(tmp_path / name, i, painted(scene(start + i, sizes[i % 3]))) for i in range(24)]
    a = Domain("photos", test_a, test_a, tmp_path / "truth" / "A")
    return a, Domain("monet", sets["trainB"], sets["testB"])


def model_is_truth(picture: np.ndarray, direction: str) -> np.ndarray:
    return painted(picture) if direction == "ab" else picture


def evaluate(translator, a, b, limit=None):
    return UnpairedEvaluation(translator, a, b, limit=limit).run(progress=False)


def rows(scores, direction: int = 0) -> dict:
    return {row.name: row for row in scores.directions[direction].rows}


def test_the_truth_beats_both_baselines_and_reaches_the_floor(domains):
    found = rows(evaluate(model_is_truth, *domains))
    assert list(found) == [UNTOUCHED, COLOUR, MODEL, FLOOR]
    assert found[MODEL].psnr == MAX_PSNR and found[MODEL].ssim == pytest.approx(1)
    for name in (MODEL, FLOOR):
        assert (
            abs(found[name].kernels["DCT"].value)
            < 3 * found[name].kernels["DCT"].error
            < found[COLOUR].kernels["DCT"].value / 3
        )
    assert found[COLOUR].kernels["DCT"].value < found[UNTOUCHED].kernels["DCT"].value
    assert found[UNTOUCHED].psnr < found[COLOUR].psnr < 60
    assert found[FLOOR].psnr is None and found[FLOOR].ssim is None


def test_the_identity_gets_the_numbers_of_the_untouched_input(domains):
    scores = evaluate(lambda picture, direction: picture, *domains)
    for direction in (0, 1):
        found = rows(scores, direction)
        assert vars(found[MODEL]) == vars(found[UNTOUCHED]) | {"name": MODEL}


class Colours:
    title, version = "Colour-Network-1", "mean colours"

    def __call__(self, pictures):
        return pictures.mean((2, 3))


@pytest.mark.parametrize(("translator", "better"), [(lambda x, direction: x, False), (model_is_truth, True)])
def test_only_what_beats_the_untouched_input_is_called_better(domains, translator, better):
    a, b = domains
    panel = Panel([DctFeatures(), Colours()])
    scores = UnpairedEvaluation(translator, a, b, directions=("ab",), panel=panel).run(progress=False)
    found = rows(scores)
    assert found[MODEL].better is better and found[UNTOUCHED].better is found[FLOOR].better is None
    assert found[MODEL].near_copies == 1 - better and found[UNTOUCHED].near_copies == 1
    words = "this model is nearer to monet" if better else "this model is NOT better than the untouched input"
    assert any(note.startswith(words) for note in scores.directions[0].notes)
    text = printed(scores)
    assert f"photos -> monet: {words}" in " ".join(text.split())
    assert "lattice of these 24 real pictures" in text and max(map(len, text.splitlines())) <= 100
    assert scores.to_dict()["directions"][0]["rows"][2]["better"] is better


def test_both_directions_are_asked_for_by_name(domains):
    asked = []

    def translator(picture: np.ndarray, direction: str) -> np.ndarray:
        assert picture.dtype == np.uint8
        asked.append(direction)
        return picture

    a, b = domains
    scores = evaluate(translator, a, b)
    assert asked == ["ab"] * 24 + ["ba"] * 24
    assert [(part.direction, part.source, part.target) for part in scores.directions] == [
        ("ab", "photos", "monet"),
        ("ba", "monet", "photos"),
    ]
    one_way = evaluate(translator, a, Domain("monet", b.train, []))
    assert [part.direction for part in one_way.directions] == ["ab"]


def test_without_truth_the_columns_are_left_out_with_a_note(domains):
    a, b = domains
    scores = evaluate(model_is_truth, Domain("photos", a.train, a.test), Domain("monet", b.train, []))
    assert all(row.psnr is None and row.ssim is None for row in scores.directions[0].rows)
    text = printed(scores)
    assert "PSNR" not in text.partition("kernel distance x")[0] and "no hidden truth is known" in text
    assert "kernel distance x 1000" in text


def printed(scores) -> str:
    console = Console(width=100, file=io.StringIO(), record=True)
    console.print(scores.table())
    return console.export_text()


def test_table_names_rows_scale_and_counts(domains):
    text = printed(evaluate(model_is_truth, *domains))
    for word in (
        UNTOUCHED,
        COLOUR,
        MODEL,
        FLOOR,
        "PSNR",
        "kernel distance x 1000",
        "dct-v1",
        "100.00",
    ):
        assert word in text
    assert "photos -> monet: 24 test pictures, against 24 test pictures of monet" in text


def test_names_with_brackets_are_no_markup(domains):
    a, b = domains
    scores = UnpairedEvaluation(model_is_truth, a, Domain("[/b]", b.train, [])).run(progress=True)
    assert printed(scores).count("photos -> [/b]") >= 2


def test_json_round_trip(domains):
    found = evaluate(model_is_truth, *domains).to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["features"], found["kernel_scale"], found["seed"]) == ({"DCT": "dct-v1"}, 1000, 0)
    part = found["directions"][0]
    assert part["counts"] == {"pictures": 24, "truths": 24, "targets": 24, "floor": 24, "unreadable": 0}
    assert [row["kernels"]["DCT"]["subset_size"] for row in part["rows"]] == [12] * 4


def test_same_numbers_twice(domains):
    first, second = (evaluate(model_is_truth, *domains) for _ in range(2))
    assert first == second


def test_limit_spreads_over_the_set(domains):
    seen = []
    a, b = domains

    def translator(picture: np.ndarray, direction: str) -> np.ndarray:
        seen.append(picture)
        return picture

    scores = evaluate(translator, a, Domain("monet", b.train, []), limit=3)
    sizes = [(24, 32), (32, 24), (19, 21)]
    for found, index in zip(seen, (0, 8, 16), strict=True):
        np.testing.assert_array_equal(found, scene(index, sizes[index % 3]))
    assert scores.directions[0].counts["pictures"] == 3


@pytest.mark.parametrize("limit", [0, -1])
def test_impossible_limit(domains, limit):
    with pytest.raises(OptionError, match=f"--limit {limit}"):
        evaluate(model_is_truth, *domains, limit=limit)


def test_few_test_pictures_of_the_target_give_way_to_training_pictures(domains):
    a, b = domains
    more = b.train + [path.parent.parent / "testB" / path.name for path in b.train]
    part = evaluate(model_is_truth, a, Domain("monet", more, b.test[:3])).directions[0]
    assert part.targets == "train"
    assert (part.counts["targets"], part.counts["floor"]) == (24, 24)
    few = evaluate(model_is_truth, a, Domain("monet", b.train, b.test[:3])).directions[0]
    assert (few.counts["targets"], few.counts["floor"]) == (24, 0)
    assert FLOOR not in [row.name for row in few.rows] and any("no floor" in note for note in few.notes)


def test_unreadable_files_are_counted_and_left_out(domains, tmp_path):
    a, b = domains
    a.test[0].write_text("no picture")
    b.test[0].write_bytes(b.test[0].read_bytes()[:60])
    (a.truth / "001.png").write_bytes(b"")
    cv2.imwrite(str(a.truth / "002.png"), np.zeros((5, 5, 3), np.uint8))
    (a.truth / "003.png").unlink()
    part = evaluate(model_is_truth, a, Domain("monet", b.train, b.test)).directions[0]
    assert part.counts == {"pictures": 23, "truths": 20, "targets": 23, "floor": 24, "unreadable": 3}
    assert any("3 unreadable" in note for note in part.notes)
    assert any("3 pictures have no truth" in note for note in part.notes)


def test_one_picture_has_no_kernel_distance(domains):
    a, b = domains
    one = Domain("photos", a.train[:1], a.test[:1], a.truth)
    scores = evaluate(model_is_truth, one, Domain("monet", b.train, []))
    found = rows(scores)
    assert found[MODEL].kernels == {} and found[MODEL].psnr == MAX_PSNR
    assert any("needs 2 pictures" in note for note in scores.directions[0].notes)
    json.dumps(scores.to_dict(), allow_nan=False)


def test_no_test_pictures_at_all(domains):
    a, b = domains
    with pytest.raises(UserError, match="photos and monet have too few pictures to hold any out"):
        evaluate(model_is_truth, Domain("photos", a.train, []), Domain("monet", b.train, []))


@pytest.mark.parametrize("side", ["input", "target"])
def test_nothing_readable(domains, side):
    a, b = domains
    spoilt = {"input": a.test, "target": b.train}[side]
    for path in spoilt:
        path.write_text("no picture")
    with pytest.raises(UserError, match="none of the 24 .* can be read"):
        evaluate(model_is_truth, a, Domain("monet", b.train, []))


def test_missing_torchmetrics_is_named(domains, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "torchmetrics"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    with pytest.raises(UserError, match=r'pip install "image-translate\[metrics\]"'):
        evaluate(model_is_truth, *domains)


def test_scores_that_no_row_has_are_not_written(domains):
    rows = evaluate(model_is_truth, *domains).to_dict()["directions"][0]["rows"]
    for row in rows:
        assert set(row) == {"name", "psnr", "ssim", "kernels", "near_copies", "lattice", "errors"}


def test_scores_of_few_pictures_are_not_dressed_up(domains):
    """Two pictures have one subset of two, whose spread of 0 is no certainty."""
    a, b = domains
    few = evaluate(model_is_truth, replace(a, test=a.test[:2]), replace(b, test=b.test[:2]))
    text = printed(few)
    assert "photos -> monet: only 2 test pictures: do not trust these scores" in " ".join(text.split())
    assert "±" not in text
    part = json.loads(json.dumps(few.to_dict()))["directions"][0]
    assert "only 2 test pictures: do not trust these scores" in part["notes"]
    assert all(row["kernels"]["DCT"]["error"] is None for row in part["rows"] if row["name"] != FLOOR)
    # of enough pictures, nothing is said
    assert "do not trust" not in printed(evaluate(model_is_truth, a, b))


def test_notes_on_the_choice_of_pictures_are_in_the_report(domains):
    a, b = domains
    scores = evaluate(model_is_truth, replace(a, notes=("photos: 3 added since",)), b)
    assert "photos: 3 added since" in printed(scores) and scores.to_dict()["remarks"] == ["photos: 3 added since"]
    with pytest.raises(UserError, match=r"^photos: all seen; score on others: --a FOLDER --b FOLDER$"):
        evaluate(model_is_truth, replace(a, test=[], notes=("photos: all seen",)), replace(b, test=[]))


def test_a_model_of_one_direction_is_scored_in_it(tmp_path, domains):
    recipe, nets = load_model(tiny_model(tmp_path / "run"))
    recipe = replace(recipe, directions=("ab",), nets={"G_ab": recipe.nets["G_ab"]})
    export_model(torch.nn.ModuleDict({"G_ab": nets["G_ab"]}), recipe, tmp_path / "one.safetensors")
    folders = {side: str(domain.test[0].parent) for side, domain in zip("ab", domains, strict=True)}
    options = EvaluationOptions(model=str(tmp_path / "one.safetensors"), limit=2, device="cpu", **folders)
    evaluation = load_evaluation(options)
    report = evaluation.run(progress=False)
    assert [part.direction for part in report.directions] == ["ab"]
    assert evaluation.grid().ndim == 3
    with pytest.raises(OptionError, match="this model only turns .* leave --direction out"):
        evaluation.translator(scene(0, (32, 32)), direction="ba")


def drift_model(file: Path) -> Path:
    """A model with random weights in every layer, so that its strength counts."""
    torch.manual_seed(0)
    spec = {"name": "skip_style_resnet", "width": 4, "trunk": 4, "blocks": 1}
    nets = torch.nn.ModuleDict({n: Factory(spec, EXPORTABLE, "generator")(z_dim=1) for n in ("G_ab", "G_ba")})
    for p in nets.parameters():
        torch.nn.init.normal_(p, std=0.2)
    specs = {name: net.spec for name, net in nets.items()}
    names = ("photos", "monet")
    export_model(nets, Recipe(task="drift", nets=specs, domains=names, size=32, preset="fast", steps=1, data=""), file)
    return file


def test_a_model_with_a_strength_is_scored_at_the_chosen_one(tmp_path, domains):
    file = drift_model(tmp_path / "drift.safetensors")
    folders = {side: str(domain.test[0].parent) for side, domain in zip("ab", domains, strict=True)}
    options = EvaluationOptions(model=str(file), limit=2, device="cpu", precision="fp32", **folders)
    found, grids = {}, {}
    for strength in (None, 0.5, 0.0, 1.0):
        evaluation = load_evaluation(replace(options, strength=strength))
        report, grids[strength] = evaluation.run(progress=False), evaluation.grid()
        assert report.to_dict()["strength"] == (0.5 if strength is None else strength)
        assert f"this model: at strength {report.strength:g}" in printed(report)
        found[strength] = [part["rows"] for part in report.to_dict()["directions"]]
    assert found[None] == found[0.5]
    assert found[0.0] != found[0.5] != found[1.0] and not np.array_equal(grids[0.0], grids[1.0])
    with pytest.raises(OptionError, match="strength 1.5 is out of range"):
        load_evaluation(replace(options, strength=1.5))
    with pytest.raises(OptionError, match="this model has no strength; leave it out"):
        load_evaluation(replace(options, model=str(tiny_model(tmp_path / "run")), strength=0.0))


@pytest.fixture(scope="module")
def boats(tmp_path_factory):
    """Landscapes of which all paintings, and no photographs, have boats."""
    root = tmp_path_factory.mktemp("boats") / "set"
    render("landscapes", root, train=1, test=2, size=64, workers=1, progress=False, only_in_b="boats=1")
    return root


def test_what_a_translation_invents_and_loses_is_counted(boats):
    def answers(folder):
        """Return a translator that knows the picture of each test picture in `folder`, such as the truth."""
        known = {}
        for side in "AB":
            for path in (boats / f"test{side}").iterdir():
                known[read_rgb8(path).tobytes()] = read_rgb8(boats / "truth" / folder / side / path.name)
        return lambda picture, direction: known[picture.tobytes()]

    a, b = resolve_domains("", "", str(boats), boats)
    for folder, share in (("", 0.0), ("other", 1.0)):
        there, back = evaluate(answers(folder), a, b).directions
        first, second = ({each.name: each for each in part.rows} for part in (there, back))
        assert (first[MODEL].invented, first[MODEL].lost) == (share, None)
        assert (second[MODEL].invented, second[MODEL].lost) == (None, share)
        assert first[UNTOUCHED].invented == 0
    table = io.StringIO()
    Console(file=table, width=160).print(evaluate(answers("other"), a, b).table())
    assert "100%" in table.getvalue() and "invented, lost: share of the places" in table.getvalue()


def test_other_sets_count_nothing(domains):
    there = evaluate(model_is_truth, *domains).directions[0]
    assert all(each.invented is None and each.lost is None for each in there.rows)
