"""Finds the ranges: draws from wide ones, keeps what resembles the slice, and narrows to what was kept.

This is approximate Bayesian computation by rejection (Beaumont, Zhang and Balding, Genetics 162, 2002): the effects
are the simulator, the measures its summary statistics, and a draw is kept for each face of the slice that it is near.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput
from foundation.progress import Progress, silent
from models_zoo.alignment import TEMPLATE
from synthesis.aiming.measures import MEASURES, Floats, crop_measures
from synthesis.aiming.proposal import Proposal, distances, spreads, tell
from synthesis.aiming.space import HEIGHT_PER_EYES, SPACE, Stage
from synthesis.effects.base import Image, Params, Range
from synthesis.effects.seeds import item_rng

LEAST_FACES: Final = 20
_TARGET_FACES: Final = 400
_NEAREST: Final = 4
_ROUNDS: Final = 3
# A stage that acts more rarely than this is left out, one that acts more often than the other always acts.
_RARELY, _NEARLY_ALWAYS = 0.08, 0.9
# A stage stays only if leaving it out makes the match worse by this share.
_WORTH: Final = 0.03


@dataclass(frozen=True, slots=True)
class _Draws:
    """n drawn views: what was drawn, stage by stage (None where it did not act), and what was measured."""

    params: list[list[Params | None]]
    measures: Mapping[str, Floats]


def propose(
    crops: NDArray[np.uint8],
    target: Mapping[str, Floats],
    *,
    size_px: Floats | None = None,
    seed: int = 0,
    draws: int = 2500,
    space: Sequence[Stage] = SPACE,
    progress: Progress = silent,
) -> Proposal:
    """Effect ranges that make `crops` look like the faces that `target` was measured on.

    Args:
        crops: uint8 RGB (n, 112, 112, 3), clean ones of the training people.
        target: measures of the slice's faces, some of `MEASURES`, float32 (m,) each. What isn't among `MEASURES` can't
            be matched and is left out.
        size_px: (n,) of the crops; without it they are taken to be full size.
        seed: the same seed gives the same proposal.
        draws: how many views each of the rounds makes.

    Raises:
        InvalidInput: fewer than `LEAST_FACES` crops or faces in the slice, or nothing to match.
    """
    names = [name for name in MEASURES if name in target]
    faces = len(target[names[0]]) if names else 0
    if len(crops) < LEAST_FACES or faces < LEAST_FACES:
        raise InvalidInput(
            f"Aiming needs {LEAST_FACES} clean crops and as many faces in the slice, not {len(crops)} and {faces}.",
            code="too_few_faces",
        )
    if size_px is None:
        size_px = np.full(len(crops), 112.0 / 1.05 / HEIGHT_PER_EYES, np.float32)
    search = _Search(crops, size_px, {name: target[name] for name in names}, seed, draws)
    stages = [stage for stage in space if _may_help(stage, names)]
    total = _ROUNDS + 2
    best: tuple[float, list[Stage]] = (search.loss([]), [])
    for number in range(_ROUNDS):
        stages = search.narrowed(stages, number)
        best = min(best, (search.loss(stages), stages), key=lambda one: one[0])
        progress(number + 1, total)
    stages = search.pruned(best[1])
    progress(_ROUNDS + 1, total)
    again = search.narrowed(stages, _ROUNDS) if stages else stages
    stages = min((stages, again), key=search.loss)
    progress(total, total)
    before, reached = search.check([]).measures, search.check(stages).measures
    return tell(stages, search.target, before, reached, faces=faces, crops=len(crops), seed=seed)


def _may_help(stage: Stage, names: Sequence[str]) -> bool:
    """Whether the target has a measure that tells of this stage at all."""
    needed = {"mask": "covered_mouth", "sunglasses": "covered_eyes", "colour_cast": "warmth"}
    return stage.name not in needed or needed[stage.name] in names


class _Search:
    """The crops and the target, and what is asked of them again and again."""

    def __init__(
        self, crops: NDArray[np.uint8], sizes: Floats, target: Mapping[str, Floats], seed: int, draws: int
    ) -> None:
        self._crops, self._sizes, self._seed, self._count = crops, sizes, seed, draws
        chosen = item_rng(seed, 0).permutation(len(next(iter(target.values()))))[:_TARGET_FACES]
        self.target = {name: np.asarray(values, np.float32)[np.sort(chosen)] for name, values in target.items()}
        self._clean = self._measured(crops[:_TARGET_FACES], sizes[:_TARGET_FACES])
        self._spreads = spreads(self.target, self._clean)
        self._checked: dict[str, _Draws] = {}

    def narrowed(self, stages: Sequence[Stage], number: int) -> list[Stage]:
        """The stages with the probabilities and ranges of the draws that lie next to faces of the slice."""
        made = self._draw(stages, self._count, 1 + number)
        kept = self._near(made.measures)
        result = []
        for place, stage in enumerate(stages):
            acting = [one for row in kept if (one := made.params[row][place]) is not None]
            share = len(acting) / len(kept)
            if share >= _RARELY:
                result.append(stage.narrowed(1.0 if share > _NEARLY_ALWAYS else share, _ranges(stage, acting)))
        return result

    def pruned(self, stages: Sequence[Stage]) -> list[Stage]:
        """Without the stages that the match is no worse for; those that act most rarely are asked first."""
        kept = list(stages)
        for stage in sorted(stages, key=lambda one: one.probability):
            fewer = [one for one in kept if one is not stage]
            if self.loss(fewer) <= self.loss(kept) * (1 + _WORTH):
                kept = fewer
        return kept

    def loss(self, stages: Sequence[Stage]) -> float:
        """Mean distance of the measures' distributions, in spreads."""
        found = distances(self.target, self.check(stages).measures, self._spreads)
        return float(np.mean(list(found.values())))

    def check(self, stages: Sequence[Stage]) -> _Draws:
        """Draws on numbers of their own, the same for every question."""
        key = repr(stages)
        if key not in self._checked:
            self._checked[key] = self._draw(stages, min(400, self._count), 0)
        return self._checked[key]

    def _near(self, measures: Mapping[str, Floats]) -> list[int]:
        """Rows of the draws nearest to each face of the target, with repetitions."""
        scale = np.array([self._spreads[name] for name in self.target], np.float32)
        drawn = np.stack([measures[name] for name in self.target], axis=1) / scale
        wanted = np.stack(list(self.target.values()), axis=1) / scale
        rows: list[int] = []
        for face in wanted:
            away = ((drawn - face) ** 2).sum(axis=1)
            rows += np.argpartition(away, _NEAREST)[:_NEAREST].tolist()
        return rows

    def _draw(self, stages: Sequence[Stage], count: int, number: int) -> _Draws:
        effects = [stage.effect() for stage in stages]
        params: list[list[Params | None]] = []
        images: list[Image] = []
        sizes = np.empty(count, np.float32)
        for index in range(count):
            row = int(item_rng(self._seed, 1, number, index).integers(len(self._crops)))
            image, size, drawn = self._crops[row], float(self._sizes[row]), []
            for stage, effect in zip(stages, effects, strict=True):
                # Numbers of its own, so that leaving out one stage changes nothing for the others.
                rng = item_rng(self._seed, 2, number, index, _number(stage))
                one = effect.sample(rng) if rng.random() < stage.probability else None
                if one is not None:
                    image = effect.apply(image, TEMPLATE, one)
                    size = min(size, one.get("height_px", np.inf) / HEIGHT_PER_EYES)
                drawn.append(one)
            params.append(drawn)
            images.append(image)
            sizes[index] = size
        return _Draws(params, self._measured(np.stack(images), sizes))

    def _measured(self, crops: NDArray[np.uint8], sizes: Floats) -> dict[str, Floats]:
        found = crop_measures(crops, sizes)
        return {name: found[name] for name in self.target}


def _number(stage: Stage) -> int:
    """A number for each name, the same in every process."""
    return int.from_bytes(stage.name.encode()[:8], "big")


def _ranges(stage: Stage, acting: Sequence[Params]) -> dict[str, Range]:
    """From the fifth to the ninety-fifth hundredth of what the kept draws drew."""
    drawn: dict[str, list[float]] = {key: [] for key in stage.ranges}
    for params in acting:
        for key, value in stage.values(params):
            drawn[key].append(value)
    found = {key: np.quantile(values, [0.05, 0.95]).tolist() for key, values in drawn.items()}
    return {key: (low, high) for key, (low, high) in found.items()}
