"""What is written: many words, none of them often, marks and signs of all kinds."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import InvalidInput
from synthesis.recipes import load_preset
from synthesis.text.corpora import Codes, Words
from synthesis.text.phrases import Addresses, Phones, Phrases
from synthesis.text.vocabulary import Inventor, inventor, read_words, weigh_words

SCRIPTS = {"latin": 20_000, "cyrillic": 10_000, "greek": 2_000}


@pytest.mark.parametrize("script", SCRIPTS)
def test_lists_are_long_and_no_word_is_frequent(script: str) -> None:
    words, reach = read_words(script)
    chances = np.diff(reach, prepend=0.0)
    assert len(words) > SCRIPTS[script]
    assert 1 / (chances**2).sum() > 0.4 * len(words)
    assert chances.max() < 4.1 / len(words)
    assert words == tuple(dict.fromkeys(words))


@pytest.mark.parametrize("script", SCRIPTS)
def test_words_are_balanced_over_lengths(script: str) -> None:
    rng = np.random.default_rng(0)
    lengths = [min(len(Words(script, (1, 1), 0.0).draw(rng)), 12) for _ in range(3000)]
    share = np.bincount(lengths, minlength=13)[3:]
    assert share.max() < 3 * share.min()


@pytest.mark.parametrize("script", SCRIPTS)
def test_drawn_words_hardly_repeat(script: str) -> None:
    rng = np.random.default_rng(1)
    seen = Counter(Words(script, (1, 1), 0.0).draw(rng) for _ in range(3000))
    assert len(seen) > 1500
    assert sum(times for _, times in seen.most_common(10)) < 0.03 * 3000


@given(st.integers(0, 2**32))
def test_made_up_words_are_of_the_lists_letters(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for script in SCRIPTS:
        word = inventor(script).invent(rng)
        assert 2 <= len(word) <= 16
        assert set(word) <= set("".join(read_words(script)[0]).lower())


def test_made_up_words_follow_the_given_ones() -> None:
    made = Inventor(["banana"])
    words = {made.invent(np.random.default_rng(seed)) for seed in range(50)}
    assert all(re.fullmatch("ba(na)+", word) for word in words)
    assert len(words) > 2


def test_few_words_are_drawn_as_given() -> None:
    words, reach = weigh_words(("a", "bb", "cc", "dd"))
    assert np.diff(reach, prepend=0.0)[0] == pytest.approx(0.5)
    assert words == ("a", "bb", "cc", "dd")


def test_marks_surround_what_is_drawn() -> None:
    rng = np.random.default_rng(0)
    inner = Codes("A", (3, 3), "")
    assert Phrases(inner, ("({})",)).draw(rng) == "(AAA)"
    assert Phrases(inner, ("{} & {}!",)).draw(rng) == "AAA & AAA!"
    assert Phrases(Words(own=("{}",), count=(1, 1)), ("<{}>",)).draw(rng) == "<{}>"
    with pytest.raises(InvalidInput, match="none of them empty"):
        Phrases(inner, ("",))


@given(st.integers(0, 2**32))
def test_addresses_and_phones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert re.fullmatch(r"[a-z0-9@#/:._?=-]+", Addresses().draw(rng))
    phone = Phones().draw(rng)
    assert "#" not in phone
    assert sum(char.isdigit() for char in phone) >= 6


def test_all_signs_occur() -> None:
    rng, written = np.random.default_rng(0), set()
    for part in load_preset("text").generators:
        written |= set("".join(part.corpus.draw(rng) for _ in range(1500)))
    assert set('@&#!?()[]+;:"§°*=/_-%') <= written
