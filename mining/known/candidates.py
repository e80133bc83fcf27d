"""Choosing, among questions with a known answer, those that pass for real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mining.strategies.base import Question
from mining.strategies.pool import Float, Int, Pool


@dataclass(frozen=True)
class Asked:
    """A question and, where it is known, its answer."""

    question: Question
    gold: str = ""


@dataclass(frozen=True)
class Candidates:
    """m questions that could be asked.

    Attributes:
        rows: (m, 2) of the pool: the two faces shown first.
        measure: (m,) what makes real questions hard, such as how alike the faces are.
        answers: the m known answers.
    """

    rows: Int
    measure: Float
    answers: Sequence[str]


def choose(pool: Pool, found: Candidates, real: Float, wanted: int, rng: np.random.Generator) -> list[int]:
    """Numbers of up to `wanted` candidates, each near the measure of a real question drawn at random.

    The answers take turns as far as candidates go. None lies outside the range of `real`, was asked before, or shows
    a face of another one chosen.
    """
    fits = (found.measure >= real.min() - 1e-6) & (found.measure <= real.max() + 1e-6)
    faces = pool.face_ids[found.rows].tolist()
    free = [at for at in np.flatnonzero(fits).tolist() if not {tuple(faces[at]), tuple(faces[at][::-1])} & pool.asked]
    kinds = sorted({found.answers[at] for at in free})
    used: set[int] = set()
    chosen: list[int] = []
    for turn, target in enumerate(rng.choice(real, wanted).tolist()):
        by_distance = sorted(free, key=lambda at: abs(float(found.measure[at]) - target))
        fresh = [at for at in by_distance if used.isdisjoint(found.rows[at].tolist())]
        if not fresh:
            break
        kind = kinds[turn % len(kinds)]
        chosen.append(next((at for at in fresh if found.answers[at] == kind), fresh[0]))
        used.update(found.rows[chosen[-1]].tolist())
    return chosen


def confirmed(pool: Pool) -> Int:
    """Rows that people put on somebody, person by person."""
    rows = np.flatnonzero(pool.human & (pool.identity >= 0))
    return rows[np.argsort(pool.identity[rows], kind="stable")]


def rows_of(pool: Pool, faces: Sequence[Sequence[int]]) -> Int:
    """(m, k) rows of m times k face ids, all in the pool."""
    return np.searchsorted(pool.face_ids, np.array(faces, np.int64).reshape(len(faces), -1)).astype(np.int64)
