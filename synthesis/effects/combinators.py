"""Effects made of effects. They sample and apply like any other, so recipes nest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Annotated

from numpy.random import Generator

from foundation.errors import InvalidInput
from synthesis.bounds import NotEmpty, Share, Within
from synthesis.effects.base import Effect, Image, Landmarks, Params


@dataclass(frozen=True, slots=True)
class Compose(Effect):
    """All of the effects, one after the other."""

    effects: tuple[Effect, ...]

    def sample(self, rng: Generator) -> Params:
        return {"steps": [effect.sample(rng) for effect in self.effects]}

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        for effect, step in zip(self.effects, params["steps"], strict=True):
            image, landmarks = both(effect, image, landmarks, step)
        return image

    def move(self, points: Landmarks, size: tuple[int, int], params: Params) -> Landmarks:
        for effect, step in zip(self.effects, params["steps"], strict=True):
            points = effect.move(points, size, step)
        return points


@dataclass(frozen=True, slots=True)
class OneOf(Effect):
    """One of the effects, all equally likely."""

    effects: Annotated[tuple[Effect, ...], NotEmpty()]

    def sample(self, rng: Generator) -> Params:
        chosen = int(rng.integers(len(self.effects)))
        return {"chosen": chosen, "params": self.effects[chosen].sample(rng)}

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        return self.effects[params["chosen"]].apply(image, landmarks, params["params"])

    def move(self, points: Landmarks, size: tuple[int, int], params: Params) -> Landmarks:
        return self.effects[params["chosen"]].move(points, size, params["params"])


@dataclass(frozen=True, slots=True)
class SomeOf(Effect):
    """Between `least` and `most` (included) different ones of the effects, in their order."""

    effects: Annotated[tuple[Effect, ...], NotEmpty()]
    least: Annotated[int, Within(0, 100)]
    most: Annotated[int, Within(0, 100)]

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.most <= len(self.effects):
            told = f"least is at most most, and that at most the {len(self.effects)} effects that there are"
            raise InvalidInput(f"{told}; not {self.least} and {self.most}", code="bad_recipe")

    def sample(self, rng: Generator) -> Params:
        count = int(rng.integers(self.least, self.most + 1))
        chosen = sorted(int(index) for index in rng.choice(len(self.effects), size=count, replace=False))
        return {"chosen": chosen, "steps": [self.effects[index].sample(rng) for index in chosen]}

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        for index, step in zip(params["chosen"], params["steps"], strict=True):
            image, landmarks = both(self.effects[index], image, landmarks, step)
        return image

    def move(self, points: Landmarks, size: tuple[int, int], params: Params) -> Landmarks:
        for index, step in zip(params["chosen"], params["steps"], strict=True):
            points = self.effects[index].move(points, size, step)
        return points


@dataclass(frozen=True, slots=True)
class Probably(Effect):
    """The effect with this probability, else the other one, or the image as it is."""

    probability: Share
    effect: Effect
    otherwise: Effect | None = None

    def sample(self, rng: Generator) -> Params:
        if rng.random() < self.probability:
            return {"params": self.effect.sample(rng)}
        if self.otherwise is None:
            return {"params": None}
        return {"params": None, "otherwise": self.otherwise.sample(rng)}

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        effect, drawn = self._chosen(params)
        return image if effect is None else effect.apply(image, landmarks, drawn)

    def move(self, points: Landmarks, size: tuple[int, int], params: Params) -> Landmarks:
        effect, drawn = self._chosen(params)
        return points if effect is None else effect.move(points, size, drawn)

    def _chosen(self, params: Params) -> tuple[Effect | None, Params]:
        if params["params"] is not None:
            return self.effect, params["params"]
        return self.otherwise, params.get("otherwise") or {}


def both(effect: Effect, image: Image, landmarks: Landmarks | None, params: Params) -> tuple[Image, Landmarks | None]:
    """The changed image, and where its landmarks are now."""
    changed = effect.apply(image, landmarks, params)
    size = (image.shape[0], image.shape[1])
    return changed, None if landmarks is None else effect.move(landmarks, size, params)


def contained(effect: Effect) -> Iterator[Effect]:
    """The effect and every effect inside it."""
    yield effect
    for field in fields(effect):  # type: ignore[arg-type]
        value = getattr(effect, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Effect):
                yield from contained(part)
