"""Hiding known questions among real ones.

They are drawn to look like the real questions of the batch: as hard, worded by the same function, and beside one
that is like them. What would show an answer, such as the one name of both faces, no question of the batch shows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mining.known.candidates import Asked, Known
from mining.known.clusters import cluster_words, known_clusters
from mining.known.merges import known_merges, merge_words
from mining.known.pairs import known_pairs, pair_words
from mining.known.suspects import known_suspects, suspect_words
from mining.strategies.base import Question
from mining.strategies.pool import Pool

LEAST_SHARE, MOST_SHARE = 0.05, 0.15

Draw = Callable[[Pool, Sequence[Question], int, np.random.Generator], list[Known]]
Words = Callable[[Pool, Sequence[Question]], list[str]]

# What a batch asks -> how known questions of that kind are drawn, and how all of them are worded.
KINDS: dict[str, tuple[Draw, Words]] = {
    "pair": (known_pairs, pair_words),
    "suspect": (known_suspects, suspect_words),
    "cluster": (known_clusters, cluster_words),
    "merge": (known_merges, merge_words),
}


def mix_in(
    pool: Pool,
    questions: Sequence[Question],
    *,
    asks: str,
    share: float,
    rng: np.random.Generator,
    doubted: Collection[int] = (),
) -> list[Asked]:
    """The questions in their order, with known ones between them: about `share` of all, in 0..0.15.

    What people confirmed of faces that are suspects, in these questions or as `doubted`, is no known answer.

    Fewer, or none, where people have not confirmed enough faces of the right similarity. All questions are worded anew,
    in one plain line that says no more of a known one than of a real one; the strategy's own words and figures stay in
    the evidence.
    """
    if not questions:
        return []
    draw, words = KINDS[asks]
    real = [_kept(Asked(question)) for question in questions]
    wanted = int(len(real) * share / (1 - share) + rng.random())  # rounded so that it is right on average
    suspects = {*doubted, *(one.faces[0] for one in questions if asks == "suspect")}
    sure = replace(pool, human=pool.human & ~np.isin(pool.face_ids, list(suspects)))
    mixed = list(real)
    for one in draw(sure, questions, wanted, rng) if wanted else []:
        # Beside the one that it is like: what mining found hard to tell stands high, and so do its likes.
        like = questions[one.like]
        place = [other.question.faces for other in mixed].index(like.faces) + int(rng.integers(0, 2))
        value, settles = _between(mixed, place, rng), one.question.settles or like.settles
        # As likely one person as its like, by which boards gather pairs: its own answer must not decide that.
        expected = {key: like.evidence[key] for key in ("same",) if key in like.evidence}
        evidence = {**one.question.evidence, **expected}
        mixed.insert(place, Asked(replace(one.question, value=value, settles=settles, evidence=evidence), one.gold))
    said = words(pool, [one.question for one in mixed])
    return [replace(one, question=replace(one.question, why=why)) for one, why in zip(mixed, said, strict=True)]


def told(questions: Sequence[Question], asked: Sequence[Asked], share: float) -> dict[str, Any]:
    """For a batch's report: how many known answers were wanted and hidden, and why they are fewer, if so."""
    wanted, hidden = int(len(questions) * share / (1 - share)), sum(bool(one.gold) for one in asked)
    short = "People have decided too few faces that look like those asked about." if hidden < wanted else ""
    return {"known": {"wanted": wanted, "hidden": hidden, "short": short}} if share else {}


def _between(mixed: Sequence[Asked], place: int, rng: np.random.Generator) -> float:
    """A value for that place of the order, and nobody else's."""
    values = [mixed[min(max(at, 0), len(mixed) - 1)].question.value for at in (place - 1, place)]
    if values[0] == values[1]:
        return values[0] * float(rng.uniform(1, 1.1) if place == 0 else rng.uniform(0.9, 1))
    return float(rng.uniform(min(values), max(values)))


def _kept(one: Asked) -> Asked:
    return replace(one, question=replace(one.question, evidence={**one.question.evidence, "why": one.question.why}))
