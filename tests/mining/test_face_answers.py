"""What is said of faces that a question shows, instead of answering it."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from annotation.models import ClusterRun, Decision, Label
from annotation.services.decisions import redo, undo
from annotation.services.labels import refresh_labels
from foundation.errors import InvalidInput, NotFound
from mining.models import ErrorModel, ReviewBatch, ReviewItem, ReviewVote
from mining.queries import load_pool
from mining.services.answers import cast_vote, withdraw_vote
from mining.services.error_models import refresh_error_models
from tests.annotation.decisions.world import World, label_of, make_world, user, who

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    made = make_world(8, 8, 4)
    made.cluster()
    return made


def make_batch(world: World, asks: str = "pair", *, overlap: int = 1, size: int = 3, gold: str = "") -> ReviewBatch:
    batch = ReviewBatch.objects.create(strategy="any", asks=asks, overlap=overlap)
    people = [who()[world.people[at][0]] for at in (0, 1)]
    for n in range(size):
        faces = [world.people[0][n], world.people[1][0]]
        batch.items.create(ordinal=n, faces=faces, identities=people, value=9 - n, settles=2, why="w", gold=gold)
    return batch


def item_of(batch: ReviewBatch, ordinal: int = 0) -> ReviewItem:
    return batch.items.get(ordinal=ordinal)


def states(batch: ReviewBatch) -> list[str]:
    return list(batch.items.order_by("ordinal").values_list("state", flat=True))


def say(person: User, item: ReviewItem, answer: str, **payload: Any) -> ReviewVote:
    return cast_vote(user=person, item_id=item.pk, answer=answer, seconds=1, payload=payload)


@pytest.mark.parametrize(("answer", "reason"), [("ignore", "ignored"), ("not_a_face", "not_a_face")])
def test_a_face_is_set_aside_and_what_asks_about_it_is_closed_and_comes_back_with_an_undo(
    world: World, answer: str, reason: str
) -> None:
    batch, anna = make_batch(world), user()
    shared = world.people[1][0]
    mine = say(anna, item_of(batch), answer, faces=[shared])
    decision = Decision.objects.get()
    assert (decision.kind, decision.faces, decision.evidence["item"]) == (answer, [shared], item_of(batch).pk)
    assert states(batch) == ["answered", "obsolete", "obsolete"]  # all three show it
    assert (label_of(shared).identity_id, label_of(shared).reason) == (None, reason)
    withdraw_vote(user=anna, vote_id=mine.pk)
    assert states(batch) == ["open"] * 3
    refresh_labels()
    assert label_of(shared).identity_id is not None
    say(anna, item_of(batch), answer, faces=[shared])
    undo(user=anna)
    assert states(batch) == ["open"] * 3 and not ReviewVote.objects.filter(withdrawn_at=None).exists()
    redo(user=anna)
    assert states(batch) == ["answered", "obsolete", "obsolete"]


def test_of_a_pair_the_other_face_stays_and_only_faces_shown_can_be_set_aside(world: World) -> None:
    batch, anna = make_batch(world), user()
    for payload in ({}, {"faces": []}, {"faces": [1.5]}, {"faces": [world.people[0][0]], "into": 3}):
        with pytest.raises(InvalidInput) as bad:
            say(anna, item_of(batch), "ignore", **payload)
        assert bad.value.code == "bad_payload"
    with pytest.raises(InvalidInput) as elsewhere:
        say(anna, item_of(batch), "ignore", faces=[world.people[2][0]])
    assert elsewhere.value.code == "face_not_shown"
    say(anna, item_of(batch), "ignore", faces=[world.people[0][0]])
    assert states(batch) == ["answered", "open", "open"]


def test_of_merges_any_face_of_the_rows_goes_and_the_two_may_be_asked_about_again(world: World) -> None:
    batch, anna = make_batch(world, "merge", size=1), user()
    say(anna, item_of(batch), "not_a_face", faces=world.people[0][3:5])
    assert Decision.objects.get().faces == world.people[0][3:5] and states(batch) == ["answered"]
    run = ClusterRun.objects.get(current=True)
    assert tuple(item_of(batch).faces) not in load_pool(run).asked


def test_of_a_suspect_only_the_suspect_and_of_clusters_in_their_own_words(world: World) -> None:
    batch, anna = make_batch(world, "suspect"), user()
    with pytest.raises(InvalidInput) as other:
        say(anna, item_of(batch), "ignore", faces=[world.people[1][0]])
    assert other.value.code == "face_not_shown"
    again = make_batch(world, "suspect", size=1)
    say(anna, item_of(batch), "ignore", faces=[world.people[0][0]])
    assert states(batch) == ["answered", "open", "open"] and states(again) == ["obsolete"]
    with pytest.raises(InvalidInput) as cluster:
        say(anna, item_of(make_batch(world, "cluster")), "ignore", faces=[world.people[0][0]])
    assert cluster.value.code == "unknown_answer"


def test_a_suspect_may_be_somebody_else(world: World) -> None:
    batch, anna = make_batch(world, "suspect"), user()
    third = who()[world.people[2][0]]
    assert third is not None
    with pytest.raises(NotFound):
        say(anna, item_of(batch), "somebody", into=10**9)
    with pytest.raises(InvalidInput):
        say(anna, item_of(batch), "somebody", into="x")
    with pytest.raises(InvalidInput):
        say(anna, item_of(make_batch(world)), "somebody", into=third)
    mine = say(anna, item_of(batch), "somebody", into=third)
    assert label_of(world.people[0][0]).identity_id == third and states(batch)[0] == "answered"
    withdraw_vote(user=anna, vote_id=mine.pk)
    refresh_labels()
    assert label_of(world.people[0][0]).identity_id != third and states(batch)[0] == "open"


def test_several_people_must_say_the_same_of_a_face(world: World) -> None:
    batch = make_batch(world, overlap=2)
    anna, bea, engineer = user("a"), user("b"), user("c", role="data_engineer")
    face, other = item_of(batch).faces
    say(anna, item_of(batch), "ignore", faces=[face])
    assert states(batch)[0] == "open" and not Decision.objects.exists()
    say(bea, item_of(batch), "ignore", faces=[face])
    assert states(batch)[0] == "answered" and Decision.objects.get().evidence["sure"] == 1.0
    for ordinal, (said, payload) in enumerate([("different", {}), ("ignore", {"faces": [other]})], start=1):
        say(anna, item_of(batch, ordinal), "ignore", faces=[item_of(batch, ordinal).faces[0]])
        say(bea, item_of(batch, ordinal), said, **payload)
    assert states(batch) == ["answered", "disputed", "disputed"]
    say(engineer, item_of(batch, 1), "ignore", faces=[item_of(batch, 1).faces[0]])
    assert states(batch)[1] == "answered" and Decision.objects.latest("id").actor == engineer


def test_it_is_written_of_a_known_question_too_and_tells_nothing_of_how_people_err(world: World) -> None:
    batch, anna = make_batch(world, gold="different"), user()
    say(anna, item_of(batch), "not_a_face", faces=[item_of(batch).faces[0]])
    assert Decision.objects.get().kind == "not_a_face" and states(batch)[0] == "answered"
    assert Label.objects.get(face=item_of(batch).faces[0]).identity is None
    say(anna, item_of(batch, 1), "different")
    refresh_error_models()
    assert ErrorModel.objects.get().votes == 1
