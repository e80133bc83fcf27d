"""Answers on their way: refused, without a connection or a session, taken back, in a real browser."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import BrowserContext, Route, expect

from annotation.models import Decision
from mining.models import ReviewItem, ReviewVote
from tests.factories import World
from tests.frontend.made_queues import Open, make_clusters, make_pairs, tiles
from tests.frontend.seen import sent, toast, until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_undo_on_a_message_takes_back_what_it_tells_of_whatever_was_said_since(opened: Open, made: World) -> None:
    batch = make_pairs(made)
    page = opened(batch)
    page.keyboard.press("d")
    toast(page, "Different people")
    page.keyboard.press("Space")
    toast(page, "Skipped")
    page.locator(".toast", has_text="Different people").get_by_role("button", name="Undo").click()
    toast(page, "Undone: Different people")
    standing = ReviewVote.objects.filter(withdrawn_at=None)
    assert [(vote.item.ordinal, vote.answer) for vote in standing] == [(1, "skip")]
    page.keyboard.press("Control+z")
    toast(page, "Undone: Skipped")
    assert not standing.all().exists()


def test_answers_are_undone_and_redone_by_mouse(opened: Open, made: World) -> None:
    page = opened(make_pairs(made))
    undo, redo = (page.get_by_role("button", name=re.compile(verb)) for verb in ("^Undo Ctrl", "^Redo"))
    expect(undo).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("d")
    sent(page)
    expect(undo).to_have_attribute("aria-disabled", "false")
    expect(redo).to_have_attribute("aria-disabled", "true")
    undo.click()
    toast(page, "Undone: Different people")
    assert not ReviewVote.objects.filter(withdrawn_at=None).exists()
    expect(undo).to_have_attribute("aria-disabled", "true")
    redo.click()
    toast(page, "Redone: Different people")
    assert ReviewVote.objects.filter(withdrawn_at=None).get().answer == "different"


def test_marks_on_a_cluster_are_undone_by_mouse_before_any_answer(opened: Open, made: World) -> None:
    page = opened(make_clusters(made))
    undo = page.get_by_role("button", name=re.compile("^Undo Ctrl"))
    tiles(page).first.click()
    page.keyboard.press("i")
    status = page.locator("[data-question]:not([hidden]) [data-status]")
    expect(status).to_have_text("1 ignored")
    undo.click()
    expect(status).to_have_text("1 face selected, not this person")  # as before the mark
    expect(undo).to_have_attribute("aria-disabled", "true")


@pytest.mark.usefixtures("intercepting")
def test_the_next_question_shows_before_the_answer_has_arrived_and_a_refused_one_comes_back(
    opened: Open, made: World, excused: list[str]
) -> None:
    batch = make_pairs(made)
    page = opened(batch)
    expect(page.locator(".why", has_text="why 0")).to_be_visible()
    held: list[Any] = []
    page.route("**/answer", lambda route: held.append(route))
    page.keyboard.press("Enter")
    expect(page.locator(".why", has_text="why 1")).to_be_visible()
    until(page, lambda: bool(held))
    assert not ReviewVote.objects.exists()
    body = '{"code": "stale_revision", "detail": "Person 1 has changed since you looked."}'
    held.pop().fulfill(status=409, content_type="application/problem+json", body=body)
    toast(page, "has changed since you looked")
    expect(page.locator(".why", has_text="why 0")).to_be_visible()
    expect(page.locator("[data-open-count]")).to_have_text("3")
    page.unroute("**/answer")
    page.keyboard.press("d")
    toast(page, "Different people")
    assert ReviewVote.objects.get().item.ordinal == 0
    excused.append("409 (Conflict)")


def test_answers_wait_for_the_connection_and_arrive_in_order_and_once(
    opened: Open, made: World, context: BrowserContext, excused: list[str]
) -> None:
    batch = make_pairs(made)
    page = opened(batch)
    expect(page.locator(".why", has_text="why 0")).to_be_visible()
    context.set_offline(True)
    page.keyboard.press("d")
    expect(page.locator(".why", has_text="why 1")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.locator("#waiting")).to_contain_text("No connection. 2 answers wait")
    page.keyboard.press("Control+z")
    toast(page, "wait for the connection")
    assert not ReviewVote.objects.exists()
    context.set_offline(False)
    expect(page.locator("#waiting")).not_to_be_visible()
    sent(page)
    votes = list(ReviewVote.objects.order_by("id").values_list("item__ordinal", "answer"))
    assert votes == [(0, "different"), (1, "skip")]
    excused.append("ERR_INTERNET_DISCONNECTED")


def test_who_was_signed_out_signs_in_again_and_loses_no_answer(
    opened: Open, made: World, context: BrowserContext, excused: list[str]
) -> None:
    page = opened(make_pairs(made))
    expect(page.locator(".why", has_text="why 0")).to_be_visible()
    signed_in = context.cookies()
    context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.keyboard.press("d")
    expect(page.locator("#waiting")).to_contain_text("You were signed out. 1 answer waits")
    expect(page.locator(".why", has_text="why 1")).to_be_visible()
    page.get_by_role("link", name="Sign in again").click()
    page.wait_for_url("**/login/?next=*")
    assert not ReviewVote.objects.exists()
    context.add_cookies(signed_in)
    [back] = parse_qs(urlsplit(page.url).query)["next"]
    page.goto(urljoin(page.url, back))
    sent(page)
    assert ReviewVote.objects.get().answer == "different"
    expect(page.locator(".why", has_text="why 1")).to_be_visible()
    excused.append("401 (Unauthorized)")


@pytest.mark.usefixtures("intercepting")
def test_an_answer_whose_reply_was_lost_is_not_given_twice(opened: Open, made: World, excused: list[str]) -> None:
    page = opened(make_pairs(made))
    expect(page.locator(".why", has_text="why 0")).to_be_visible()
    lost: list[str] = []

    def lose(route: Any) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.request.headers["idempotency-key"])
        route.fetch()
        route.abort()

    page.route("**/answer", lose)
    page.keyboard.press("d")
    expect(page.locator("#waiting")).to_be_visible()
    sent(page)
    assert ReviewVote.objects.count() == 1 and Decision.objects.count() == 1
    excused.append("ERR_FAILED")


def test_more_questions_come_before_the_last_is_answered_and_undo_goes_back_step_by_step(
    opened: Open, made: World
) -> None:
    batch = make_pairs(made, count=0)
    for n in range(26):
        faces = [made.faces[n % 6].pk, made.faces[6 + n % 4].pk]
        ReviewItem.objects.create(batch=batch, ordinal=n, faces=faces, value=9, settles=1, why=f"why {n:02}")
    page = opened(batch)
    expect(page.locator("[data-question]")).to_have_count(20)
    for n in range(26):
        expect(page.locator(".why:visible")).to_have_text(re.compile(f"why {n:02}"))
        page.keyboard.press("Space")
    expect(page.get_by_role("heading", name="Nothing is left here for you")).to_be_visible()
    expect(page.locator("#all-done")).to_contain_text("26 that you skipped are open to others")
    assert ReviewVote.objects.filter(answer="skip", withdrawn_at=None).count() == 26
    for left in (25, 24):
        page.keyboard.press("Control+z")
        toast(page, "Undone: Skipped")
        expect(page.locator(".why:visible")).to_have_text(re.compile(f"why {left}"))
    assert ReviewVote.objects.filter(withdrawn_at=None).count() == 24


@pytest.mark.usefixtures("intercepting")
def test_questions_go_on_where_the_further_ones_came_before_the_server_knew_the_answers(
    opened: Open, made: World
) -> None:
    batch = make_pairs(made, count=0)
    for n in range(22):
        faces = [made.faces[n % 6].pk, made.faces[6 + n % 4].pk]
        ReviewItem.objects.create(batch=batch, ordinal=n, faces=faces, value=9, settles=1, why=f"why {n:02}")
    page = opened(batch)
    as_it_was = page.request.get(page.url).text()
    asked: list[Route] = []
    page.route(page.url, lambda route: asked.append(route), times=1)
    for n in range(20):
        expect(page.locator(".why:visible")).to_have_text(re.compile(f"why {n:02}"))
        page.keyboard.press("Space")
    expect(page.locator(".why:visible")).to_have_count(0)
    until(page, lambda: bool(asked))
    asked[0].fulfill(body=as_it_was, content_type="text/html")
    expect(page.locator(".why:visible")).to_have_text(re.compile("why 20"))


def test_the_next_question_is_there_as_soon_as_the_key_is_pressed(opened: Open, made: World) -> None:
    page = opened(make_pairs(made))
    expect(page.locator(".why", has_text="why 0")).to_be_visible()
    there = page.evaluate(
        """() => {
          document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "d", bubbles: true }));
          const shown = document.querySelector("[data-question]:not([hidden]) .why").textContent;
          return { shown, focus: document.activeElement.dataset.kind };
        }"""
    )
    assert there["shown"].startswith("why 1") and there["focus"] == "pair"
    toast(page, "Different people")
    images = page.locator("[data-question]").nth(2).locator("img:not([data-src])")
    assert images.first.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 112
