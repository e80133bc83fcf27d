"""Taking many decisions back in a real browser, after a look at what would change."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from annotation.ledger.entries import Kind
from annotation.models import Decision, Label
from annotation.services.decisions import By, Draft, record
from annotation.services.identities import merge_people, name_person, reject_faces
from mining.models import ReviewBatch, ReviewItem
from tests.factories import World
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
    page.get_by_role("button", name="Take 3 decisions back").click()
    toast(page, "3 decisions were taken back as one step")
    assert set(Label.objects.filter(face__in=faces).values_list("identity", flat=True)) == {made.people[0].pk}
    first = Decision.objects.filter(kind="revert").order_by("id").first()
    assert first is not None
    page.get_by_role("row", name=f"{first.pk} revert").get_by_role("button", name="Take back").click()
    toast(page, f"Decision {first.pk} was taken back")
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
    line = f'<a href="{reverse("ui:batch", args=[batch.pk])}">Answer to question 26 of batch {batch.pk}</a>, 3 votes'
    assert line in shown


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
