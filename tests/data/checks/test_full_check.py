"""The data check, on sets with faults that were planted."""

import json
import shutil

import cv2
import numpy as np
import pytest

from tests.conftest import picture
from translate.data.checks.domain_separation import find_boundary
from translate.data.checks.duplicates import find_duplicates
from translate.data.checks.full_check import check_data
from translate.data.checks.measure import measure
from translate.data.checks.quick_check import quick_check
from translate.data.sources.domains import FileSet
from translate.utils.errors import OptionError, UserError


def put(folder, count, seed, channel, height=48, width=64):
    """Write smooth pictures with one channel bright: reds (2), and blues (0), which are dark."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        pixels = picture(seed + i, height, width)
        pixels[..., channel] = 255 - pixels[..., channel] // 3
        pixels = pixels // (1 if channel == 2 else 4)
        cv2.imwrite(str(folder / f"{i:03d}.png"), pixels)


@pytest.fixture
def clean(tmp_path):
    """Two domains, reds and blues, with test folders."""
    for name, count, seed, channel in (("trainA", 24, 0, 2), ("trainB", 24, 100, 0), ("testA", 9, 200, 2)):
        put(tmp_path / "set" / name, count, seed, channel)
    put(tmp_path / "set" / "testB", 9, 300, 0)
    return tmp_path / "set"


def found(report):
    """Return the names of the files of each finding, by kind and by part."""
    return {one.kind: sorted(path.name for path in one.files) for one in report.findings}


def check(root, **options):
    return check_data(data=str(root), root=root / "none", **options)


def test_a_clean_set_has_no_findings(clean):
    report = check(clean)
    assert report.findings == [] and "66 pictures checked" in report.summary()
    assert [len(part.pictures) for part in report.parts] == [24, 9, 24, 9]
    told = report.to_dict()
    assert told["parts"][0]["modes"] == {"RGB 8 bit": 24}
    assert told["parts"][0]["sizes"] == [{"height": 48, "width": 64, "count": 24}]
    assert told["parts"][0]["bytes"] == sum(path.stat().st_size for path in (clean / "trainA").iterdir())


def test_exactly_the_planted_faults_are_found(clean):
    shutil.copy(clean / "trainA/004.png", clean / "trainA/copy.png")
    third = cv2.imread(str(clean / "trainA/003.png"))
    cv2.imwrite(str(clean / "trainA/near.jpg"), cv2.resize(third, (96, 72)), [cv2.IMWRITE_JPEG_QUALITY, 85])
    shutil.copy(clean / "trainA/006.png", clean / "testA/leak.png")
    cv2.imwrite(str(clean / "testB/near.jpg"), cv2.imread(str(clean / "trainB/001.png")))
    (clean / "trainA/broken.png").write_bytes(b"nothing")
    cv2.imwrite(str(clean / "trainB/flat.png"), np.full((48, 64, 3), 90, np.uint8))
    put(clean / "trainB" / "stray", 1, 999, 2)
    report = check(clean)
    assert found(report) == {
        "unreadable": ["broken.png"], "one colour": ["flat.png"], "exact duplicates": ["copy.png"],
        "near duplicates": ["near.jpg"], "leak": ["leak.png"], "near leak": ["near.jpg"], "mixed domains": ["000.png"],
    }  # fmt: skip
    assert report.problems == 3
    assert [one.problem for one in report.findings] == sorted((one.problem for one in report.findings), reverse=True)


def test_exchanged_test_folders_are_reported(clean):
    (clean / "testA").rename(clean / "x")
    (clean / "testB").rename(clean / "testA")
    (clean / "x").rename(clean / "testB")
    assert [str(one) for one in check(clean).findings] == [
        "setA (test) and setB (test) look exchanged, by the training pictures"
    ]


def test_mixed_kinds_and_shared_pictures_are_reported(clean):
    for i in range(2):
        gray = cv2.imread(str(clean / f"trainA/00{i}.png"), cv2.IMREAD_GRAYSCALE)
        cv2.imwrite(str(clean / f"trainA/00{i}.png"), gray)
    cv2.imwrite(str(clean / "trainA/deep.png"), picture(5).astype(np.uint16) * 257)
    report = check(clean)
    assert [path.name for one in report.findings if one.kind == "mixed kinds" for path in one.files] == ["deep.png"]
    assert report.parts[0].to_dict()["modes"] == {"RGB 8 bit": 22, "gray 8 bit": 2, "RGB 16 bit": 1}


def test_few_pictures_are_reported(tmp_path):
    put(tmp_path / "x", 5, 0, 0)
    report = check_data(images=str(tmp_path / "x"), root=tmp_path)
    assert [one.kind for one in report.findings] == ["few"] and report.problems == 0


# ---- pairs


def test_pairs_with_missing_partners_or_unequal_shapes_are_reported(clean):
    put(clean / "trainA", 1, 50, 2, 48, 96)  # 000 is wider than its partner now
    report = check(clean, pairs=True)
    assert found(report)["pair sizes"] == ["000.png"] and report.problems == 1
    (clean / "trainB/007.png").rename(clean / "trainB/lonely.png")
    report = check(clean, pairs=True)
    assert "no partner of the same name for 1 of 24 pictures" in str(report.findings[0])
    assert len(report.parts) == 4  # the pictures themselves are looked at all the same


def test_exchanged_halves_of_combined_pairs_are_reported(tmp_path):
    (tmp_path / "train").mkdir()
    for i in range(20):
        red, blue = picture(i, 48, 48), picture(100 + i, 48, 48) // 3
        halves = (blue, red) if i in (4, 11) else (red, blue)
        cv2.imwrite(str(tmp_path / "train" / f"{i:02}.png"), np.hstack(halves))
    report = check(tmp_path)
    assert found(report) == {"exchanged pairs": ["04.png", "11.png"]}
    assert [part.side for part in report.parts] == ["", ""]
    cv2.imwrite(str(tmp_path / "train/odd.png"), picture(55, 48, 97))
    assert found(check(tmp_path))["pair sizes"] == ["odd.png"]


# ---- what it cannot check


def test_wrong_options_and_empty_sets_are_reported_in_one_line(tmp_path):
    with pytest.raises(OptionError, match="--images is one set"):
        check_data(images="x", a="y")
    with pytest.raises(OptionError, match="no pictures given"):
        check_data()
    with pytest.raises(UserError, match="no file or folder"):
        check_data(images=str(tmp_path / "nothing"))


# ---- the parts


def of(pixels, folder, name="x.png", *options):
    cv2.imwrite(str(folder / name), pixels, list(options))
    return measure(folder / name)


def test_a_copy_is_a_duplicate_and_another_picture_is_not(tmp_path):
    for seed in range(6):
        whole = picture(seed, 90, 120, sigma=5)
        again = [
            of(whole, tmp_path), of(whole, tmp_path, "x.jpg", cv2.IMWRITE_JPEG_QUALITY, 70),
            of(cv2.resize(whole, (60, 45), interpolation=cv2.INTER_AREA), tmp_path), of(whole // 2 + 60, tmp_path),
            of(picture(seed + 50, 90, 120, sigma=5), tmp_path), of(whole[:, ::-1], tmp_path),
            of(whole[:, :60], tmp_path),
        ]  # fmt: skip
        assert [group.members for group in find_duplicates(again)] == [(0, 1, 2)]


def test_drawings_in_the_same_pose_are_no_duplicates(tmp_path):
    """White pages with a shape in the middle, as catalogues have them."""
    measured = []
    for i in range(30):
        page = np.full((64, 64, 3), 255, np.uint8)
        cv2.ellipse(page, (32, 36), (22 + i % 3, 9 + i % 5), i, 0, 360, (40 + 6 * i, 120, 200 - 5 * i), -1)
        measured.append(of(page, tmp_path, f"{i}.png"))
    assert find_duplicates(measured) == []


def test_exact_copies_are_distinguished_from_near_duplicates(tmp_path):
    cv2.imwrite(str(tmp_path / "x.png"), picture(0))
    one = measure(tmp_path / "x.png")
    (group,) = find_duplicates([one, measure(tmp_path / "x.png"), of(picture(1), tmp_path)])
    assert group.exact and group.members == (0, 1)
    (group,) = find_duplicates([one, of(picture(0), tmp_path, "y.jpg", cv2.IMWRITE_JPEG_QUALITY, 100), one])
    assert not group.exact and group.members == (0, 1, 2)
    assert find_duplicates([]) == []


def test_many_pictures_are_compared(tmp_path):
    one = measure(tmp_path / "none.png")
    chance = np.random.default_rng(0)
    small = chance.integers(0, 256, (32, 32, 3)).astype(np.uint8)
    many = []
    for i in range(5_000):
        other = type(one)(one.path, hash=int(chance.integers(0, 2**63)), digest=i.to_bytes(4), thumbnail=small)
        many.append(other)
    many[4_999].hash = many[7].hash ^ 5
    assert [group.members for group in find_duplicates(many)] == [(7, 4_999)]


def test_an_unreadable_file_is_reported_without_an_error(tmp_path):
    assert "No such file" in measure(tmp_path / "none.png").problem
    (tmp_path / "x.png").write_bytes(b"x")
    assert "cannot be read as an image" in measure(tmp_path / "x.png").problem


@pytest.mark.parametrize(
    ("dtype", "channels", "mode"),
    [("uint16", 3, "RGB 16 bit"), ("float32", 5, "5 bands float 32 bit"), ("uint8", 2, "2")],
)
def test_modes_are_described_in_words(tmp_path, dtype, channels, mode):
    array = np.linspace(0, 1, 40 * 40 * channels).reshape(40, 40, channels)
    np.save(tmp_path / "x.npy", (array * (1 if dtype == "float32" else np.iinfo(dtype).max)).astype(dtype))
    one = measure(tmp_path / "x.npy")
    assert not one.problem and one.mode.startswith(mode) and one.size == (40, 40)


def test_overlapping_domains_have_no_boundary():
    chance = np.random.default_rng(0)
    a, b = chance.normal(0.5, 0.1, (200, 6)), chance.normal(0.5, 0.1, (200, 6))
    assert find_boundary(a, b) is None
    assert find_boundary(a[:5], b + 9) is None  # too few to tell
    border = find_boundary(a, b + [0.9, 0, 0, 0, 0, 0])
    assert border.looks_like(a) == "a" and border.looks_like(b + [0.9, 0, 0, 0, 0, 0]) == "b"
    assert border.strays(a, first=True) == [] and border.looks_like(a[:0]) == ""
    mixed = np.concatenate([a[:190], b[:10] + [0.9, 0, 0, 0, 0, 0]])
    assert find_boundary(mixed, b + [0.9, 0, 0, 0, 0, 0]).strays(mixed, first=True) == list(range(190, 200))


# ---- in short


def test_the_quick_check_finds_leaks_and_exchanged_folders_in_time(clean):
    sets = [
        FileSet(name[-1], name[-1].lower(), name[:-1], sorted((clean / name).iterdir()))
        for name in ("trainA", "testA", "trainB", "testB")
    ]
    assert quick_check(sets) == []
    shutil.copy(clean / "trainA/006.png", clean / "testA/leak.png")
    sets[1] = sets[1]._replace(files=sorted((clean / "testA").iterdir()))
    (line,) = quick_check(sets)
    assert (
        line.startswith("A: 1 of the test pictures are in the training set too: ") and "leak.png; python tools/" in line
    )
    exchanged = [sets[0], sets[1]._replace(side="b"), sets[2], sets[3]._replace(side="a")]
    assert any("look exchanged" in line for line in quick_check(exchanged))
    assert quick_check(exchanged, seconds=0) == []


def test_the_report_can_be_saved(clean):
    (clean / "trainA/bad\x1b[2J.png").write_bytes(b"x")
    report = check(clean)
    assert json.loads(json.dumps(report.to_dict()))["findings"][0]["files"] == [str(clean / "trainA/bad\x1b[2J.png")]
    assert all("\x1b" not in line.plain for line in report.lines())


def deep(folder, dtype, scale, offset=0.0):
    """Write 12 smooth TIFF files of three channels, from `offset` to `offset` + `scale`."""
    tifffile = pytest.importorskip("tifffile")
    folder.mkdir()
    for i in range(12):
        unit = picture(i, 40, 48).astype(np.float64)
        unit = (unit - unit.min()) / np.ptp(unit)
        tifffile.imwrite(folder / f"{i:03d}.tif", (offset + scale * unit).astype(dtype), photometric="rgb")


@pytest.mark.parametrize(
    ("dtype", "scale", "offset", "advice"),
    [
        (np.uint16, 1023, 0, "use 0 to 1023 of 0 to 65535; if all are of 10 bits, say --value-range 0,1023"),
        (np.uint16, 4095, 0, "use 0 to 4095 of 0 to 65535; if all are of 12 bits, say --value-range 0,4095"),
        (np.uint16, 16383, 0, "if all are of 14 bits, say --value-range 0,16383"),
        (np.uint16, 4095, 32768, "if all are of 12 bits, say --value-range 32768,36863"),
        (np.int32, 4095, 0, "if all are of 12 bits, say --value-range 0,4095"),
        (np.float32, 255, 0, "run from 0 to 255; say --value-range 0,255 if these are black and white"),
        (np.float32, 3900, 7, "run from 7 to 3907; say --value-range 0,4095 if these are black and white"),
        (np.float32, 2, -1, "run from -1 to 1; say --value-range -1,1"),
        (np.int16, 4000, -1000, "run from -1000 to 3000; say --value-range -1000,3000"),
    ],
)
def test_an_unusual_scale_is_told_with_the_range_to_say(tmp_path, dtype, scale, offset, advice):
    deep(tmp_path / "set", dtype, scale, offset)
    report = check_data(images=str(tmp_path / "set"))
    assert any(advice in one.words for one in report.findings), report.findings
    low, high = map(float, advice.partition("--value-range ")[2].split(" ")[0].split(","))
    again = check_data(images=str(tmp_path / "set"), values=(low, high))
    assert not [one for one in again.findings if "--value-range" in one.words or one.problem]


def test_files_that_cannot_be_read_are_grouped_by_the_reason(tmp_path):
    folder = tmp_path / "set"
    put(folder, 12, 0, 2)
    whole = (folder / "000.png").read_bytes()
    for i in range(5):
        (folder / f"cut{i}.png").write_bytes(whole[: len(whole) // 2 - i])
    for i in range(3):
        (folder / f"text{i}.png").write_text("no picture")
    (folder / "empty.png").touch()
    lines = [
        one for one in check_data(images=str(folder)).findings if one.kind == "unreadable" and "train" in one.words
    ]
    names = [[path.name for path in one.files] for one in lines]
    assert [len(one) for one in names] == sorted(map(len, names), reverse=True) and len(names) == 3
    for prefix in ("cut", "text", "empty"):
        (group,) = [one for one in names if one[0].startswith(prefix)]
        assert all(name.startswith(prefix) for name in group)
    assert len({one.words.partition("cannot be read")[2] for one in lines}) == 3
