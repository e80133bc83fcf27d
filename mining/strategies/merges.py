"""People of several faces each who may be one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from foundation.progress import Progress
from mining.strategies.base import Candidates, Question, Strategy
from mining.strategies.one_person_two_names import OnePersonTwoNames
from mining.strategies.pairs_near_threshold import PairsNearThreshold
from mining.strategies.pool import Int, Pool

SEVERAL = 3  # faces of either; two crops show as much of fewer


@dataclass(frozen=True)
class Found(Candidates):
    """Candidates of other strategies.

    Attributes:
        source: (m,) which of `parts` each is of.
        number: (m,) its number there.
    """

    source: Int
    number: Int
    parts: tuple[Candidates, ...]


class Merges(Strategy):
    """The pairs of `pairs_near_threshold` and `one_person_two_names` where both sides have several faces.

    Two faces may mislead where two rows, oldest to newest, show what age and light do. Value: as the pair's.
    """

    name = "merges"
    title = "One identity, or two"
    asks = "merge"

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self._sources: tuple[Strategy, ...] = (PairsNearThreshold(), OnePersonTwoNames())

    def find(self, pool: Pool, progress: Progress) -> Candidates:
        known, counts = np.unique(pool.identity[pool.identity >= 0], return_counts=True)
        several = known[counts >= SEVERAL]
        parts = tuple(source.find(pool, progress) for source in self._sources)
        source = np.repeat(np.arange(len(parts)), [len(part.rows) for part in parts])
        number = np.concatenate([np.arange(len(part.rows)) for part in parts])
        rows = np.concatenate([part.rows for part in parts])
        value = np.concatenate([part.value for part in parts]).astype(np.float32)
        people = pool.identity[rows]
        kept = np.flatnonzero(np.isin(people, several).all(axis=1) & (people[:, 0] != people[:, 1]))
        return Found(
            rows=rows[kept],
            value=value[kept],
            considered=parts[0].considered,
            mark=parts[0].mark,
            source=source[kept],
            number=number[kept],
            parts=parts,
        )

    def ask(self, pool: Pool, found: Candidates, at: int) -> Question | None:
        found = cast(Found, found)
        source = int(found.source[at])
        return self._sources[source].ask(pool, found.parts[source], int(found.number[at]))
