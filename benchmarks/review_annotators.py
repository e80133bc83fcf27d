"""Annotators that know the truth, and tell it always, or most of the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

FALSE_ACCEPT = 0.14  # of two people, how often a noisy annotator says that they are one
FALSE_REJECT = 0.06  # of one person, how often they say that it is two

Item = Mapping[str, Any]
SKIP = "skip"


@dataclass(frozen=True)
class Annotator:
    """Answers questions of the review queues.

    Attributes:
        person_of: face -> the person that it shows; faces of unknown people are missing, and are skipped.
        people_of: identity -> the faces that bear its label now, as its page shows them.
        accept: probability of "one person" where there are two.
        reject: probability of "two people" where there is one.
        rng: what errors are drawn from.
    """

    person_of: Mapping[int, int]
    people_of: Callable[[int], list[int]]
    accept: float
    reject: float
    rng: np.random.Generator

    def one_person(self, a: int, b: int) -> bool | None:
        """Whether two faces are one person, as this annotator sees it; None if nobody could tell."""
        first, second = self.person_of.get(a), self.person_of.get(b)
        if first is None or second is None:
            return None
        return self._sees(first == second)

    def _sees(self, same: bool) -> bool:
        return bool(self.rng.random() >= self.reject) if same else bool(self.rng.random() < self.accept)

    def pair(self, item: Item) -> str:
        """`same`, `different` or `skip`."""
        seen = self.one_person(*item["faces"][:2])
        return SKIP if seen is None else "same" if seen else "different"

    def suspect(self, item: Item) -> str:
        """`left`, `right`, `neither`, `both` or `skip`: the subject beside the faces of one identity or two."""
        subject = self.person_of.get(item["faces"][0])
        shown = [self.shows(identity, without=item["faces"][0]) for identity in item["identities"]]
        if subject is None or None in shown:
            return SKIP
        if len(shown) > 1 and shown[0] == shown[1] and self._sees(shown[0] == subject):
            return "both"
        fits = [self._sees(subject == one) for one in shown]
        return "left" if fits[0] else "right" if any(fits[1:]) else "neither"

    def shows(self, identity: int, *, without: int) -> int | None:
        """The person that most of an identity's faces show; None if they are of nobody known."""
        known = Counter(
            self.person_of[face] for face in self.people_of(identity) if face != without and face in self.person_of
        )
        return known.most_common(1)[0][0] if known else self.person_of.get(without)

    def merge(self, rows: Sequence[list[int]]) -> str:
        """Two rows of faces: are they one person?"""
        seen = [Counter(self.person_of[face] for face in row if face in self.person_of) for row in rows]
        a, b = (known.most_common(1)[0][0] if known else None for known in seen)
        return SKIP if a is None or b is None else "same" if self._sees(a == b) else "different"

    def cluster(self, faces: list[int]) -> tuple[str, dict[str, Any]]:
        """The faces that are not the person of most are picked out of the grid, the rest confirmed."""
        known = Counter(self.person_of[face] for face in faces if face in self.person_of)
        if not known:
            return SKIP, {}
        person = known.most_common(1)[0][0]
        odd = [face for face in faces if face in self.person_of and not self._sees(self.person_of[face] == person)]
        return ("same", {"rejected": odd}) if len(odd) < len(faces) else ("different", {})

    def answer(
        self, asks: str, item: Item, shown: Callable[[int], tuple[list[int], list[int]]]
    ) -> tuple[str, dict[str, Any]]:
        """The answer to an item of a batch of this kind, and what it names; `shown` gives its faces, on two sides."""
        if asks == "cluster":
            return self.cluster(shown(item["id"])[0])
        if asks == "merge":
            return self.merge(shown(item["id"])), {}
        return (self.suspect if asks == "suspect" else self.pair)(item), {}
