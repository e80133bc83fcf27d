"""Several people take the same decision back at the very same moment, over connections of their own: one of them does
it, the others are told so, and nobody's transaction is given up for another's."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from annotation.ledger.entries import Kind
from annotation.models import Decision, Identity
from annotation.queries.ledger_pages import LedgerFilter
from annotation.services.decisions import By, revert
from annotation.services.identities import merge_people
from annotation.services.reversals import take_back
from annotation.services.standing import taken_back
from foundation.errors import Conflict
from mining.models import ReviewBatch, ReviewItem, ReviewVote
from mining.services import boards
from mining.services.answers import cast_vote, withdraw_vote
from tests.annotation.decisions.world import THRESHOLDS, World, make_world, user, who

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 12
Act = Callable[[], Any]


@pytest.fixture
def world() -> World:
    made = make_world(4, 4, 4)
    made.cluster(**THRESHOLDS)
    return made


@pytest.fixture
def managers() -> list[User]:
    return [user(f"manager{n}", "manager") for n in range(3)]


def at_once(*acts: Act) -> list[str]:
    """What became of each, begun at the same moment: `done`, or the code of its refusal."""
    begin = Barrier(len(acts))

    def run(act: Act) -> str:
        begin.wait(60)
        try:
            act()
            return "done"
        except Conflict as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [one.result(60) for one in [pool.submit(run, act) for act in acts]]


def standing_reverts(decision: int) -> int:
    reverts = list(Decision.objects.filter(kind=Kind.REVERT, reverts=decision).values_list("pk", flat=True))
    return len(set(reverts) - taken_back(reverts))


def test_one_of_several_undos_of_an_action_stands_and_redoing_it_brings_the_action_back(
    world: World, managers: list[User]
) -> None:
    annotator = user("annotator")
    source, into = (who()[faces[0]] for faces in world.people[:2])
    for number in range(TIMES):
        said = merge_people(identity_id=source, into_id=into, by=By(annotator))[0]
        acts = [partial(revert, user=one, decision_id=said.pk) for one in managers]
        everything = partial(take_back, user=managers[0], chosen=LedgerFilter(actor=annotator.pk))
        told = at_once(*acts[:2], everything if number % 2 else acts[2])
        assert sorted(told) == ["already_reverted", "already_reverted", "done"]
        assert standing_reverts(said.pk) == 1
        assert said.pk in taken_back([said.pk])
        undo = Decision.objects.filter(reverts=said).order_by("-pk")[0]
        told = at_once(*(partial(revert, user=one, decision_id=undo.pk) for one in managers))
        assert sorted(told) == ["already_reverted", "already_reverted", "done"]
        assert said.pk not in taken_back([said.pk])
        assert Identity.objects.get(pk=source).merged_into_id == into
        revert(user=managers[0], decision_id=said.pk)


def questions(world: World, count: int) -> list[ReviewItem]:
    """Each asks the same of two people, in a batch of its own, so that one answer settles all of them."""
    faces = [world.people[0][0], world.people[1][0]]
    items = []
    for _ in range(count):
        batch = ReviewBatch.objects.create(strategy="any", asks="pair")
        items.append(batch.items.create(ordinal=0, faces=faces, value=1, settles=2, why="w"))
    return items


def until_somebody_waits() -> None:
    """Until another connection waits for what a transaction has locked."""
    with connection.cursor() as cursor:
        waiting = 0
        while not waiting:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()")
            [waiting] = cursor.fetchone()


def test_a_board_withdrawn_while_one_of_its_decisions_is_taken_back_ends_in_no_deadlock(
    world: World, managers: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator, begun = user("annotator"), Event()
    batch = ReviewBatch.objects.create(strategy="any", asks="pair")
    heads = [faces[0] for faces in world.people]
    pairs = [heads[:2], heads[1:]]  # both are about the person in the middle
    items = [batch.items.create(ordinal=n, faces=pair, value=1, settles=2, why="w") for n, pair in enumerate(pairs)]
    votes = [cast_vote(user=annotator, item_id=item.pk, answer="same").pk for item in items]
    first, second = ReviewVote.objects.filter(pk__in=votes).order_by("pk").values_list("decision", flat=True)

    def withdraw_slowly(**given: Any) -> ReviewVote:
        if given["vote_id"] == votes[1]:
            begun.set()
            until_somebody_waits()
        return withdraw_vote(**given)

    def take_back_the_second() -> None:
        assert begun.wait(60)
        revert(user=managers[0], decision_id=second)

    monkeypatch.setattr(boards, "withdraw_vote", withdraw_slowly)
    told = at_once(partial(boards.withdraw_votes, user=annotator, votes=votes), take_back_the_second)
    assert told == ["done", "already_reverted"]
    assert [standing_reverts(one) for one in (first, second)] == [1, 1]
    assert set(batch.items.values_list("state", flat=True)) == {"open"}


def test_an_answer_withdrawn_while_others_take_its_decision_back_ends_in_no_deadlock(
    world: World, managers: list[User]
) -> None:
    annotator = user("annotator")
    items = questions(world, 5)
    for number in range(TIMES):
        asked = items[number % 5]  # those before and after it are settled with it
        vote = cast_vote(user=annotator, item_id=asked.pk, answer="same")
        said = ReviewVote.objects.get(pk=vote.pk).decision
        assert said is not None
        told = at_once(
            partial(withdraw_vote, user=annotator, vote_id=vote.pk),
            *(partial(revert, user=one, decision_id=said.pk) for one in managers),
        )
        assert told.count("done") == 1, told
        assert set(told) <= {"done", "already_reverted", "already_withdrawn"}
        assert standing_reverts(said.pk) == 1
        assert set(ReviewItem.objects.values_list("state", flat=True)) == {"open"}
        assert not ReviewVote.objects.filter(withdrawn_at=None).exists()


def test_of_two_boards_about_the_same_people_one_is_told_to_look_once_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_person(4)
    world.cluster(**THRESHOLDS)
    a, b, c, d = (faces[0] for faces in world.people)
    items = []
    for pair in ([a, b], [c, d], [world.people[2][1], d], [world.people[0][1], b]):
        batch = ReviewBatch.objects.create(strategy="any", asks="pair")
        items.append(batch.items.create(ordinal=0, faces=pair, value=1, settles=2, why="w").pk)
    both = Barrier(2)

    def cast_slowly(**given: Any) -> ReviewVote:
        if given["item_id"] in (items[1], items[3]):
            both.wait(60)
        return cast_vote(**given)

    monkeypatch.setattr(boards, "cast_vote", cast_slowly)
    refused: list[str] = []

    def answer(who: User, those: list[int]) -> None:
        outcomes = boards.cast_votes(user=who, answers=[boards.Answered(item, "same") for item in those])
        refused.extend(one.refused.code for one in outcomes if one.refused)

    told = at_once(partial(answer, user("anna"), items[:2]), partial(answer, user("bo"), items[2:]))
    assert told == ["done", "done"]
    # The one is told of what it did not get, the other of what it came late to.
    assert sorted(refused) == ["busy", "identity_merged"]
    assert ReviewVote.objects.count() == 2
