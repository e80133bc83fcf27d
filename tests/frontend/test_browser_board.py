"""Boards of pairs: many questions on one screen, answered by one key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, Locator, Page, expect

from accounts.models import User
from annotation.models import Decision
from mining.models import ReviewBatch, ReviewItem, ReviewVote
from mining.services.answers import cast_vote
from tests.factories import World
from tests.frontend.seen import toast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[[ReviewBatch], Page]
State = ReviewItem.State


@pytest.fixture
def opened(page: Page, live_server: Any, people: dict[str, User], signed_in: Callable[[User], None]) -> Open:
    def go(batch: ReviewBatch) -> Page:
        signed_in(people["annotator"])
        page.goto(live_server.url + reverse("ui:batch", args=[batch.pk]))
        page.get_by_role("link", name="Many at once").click()
        return page

    return go


def make_pairs(world: World, different: int, same: int) -> ReviewBatch:
    """Pairs that are expected to be two people, across two, then some that are expected to be one, within one."""
    batch = ReviewBatch.objects.create(strategy="pairs_near_threshold", asks="pair", run=world.run)
    faces = [face.pk for face in world.faces]
    across = [[a, b] for a in faces[:6] for b in faces[6:11]][:different]
    within = [[a, b] for at, a in enumerate(faces[:6]) for b in faces[at + 1 : 6]][:same]
    for n, pair in enumerate([*across, *within]):
        evidence = {"same": 0.1 if n < different else 0.9}
        batch.items.create(ordinal=n, faces=pair, value=99 - n, settles=2, why=f"why {n}", evidence=evidence)
    return batch


def board(page: Page) -> Locator:
    return page.locator("[data-question]:not([hidden])")


def pairs(page: Page) -> Locator:
    return board(page).get_by_role("option")


def looked(page: Page) -> None:
    """As long as a board is to be looked at before it is answered."""
    expect(board(page).locator("[role=option]:not([data-seen])")).to_have_count(0)
    page.wait_for_timeout(700)


def states(batch: ReviewBatch) -> list[str]:
    return list(batch.items.order_by("ordinal").values_list("state", flat=True))


def kinds() -> list[str]:
    return list(Decision.objects.order_by("id").values_list("kind", flat=True))


def test_a_board_is_answered_by_one_key_and_taken_back_as_one(opened: Open, made: World) -> None:
    batch = make_pairs(made, different=4, same=3)
    page = opened(batch)
    expect(board(page).get_by_role("heading")).to_have_text("Which of these pairs are one person?")
    expect(pairs(page)).to_have_count(4)
    expect(board(page)).to_contain_text("0 one person, 4 two people")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("i")  # the first: not sure
    expect(pairs(page).first).to_contain_text("Left out")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("m")  # the second: one person, after all
    page.keyboard.press("d")  # no, two
    expect(board(page)).to_contain_text("0 one person, 3 two people, 1 left out")
    looked(page)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # once more, which nobody meant for the board that comes now
    toast(page, "These pairs came just now")
    expect(board(page).get_by_role("heading")).to_have_text("Which of these pairs are two people?")
    toast(page, "4 pairs answered")
    assert states(batch) == [State.OPEN] + [State.ANSWERED] * 3 + [State.OPEN] * 3
    assert kinds() == ["different"] * 3
    expect(page.locator("[data-open-count]")).to_have_text("3")
    page.keyboard.press("Control+z")
    toast(page, "Undone: 4 pairs answered")
    expect(board(page).get_by_role("heading")).to_have_text("Which of these pairs are one person?")
    assert states(batch) == [State.OPEN] * 7
    page.keyboard.press("Control+Shift+Z")
    toast(page, "Redone: 4 pairs answered")
    assert states(batch) == [State.OPEN] + [State.ANSWERED] * 3 + [State.OPEN] * 3
    seconds = ReviewVote.objects.filter(withdrawn_at=None).exclude(answer="skip").values_list("seconds", flat=True)
    assert len(set(seconds)) == 1 and all(seconds)


def test_pairs_are_picked_out_by_pointer_and_range_and_photos_show_on_demand(opened: Open, made: World) -> None:
    batch = make_pairs(made, different=0, same=4)
    page = opened(batch)
    pairs(page).nth(1).click()
    pairs(page).nth(2).click(modifiers=["Shift"])
    expect(board(page)).to_contain_text("2 one person, 2 two people")
    page.get_by_role("button", name="Photos").click()
    expect(board(page).locator(".shots:visible img")).to_have_count(2)
    page.get_by_role("button", name="One person").click()  # the pair that was last picked
    expect(board(page)).to_contain_text("3 one person, 1 two people")
    looked(page)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="This batch is done")).to_be_visible()
    toast(page, "4 pairs answered")
    assert sorted(kinds()) == ["different", "same", "same", "same"]
    different = Decision.objects.get(kind="different")
    assert different.faces + different.others == batch.items.get(ordinal=1).faces


def test_one_that_somebody_else_answered_is_told_and_the_others_hold(
    opened: Open, made: World, people: dict[str, User]
) -> None:
    batch = make_pairs(made, different=3, same=0)
    page = opened(batch)
    expect(pairs(page)).to_have_count(3)
    page.wait_for_function(
        "() => performance.getEntriesByName(location.origin + '/api/v1/review/batches/'"
        f" + '{batch.pk}/lease').length > 0"
    )
    batch.items.get(ordinal=1).leases.all().delete()  # lapsed
    cast_vote(user=people["manager"], item_id=batch.items.get(ordinal=1).pk, answer="same")
    looked(page)
    page.keyboard.press("Enter")
    toast(page, "1 of 3 pairs: manager answered this question just now.")
    assert states(batch) == [State.ANSWERED] * 3 and kinds().count("different") == 2


def test_a_board_waits_for_the_connection_and_a_held_key_answers_one(
    opened: Open, made: World, context: BrowserContext, excused: list[str]
) -> None:
    batch = make_pairs(made, different=14, same=0)
    page = opened(batch)
    expect(pairs(page)).to_have_count(12)
    expect(page.locator("[data-question] [role=option]")).to_have_count(14)
    looked(page)
    context.set_offline(True)
    page.keyboard.down("Enter")
    page.keyboard.down("Enter")  # repeats, as a held key does
    page.keyboard.up("Enter")
    expect(page.locator("#waiting")).to_contain_text("1 answer waits")
    expect(pairs(page)).to_have_count(2)
    assert states(batch) == [State.OPEN] * 14
    context.set_offline(False)
    toast(page, "12 pairs answered")
    assert states(batch) == [State.ANSWERED] * 12 + [State.OPEN] * 2
    excused.append("ERR_INTERNET_DISCONNECTED")


def test_pairs_out_of_view_are_not_answered_unseen_and_the_choice_of_view_is_kept(opened: Open, made: World) -> None:
    batch = make_pairs(made, different=12, same=0)
    page = opened(batch)
    page.set_viewport_size({"width": 420, "height": 600})
    page.reload()
    expect(pairs(page)).to_have_count(12)  # a board again
    expect(pairs(page).first).to_have_attribute("data-seen", "")
    page.wait_for_timeout(700)
    page.keyboard.press("Enter")
    toast(page, "Some pairs were not in view yet.")
    assert states(batch) == [State.OPEN] * 12
    for n in range(12):
        pairs(page).nth(n).scroll_into_view_if_needed()
        expect(pairs(page).nth(n)).to_have_attribute("data-seen", "")
    page.keyboard.press("Enter")
    toast(page, "12 pairs answered")
    page.goto(page.url.split("?")[0] + "?view=one")
    expect(page.get_by_role("link", name="Many at once")).to_be_visible()
