import pytest
import torch

from tests.inference.test_sampler import make
from translate.inference.latent.arithmetic import compute_style, parse_arithmetic, read_groups, save_group
from translate.utils.errors import OptionError, UserError

GROUPS = {"glasses_men": [3, 14, 27], "men": [5, 6], "women": [8, 9, 10]}


@pytest.mark.parametrize(
    ("text", "factors"),
    [
        ("glasses_men - men + women", {"glasses_men": 1, "men": -1, "women": 1}),
        ("men", {"men": 1}),
        ("-men", {"men": -1}),
        ("+men", {"men": 1}),
        ("0.5*men + women * 2", {"men": 0.5, "women": 2}),
        ("(men + women) / 2", {"men": 0.5, "women": 0.5}),
        ("men - 2*(women - men)", {"men": 3, "women": -2}),
        ("2*3*men/(1+1)", {"men": 3}),
        ("[3,14,27] - [5] + [8]", {"[3, 14, 27]": 1, "[5]": -1, "[8]": 1}),
        ("[5] + men", {"[5]": 1, "men": 1}),
    ],
)
def test_sums_are_parsed(text, factors):
    found = parse_arithmetic(text, GROUPS)
    assert found.factors == factors and list(found.groups) == list(factors)
    assert found.groups.get("men", (5, 6)) == (5, 6)
    assert found.groups.get("[3, 14, 27]", (3, 14, 27)) == (3, 14, 27)


def test_the_result_is_the_sum_of_the_mean_styles():
    sampler = make()
    w, styles = compute_style(sampler, parse_arithmetic("glasses_men - men + women", GROUPS))
    means = {name: sampler.styles(sampler.latents(seeds)).mean(0) for name, seeds in GROUPS.items()}
    torch.testing.assert_close(w, means["glasses_men"] - means["men"] + means["women"])
    torch.testing.assert_close(styles["women"], sampler.styles_of([8, 9, 10]))


def test_a_difference_is_added_to_the_mean_style():
    sampler = make()
    w, _ = compute_style(sampler, parse_arithmetic("glasses_men - men", GROUPS))
    means = [sampler.styles_of(GROUPS[name]).mean(0) for name in ("glasses_men", "men")]
    torch.testing.assert_close(w, sampler.mean_styles()[0] + means[0] - means[1])
    half, _ = compute_style(sampler, parse_arithmetic("0.5*men", GROUPS))
    torch.testing.assert_close(half, (sampler.mean_styles()[0] + means[1]) / 2)


def test_labels_and_truncation_hold_for_all_groups():
    sampler = make(classes=("0", "1"))
    w, _ = compute_style(sampler, parse_arithmetic("[1] - [2] + [3]", {}), label="1", truncation=0.5)
    a, b, c = sampler.styles_of([1, 2, 3], "1", 0.5)
    torch.testing.assert_close(w, a - b + c)
    mixed, _ = compute_style(sampler, parse_arithmetic("[2] - [3] + [1]", {}))  # each seed of its own class
    a, b, c = sampler.styles_of([2, 3, 1])
    torch.testing.assert_close(mixed, a - b + c)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("glasses - men", "unknown group 'glasses'; known are glasses_men, men, women"),
        ("men +", "is no sum of groups; write for example"),
        ("men women", "is no sum of groups"),
        ("men * women", "is no sum of groups"),
        ("1 / men", "is no sum of groups"),
        ("men + 1", "is no sum of groups"),
        ("men / 0", "is no sum of groups"),
        ("men ** 2", "is no sum of groups"),
        ("men.__class__", "is no sum of groups"),
        ("open('x')", "is no sum of groups"),
        ("[]", "is no sum of groups"),
        ("[1.5]", "is no sum of groups"),
        ("[-1]", "is no sum of groups"),
        ("True * men", "is no sum of groups"),
        ("", "is no sum of groups"),
        ("(" * 500 + "men" + ")" * 500, "is no sum of groups"),
        ("2 * 3", "names no group"),
        ("1e999 * men", "has a factor that is not finite"),
    ],
)
def test_mistakes_get_one_line(text, message):
    with pytest.raises(OptionError) as error:
        parse_arithmetic(text, GROUPS)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_without_groups_the_option_to_save_one_is_named():
    with pytest.raises(OptionError, match="no groups are saved yet: --save-group men --seeds 3 14 27"):
        parse_arithmetic("men - women", {})


def test_groups_are_saved_to_a_file(tmp_path):
    file = tmp_path / "run" / "groups.toml"
    save_group(file, "men", [5, 6])
    save_group(file, "Frauen_mit_Hüten", [8])
    save_group(file, "men", [7])
    assert read_groups(file) == {"men": [7], "Frauen_mit_Hüten": [8]}
    for name in ("glasses-men", "3", "", "not", "a b"):
        with pytest.raises(OptionError, match="cannot be used in a sum"):
            save_group(file, name, [1])


@pytest.mark.parametrize(
    "content", ["men = 3", "men = []", "men = [1.5]", "men = [-1]", "men = [true]", "[men]\na = 1"]
)
def test_files_without_groups_are_refused(tmp_path, content):
    (tmp_path / "groups.toml").write_text(content)
    with pytest.raises(UserError, match=r"groups.toml: men should be a list of seeds, such as men = \[3, 14, 27\]"):
        read_groups(tmp_path / "groups.toml")
