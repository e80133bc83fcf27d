"""Hiding known questions among real ones.

They are drawn to look like the real questions of the batch: as hard, worded by the same function, at random places of
the order. What would show an answer, such as the one name of both faces, no question of the batch shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from mining.known.candidates import Asked
from mining.known.pairs import known_pairs, pair_words
from mining.known.suspects import known_suspects, suspect_words
from mining.strategies.base import Question
from mining.strategies.pool import Pool

LEAST_SHARE, MOST_SHARE = 0.05, 0.15

Draw = Callable[[Pool, Sequence[Question], int, np.random.Generator], list[Asked]]
Words = Callable[[Pool, Sequence[Question]], list[str]]

# What a batch asks -> how known questions of that kind are drawn, and how all of them are worded.
KINDS: dict[str, tuple[Draw, Words]] = {
    "pair": (known_pairs, pair_words),
    "suspect": (known_suspects, suspect_words),
}


def mix_in(
    pool: Pool, questions: Sequence[Question], *, asks: str, share: float, rng: np.random.Generator
) -> list[Asked]:
    """The questions in their order, with known ones between them: about `share` of all, in 0..0.15.

    Fewer, or none, where people have not confirmed enough faces of the right similarity. Where there are some, all
    questions are worded anew; the strategy's own words stay in the evidence.
    """
    real = [Asked(question) for question in questions]
    wanted = int(len(real) * share / (1 - share) + rng.random())  # rounded so that it is right on average
    if not wanted or asks not in KINDS:
        return real
    draw, words = KINDS[asks]
    known = draw(pool, questions, wanted, rng)
    if not known:
        return real
    mixed = [_kept(one) for one in real]
    for one in known:
        place = int(rng.integers(0, len(mixed) + 1))
        above, below = (mixed[min(max(at, 0), len(mixed) - 1)].question.value for at in (place - 1, place))
        value, settles = float(rng.uniform(below, above)), questions[int(rng.integers(len(questions)))].settles
        if above == below:  # at either end; never just the same as another one's
            value = above * float(rng.uniform(1, 1.1) if place == 0 else rng.uniform(0.9, 1))
        mixed.insert(place, replace(one, question=replace(one.question, value=value, settles=settles)))
    said = words(pool, [one.question for one in mixed])
    return [replace(one, question=replace(one.question, why=why)) for one, why in zip(mixed, said, strict=True)]


def _kept(one: Asked) -> Asked:
    return replace(one, question=replace(one.question, evidence={**one.question.evidence, "why": one.question.why}))
