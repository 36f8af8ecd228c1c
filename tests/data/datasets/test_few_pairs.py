import cv2
import numpy as np
import pytest

from tests.conftest import picture
from tests.data.album import sample
from translate.data.checks.quick_check import quick_check
from translate.data.datasets import UnpairedData
from translate.data.files.splits import choose_held_out
from translate.data.options import DataConfig
from translate.data.sources.pair import PairError
from translate.utils.errors import OptionError, UserError


def write(folder, numbers, draw, side=32):
    folder.mkdir(parents=True, exist_ok=True)
    for i in numbers:
        cv2.imwrite(str(folder / f"{i:02d}.png"), draw(picture(i, side, side + 8)))


def night(pixels):
    return pixels // 4


@pytest.fixture
def root(tmp_path):
    """Two domains of 20 strangers, and 10 pairs."""
    write(tmp_path / "days", range(20), lambda x: x)
    write(tmp_path / "nights", range(50, 70), night)
    write(tmp_path / "pairs" / "A", range(100, 110), lambda x: x)
    write(tmp_path / "pairs" / "B", range(100, 110), night)
    return tmp_path


def data_of(root, pairs="pairs", **options):
    paths = {key: str(root / name) for key, name in (("a", "days"), ("b", "nights"), ("pairs", pairs)) if name}
    return UnpairedData(DataConfig(**(paths | options)), root)


def open_data(data, root):
    data.open(root / "cache", size=32, zoom=1.0, square=False, progress=False)
    return data


def paired_samples(data, count=40):
    stream = data.stream(crop=32, flip=True, seed=0)
    return [one for one in (sample(stream, i) for i in range(count)) if one["paired"]]


def test_pairs_lie_beside_the_domains(root):
    data = open_data(data_of(root), root)
    assert data.channels == {"a": 3, "b": 3, "paired": 1} and data.names == ("days", "nights")
    assert data.notes[0] == "pairs: 9 true pairs in 25% of the steps; 1 held out, for evaluate"
    found = paired_samples(data)
    assert len(found) == 10 and all((one["b"] == one["a"] // 4).all() for one in found)
    assert data.counts == {"days": 18, "nights": 18} and data.epoch == 18
    assert len(paired_samples(open_data(data_of(root, pair_share=0.5), root))) == 20
    fingerprints = {open_data(data_of(root, name), root).fingerprint for name in ("pairs", "")}
    assert len(fingerprints) == 2


def combine(root):
    (root / "both").mkdir()
    for i in range(100, 110):
        whole = picture(i, 32, 32)
        cv2.imwrite(str(root / "both" / f"{i}.png"), np.hstack([whole, night(whole)]))


def list_in_csv(root):
    rows = [f"pairs/A/{i}.png,pairs/B/{i}.png" for i in range(100, 110)]
    (root / "pairs.csv").write_text("a,b\n" + "\n".join(rows) + "\n")


@pytest.mark.parametrize(("name", "make"), [("both", combine), ("pairs.csv", list_in_csv)])
def test_all_layouts_of_pairs_will_do(root, name, make):
    make(root)
    found = paired_samples(open_data(data_of(root, name), root))
    assert len(found) == 10 and all((one["b"] == one["a"] // 4).all() for one in found)


def test_pairs_are_read_as_their_domains_are(root):
    for file in (root / "nights").iterdir():
        cv2.imwrite(str(file), cv2.imread(str(file), cv2.IMREAD_GRAYSCALE))
    for file in (root / "pairs" / "A").iterdir():  # 16 bits
        cv2.imwrite(str(file), cv2.imread(str(file)).astype(np.uint16) * 257)
    data = open_data(data_of(root), root)
    assert data.channels == {"a": 3, "b": 1, "paired": 1}
    one = paired_samples(data)[0]
    assert one["a"].shape == (32, 32, 3) and one["b"].shape == (32, 32, 1)
    assert sample(data.stream(crop=32, flip=True, seed=0), 0)["b"].shape == (32, 32, 1)


def test_held_out_pairs_are_never_trained_on(root):
    """All pictures of the pairs lie in the domains, too."""
    for side, domain in (("A", "days"), ("B", "nights")):
        for file in sorted((root / "pairs" / side).iterdir()):
            file.rename(root / domain / file.name)
    rows = [f"days/{i}.png,nights/{i}.png" for i in range(100, 110)]
    (root / "pairs.csv").write_text("a,b\n" + "\n".join(rows) + "\n")
    data = data_of(root, "pairs.csv")
    pairs = data.pairs.pairs
    for side, domain in zip("ab", data.domains, strict=True):
        held_out, learned = ({getattr(pair, side) for pair in part} for part in (pairs.test, pairs.train))
        assert len(held_out) == 1 and not held_out & {*domain.train}
        assert not learned & {*domain.test} and len(learned & {*domain.train}) >= 8
    hidden = pairs.test[0].a.name
    assert f"days: 1 not trained on, as held-out pairs have them: {hidden}" in data.notes or hidden in {
        path.name for path in choose_held_out([*(root / "days").iterdir()], lambda path: path.stem)
    }
    assert len(open_data(data, root).counts) == 2


def test_copies_of_held_out_pairs_and_exchanged_sides_are_told(root):
    pair = data_of(root).pairs.pairs.test[0]
    (root / "days" / "copy.png").write_bytes(pair.a.read_bytes())
    lines = quick_check(data_of(root).file_sets(), seconds=60)
    assert any("--pairs, side A: 1 of the test pictures are in the training set too" in line for line in lines), lines
    list_in_csv(root)
    text = (root / "pairs.csv").read_text().splitlines()
    exchanged = ["a,b", *(",".join(reversed(row.split(","))) for row in text[1:])]
    (root / "pairs.csv").write_text("\n".join(exchanged) + "\n")
    (root / "days" / "copy.png").unlink()
    lines = quick_check(data_of(root, "pairs.csv").file_sets(), seconds=60)
    assert any("--pairs, side A (train) looks like the other domain" in line for line in lines), lines


def test_bad_pairs_are_refused_in_one_line(root):
    with pytest.raises(UserError, match=r"^--pairs '.*none' is neither a folder nor a CSV file of pairs"):
        data_of(root, "none")
    with pytest.raises(OptionError, match="the pictures of 'photos2monet' are no pairs"):
        UnpairedData(DataConfig(a=str(root / "days"), b=str(root / "nights"), pairs="photos2monet"), root)
    cv2.imwrite(str(root / "pairs" / "B" / "100.png"), picture(0, 60, 32))
    with pytest.raises(PairError, match="the pictures of a pair must show the same frame"):
        data_of(root)
    (root / "pairs" / "B" / "100.png").unlink()
    with pytest.raises(UserError, match="100"):
        data_of(root)


def test_a_damaged_pair_is_skipped_and_told(root):
    (root / "pairs" / "A" / "103.png").write_bytes(b"no picture")
    data = data_of(root)
    data.open(root / "cache", size=32, zoom=1.0, square=True, progress=False)
    assert any("103.png" in line for line in data.skipped)
    assert len({one["a"].tobytes() for one in paired_samples(data, 200)}) == 2 * 8  # of 9, each mirrored as well
