"""Several people per question: who is offered what, when votes decide, disputes, taking back, error models."""

from __future__ import annotations

import math
import random
import re
from itertools import count
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Count
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from annotation.models import ClusterRun, Constraint, Decision, Identity, Label
from annotation.services.decisions import decide, redo, revert, undo
from annotation.services.labels import refresh_labels
from foundation.errors import Conflict, Forbidden, InvalidInput
from jobs import services as jobs
from jobs.models import UNFINISHED, Job
from mining.models import ErrorModel, ReviewBatch, ReviewItem, ReviewLease, ReviewVote
from mining.review_pages import list_questions
from mining.services.answers import cast_vote, skip_item, withdraw_vote
from mining.services.error_models import refresh_error_models
from mining.services.leases import lease_items, release_items
from tests.annotation.decisions.world import World, label_of, make_world, user

pytestmark = pytest.mark.django_db
_numbers = count()


@pytest.fixture
def world() -> World:
    made = make_world(8, 8)
    made.cluster()
    return made


def make_batch(world: World, *, overlap: int = 2, size: int = 3, gold: str = "") -> ReviewBatch:
    batch = ReviewBatch.objects.create(strategy="pairs_near_threshold", overlap=overlap)
    for n in range(size):
        faces = [world.people[0][n], world.people[1][n]]
        batch.items.create(ordinal=n, faces=faces, value=9 - n, settles=2, why="w", gold=gold)
    return batch


def item_of(batch: ReviewBatch, ordinal: int = 0) -> ReviewItem:
    return batch.items.get(ordinal=ordinal)


def vote(who: User, item: ReviewItem, answer: str = "different") -> ReviewVote:
    return cast_vote(user=who, item_id=item.pk, answer=answer, seconds=2)


def anybody(role: str = "annotator") -> User:
    return user(f"{role}{next(_numbers)}", role=role)


def offered(who: User, batch: ReviewBatch) -> list[int]:
    return [item.ordinal for item in lease_items(user=who, batch_id=batch.pk, count=10)]


def test_a_question_is_offered_to_as_many_people_as_the_batch_wants_and_never_twice_to_one(world: World) -> None:
    batch = make_batch(world, overlap=2)
    anna, bea, carl = anybody(), anybody(), anybody()
    assert offered(anna, batch) == offered(bea, batch) == [0, 1, 2]
    assert offered(carl, batch) == []
    assert list_questions(batch, user_id=carl.pk) == []
    with pytest.raises(Conflict) as held:
        vote(carl, item_of(batch))
    assert held.value.code == "item_leased"
    vote(anna, item_of(batch))
    assert offered(anna, batch) == [1, 2]
    release_items(user=bea, batch_id=batch.pk)
    assert offered(carl, batch) == [0, 1, 2]
    with pytest.raises(Conflict) as twice:
        vote(anna, item_of(batch))
    assert twice.value.code == "already_answered"
    assert str(twice.value).startswith("You answered this in another tab")


def test_two_people_who_agree_decide_and_the_ledger_names_both_votes(world: World) -> None:
    batch = make_batch(world)
    anna, bea = anybody(), anybody()
    first = vote(anna, item_of(batch))
    assert (first.decision, item_of(batch).state, Decision.objects.count()) == (None, "open", 0)
    second = vote(bea, item_of(batch))
    decision = Decision.objects.get()
    assert (decision.kind, decision.actor, second.decision) == ("different", bea, decision)
    assert [one["vote"] for one in decision.evidence["votes"]] == [first.pk, second.pk]
    assert decision.evidence["sure"] > 0.95 and item_of(batch).state == "answered"


def test_people_who_disagree_leave_it_to_somebody_who_may_settle_it(world: World) -> None:
    batch = make_batch(world)
    anna, bea, carl, engineer = anybody(), anybody(), anybody(), anybody("data_engineer")
    vote(anna, item_of(batch), "same")
    vote(bea, item_of(batch), "different")
    assert item_of(batch).state == "disputed" and not Decision.objects.exists()
    assert 0 not in offered(carl, batch)
    with pytest.raises(Conflict):
        vote(carl, item_of(batch))
    release_items(user=carl, batch_id=batch.pk)
    assert offered(engineer, batch) == [0, 1, 2]
    assert offered(anybody("manager"), batch) == [1, 2]  # the disputed one is being settled
    settled = vote(engineer, item_of(batch), "same")
    assert settled.adjudicates and item_of(batch).state == "answered"
    assert Decision.objects.earliest("id").actor == engineer
    withdraw_vote(user=engineer, vote_id=settled.pk)
    assert item_of(batch).state == "disputed"
    assert Decision.objects.latest("id").kind == "revert"
    assert ReviewVote.objects.filter(item=item_of(batch), withdrawn_at=None).count() == 2


