"""A clustering of a space, stored and labelled."""

from __future__ import annotations

import numpy as np
import pytest

from annotation.job_kinds.cluster import ClusterFaces
from annotation.models import Cluster, ClusterMember, ClusterRun, Collection, Face, Identity, Label, PackVectors
from annotation.services.clustering_runs import KEPT_RUNS, run_clustering
from annotation.services.decisions import By, revert
from annotation.services.identities import reject_faces
from annotation.services.labels import refresh_labels
from foundation.errors import Conflict
from jobs import services as jobs
from jobs.models import JobState
from tests.annotation.decisions.world import THRESHOLDS, label_of, make_world, user, who

pytestmark = pytest.mark.django_db


def test_people_become_clusters_with_labels() -> None:
    world = make_world(5, 3, 1)
    run = run_clustering(space=world.space, settings=THRESHOLDS)
    assert (run.state, run.current, len(run.input_digest)) == ("done", True, 64)
    clusters = list(Cluster.objects.filter(run=run))
    assert [(c.ordinal, c.size) for c in clusters] == [(0, 5), (1, 3)]
    for cluster, faces in zip(clusters, world.people, strict=False):
        assert set(cluster.members.values_list("face_id", flat=True)) == set(faces)
        assert {cluster.medoid_id, cluster.widest_a_id, cluster.widest_b_id} <= set(faces)
        assert cluster.identity is not None
        assert cluster.identity.faces_count == len(faces)
        assert cluster.identity.cover_id == cluster.medoid_id
        assert {label_of(face).identity_id for face in faces} == {cluster.identity_id}
        assert 0 < cluster.diameter < THRESHOLDS["core_distance"]
    lonely = label_of(world.people[2][0])
    assert (lonely.identity_id, lonely.reason, lonely.source) == (None, "singleton", "auto")
    assert ClusterMember.objects.get(run=run, face=lonely.face_id).cluster_id is None
    medoid = ClusterMember.objects.get(run=run, face=clusters[0].medoid_id)
    assert medoid.similarity == pytest.approx(1, abs=1e-5)
    assert run.metrics["faces"] == 9 and run.metrics["clusters"] == 2 and run.metrics["alone"] == 1
    assert run.metrics["labels"]["people_made"] == 2
    heights, merges = run.metrics["heights"], run.metrics["merges"]
    assert (heights["low"], heights["high"]) == (0, THRESHOLDS["core_distance"])
    assert sum(heights["counts"]) + sum(merges["counts"]) == 4 + 2  # as many as make 8 faces two clusters
    assert (merges["low"], merges["high"]) == (run.parameters["merge_similarity"], 1)


def test_people_keep_their_ids_when_faces_come_and_runs_are_forgotten() -> None:
    world = make_world(4, 3)
    before = world.cluster()
    for _ in range(KEPT_RUNS + 2):
        world.add_person(3)
        after = world.cluster()
        assert {face: after[face] for face in before} == before
    assert ClusterRun.objects.filter(current=True).count() == 1
    assert ClusterRun.objects.count() == KEPT_RUNS + 3
    assert ClusterRun.objects.exclude(members=None).count() == KEPT_RUNS + 1
    assert Identity.objects.filter(faces_count__gt=0).count() == 2 + KEPT_RUNS + 2


def test_held_out_faces_and_faces_without_vectors_are_left_out() -> None:
    world = make_world(4)
    secret = Collection.objects.create(name="secret", slug="secret", held_out=Collection.Split.TEST)
    hidden = world.add_faces(np.eye(3, 32), album=secret)
    lost = world.add_person(3)
    PackVectors.objects.filter(pack__faces=lost[0]).delete()
    labels = world.cluster()
    assert not set(hidden + lost) & labels.keys()
    assert ClusterRun.objects.get(current=True).metrics["without_vectors"] == 3


def test_faces_of_one_photo_are_apart() -> None:
    world = make_world(6)
    first, second = world.people[0][:2]
    photo = Face.objects.get(pk=first).photo
    Face.objects.filter(pk=second).update(photo=photo, ordinal=1)
    labels = world.cluster()
    assert labels[first] != labels[second]


