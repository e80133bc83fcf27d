"""How likely people of a pool are one, by the means of their faces."""

from __future__ import annotations

from functools import cached_property

import faiss
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from annotation.clustering.between_means import BetweenMeans
from annotation.clustering.centroids import Centroids, centroids
from annotation.clustering.prior_odds import log_prior_odds
from annotation.clustering.typical import typical
from mining.strategies.expectations import expected_of_people, expected_of_strangers
from mining.strategies.pool import Bool, Int, Pool

Float64 = NDArray[np.float64]


class Parties:
    """The people of a pool, 0..k-1, and the faces that nobody has, each a party of its own.

    Attributes:
        numbers: (k,) as `Pool.parties` has them, rising.
        of: (n,) the party of each row.
        middles: their means.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.numbers, of = np.unique(pool.parties(), return_inverse=True)
        self.of = of.astype(np.int64)
        self.middles = centroids(pool.vectors, self.of)

    @cached_property
    def between(self) -> BetweenMeans:
        """Learned from the labels, once it is needed."""
        strangers = expected_of_strangers(self._pool, self._pool.vectors, self.of)
        return BetweenMeans(self._pool.vectors, self.of, strangers, expected_of_people(self._pool))

    def rows(self, party: int) -> Int:
        return np.flatnonzero(self.of == party)

    @cached_property
    def shown(self) -> Int:
        """(k,) the clear and typical row of each party."""
        return typical(self._pool.vectors, self.of, self.middles, self._pool.quality)

    def alike(self, pairs: Int) -> Float64:
        """(m,) what clustering compares with its threshold; see `joining_similarity`."""
        return joining_similarity(self._pool, self.middles, pairs)

    def same(self, pairs: Int) -> Float64:
        """(m,) how likely pairs (m, 2) are one person: the evidence in their means, less the logarithm of how many
        there were to choose from, with how common it is among these pairs."""
        if not len(pairs):
            return np.empty(0)
        found = self.between.compare(self.middles, np.arange(len(self.numbers)), pairs)
        score = found.evidence - np.log(max(len(self.numbers) - 1, 1))
        return np.asarray(expit(score + log_prior_odds(score)), np.float64)

    def nearest(self, which: Int, count: int) -> Int:
        """(m, 2) each of some parties with up to `count` others that are most like it, those first."""
        wanted = min(count + 1, len(self.numbers))
        if not len(which) or wanted < 2:
            return np.empty((0, 2), np.int64)
        index = faiss.IndexFlatIP(self.middles.directions.shape[1])
        index.add(self.middles.directions)
        other = index.search(self.middles.directions[which], wanted)[1]
        pairs = np.stack([np.repeat(which, wanted), other.ravel()], axis=1).astype(np.int64)
        return np.asarray(pairs[(pairs[:, 0] != pairs[:, 1]) & (pairs[:, 1] >= 0)], np.int64)

    def settled(self, pairs: Int) -> Bool:
        """(m,) whether people have spoken on a pair, or a photo shows both."""
        told = {tuple(sorted(pair)) for pair in self.of[self._pool.apart].tolist()}
        told |= {tuple(sorted(pair)) for pair in self.of[self._pool.together].tolist()}
        number = {int(party): at for at, party in enumerate(self.numbers)}
        rejected = ((int(self.of[row]), number.get(person, -1)) for row, person in self._pool.rejected)
        told |= {(min(pair), max(pair)) for pair in rejected}
        photos = self.photos(pairs)
        return np.array(
            [(min(a, b), max(a, b)) in told or not photos[a].isdisjoint(photos[b]) for a, b in pairs.tolist()], np.bool_
        )

    def photos(self, pairs: Int) -> dict[int, set[int]]:
        """The photos of each party that is in one of the pairs."""
        found: dict[int, set[int]] = {party: set() for party in np.unique(pairs).tolist()}
        rows = np.flatnonzero(np.isin(self.of, list(found)))
        for party, photo in zip(self.of[rows].tolist(), self._pool.photo_ids[rows].tolist(), strict=True):
            found[party].add(photo)
        return found

    def smaller_first(self, pairs: Int) -> Int:
        """Pairs with the side that an answer moves first: that of fewer faces, by number where both have as many."""
        sizes = self.middles.sizes[pairs]
        return np.where(sizes[:, :1] > sizes[:, 1:], pairs[:, ::-1], pairs)


def joining_similarity(pool: Pool, middles: Centroids, pairs: Int) -> Float64:
    """(m,) similarity of two means, less what strangers' means have in common, which clustering's threshold is for."""
    a, b = middles.directions[pairs[:, 0]], middles.directions[pairs[:, 1]]
    surplus = pool.strangers * (1 / middles.lengths[pairs].prod(axis=1) - 1)
    return np.asarray(np.einsum("ij,ij->i", a, b, dtype=np.float64) - surplus)