def test_who_answered_settles_their_own_dispute_only_if_nobody_else_can(world: World) -> None:
    batch = make_batch(world)
    manager, other = anybody("manager"), anybody("manager")
    vote(manager, item_of(batch), "same")
    vote(anybody(), item_of(batch), "different")
    assert 0 not in offered(manager, batch)
    with pytest.raises(Conflict) as own:
        vote(manager, item_of(batch))
    assert own.value.code == "already_answered"
    User.objects.filter(pk=other.pk).update(is_active=False)
    assert offered(manager, batch)[0] == 0
    settled = vote(manager, item_of(batch), "different")
    assert settled.adjudicates and item_of(batch).state == "answered"
    assert Decision.objects.get().evidence["answer"] == "different"
    undo(user=manager)
    assert item_of(batch).state == "disputed"
    assert ReviewVote.objects.filter(item=item_of(batch), withdrawn_at=None).count() == 2  # as before the dispute
    redo(user=manager)
    assert item_of(batch).state == "answered"
    assert ReviewVote.objects.filter(item=item_of(batch), withdrawn_at=None).count() == 3


def test_who_passes_over_their_own_dispute_is_not_asked_again(world: World) -> None:
    batch = make_batch(world)
    manager = anybody("manager")
    vote(manager, item_of(batch), "same")
    vote(anybody(), item_of(batch), "different")
    assert offered(manager, batch)[0] == 0
    skip_item(user=manager, item_id=item_of(batch).pk)
    assert item_of(batch).state == "disputed" and 0 not in offered(manager, batch)
    assert offered(anybody("data_engineer"), batch)[0] == 0


def test_taking_a_vote_back_takes_the_decision_back_unless_the_others_carry_it(world: World) -> None:
    batch = make_batch(world, overlap=3)
    anna, bea, carl = anybody(), anybody(), anybody()
    first, _, last = (vote(who, item_of(batch)) for who in (anna, bea, carl))
    assert item_of(batch).state == "answered"
    withdraw_vote(user=anna, vote_id=first.pk)
    assert item_of(batch).state == "answered" and Decision.objects.count() == 1  # two still agree
    withdraw_vote(user=carl, vote_id=last.pk)
    assert item_of(batch).state == "open"
    assert [entry.actor for entry in Decision.objects.order_by("id")] == [carl, carl]
    assert ReviewVote.objects.filter(withdrawn_at=None).get().user == bea
    assert ReviewVote.objects.count() == 3


def test_a_vote_that_did_not_write_the_decision_takes_it_back_in_nobodys_name(world: World) -> None:
    batch = make_batch(world)
    anna, bea = anybody(), anybody()
    first = vote(anna, item_of(batch))
    vote(bea, item_of(batch))
    withdraw_vote(user=anna, vote_id=first.pk)
    assert Decision.objects.latest("id").actor is None
    assert item_of(batch).state == "open"
    assert ReviewVote.objects.get(withdrawn_at=None).user == bea
    assert 0 not in offered(anybody(), batch)  # anna has it again for two minutes: one vote and one lease are enough


def test_only_ones_own_vote_is_taken_back_and_once(world: World) -> None:
    batch = make_batch(world, overlap=1)
    anna = anybody()
    mine = vote(anna, item_of(batch))
    with pytest.raises(Forbidden):
        withdraw_vote(user=anybody("manager"), vote_id=mine.pk)
    withdraw_vote(user=anna, vote_id=mine.pk)
    with pytest.raises(Conflict):
        withdraw_vote(user=anna, vote_id=mine.pk)


def test_undo_in_the_ledger_withdraws_the_vote_and_redo_restores_it(world: World) -> None:
    batch = make_batch(world, overlap=2)
    anna, bea = anybody(), anybody()
    vote(anna, item_of(batch))
    completing = vote(bea, item_of(batch))
    undo(user=bea)
    completing.refresh_from_db()
    assert completing.withdrawn_at is not None and item_of(batch).state == "open"
    redo(user=bea)
    completing.refresh_from_db()
    assert completing.withdrawn_at is None and item_of(batch).state == "answered"


