import cv2
import numpy as np
import pytest

from translate.cli import run as cli
from translate.data.catalog.catalog import prepare
from translate.metrics.hallucination import Contents
from translate.synthetic import render
from translate.synthetic.landscapes.landscape import repaint
from translate.synthetic.landscapes.parts import PARTS, PRESENT, draw_painting, draw_photo, draw_scene, jobs, parse_part
from translate.utils.errors import OptionError

SIZE = 128


@pytest.fixture(scope="module", params=PARTS)
def drawn(request):
    """A scene whose truth lacks the part, and the same photograph with it."""
    part = request.param
    photo, painting, other, places = draw_scene((0, 2, 1), SIZE, part=part, present=False, other="b")
    _, _, changed, _ = draw_scene((0, 2, 1), SIZE, part=part, present=False, other="a")
    return part, photo, painting, other, places, changed


def test_a_scene_is_the_same_but_for_the_part(drawn):
    part, photo, _, _, places, changed = drawn
    assert photo.shape == changed.shape == (SIZE, SIZE, 3) and places.shape == (SIZE, SIZE)
    assert 0.01 < (places > 0).mean() < 0.6
    difference = np.abs(photo.astype(int) - changed).max(axis=2)
    assert difference[places > 0].min() >= 16
    if part != "snow":  # which changes the exposure of the whole photograph much
        far = cv2.dilate((places > 0).astype(np.uint8), np.ones((31, 31), np.uint8)) == 0
        exposure = np.median(difference[far])
        assert exposure <= 12 and np.percentile(abs(difference[far] - exposure), 90) <= 4


def test_the_states_swap_with_the_truth(drawn):
    part, photo, painting, _, places, changed = drawn
    other_way = draw_scene((0, 2, 1), SIZE, part=part, present=True, other="a")
    assert np.array_equal(other_way[0], changed) and np.array_equal(other_way[2], photo)
    assert np.array_equal(other_way[3], np.where(places > 0, places + PRESENT, 0))
    assert np.array_equal(draw_photo((0, 2, 1), SIZE, part=part)[0], photo)
    assert np.array_equal(draw_painting((0, 2, 1), SIZE, part=part, present=False)[0], painting)


def test_the_truth_invents_nothing_and_its_other_state_everything(drawn):
    _, photo, painting, other, places, _ = drawn
    contents = Contents(painting, other, places)
    assert contents.score(painting) == {"invented": 0, "lost": None}
    assert contents.score(other) == {"invented": 1, "lost": None}
    had = Contents(other, painting, np.where(places > 0, places + PRESENT, 0).astype(np.uint8))
    assert had.score(painting) == {"invented": None, "lost": 1}
    assert had.score(other) == {"invented": None, "lost": 0}
    cast = np.clip(painting.astype(int) + (25, 5, -20), 0, 255).astype(np.uint8)
    assert contents.score(cast)["invented"] == 0
    assert contents.score(repaint(photo, (9, 9)))["invented"] == 0  # by other strokes


def test_b_has_the_part_in_exactly_the_share_and_a_never():
    found = jobs("boats", 0.3, 20, 10, 64, 0)
    present = {job.files[0]: job.draw.keywords.get("present", False) for job in found}
    assert sum(state for file, state in present.items() if file.startswith("trainB")) == 6
    assert sum(state for file, state in present.items() if file.startswith("truth/B")) == 3
    assert not any(state for file, state in present.items() if file.startswith(("trainA", "testA")))
    assert len({job.seed for job in found}) == len(found) == 60


def test_a_folder_has_every_state(tmp_path):
    render("landscapes", tmp_path / "x", train=1, test=1, size=64, workers=1, progress=False, only_in_b="haystacks=1")
    names = sorted(path.relative_to(tmp_path / "x").as_posix() for path in (tmp_path / "x").rglob("*.png"))
    folders = ("testA", "testB", "trainA", "trainB", "truth/A", "truth/B")
    folders += ("truth/other/A", "truth/other/B", "truth/places/A", "truth/places/B")
    assert names == [f"{folder}/00000.png" for folder in folders]
    files = {side: str(tmp_path / f"x/truth/places/{side}/00000.png") for side in "AB"}
    places = {side: cv2.imread(file, cv2.IMREAD_GRAYSCALE) for side, file in files.items()}
    assert 0 < places["A"].max() < PRESENT < places["B"].max()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("boat=0.5", "did you mean 'boats'"),
        *((text, "number from 0 to 1") for text in ("boats", "boats=2", "snow=nan")),
    ],
)
def test_a_wrong_part_is_named(text, words):
    with pytest.raises(OptionError, match=words):
        parse_part(text)


def test_other_sets_have_no_part(tmp_path, capsys):
    with pytest.raises(OptionError, match="shoes have no part"):
        render("shoes", tmp_path / "x", train=1, test=1, only_in_b="boats=1")
    with pytest.raises(OptionError, match="'faces' is not drawn here from landscapes"):
        prepare("faces", tmp_path, only_in_b="boats=1")
    with pytest.raises(SystemExit) as exit_:
        cli.main("prepare-dataset", ["--only-in-b", "boats=0.5"])
    assert exit_.value.code == 2
    assert "--only-in-b needs the name of drawn landscapes" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
