"""Every setting says what it may be; within that everything can be drawn, beyond it a recipe is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import numpy as np
import pytest

from foundation.errors import InvalidInput, LoupeError
from models_zoo.alignment import TEMPLATE
from synthesis.bounds import Within
from synthesis.effects import EFFECTS, item_rng
from synthesis.recipes import PARTS, PRESETS, build, preset_node
from synthesis.recipes.building import hints_of, part_class
from synthesis.recipes.settings import Setting, settings_of, with_settings
from synthesis.samples import make_sample
from tests.synthesis.effects.test_effects import picture

NUMBERS = {float, int, tuple[float, float], tuple[int, int]}
CORPORA: dict[str, Any] = {
    "words": {},
    "prices": {},
    "dates": {},
    "weights": {},
    "codes": {},
    "phrases": {"corpus": {"codes": {}}},
    "addresses": {},
    "phones": {},
}
WARPS = ("rotation", "perspective", "arc", "sine", "elastic", "lens")


def unbounded(cls: type) -> Iterator[str]:
    """Numbers of a part, or of what it holds, that don't say what they may be."""
    for name, hint in hints_of(cls).items():
        one = hint
        if get_origin(one) in (Union, UnionType):
            one = get_args(one)[0]
        if one in NUMBERS:
            yield f"{cls.__name__}.{name}"
        elif is_dataclass(one) and isinstance(one, type):
            yield from unbounded(one)


@pytest.mark.parametrize("name", PARTS)
def test_every_number_says_what_it_may_be(name: str) -> None:
    assert list(unbounded(part_class(name))) == []


@pytest.mark.parametrize("name", PARTS)
def test_defaults_lie_within(name: str) -> None:
    cls = part_class(name)
    hints = hints_of(cls)
    for field in fields(cls):
        if get_origin(hints.get(field.name)) is Annotated and isinstance(field.default, int | float | str | tuple):
            for bound in get_args(hints[field.name])[1:]:
                assert bound.problem(field.default) == "", field.name


def extremes(node: Any) -> Iterator[tuple[str, Any]]:
    """The recipe with each of its numbers at the least and at the greatest that it may be, one at a time."""
    for setting in settings_of(node):
        for end in (setting.least, setting.greatest):
            if end is not None:
                yield f"{setting.path} {end}", with_settings(node, {setting.path: end})


@pytest.mark.parametrize("name", EFFECTS)
def test_effects_can_be_applied_at_their_bounds(name: str) -> None:
    image = picture(64, 48)
    for told, node in extremes({name: {}}):
        effect = build(node)
        with np.errstate(divide="raise", invalid="raise"):
            out = effect(image, item_rng(1, 0), TEMPLATE * (48 / 112))
        assert (out.shape, out.dtype) == (image.shape, np.uint8), told


def test_text_can_be_drawn_at_its_bounds_or_says_why_not(only_pillow_fonts: None) -> None:
    recipes = [
        {"text_lines": {"corpus": {name: {**given} if name == "phrases" else {}}}} for name, given in CORPORA.items()
    ]
    recipes.append({"text_lines": {"corpus": {"codes": {}}, "layout": {}, "paint": {}}})
    recipes += [{"text_lines": {"corpus": {"codes": {}}, "warps": [{name: {}}]}} for name in WARPS]
    for recipe in recipes:
        for told, node in extremes(recipe):
            generator = build(node)
            for index in range(2):
                with np.errstate(divide="raise", invalid="raise"):
                    try:
                        make_sample(generator, 1, index)
                    except LoupeError as error:
                        assert error.code in {"recipe_yields_nothing", "text_too_large", "glyph_missing"}, told


def test_scenes_can_be_planned_at_their_bounds(only_pillow_fonts: None) -> None:
    for name in ("boxes", "queue"):
        for told, node in extremes({name: {}}):
            try:
                build(node).sample(item_rng(1, 0))
            except LoupeError as error:
                assert error.code in {"sample_rejected", "bad_recipe"}, told


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"noise": {"read": [-3, 4]}}, r"recipe\.noise\.read: -3 is out of bounds; it may be 0 to 128\."),
        ({"jpeg": {"quality": [50, 101]}}, r"jpeg\.quality: 101 is out of bounds; it may be 1 to 100"),
        ({"probably": {"probability": 7, "effect": {"noise": {}}}}, r"probably\.probability: 7 is out of bounds"),
        ({"text_lines": {"corpus": {"codes": {}}, "paint": {"opacity": [-3, 9]}}}, r"paint\.opacity: -3 is out of"),
        (
            {"text_lines": {"corpus": {"codes": {}}, "paint": {"palette": "neon"}}},
            r"palette: 'neon' is unknown",
        ),
        ({"one_of": {"effects": []}}, r"one_of\.effects: at least one is needed"),
        ({"mask": {"kinds": []}}, r"mask\.kinds: at least one is needed"),
        (
            {"mask": {"kinds": ["paper"]}},
            r"kinds\[0\]: 'paper' is unknown; it may be surgical, respirator",
        ),
        ({"some_of": {"effects": [], "least": 0, "most": 0}}, r"some_of\.effects: at least one"),
        ({"some_of": {"effects": [{"noise": {}}], "least": 0, "most": 2}}, r"some_of: .* the 1 effects"),
        ({"some_of": {"effects": [{"noise": {}}], "least": 1, "most": 0}}, r"some_of: least is at most most"),
        ({"some_of": {"effects": [{"noise": {}}], "least": -1, "most": 1}}, r"some_of\.least: -1 is out of bounds"),
        ({"mix": {"corpora": [{"codes": {}}], "shares": [-1]}}, r"mix\.shares\[0\]: -1 is out of bounds"),
        ({"mix": {"corpora": [{"codes": {}}], "shares": [0]}}, "mix: shares: one for each of the corpora, not all"),
        ({"mix": {"corpora": [{"codes": {}}], "shares": [1, 2]}}, "mix: shares: one for each"),
        ({"mixture": {"generators": []}}, r"mixture\.generators: at least one"),
        ({"one_warp_of": {"warps": []}}, r"one_warp_of\.warps: at least one"),
        ({"weights": {"units": []}}, r"weights\.units: at least one"),
        ({"codes": {"alphabet": ""}}, r"codes\.alphabet: at least one"),
        ({"words": {"list": "klingon"}}, r"words\.list: 'klingon' is unknown; it may be cyrillic, greek, latin"),
        ({"shelf": {"aperture": [0, 8]}}, r"shelf\.aperture: 0 is out of bounds"),
        ({"shelf": {"habits": {"gaps": 2}}}, r"shelf\.habits\.gaps: 2 is out of bounds"),
    ],
)
def test_what_lies_beyond_is_refused_by_its_key(node: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        build(node)


@pytest.mark.parametrize("name", PRESETS)
def test_settings_tell_their_bounds(name: str) -> None:
    for setting in settings_of(preset_node(name)):
        numeric = setting.kind not in ("switch", "word")
        assert (setting.least is not None) == (setting.greatest is not None) == numeric
        if numeric:
            values = setting.value if isinstance(setting.value, list) else [setting.value]
            assert Within(setting.least or 0, setting.greatest or 0).problem(tuple(values)) == "", setting.path


def test_settings_tell_their_words() -> None:
    found: dict[str, Setting] = {one.path.rpartition(".")[2]: one for one in settings_of(preset_node("text_price"))}
    assert set(found["palette"].words) == {"", "paper", "price_tag"}
    assert set(found["list"].words) == {"latin", "cyrillic", "greek"}
    assert found["alphabet"].words == ()
