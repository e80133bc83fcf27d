"""The effects that aiming may draw on, in the order of a picture's making, with the widest ranges that make sense."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from synthesis.effects.base import Effect, Params, Range
from synthesis.effects.registry import make_effect

# Height of a face over the distance of its eyes, as `effects.faces` has the former and the template the latter.
HEIGHT_PER_EYES: Final = 112.0 / 1.05 / 35.24


@dataclass(frozen=True, slots=True)
class Stage:
    """One effect with the probability that it acts and the ranges that aiming may narrow.

    Attributes:
        fixed: further settings of the effect.
    """

    name: str
    probability: float
    ranges: Mapping[str, Range] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def effect(self) -> Effect:
        return make_effect(self.name, **self.ranges, **self.fixed)

    def node(self) -> dict[str, Any]:
        """As a recipe writes it."""
        settings: dict[str, Any] = {key: [_short(one) for one in bounds] for key, bounds in self.ranges.items()}
        settings |= {key: list(value) for key, value in self.fixed.items()}
        part = {self.name: settings}
        if self.probability >= 1:
            return part
        return {"probably": {"probability": round(self.probability, 2), "effect": part}}

    def narrowed(self, probability: float, ranges: Mapping[str, Range]) -> Stage:
        return replace(self, probability=probability, ranges=ranges)

    def values(self, params: Params) -> Iterator[tuple[str, float]]:
        """What was drawn, in the units of the ranges."""
        for key in self.ranges:
            name, unit = _DRAWN_AS.get(key, (key, float))
            drawn = params[name]
            yield from ((key, unit(one)) for one in (drawn if isinstance(drawn, list) else [drawn]))


# Where the parameter that a range draws has another name or unit.
_DRAWN_AS: Final[Mapping[str, tuple[str, Callable[[float], float]]]] = {
    "log2_photons": ("photons", math.log2),
    "gain": ("gains", float),
}

SPACE: Final[tuple[Stage, ...]] = (
    Stage("mask", 0.2, fixed={"top": (0.35, 0.95)}),
    Stage("sunglasses", 0.2),
    Stage("haze", 0.4, {"density": (0.05, 0.9), "grey": (120.0, 255.0)}),
    Stage("exposure", 0.4, {"stops": (-4.0, 2.0)}),
    Stage("colour_cast", 0.4, {"gain": (0.6, 1.4)}, {"saturation": (0.4, 1.2)}),
    Stage("motion_blur", 0.3, {"length": (0.02, 0.3)}),
    Stage("defocus_blur", 0.3, {"radius": (0.005, 0.08)}),
    Stage(
        "low_light",
        0.4,
        {"log2_photons": (2.5, 9.0), "stops": (-4.0, 0.0), "smoothing": (0.0, 1.0)},
        {"read": (0.5, 2.5)},
    ),
    Stage("low_resolution", 0.4, {"height_px": (12.0, 90.0)}),
    Stage("jpeg", 0.5, {"quality": (30.0, 95.0)}),
)


def _short(value: float) -> float:
    return float(f"{value:.3g}")
