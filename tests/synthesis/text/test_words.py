"""What is written: many words, none of them often, marks and signs of all kinds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import InvalidInput
from synthesis.recipes import build, load_preset
from synthesis.samples import make_sample
from synthesis.text import vocabulary
from synthesis.text.corpora import Codes, Corpus, Mix, Prices, Words
from synthesis.text.fonts import Shelf
from synthesis.text.lines import TextLines
from synthesis.text.paint import Paint
from synthesis.text.palettes import FROM_PALETTE
from synthesis.text.phrases import Addresses, Phones, Phrases
from synthesis.text.scripts import looks_alike, script_of
from synthesis.text.vocabulary import WORD_LISTS, Inventor, inventor, read_words, weigh_words

SCRIPTS = {"latin": 20_000, "cyrillic": 10_000, "greek": 2_000}


@pytest.mark.parametrize("script", SCRIPTS)
def test_lists_are_long_and_no_word_is_frequent(script: str) -> None:
    words, reach = read_words(script)
    chances = np.diff(reach, prepend=0.0)
    assert len(words) > SCRIPTS[script]
    assert 1 / (chances**2).sum() > 0.4 * len(words)
    assert chances.max() < 4.1 / len(words)
    assert words == tuple(dict.fromkeys(words))


@pytest.fixture
def dictionaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the system would keep Hunspell's dictionaries; none at first."""
    monkeypatch.setattr(vocabulary, "DICTIONARIES", tmp_path)
    yield tmp_path
    monkeypatch.undo()
    for script in SCRIPTS:
        vocabulary.words_facts(script)


def test_dictionaries_of_the_system_make_lists_longer(dictionaries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = vocabulary.words_facts("greek")
    plain, _ = read_words("greek")
    monkeypatch.setattr(vocabulary, "_TAKEN", 4)
    lines = ["5", "αβγδε/A", "Αθήνα", "ωψχφ", "ζ", "latin", "αβγδεζ/XY"]
    (dictionaries / "el_GR.dic").write_bytes("\n".join(lines).encode("iso8859-7"))
    assert vocabulary.words_facts("greek") == before, "no encoding is known"
    (dictionaries / "el_GR.aff").write_bytes(b"# a comment\nSET ISO8859-7\n")
    told = vocabulary.words_facts("greek")
    assert told != before
    assert read_words("greek")[0] == (*plain, "αβγδε", "ωψχφ")  # of every other line what is a word in small letters
    assert told.startswith(f"{len(plain) + 2:,}, ")
    (dictionaries / "el_GR.dic").unlink()
    assert vocabulary.words_facts("greek") == before
    lines_of = {"words": {"list": "greek"}}
    mix = build({"mix": {"corpora": [lines_of, {"phrases": {"corpus": {"words": {"list": "latin"}}}}, {"codes": {}}]}})
    assert mix.ingredients() == {"words (greek)": before, "words (latin)": vocabulary.words_facts("latin")}
    assert build({"words": {"own": ["x"]}}).ingredients() == {}


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


@pytest.mark.parametrize(
    ("text", "script", "alike"),
    [
        ("OH", "latin", False),
        ("Η", "greek", True),
        ("ΤΟ ΝΕΡΟ", "greek", True),
        ("ό", "greek", True),
        ("το ψωμί", "greek", False),
        ("ВОТ", "cyrillic", True),
        ("вот", "cyrillic", True),
        ("О, мы", "cyrillic", False),
        ("3.99 €", "common", False),
        ("5 µg", "latin", False),
        ("Ηe", "greek+latin", True),
    ],
)
def test_scripts_and_letters_that_hide_them(text: str, script: str, alike: bool) -> None:
    assert (script_of(text), looks_alike(text)) == (script, alike)


def test_lines_show_their_script_where_several_are_mixed(system_shelf: Shelf) -> None:
    greek = Words(own=("ΤΟ", "ψ"), count=(1, 1), capitals=0.0)

    def written(corpus: Corpus) -> set[tuple[str, str]]:
        samples = [make_sample(TextLines(corpus), 3, index) for index in range(25)]
        return {(sample.labels["text"], sample.labels["script"]) for sample in samples}

    assert written(greek) >= {("ΤΟ", "greek")}
    mixed = Mix((greek, Phrases(Words(own=("OH",), count=(1, 1), capitals=0.0), ("{}!",))))
    assert mixed.scripts() == {"greek", "latin"}
    assert {text for text, _ in written(mixed)} & {"ΤΟ", "Το", "ψ", "OH!"} == {"ψ", "OH!"}


def test_codes_have_no_letters_that_are_digits_in_some_fonts() -> None:
    assert not set("OI") & set(Codes().alphabet)


def test_nothing_costs_nothing() -> None:
    rng = np.random.default_rng(0)
    prices = [Prices(highest=3.0, currencies=("€",)).draw(rng) for _ in range(2000)]
    assert all(re.search("[1-9]", price) for price in prices)
    assert 0.15 < np.mean([",99" in price or ".99" in price for price in prices]) < 0.35


def test_palettes_give_most_colours() -> None:
    rng = np.random.default_rng(0)
    grounds = [Paint(palette="price_tag").sample(rng)["ground"]["colours"][0] for _ in range(400)]
    light = [min(red, green) > 190 for red, green, _ in grounds]
    assert np.mean(light) > 0.8 * FROM_PALETTE
    papers = [Paint(palette="paper").sample(rng)["ground"]["colours"][0] for _ in range(400)]
    assert np.mean([min(paper) > 190 for paper in papers]) > FROM_PALETTE


@pytest.mark.parametrize("name", ["words", "prices", "dates", "weights", "codes", "phrases", "addresses", "phones"])
def test_a_corpus_knows_what_it_may_write(name: str) -> None:
    inner: dict[str, Any] = {"corpus": {"words": {"list": "greek", "capitals": 0.4}}} if name == "phrases" else {}
    corpora = [build({name: inner})]
    if name == "words":
        corpora += [build({"words": {"list": one, "capitals": 0.5}}) for one in WORD_LISTS]
        corpora.append(build({"words": {"own": ["straße", "ΐ", "x"], "capitals": 0.5}}))
    rng = np.random.default_rng(3)
    for corpus in corpora:
        written = set("".join(corpus.draw(rng) for _ in range(4000))) - {" "}
        assert written <= corpus.characters()
        assert not any(char.isspace() for char in corpus.characters())
