"""What aiming answers: a recipe, and for each measure how near it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from synthesis.aiming.measures import MEASURES, Floats
from synthesis.aiming.space import Stage
from synthesis.recipes import as_yaml

# A measure whose distance is below this share of a spread is matched; one that changed by less is not reached.
_MATCHED = 0.35


@dataclass(frozen=True, slots=True)
class Match:
    """One measure.

    Attributes:
        target, before, reached: the tenth, half and ninetieth hundredths of the slice, of clean crops, and of clean
            crops under the recipe.
        distance_before, distance: Wasserstein distance to the slice's distribution, in spreads of the measure; 0 is
            the same distribution.
    """

    measure: str
    meaning: str
    target: tuple[float, float, float]
    before: tuple[float, float, float]
    reached: tuple[float, float, float]
    distance_before: float
    distance: float

    @property
    def matched(self) -> bool:
        return self.distance <= _MATCHED

    def sentence(self) -> str:
        low, middle, high = self.target
        told = (
            f"{self.measure} ({self.meaning}): the slice has {low:.3g} to {high:.3g}, half of it below {middle:.3g}; "
        )
        told += f"clean crops have {self.before[0]:.3g} to {self.before[2]:.3g}, "
        told += f"the recipe makes it {self.reached[0]:.3g} to {self.reached[2]:.3g}"
        verdict = "matched" if self.matched else "not quite matched"
        return f"{told} (distance {self.distance_before:.2f} before, {self.distance:.2f} reached: {verdict})."


@dataclass(frozen=True, slots=True)
class Proposal:
    """Attributes: node, the recipe's plain values; matches, measure by measure; faces and crops it rests on; seed."""

    node: dict[str, Any]
    matches: tuple[Match, ...]
    faces: int
    crops: int
    seed: int

    @property
    def recipe(self) -> str:
        """The recipe as YAML, with what it rests on as comments."""
        told = "".join(f"# {line}\n" for line in self.words())
        return told + as_yaml(self.node)

    def words(self) -> list[str]:
        """The proposal, a sentence a line."""
        first = f"Aimed at {self.faces} faces of the slice, from {self.crops} clean crops, seed {self.seed}."
        if not self.node["all_of"]["effects"]:
            first += " Clean crops already resemble it: no effect brings them nearer."
        return [first, *[match.sentence() for match in self.matches]]

    def as_dict(self) -> dict[str, Any]:
        facts = {"recipe": self.node, "yaml": self.recipe, "words": self.words(), "faces": self.faces}
        return facts | {"crops": self.crops, "seed": self.seed, "matches": [asdict(one) for one in self.matches]}


def tell(
    stages: Sequence[Stage],
    target: Mapping[str, Floats],
    before: Mapping[str, Floats],
    reached: Mapping[str, Floats],
    *,
    faces: int,
    crops: int,
    seed: int,
) -> Proposal:
    """The proposal of `stages`, whose measures are `reached`; without them they are `before`."""
    scale = spreads(target, before)
    away, near = distances(target, before, scale), distances(target, reached, scale)
    matches = tuple(
        Match(
            name,
            MEASURES[name],
            _quantiles(target[name]),
            _quantiles(before[name]),
            _quantiles(reached[name]),
            round(away[name], 3),
            round(near[name], 3),
        )
        for name in target
    )
    node = {"all_of": {"effects": [stage.node() for stage in stages]}}
    return Proposal(node, matches, faces, crops, seed)


def spreads(target: Mapping[str, Floats], clean: Mapping[str, Floats]) -> dict[str, float]:
    """What counts as one step of a measure: its deviation within the slice, but not less than a part of all's, nor than
    a few hundredths of its level, which nobody would see.
    """
    found = {}
    for name, values in target.items():
        everything = np.concatenate([values, clean[name]])
        least = max(0.2 * float(np.std(everything)), 0.03 * float(np.abs(everything).mean()), 1e-6)
        found[name] = max(float(np.std(values)), least)
    return found


def distances(target: Mapping[str, Floats], made: Mapping[str, Floats], scale: Mapping[str, float]) -> dict[str, float]:
    """Wasserstein-1 distance of each measure's two distributions, in its spreads."""
    shares = (np.arange(200) + 0.5) / 200
    found = {}
    for name, values in target.items():
        gap = np.abs(np.quantile(values, shares) - np.quantile(made[name], shares)).mean()
        found[name] = float(gap) / scale[name]
    return found


def _quantiles(values: Floats) -> tuple[float, float, float]:
    low, middle, high = (float(f"{value:.4g}") for value in np.quantile(values, [0.1, 0.5, 0.9]))
    return low, middle, high
