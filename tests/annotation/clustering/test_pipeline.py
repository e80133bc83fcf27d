from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from annotation.clustering import Clash, Constraints, JoinRule, Thresholds, agreement, cluster, resolve
from annotation.clustering.vectors import Vectors
from foundation.errors import Cancelled, InvalidInput
from tests.annotation.clustering.linkage_oracle import violations
from tests.annotation.clustering.made_up_faces import DIRECTIONS, constrained_vectors, people

THRESHOLDS = Thresholds(core_distance=0.45, merge_similarity=0.45)
COUNTED = JoinRule(0.004, 1e-3, (1.0,), (0.0,), (0.125,), false_share=0.5, cohort=10)
IN_ROUNDS = Thresholds(core_distance=0.45, merge_similarity=0.45, joins=COUNTED, rounds=3)


@settings(max_examples=60, deadline=None)
@given(constrained_vectors(), st.sampled_from([THRESHOLDS, IN_ROUNDS]))
@example((DIRECTIONS[:0], Constraints.none(0)), IN_ROUNDS)
@example((DIRECTIONS[:1], Constraints.none(1)), IN_ROUNDS)
def test_every_decision_that_holds_is_obeyed(given_: tuple[Vectors, Constraints], thresholds: Thresholds) -> None:
    vectors, constraints = given_
    quality = np.linspace(0, 1, len(vectors), dtype=np.float32)
    clustering = cluster(vectors, constraints=constraints, thresholds=thresholds, quality=quality)
    resolution = resolve(constraints)
    assert clustering.conflicts == resolution.clashes
    for labels in (clustering.labels, clustering.core_labels):
        assert violations(labels, constraints, resolution) == []
    assert len(clustering.sizes) == len(set(clustering.labels.tolist()))
    firsts = [clustering.labels.tolist().index(c) for c in range(len(clustering.sizes))]
    assert firsts == sorted(firsts)


def test_people_are_found_and_explained() -> None:
    vectors, truth = people(seed=12, count=30, faces=600, noise=0.7)
    clustering = cluster(vectors, thresholds=THRESHOLDS)
    assert agreement(clustering.labels, truth).bcubed.f > 0.99
    assert agreement(clustering.labels, clustering.core_labels).bcubed.recall == 1  # cores stay whole
    assert clustering.edges > 0
    assert [evidence.labels.tolist() for evidence in clustering.evidence] == [clustering.labels.tolist()]
    assert clustering.evidence[0].core_labels.tolist() == clustering.core_labels.tolist()
    assert np.array_equal(clustering.labels[clustering.explanation.medoid], np.arange(len(clustering.sizes)))
    again = cluster(vectors, thresholds=THRESHOLDS)
    assert np.array_equal(again.labels, clustering.labels)


def test_more_rounds_bring_scattered_people_together() -> None:
    vectors, truth = people(seed=16, count=60, faces=900, noise=1.25)
    found = [cluster(vectors, thresholds=replace(IN_ROUNDS, rounds=rounds)) for rounds in (1, 2)]
    once, twice = (agreement(one.labels, truth).bcubed for one in found)
    assert twice.f > once.f
    assert twice.precision > 0.97
    assert agreement(found[1].labels, found[0].labels).bcubed.recall == 1  # clusters only grow
    joins = [one.thresholds.joins for one in found]
    assert joins[0] is not None
    assert joins[1] is not None
    assert joins[1].false_joins >= joins[0].false_joins > COUNTED.false_joins
    assert joins[1].false_share is None


def test_without_a_merge_similarity_the_cores_are_the_clusters() -> None:
    vectors, _ = people(seed=13, count=30, faces=300)
    clustering = cluster(vectors, thresholds=Thresholds(0.45, None))
    assert np.array_equal(clustering.labels, clustering.core_labels)
    assert np.array_equal(clustering.linkage.labels, clustering.core_labels)
    assert clustering.explanation.widest_similarity.min() >= 1 - 0.45 - 1e-6


def test_conflicts_are_handed_on() -> None:
    none = Constraints.none(26)
    pair = np.array([[0, 1]])
    clustering = cluster(
        DIRECTIONS, constraints=Constraints(none.identity, none.photo, pair, pair), thresholds=THRESHOLDS
    )
    assert clustering.conflicts == (Clash("must_against_cannot", dropped=(0, 1), kept=(0, 1)),)


def test_progress_only_rises_and_ends_at_its_total() -> None:
    vectors, _ = people(seed=14, count=10, faces=100)
    seen: list[tuple[int, int]] = []
    cluster(vectors, thresholds=IN_ROUNDS, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]


def test_cancelling_stops_either_stage() -> None:
    vectors, _ = people(seed=15, count=10, faces=100)
    for when in (0, 950):

        def stop(done: int, total: int, when: int = when) -> None:
            if done >= when:
                raise Cancelled("stop")

        with pytest.raises(Cancelled):
            cluster(vectors, thresholds=THRESHOLDS, progress=stop)


def test_input_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidInput, match="shape"):
        cluster(DIRECTIONS, constraints=Constraints.none(3), thresholds=THRESHOLDS)
    with pytest.raises(InvalidInput, match="normalised"):
        cluster(DIRECTIONS * 3, thresholds=THRESHOLDS)
    with pytest.raises(InvalidInput, match="Quality"):
        cluster(DIRECTIONS, thresholds=THRESHOLDS, quality=np.ones(3, np.float32))
