"""What a strategy is, and what all of them share: checks, ranking, deduplication, budget, report."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput
from foundation.progress import Progress, silent
from mining.strategies.diversity import farthest_first
from mining.strategies.options import Option, checked
from mining.strategies.pool import Float, Int, Pool

BINS = 40
REACH, MOST_REACHED = 3, 3_000  # at full diversity, so many times the budget is looked at beyond it, at most so many

Asks = Literal["pair", "suspect", "cluster", "merge"]


@dataclass(frozen=True)
class Candidates:
    """Questions that could be asked, in any order.

    Attributes:
        rows: (m, 2) rows of the pool, the subject first.
        value: (m,) how much an answer is worth: faces that it settles times how uncertain it is, >= 0.
        considered: (k,) what the strategy measured over everything that it looked at, for the histogram.
        mark: the value of that measure from which on it looks closer.
    """

    rows: Int
    value: NDArray[np.floating[Any]]
    considered: Float
    mark: float

    @staticmethod
    def none(mark: float) -> Candidates:
        """Nothing to ask."""
        return Candidates(np.empty((0, 2), np.int64), np.empty(0, np.float32), np.empty(0, np.float32), mark)


@dataclass(frozen=True)
class Question:
    """One question for a person.

    Attributes:
        faces: face ids, the subject first.
        identities: the persons in question, -1 and repeats left out; that of the subject first.
        value: see `Candidates`.
        settles: how many faces one answer settles.
        why: one sentence with the figures, for engineers; who answers is told less, see `mining.known`.
        evidence: the same figures as plain JSON values.
        reason: what kind of find it is, in a few words; empty where the strategy knows one kind only.
    """

    faces: tuple[int, ...]
    identities: tuple[int, ...]
    value: float
    settles: int
    why: str
    evidence: dict[str, Any]
    reason: str = ""


@dataclass(frozen=True)
class Mined:
    """The questions picked, most valuable first, and a report.

    Attributes:
        report: `{considered, candidates, picked, duplicates, histogram, values, reasons}`: the histogram is of what was
            measured, values is one of the candidates' values, and reasons says how many were picked for which.
    """

    questions: tuple[Question, ...]
    report: dict[str, Any]


class Strategy(ABC):
    """Subclass and give `find`, which looks at everything at once, and `ask`, which words one question.

    Attributes:
        asks: `pair`: are these two faces one person? `suspect`: whom does the first face show, the first of the
            identities or the second? `cluster`: are all faces of a cluster its person? `merge`: are the two identities
            one person?
        sees_leftovers: whether faces that the profile prior set aside are in the pool that it is given.
        weighs_pairs_beside: whether `Pool.beside` makes a difference to it.
        options: what can be chosen about it.
        chosen: the value of each option.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    asks: ClassVar[Asks]
    sees_leftovers: ClassVar[bool] = False
    weighs_pairs_beside: ClassVar[bool] = False
    options: ClassVar[tuple[Option, ...]] = ()

    def __init__(self, **given: object) -> None:
        """Raises InvalidInput (`unknown_option`, `bad_option`)."""
        self.chosen: dict[str, Any] = checked(self.name, self.options, given)

    def mine(self, pool: Pool, *, budget: int, diversity: float = 0.0, progress: Progress = silent) -> Mined:
        """The `budget` most valuable questions that were not asked before, no two about the same near-duplicates.

        Args:
            diversity: 0..1. Above 0 the questions are those that differ most (`diversity.farthest_first`) among more of
                the most valuable ones: at 1, `REACH` times the budget more. The most valuable one is always among them.

        Raises InvalidInput for a pool whose columns do not fit, a budget below 0, or a diversity out of range.
        """
        pool.check()
        if budget < 0:
            raise InvalidInput("The budget can't be negative.", code="bad_budget")
        if not 0 <= diversity <= 1:
            raise InvalidInput("The diversity must lie between 0 and 1.", code="bad_diversity")
        wanted = budget + round(diversity * min(REACH * budget, MOST_REACHED))
        pool = pool if self.sees_leftovers else pool.without_leftovers
        found = self.find(pool, progress)
        order = np.lexsort((pool.face_ids[found.rows[:, 1]], pool.face_ids[found.rows[:, 0]], -found.value))
        parties = pool.parties()
        picked: list[Question] = []
        seen: set[tuple[int, ...]] = set()
        duplicates = 0
        for at in order.tolist():
            if len(picked) >= wanted:
                break
            rows = found.rows[at]
            alike = (*pool.groups[rows].tolist(), *parties[rows].tolist())
            question = None if alike in seen else self.ask(pool, found, at)
            if question is None or question.faces in pool.asked:
                duplicates += alike in seen
                continue
            seen.add(alike)
            picked.append(question)
        questions, spread = (picked, {}) if wanted == budget else _spread(pool, picked, budget)
        report = {
            "considered": len(found.considered),
            "candidates": len(found.rows),
            "picked": len(questions),
            "duplicates": duplicates,
            "histogram": _histogram(found.considered, found.mark),
            "values": _histogram(found.value, None),
            "reasons": dict(Counter(question.reason or self.title for question in questions).most_common()),
            **spread,
        }
        return Mined(tuple(questions), report)

    @abstractmethod
    def find(self, pool: Pool, progress: Progress) -> Candidates:
        """All candidates of a pool that was checked."""

    @abstractmethod
    def ask(self, pool: Pool, found: Candidates, at: int) -> Question | None:
        """Word candidate number `at`; None to pass it over."""


def _spread(pool: Pool, finalists: list[Question], budget: int) -> tuple[list[Question], dict[str, Any]]:
    """The finalists that differ most, still the most valuable first, and `{finalists, radius}` for the report."""
    shown = np.array([(one.faces[0], one.faces[min(1, len(one.faces) - 1)]) for one in finalists], np.int64)
    rows = np.searchsorted(pool.face_ids, shown.reshape(-1, 2))
    found = farthest_first(pool.vectors[rows[:, 0]], pool.vectors[rows[:, 1]], budget)
    kept = [finalists[at] for at in sorted(found.picked.tolist())]
    return kept, {"finalists": len(finalists), "radius": round(found.radius, 4)}


def _histogram(measured: NDArray[np.floating[Any]], mark: float | None) -> dict[str, Any]:
    if not len(measured):
        return {}
    low, high = float(measured.min()), float(measured.max())
    high = max(high, low + 1e-3)
    counts, _ = np.histogram(measured, BINS, (low, high))
    return {"counts": counts.tolist(), "low": low, "high": high, "threshold": mark}
