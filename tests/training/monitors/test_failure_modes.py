"""Each fault on pictures that have it and no other, and none on true pictures of the built-in data."""

import re

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.tasks.test_tasks import make_task
from translate.synthetic import render
from translate.training.monitors.failure_modes import (
    colour_correlation,
    examine,
    ignores_z,
    is_blank,
    is_collapsed,
    is_identity,
    is_inverted,
    lattice_excess,
    returns_input,
)


def load(folder, pattern="*.png"):
    pictures = [cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in sorted(folder.glob(pattern))]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    for name in ("landscapes", "shoes", "faces", "digits"):
        render(name, folder / name, train=4, test=4, size=64, seed=0, workers=1)
    return folder


@pytest.fixture(scope="module")
def photos(drawn):
    return load(drawn / "landscapes" / "testA")


@pytest.fixture(scope="module")
def paintings(drawn):
    return load(drawn / "landscapes" / "truth" / "B")


def test_inverted_lightness(photos, paintings):
    assert is_inverted(photos, -photos)
    assert not is_inverted(photos, paintings)
    assert not is_inverted(photos, photos * 0.3 + 0.4)  # paler


def test_inverted_colours_of_the_same_lightness(photos):
    light = photos.mean(1, keepdim=True)
    turned = light - (photos - light)
    lightness, colours = colour_correlation(photos, turned)
    assert lightness > 0.9
    assert colours < -0.8
    assert is_inverted(photos, turned)
    assert not is_inverted(photos, light.expand(-1, 3, -1, -1))  # gray ones have no colours to be wrong


def test_copies(photos, paintings):
    assert is_identity(photos, photos + 0.01 * torch.randn_like(photos))
    assert not is_identity(photos, paintings)
    assert not is_identity(photos, photos + 0.1 * torch.randn_like(photos))


def test_copies_of_pairs_are_judged_by_the_distance_to_the_truth(drawn):
    sketches, shoes = load(drawn / "shoes" / "testA"), load(drawn / "shoes" / "testB")
    assert is_identity(sketches, sketches + 0.05, shoes)
    assert not is_identity(sketches, shoes, shoes)
    assert not is_identity(sketches, torch.lerp(sketches, shoes, 0.5), shoes)


