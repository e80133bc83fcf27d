"""How many labels a clustering changes, and how pure its clusters are by what people say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from annotation.clustering.metrics import agreement
from annotation.models import ClusterMember, ClusterRun
from annotation.queries.convergence import LabelChange, label_change, purities
from annotation.services.clustering_choices import apply_run
from annotation.services.clustering_runs import run_clustering
from annotation.services.decisions import decide
from annotation.services.labels import refresh_labels
from tests.annotation.decisions.world import THRESHOLDS, make_world, user, who

pytestmark = pytest.mark.django_db


def current() -> ClusterRun:
    return ClusterRun.objects.get(current=True)


def test_only_faces_that_had_a_label_and_get_another_person_are_counted() -> None:
    world = make_world(5, 3)
    world.cluster()
    assert label_change(current().metrics) == LabelChange(moved=0, known=0)
    world.add_person(4)
    world.cluster()
    assert label_change(current().metrics) == LabelChange(moved=0, known=8), "new faces don't count"
    before = who()
    after = world.cluster(core_distance=0.0001, merge_similarity=None)  # everybody stands alone
    moved = sum(after[face] != person for face, person in before.items())
    assert label_change(current().metrics) == LabelChange(moved=moved, known=12) and moved > 0


def test_applying_a_preview_counts_too_and_previews_know_nothing() -> None:
    world = make_world(5, 3)
    world.cluster()
    run = run_clustering(space=world.space, settings=THRESHOLDS, preview=True)
    assert label_change(run.metrics) is None
    apply_run(run_id=run.pk)
    assert label_change(current().metrics) == LabelChange(moved=0, known=8)


def test_settled_is_below_the_target(settings: Any) -> None:
    settings.LOUPE_SETTLED_SHARE = 0.01
    assert LabelChange(0, 100).settled() and not LabelChange(1, 100).settled()
    assert LabelChange(1, 100).settled(0.02) and not LabelChange(0, 0).settled()
    assert label_change({"labels": {"changed": 7}}) is None  # of a run that did not count this yet


def test_purity_is_that_of_the_metrics_over_confirmed_faces(django_assert_num_queries: Any) -> None:
    world = make_world(6, 5, 4)
    before = world.cluster()
    first = current()
    assert purities([first.pk]) == {}
    for group in world.people[:2]:
        decide(user=user(f"by {group[0]}"), kind="assign", faces=group[:4], identity=before[group[0]])
    decide(user=user(), kind="assign", faces=world.people[0][5:], identity=before[world.people[1][0]])
    refresh_labels()
    alone = run_clustering(space=world.space, settings={**THRESHOLDS, "core_distance": 0.0001}, preview=True)
    with django_assert_num_queries(1):
        found = purities([first.pk, alone.pk])
    assert found[alone.pk] == (1.0, 9)
    places = dict(ClusterMember.objects.filter(run=first).values_list("face_id", "cluster_id"))
    told = {face: person for face, person in who().items() if face in told_faces(world.people)}
    numbers = {name: number for number, name in enumerate({*told.values()})}
    by_metric = agreement(_array([places[face] for face in told]), _array([numbers[told[face]] for face in told]))
    assert found[first.pk] == (pytest.approx(by_metric.purity), 9) and by_metric.purity < 1


def told_faces(people: list[list[int]]) -> set[int]:
    return {*people[0][:4], *people[1][:4], people[0][5]}


def _array(values: list[Any]) -> Any:
    return np.array(values, np.int64)
