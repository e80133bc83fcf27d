"""Recipes with impossible values end with a sentence, whoever asks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from foundation.errors import InvalidInput, Unavailable
from synthesis.effects.base import Params
from synthesis.recipes import build
from synthesis.samples import make_sample
from synthesis.services.estimates import estimate
from synthesis.services.previews import preview
from tests.synthesis.test_recipes import Dice


@dataclass(frozen=True, slots=True)
class Broken(Dice):
    error: type[Exception] = ValueError

    def sample(self, rng: object) -> Params:
        raise self.error("low >= high")


def test_what_nobody_foresaw_is_a_refusal() -> None:
    (shown,) = preview(Broken(), seed=1, first=0, count=1, draw=False)
    assert shown.code == "unexpected_error"
    assert "low >= high" in shown.reason
    with pytest.raises(InvalidInput, match="low >= high") as refused:
        estimate(Broken(), format="webdataset", seed=1, count=2)
    assert refused.value.code == "unexpected_error"
    with pytest.raises(Unavailable):
        preview(Broken(error=MemoryError), seed=1, first=0, count=1, draw=False)


def test_a_text_image_has_an_end(only_pillow_fonts: None) -> None:
    with pytest.raises(InvalidInput, match=r"lines: 1200 is out of bounds; it may be 1 to 40"):
        build({"text_lines": {"corpus": {"words": {}}, "layout": {"lines": [1200, 1200]}}})
    long = build({"text_lines": {"corpus": {"codes": {"length": [5000, 5000]}}}})
    with pytest.raises(InvalidInput, match="characters") as refused:
        make_sample(long, 1, 0)
    assert refused.value.code == "text_too_large"


@pytest.mark.parametrize(
    "corpus",
    [
        {"words": {"count": [-3, -1]}},
        {"words": {"count": [0, 0]}},
        {"words": {"count": [1, 10**9]}},
        {"codes": {"length": [1, 10**9]}},
    ],
)
def test_draws_without_an_end_are_refused_at_once(corpus: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match=r"count|length") as refused:
        build({"text_lines": {"corpus": corpus}})
    assert refused.value.code == "out_of_bounds"


def test_forms_within_forms_end() -> None:
    corpus: dict[str, object] = {"codes": {}}
    for _ in range(12):
        corpus = {"phrases": {"forms": ["{}" * 50], "corpus": corpus}}
    drawn = build({"text_lines": {"corpus": corpus}}).corpus.draw(np.random.default_rng(1))  # type: ignore[attr-defined]
    assert 2_000 < len(drawn) < 10_000
