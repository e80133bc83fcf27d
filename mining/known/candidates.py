"""Choosing, among questions with a known answer, those that pass for real ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from mining.strategies.base import Question
from mining.strategies.pool import Float, Int, Pool

REACH = 0.15  # in measure, between a question that is made and the one that it is like
TOLERANCE = 0.05  # in measure, between the nearest candidate and the nearest with the answer whose turn it is


@dataclass(frozen=True)
class Asked:
    """A question and, where it is known, its answer."""

    question: Question
    gold: str = ""


@dataclass(frozen=True)
class Known(Asked):
    """A question with a known answer, and the number of the real one that it is most like."""

    like: int = 0


@dataclass(frozen=True)
class Candidates:
    """m questions that could be asked.

    Attributes:
        rows: (m, 2) of the pool: the two faces shown first.
        measure: (m, k) what can be seen of a question besides the faces, such as how alike they are.
        answers: the m known answers.
    """

    rows: Int
    measure: Float
    answers: Sequence[str]


def choose(pool: Pool, found: Candidates, real: Float, wanted: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Up to `wanted` candidates, each the nearest in measure to a real question drawn at random: (candidate, question).

    The answers take turns where that costs little nearness. None lies outside the range of `real` (r, k), was asked
    before, or shows a face of another one chosen.
    """
    fresh = np.all((found.measure >= real.min(axis=0) - 1e-6) & (found.measure <= real.max(axis=0) + 1e-6), axis=1)
    for at in np.flatnonzero(fresh).tolist():
        a, b = pool.face_ids[found.rows[at]].tolist()
        fresh[at] = (a, b) not in pool.asked and (b, a) not in pool.asked
    answers = np.array(found.answers)
    kinds = np.unique(answers[fresh])
    chosen: list[tuple[int, int]] = []
    for turn in range(wanted):
        if not fresh.any():
            break
        like = int(rng.integers(len(real)))
        far = np.where(fresh, np.linalg.norm(found.measure - real[like], axis=1), np.inf)
        of_kind = np.where(answers == kinds[turn % len(kinds)], far, np.inf)
        at = int(of_kind.argmin() if of_kind.min() <= far.min() + TOLERANCE else far.argmin())
        chosen.append((at, like))
        fresh &= ~np.isin(found.rows, found.rows[at]).any(axis=1)
    return chosen


@dataclass(frozen=True)
class Made:
    """A question that was made to be like a real one; `measure` (k,) and `gold` as in `Candidates`."""

    measure: Float
    gold: str


M = TypeVar("M", bound=Made)


def draw(
    real: Float, wanted: int, rng: np.random.Generator, make: Callable[[int], Sequence[M]], take: Callable[[M], None]
) -> list[tuple[M, int]]:
    """Up to `wanted` made questions, each the nearest in measure to a real question drawn at random: (made, question).

    `make` offers some that may be like that question; `take` hears of the one chosen before more are made. The answers
    take turns where that costs little nearness. None is further away than REACH: then another question is drawn.
    """
    chosen: list[tuple[M, int]] = []
    golds = np.array(["same", "different"])[rng.permutation(2)].tolist()
    for like in rng.permutation(len(real))[: 2 * wanted].tolist():
        if len(chosen) == wanted:
            break
        offered = sorted(make(like), key=lambda one: float(np.linalg.norm(one.measure - real[like])))
        far = {id(one): float(np.linalg.norm(one.measure - real[like])) for one in offered}
        if not offered or far[id(offered[0])] > REACH:
            continue
        turn = golds[len(chosen) % 2]
        of_kind = next((one for one in offered if one.gold == turn), offered[0])
        best = of_kind if far[id(of_kind)] <= far[id(offered[0])] + TOLERANCE else offered[0]
        take(best)
        chosen.append((best, like))
    return chosen


def confirmed(pool: Pool) -> Int:
    """Rows that people put on somebody, person by person."""
    rows = np.flatnonzero(pool.human & (pool.identity >= 0))
    return rows[np.argsort(pool.identity[rows], kind="stable")]


def rows_of(pool: Pool, faces: Sequence[Sequence[int]]) -> Int:
    """(m, k) rows of m times k face ids, all in the pool."""
    return np.searchsorted(pool.face_ids, np.array(faces, np.int64).reshape(len(faces), -1)).astype(np.int64)
