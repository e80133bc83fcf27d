"""Counts of a batch: exact where that is quick, a few seconds old where it is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from mining import batch_counts
from mining.models import ReviewBatch, ReviewItem, ReviewVote
from mining.queries import batch_by_id
from mining.review_pages import find_batch
from tests.annotation.decisions.world import user

State = ReviewItem.State
pytestmark = pytest.mark.django_db


@pytest.fixture
def batch() -> Iterator[ReviewBatch]:
    made = ReviewBatch.objects.create(strategy="pairs_near_threshold", overlap=2)
    states = [State.OPEN] * 4 + [State.ANSWERED, State.DISPUTED]
    items = [
        ReviewItem(batch=made, ordinal=at, faces=[at, at + 1], value=1.0, settles=1, why="", state=state)
        for at, state in enumerate(states)
    ]
    made_items = ReviewItem.objects.bulk_create(items)
    person = user()
    for answer, item in (("same", made_items[0]), ("skip", made_items[1]), ("same", made_items[4])):
        ReviewVote.objects.create(item=item, user=person, answer=answer)
    yield made
    cache.clear()


def test_they_are_those_of_the_list_of_batches(batch: ReviewBatch) -> None:
    shown, listed = find_batch(batch.pk), batch_by_id(batch.pk)
    assert shown is not None
    for name in ("total", "open_items", "disputed_items", "given", "answers_left", "done"):
        assert getattr(shown, name) == getattr(listed, name), name
    assert (shown.open_items, shown.given) == (4, 1)
    assert find_batch(batch.pk + 1) is None


def test_of_a_small_batch_every_page_tells_the_latest(batch: ReviewBatch) -> None:
    find_batch(batch.pk)
    ReviewItem.objects.filter(state=State.OPEN).update(state=State.SKIPPED)
    shown = find_batch(batch.pk)
    assert shown is not None and shown.open_items == 0


def test_a_large_batch_is_counted_once_for_many_pages(
    batch: ReviewBatch, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: object
) -> None:
    monkeypatch.setattr(batch_counts, "LARGE", 6)
    find_batch(batch.pk)
    with django_assert_num_queries(1):  # type: ignore[operator]
        shown = find_batch(batch.pk)
    assert shown is not None and shown.open_items == 4
