from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.clustering import (
    Constraints,
    JoinRule,
    Resolution,
    Thresholds,
    agreement,
    centroids,
    cluster,
    join_arrivals,
    resolve,
)
from annotation.clustering.cross_search import near_pairs
from annotation.clustering.join_needs import SMALLEST_CLUSTER
from annotation.clustering.vectors import Indexes, Vectors, number_clusters, pair_distances
from foundation.errors import InvalidInput
from tests.annotation.clustering.linkage_oracle import Groups, may_link
from tests.annotation.clustering.made_up_faces import constraints_for, distance_matrix, people, tied_vectors

RULE = JoinRule(false_joins=0.5, highest_rate=0.05, shares=(1.0,), means=(0.1,), spreads=(0.2,))
SHARED_RULE = replace(RULE, false_share=0.3, cohort=2, poor_below=0.4, poor_joins=0.8)
STAGES = [
    Thresholds(0.3, None),
    Thresholds(0.6, None),
    Thresholds(0.3, 0.6, 0.05),
    Thresholds(0.05, 0.9, 0.0),
    Thresholds(0.3, 0.75, 0.1, RULE),
    Thresholds(0.1, None, 0.0, RULE),
    Thresholds(0.1, 0.85, 0.1, RULE, rounds=2),
]


class Oracle:
    """All three stages on full matrices, with old clusters as groups that never meet."""

    def __init__(self, vectors: Vectors, settled: Indexes, resolution: Resolution) -> None:
        self.vectors, self.settled, self.resolution = vectors, settled, resolution
        self.groups = self._first_groups()

    def _first_groups(self) -> Groups:
        old = {c: np.flatnonzero(self.settled == c).tolist() for c in np.unique(self.settled) if c >= 0}
        rest: Groups = []
        for component in np.unique(self.resolution.component):
            faces = np.flatnonzero(self.resolution.component == component)
            new, ties = faces[self.settled[faces] < 0].tolist(), faces[self.settled[faces] >= 0]
            if not len(ties):
                rest.append(new)
                continue
            counts = {c: int(np.sum(self.settled[ties] == c)) for c in old}
            firsts = {c: int(np.flatnonzero(self.settled == c)[0]) for c in old}
            old[min(old, key=lambda c: (-counts[c], firsts[c]))] += new
        return [*old.values(), *rest]

    def fixed(self, group: list[int]) -> bool:
        return bool(np.any(self.settled[group] >= 0))

    def may(self, a: list[int], b: list[int]) -> bool:
        """Not two old clusters; and everybody whom people tied to a face of one may be with those of the other."""
        if self.fixed(a) and self.fixed(b):
            return False
        component = self.resolution.component
        reach_a, reach_b = (np.flatnonzero(np.isin(component, component[g])).tolist() for g in (a, b))
        return may_link(reach_a, reach_b, self.resolution)

    def linkage(self, max_distance: float) -> None:
        distances = distance_matrix(self.vectors)
        self._merge_all(lambda a, b: -max(distances[i, j] for i in a for j in b), least=-np.float32(max_distance))

    def evidence(self, least: float, stranger: float) -> None:
        cores = sorted(self.groups, key=min)
        middles = centroids(self.vectors, self.labels())
        cosine = middles.directions.astype(np.float64) @ middles.directions.T.astype(np.float64)
        cosine -= stranger * (1 / np.outer(middles.lengths, middles.lengths) - 1)
        core_of = {face: k for k, core in enumerate(cores) for face in core}

        def similarity(a: list[int], b: list[int]) -> float:
            of_a, of_b = (sorted({core_of[face] for face in group}) for group in (a, b))
            weights = np.outer(middles.sizes[of_a], middles.sizes[of_b])
            return float(np.average(cosine[np.ix_(of_a, of_b)], weights=weights))

        self._merge_all(similarity, least=least)

    def _merge_all(self, similarity, least: float) -> None:  # type: ignore[no-untyped-def]
        while True:
            best = None
            for a, b in itertools.combinations(sorted(self.groups, key=min), 2):
                found = similarity(a, b)
                if found >= least and self.may(a, b) and (best is None or found > best[0]):
                    best = (found, a, b)
            if best is None:
                return
            self._join(best[1], best[2])

    def _join(self, a: list[int], b: list[int]) -> list[int]:
        joined = a + b
        self.groups = [g for g in self.groups if g is not a and g is not b] + [joined]
        return joined

    def joins(self, rule: JoinRule) -> None:
        groups = sorted(self.groups, key=min)
        middles = centroids(self.vectors, self.labels())
        large = [k for k, group in enumerate(groups) if len(group) >= SMALLEST_CLUSTER]
        candidates = []
        for j, joiner in enumerate(groups):
            if len(joiner) >= SMALLEST_CLUSTER or self.fixed(joiner) or not large:
                continue
            needed = rule.similarity(faces=len(joiner), clusters=len(large))
            for k in large:
                cosine = float(middles.directions[j].astype(np.float64) @ middles.directions[k].astype(np.float64))
                cosine -= rule.stranger_similarity * (1 / (middles.lengths[j] * middles.lengths[k]) - 1)
                if cosine >= needed:
                    candidates.append((-cosine, j, k))
        now = dict(enumerate(groups))
        joined = set()
        for _, j, k in sorted(candidates):
            if j not in joined and self.may(now[j], now[k]):
                now[k] = self._join(now[k], now[j])
                joined.add(j)

    def labels(self) -> Indexes:
        labels = np.empty(len(self.vectors), np.int64)
        for k, group in enumerate(sorted(self.groups, key=min)):
            labels[group] = k
        return labels

    def run(self, thresholds: Thresholds) -> Indexes:
        self.linkage(thresholds.core_distance)
        for _ in range(thresholds.rounds):
            if thresholds.merge_similarity is not None:
                self.evidence(thresholds.merge_similarity, thresholds.stranger_similarity)
            if thresholds.joins is not None:
                self.joins(thresholds.joins)
        return self.labels()


