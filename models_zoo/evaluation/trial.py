"""All pairs of two sets of faces, reduced to what verification needs: every genuine pair, the closest impostors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
BLOCK = 1024


@dataclass(frozen=True)
class FaceSet:
    """Embedded faces of known people.

    Attributes:
        vectors: float32 (n, d), rows L2-normalised.
        people: int64 (n,), who each face shows.
        sources: int64 (n,), the photo that each face was taken from; a degraded copy has its original's number.
    """

    vectors: Floats
    people: Ints
    sources: Ints

    def __post_init__(self) -> None:
        n = len(self.vectors)
        if self.vectors.ndim != 2 or self.people.shape != (n,) or self.sources.shape != (n,):
            raise InvalidInput("A face set needs vectors (n, d) with people (n,) and sources (n,).")
        if n and not np.allclose(np.linalg.norm(self.vectors, axis=1), 1.0, atol=1e-3):
            raise InvalidInput("Vectors of a face set must be L2-normalised and finite.")


@dataclass(frozen=True)
class Trial:
    """Similarities of genuine pairs, and of the most similar impostor pairs, with who is in them.

    People are renumbered 0 .. p-1. Only the closest impostors are kept, for thresholds at small false-accept rates lie
    among them; how many there are in all follows from the counts.

    Attributes:
        genuine, genuine_person: (g,) cosine similarity; who.
        impostor, impostor_a, impostor_b: (k,) falling cosine similarity; the two people.
        pairs: (p, p) float64, number of impostor pairs between each two people, diagonal 0.
    """

    genuine: Floats
    genuine_person: Ints
    impostor: Floats
    impostor_a: Ints
    impostor_b: Ints
    pairs: NDArray[np.float64]

    @property
    def people(self) -> int:
        return len(self.pairs)

    def impostors_in_all(self, weights: NDArray[np.float64]) -> float:
        """Weight of all impostor pairs, where a pair of people a, b weighs weights[a] * weights[b]."""
        return float(weights @ self.pairs @ weights)


def verification_trial(probes: FaceSet, gallery: FaceSet | None = None, *, far: float = 1e-3) -> Trial:
    """Every probe against every gallery face; without a gallery, every unordered pair of probes.

    Genuine pairs of one source photo are left out: they prove nothing. Exact for false-accept rates up to `far` in
    every bootstrap sample that is not absurd, as ten times the impostors that `far` accepts are kept.

    Raises:
        InvalidInput: no genuine or no impostor pair.
    """
    other = probes if gallery is None else gallery
    names, numbers = np.unique(np.concatenate([probes.people, other.people]), return_inverse=True)
    rows, columns = numbers[: len(probes.people)], numbers[len(probes.people) :]
    pairs = _count_pairs(rows, columns, len(names), unordered=gallery is None)
    keep = max(10_000, int(np.ceil(pairs.sum() * far * 10)))
    genuine: list[tuple[Floats, Ints]] = []
    top = _Top(keep)
    for start in range(0, len(rows), BLOCK):
        stop = min(start + BLOCK, len(rows))
        similarity = (probes.vectors[start:stop] @ other.vectors.T).astype(np.float32)
        same = rows[start:stop, None] == columns[None, :]
        wanted = np.ones_like(same)
        if gallery is None:
            wanted = np.arange(start, stop)[:, None] < np.arange(len(columns))[None, :]
        fresh = probes.sources[start:stop, None] != other.sources[None, :]
        i, j = np.nonzero(same & wanted & fresh)
        genuine.append((similarity[i, j], rows[start + i]))
        top.offer(similarity, ~same & wanted, rows[start:stop], columns)
    values = np.concatenate([value for value, _ in genuine]) if genuine else np.empty(0, np.float32)
    if not len(values) or not pairs.any():
        raise InvalidInput("There are no pairs to compare: verification needs two people, one with two photos.")
    return Trial(values, np.concatenate([who for _, who in genuine]), *top.falling(), pairs)


def _count_pairs(rows: Ints, columns: Ints, people: int, *, unordered: bool) -> NDArray[np.float64]:
    a = np.bincount(rows, minlength=people).astype(np.float64)
    b = np.bincount(columns, minlength=people).astype(np.float64)
    pairs = np.outer(a, b) * (0.5 if unordered else 1.0)
    np.fill_diagonal(pairs, 0.0)
    return pairs


class _Top:
    """The `keep` largest similarities seen, in memory bounded by about twice that and one block."""

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self.floor = np.float32(-np.inf)
        self.values = np.empty(0, np.float32)
        self.a = np.empty(0, np.int64)
        self.b = np.empty(0, np.int64)

    def offer(self, similarity: Floats, wanted: NDArray[np.bool_], rows: Ints, columns: Ints) -> None:
        i, j = np.nonzero(wanted & (similarity >= self.floor))
        self.values = np.concatenate([self.values, similarity[i, j]])
        self.a = np.concatenate([self.a, rows[i]])
        self.b = np.concatenate([self.b, columns[j]])
        if len(self.values) > self.keep:
            best = np.argpartition(-self.values, self.keep - 1)[: self.keep]
            self.values, self.a, self.b = self.values[best], self.a[best], self.b[best]
            self.floor = self.values.min()

    def falling(self) -> tuple[Floats, Ints, Ints]:
        order = np.argsort(-self.values, kind="stable")
        return self.values[order], self.a[order], self.b[order]
