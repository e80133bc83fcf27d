from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.clustering import Constraints, JoinRule, agreement, centroids, join_small, resolve
from annotation.clustering.join_needs import affordable_joins, least_similarity
from annotation.clustering.vectors import Vectors, number_clusters
from tests.annotation.clustering.linkage_oracle import may_link, violations
from tests.annotation.clustering.made_up_faces import constrained_vectors, normalised, people

RULE = JoinRule(false_joins=0.004, highest_rate=1e-3, shares=(1.0,), means=(0.05,), spreads=(0.12,))


def test_the_more_to_choose_from_and_the_more_to_lose_the_more_it_takes() -> None:
    one, many, two = (
        RULE.similarity(faces=faces, clusters=clusters) for faces, clusters in ((1, 10), (1, 1000), (2, 10))
    )
    assert one < two < many
    assert RULE.similarity(faces=1, clusters=1) == RULE.similarity(faces=1, clusters=4)  # the highest rate holds
    assert JoinRule.from_record({**vars(RULE), "means": [0.05]}) == RULE


def blurred_album() -> tuple[Vectors, np.ndarray, np.ndarray]:
    """Five people with a cluster of twelve faces each, and single faces: one blurred of each, and a stranger."""
    rng = np.random.default_rng(2)
    centres = normalised(rng.normal(size=(6, 64)))
    faces = [normalised(centre + 0.08 * rng.normal(size=(12, 64))) for centre in centres[:5]]
    blurred = normalised(centres[:5] + 0.16 * rng.normal(size=(5, 64)))
    vectors = np.concatenate([*faces, blurred, centres[5:]])
    labels = np.concatenate([np.repeat(np.arange(5), 12), np.arange(5, 11)])
    truth = np.concatenate([np.repeat(np.arange(5), 12), np.arange(6)])
    return vectors, labels, truth


def test_blurred_faces_join_their_person_and_strangers_stay_alone() -> None:
    vectors, labels, truth = blurred_album()
    none = resolve(Constraints.none(len(vectors)))
    assert join_small(vectors, labels, none, RULE).tolist() == truth.tolist()
    strict = JoinRule(1e-30, 1e-3, (1.0,), (0.05,), (0.12,))
    assert join_small(vectors, labels, none, strict).tolist() == labels.tolist()


def test_a_face_of_the_same_photo_keeps_another_out() -> None:
    vectors, labels, truth = blurred_album()
    none = Constraints.none(len(vectors))
    none.photo[[0, 60]] = 7
    joined = join_small(vectors, labels, resolve(none), RULE)
    assert joined[60] not in joined[:60]
    assert joined[61:65].tolist() == truth[61:65].tolist()


@settings(max_examples=60, deadline=None)
@given(constrained_vectors(), st.integers(0, 3))
def test_joins_only_what_may_be_joined(given_: tuple[Vectors, Constraints], groups: int) -> None:
    vectors, constraints = given_
    resolution = resolve(constraints)
    labels = resolution.component.copy()
    for a in range(groups):  # some clusters to begin with
        members = np.flatnonzero(labels == a).tolist()
        for b in range(groups + 1, int(labels.max(initial=-1)) + 1):
            others = np.flatnonzero(labels == b).tolist()
            if members and others and may_link(members, others, resolution):
                labels[others] = a
                members += others
    labels = number_clusters(labels)
    joined = join_small(vectors, labels, resolution, RULE)
    assert violations(joined, constraints, resolution) == []
    before = centroids(vectors, labels)
    for group in range(len(before.sizes)):
        together = set(labels[joined == joined[labels == group][0]].tolist())
        assert len(set(joined[labels == group])) == 1
        assert together == {group} or sum(before.sizes[g] >= 3 for g in together) == 1


def test_as_many_joins_are_afforded_as_there_are_faces_near_clusters() -> None:
    rng = np.random.default_rng(4)
    centres = normalised(rng.normal(size=(40, 64)))
    clusters = normalised(np.repeat(centres, 5, axis=0) + 0.05 * rng.normal(size=(200, 64)))
    blurred = normalised(np.repeat(centres, 10, axis=0) + 0.28 * rng.normal(size=(400, 64)))
    strangers = normalised(rng.normal(size=(400, 64)))
    labels = np.concatenate([np.repeat(np.arange(40), 5), np.arange(40, 440)])
    counted = JoinRule(0.004, 1e-3, (1.0,), (0.0,), (0.125,), false_share=0.5)
    many, none = (affordable_joins(np.concatenate([clusters, rest]), labels, counted) for rest in (blurred, strangers))
    assert none.false_joins < 0.004 < 5 * 0.004 < many.false_joins
    assert many.false_share is None  # it is what it is now
    assert affordable_joins(np.concatenate([clusters, blurred]), labels, many) is many
    assert JoinRule.from_record({**vars(counted)}) == counted


