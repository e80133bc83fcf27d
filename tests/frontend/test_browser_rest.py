"""Where a batch has no further question for somebody: what is so is said, and more is offered, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from mining.models import ReviewLease, ReviewVote
from mining.services.leases import lease_items
from tests.factories import World
from tests.frontend.made_queues import Open, make_clusters, make_pairs
from tests.frontend.seen import until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_what_a_colleague_has_is_said_and_comes_once_it_is_given_back(
    page: Page, opened: Open, made: World, people: dict[str, User]
) -> None:
    batch, other = make_pairs(made), make_clusters(made)
    two = [item.pk for item in batch.items.filter(ordinal__gt=0)]
    lease_items(user=people["manager"], batch_id=batch.pk, items=two)
    page.clock.install()
    opened(batch)
    expect(page.locator(".why:visible")).to_contain_text("why 0")
    page.keyboard.press("d")
    expect(page.get_by_role("heading", name="The last 2 questions are with manager")).to_be_visible()
    expect(page.locator("#announce")).to_have_text("The last 2 questions are with manager")
    further = page.get_by_role("link", name="Next: Clusters to confirm (3)")
    expect(further).to_have_attribute("href", reverse("ui:batch", args=[other.pk]))
    ReviewLease.objects.filter(user=people["manager"]).delete()
    page.clock.fast_forward(16_000)
    expect(page.locator(".why:visible")).to_contain_text("why 1")
    expect(page.locator("#all-done")).to_be_hidden()


def test_skipped_questions_are_told_and_asked_again_if_wanted(opened: Open, made: World) -> None:
    page = opened(make_pairs(made, count=1))
    expect(page.locator(".why:visible")).to_contain_text("why 0")
    page.keyboard.press("Space")
    expect(page.locator("#all-done")).to_contain_text("1 that you skipped is open to others.")
    page.reload()
    expect(page.locator("#all-done")).to_contain_text("1 that you skipped is open to others.")
    page.get_by_role("button", name="Ask me again").click()
    expect(page.locator(".why:visible")).to_contain_text("why 0")
    assert not ReviewVote.objects.filter(withdrawn_at=None).exists()


def test_one_that_somebody_else_had_and_gave_back_is_asked_again(
    page: Page, opened: Open, made: World, people: dict[str, User], excused: list[str]
) -> None:
    batch = make_pairs(made, count=1)
    page.clock.install()
    opened(batch)
    expect(page.locator(".why:visible")).to_contain_text("why 0")
    until(page, lambda: ReviewLease.objects.update(user=people["manager"]) == 1)
    page.keyboard.press("d")
    expect(page.get_by_role("heading", name="The last question is with manager")).to_be_visible()
    ReviewLease.objects.all().delete()
    page.clock.fast_forward(16_000)
    expect(page.locator(".why:visible")).to_contain_text("why 0")
    excused.append("409 (Conflict)")


def test_batches_are_listed_by_value_and_done_ones_are_folded_away(
    opened: Open, made: World, signed_in: Callable[[User], None], people: dict[str, User]
) -> None:
    batch, done = make_pairs(made), make_clusters(made)
    done.items.update(state="answered")
    page = opened(batch)
    page.get_by_role("link", name="Review").first.click()
    expect(page.get_by_role("row", name="Pairs near the threshold")).to_be_visible()
    expect(page.get_by_role("link", name="Clusters to confirm")).to_be_hidden()
    page.get_by_text("Done (1)").click()
    expect(page.get_by_role("link", name="Clusters to confirm")).to_be_visible()