def test_a_vote_cast_since_is_not_doubled_by_a_redo(world: World) -> None:
    batch = make_batch(world, overlap=1)
    anna, manager = anybody(), anybody("manager")
    first = vote(anna, item_of(batch))
    assert first.decision is not None
    taken = revert(user=manager, decision_id=first.decision.pk)
    vote(anna, item_of(batch), "same")
    revert(user=manager, decision_id=taken[0].pk)
    assert ReviewVote.objects.filter(withdrawn_at=None).get().answer == "same"


def test_what_somebody_said_directly_counts_for_more_than_votes(world: World) -> None:
    batch = make_batch(world)
    item = item_of(batch)
    vote(anybody(), item)
    person = Label.objects.get(face=item.faces[0]).identity_id
    said = decide(user=anybody("manager"), kind="assign", faces=item.faces, identity=person)
    vote(anybody(), item)
    assert (item_of(batch).state, item_of(batch).decision) == ("obsolete", said)
    assert list(Decision.objects.values_list("kind", flat=True)) == ["assign"]
    assert ReviewVote.objects.filter(item=item, withdrawn_at=None).count() == 2
    revert(user=anybody("manager"), decision_id=said.pk)
    assert item_of(batch).state == "disputed"  # both votes are in, so somebody settles it


def test_what_was_said_directly_and_taken_back_does_not_count(world: World) -> None:
    batch = make_batch(world)
    item, manager = item_of(batch), anybody("manager")
    low, high = sorted(item.faces)
    said = decide(user=manager, kind="different", faces=[low], others=[high])
    refresh_labels()
    assert Constraint.objects.get(face_a=low, face_b=high).decision == said
    revert(user=manager, decision_id=said.pk)  # the pair is there until labels are made anew
    votes = [vote(anybody(), item) for _ in range(2)]
    assert (item_of(batch).state, item_of(batch).decision) == ("answered", votes[1].decision)


def test_half_of_what_was_said_directly_does_not_count_for_both_faces(world: World) -> None:
    batch = make_batch(world)
    item, manager = item_of(batch), anybody("manager")
    said = [
        decide(user=manager, kind="assign", faces=[face], identity=label_of(face).identity_id) for face in item.faces
    ]
    revert(user=manager, decision_id=said[0].pk)
    Label.objects.filter(face=item.faces[0]).update(source="human", decision=said[0])  # as if not yet made anew
    for _ in range(2):
        vote(anybody(), item)
    assert item_of(batch).state == "answered"


def test_a_cluster_of_an_earlier_run_that_was_settled_directly_is_not_disputed_later(world: World) -> None:
    run = ClusterRun.objects.get(current=True)
    batch = ReviewBatch.objects.create(strategy="clusters", asks="cluster", overlap=2, run=run)
    cluster = run.clusters.order_by("ordinal")[0]
    faces = [cluster.medoid_id, cluster.widest_a_id]
    settings = {"value": 1, "settles": 8, "why": "w", "evidence": {"cluster": cluster.pk}}
    item = batch.items.create(ordinal=0, faces=faces, identities=[cluster.identity_id], **settings)
    manager = anybody("manager")
    said = decide(user=manager, kind="assign", faces=faces, identity=cluster.identity_id)
    for _ in range(2):
        vote(anybody(), item, "same")
    assert (item_of(batch).state, item_of(batch).decision) == ("obsolete", said)
    world.cluster()
    revert(user=manager, decision_id=said.pk)
    assert item_of(batch).state == "obsolete"


@pytest.mark.parametrize("overlap", [1, 2])
def test_skipping_leaves_a_question_to_others_until_everybody_has_skipped_it(world: World, overlap: int) -> None:
    batch = make_batch(world, overlap=overlap)
    anna, bea, carl = anybody(), anybody(), anybody("manager")
    User.objects.create(username="gone", role="annotator", is_active=False)
    assert skip_item(user=anna, item_id=item_of(batch).pk).item.state == "open"
    assert 0 not in offered(anna, batch)
    with pytest.raises(Conflict) as twice:
        vote(anna, item_of(batch))
    assert twice.value.code == "already_answered"
    release_items(user=anna, batch_id=batch.pk)
    assert offered(bea, batch) == [0, 1, 2]
    assert skip_item(user=bea, item_id=item_of(batch).pk).item.state == "open"
    skipped = skip_item(user=carl, item_id=item_of(batch).pk)
    assert skipped.item.state == "skipped"
    withdraw_vote(user=carl, vote_id=skipped.pk)
    assert item_of(batch).state == "open"


