from pathlib import Path

import pytest

from translate.data.files.matching import match
from translate.utils.errors import UserError


def files(folder, *names):
    return [Path("/set") / folder / name for name in names]


def found(a, b):
    return {name: (first.name, second.name) for name, first, second in match(a, b)}


def test_partners_are_matched_by_stem_regardless_of_order_and_suffix():
    pairs = match(files("a", "2.png", "10.png", "1.png"), files("b", "10.jpg", "1.jpg", "2.webp"))
    assert [(name, first.stem, second.stem) for name, first, second in pairs] == [(s, s, s) for s in ("1", "10", "2")]
    assert found(files("a", "x.v2.png"), files("b", "x.v2.jpg")) == {"x.v2": ("x.v2.png", "x.v2.jpg")}


def test_sub_folders_are_part_of_the_key():
    a, b = files("a", "p/1.png", "q/1.png"), files("b", "q/1.jpg", "p/1.jpg")
    pairs = match(a, b)
    assert [(name, first.parent.name, second.parent.name) for name, first, second in pairs] == [
        ("p/1", "p", "p"),
        ("q/1", "q", "q"),
    ]


def test_sub_folders_of_one_side_are_ignored_if_stems_are_unique():
    assert found(files("a", "p/1.png", "q/2.png"), files("b", "1.jpg", "2.jpg")) == {
        "1": ("1.png", "1.jpg"),
        "2": ("2.png", "2.jpg"),
    }
    with pytest.raises(UserError, match="no picture of '/set/a' has the name of one of '/set/b'"):
        match(files("a", "p/1.png", "q/1.png"), files("b", "1.jpg", "2.jpg"))


@pytest.mark.parametrize(
    ("a", "b", "names"),
    [
        (("12_A.png", "22_A.png"), ("22_B.png", "12_B.png"), ("12", "22")),
        (("shoe1_sketch.png", "shoe11_sketch.png"), ("shoe11.png", "shoe1.png"), ("shoe1", "shoe11")),
        (("sketch_1.png", "sketch_2.png"), ("photo-2.png", "photo-1.png"), ("1", "2")),
        (("u_000_left8bit.png", "v_001_left8bit.png"), ("u_000_fine_rgb.png", "v_001_fine_rgb.png"),
         ("u_000", "v_001")),
        (("1A.png", "2A.png"), ("1B.png", "2B.png"), ("1", "2")),
    ],
)  # fmt: skip
def test_a_common_prefix_or_suffix_is_ignored(a, b, names):
    pairs = found(files("a", *a), files("b", *b))
    assert tuple(pairs) == names
    for name, (first, second) in pairs.items():
        assert name in first
        assert name in second


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (("img_1.png", "img_2.png"), ("img_3.png", "img_4.png")),  # what differs is the number
        (("cat.png", "dog.png"), ("oak.png", "elm.png")),
        (("x1y.png", "x2y.png", "1yz.png"), ("q.png", "r.png")),
        (("cat.png",), ("cow.png",)),  # one pair alone proves no rule
    ],
)
def test_unrelated_names_are_not_paired(a, b):
    with pytest.raises(UserError, match=r"no picture of '/set/a' .* \(.*png; .*png\); give .* the same name"):
        match(files("a", *a), files("b", *b))


def test_ambiguous_affixes_are_refused():
    a = files("a", "n1_n.png", "n2_n.png")
    b = files("b", "n1_n_n.png", "n2_n_n.png", "n_n1_n.png", "n_n2_n.png")
    with pytest.raises(UserError):
        match(a, b)


def test_pictures_unmatched_after_removing_affixes_are_named():
    a, b = files("a", "1_A.png", "2_A.png", "3_A.png"), files("b", "1_B.png", "2_B.png", "4_B.png")
    with pytest.raises(UserError, match=r"1 of 3 pictures in '/set/a' \(3_A.png\) and 1 of 3 .* \(4_B.png\)"):
        match(a, b)


def test_unmatched_names_are_counted_on_both_sides():
    a = files("a", *(f"{i}.png" for i in range(9)))
    b = files("b", "0.jpg", "1.jpg", "2.jpg", "other.jpg")
    with pytest.raises(UserError) as raised:
        match(a, b)
    assert str(raised.value) == (
        "no partner of the same name for 6 of 9 pictures in '/set/a' (3.png, 4.png, 5.png and 3 more)"
        " and 1 of 4 pictures in '/set/b' (other.jpg); remove these, or list the pairs in a CSV file"
    )
    with pytest.raises(UserError, match=r"for 6 of 9 pictures in '/set/a' \([^)]*\); remove"):
        match(a, b[:3])


def test_a_duplicate_stem_is_refused():
    with pytest.raises(UserError, match="/set/a/1.jpg and 1.png have the same stem"):
        match(files("a", "1.jpg", "1.png"), files("b", "1.jpg"))