def check(vectors: Vectors, settled: Indexes, constraints: Constraints, thresholds: Thresholds) -> None:
    found = join_arrivals(vectors, settled, constraints=constraints, thresholds=thresholds)
    old = settled >= 0
    assert found.labels[old].tolist() == settled[old].tolist()
    assert np.all(found.labels >= 0)
    expected = Oracle(vectors, settled, resolve(constraints)).run(thresholds)
    assert number_clusters(found.labels).tolist() == expected.tolist()
    fresh = found.labels[found.labels > settled.max(initial=-1)]
    assert number_clusters(fresh).tolist() == (fresh - settled.max(initial=-1) - 1).tolist()


@st.composite
def arriving(draw: st.DrawFn) -> tuple[Vectors, Indexes, Constraints]:
    """Few directions, so that ties and duplicates abound; old clusters that may contradict the constraints."""
    vectors = draw(tied_vectors())
    settled = draw(st.lists(st.integers(-1, 4), min_size=len(vectors), max_size=len(vectors)))
    return vectors, np.array(settled, np.int64), draw(constraints_for(len(vectors)))


@settings(max_examples=300, deadline=None)
@given(arriving(), st.sampled_from([Thresholds(0.0, None), Thresholds(0.3, None), Thresholds(1.0, None)]))
def test_cores_with_ties_duplicates_and_constraints(
    given_: tuple[Vectors, Indexes, Constraints], thresholds: Thresholds
) -> None:
    vectors, settled, constraints = given_
    check(vectors, settled, constraints, thresholds)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(STAGES), st.sampled_from([0.0, 0.2, 0.6, 1.0]))
