"""Taking many decisions back in a real browser, after a look at what would change."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from annotation.ledger.entries import Kind
from annotation.models import Decision, Label
from annotation.services.decisions import By, Draft, record
from annotation.services.identities import merge_people, name_person, reject_faces
from jobs.models import Job
from mining.models import ReviewBatch, ReviewItem
from tests.factories import World
from tests.frontend.conftest import session_cookie
from tests.frontend.seen import toast

browser_test = pytest.mark.browser
pytestmark = pytest.mark.django_db(transaction=True)


def careless(world: World, annotator: User) -> list[int]:
    """Three faces of Anna's are rejected."""
    faces = list(world.clusters[0].members.order_by("face_id").values_list("face_id", flat=True))[:3]
    for face in faces:
        reject_faces(identity_id=world.people[0].pk, faces=[face], by=By(annotator))
    return faces


@browser_test
def test_all_of_one_annotators_decisions_are_taken_back_and_hold_again(
    page: Page, live_server: Any, people: dict[str, User], made: World, signed_in: Callable[[User], None]
) -> None:
    faces = careless(made, people["annotator"])
    name_person(identity_id=made.people[1].pk, name="Berta", by=By(people["manager"]))
    signed_in(people["manager"])
    page.goto(live_server.url + reverse("ui:ledger"))
    expect(page.get_by_role("link", name="Take all of these back")).to_have_count(0)
    page.get_by_label("By").select_option(label="annotator")
    page.get_by_role("link", name="Take all of these back").click()
    expect(page.get_by_text("Faces that change person")).to_be_visible()
    expect(page.locator(".figure", has_text="Faces that change person").locator(".value")).to_have_text("3")
    expect(page.locator(".chip")).to_have_text(["By annotator"])
    changes = page.locator(".change")
    expect(changes).to_have_count(3)
    expect(changes.first.locator(".from-to > div")).to_have_text(["Nownobody", "ThenAnna"])
    expect(changes.first.locator("img")).to_have_count(2)  # the face, and Anna's
    page.get_by_role("button", name="Take 3 decisions back").click()
    toast(page, "3 decisions were taken back as one step")
    assert set(Label.objects.filter(face__in=faces).values_list("identity", flat=True)) == {made.people[0].pk}
    expect(page.locator("tr.struck")).to_have_count(3)
    page.keyboard.press("Control+z")
    toast(page, "Undone: 3 decisions were taken back as one step")
    expect(page.locator("tr.struck")).to_have_count(3)  # those that took them back
    assert set(Label.objects.filter(face__in=faces).values_list("identity", flat=True)) == {None}
    assert Decision.objects.filter(kind="rename").count() == 1


def test_a_line_shows_both_faces_it_is_about_and_on_what_evidence_it_was_said(
    as_role: Callable[[str], Client], users: dict[str, User], world: World
) -> None:
    a, b = world.faces[0].pk, world.faces[6].pk
    batch = ReviewBatch.objects.create(strategy="pairs_near_threshold", asks="pair", run=world.run)
    seen = {"batch": batch.pk, "item": 26, "run": world.run.pk, "votes": [{"vote": 1}, {"vote": 2}, {"vote": 3}]}
    record([Draft(Kind.DIFFERENT, faces=(a,), others=(b,))], by=By(users["annotator"], evidence=seen))
    odd = By(users["annotator"], evidence={"cluster": "x/y"})  # evidence is whatever was sent
    reject_faces(identity_id=world.people[0].pk, faces=[world.faces[1].pk], by=odd)
    shown = as_role("manager").get(reverse("ui:ledger")).content.decode()
    assert all(f'src="{reverse("ui:crop", args=[face])}"' in shown for face in (a, b))
    link = f'<a href="{reverse("ui:batch", args=[batch.pk])}">Answer to question 26 of Pairs near the threshold</a>'
    assert f"{link}, 3 votes" in shown


