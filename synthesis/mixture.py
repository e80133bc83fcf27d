"""Several generators as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.random import Generator as Rng

from foundation.errors import InvalidInput
from synthesis.bounds import NotEmpty, Within
from synthesis.effects.base import Image, Params
from synthesis.samples import Generator, Labels


@dataclass(frozen=True, slots=True)
class Mixture(Generator):
    """Each sample comes from one of the generators.

    Attributes:
        shares: how often each is chosen, in any measure; equally often if none are given.
    """

    generators: Annotated[tuple[Generator, ...], NotEmpty()]
    shares: tuple[Annotated[float, Within(0, 1_000_000)], ...] = ()

    def __post_init__(self) -> None:
        if self.shares and (len(self.shares) != len(self.generators) or not sum(self.shares)):
            raise InvalidInput("shares: one for each of the generators, not all of them 0", code="bad_recipe")
        if not self.formats():
            raise InvalidInput("generators: they have no format in common", code="bad_recipe")

    def sample(self, rng: Rng) -> Params:
        shares = np.array(self.shares or (1.0,) * len(self.generators))
        chosen = int(rng.choice(len(self.generators), p=shares / shares.sum()))
        return {"chosen": chosen, "params": self.generators[chosen].sample(rng)}

    def render(self, params: Params) -> tuple[Image, Labels]:
        return self.generators[params["chosen"]].render(params["params"])

    def formats(self) -> tuple[str, ...]:
        others = [set(one.formats()) for one in self.generators[1:]]
        return tuple(name for name in self.generators[0].formats() if all(name in known for known in others))

    def classes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for one in self.generators for name in one.classes()))

    def needs(self) -> str:
        return next((one.needs() for one in self.generators if one.needs()), "")

    def check(self) -> None:
        for one in self.generators:
            one.check()

    def ingredients(self) -> dict[str, str]:
        return {name: told for one in self.generators for name, told in one.ingredients().items()}

    def shard_size(self) -> int:
        return min(one.shard_size() for one in self.generators)