def test_all_stages_agree_with_full_matrices(seed: int, thresholds: Thresholds, old: float) -> None:
    vectors, truth = people(seed, count=5, faces=32, dimensions=6, noise=0.6)
    rng = np.random.default_rng(seed)
    settled = np.where(rng.random(32) < old, number_clusters(truth + 5 * rng.integers(0, 2, 32)), -1)
    apart = np.array([rng.choice(32, 2, replace=False) for _ in range(8)])
    constraints = Constraints(
        identity=np.where(rng.random(32) < 0.1, truth, -1),
        photo=rng.integers(-1, 25, 32),
        must=apart[:2],
        cannot=apart[2:],
    )
    check(vectors, settled, constraints, thresholds)
    check(vectors, settled, Constraints.none(32), thresholds)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([*STAGES, Thresholds(0.2, 0.7, 0.1, SHARED_RULE, rounds=3)]))
def test_where_all_faces_are_new_it_is_a_full_run(seed: int, thresholds: Thresholds) -> None:
    vectors, truth = people(seed, count=8, faces=60, dimensions=8, noise=0.6)
    rng = np.random.default_rng(seed)
    pairs = np.array([rng.choice(60, 2, replace=False) for _ in range(8)])
    constraints = Constraints(np.where(rng.random(60) < 0.1, truth, -1), rng.integers(-1, 50, 60), pairs[:3], pairs[3:])
    quality = rng.random(60).astype(np.float32)
    found = join_arrivals(vectors, np.full(60, -1), constraints=constraints, thresholds=thresholds, quality=quality)
    full = cluster(vectors, constraints=constraints, thresholds=thresholds, quality=quality)
    assert found.labels.tolist() == full.labels.tolist()
    assert len(found.bridges) == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 40), st.integers(0, 300), st.floats(0.0, 2.0))
def test_pairs_between_two_sets_are_those_of_brute_force(seed: int, some: int, others: int, reach: float) -> None:
    vectors, _ = people(seed, count=5, faces=some + others, dimensions=5)
    rows = np.random.default_rng(seed).permutation(some + others)
    first, second = rows[:some].astype(np.int64), rows[some:].astype(np.int64)
    told: list[tuple[int, int]] = []
    tiles = list(
        near_pairs(vectors, first, second, reach, memory_bytes=1 << 20, progress=lambda *share: told.append(share))
    )
    found = {(int(a), int(b)): d for t in tiles for a, b, d in zip(t.rows, t.others, t.distances, strict=True)}
    wanted = np.array(list(itertools.product(first, second)), np.int64).reshape(-1, 2)
    distances = pair_distances(vectors, wanted[:, 0], wanted[:, 1])
    near = distances <= np.float32(reach)
    assert found == dict(zip(map(tuple, wanted[near].tolist()), distances[near], strict=True))
    assert sum(len(t.rows) for t in tiles) == len(found)
    assert told[-1] == (len(tiles), len(tiles))


def three_of_a_kind() -> tuple[Vectors, Indexes]:
    """Two old clusters about one person, 40 degrees apart, and a new face nearer to the second."""
    angles = np.radians([0, 1, 40, 41, 22])
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32), np.array([7, 7, 3, 3, -1])


def test_a_face_that_bridges_two_clusters_joins_the_nearer_and_is_told_of() -> None:
    vectors, settled = three_of_a_kind()
    for thresholds in (Thresholds(0.1, None), Thresholds(0.0001, 0.9)):
        found = join_arrivals(vectors, settled, thresholds=thresholds)
        assert found.labels.tolist() == [7, 7, 3, 3, 3]
        assert found.bridges.tolist() == [[3, 7]]
    apart = Constraints(np.array([0, -1, -1, 1, -1]), np.full(5, -1), np.empty((0, 2), int), np.empty((0, 2), int))
    assert len(join_arrivals(vectors, settled, constraints=apart, thresholds=thresholds).bridges) == 0


def test_on_a_tie_the_cluster_with_the_smaller_first_face_gets_it() -> None:
    vectors = np.array([[0.8, 0.6], [0.8, -0.6], [1, 0]], np.float32)
    for settled, home in (([5, 2, -1], 5), ([2, 5, -1], 2)):
        found = join_arrivals(vectors, np.array(settled), thresholds=Thresholds(0.3, None))
        assert found.labels[2] == home


