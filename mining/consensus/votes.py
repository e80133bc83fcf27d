"""Answers of several people to the same questions, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Votes:
    """m votes on questions 0..n_items-1 by people 0..n_people-1, each for one of the answers 0..n_answers-1.

    Attributes:
        items, people, answers: int64 (m,). A person has one vote on a question.
        n_items, n_people, n_answers: how many there are; some may have no vote.

    Raises:
        InvalidInput: `bad_votes` for arrays that do not fit, numbers out of range, or two votes of one person.
    """

    items: Ints
    people: Ints
    answers: Ints
    n_items: int
    n_people: int
    n_answers: int

    def __post_init__(self) -> None:
        if not self.items.shape == self.people.shape == self.answers.shape or self.items.ndim != 1:
            raise InvalidInput("Votes need one item, person and answer each.", code="bad_votes")
        for name, limit in (("items", self.n_items), ("people", self.n_people), ("answers", self.n_answers)):
            numbers = getattr(self, name)
            if len(numbers) and not (numbers.min() >= 0 and numbers.max() < limit):
                raise InvalidInput(f"Numbers of {name} lie outside 0..{limit - 1}.", code="bad_votes")
        if len(np.unique(self.items * max(1, self.n_people) + self.people)) != len(self.items):
            raise InvalidInput("Somebody has two votes on one question.", code="bad_votes")

    def counts(self) -> Ints:
        """Votes per question and answer, int64 (n_items, n_answers)."""
        cells = self.items * self.n_answers + self.answers
        return np.bincount(cells, minlength=self.n_items * self.n_answers).reshape(self.n_items, self.n_answers)
