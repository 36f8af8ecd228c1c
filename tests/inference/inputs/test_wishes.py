import pytest

from translate.checkpoints.recipe import Recipe
from translate.inference.inputs.wishes import label_code, label_names
from translate.utils.errors import OptionError

NAMES = ["glasses", "black", "blond", "smile"]


def recipe(key="attributes", names=NAMES, **facts):
    return Recipe(
        task="stargan", nets={}, domains=("faces",), size=64, preset="fast", steps=1, data="", directions=(),
        channels={"image": 3, key: len(names)}, facts={key: names, **facts},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("glasses", [1, 0, 0, 0]),
        ("-glasses", [-1, 0, 0, 0]),
        (" glasses , - smile,", [1, 0, 0, -1]),
        (["smile", "-glasses"], [-1, 0, 0, 1]),
        ("blond", [0, -1, 1, 0]),
        ("-blond", [0, 0, -1, 0]),
        ("blond,black", [0, 1, 1, 0]),
    ],
)
def test_wishes_leave_the_rest_but_what_excludes_them(to, code):
    assert label_code(to, None, recipe(apart=[[1, 2]])) == code


def test_of_classes_one_is_chosen():
    model = recipe("classes", ["cats", "dogs"])
    assert label_names(model) == ("cats", "dogs") and label_code("dogs", None, model) == [0, 1]
    for to in ("cats,dogs", "-cats"):
        with pytest.raises(OptionError, match="a picture has one class; choose one of cats, dogs"):
            label_code(to, None, model)
    with pytest.raises(OptionError, match="say its class, as in to=cats; this model knows cats, dogs"):
        label_code(None, None, model)


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("glases", "this model knows no label 'glases'; did you mean 'glasses'?"),
        ("-blnd", "this model knows no label 'blnd'; did you mean 'blond'?"),
        (None, "say what a picture is to get, or with a minus to lose, as in to=glasses; this model knows black"),
        (" , ", "say what a picture is to get"),
        ("smile,-smile", "'smile' is wished both ways; say smile or -smile"),
        (3, "to is 3; give names such as 'glasses'"),
        ([3], "give names such as 'glasses'"),
    ],
)
def test_wrong_wishes_get_one_line(to, message):
    with pytest.raises(OptionError) as caught:
        label_code(to, None, recipe())
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_other_models_have_no_labels():
    other = Recipe(task="cycle", nets={}, domains=("a", "b"), size=64, preset="fast", steps=1, data="")
    assert label_code(None, None, other) is None and label_code(None, [1.0], recipe()) == [1.0]
    with pytest.raises(OptionError, match="this model changes no labels; leave 'to' out"):
        label_code("glasses", None, other)
    with pytest.raises(OptionError, match="leave z or to out"):
        label_code("glasses", [1.0], recipe())
