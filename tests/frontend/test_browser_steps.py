"""Undo and redo take effect in place: nothing is loaded anew, and what was selected is selected again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from annotation.models import Decision, Identity, Label
from annotation.services.decisions import By
from annotation.services.identities import reject_faces
from mining.models import ReviewVote
from tests.factories import World, make_world
from tests.frontend.made_queues import Open, make_clusters, make_pairs, tiles
from tests.frontend.seen import sent, toast, until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Go = Callable[[str], Page]


@pytest.fixture
def at(page: Page, live_server: Any, people: dict[str, User], signed_in: Callable[[User], None]) -> Go:
    """A page as the data engineer has it."""

    def go(path: str) -> Page:
        signed_in(people["data_engineer"])
        page.goto(live_server.url + path)
        return page

    return go


def remember_this(page: Page) -> None:
    page.evaluate("window.sameAsBefore = true")


def is_still_this(page: Page) -> bool:
    return bool(page.evaluate("window.sameAsBefore === true"))


def test_a_question_comes_back_with_what_was_chosen_on_it_and_goes_again(opened: Open, made: World) -> None:
    page = opened(make_clusters(made))
    remember_this(page)
    expect(tiles(page)).to_have_count(6)
    left = page.locator("[data-open-count]").text_content() or ""
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("i")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Confirm the rest, reject 1").press("Enter")
    expect(page.get_by_role("heading", name="Is this one person, Bertil?")).to_be_visible()
    sent(page)
    page.keyboard.press("Control+z")
    toast(page, "Undone: Confirmed: 4 faces")
    expect(page.get_by_role("heading", name="Is this one person, Anna?")).to_be_visible()
    status = page.locator("[data-question]:not([hidden]) [data-status]")
    expect(status).to_have_text("1 face selected, not this person; 1 ignored")
    expect(tiles(page).nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.locator("[data-question]:not([hidden]) [data-grid]")).to_be_focused()
    expect(page.locator("[data-open-count]")).to_have_text(left)
    page.keyboard.press("Control+Shift+z")
    toast(page, "Redone: Confirmed: 4 faces")
    expect(page.get_by_role("heading", name="Is this one person, Bertil?")).to_be_visible()
    assert ReviewVote.objects.filter(withdrawn_at=None).count() == 1
    assert is_still_this(page)


def test_an_answer_undone_from_another_page_shows_its_question_as_it_was(opened: Open, at: Go, made: World) -> None:
    page = opened(make_clusters(made), "data_engineer")
    expect(tiles(page)).to_have_count(6)
    tiles(page).nth(2).click()
    page.keyboard.press("r")
    sent(page)
    at(reverse("ui:people"))
    page.keyboard.press("Control+z")
    toast(page, "Undone: Confirmed: 5 faces, 1 rejected")
    status = page.locator("[data-question]:not([hidden]) [data-status]")
    expect(status).to_have_text("1 face selected, not this person")
    expect(tiles(page).nth(2)).to_have_attribute("aria-selected", "true")


def test_answers_undone_one_right_after_the_other_come_back_in_turn(opened: Open, made: World) -> None:
    page = opened(make_pairs(made))
    remember_this(page)
    for key in ("d", "Space", "Enter"):
        page.keyboard.press(key)
    sent(page)
    expect(page.locator("#all-done")).to_be_visible()
    for _ in range(3):
        page.keyboard.press("Control+z")
    expect(page.locator(".why:visible")).to_contain_text("why 0")
    until(page, lambda: not ReviewVote.objects.filter(withdrawn_at=None).exists())
    page.keyboard.press("Control+z")
    toast(page, "Nothing to undo")
    assert is_still_this(page)


def test_faces_of_a_cluster_are_selected_again_and_can_be_decided_on_at_once(cluster: Page, made: World) -> None:
    remember_this(cluster)
    grid, status = cluster.locator("#grid"), cluster.locator("[data-status]")
    cluster.keyboard.press("ArrowRight")
    cluster.keyboard.press("Space")
    cluster.keyboard.press("Shift+ArrowRight")
    cluster.keyboard.press("r")
    toast(cluster, "Rejected: 2 faces")
    expect(grid.locator(".gone")).to_have_count(2)
    cluster.keyboard.press("Control+z")
    toast(cluster, "Undone: Rejected: 2 faces")
    expect(grid.locator(".gone")).to_have_count(0)
    expect(status).to_have_text("2 faces selected")
    expect(grid).to_be_focused()
    cluster.keyboard.press("Control+Shift+z")
    expect(grid.locator(".gone")).to_have_count(2)
    expect(status).to_have_text("Nothing selected")
    cluster.keyboard.press("Control+z")
    expect(status).to_have_text("2 faces selected")
    cluster.keyboard.press("r")  # the page knows the person's revision
    until(cluster, lambda: Decision.objects.filter(kind="reject").count() == 2)
    assert is_still_this(cluster)


def test_a_merge_and_its_undo_change_the_person_of_a_cluster_in_place(cluster: Page, made: World) -> None:
    remember_this(cluster)
    anna, bertil = made.people[:2]
    cluster.keyboard.press("e")
    cluster.get_by_label("Name", exact=True).fill("bertil")
    cluster.keyboard.press("Enter")
    expect(cluster.get_by_role("heading", name="Bertil")).to_be_visible()
    cluster.keyboard.press("Control+z")
    expect(cluster.get_by_role("heading", name="Anna")).to_be_visible()
    cluster.keyboard.press("e")
    field = cluster.get_by_label("Name", exact=True)
    expect(field).to_have_value("Anna")
    expect(field).to_be_focused()
    field.fill("Anna Berg")
    cluster.keyboard.press("Enter")
    toast(cluster, "Named: Anna Berg")  # the page knows the person's revision
    names = Identity.objects.filter(pk__in=[anna.pk, bertil.pk]).order_by("pk").values_list("name", flat=True)
    assert list(names) == ["Anna Berg", "Bertil"]
    assert is_still_this(cluster)


def test_a_persons_page_keeps_its_place_and_tells_what_was_taken_back(at: Go, people: dict[str, User]) -> None:
    world = make_world([400], names=["Anna"])
    page = at(reverse("ui:person", args=[world.people[0].pk]))
    remember_this(page)
    grid, options = page.locator("#grid"), page.locator("#grid [role=option]")
    page.locator("#grid .pager").scroll_into_view_if_needed()
    expect(options).to_have_count(360)
    options.nth(300).click()
    page.keyboard.press("r")
    toast(page, "Rejected: 1 face")
    expect(grid.locator(".gone")).to_have_count(1)
    top = page.evaluate("scrollY")
    page.keyboard.press("Control+z")
    toast(page, "Undone: Rejected: 1 face")
    expect(grid.locator(".gone")).to_have_count(0)
    assert options.count() >= 360
    chosen = grid.locator("[aria-selected=true]")
    expect(chosen).to_have_count(1)
    expect(chosen).to_be_focused()
    assert page.evaluate("scrollY") == top
    expect(page.locator("#story tr.struck")).to_have_count(1)
    assert is_still_this(page)
    page.keyboard.press("r")
    until(page, lambda: Label.objects.filter(identity=world.people[0]).count() == 399)
    page.reload()
    remember_this(page)
    page.locator("#story").get_by_role("button", name="Take back").click()
    expect(page.locator("#story tr.struck")).to_have_count(2)
    assert Label.objects.filter(identity=world.people[0]).count() == 400
    assert is_still_this(page)


def test_lines_of_the_ledger_are_taken_back_where_they_stand(at: Go, people: dict[str, User], made: World) -> None:
    for face in [one.pk for one in made.faces[:6]] * 10:
        reject_faces(identity_id=made.people[0].pk, faces=[face], by=By(people["data_engineer"]))
    page = at(reverse("ui:ledger"))
    remember_this(page)
    rows = page.locator("#decisions tr[id]")
    page.locator("#decisions .pager").scroll_into_view_if_needed()
    expect(rows).to_have_count(60)
    first = Decision.objects.order_by("id").first()
    assert first is not None
    button = page.locator(f"#revert-{first.pk}")
    button.scroll_into_view_if_needed()
    top = button.evaluate("(one) => Math.round(one.getBoundingClientRect().top)")
    button.click()
    toast(page, f"Decision {first.pk} was taken back")
    expect(button).to_have_text("taken back")
    expect(button).to_be_focused()
    assert abs(button.evaluate("(one) => Math.round(one.getBoundingClientRect().top)") - top) <= 8
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(button).to_have_text(re.compile("Take back"))
    expect(page.locator("tr.struck")).to_have_count(1)
    assert is_still_this(page)