def test_who_is_like_everybody_must_be_more_alike_to_join() -> None:
    rng = np.random.default_rng(5)
    haze = normalised(rng.normal(size=(1, 64)))
    centres = normalised(rng.normal(size=(30, 64)) + 3 * haze)
    clusters = normalised(np.repeat(centres, 4, axis=0) + 0.05 * rng.normal(size=(120, 64)))
    clear = normalised(rng.normal(size=(20, 64)))
    hazy = normalised(rng.normal(size=(20, 64)) + 6 * haze)
    labels = np.concatenate([np.repeat(np.arange(30), 4), np.arange(30, 70)])
    groups = centroids(np.concatenate([clusters, clear, hazy]), labels)
    plain = JoinRule(0.004, 1e-3, (1.0,), (0.0,), (0.125,))
    equal = least_similarity(groups, plain)
    needed = least_similarity(groups, replace(plain, cohort=10))
    assert np.isinf(needed[:30]).all()
    assert len(set(equal[30:])) == 1
    assert needed[30:50].max() < equal[30] < needed[50:].min()
    assert np.median(needed[30:]) == pytest.approx(equal[30])
    # Half the mean similarity to the clusters next to the nearest, above the median joiner's.
    beside = np.sort(groups.directions[30:] @ groups.directions[:30].T, axis=1)[:, -11:-1].mean(axis=1)
    assert needed[30:] - equal[30] == pytest.approx((beside - np.median(beside)) / 2, abs=1e-5)


def test_impostors_of_joins_are_those_between_joiners_and_clusters() -> None:
    rng = np.random.default_rng(6)
    centres = normalised(rng.normal(size=(60, 64)))
    clusters = normalised(np.repeat(centres, 3, axis=0) + 0.05 * rng.normal(size=(180, 64)))
    own = normalised(centres[:20] + 0.1 * rng.normal(size=(20, 64)))
    vectors = np.concatenate([clusters, own, normalised(rng.normal(size=(80, 64)))])
    labels = np.concatenate([np.repeat(np.arange(60), 3), np.arange(60, 160)])
    asked = JoinRule(0.004, 1e-3, (1.0,), (0.3,), (0.3,), false_share=0.5)
    found = affordable_joins(vectors, labels, asked)
    assert found.means == (pytest.approx(0.0, abs=0.02),)
    assert found.spreads == (pytest.approx(0.125, abs=0.01),)


def test_poor_faces_of_people_with_a_cluster_join_where_good_ones_without_do_not() -> None:
    rng = np.random.default_rng(7)
    centres = normalised(rng.normal(size=(40, 64)))
    clusters = normalised(np.repeat(centres, 5, axis=0) + 0.05 * rng.normal(size=(200, 64)))
    blurred = normalised(np.repeat(centres, 10, axis=0) + 0.28 * rng.normal(size=(400, 64)))
    strangers = normalised(rng.normal(size=(400, 64)))
    vectors = np.concatenate([clusters, blurred, strangers])
    labels = np.concatenate([np.repeat(np.arange(40), 5), np.arange(40, 840)])
    quality = np.repeat(np.float32([0.9, 0.4, 0.8]), [200, 400, 400])
    quality += np.float32(0.05) * rng.random(1000, np.float32)
    counted = JoinRule(0.004, 1e-3, (1.0,), (0.0,), (0.125,), false_share=0.5)
    apart, alike = (affordable_joins(vectors, labels, counted, of) for of in (quality, None))
    assert 0.44 < apart.poor_below <= 0.81
    assert apart.false_joins < 0.004 < alike.false_joins < apart.poor_joins
    assert alike.poor_below == 0
    none = resolve(Constraints.none(len(vectors)))
    truth = np.concatenate([np.repeat(np.arange(40), 5), np.repeat(np.arange(40), 10), np.arange(40, 440)])
    both, one = (
        agreement(join_small(vectors, labels, none, rule, quality=quality), truth).bcubed for rule in (apart, alike)
    )
    assert both.f > one.f
    assert JoinRule.from_record(vars(apart)) == apart
    assert counted.no_stricter_than(apart).poor_joins == apart.poor_joins


def test_the_same_quality_for_all_parts_nobody() -> None:
    vectors, labels, _ = blurred_album()
    many, more = np.concatenate([vectors] * 40), np.concatenate([labels + 11 * at for at in range(40)])
    counted = JoinRule(0.004, 1e-3, (1.0,), (0.05,), (0.12,), false_share=0.5)
    same = np.full(len(many), 0.7, np.float32)
    found, plain = affordable_joins(many, more, counted, same), affordable_joins(many, more, counted)
    assert found == plain
    assert found.poor_below == 0


@pytest.mark.parametrize("groups", [np.arange(6), np.zeros(6, np.int64)], ids=["no cluster", "nobody alone"])
def test_where_nothing_can_join_the_usual_rule_holds(groups: np.ndarray) -> None:
    vectors, _ = people(seed=3, count=1, faces=6)
    counted = JoinRule(0.004, 1e-3, (1.0,), (0.05,), (0.12,), false_share=0.5)
    assert affordable_joins(vectors, groups, counted) == JoinRule(0.004, 1e-3, (1.0,), (0.05,), (0.12,))


@pytest.mark.parametrize("n", [0, 1])
def test_no_face_and_one_face(n: int) -> None:
    vectors, _ = people(seed=3, count=1, faces=1)
    labels = np.zeros(n, np.int64)
    assert join_small(vectors[:n], labels, resolve(Constraints.none(n)), RULE).tolist() == [0] * n