def test_who_comes_after_everybody_has_skipped_a_question_is_asked_it_last_and_may_answer(world: World) -> None:
    batch = make_batch(world, overlap=1)
    anna = anybody()
    skip_item(user=anna, item_id=item_of(batch).pk)
    assert item_of(batch).state == "skipped" and offered(anna, batch) == [1, 2]
    release_items(user=anna, batch_id=batch.pk)
    late = anybody()
    assert offered(late, batch) == [1, 2, 0]
    vote(late, item_of(batch))
    assert item_of(batch).state == "answered"


def test_a_known_answer_is_voted_on_like_any_and_writes_nothing(world: World) -> None:
    batch = make_batch(world, overlap=1, gold="different")
    anna = anybody()
    mine = vote(anna, item_of(batch), "same")
    assert item_of(batch).state == "answered" and not Decision.objects.exists()
    assert withdraw_vote(user=anna, vote_id=mine.pk).item.state == "open"
    with pytest.raises(InvalidInput):
        vote(anna, item_of(batch), "left")


def test_people_known_to_err_are_believed_less(world: World) -> None:
    batch = make_batch(world)
    careless, careful = anybody(), anybody()
    rates = {"same": {"same": 0.6, "different": 0.4}, "different": {"same": 0.4, "different": 0.6}}
    common = {"asks": "pair", "prevalence": {"same": 0.5, "different": 0.5}, "votes": 50, "known": 50}
    ErrorModel.objects.create(user=careless, errors=rates, **common)
    vote(careless, item_of(batch))
    vote(careful, item_of(batch))
    assert item_of(batch).state == "disputed"  # 0.6 and 0.9 that agree make 0.93


@pytest.mark.parametrize(
    ("expected", "answers", "state"),
    [
        (0.01, "different different same", "answered"),  # a slip about two strangers
        (0.01, "same same different", "disputed"),
        (0.99, "same same different", "answered"),
        (0.99, "different different same", "disputed"),  # never what mining expected against what most say
        (0.01, "same same same", "answered"),
        (None, "different different same", "disputed"),
        ([0.02, 0.98], "different different same", "disputed"),  # two models that disagree
    ],
)
def test_what_mining_expected_tells_how_sure_an_answer_is_and_never_which_it_is(
    world: World, expected: float | list[float] | None, answers: str, state: str
) -> None:
    batch = make_batch(world, overlap=3)
    batch.items.update(evidence={} if expected is None else {"same": expected})
    for answer in answers.split():
        vote(anybody(), item_of(batch), answer)
    item = item_of(batch)
    assert item.state == state
    if item.decision is not None:
        assert item.decision.kind == answers.split()[0]


def test_error_models_are_learned_from_known_answers_and_from_overlap(world: World) -> None:
    right, wrong = anybody(), anybody()
    faces = world.people[0] + world.people[1]
    persons = {face: Label.objects.get(face=face).identity_id for face in faces}
    for face, person in persons.items():
        decide(user=right, kind="assign", faces=[face], identity=person)
    batch = make_batch(world, overlap=2, size=8, gold="different")
    for item in batch.items.all():
        vote(right, item, "different")
        vote(wrong, item, "same")
    assert refresh_error_models() == 2
    models = {model.user_id: model for model in ErrorModel.objects.all()}
    assert (models[right.pk].votes, models[right.pk].known) == (8, 8)
    assert models[right.pk].errors["different"]["different"] > 0.9
    assert models[wrong.pk].errors["different"]["same"] > 0.4
    decide(user=right, kind="assign", faces=world.people[1], identity=persons[world.people[0][0]])
    refresh_error_models()
    assert set(ErrorModel.objects.values_list("known", flat=True)) == {0}  # no longer known: all are one person now


def test_a_vote_costs_the_same_number_of_queries_whatever_was_said_before(world: World) -> None:
    costs = []
    for size in (1, 8):
        batch = make_batch(world, overlap=2, size=size)
        anna, bea = anybody(), anybody()
        for item in batch.items.all()[1:]:
            vote(anna, item)
        vote(anna, item_of(batch))
        with CaptureQueriesContext(connection) as caught:
            vote(bea, item_of(batch))
        asked = [query["sql"] for query in caught]  # without the jobs that some of the votes ask for
        costs.append(len([sql for sql in asked if not re.search("jobs_job|SAVEPOINT|advisory", sql)]))
    assert costs[0] == costs[1]


