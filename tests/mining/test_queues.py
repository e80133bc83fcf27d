"""Queues as somebody has them: in order of value, and why one has nothing more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from mining.models import ReviewBatch, ReviewItem
from mining.queues import Queue, count_left, list_queues, next_queue, rest_of
from mining.review_pages import find_batch
from mining.services.answers import cast_vote, skip_item
from mining.services.leases import lease_items
from tests.annotation.decisions.world import World, make_world, user

pytestmark = pytest.mark.django_db
State = ReviewItem.State


@pytest.fixture
def world() -> World:
    made = make_world(8, 8)
    made.cluster()
    return made


@pytest.fixture
def anna(world: World) -> User:
    user("bo")
    return user("anna")


def make_batch(world: World, *, size: int = 3, value: float = 9, overlap: int = 1) -> ReviewBatch:
    batch = ReviewBatch.objects.create(strategy="pairs_near_threshold", overlap=overlap, expected_seconds=30)
    for n in range(size):
        faces = [world.people[0][n], world.people[1][n]]
        batch.items.create(ordinal=n, faces=faces, value=value - n, settles=2, why="w")
    return batch


def numbers(queues: list[Queue]) -> list[int]:
    return [queue.batch.pk for queue in queues]


def fresh(batch: ReviewBatch) -> ReviewBatch:
    found = find_batch(batch.pk)
    assert found is not None
    return found


def test_the_most_valuable_next_question_comes_first_and_batches_without_one_are_apart(
    world: World, anna: User
) -> None:
    few, many, none = make_batch(world, value=5), make_batch(world, value=7), make_batch(world, size=0)
    assert numbers(list_queues(anna).open) == [many.pk, few.pk] and numbers(list_queues(anna).closed) == [none.pk]
    [first, _] = list_queues(anna).open
    assert (first.title, first.left, first.minutes) == ("Pairs near the threshold", 3, 1.5)
    for item in many.items.filter(ordinal__lt=2):
        skip_item(user=anna, item_id=item.pk)
    assert [(queue.batch.pk, queue.left) for queue in list_queues(anna).open] == [(many.pk, 1), (few.pk, 3)]  # 5 each
    assert count_left(fresh(many), anna) == 1
    cast_vote(user=anna, item_id=many.items.get(ordinal=2).pk, answer="different")
    assert numbers(list_queues(anna).open) == [few.pk] and numbers(list_queues(anna).closed) == [none.pk, many.pk]
    assert numbers(list_queues(User.objects.get(username="bo")).open) == [many.pk, few.pk]


def test_what_others_have_before_them_is_said_and_the_next_batch_is_one_with_free_questions(
    world: World, anna: User
) -> None:
    batch, other, least = make_batch(world, value=9), make_batch(world, value=8), make_batch(world, value=7)
    bo = User.objects.get(username="bo")
    lease_items(user=bo, batch_id=batch.pk, count=9)
    lease_items(user=bo, batch_id=other.pk, count=9)
    rest = rest_of(batch, anna)
    assert (rest.held, rest.who, rest.done, rest.hidden) == (3, "bo", False, 0)
    found = next_queue(anna, without=batch.pk)
    assert found is not None and found.batch == least
    batch.items.first().leases.update(expires_at=timezone.now() - timedelta(seconds=1))  # type: ignore[union-attr]
    assert numbers(list_queues(anna).open) == [batch.pk, least.pk]
    assert next_queue(anna, without=least.pk) is not None


def test_several_colleagues_are_named_or_counted_and_nobody_where_several_are_asked(world: World, anna: User) -> None:
    batch, shared = make_batch(world, size=5), make_batch(world, size=1, overlap=2)
    people = [User.objects.get(username="bo"), *(user(name, role="manager") for name in ("cid", "dan"))]
    for person in people:
        lease_items(user=person, batch_id=batch.pk, count=1)
    assert rest_of(batch, anna).who == "bo, cid and dan"
    lease_items(user=user("eve"), batch_id=batch.pk, count=1)
    assert rest_of(batch, anna).who == "4 colleagues"
    for person in people[:2]:
        lease_items(user=person, batch_id=shared.pk)
    assert (rest_of(shared, anna).held, rest_of(shared, anna).who) == (1, "others")


def test_what_was_skipped_or_waits_for_others_is_told_apart(world: World, anna: User) -> None:
    batch = make_batch(world, size=5, overlap=2)
    bo = User.objects.get(username="bo")
    items = list(batch.items.order_by("ordinal"))
    for item in items[:2]:
        skip_item(user=anna, item_id=item.pk)
    skip_item(user=bo, item_id=items[0].pk)
    for item in items[2:]:
        cast_vote(user=anna, item_id=item.pk, answer="different")
    cast_vote(user=bo, item_id=items[2].pk, answer="same")
    rest = rest_of(batch, anna)
    assert (rest.answered, rest.skipped, rest.disputed, rest.unsettled) == (2, 1, 1, 1)
    assert (rest.held, rest.hidden, rest.done, len(rest.votes)) == (0, 0, False, 2)


def test_a_batch_that_is_done_is_done(world: World, anna: User) -> None:
    batch = make_batch(world, size=1)
    cast_vote(user=anna, item_id=batch.items.get().pk, answer="different")
    assert rest_of(batch, anna).done and next_queue(anna, without=batch.pk) is None
    hidden = make_batch(world, size=1)
    assert rest_of(hidden, anna).hidden == 1