@browser_test
def test_on_a_narrow_screen_every_queue_has_its_answer_button_in_sight(
    page: Page, live_server: Any, people: dict[str, User], made: World, signed_in: Callable[[User], None]
) -> None:
    batch = ReviewBatch.objects.create(strategy="pairs_near_threshold", asks="pair", run=made.run)
    faces = [made.faces[0].pk, made.faces[7].pk]
    ReviewItem.objects.create(batch=batch, ordinal=0, faces=faces, value=9, settles=4, why="why")
    signed_in(people["annotator"])
    page.set_viewport_size({"width": 420, "height": 900})
    page.goto(live_server.url + reverse("ui:review"))
    box = page.get_by_role("link", name="Answer").bounding_box()
    assert box and box["x"] + box["width"] <= 420 and box["height"] >= 44


def test_who_is_no_manager_can_take_back_only_their_own(
    as_role: Callable[[str], Client], users: dict[str, User], world: World
) -> None:
    careless(world, users["algorithm_engineer"])
    client = as_role("data_engineer")
    query = {"by": users["algorithm_engineer"].pk}
    assert b"Take all of these back" not in client.get(reverse("ui:ledger"), query).content
    preview = client.get(reverse("ui:ledger_reversal"), query, headers={"HX-Request": "true"})
    assert b"Somebody else decided this" in preview.content
    client.post(reverse("ui:ledger_reversal"), query)
    assert not Decision.objects.filter(kind="revert").exists()
    assert b"Take all of these back" in as_role("algorithm_engineer").get(reverse("ui:ledger"), query).content


def test_only_what_one_may_do_is_offered(
    as_role: Callable[[str], Client], users: dict[str, User], world: World
) -> None:
    anna, bertil = world.people[:2]
    theirs = merge_people(identity_id=bertil.pk, into_id=anna.pk, by=By(users["algorithm_engineer"]))[0]
    own = reject_faces(identity_id=anna.pk, faces=[world.faces[0].pk], by=By(users["data_engineer"]))[0]
    pages = (reverse("ui:ledger"), reverse("ui:person", args=[anna.pk]))
    for role, offered in (("data_engineer", {own.pk}), ("manager", {own.pk, theirs.pk})):
        for shown in (as_role(role).get(page).content.decode() for page in pages):
            assert {int(pk) for pk in re.findall(r'data-revert="(\d+)"', shown)} == offered
            assert ("Unmerge" in shown) == (role == "manager" and "Merged from" in shown)
    assert as_role("data_engineer").post(f"/api/v1/decisions/{theirs.pk}/revert").status_code == 403


@pytest.mark.parametrize("query", ["since=yesterday", "by=x", "since=2026-13-40T00:00", "round=99", "kind=nonsense"])
def test_whatever_stands_in_the_address_the_page_comes(
    as_role: Callable[[str], Client], world: World, query: str
) -> None:
    assert as_role("manager").get(f"{reverse('ui:ledger')}?{query}").status_code == 200
    preview = as_role("manager").get(f"{reverse('ui:ledger_reversal')}?{query}", headers={"HX-Request": "true"})
    assert preview.status_code == 200
    assert b"Say whose decisions" in preview.content or b"Nothing to take back" in preview.content


def shown_lines(client: Client, **query: Any) -> set[int]:
    page = client.get(reverse("ui:ledger"), query).content.decode()
    return {int(number) for number in re.findall(r'id="decision-(\d+)"', page)}


def test_answers_of_one_mining_run_are_shown_and_can_be_taken_back_together(
    as_role: Callable[[str], Client], users: dict[str, User], world: World
) -> None:
    job = Job.objects.create(kind="mine")
    for ordinal, made_by in enumerate((job, job, None)):
        batch = ReviewBatch.objects.create(strategy="clusters", asks="cluster", run=world.run, job=made_by)
        by = By(users["annotator"], evidence={"batch": batch.pk, "item": ordinal})
        reject_faces(identity_id=world.people[0].pk, faces=[world.faces[ordinal].pk], by=by)
    first, second, other = Decision.objects.order_by("id")
    client = as_role("manager")
    assert shown_lines(client, mining=job.pk) == {first.pk, second.pk}
    assert shown_lines(client, mining=10**9) == set()
    page = client.get(reverse("ui:ledger"), {"mining": job.pk}).content.decode()
    assert f'<option value="{job.pk}" selected>' in page and "Take all of these back" in page
    client.post(reverse("ui:ledger_reversal"), {"mining": job.pk})
    taken = set(Decision.objects.filter(kind="revert").values_list("reverts", flat=True))
    assert taken == {first.pk, second.pk} and other.pk not in taken


