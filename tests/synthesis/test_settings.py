"""What can be changed in a recipe is what its parts take, and a changed recipe is a recipe."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from foundation.errors import InvalidInput
from synthesis.recipes import PRESETS, build, preset_node, read_node
from synthesis.recipes.settings import settings_of, with_settings

PRICE = preset_node("text_price")


@pytest.mark.parametrize("name", PRESETS)
def test_every_setting_can_be_set_to_what_it_is(name: str) -> None:
    node = preset_node(name)
    found = settings_of(node)
    assert len({setting.path for setting in found}) == len(found) > 0
    same = with_settings(node, {setting.path: setting.value for setting in found})
    assert build(same) == build(node)


def test_values_come_from_the_recipe_or_else_the_part() -> None:
    found = {setting.path: setting for setting in settings_of(PRICE)}
    shear = found["text_lines.warps[0].rotation.shear"]
    assert (shear.kind, shear.value, shear.given) == ("range", [-0.1, 0.1], True)
    height = found["text_lines.height"]
    assert (height.kind, height.value, height.given) == ("whole_range", [32, 64], False)
    assert found["text_lines.corpus.mix.corpora[3].codes.alphabet"].kind == "word"


@pytest.mark.parametrize(
    ("given", "value"),
    [("40..48", [40, 48]), ("[40, 48]", [40, 48]), ([40, 48], [40, 48]), ("40", [40, 40]), (40, [40, 40])],
)
def test_ranges_as_people_write_them(given: Any, value: Any) -> None:
    before = copy.deepcopy(PRICE)
    changed = with_settings(PRICE, {"height": given})
    assert changed["text_lines"]["height"] == value
    assert before == PRICE
    build(changed)


def test_words_stay_words_and_missing_groups_are_made() -> None:
    assert (
        with_settings(PRICE, {"alphabet": "0123"})["text_lines"]["corpus"]["mix"]["corpora"][3]["codes"]["alphabet"]
        == "0123"
    )
    lines = read_node("text_lines: {corpus: {dates: {}}}")
    assert with_settings(lines, {"layout.vertical": 0.5})["text_lines"]["layout"] == {"vertical": 0.5}


@pytest.mark.parametrize(
    ("name", "code"), [("probability", "unclear_setting"), ("colour", "unknown_setting"), ("", "unknown_setting")]
)
def test_what_is_no_setting(name: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        with_settings(PRICE, {name: 1})
    assert refused.value.code == code


def test_a_range_turned_round_is_told_by_its_path() -> None:
    with pytest.raises(InvalidInput, match=r"warps\[0\]\.rotation\.degrees.*turned round"):
        build(with_settings(PRICE, {"degrees": "5..-5"}))
