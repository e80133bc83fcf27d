"""New faces join the current clusters: what they change, and what they leave alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from django.db import connection

from annotation.models import Cluster, ClusterMember, ClusterRun, EmbeddingSpace, Identity, Label
from annotation.queries.arrivals import unjoined_faces
from annotation.services import arrivals
from annotation.services.arrival_jobs import request_joining
from annotation.services.arrivals import RunMovedOn, join_new_faces
from annotation.services.clustering_choices import apply_run
from annotation.services.clustering_runs import run_clustering
from annotation.services.decisions import By
from annotation.services.identities import assign_faces, name_person, set_aside
from foundation.errors import Conflict, InvalidInput
from jobs import services as jobs
from jobs.models import Job, JobState
from tests.annotation.decisions.world import THRESHOLDS, World, label_of, make_world, user, who

pytestmark = pytest.mark.django_db


def current() -> ClusterRun:
    return ClusterRun.objects.get(current=True)


def more_of(world: World, person: int, faces: int) -> list[int]:
    """So many new faces of somebody known."""
    noise = np.random.default_rng(7 + person).normal(0, 0.1 / np.sqrt(32), (faces, 32))
    return world.add_faces(world.direction((person, 1.0)) + noise)


def said_of(faces: list[int]) -> list[tuple[Any, ...]]:
    """All of their labels but the confidence, which follows the medoid."""
    rows = Label.objects.filter(face__in=faces).order_by("face")
    return list(rows.values_list("pk", "face", "identity", "source", "reason", "decision", "run"))


def clusters() -> dict[int, list[int]]:
    """{ordinal: faces} of the current run."""
    rows = ClusterMember.objects.filter(run__current=True, cluster__isnull=False).order_by("face_id")
    found: dict[int, list[int]] = {}
    for ordinal, face in rows.values_list("cluster__ordinal", "face_id"):
        found.setdefault(ordinal, []).append(face)
    return found


def check_rows_fit(run: ClusterRun) -> None:
    """Sizes, order, medoids and metrics are those of the members."""
    stored = list(Cluster.objects.filter(run=run).order_by("ordinal"))
    assert [cluster.ordinal for cluster in stored] == list(range(len(stored)))
    keys = [(-c.size, min(c.members.values_list("face_id", flat=True))) for c in stored]
    assert keys == sorted(keys)
    for cluster in stored:
        members = dict(cluster.members.values_list("face_id", "similarity"))
        assert cluster.size == len(members) >= 2
        assert {cluster.medoid_id, cluster.widest_a_id, cluster.widest_b_id} <= set(members)
        assert members[cluster.medoid_id] == pytest.approx(1, abs=1e-5)
    assert run.metrics["faces"] == run.members.count()
    assert run.metrics["clusters"] == len(stored)
    assert run.metrics["alone"] == run.members.filter(cluster=None).count()
    assert run.metrics["largest"] == max((cluster.size for cluster in stored), default=0)


def test_new_faces_join_their_person_form_clusters_or_stay_alone() -> None:
    world = make_world(3, 5, 1)
    before, digest = world.cluster(), current().input_digest
    said_before = said_of([face for person in world.people[:2] for face in person])
    more, friend = more_of(world, 0, 4), more_of(world, 2, 1)
    strangers, loner = world.add_person(3), world.add_person(1)
    report = join_new_faces()
    run = current()
    assert {name: report[name] for name in ("faces", "joined", "new_clusters", "alone", "bridges", "run")} == {
        "faces": 9, "joined": 5, "new_clusters": 1, "alone": 1, "bridges": 0, "run": run.pk,
    }  # fmt: skip
    assert clusters() == {
        0: world.people[0] + more,
        1: world.people[1],
        2: strangers,
        3: world.people[2] + friend,
    }
    after = who()
    kept = [face for person in world.people[:2] for face in person]
    assert {face: after[face] for face in kept} == {face: before[face] for face in kept}
    assert said_of(kept) == said_before
    assert {after[face] for face in more} == {before[world.people[0][0]]}
    assert after[friend[0]] == after[world.people[2][0]] is not None
    assert len({after[face] for face in strangers}) == 1 and after[strangers[0]] not in before.values()
    assert label_of(loner[0]).reason == "singleton"
    assert {label_of(face).run_id for face in more + strangers + loner} == {run.pk}
    check_rows_fit(run)
    assert run.metrics["arrivals"]["faces"] == 9 and run.metrics["arrivals"]["times"] == 1
    assert run.metrics["arrivals"]["labels_changed"] == report["labels_changed"]
    assert report["labels_changed"] >= 10, "the new ones, and the friend's, who had none before"
    assert len(run.input_digest) == 64 and run.input_digest != digest
    assert not unjoined_faces(run).exists()


def test_again_changes_nothing_and_further_faces_add_up() -> None:
    world = make_world(4, 3)
    world.cluster()
    more_of(world, 0, 2)
    join_new_faces()
    run, labels = current(), who()
    rows = sorted(ClusterMember.objects.values_list("pk", "cluster_id", "face_id", "similarity"))
    assert join_new_faces() == arrivals.NOTHING
    assert sorted(ClusterMember.objects.values_list("pk", "cluster_id", "face_id", "similarity")) == rows
    assert (current().metrics, who()) == (run.metrics, labels)
    more_of(world, 1, 3)
    join_new_faces()
    assert current().metrics["arrivals"]["times"] == 2
    assert current().metrics["arrivals"]["joined"] == 5
    check_rows_fit(current())


def test_joining_comes_to_the_same_as_a_full_run_where_people_are_far_apart() -> None:
    world = make_world(4, 3, 1)
    world.cluster()
    more_of(world, 2, 2), more_of(world, 0, 1), world.add_person(2)
    join_new_faces()
    joined, labels = clusters(), who()
    world.cluster()
    assert clusters() == joined
    assert who() == labels


def test_decisions_about_new_faces_are_obeyed() -> None:
    world = make_world(4, 4)
    before, by = world.cluster(), By(user())
    anna, ben = (before[faces[0]] for faces in world.people)
    assert anna is not None and ben is not None
    name_person(identity_id=anna, name="Anna", by=by)
    more = more_of(world, 0, 4)
    assign_faces(faces=more[:1], identity_id=ben, by=by)
    set_aside(faces=more[1:2], kind="not_a_face", by=by)
    report = join_new_faces()
    assert report["faces"] == 3
    after = who()
    assert [after[face] for face in more] == [ben, None, anna, anna]
    assert {face: after[face] for face in before} == before
    assert Identity.objects.get(pk=anna).name == "Anna"
    assert not unjoined_faces(current()).exists()


def test_two_clusters_that_new_faces_would_bridge_are_counted_and_stay_apart() -> None:
    world = make_world()
    left, right = world.direction((0, 1.0)), world.direction((0, 1.0), (1, 3.0))
    world.add_faces(np.stack([left, left, right, right]))
    settings = {"core_distance": 0.3, "merge_similarity": 0.6}
    world.cluster(**settings)
    apart = clusters()
    assert len(apart) == 2
    world.add_faces(world.direction((0, 1.0), (1, 0.75))[None])
    report = join_new_faces()
    assert (report["joined"], report["bridges"]) == (1, 1)
    assert len(clusters()) == 2
    assert current().metrics["arrivals"]["bridges"] == 1


def test_without_a_run_or_in_another_space_nothing_happens() -> None:
    world = make_world(3)
    assert join_new_faces() == arrivals.NOTHING
    assert request_joining() is None
    world.cluster()
    assert request_joining() is None
    more_of(world, 0, 1)
    EmbeddingSpace.objects.update(state=EmbeddingSpace.State.RETIRED)
    assert join_new_faces() == arrivals.NOTHING
    assert request_joining() is None


def test_a_job_joins_them_and_is_asked_for_once() -> None:
    world = make_world(3)
    world.cluster()
    more_of(world, 0, 2)
    job = request_joining()
    assert job is not None and request_joining() == job
    ended = jobs.run_to_end(job_id=job.pk)
    assert ended.state == JobState.FINISHED, ended.error
    assert ended.result["joined"] == 2
    assert request_joining() is None


def test_a_job_that_is_killed_before_its_end_changes_nothing_and_can_run_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = make_world(3)
    labels = world.cluster()
    metrics = current().metrics
    more_of(world, 0, 2)

    class Killed(BaseException):
        pass

    def killed(report: dict[str, Any]) -> None:
        raise Killed

    with pytest.raises(Killed):
        join_new_faces(finish=killed)
    assert (who(), current().metrics) == (labels, metrics)
    assert ClusterMember.objects.count() == 3
    assert join_new_faces()["joined"] == 2


def test_another_run_that_becomes_current_meanwhile_is_joined_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(3, 3)
    world.cluster()
    first = current()
    world.cluster()
    more_of(world, 0, 2)
    join, times = arrivals._join, []

    def slowly(*arguments: Any) -> Any:
        times.append(1)
        if len(times) == 1:
            apply_run(run_id=first.pk)
        return join(*arguments)

    monkeypatch.setattr(arrivals, "_join", slowly)
    assert join_new_faces()["run"] == first.pk
    assert len(times) == 2
    check_rows_fit(current())

    def always(*arguments: Any) -> Any:
        others = ClusterRun.objects.filter(current=False).order_by("pk")
        apply_run(run_id=others[0].pk)
        return join(*arguments)

    more_of(world, 1, 1)
    monkeypatch.setattr(arrivals, "_join", always)
    with pytest.raises(RunMovedOn):
        join_new_faces()


def test_faces_that_a_run_missed_join_it_once_it_is_applied() -> None:
    world = make_world(3, 3)
    world.cluster()
    preview = run_clustering(space=world.space, settings=THRESHOLDS, preview=True)
    more = more_of(world, 0, 2)
    join_new_faces()
    ended = jobs.run_to_end(job_id=jobs.enqueue(kind="apply_clustering", params={"run": preview.pk}).pk)
    assert not Label.objects.filter(face__in=more).exists()
    jobs.run_to_end(job_id=Job.objects.get(parent=ended, kind="join_new").pk)
    assert {who()[face] for face in more} == {who()[world.people[0][0]]}


def test_a_run_that_does_not_say_its_thresholds_is_refused() -> None:
    world = make_world(3)
    world.cluster()
    ClusterRun.objects.update(parameters={})
    more_of(world, 0, 1)
    with pytest.raises(Conflict) as raised:
        join_new_faces()
    assert raised.value.code == "run_without_thresholds"


def test_where_too_many_are_alike_a_full_run_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(3)
    world.cluster()
    more_of(world, 0, 1)

    def too_dense(*arguments: Any, **options: Any) -> None:
        raise InvalidInput("Too many pairs.", code="graph_too_dense")

    monkeypatch.setattr(arrivals, "join_arrivals", too_dense)
    with pytest.raises(Conflict, match="cluster anew"):
        join_new_faces()


@pytest.mark.django_db(transaction=True)
def test_of_two_jobs_at_once_one_joins_the_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(4, 3)
    world.cluster()
    more_of(world, 0, 3)
    join, looked, go_on = arrivals._join, threading.Event(), threading.Event()

    def slowly(*arguments: Any) -> Any:
        if threading.current_thread() is not threading.main_thread() and not looked.is_set():
            looked.set()
            assert go_on.wait(60)
        return join(*arguments)

    def elsewhere() -> dict[str, Any]:
        try:
            return join_new_faces()
        finally:
            connection.close()

    monkeypatch.setattr(arrivals, "_join", slowly)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(elsewhere)
        assert looked.wait(60)
        assert join_new_faces()["joined"] == 3
        go_on.set()
        assert other.result(60) == arrivals.NOTHING
    assert current().metrics["arrivals"]["times"] == 1
    check_rows_fit(current())