def test_people_decide_where_new_faces_go() -> None:
    vectors, settled = three_of_a_kind()
    unknown = np.full(5, -1)
    far = Thresholds(0.1, None)

    def where(must: list[list[int]], cannot: list[list[int]], identity: Indexes = unknown) -> int:
        pairs = (np.array(rows, np.int64).reshape(-1, 2) for rows in (must, cannot))
        return int(
            join_arrivals(vectors, settled, constraints=Constraints(identity, unknown, *pairs), thresholds=far).labels[
                4
            ]
        )

    assert where([], [[4, 2]]) == 7
    assert where([], [[4, 2], [1, 4]]) == 8
    assert where([[4, 0]], []) == 7
    assert where([[0, 2], [4, 0], [3, 4]], []) == 3, "most of those it is tied to"
    assert where([[0, 2]], [[4, 2]]) == 8, "who is not one of two that are the same is not the other"
    assert where([], [], np.array([5, -1, -1, -1, 5])) == 7
    assert where([], [], np.array([5, -1, 6, -1, -1])) == 3


def test_people_come_out_as_from_a_full_run() -> None:
    vectors, truth = people(seed=3, count=40, faces=800, noise=0.7)
    thresholds = Thresholds(0.45, 0.5)
    settled = np.full(800, -1)
    settled[:400] = cluster(vectors[:400], thresholds=thresholds).labels
    for end in range(440, 801, 40):
        found = join_arrivals(vectors[:end], settled[:end], thresholds=thresholds)
        settled[:end] = found.labels
    assert agreement(settled, truth).bcubed.f > 0.99
    assert agreement(cluster(vectors, thresholds=thresholds).labels, truth).bcubed.f > 0.99


def test_memory_is_bounded_and_work_can_be_stopped() -> None:
    vectors = np.repeat(np.eye(2, dtype=np.float32), [1500, 1500], axis=0)
    settled = np.where(np.arange(3000) < 1600, np.arange(3000), -1)
    with pytest.raises(InvalidInput) as raised:
        join_arrivals(vectors, settled, thresholds=Thresholds(0.1, None), memory_bytes=8 << 20)
    assert raised.value.code == "graph_too_dense"

    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > 0:
            raise Stopped

    few = np.where(np.arange(3000) < 2990, 0, -1)
    with pytest.raises(Stopped):
        join_arrivals(vectors, few, thresholds=Thresholds(0.1, None), memory_bytes=8 << 20, progress=stop)


def test_a_cluster_that_lies_in_several_tiles_is_joined_whole() -> None:
    vectors = np.ones((700, 1), np.float32)
    settled = np.where(np.arange(700) < 690, 0, -1)
    found = join_arrivals(vectors, settled, thresholds=Thresholds(0.1, None), memory_bytes=2 * 40 * 100**2)
    assert set(found.labels.tolist()) == {0}
    vectors[689] = -1
    found = join_arrivals(vectors, settled, thresholds=Thresholds(0.1, None), memory_bytes=2 * 40 * 100**2)
    assert found.labels[690:].tolist() == [1] * 10


def test_what_does_not_fit_is_refused() -> None:
    vectors, settled = three_of_a_kind()
    for wrong in (settled[:4], settled.astype(float), settled - 1):
        with pytest.raises(InvalidInput):
            join_arrivals(vectors, wrong, thresholds=Thresholds(0.1, None))
    with pytest.raises(InvalidInput, match="not L2-normalised"):
        join_arrivals(2 * vectors, settled, thresholds=Thresholds(0.1, None))
    with pytest.raises(InvalidInput, match="between -1 and 1"):
        join_arrivals(vectors, settled, thresholds=Thresholds(0.1, 1.5))
    empty = join_arrivals(vectors[:0], settled[:0], thresholds=Thresholds(0.1, 0.5))
    assert len(empty.labels) == 0
