"""Answering the questions that mining asked, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from annotation.models import Decision, Label
from mining.models import ReviewBatch, ReviewItem, ReviewVote
from mining.strategies import find_strategy
from tests.factories import World
from tests.frontend.seen import sent, toast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def make_questions(world: World, strategy: str, count: int = 3) -> ReviewBatch:
    batch = ReviewBatch.objects.create(strategy=strategy, asks=find_strategy(strategy).asks, run=world.run)
    anna, bertil = world.people[:2]
    for n in range(count):
        faces = [world.faces[1 + n].pk, world.faces[7].pk]
        ReviewItem.objects.create(
            batch=batch, ordinal=n, faces=faces, identities=[anna.pk, bertil.pk], value=9 - n, settles=2, why=f"why {n}"
        )
    return batch


def test_answering_who_a_face_is_by_key(
    page: Page, live_server: Any, people: dict[str, User], made: World, signed_in: Callable[[User], None]
) -> None:
    batch = make_questions(made, "label_suspects")
    signed_in(people["annotator"])
    page.goto(live_server.url + reverse("ui:batch", args=[batch.pk]))
    expect(page.locator(".why", has_text="why 0")).to_be_visible()
    page.keyboard.press("d")
    expect(page.locator(".why", has_text="why 1")).to_be_visible()
    expect(page.locator(".why", has_text="why 0")).not_to_be_visible()
    page.keyboard.press("r")
    expect(page.locator(".why", has_text="why 2")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", name="Nothing is left here for you")).to_be_visible()
    assert list(batch.items.order_by("ordinal").values_list("state", flat=True)) == ["answered", "answered", "open"]
    assert Label.objects.get(face=made.faces[1]).identity == made.people[1]
    assert Label.objects.get(face=made.faces[2]).identity is None
    page.keyboard.press("Control+z")
    toast(page, "Undone: Skipped")
    page.keyboard.press("Control+z")
    toast(page, "Undone: Neither of the two")
    assert Label.objects.get(face=made.faces[2]).identity == made.people[0]
    page.keyboard.press("Control+Shift+z")
    toast(page, "Redone: Neither of the two")
    assert Label.objects.get(face=made.faces[2]).identity is None
    assert ReviewVote.objects.filter(withdrawn_at=None).count() == 2


def test_answering_pairs_and_meeting_somebody_faster(
    page: Page,
    live_server: Any,
    people: dict[str, User],
    made: World,
    signed_in: Callable[[User], None],
    excused: list[str],
) -> None:
    batch = make_questions(made, "pairs_near_threshold", count=2)
    signed_in(people["annotator"])
    page.goto(live_server.url + reverse("ui:batch", args=[batch.pk]))
    expect(page.locator(".why", has_text="why 0")).to_be_visible()
    batch.items.filter(ordinal=0).update(state="obsolete")
    page.get_by_role("button", name="Same person").first.click()
    toast(page, "This question is closed")
    excused.append("409 (Conflict)")
    expect(page.locator(".why", has_text="why 1")).to_be_visible()
    page.keyboard.press("d")
    expect(page.get_by_role("heading", name="This batch is done")).to_be_visible()
    sent(page)
    assert Decision.objects.get().kind == "different"