def screen(side=64, period=4, size=6.0):
    """Return a pattern of `size` gray levels, standard deviation, that repeats every `period` px."""
    cell = torch.randn(period, period, generator=torch.Generator().manual_seed(1))
    return size / 127.5 * ((cell - cell.mean()) / cell.std(correction=0)).repeat(side // period, side // period)


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_screen_or_stamp_of_few_gray_levels(photos, paintings, period):
    strength, factor = lattice_excess(paintings + screen(period=period), paintings)
    assert strength == pytest.approx(6.0, rel=0.2)
    assert 1.5 < factor < 7
    assert lattice_excess(photos + screen(period=period), paintings)[0] > 4
    assert not any(lattice_excess(paintings + screen(period=period), paintings + screen(period=period)))  # as they are


def test_no_screen_in_true_pictures_or_noise(photos, paintings):
    assert not any(lattice_excess(photos, paintings)) and not any(lattice_excess(paintings, photos))
    assert not any(lattice_excess(paintings + 0.03 * torch.randn_like(paintings), paintings))
    assert not any(lattice_excess(torch.randn(2, 3, 64, 64), paintings))
    assert not any(lattice_excess(torch.zeros(2, 3, 40, 36), torch.zeros(2, 3, 40, 36)))


def test_transposed_convolutions_leave_a_screen_and_resizing_does_not():
    torch.manual_seed(0)
    features, kernel = torch.rand(4, 8, 32, 32), torch.rand(8, 3, 3, 3)
    turned = F.conv_transpose2d(features, kernel, stride=2, padding=1, output_padding=1) / 36
    smooth = F.conv2d(F.interpolate(features, scale_factor=2, mode="bilinear"), kernel.transpose(0, 1), padding=1) / 72
    assert lattice_excess(turned, smooth)[0] > 5
    assert not any(lattice_excess(smooth, smooth))


def test_inputs_returned_in_slightly_other_colours(photos, paintings):
    paler = photos * 0.9 + 0.02 * torch.tensor([1.0, -1.0, 0.5])[:, None, None]
    assert returns_input(photos, photos) and returns_input(photos, paler)
    assert returns_input(photos.mean(1, keepdim=True), 0.9 * photos.mean(1, keepdim=True))
    assert not returns_input(photos, paintings)
    assert not returns_input(photos, photos.flip(1))  # other colours
    assert not returns_input(photos, photos + 0.1 * torch.randn_like(photos))  # another texture
    assert not returns_input(photos, paintings[:, :1])  # another number of channels


def test_one_output_for_all_sources_is_a_collapse(photos, paintings):
    same = paintings[:1].expand(4, -1, -1, -1) + 0.02 * torch.randn(4, 3, 64, 64)
    assert is_collapsed(same, photos, paintings)
    assert not is_collapsed(paintings, photos, paintings)
    assert not is_collapsed(paintings[:1], photos[:1], paintings[:1])  # of one picture nothing is known


def test_one_output_for_all_z(drawn):
    sketches, shoes = load(drawn / "shoes" / "testA"), load(drawn / "shoes" / "testB")
    ways = [load(drawn / "shoes" / "truth" / "A", f"*/{k}.png") for k in range(3)]
    assert len(ways[0]) == 4
    assert not ignores_z(ways, sketches, shoes)
    assert ignores_z([shoes, shoes + 0.002, shoes], sketches, shoes)


# ---- findings in words


def lines_of(*args):
    return [str(finding) for finding in examine(*args)]


def rows_of(source, made, back):
    return {"a": source, "a to b": made, "back to a": source, "b": back, "b to a": source, "back to b": back}


def test_true_translations_have_no_faults(drawn, photos, paintings):
    assert lines_of(make_task("cycle"), rows_of(photos, paintings, paintings)) == []
    sketches, shoes = load(drawn / "shoes" / "testA"), load(drawn / "shoes" / "testB")
    ways = {f"answer {k}": load(drawn / "shoes" / "truth" / "A", f"*/{k}.png") for k in (1, 2, 3)}
    rows = {"input": sketches, "answer": shoes} | ways | {"truth": shoes}
    assert lines_of(make_task("pix2pix, many answers"), rows) == []
    holed = torch.where(torch.arange(64) < 20, 0.0, photos)
    assert lines_of(make_task("inpaint"), {"hole": holed, "answer": photos, "truth": photos}) == []


@pytest.mark.parametrize("name", ["faces", "digits", "landscapes/trainA"])
def test_true_pictures_from_latents_have_no_faults(drawn, name):
    folder = drawn / name
    pictures = load(next(f for f in (folder, *sorted(folder.rglob("*"))) if any(f.glob("*.png"))))
    assert lines_of(make_task("generate"), {"samples 0": pictures[:2]}, pictures) == []
    words = lines_of(
        make_task("generate, dcgan"), {"samples 0": pictures + screen(pictures.shape[-1], size=20.0)}, pictures
    )
    assert len(words) == 1 and "LATTICE" in words[0] and words[0].endswith(": try --netG style_synthesis")


def test_each_fault_is_one_line_with_its_remedy(photos, paintings):
    task, well = make_task("cycle"), paintings
    for made, words in (
        (-photos, "a to b: the colours come out INVERTED: try --lambda-identity 0.5"),
        (photos + 0.005, "a to b: it COPIES ITS INPUT: try half of --lambda-cycle"),
    ):
        assert lines_of(task, rows_of(photos, made, well)) == [words]
    (line,) = lines_of(task, rows_of(photos, paintings + screen(), well))
    pattern = r"a to b: it draws a LATTICE: what repeats every 8 px has \d\.\d gray levels, [\d.]+ times as many as .*"
    assert re.fullmatch(pattern + ": try --netG skip_resnet", line)
    same = paintings[:1].expand(4, -1, -1, -1) + 0.02 * torch.randn(4, 3, 64, 64)
    assert any("COLLAPSES" in line for line in lines_of(task, rows_of(photos, same, well)))


def test_a_network_without_transposed_convolutions_need_not_change(photos, paintings):
    rows = {"input": photos, "answer": paintings + screen(), "truth": paintings}
    (line,) = lines_of(make_task("pix2pix, many answers"), rows)
    assert "LATTICE" in line and line.endswith(": try half of --train.lr")


def test_a_generator_that_returns_its_input_while_no_discriminator_learns(photos, paintings):
    task = make_task("cycle")
    for made, back in ((photos * 0.9, paintings * 0.9), (photos, paintings)):
        rows = rows_of(photos, made, back) | {"b": paintings, "b to a": back}
        (finding,) = examine(task, rows, at_chance=True)
        assert finding.kind == "learns_nothing"
        assert str(finding).startswith("it LEARNS NOTHING: the generator returns its input")
        assert "try twice" in str(finding)
        assert "learns_nothing" not in [one.kind for one in examine(task, rows)]
    one_way = rows_of(photos, paintings, paintings) | {"b": paintings, "b to a": paintings}
    assert "learns_nothing" not in [one.kind for one in examine(task, one_way, at_chance=True)]


def test_holes_left_gray_and_answers_all_the_same(photos):
    hole = torch.arange(64) < 20
    holed = torch.where(hole, 0.0, photos)
    task = make_task("inpaint, many answers")
    rows = {"hole": holed, "answer": holed + 0.01 * hole, "answer 1": photos, "answer 2": photos, "truth": photos}
    assert lines_of(task, rows) == [
        "it COPIES ITS INPUT: try twice the --lambda-hole",
        "it has ONE ANSWER, whatever the look: try twice the --lambda-seek",
    ]


def test_blank_pictures_are_told_and_nothing_else_of_them(photos, paintings):
    black = torch.full_like(photos, -1.0)
    assert is_blank(black, paintings) and not is_blank(photos * 0.3, paintings) and not is_blank(black, black)
    assert lines_of(make_task("cycle"), rows_of(photos, black, paintings)) == [
        "a to b: it makes BLANK pictures, of one colour each: try half of --train.lr"
    ]
    lines = lines_of(make_task("generate"), {"samples": black}, photos)
    assert lines == ["it makes BLANK pictures, of one colour each: try half of --train.lr"]
