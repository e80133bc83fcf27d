"""Items come in order whatever renders them, and those that fail leave the others alone."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from foundation.errors import InvalidInput
from synthesis.samples import AT_ONCE, Generator, Sample, make_sample, make_samples


@dataclass(frozen=True)
class Renderer(Generator):
    """Renders elsewhere, if `elsewhere`: every second item waits until the next one was drawn."""

    elsewhere: str = "blender"
    drawn: dict[int, threading.Event] = field(default_factory=lambda: {n: threading.Event() for n in range(20)})
    begun: list[int] = field(default_factory=list)

    def sample(self, rng: np.random.Generator) -> dict[str, Any]:
        number = len(self.begun)
        self.begun.append(number)
        self.drawn[number].set()
        return {"shade": int(rng.integers(256))}

    def render(self, params: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        if params["shade"] % 5 == 0:
            raise InvalidInput("Not this one.", code="bad_shade")
        return np.full((2, 2, 3), params["shade"], np.uint8), {}

    def needs(self) -> str:
        return self.elsewhere


@pytest.mark.parametrize("elsewhere", ["", "blender"])
def test_items_come_in_order_and_are_those_that_are_made_alone(elsewhere: str) -> None:
    generator = Renderer(elsewhere)
    found = list(make_samples(generator, 3, range(4, 19)))
    assert [index for index, _ in found] == list(range(4, 19))
    assert any(isinstance(made, Exception) for _, made in found)
    for index, made in found:
        if isinstance(made, Exception):
            with pytest.raises(InvalidInput, match="Not this one"):
                make_sample(Renderer(), 3, index)
        else:
            alone = make_sample(Renderer(), 3, index)
            assert (made.params, made.index, made.image.tobytes()) == (alone.params, index, alone.image.tobytes())


def test_while_another_program_renders_the_next_item_is_drawn() -> None:
    class Slow(Renderer):
        def render(self, params: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            assert self.drawn[1].wait(30), "nobody drew the second item while the first one was rendered"
            return np.zeros((2, 2, 3), np.uint8), {}

    assert all(isinstance(made, Sample) for _, made in make_samples(Slow(), 0, range(3)))


def test_what_is_no_longer_wanted_is_not_begun() -> None:
    generator = Renderer()
    series = make_samples(generator, 0, range(19))
    next(series)
    series.close()  # type: ignore[attr-defined]  # a generator in the language's sense
    assert len(generator.begun) <= 2 * AT_ONCE
