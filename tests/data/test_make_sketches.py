import os

import cv2
import numpy as np
import pytest

from translate.data.make_sketches import BATCH_SIZE, make_sketches
from translate.images.sketch_extraction import extract_sketch
from translate.utils.errors import OptionError, UserError


def photo(seed: int, height: int = 40, width: int = 48) -> np.ndarray:
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), rng.integers(150, 255, 3), np.uint8)
    cv2.circle(picture, (width // 2, height // 2), 12, rng.integers(0, 100, 3).tolist(), -1, cv2.LINE_AA)
    return picture


def save(path, picture):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture[..., ::-1])


@pytest.fixture
def photos(tmp_path):
    """12 photos of two sizes, in the folder and a sub-folder."""
    for i in range(10):
        save(tmp_path / "photos" / f"{i}.png", photo(i))
    for i in range(2):
        save(tmp_path / "photos" / "deep" / f"{i}.bmp", photo(20 + i, 33, 71))
    return tmp_path / "photos"


def draw(photos, **options):
    return make_sketches(photos, photos.parent / "out", progress=False, **options)


def test_every_photo_gets_its_sketch(photos):
    assert BATCH_SIZE < 12  # more than one batch
    report = draw(photos)
    assert (report.done, report.skipped, report.failed, report.ignored) == (12, 0, [], 0)
    out = photos.parent / "out"
    assert {p.relative_to(out).as_posix() for p in out.rglob("[!.]*") if p.is_file()} == {
        *(f"{i}.png" for i in range(10)), "deep/0.png", "deep/1.png",
    }  # fmt: skip
    for name, picture in (("3.png", photo(3)), ("deep/1.png", photo(21, 33, 71))):
        sketch = cv2.imread(str(out / name), cv2.IMREAD_UNCHANGED)
        assert sketch.dtype == np.uint8 and sketch.shape == picture.shape[:2]
        np.testing.assert_allclose(sketch.astype(int), extract_sketch(picture), atol=1)
        assert (sketch < 100).any()


def test_options_reach_the_drawing(photos):
    draw(photos, min_length=1000)
    assert (cv2.imread(str(photos.parent / "out" / "3.png")) == 255).all()


def test_a_second_run_draws_the_missing_sketches(photos):
    out = photos.parent / "out"
    draw(photos)
    (out / "4.png").unlink()
    cv2.imwrite(str(photos / "5.png"), np.full((40, 40, 3), 9, np.uint8))  # changed since
    os.utime(photos / "5.png", (1, 1))
    os.utime(out / "6.png", ns=(1, (photos / "6.png").stat().st_mtime_ns + 1))
    before = (out / "6.png").stat().st_mtime_ns
    report = draw(photos)
    assert (report.done, report.skipped) == (2, 10)
    assert (out / "6.png").stat().st_mtime_ns == before
    assert "2 sketches drawn" in report.summary() and "10 there already" in report.summary()
    with pytest.raises(OptionError, match=r"0\.png: was made with --detail 0\.5, not with --detail 0\.2; choose"):
        draw(photos, detail=0.2)
    assert draw(photos, detail=0.2, overwrite=True).done == 12


def test_unreadable_photos_are_listed_and_the_others_drawn(photos):
    (photos / "bad.jpg").write_text("no picture")
    (photos / "cut.png").write_bytes((photos / "1.png").read_bytes()[:60])
    (photos / "notes.txt").write_text("hello")
    report = draw(photos)
    assert report.done == 12 and report.ignored == 1
    assert [path.name for path, _ in report.failed] == ["bad.jpg", "cut.png"]
    assert all(reason and "photos" not in reason for _, reason in report.failed)


def test_the_output_may_be_inside_the_source(photos):
    make_sketches(photos, photos / "sketches", progress=False)
    assert make_sketches(photos, photos / "sketches", progress=False).skipped == 12


def test_a_photo_is_never_overwritten(photos):
    with pytest.raises(OptionError, match="folder of the input itself"):
        make_sketches(photos, photos, progress=False)
    save(photos.parent / "0.jpg", photo(1))
    save(photos.parent / "0.png", photo(2))
    with pytest.raises((OptionError, UserError)):
        make_sketches(str(photos.parent / "*.jpg"), photos.parent, progress=False)
    np.testing.assert_array_equal(cv2.imread(str(photos.parent / "0.png"))[..., ::-1], photo(2))


def test_two_photos_with_the_same_sketch_are_refused(photos):
    save(photos / "3.bmp", photo(1))
    with pytest.raises(UserError, match=r"3\.bmp and .*3\.png would share the sketch"):
        draw(photos)


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(UserError, match="is empty"):
        draw(tmp_path / "photos")
    with pytest.raises(UserError, match="nowhere"):
        draw(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("options", "message"),
    [({"detail": 2.0}, "--detail 2"), ({"min_length": -3}, "--min-length -3"), ({"device": "tpu"}, "tpu")],
)
def test_impossible_options_are_refused(photos, options, message):
    with pytest.raises(OptionError, match=message):
        draw(photos, **options)
    assert not (photos.parent / "out").exists()
