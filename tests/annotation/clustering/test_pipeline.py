from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from annotation.clustering import (
    Clash,
    Constraints,
    JoinRule,
    Thresholds,
    agreement,
    calibrate,
    cluster,
    graph,
    resolve,
)
from annotation.clustering.device_search import DeviceSearch
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


@pytest.mark.parametrize("when", [0, 500, 920, 960])
def test_run_again_after_cancelling_gives_what_an_undisturbed_run_gives(when: int) -> None:
    vectors, truth = people(seed=17, count=12, faces=300, noise=0.9)
    photo = np.random.default_rng(17).integers(0, 200, 300)
    none = Constraints.none(300)
    constraints = Constraints(np.where(np.arange(300) % 20 == 0, truth, -1), photo, none.must, none.cannot)
    undisturbed = cluster(vectors, constraints=constraints, thresholds=IN_ROUNDS)

    def stop(done: int, total: int) -> None:
        if done >= when:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        cluster(vectors, constraints=constraints, thresholds=IN_ROUNDS, progress=stop)
    again = cluster(vectors, constraints=constraints, thresholds=IN_ROUNDS)
    assert again.labels.tolist() == undisturbed.labels.tolist()
    assert again.linkage.merges.tolist() == undisturbed.linkage.merges.tolist()
    assert again.thresholds == undisturbed.thresholds


@pytest.mark.parametrize(
    ("value", "code"),
    [(np.nan, "vectors_not_finite"), (np.inf, "vectors_not_finite"), (0.0, "vectors_zero"),
     (2.0, "vectors_not_normalised")],
)  # fmt: skip
def test_bad_vectors_are_refused_before_any_work(value: float, code: str) -> None:
    vectors, _ = people(seed=18, count=10, faces=100)
    vectors[7] = value
    for entry in (lambda: cluster(vectors, thresholds=THRESHOLDS), lambda: calibrate(vectors)):
        with pytest.raises(InvalidInput) as caught:
            entry()
        assert caught.value.code == code
        assert "rows 7" in caught.value.message


def test_a_device_gives_the_same_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = people(seed=19, count=60, faces=600)
    usual = cluster(vectors, thresholds=THRESHOLDS)
    monkeypatch.setattr(graph, "LEAST_FILTERED", 0)
    searches: list[str] = []

    class Recorded(DeviceSearch):
        def __init__(self, *given: Any) -> None:
            searches.append(given[3])
            super().__init__(*given)

    monkeypatch.setattr(graph, "DeviceSearch", Recorded)
    there = cluster(vectors, thresholds=THRESHOLDS, device="cpu:0")  # torch's CPU by another name than the default
    assert searches == ["cpu:0"]
    assert there.linkage.merges.tolist() == usual.linkage.merges.tolist()
    assert there.labels.tolist() == usual.labels.tolist()


@pytest.mark.skipif(torch.cuda.is_available(), reason="There is a GPU")
def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        cluster(DIRECTIONS, thresholds=THRESHOLDS, device="cuda")
    assert caught.value.code == "device_unavailable"


def test_input_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidInput, match="shape"):
        cluster(DIRECTIONS, constraints=Constraints.none(3), thresholds=THRESHOLDS)
    with pytest.raises(InvalidInput, match="normalised"):
        cluster(DIRECTIONS * 3, thresholds=THRESHOLDS)
    with pytest.raises(InvalidInput, match="Quality"):
        cluster(DIRECTIONS, thresholds=THRESHOLDS, quality=np.ones(3, np.float32))