def test_filters_are_told_in_words_and_dropped_one_by_one(
    as_role: Callable[[str], Client], users: dict[str, User], world: World
) -> None:
    careless(world, users["annotator"])
    batch = ReviewBatch.objects.create(strategy="clusters", asks="cluster", run=world.run)
    client = as_role("manager")
    query = {"by": users["annotator"].pk, "kind": "merge", "person": world.people[0].pk}
    page = client.get(reverse("ui:ledger"), query).content.decode()
    assert "No decision fits all of these filters" in page and "Drop this one, and there are some" in page
    for words in ("Kind: merge", "By annotator", "About Anna"):
        assert f"Drop: {words}" in page
    without_kind = f"?by={query['by']}&amp;person={query['person']}"
    assert page.count(f'href="{reverse("ui:ledger")}{without_kind}"') == 2  # the chip, and the one to drop
    titled = client.get(reverse("ui:ledger"), {"batch": batch.pk}).content.decode()
    assert f'<a href="{reverse("ui:batch", args=[batch.pk])}">Answers to “Clusters to confirm”</a>' in titled
    assert "No decision fits this filter" in titled
    both = client.get(reverse("ui:ledger"), {"batch": batch.pk, "kind": "merge"}).content.decode()
    assert "Dropping any one of them is not enough" in both


@browser_test
def test_since_is_the_readers_own_time_and_a_person_is_found_by_name(
    browser: Browser, live_server: Any, people: dict[str, User], made: World
) -> None:
    faces = careless(made, people["annotator"])
    reject_faces(identity_id=made.people[1].pk, faces=[made.faces[7].pk], by=By(people["annotator"]))
    context = browser.new_context(timezone_id="Asia/Kolkata", viewport={"width": 1280, "height": 900})
    try:
        context.add_cookies([session_cookie(people["manager"], live_server.url)])
        page = context.new_page()
        page.goto(live_server.url + reverse("ui:ledger"))
        page.get_by_label("Since").fill("2020-03-01T09:15")
        page.get_by_role("button", name="Show", exact=True).click()
        page.wait_for_url("**since=2020-03-01T09%3A15%2B05%3A30*")
        expect(page.get_by_label("Since")).to_have_value("2020-03-01T09:15")
        chip = page.locator(".chip", has_text="Since").locator("time")
        expect(chip).to_have_attribute("datetime", "2020-03-01T03:45:00+00:00")
        expect(chip).to_contain_text("9:15")
        expect(page.locator("#decisions tr[id]")).to_have_count(4)
        about = page.get_by_role("combobox", name="About")
        about.fill("Nobody at all")
        about.press("Enter")
        toast(page, "There is nobody called Nobody at all")
        about.fill("Ann")
        page.get_by_role("listbox", name="People").get_by_role("option", name="Anna").click()
        expect(page.locator("#decisions tr[id]")).to_have_count(len(faces))
        expect(about).to_have_value("Anna")
        page.get_by_role("link", name="Drop: Since").click()
        expect(page.locator(".chip")).to_have_count(1)
        expect(page.get_by_label("Since")).to_have_value("")
    finally:
        context.close()


@browser_test
def test_on_a_narrow_screen_decisions_are_taken_back_without_scrolling_sideways(
    page: Page, live_server: Any, people: dict[str, User], made: World, signed_in: Callable[[User], None]
) -> None:
    careless(made, people["annotator"])
    signed_in(people["manager"])
    page.set_viewport_size({"width": 420, "height": 700})
    page.goto(f"{live_server.url}{reverse('ui:ledger')}?by={people['annotator'].pk}")
    for name in ("Take back", "Drop: By annotator", "Take all of these back"):
        button = page.locator("a, button", has_text=name).first
        box = button.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 420
    page.get_by_role("link", name="Take all of these back").click()
    button = page.get_by_role("button", name="Take 3 decisions back")
    expect(button).to_be_in_viewport()  # below it is what would change, for those who scroll
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    button.click()
    toast(page, "3 decisions were taken back as one step")
