"""The renderers on tiny pictures: layout, truths, determinism, and what a broken-off render leaves."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from translate.synthetic import RENDERERS, render
from translate.synthetic.landscapes.brush_strokes import paint
from translate.synthetic.landscapes.landscape import photo, scene
from translate.synthetic.landscapes.perspective import View
from translate.synthetic.landscapes.scenes import SCENES
from translate.synthetic.landscapes.site import Site
from translate.synthetic.landscapes.sky import draw_sky
from translate.synthetic.light import MOODS, sample_light
from translate.synthetic.noise import fbm, profile, tile
from translate.utils.errors import OptionError, UserError

SIZE = 64
FOLDERS = ("trainA", "trainB", "testA", "testB", "truth/A", "truth/B")


def draw(target, workers=1, seed=0, **options):
    render("landscapes", target, size=SIZE, seed=seed, workers=workers, progress=False, **options)
    return target


def pictures(folder):
    return {p.relative_to(folder).as_posix(): cv2.imread(str(p))[..., ::-1] for p in sorted(folder.rglob("*.png"))}


def psnr(a, b):
    return 10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw(tmp_path_factory.mktemp("render") / "landscapes", train=3, test=3)


def test_layout(drawn):
    assert [p.name for p in drawn.parent.iterdir()] == ["landscapes"]
    found = pictures(drawn)
    assert set(found) == {f"{folder}/{k:05d}.png" for folder in FOLDERS for k in range(3)}
    assert all(p.shape == (SIZE, SIZE, 3) and p.dtype == np.uint8 for p in found.values())


def test_pixels_do_not_depend_on_workers(drawn, tmp_path):
    again = pictures(draw(tmp_path / "again", workers=2, train=3, test=3))
    for name, picture in pictures(drawn).items():
        assert np.array_equal(picture, again[name]), name


def test_more_pictures_keep_the_first_ones(drawn, tmp_path):
    fewer = pictures(draw(tmp_path / "fewer", train=1, test=0))
    assert set(fewer) == {"trainA/00000.png", "trainB/00000.png"}
    assert all(np.array_equal(picture, pictures(drawn)[name]) for name, picture in fewer.items())


def test_scenes_are_disjoint(drawn):
    found = list(pictures(drawn).values())
    pairs = [(i, j) for i in range(len(found)) for j in range(i)]
    assert not any(np.array_equal(found[i], found[j]) for i, j in pairs)


def test_train_scenes_are_in_no_other_folder(drawn):
    """The painting of a training photo would be nearer to it than 15.5 dB."""
    found = pictures(drawn)
    photos = [p for name, p in found.items() if name.startswith("trainA")]
    others = [p for name, p in found.items() if not name.startswith("trainA")]
    assert max(psnr(a, b) for a in photos for b in others) < 15.5


@pytest.mark.parametrize("domain", ["A", "B"])
def test_truth_is_the_same_scene(drawn, domain):
    found = pictures(drawn)
    for k in range(3):
        shown = found[f"test{domain}/{k:05d}.png"]
        scores = [psnr(shown, found[f"truth/{domain}/{j:05d}.png"]) for j in range(3)]
        assert int(np.argmax(scores)) == k


def test_seeds_differ():
    assert not np.array_equal(photo((0, 0, 0), SIZE)[0], photo((1, 0, 0), SIZE)[0])
    assert np.array_equal(photo((0, 0, 0), SIZE)[0], photo((0, 0, 0), SIZE)[0])


def test_photo_is_the_same_alone_and_in_a_pair():
    assert np.array_equal(photo((5, 1, 2), SIZE)[0], scene((5, 1, 2), SIZE)[0])


def test_a_scene_is_the_same_at_every_size():
    for k in range(3):
        large = cv2.resize(photo((2, k), 256)[0], (128, 128), interpolation=cv2.INTER_AREA)
        assert psnr(large, photo((2, k), 128)[0]) > psnr(large, photo((2, k + 1), 128)[0]) + 5


@pytest.mark.parametrize("name", SCENES)
def test_every_scene_is_sound(name):
    view = View(SIZE, *(float(np.mean(limits)) for limits in (SCENES[name].horizon, SCENES[name].eye)))
    for seed in range(5):
        rng = np.random.default_rng(seed)
        plan = SCENES[name].plan(Site(rng, view, sample_light(rng)))
        ground = (SIZE - view.first_row, SIZE)
        assert plan.albedo.shape == (*ground, 3) and 0 < plan.albedo.mean() < 0.9
        assert plan.water.shape == plan.grass.shape == ground
        assert all(share.min() >= 0 and share.max() <= 1 for share in (plan.water, plan.grass))
        assert plan.things and all(thing.z > view.eye for thing in plan.things)


@pytest.mark.parametrize("name", MOODS)
def test_every_sky_is_light(name):
    for clouds in MOODS[name][1].clouds:
        light = replace(MOODS[name][1], clouds=(clouds,))
        sky = draw_sky(np.random.default_rng(0), View(SIZE, 0.5, 3.0), light)
        assert sky.shape == (SIZE, SIZE, 3) and np.isfinite(sky).all() and sky.min() > 0


def test_shares_add_up():
    assert sum(scene.share for scene in SCENES.values()) == pytest.approx(1)
    assert sum(share for share, _ in MOODS.values()) == pytest.approx(1)


def test_camera_sees_the_ground_where_it_is():
    view = View(100, 0.4, 3.0)
    x, z = view.ground()
    row, column = 30, 70
    assert view.row(z[row, column]) == pytest.approx(view.first_row + row + 0.5, abs=1e-3)
    assert view.column(x[row, column], z[row, column]) == pytest.approx(column + 0.5, abs=1e-3)


@pytest.mark.parametrize("size", [96, 200])
def test_sizes(size):
    assert [p.shape for p in scene((3, 1, 4), size)] == [(size, size, 3)] * 2


def test_painting_keeps_the_scene_and_changes_the_look():
    scores, agreement = [], []
    for k in range(4):
        shot = photo((11, k), 128)[0]
        one, two = (paint(shot, np.random.default_rng(seed)) for seed in (1, 2))
        scores.append(psnr(shot, one))
        agreement.append(psnr(one, two))
    assert 16 < np.mean(scores) < 22
    assert 20 < np.mean(agreement) < 32


def test_palette_has_no_black_and_more_colour():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 256, 0).repeat(3, 2)
    painted = paint(ramp, np.random.default_rng(0)).astype(float)
    assert painted[:, :16].mean() > 40
    assert painted[:, :64, 2].mean() > painted[:, :64, 1].mean() + 5  # shadows are violet
    assert painted[:, -32:, 0].mean() > painted[:, -32:, 2].mean()  # lights are warm


def test_noise_is_normalised_and_repeats():
    field = fbm(np.random.default_rng(0), (64, 96))
    assert field.shape == (64, 96) and field.std() == pytest.approx(1, abs=1e-3)
    assert profile(np.random.default_rng(0), 128).shape == (128,)
    wrapped = np.abs(tile()[:, 0] - tile()[:, -1]).mean()
    inside = np.abs(np.diff(tile(), axis=1)).mean()
    assert wrapped < 1.5 * inside


def test_registry_is_rendered_by_name(tmp_path):
    for name in RENDERERS:
        render(name, tmp_path / name, train=1, test=0, size=SIZE, workers=1, progress=False)
        assert len(list((tmp_path / name).rglob("*.png"))) == (1 if name in ("attributes", "digits", "faces") else 2)


def test_pairs_are_the_first_photos_painted_and_other_scenes_to_test_on(tmp_path):
    for name, train, test in (("landscapes", 2, 1), ("landscape pairs", 1, 1)):
        render(name, tmp_path / name, train=train, test=test, size=SIZE, workers=1, progress=False)
    whole, pairs = tmp_path / "landscapes", tmp_path / "landscape pairs"
    assert (pairs / "trainA" / "00000.png").read_bytes() == (whole / "trainA" / "00000.png").read_bytes()
    photo, painting = (cv2.imread(str(pairs / f"train{side}" / "00000.png")) for side in "AB")
    assert 15 < psnr(photo, painting) < 30  # one scene
    pictures = [path.read_bytes() for path in (*whole.rglob("*.png"), *pairs.rglob("*.png"))]
    assert len(set(pictures)) == len(pictures) - 1


@pytest.mark.parametrize(
    ("name", "options", "word"),
    [
        ("landscape", {"train": 1, "test": 0}, "landscapes"),
        ("landscapes", {"train": 0, "test": 0}, "at least one"),
        ("landscapes", {"train": -1, "test": 3}, "train -1"),
        ("landscapes", {"train": 1, "test": 0, "size": 8}, "size 8"),
        ("landscapes", {"train": 1, "test": 0, "size": 32}, "size 32: pictures are rendered at 64 to 512 px"),
        ("digits", {"train": 1, "test": 0, "size": 256}, "size 256: pictures are rendered at 28 to 128 px"),
        ("landscapes", {"train": 1, "test": 0, "seed": -1}, "seed -1"),
    ],
)
def test_wrong_options(tmp_path, name, options, word):
    with pytest.raises(OptionError, match=word):
        render(name, tmp_path / "x", progress=False, **options)
    assert not list(tmp_path.iterdir())


def test_target_in_the_way_is_kept(tmp_path):
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(UserError, match="exists already") as error:
        draw(tmp_path, train=1, test=0)
    assert "\n" not in str(error.value) and [p.name for p in tmp_path.iterdir()] == ["kept.txt"]


def test_unwritable_target(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UserError, match="cannot write") as error:
        draw(tmp_path / "file" / "target", train=1, test=0)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot write"):
        draw(tmp_path / "target", train=1, test=0)
    tmp_path.chmod(0o700)


def test_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match="No space left"):
        draw(tmp_path / "target", train=1, test=0)
    assert not list(tmp_path.iterdir())


def test_interrupt_leaves_nothing(tmp_path):
    """Ctrl-C, which a terminal sends to the whole process group."""
    code = f"""
import signal
from pathlib import Path
from translate.synthetic import render
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are deaf to it
    target = Path({str(tmp_path / "target")!r})
    render("landscapes", target, train=5000, test=0, size=64, workers=2, progress=False)
"""
    script = tmp_path / "script.py"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    script.write_text(code)
    child = subprocess.Popen(
        [sys.executable, str(script)], start_new_session=True, stderr=subprocess.PIPE, env=environment
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob("*.png")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(child.pid, signal.SIGINT)
    _, stderr = child.communicate(timeout=60)
    assert child.returncode != 0 and b"KeyboardInterrupt" in stderr
    assert [p.name for p in tmp_path.iterdir()] == ["script.py"]
    assert nobody_left_in(child.pid)


def nobody_left_in(group):
    """Whether all processes of a group are gone within five seconds."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
