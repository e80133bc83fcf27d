"""Recipes say what is wrong with them, and items don't depend on one another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator as Rng

from foundation.errors import InvalidInput, NotFound
from synthesis.effects.base import Effect, Image, Params
from synthesis.effects.combinators import OneOf, Probably, contained
from synthesis.effects.noise import Noise
from synthesis.recipes import (
    PARTS,
    PRESETS,
    as_yaml,
    build,
    load_generator,
    load_preset,
    parse_recipe,
    preset_node,
    read_node,
)
from synthesis.samples import ATTEMPTS, Generator, Labels, Rejected, make_sample


@dataclass(frozen=True, slots=True)
class Dice(Generator):
    """One grey pixel; a share of draws is rejected."""

    rejected: float = 0.5

    def sample(self, rng: Rng) -> Params:
        if rng.random() < self.rejected:
            raise Rejected("a bad throw")
        return {"grey": int(rng.integers(256))}

    def render(self, params: Params) -> tuple[Image, Labels]:
        return np.full((1, 1, 3), params["grey"], np.uint8), {"grey": params["grey"]}


@given(st.lists(st.integers(0, 500), min_size=1, max_size=20), st.integers(0, 2**40))
def test_items_are_the_same_in_any_order(indices: list[int], seed: int) -> None:
    alone = {index: make_sample(Dice(), seed, index).labels["grey"] for index in indices}
    for index in reversed(indices):
        assert make_sample(Dice(), seed, index).labels["grey"] == alone[index]


def test_rejected_draws_are_counted_and_end() -> None:
    attempts = [make_sample(Dice(), 3, index).attempt for index in range(400)]
    assert 0.7 < np.mean(attempts) < 1.3  # half rejected: one before each success
    with pytest.raises(InvalidInput, match=f"{ATTEMPTS} draws; the last one: a bad throw"):
        make_sample(Dice(1.0), 3, 0)
    with pytest.raises(InvalidInput, match="0 or more"):
        make_sample(Dice(), -1, 0)


def test_effects_and_combinators_from_yaml() -> None:
    part = parse_recipe(
        """
        probably:
          probability: 0.5
          effect:
            one_of:
              effects:
                - noise: {read: [1, 4]}
                - jpeg:
        """
    )
    assert isinstance(part, Probably)
    assert isinstance(part.effect, OneOf)
    assert part.effect.effects[0] == Noise(read=(1.0, 4.0))
    assert len(list(contained(part))) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("noise: {read: [4, 1]}", r"recipe\.noise\.read: the range \[4, 1\] is turned round"),
        ("noise: {reed: [1, 4]}", r"recipe\.noise has no key reed; known are read, shot"),
        ("nose: {}", "recipe: nothing is called 'nose'; known are low_resolution"),
        ("noise: {read: 4}", r"recipe\.noise\.read: a list is needed, not 4"),
        ("noise: {read: [1, 2, 3]}", "2 values are needed, not 3"),
        ("noise: {read: [a, b]}", "float is needed, not 'a'"),
        ("noise: {read: [.nan, 1]}", "nan is no finite number"),
        ("noise: [1]", "arguments are a mapping"),
        ("probably: {probability: 0.5}", r"recipe\.probably: the key effect is missing"),
        ("probably: {probability: 0.5, effect: {words: {}}}", r"recipe\.probably\.effect: words is no Effect"),
        ("one_of: {effects: [{noise: {read: [2, 1]}}]}", r"recipe\.one_of\.effects\[0\]\.noise\.read: the range"),
        ("- noise", "a part is written as"),
        ("a: [", "is not YAML"),
        (
            "text_lines: {corpus: {words: {}}, height: [1, 4]}",
            r"height: 1 is out of bounds; it may be 16 to 512",
        ),
        ("text_lines: {corpus: {words: {}}, effects: {misalignment: {}}}", "misalignment would move pixels"),
        ("text_lines: {corpus: {words: {}}, effects: {roll: {}}}", "roll would move pixels"),
        ("text_lines: {corpus: {words: {count: [1.5, 2]}}}", r"words\.count: int is needed, not 1\.5"),
    ],
)
def test_mistakes_are_named(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse_recipe(text)


@given(st.floats(-100, 100), st.floats(-100, 100))
def test_ranges(low: float, high: float) -> None:
    if low <= high:
        assert build({"roll": {"degrees": [low, high]}}).degrees == (low, high)
    else:
        with pytest.raises(InvalidInput) as caught:
            build({"roll": {"degrees": [low, high]}})
        assert caught.value.code == "range_reversed"


def jumbled(node: Any) -> Any:
    """As a database keeps it: short keys first."""
    if isinstance(node, list):
        return [jumbled(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: jumbled(node[key]) for key in sorted(node, key=lambda key: (len(key), key))}


@pytest.mark.parametrize("name", PRESETS)
def test_recipes_are_written_as_parts_declare_their_keys_and_read_back(name: str) -> None:
    node = preset_node(name)
    text = as_yaml(jumbled(node))
    assert read_node(text) == node
    assert text == as_yaml(node)
    assert build(read_node(text)) == build(node)


def test_keys_stand_in_the_constructors_order() -> None:
    lines = {"paint": {"worn": 0.1, "contrast": 4.0}, "effects": {"noise": {"shot": [0, 2], "read": [1, 4]}}, "more": 1}
    lines |= {"layout": {"margin": [0, 0.1], "lines": [1, 2]}, "corpus": {"codes": {"length": [3, 4], "alphabet": "é"}}}
    assert as_yaml({"text_lines": lines}) == (
        "text_lines:\n"
        "  corpus:\n"
        "    codes:\n"
        "      alphabet: é\n"
        "      length: [3, 4]\n"
        "  layout:\n"
        "    lines: [1, 2]\n"
        "    margin: [0, 0.1]\n"
        "  paint: {contrast: 4.0, worn: 0.1}\n"
        "  effects:\n"
        "    noise:\n"
        "      read: [1, 4]\n"
        "      shot: [0, 2]\n"
        "  more: 1\n"
    )
    assert as_yaml({"nonsense": [1, {"b": 1, "a": 2}]}) == "nonsense:\n- 1\n- {b: 1, a: 2}\n"


def test_every_part_can_be_built_or_says_what_it_needs() -> None:
    for name in PARTS:
        try:
            build({name: {}})
        except InvalidInput as error:
            assert "is missing" in error.message or "at least one" in error.message, name


def test_presets_and_files(recipe_file: Path) -> None:
    assert {"text_document", "text_label", "text_price", "text_curved", "text_hard"} <= PRESETS.keys()
    for name in PRESETS:
        part = build(preset_node(name))
        assert isinstance(part, Generator) == (not name.startswith("faces_"))
        assert isinstance(part, Generator | Effect)
    with pytest.raises(NotFound, match=r"known are .*text_curved"):
        load_preset("nothing")
    with pytest.raises(NotFound, match="There is no recipe"):
        load_generator(recipe_file)
    recipe_file.write_text("noise: {}")
    with pytest.raises(InvalidInput, match="makes an effect"):
        load_generator(recipe_file)
