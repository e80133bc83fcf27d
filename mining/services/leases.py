"""Who is answering what right now."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from foundation.errors import Conflict, NotFound
from mining.models import ReviewItem

LEASE = timedelta(minutes=2)  # pages renew theirs several times in that, and give it back when they are left


@transaction.atomic
def lease_items(*, user: User, batch_id: int, count: int = 10) -> list[ReviewItem]:
    """The next open questions for this person; nobody else gets them until the lease ends. Asking again renews it."""
    now = timezone.now()
    rows = ReviewItem.objects.select_for_update(skip_locked=True).filter(batch=batch_id, state=ReviewItem.State.OPEN)
    taken = rows.filter(lease_expires_at__gt=now).exclude(leased_by=user).values("pk")
    items = list(rows.exclude(pk__in=taken).order_by("ordinal")[:count])
    for item in items:
        item.leased_by, item.lease_expires_at = user, now + LEASE
    ReviewItem.objects.bulk_update(items, ["leased_by", "lease_expires_at"])
    return items


def release_items(*, user: User, batch_id: int) -> int:
    """Give back what this person had taken of a batch; how many questions."""
    held = ReviewItem.objects.filter(batch=batch_id, state=ReviewItem.State.OPEN, leased_by=user)
    return held.update(leased_by=None, lease_expires_at=None)


def open_item(user: User, item_id: int) -> ReviewItem:
    """The question, locked, with its batch.

    Raises NotFound (`no_item`), or Conflict: `item_closed`, `item_leased` while somebody else has it.
    """
    item = ReviewItem.objects.select_for_update(of=("self",)).select_related("batch").filter(pk=item_id).first()
    if item is None:
        raise NotFound(f"There is no question {item_id}.", code="no_item")
    if item.state != ReviewItem.State.OPEN:
        raise Conflict("This question is closed.", code="item_closed")
    leased = item.lease_expires_at is not None and item.lease_expires_at > timezone.now()
    if leased and item.leased_by_id not in (None, user.pk):
        raise Conflict("Somebody else is answering this question.", code="item_leased")
    return item
