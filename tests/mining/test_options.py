"""Options of strategies: read from JSON and from text alike, refused by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import InvalidInput
from mining.strategies.options import Option, checked

FACES = Option("faces", "wholes", (1, 3), "How many faces.", low=1, high=100)
SHARE = Option("share", "number", 0.5, "How much.", low=0, high=1)
MOST = Option("most", "whole", 2, "How many.", low=1, high=9)
BLOCK = Option("by", "choice", "photo", "What blocks.", choices=("photo", "decision"))
ALL = (FACES, SHARE, MOST, BLOCK)


@given(st.integers(1, 100), st.integers(1, 100))
def test_a_range_reads_the_same_from_json_and_from_text(a: int, b: int) -> None:
    low, high = sorted((a, b))
    for given_ in ((low, high), [low, high], f"{low}..{high}", [str(low), float(high)]):
        assert checked("some", ALL, {"faces": given_})["faces"] == (low, high)
    if low < high:
        with pytest.raises(InvalidInput) as refused:
            checked("some", ALL, {"faces": f"{high}..{low}"})
        assert refused.value.code == "bad_option"
        assert refused.value.message == f"The option faces of some: the range {high}..{low} is reversed."


def test_what_is_not_given_has_its_default() -> None:
    assert checked("some", ALL, {}) == {"faces": (1, 3), "share": 0.5, "most": 2, "by": "photo"}
    assert checked("some", ALL, {"most": "3", "share": 1, "by": "decision"})["most"] == 3


def test_an_unknown_option_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput) as refused:
        checked("some", ALL, {"fces": 3})
    assert refused.value.code == "unknown_option"
    assert refused.value.message == "some has no option 'fces'; it has faces, share, most, by."
    with pytest.raises(InvalidInput, match="it has none"):
        checked("other", (), {"faces": 3})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("faces", 3),
        ("faces", [1]),
        ("faces", [1, 2, 3]),
        ("faces", "1..2.5"),
        ("faces", "0..2"),
        ("faces", "1..101"),
        ("faces", None),
        ("faces", {"low": 1}),
        ("share", "much"),
        ("share", 1.01),
        ("share", -0.1),
        ("share", float("nan")),
        ("share", "inf"),
        ("share", True),
        ("share", [0.5]),
        ("most", 1.5),
        ("most", 10),
        ("most", 10**400),
        ("by", "mirror"),
        ("by", 3),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked("some", ALL, {name: value})
    assert refused.value.code == "bad_option"
    assert refused.value.message.startswith(f"The option {name} of some: ")


def test_an_option_tells_what_it_takes() -> None:
    assert FACES.allowed == "two whole numbers, as 1..3, from 1 to 100" and FACES.text == "1..3"
    assert SHARE.allowed == "a number from 0 to 1" and BLOCK.allowed == "one of photo, decision"
    assert MOST.described()["default"] == 2 and BLOCK.text == "photo"
