"""Every key of every queue, chains of undo over different queues, and leases that lapse, on real photos."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from annotation.models import Decision
from mining.models import ReviewBatch, ReviewLease, ReviewVote
from tests.factories import Picture, World, make_world
from tests.frontend.made_queues import Open
from tests.frontend.seen import sent, toast, until
from tests.frontend.showcase import real_pictures

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WHO = {"1": "left", "2": "right", "d": "right", "r": "neither", "m": "both", "Enter": "left", "Space": "skip"}
TWO = {"m": "same", "d": "different", "r": "different", "Enter": "same", "Space": "skip"}
# What the key leaves of the queue's first question, before anything is selected.
ANSWERS = [
    *[("suspect", key, answer) for key, answer in WHO.items()],
    *[(asks, key, answer) for asks in ("pair", "merge") for key, answer in TWO.items()],
    *[("cluster", key, answer) for key, answer in {"Enter": "same", "d": "different", "Space": "skip"}.items()],
]


@pytest.fixture(scope="module")
def photos(test_data: Path) -> list[Picture]:
    """Of three people, six of each."""
    return real_pictures(test_data / "lfw" / "photos", people=3, most=6)


@pytest.fixture
def made(transactional_db: Any, photos: list[Picture]) -> World:
    return make_world([6, 6, 6], pictures=photos, names=["Anna", "Bertil"])


def make_questions(world: World, asks: str, first: int = 0) -> ReviewBatch:
    """Two questions about the first two people by their faces from `first` on, or about the first two clusters."""
    batch = ReviewBatch.objects.create(strategy="made", asks=asks, run=world.run)
    for n in range(2):
        faces: list[Any] = [world.faces[first + n].pk, world.faces[6 + n].pk]
        who: list[Any] = [one.pk for one in world.people[:2]]
        evidence: dict[str, Any] = {}
        if asks == "cluster":
            cluster = world.clusters[n]
            wide: list[Any] = [cluster.widest_a_id, cluster.widest_b_id]
            faces, who = list(dict.fromkeys([cluster.medoid_id, *wide])), [cluster.identity_id]
            evidence = {"cluster": cluster.pk, "medoid": cluster.medoid_id, "widest": wide, "proposals": []}
        batch.items.create(
            ordinal=n, faces=faces, identities=who, value=9 - n, settles=4, why=f"why {n}", evidence=evidence
        )
    return batch


def at(page: Page, ordinal: int) -> None:
    """This question is there, and is kept from others."""
    expect(page.locator(".why:visible")).to_contain_text(f"why {ordinal}")
    expect(page.locator("[data-question]:not([hidden]) [aria-busy=true]")).to_have_count(0)
    page.wait_for_function("() => performance.getEntriesByType('resource').some((one) => one.name.endsWith('/lease'))")


@pytest.mark.parametrize(("asks", "key", "answer"), ANSWERS)
def test_every_key_answers_and_is_undone_and_redone(
    opened: Open, made: World, asks: str, key: str, answer: str
) -> None:
    batch = make_questions(made, asks)
    page = opened(batch)
    at(page, 0)
    page.keyboard.press(key)
    at(page, 1)
    sent(page)
    assert ReviewVote.objects.get().answer == answer
    page.keyboard.press("Control+z")
    toast(page, "Undone: ")
    at(page, 0)
    assert batch.items.get(ordinal=0).state == "open"
    assert not Decision.objects.exclude(kind="revert").filter(reverted_by=None).exists()
    page.keyboard.press("Control+Shift+z")
    toast(page, "Redone: ")
    at(page, 1)
    assert ReviewVote.objects.get(withdrawn_at=None).answer == answer


@pytest.mark.parametrize("asks", ["pair", "suspect", "merge"])
def test_photos_come_by_key_and_keys_of_other_queues_answer_nothing(opened: Open, made: World, asks: str) -> None:
    page = opened(make_questions(made, asks))
    at(page, 0)
    page.keyboard.press("p")
    expect(page.locator("[data-photos]:visible img").first).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator("[data-photos]:visible")).to_have_count(0)
    for key in ("s", "e", "9", "Control+a", "Escape", *(() if asks == "suspect" else ("i", "n"))):
        page.keyboard.press(key)
    at(page, 0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("d")  # no key comes through
    page.keyboard.press("Escape")
    at(page, 0)
    assert not ReviewVote.objects.exists()


def test_undo_goes_back_through_the_queues_and_redo_forth(opened: Open, made: World) -> None:
    keys = {"pair": "d", "merge": "d", "suspect": "r", "cluster": "Enter"}
    batches = {asks: make_questions(made, asks, first=2 * n) for n, asks in enumerate(keys)}
    for asks, key in keys.items():
        page = opened(batches[asks])
        at(page, 0)
        page.keyboard.press(key)
        at(page, 1)
        sent(page)
    states = {asks: batch.items.get(ordinal=0).state for asks, batch in batches.items()}
    assert states == dict.fromkeys(keys, "answered")
    for asks in reversed(keys):
        page.keyboard.press("Control+z")
        toast(page, "Undone: ")
        expect(page).to_have_url(re.compile(f"/review/{batches[asks].pk}/$"))
        at(page, 0)
        assert batches[asks].items.get(ordinal=0).state == "open"
    assert not ReviewVote.objects.filter(withdrawn_at=None).exists()
    page.keyboard.press("Control+z")
    toast(page, "Nothing to undo")
    for asks in keys:
        page.keyboard.press("Control+Shift+z")
        toast(page, "Redone: ")
        expect(page).to_have_url(re.compile(f"/review/{batches[asks].pk}/$"))
        at(page, 1)
        assert batches[asks].items.get(ordinal=0).state == "answered"
    page.keyboard.press("Control+Shift+z")
    toast(page, "Nothing to redo")


def lapse() -> None:
    ReviewLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def test_a_lapsed_lease_gives_the_question_to_somebody_else_who_may_be_faster(
    opened: Open,
    made: World,
    context: BrowserContext,
    people: dict[str, User],
    excused: list[str],
    signed_in: Callable[[User], None],
) -> None:
    batch = make_questions(made, "pair")
    page = opened(batch)
    at(page, 0)
    mine = context.cookies()
    lapse()
    signed_in(people["data_engineer"])
    other = context.new_page()
    other.goto(page.url)
    at(other, 0)
    context.add_cookies(mine)  # type: ignore[arg-type]
    page.keyboard.press("d")  # while the other one has it
    toast(page, "Somebody else is answering this question")
    at(page, 1)
    assert not ReviewVote.objects.exists()
    page.keyboard.press("Control+z")
    toast(page, "Nothing to undo")  # it never held
    signed_in(people["data_engineer"])
    other.keyboard.press("Enter")
    toast(other, "Same person")
    assert ReviewVote.objects.get().user == people["data_engineer"]
    excused.append("409 (Conflict)")
    other.close()


def test_a_lapsed_lease_that_nobody_took_does_no_harm_and_a_page_in_use_renews_its_own(
    opened: Open, made: World
) -> None:
    batch = make_questions(made, "pair")
    page = opened(batch)
    at(page, 0)  # the first page's lease was answered, so what is awaited below is the next page's
    page.clock.install()
    with page.expect_response("**/lease"):
        page.reload()
    lapse()
    with page.expect_response("**/lease"):
        page.clock.fast_forward(41_000)
    assert ReviewLease.objects.filter(expires_at__gt=timezone.now() + timedelta(seconds=60)).count() == 2
    lapse()
    page.keyboard.press("d")
    toast(page, "Different people")
    assert ReviewVote.objects.get().answer == "different"
    with page.expect_response("**/lease"):
        page.clock.fast_forward(41_000)
    assert ReviewLease.objects.filter(expires_at__gt=timezone.now()).count() == 1


def test_leaving_gives_questions_back(opened: Open, made: World, live_server: Any) -> None:
    page = opened(make_questions(made, "pair"))
    at(page, 0)
    assert ReviewLease.objects.count() == 2
    page.goto(live_server.url + reverse("ui:review"))
    until(page, lambda: not ReviewLease.objects.exists())


def test_leaving_one_tab_leaves_the_other_its_questions(opened: Open, made: World, live_server: Any) -> None:
    page = opened(make_questions(made, "pair"))
    at(page, 0)
    other = page.context.new_page()
    with other.expect_response("**/lease"):
        other.goto(page.url)
    page.goto(live_server.url + reverse("ui:review"))
    assert ReviewLease.objects.count() == 2
    other.goto(live_server.url + reverse("ui:review"))
    until(page, lambda: not ReviewLease.objects.exists())
    other.close()
