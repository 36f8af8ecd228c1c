import pytest
from torch import nn

from translate.utils.errors import short_reason


def test_a_reason_is_a_line_and_one_that_ends_with_a_colon_is_continued():
    assert short_reason(ValueError("first\nsecond")) == "first"
    assert short_reason(ValueError()) == "ValueError"
    with pytest.raises(RuntimeError) as caught:
        nn.Linear(2, 2).load_state_dict({})
    assert short_reason(caught.value).startswith("Error(s) in loading state_dict for Linear: Missing key(s)")