@pytest.mark.parametrize(("answer", "statements"), [("different", 19), ("same", 30)])
def test_an_answer_takes_few_statements(
    world: World, answer: str, statements: int, django_assert_max_num_queries: Any
) -> None:
    """Each is one more moment in which others come in between."""
    batch, anna = make_batch(world, overlap=1), anybody()
    vote(anna, item_of(batch), "different")  # asks for labels, which others then need not
    with django_assert_max_num_queries(statements):  # with the savepoint that the test's own transaction needs
        vote(anna, item_of(batch, 1), answer)


@pytest.mark.django_db(transaction=True)
def test_people_who_ask_at_the_same_moment_get_no_question_too_often() -> None:
    world = make_world(12, 12)
    batch = make_batch(world, overlap=2, size=12)
    people = [anybody() for _ in range(6)]
    begin = Barrier(len(people))

    def ask(who: User) -> None:
        try:
            begin.wait(60)
            for _ in range(4):
                lease_items(user=who, batch_id=batch.pk, count=8)
        finally:
            connection.close()

    threads = [Thread(target=ask, args=(who,)) for who in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for who in people:
        lease_items(user=who, batch_id=batch.pk, count=12)  # what two at once left to each other
    holders = ReviewLease.objects.values("item").annotate(n=Count("pk")).values_list("n", flat=True)
    assert list(holders) == [2] * 12


@pytest.mark.django_db(transaction=True)
def test_a_question_closed_by_what_is_taken_back_at_the_same_moment_opens_again() -> None:
    batch = make_batch(make_world(8, 8))
    item, manager = item_of(batch), anybody("manager")
    said = decide(user=manager, kind="assign", faces=item.faces, identity=Identity.objects.create().pk)
    taken, voted = Event(), Event()

    def take_back() -> None:
        try:
            with transaction.atomic():
                revert(user=manager, decision_id=said.pk)
                taken.set()
                assert voted.wait(60)
        finally:
            connection.close()

    elsewhere = Thread(target=take_back)
    elsewhere.start()
    assert taken.wait(60)
    for _ in range(2):
        vote(anybody(), item)
    assert (item_of(batch).state, item_of(batch).decision) == ("obsolete", said)
    voted.set()
    elsewhere.join(20)
    while (job := Job.objects.filter(state__in=UNFINISHED).order_by("id").first()) is not None:
        jobs.run_to_end(job_id=job.pk)
    assert item_of(batch).state == "disputed"
    assert ReviewVote.objects.filter(item=item, withdrawn_at=None).count() == 2


def carried(votes: dict[int, str], overlap: int, before: str, sure: float = 0.95) -> str:
    """The answer that votes of people who are right nine times in ten carry, empty for none; straight from Bayes."""
    odds = {
        truth: math.prod(0.9 if said == truth else 0.1 for said in votes.values()) for truth in ("same", "different")
    }
    best = max(odds, key=lambda truth: odds[truth])
    certain = bool(votes) and odds[best] / sum(odds.values()) >= sure
    return best if certain and (len(votes) >= overlap or before) else ""


@pytest.mark.parametrize("seed", range(12))
def test_the_ledger_always_says_what_the_votes_carry(world: World, seed: int) -> None:
    rng = random.Random(seed)
    overlap = rng.choice((2, 3, 4))
    batch = make_batch(world, overlap=overlap, size=1)
    people = [anybody() for _ in range(overlap + 1)]
    votes: dict[int, ReviewVote] = {}
    before = ""
    for _ in range(14):
        who = rng.choice(people)
        try:
            if who.pk in votes:
                withdraw_vote(user=who, vote_id=votes.pop(who.pk).pk)
            else:
                votes[who.pk] = vote(who, item_of(batch), rng.choice(("same", "different", "different")))
        except Conflict:
            assert item_of(batch).state in ("answered", "disputed") or len(votes) >= overlap - 1
        ReviewLease.objects.all().delete()
        before = carried({user: one.answer for user, one in votes.items()}, overlap, before)
        item = item_of(batch)
        expected = "answered" if before else "disputed" if len(votes) >= overlap else "open"
        assert item.state == expected
        reverted = set(Decision.objects.filter(kind="revert").values_list("reverts", flat=True))
        standing = Decision.objects.exclude(kind="revert").exclude(pk__in=reverted)
        assert {entry.evidence["answer"] for entry in standing} == ({before} if before else set())
        live = ReviewVote.objects.filter(withdrawn_at=None).values_list("user", "answer")
        assert dict(live) == {user: one.answer for user, one in votes.items()}
