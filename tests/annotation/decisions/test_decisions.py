"""The ledger service and the verbs on clusters and people, through undo and new clusterings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import DatabaseError, connection, transaction

from annotation.models import Cluster, Collection, CollectionPhoto, Constraint, Decision, Face, Identity, Label
from annotation.queries.decisions import ledger_end, ledger_state
from annotation.queries.picture_access import count_showable, showable_faces
from annotation.services.clusters import confirm_cluster, give_cluster, reject_from_cluster, split_cluster
from annotation.services.decisions import By, decide, redo, revert, undo
from annotation.services.identities import answer_pair, assign_faces, merge_people, name_person, set_aside
from annotation.services.labels import refresh_labels
from foundation.errors import Conflict, Forbidden, InvalidInput, LoupeError, NotFound
from jobs import services as jobs
from jobs.models import Job
from tests.annotation.decisions.world import World, label_of, make_world, user, who

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    made = make_world(6, 5, 4)
    made.cluster()
    return made


@pytest.fixture
def by() -> By:
    return By(user(), seconds=1.5, evidence={"shown": "grid"})


def cluster_of(face: int) -> Cluster:
    return Cluster.objects.get(members__face=face, run__current=True)


def labels_agree() -> bool:
    """What was written at once is what the job computes."""
    before = who()
    sources = dict(Label.objects.values_list("face_id", "source"))
    refresh_labels()
    return before == who() and sources == dict(Label.objects.values_list("face_id", "source"))


def test_confirming_a_cluster_makes_its_labels_human(world: World, by: By) -> None:
    faces = world.people[0]
    person, made = confirm_cluster(cluster_id=cluster_of(faces[0]).pk, name=" Anna ", by=by)
    assert {label_of(face).identity_id for face in faces} == {person.pk}
    assert {label_of(face).source for face in faces} == {"human"}
    assert Identity.objects.get(pk=person.pk).name == "Anna"
    assert [decision.kind for decision in made] == ["assign", "rename"]
    assert len({decision.action for decision in made}) == 1
    assert (made[0].seconds, made[0].evidence, made[0].actor) == (1.5, {"shown": "grid"}, by.user)
    assert labels_agree()


def test_rejected_faces_lose_the_label_and_never_get_it_back(world: World, by: By) -> None:
    faces = world.people[0]
    cluster = cluster_of(faces[0])
    [decision] = reject_from_cluster(cluster_id=cluster.pk, faces=faces[:2], by=by)
    assert decision.others and not set(decision.others) & set(faces[:2])
    assert {label_of(face).reason for face in faces[:2]} == {"rejected"}
    assert {label_of(face).identity_id for face in faces[2:]} == {cluster.identity_id}
    assert labels_agree()
    after = world.cluster()
    assert cluster.identity_id not in {after[face] for face in faces[:2]}
    assert {after[face] for face in faces[2:]} == {cluster.identity_id}
    assert Constraint.objects.filter(kind="cannot", decision=decision).count() == 2 * len(decision.others)


def test_a_split_takes_faces_out_and_leaves_the_rest(world: World, by: By) -> None:
    faces = world.people[0]
    owner = cluster_of(faces[0]).identity_id
    person, made = split_cluster(cluster_id=cluster_of(faces[0]).pk, faces=faces[:2], name="Bea", by=by)
    assert [decision.kind for decision in made] == ["split", "rename"]
    assert labels_agree()
    for labels in (who(), world.cluster()):
        assert {labels[face] for face in faces[:2]} == {person.pk}
        assert {labels[face] for face in faces[2:]} == {owner}


def test_moved_faces_do_not_take_their_cluster_along_nor_the_name_from_its_people(world: World, by: By) -> None:
    one, two = world.people[0], world.people[1]
    source, target = cluster_of(one[0]).identity_id, cluster_of(two[0]).identity_id
    assign_faces(faces=one[:1], identity_id=target, by=by)
    assert labels_agree()
    for labels in (who(), world.cluster()):
        assert {labels[face] for face in [one[0], *two]} == {target}
        assert {labels[face] for face in one[1:]} == {source}


def test_merged_people_are_one_through_new_clusterings_until_it_is_undone(world: World, by: By) -> None:
    one, two = world.people[0], world.people[1]
    source, target = cluster_of(one[0]).identity_id, cluster_of(two[0]).identity_id
    name_person(identity_id=source, name="Anna", by=by)
    merge_people(identity_id=source, into_id=target, by=by)
    assert Identity.objects.get(pk=source).merged_into_id == target
    assert Identity.objects.get(pk=target).name == "Anna"
    assert {who()[face] for face in one + two} == {target}
    for labels in (world.cluster(), world.cluster()):
        assert {labels[face] for face in one + two} == {target}
    assert Identity.objects.get(pk=target).faces_count == 11
    with pytest.raises(Conflict, match="merged this person into"):
        name_person(identity_id=source, name="Bea", by=by)
    undo(user=by.user)
    labels = world.cluster()
    assert {labels[face] for face in one} == {source}
    assert {labels[face] for face in two} == {target}
    person = Identity.objects.get(pk=source)
    assert (person.merged_into_id, person.name) == (None, "Anna")
    assert Identity.objects.get(pk=target).name == ""


def test_people_without_names_get_their_ids_back_when_a_merge_is_undone(world: World, by: By) -> None:
    before = who()
    source, target = (cluster_of(faces[0]).identity_id for faces in world.people[:2])
    merge_people(identity_id=source, into_id=target, by=by)
    refresh_labels()
    assert set(who().values()) != set(before.values())
    undo(user=by.user)
    refresh_labels()
    assert who() == before


def test_answers_about_pairs_bind_the_next_clustering(world: World, by: By) -> None:
    one, two, three = world.people
    answer_pair(face_a=one[0], face_b=two[0], same=True, by=by)
    answer_pair(face_a=three[0], face_b=three[1], same=False, by=by)
    labels = world.cluster()
    assert labels[one[0]] == labels[two[0]] is not None
    assert labels[three[0]] != labels[three[1]]
    assert set(Constraint.objects.values_list("kind", flat=True)) == {"must", "cannot"}


def test_faces_set_aside_stay_out(world: World, by: By) -> None:
    face, other = world.people[0][:2]
    set_aside(faces=[face], kind="ignore", by=by)
    set_aside(faces=[other], kind="not_a_face", by=by)
    assert (label_of(face).reason, label_of(other).reason) == ("ignored", "not_a_face")
    assert labels_agree()
    world.cluster()
    assert (label_of(face).reason, label_of(other).reason) == ("ignored", "not_a_face")
    with pytest.raises(InvalidInput):
        set_aside(faces=[face], kind="assign", by=by)


def test_a_cluster_is_given_to_somebody_known(world: World, by: By) -> None:
    one, two = world.people[0], world.people[1]
    person, _ = confirm_cluster(cluster_id=cluster_of(two[0]).pk, name="Anna", by=by)
    give_cluster(cluster_id=cluster_of(one[0]).pk, identity_id=person.pk, by=by)
    assert labels_agree()
    labels = world.cluster()
    assert {labels[face] for face in one + two} == {person.pk}


def test_names_stay_with_the_faces_when_the_cluster_breaks(world: World, by: By) -> None:
    faces = world.people[0]
    cluster = cluster_of(faces[0])
    name_person(identity_id=cluster.identity_id, name="Anna", by=by)
    labels = world.cluster(core_distance=1e-4, merge_similarity=0.99999, min_size=1)  # all fall apart
    assert labels[cluster.medoid_id] == cluster.identity_id
    assert Identity.objects.get(pk=cluster.identity_id).name == "Anna"


def test_undo_and_redo_walk_back_and_forth(world: World, by: By) -> None:
    faces = world.people[0]
    start = who()
    confirm_cluster(cluster_id=cluster_of(faces[0]).pk, name="Anna", by=by)
    confirmed = who(), dict(Label.objects.values_list("face_id", "source"))
    set_aside(faces=faces[:1], kind="ignore", by=by)
    assert [decision.kind for decision in undo(user=by.user)] == ["revert"]
    assert (who(), dict(Label.objects.values_list("face_id", "source"))) == confirmed
    assert len(undo(user=by.user)) == 2, "what one action did is undone together"
    assert who() == start
    assert not Label.objects.filter(source="human").exists()
    assert not Identity.objects.exclude(name="").exists()
    assert labels_agree()
    with pytest.raises(NotFound):
        undo(user=by.user)
    redo(user=by.user)
    assert (who(), dict(Label.objects.values_list("face_id", "source"))) == confirmed
    redo(user=by.user)
    assert label_of(faces[0]).reason == "ignored"
    assert labels_agree()
    with pytest.raises(NotFound):
        redo(user=by.user)
    undo(user=by.user)
    assert who() == confirmed[0]


def test_only_who_may_takes_back_what_others_said(world: World, by: By) -> None:
    [decision] = set_aside(faces=world.people[0][:1], kind="ignore", by=by)
    with pytest.raises(Forbidden):
        revert(user=user("bea"), decision_id=decision.pk)
    revert(user=user("chef", role="manager"), decision_id=decision.pk)
    with pytest.raises(Conflict, match="already"):
        revert(user=by.user, decision_id=decision.pk)
    with pytest.raises(NotFound):
        revert(user=by.user, decision_id=10**9)


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"kind": "sing", "faces": [1]}, "unknown_kind"),
        ({"kind": "revert"}, "unknown_kind"),
        ({"kind": "ignore"}, "missing_field"),
        ({"kind": "ignore", "faces": [10**12]}, "no_face"),
        ({"kind": "assign", "faces": ["first"], "identity": 10**12}, "no_identity"),
        ({"kind": "tag", "faces": ["first"], "text": "x" * 201}, "bad_text"),
        ({"kind": "tag", "faces": ["first"], "text": "a\nb"}, "bad_text"),
        ({"kind": "ignore", "faces": ["first"], "seconds": float("nan")}, "bad_seconds"),
        ({"kind": "ignore", "faces": ["first"], "evidence": {"x": "y" * 9000}}, "evidence_too_long"),
        ({"kind": "ignore", "faces": range(200_001)}, "too_many_faces"),
        ({"kind": "same", "faces": ["first"], "others": ["first"]}, "face_on_both_sides"),
    ],
)
def test_bad_decisions_are_refused_and_write_nothing(world: World, entry: dict[str, Any], code: str) -> None:
    faces = [world.people[0][0] if face == "first" else face for face in entry.get("faces", ())]
    others = [world.people[0][0] if face == "first" else face for face in entry.get("others", ())]
    with pytest.raises(LoupeError) as refused:
        decide(user=None, **{**entry, "faces": faces, "others": others})
    assert refused.value.code == code
    assert ledger_end() == 0 and not Job.objects.exists()


def test_the_rule_of_what_may_be_seen_is_the_same_written_out(world: World) -> None:
    albums = [
        Collection.objects.create(name=split, slug=f"album-{split}", held_out=split)
        for split in Collection.Split.values
    ]
    faces = [*world.people[0]] + [face for album in albums for face in world.add_faces(np.eye(32)[:2], album=album)]
    photo = Face.objects.get(pk=world.people[0][0]).photo
    CollectionPhoto.objects.create(collection=albums[-1], photo=photo, path="seen/elsewhere.jpg")
    assert count_showable([*faces, 10**12]) == showable_faces().filter(pk__in=faces).count() < len(faces)
    assert count_showable([]) == 0


def test_held_out_faces_can_not_be_decided_on(world: World) -> None:
    secret = Collection.objects.create(name="secret", slug="secret", held_out=Collection.Split.TEST)
    [hidden] = world.add_faces(np.eye(1, 32), album=secret)
    with pytest.raises(NotFound):
        decide(user=None, kind="ignore", faces=[hidden])


def test_a_person_that_changed_meanwhile_is_not_overwritten(world: World, by: By) -> None:
    person = cluster_of(world.people[0][0]).identity
    assert person is not None
    name_person(identity_id=person.pk, name="Anna", by=by)
    stale = By(by.user, expected_revision=person.revision)
    with pytest.raises(Conflict) as refused:
        name_person(identity_id=person.pk, name="Bea", by=stale)
    assert refused.value.code == "stale_revision"
    current = By(by.user, expected_revision=person.revision + 1)
    name_person(identity_id=person.pk, name="Bea", by=current)
    assert Identity.objects.get(pk=person.pk).name == "Bea"


def test_clusters_of_an_earlier_run_are_refused(world: World, by: By) -> None:
    cluster = cluster_of(world.people[0][0])
    world.cluster()
    with pytest.raises(Conflict) as refused:
        confirm_cluster(cluster_id=cluster.pk, by=by)
    assert refused.value.code == "cluster_outdated"
    with pytest.raises(InvalidInput):
        reject_from_cluster(cluster_id=cluster_of(world.people[0][0]).pk, faces=world.people[1][:1], by=by)


def test_the_database_refuses_to_change_the_ledger(world: World, by: By) -> None:
    [decision] = set_aside(faces=world.people[0][:1], kind="ignore", by=by)
    with pytest.raises(DatabaseError), transaction.atomic():
        Decision.objects.filter(pk=decision.pk).update(text="x")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM annotation_decision")


def test_decisions_share_a_job_until_it_begins(world: World, by: By) -> None:
    for face in world.people[0][:3]:
        set_aside(faces=[face], kind="ignore", by=by)
    [job] = Job.objects.filter(kind="labels")
    Job.objects.filter(pk=job.pk).update(started_at=job.created_at + timedelta(seconds=1), state="running")
    set_aside(faces=world.people[0][3:4], kind="ignore", by=by)
    assert Job.objects.filter(kind="labels").count() == 2
    Job.objects.filter(pk=job.pk).update(started_at=None, state="queued")
    done = jobs.run_to_end(job_id=job.pk)
    assert done.result["human"] == 4 and done.result["upto"] == ledger_end()


def test_contradictions_are_kept_for_people_to_see(world: World, by: By) -> None:
    one, two = world.people[0], world.people[1]
    confirm_cluster(cluster_id=cluster_of(one[0]).pk, by=by)
    confirm_cluster(cluster_id=cluster_of(two[0]).pk, by=by)
    [answer] = answer_pair(face_a=one[0], face_b=two[0], same=True, by=by)
    [conflict] = ledger_state().conflicts
    assert conflict.because[-1] == answer.pk and conflict.faces == (one[0],)
    assert refresh_labels().conflicts == 1


def test_the_number_of_queries_does_not_depend_on_the_faces(
    world: World, by: By, django_assert_num_queries: Any
) -> None:
    set_aside(faces=world.people[2][:1], kind="ignore", by=by)  # asks for the job that the others share
    for faces in world.people[:2]:
        cluster = cluster_of(faces[0]).pk
        with django_assert_num_queries(16):
            confirm_cluster(cluster_id=cluster, by=by)


def test_the_revision_is_of_the_person_meant_whoever_has_the_faces_now(world: World, by: By) -> None:
    theirs, mine = (cluster_of(faces[0]).identity for faces in world.people[:2])
    assert theirs is not None and mine is not None
    name_person(identity_id=theirs.pk, name="Anna", by=by)
    assign_faces(faces=world.people[0][:1], identity_id=mine.pk, by=By(by.user, expected_revision=0, about=mine.pk))
    with pytest.raises(Conflict) as refused:
        assign_faces(
            faces=world.people[0][1:2], identity_id=mine.pk, by=By(by.user, expected_revision=0, about=mine.pk)
        )
    assert refused.value.code == "stale_revision"


@pytest.mark.parametrize("text", ["Bertil", ""])
def test_an_imported_person_has_the_name_from_outside_again_once_the_other_is_taken_back(by: By, text: str) -> None:
    person = Identity.objects.create(origin="import", external_key="n0001", name="n0001")
    [named] = name_person(identity_id=person.pk, name=text, by=by)
    refresh_labels()
    assert Identity.objects.get().name == text
    revert(user=by.user, decision_id=named.pk)
    refresh_labels()
    assert Identity.objects.get().name == "n0001"
