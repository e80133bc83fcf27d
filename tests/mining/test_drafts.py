"""What answers about clusters and about two people write to the ledger."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from annotation.models import Cluster, ClusterRun, Decision, Identity, Label
from annotation.services import direct_labels
from annotation.services.decisions import By, undo
from annotation.services.identities import merge_people
from annotation.services.labels import refresh_labels
from foundation.errors import LoupeError
from mining.models import ReviewBatch, ReviewItem
from mining.services.answers import answer_item
from tests.annotation.decisions.world import World, make_world, user, who

pytestmark = pytest.mark.django_db


def anna() -> User:
    return User.objects.filter(username="anna").first() or user()


@pytest.fixture
def world() -> World:
    made = make_world(6, 5)
    made.cluster(core_distance=0.5)
    return made


def ask(asks: str) -> ReviewItem:
    """About the first cluster, or about the people of the first two."""
    run = ClusterRun.objects.get(current=True)
    first, second = Cluster.objects.filter(run=run).order_by("ordinal")[:2]
    batch = ReviewBatch.objects.create(strategy="clusters" if asks == "cluster" else "merges", asks=asks, run=run)
    if asks == "cluster":
        faces = list(dict.fromkeys([first.medoid_id, first.widest_a_id, first.widest_b_id]))
        people, evidence = [first.identity_id], {"cluster": first.pk}
    else:
        faces, people, evidence = [first.medoid_id, second.medoid_id], [first.identity_id, second.identity_id], {}
    return ReviewItem.objects.create(
        batch=batch, ordinal=0, faces=faces, identities=people, value=1, settles=6, why="why", evidence=evidence
    )


def answer(item: ReviewItem, said: str = "same", **payload: Any) -> list[Decision]:
    return answer_item(user=anna(), item_id=item.pk, answer=said, payload=payload)


def test_a_cluster_is_confirmed_without_its_outliers_and_named_in_one_action(world: World) -> None:
    item = ask("cluster")
    out = [face for face in world.people[0] if face not in item.faces][:2]
    made = answer(item, rejected=out, name="Anna")
    assert [one.kind for one in made] == ["reject", "assign", "rename"] and len({one.action for one in made}) == 1
    human = Label.objects.filter(identity=item.identities[0], source="human").values_list("face_id", flat=True)
    assert set(human) == set(world.people[0]) - set(out)
    refresh_labels()
    labels = who()
    assert {labels[face] for face in out}.isdisjoint(item.identities)
    undo(user=anna())
    refresh_labels()
    assert {who()[face] for face in world.people[0]} == {item.identities[0]}
    assert Identity.objects.get(pk=item.identities[0]).name == ""


def test_what_was_taken_back_can_be_said_again_before_the_labels_have_followed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct_labels, "MAX_FACES", 3)
    item = ask("cluster")
    out = next(face for face in world.people[0] if face not in item.faces)
    answer(item, rejected=[out])
    undo(user=anna())
    assert Label.objects.get(face=out).identity is None  # a job will see to it
    answer(item, rejected=[out])
    refresh_labels()
    labels = who()
    assert [labels[face] == item.identities[0] for face in world.people[0]].count(True) == 5
    assert labels[out] != item.identities[0]


def test_faces_leave_a_cluster_as_people_of_their_own_to_be_ignored_or_as_none(world: World) -> None:
    item = ask("cluster")
    a, b, c, d = [face for face in world.people[0] if face not in item.faces[:1]][:4]
    made = answer(item, split=[[a], [b]], ignored=[c], not_faces=[d])
    assert [one.kind for one in made] == ["split", "split", "ignore", "not_a_face", "assign"]
    assert len({one.action for one in made}) == 1
    refresh_labels()
    labels = who()
    assert len({labels[a], labels[b], item.identities[0]}) == 3 and None not in (labels[a], labels[b])
    reasons = dict(Label.objects.filter(face__in=[c, d]).values_list("face_id", "reason"))
    assert reasons == {c: "ignored", d: "not_a_face"}
    rest = set(world.people[0]) - {a, b, c, d}
    assert {labels[face] for face in rest} == {item.identities[0]}
    undo(user=anna())
    refresh_labels()
    assert {who()[face] for face in world.people[0]} == {item.identities[0]}


def test_a_cluster_of_no_faces_is_answered_as_a_whole(world: World) -> None:
    made = answer(ask("cluster"), not_faces=list(world.people[0]))
    assert [one.kind for one in made] == ["not_a_face"]


def test_a_cluster_is_somebody_else(world: World) -> None:
    item, other = ask("cluster"), who()[world.people[1][0]]
    assert [one.kind for one in answer(item, into=other)] == ["assign", "merge"]
    assert Identity.objects.get(pk=item.identities[0]).merged_into_id == other


def test_the_person_of_a_cluster_may_have_been_merged_since(world: World) -> None:
    item, other = ask("cluster"), who()[world.people[1][0]]
    assert other is not None
    merge_people(identity_id=item.identities[0], into_id=other, by=By(anna()))
    refresh_labels()
    [made] = answer(item)
    assert made.identity_id == other and set(made.faces) == set(world.people[0])


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"rejected": "all"}, "bad_payload"),
        ({"rejected": [True]}, "bad_payload"),
        ({"rejected": [10**8]}, "face_not_in_cluster"),
        ({"name": 3}, "bad_payload"),
        ({"name": "Anna", "into": 1}, "bad_payload"),
        ({"into": 10**8}, "no_identity"),
        ({"faces": []}, "bad_payload"),
        ({"split": [1]}, "bad_payload"),
        ({"split": [[]]}, "bad_payload"),
        ({"ignored": [1], "not_faces": [1]}, "bad_payload"),
        ({"split": [[10**8]]}, "face_not_in_cluster"),
    ],
)
def test_bad_payloads_are_refused_and_write_nothing(world: World, payload: dict[str, Any], code: str) -> None:
    item = ask("cluster")
    with pytest.raises(LoupeError) as refused:
        answer(item, **payload)
    assert refused.value.code == code
    assert not Decision.objects.exists()
    item.refresh_from_db()
    assert item.state == "open"


def test_nothing_is_left_to_confirm(world: World) -> None:
    with pytest.raises(LoupeError) as refused:
        answer(ask("cluster"), rejected=world.people[0])
    assert refused.value.code == "cluster_empty"
    with pytest.raises(LoupeError, match="left to confirm"):
        answer(ReviewItem.objects.get(), ignored=list(world.people[0]), name="Anna")
    assert not Decision.objects.exists()


def test_a_mixed_cluster_parts_its_widest_pair(world: World) -> None:
    item = ask("cluster")
    [made] = answer(item, "different")
    assert (made.kind, [*made.faces, *made.others]) == ("different", item.faces[-2:])


def test_two_people_become_the_one_who_has_a_name_and_the_same_question_is_closed_elsewhere(world: World) -> None:
    item = ask("merge")
    Identity.objects.filter(pk=item.identities[1]).update(name="Bertil")
    pairs = ReviewBatch.objects.create(strategy="pairs_near_threshold", asks="pair", run=item.batch.run)
    same = ReviewItem.objects.create(batch=pairs, ordinal=0, faces=item.faces, value=1, settles=1, why="why")
    assert [one.kind for one in answer(item)] == ["same", "merge"]
    assert Identity.objects.get(pk=item.identities[0]).merged_into_id == item.identities[1]
    same.refresh_from_db()
    assert same.state == "obsolete"


def test_two_people_stay_two(world: World) -> None:
    item = ask("merge")
    [made] = answer(item, "different")
    assert made.kind == "different"
    assert not Identity.objects.exclude(merged_into=None).exists()


@pytest.mark.parametrize(
    ("picked", "state", "leave"),
    [
        ([1, 0, 0], "answered", 0),  # one of three slipped
        ([1, 1, 0], "disputed", 0),
        ([1, 1, 1], "answered", 1),
        ([2, 1, 1], "answered", 1),  # all take the first out, one of three the second
    ],
)
def test_what_several_people_pick_out_of_a_cluster_is_weighed_face_by_face(
    world: World, picked: list[int], state: str, leave: int
) -> None:
    item = ask("cluster")
    ReviewBatch.objects.filter(pk=item.batch_id).update(overlap=3)
    out = [face for face in world.people[0] if face not in item.faces]
    for number, count in enumerate(picked):
        payload = {"rejected": out[:count]} if count else {}
        payload |= {"name": "Anna"} if number == 0 else {}
        answer_item(user=user(f"annotator {number}"), item_id=item.pk, answer="same", payload=payload)
    assert ReviewItem.objects.get(pk=item.pk).state == state
    assert [len(one.faces) for one in Decision.objects.filter(kind="reject")] == ([leave] if leave else [])
    assert Identity.objects.get(pk=item.identities[0]).name == ("Anna" if state == "answered" else "")