def test_a_profile_has_one_owner() -> None:
    world = make_world(6, 3)
    profile = Collection.objects.create(name="p", slug="p", prior=Collection.Prior.PROFILE)
    strangers = world.people[1]
    for face in world.people[0][2:] + strangers:
        Face.objects.get(pk=face).photo.sightings.update(collection=profile)
    labels = world.cluster()
    assert len({labels[face] for face in world.people[0]}) == 1 and labels[world.people[0][0]] is not None
    assert {label_of(face).reason for face in strangers} == {"profile_prior"}


def test_imported_labels_stay_and_lend_their_person_to_the_cluster() -> None:
    world = make_world(4)
    imported = Identity.objects.create(origin=Identity.Origin.IMPORT, name="Anna")
    for face in world.people[0][:2]:
        Label.objects.create(face_id=face, identity=imported, source=Label.Source.IMPORT, confidence=1)
    labels = world.cluster()
    assert set(labels.values()) == {imported.pk}
    assert sorted(Label.objects.values_list("source", flat=True)) == ["auto", "auto", "import", "import"]
    imported.refresh_from_db()
    assert (imported.name, imported.faces_count) == ("Anna", 4)


def test_an_imported_label_that_a_person_rejects_stays_away_until_they_take_it_back() -> None:
    world = make_world(4, 1)
    imported = Identity.objects.create(origin=Identity.Origin.IMPORT, name="Anna")
    among, alone = world.people[0][0], world.people[1][0]
    for face in (among, alone):
        Label.objects.create(
            face_id=face, identity=imported, source="import", confidence=1, given=imported, given_as="import"
        )
    somebody = Identity.objects.create()
    for face in world.people[0][1:]:
        Label.objects.create(face_id=face, identity=somebody, source="auto", confidence=1)
    world.cluster()
    by = By(user("a"))
    rejected = [reject_faces(identity_id=imported.pk, faces=[face], by=by)[0] for face in (among, alone)]
    for _ in range(2):
        refresh_labels()
        assert (label_of(among).source, label_of(among).identity) == ("auto", somebody)
        assert (label_of(alone).identity, label_of(alone).reason) == (None, "rejected")
        assert (label_of(alone).source, label_of(alone).decision) == ("human", rejected[1])
    for decision in rejected:
        revert(user=by.user, decision_id=decision.pk)
        refresh_labels()
    assert {label_of(face).source for face in (among, alone)} == {"import"}
    assert {label_of(face).identity for face in (among, alone)} == {imported}


def test_the_job_clusters_and_reports() -> None:
    world = make_world(40, 3)
    job = jobs.run_to_end(job_id=jobs.enqueue(kind="cluster", params={"space": world.space.pk}).pk)
    assert job.state == JobState.FINISHED, job.error
    assert job.result["faces"] == 43
    run = ClusterRun.objects.get(job=job)
    assert run.metrics == job.result and run.state == "done"
    world.space.refresh_from_db()
    assert world.space.calibration["core_distance"] == run.parameters["core_distance"]
    assert ClusterFaces.name == job.kind


def test_a_space_that_does_not_exist_fails_the_job() -> None:
    job = jobs.run_to_end(job_id=jobs.enqueue(kind="cluster", params={"space": 0}).pk)
    assert (job.state, job.units.get().error_code) == (JobState.FAILED, "no_space")


def test_vectors_that_do_not_fit_are_refused_and_leave_the_last_run_current() -> None:
    world = make_world(4)
    labels = world.cluster()
    Face.objects.filter(pk=world.people[0][0]).update(row=99)
    with pytest.raises(Conflict, match="don't fit"):
        world.cluster()
    assert who() == labels
    assert sorted(ClusterRun.objects.values_list("state", "current")) == [("done", True), ("failed", False)]


def test_an_empty_pool_can_be_clustered() -> None:
    world = make_world()
    assert world.cluster() == {}
    assert ClusterRun.objects.get(current=True).metrics["faces"] == 0


def test_queries_do_not_grow_with_the_faces(django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    world = make_world(40, 30, 20)
    with django_assert_max_num_queries(75):
        world.cluster()
