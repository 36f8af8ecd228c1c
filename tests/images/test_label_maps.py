import numpy as np
import pytest
import torch
from PIL import Image

from tests.data.label_scenes import COLOURS, FORMS, NAMES, PALETTE, scene
from translate.images.io import read_picture, write_picture
from translate.images.label_maps import Classes, distinct_colours
from translate.images.tensors import one_hot, show_planes, strongest
from translate.utils.errors import UserError

PACKED = tuple(int(r) << 16 | int(g) << 8 | int(b) for r, g, b in COLOURS)
CLASSES = {
    "palette": Classes(
        form="palette", key="index", values=(0, 1, 2, 3), colours=PACKED, names=NAMES, unlabelled=(255,)
    ),
    "gray": Classes(
        form="gray", key="index", values=(0, 1, 2, 3), colours=distinct_colours(4), names=NAMES, unlabelled=(255,)
    ),
    "gray16": Classes(
        form="gray16", key="index", values=(0, 1000, 2000, 3000), colours=distinct_colours(4), names=NAMES,
        unlabelled=(255_000 % 65536,),
    ),
    "rgb": Classes(
        form="rgb", key="colour", values=PACKED, colours=PACKED, names=NAMES, unlabelled=(224 << 16 | 224 << 8 | 192,)
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_maps_of_every_form_come_back_as_they_were(tmp_path, form):
    _, numbers = scene(3)
    FORMS[form](numbers).save(tmp_path / "in.png")
    classes = CLASSES[form]
    found = classes.encode(read_picture(tmp_path / "in.png"), "in.png")
    np.testing.assert_array_equal(found, numbers)
    write_picture(tmp_path / "out.png", classes.picture(found))
    with Image.open(tmp_path / "in.png") as one, Image.open(tmp_path / "out.png") as other:
        assert one.mode == other.mode == {"palette": "P", "rgb": "RGB", "gray": "L"}.get(form, other.mode)
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
        if form == "palette":
            assert other.getpalette()[:12] == PALETTE[:4].ravel().tolist()
    shown = classes.show(found)
    np.testing.assert_array_equal(classes.from_shown(shown), numbers)
    again = Classes.from_facts(classes.to_facts())
    assert again == classes


def test_a_map_that_counts_as_a_palette_may_come_in_gray_or_in_colours(tmp_path):
    _, numbers = scene(3, border=False)
    for form in ("gray", "rgb"):
        FORMS[form](numbers).save(tmp_path / f"{form}.png")
        found = CLASSES["palette"].encode(read_picture(tmp_path / f"{form}.png"), form)
        np.testing.assert_array_equal(found, numbers)
    with pytest.raises(UserError, match="rgb: is in colours, but this model's maps are gray, with a value for each"):
        CLASSES["gray"].encode(read_picture(tmp_path / "rgb.png"), "rgb")


def test_unknown_values_are_named_or_count_as_unlabelled(tmp_path):
    _, numbers = scene(3)
    numbers[10, 10], numbers[10, 11] = 9, 17
    FORMS["gray"](numbers).save(tmp_path / "x.png")
    picture = read_picture(tmp_path / "x.png")
    with pytest.raises(UserError, match=r"^x: has 9, 17, which is none of this model's 4 classes \(0, 1, 2, 3\)$"):
        CLASSES["gray"].encode(picture, "x")
    assert CLASSES["gray"].encode(picture)[10, 10:13].tolist() == [255, 255, numbers[10, 12]]


def test_the_nearest_colour_counts_where_the_user_has_listed_colours(tmp_path):
    _, numbers = scene(4, border=False)
    FORMS["rgb"](numbers).save(tmp_path / "x.jpg", quality=75)
    classes = Classes(form="rgb", key="colour", values=PACKED, colours=PACKED, names=NAMES, nearest=True)
    found = classes.encode(read_picture(tmp_path / "x.jpg"), "x.jpg")
    inside = Image.open(tmp_path / "x.jpg")
    pixels = np.asarray(inside).astype(int)
    expected = np.square(pixels[:, :, None] - COLOURS.astype(int)).sum(3).argmin(2)
    np.testing.assert_array_equal(found, expected)
    assert (found == numbers).mean() > 0.95


def test_formats_that_change_classes_are_refused(tmp_path):
    _, numbers = scene(5)
    with pytest.raises(UserError, match=r"x.jpg: JPEG may change the classes of a label map; use .png"):
        write_picture(tmp_path / "x.jpg", CLASSES["palette"].picture(numbers))
    with pytest.raises(UserError, match="BMP has no room for the 16-bit values"):
        write_picture(tmp_path / "x.bmp", CLASSES["gray16"].picture(numbers))
    write_picture(tmp_path / "x.npy", CLASSES["palette"].picture(numbers))
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), numbers)


def test_planes_and_numbers():
    numbers = torch.from_numpy(np.stack([scene(i)[1] for i in range(2)]))[:, None]
    planes = one_hot(numbers, 4)
    assert planes.dtype == torch.uint8 and planes.shape == (2, 4, 48, 48)
    expected = torch.stack([(numbers[:, 0] == k) * 255 for k in range(4)], 1)
    assert torch.equal(planes.long(), expected)
    labelled = numbers[:, 0] < 4
    assert torch.equal(strongest(planes)[:, 0][labelled], numbers[:, 0][labelled])
    shown = show_planes(planes.float() / 127.5 - 1, CLASSES["palette"])
    colours = np.where((numbers.numpy() < 4)[..., None], PALETTE[numbers.numpy() % 255], 0)[:, 0]
    np.testing.assert_allclose((shown.permute(0, 2, 3, 1).numpy() + 1) * 127.5, colours, atol=1e-3)


def test_resizing_takes_the_class_that_covers_most():
    numbers = np.zeros((8, 8), np.uint8)
    numbers[:, 5:] = 7
    assert Classes.resize(numbers, (2, 2)).tolist() == [[0, 7], [0, 7]]
    grown = Classes.resize(numbers, (16, 16))
    assert set(np.unique(grown)) == {0, 7} and (grown[:, :9] == 0).all() and (grown[:, 11:] == 7).all()


@pytest.mark.parametrize(
    "change",
    [
        {"form": "exe"}, {"values": [0, 1, 2]}, {"values": [0, 0, 1, 2]}, {"values": [0, 1, 2, 256]}, {"key": 3},
        {"colours": [1, 1, 2, 3]}, {"values": []}, {"values": [0, 1, 2, True]}, {"more": 1}, {"values": None},
        {"names": [1, 2, 3, 4]},
    ],
)  # fmt: skip
def test_damaged_facts_are_refused(change):
    with pytest.raises((ValueError, TypeError)):
        Classes.from_facts(CLASSES["palette"].to_facts() | change)


def test_distinct_colours_are_distinct_and_those_of_voc():
    colours = distinct_colours(255)
    assert len(set(colours)) == 255 and 0 not in colours
    assert colours[:3] == (0x800000, 0x008000, 0x808000)
