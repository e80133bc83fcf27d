"""Faces that a question shows: set aside, looked up, compared and seen in their photos, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Decision, Label
from mining.models import ReviewBatch, ReviewVote
from tests.factories import World
from tests.frontend.made_queues import Open, make_clusters, make_pairs, tiles
from tests.frontend.seen import sent, toast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def at(page: Page, ordinal: int) -> None:
    expect(page.locator(".why:visible")).to_contain_text(f"why {ordinal}")


def states(batch: ReviewBatch) -> list[str]:
    return list(batch.items.order_by("ordinal").values_list("state", flat=True))


def test_the_face_of_a_pair_that_is_chosen_is_set_aside_and_what_else_asks_about_it_goes_with_it(
    opened: Open, made: World
) -> None:
    batch = make_pairs(made)  # the second face is the same in all
    page = opened(batch)
    at(page, 0)
    page.keyboard.press("i")
    toast(page, "Select the face first")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("n")  # the face that the keyboard is on
    at(page, 1)
    toast(page, "1 face is none")
    assert Decision.objects.get().kind == "not_a_face" and Decision.objects.get().faces == [made.faces[1].pk]
    page.locator("[data-question]:not([hidden]) [role=option]").nth(1).click()
    page.get_by_role("button", name=re.compile("^Ignore")).click()
    expect(page.get_by_role("heading", name="This batch is done")).to_be_visible()
    assert states(batch) == ["answered", "answered", "obsolete"]
    page.keyboard.press("Control+z")
    toast(page, "Undone: 1 face set aside")
    at(page, 1)
    assert states(batch) == ["answered", "open", "open"]
    assert Label.objects.get(face=made.faces[7]).identity == made.people[1]


def test_faces_of_the_rows_are_chosen_by_arrows_and_escape_gives_the_keys_back(opened: Open, made: World) -> None:
    batch = make_pairs(made, "merge")
    page = opened(batch)
    at(page, 0)
    for key in ("ArrowRight", "Space", "Shift+ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator("[data-question]:not([hidden]) [aria-selected=true]")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator("[data-question]:not([hidden]) [aria-selected=true]")).to_have_count(0)
    page.keyboard.press("Space")
    at(page, 1)
    toast(page, "Skipped")
    for key in ("ArrowRight", "Space", "Shift+ArrowRight", "i"):
        page.keyboard.press(key)
    at(page, 2)
    toast(page, "2 faces set aside")
    assert len(Decision.objects.get(kind="ignore").faces) == 2


def test_a_suspect_is_set_aside_at_once_or_is_somebody_who_is_looked_up(opened: Open, made: World) -> None:
    batch = make_pairs(made, "suspect", count=2)
    made.people[2].name = "Cecilia"
    made.people[2].save()
    page = opened(batch)
    at(page, 0)
    page.keyboard.press("i")
    at(page, 1)
    sent(page)
    assert Decision.objects.get().faces == [made.faces[1].pk]
    page.keyboard.press("/")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="It is this person")).to_be_disabled()
    dialog.get_by_role("combobox").fill("Cec")
    dialog.get_by_role("option", name="Cecilia").click()
    expect(dialog.locator("[data-compare] img:visible")).to_have_count(2)
    page.keyboard.press("Enter")
    toast(page, "This is Cecilia")
    assert Label.objects.get(face=made.faces[2]).identity == made.people[2]
    assert ReviewVote.objects.latest("id").answer == "somebody"


def test_a_person_is_looked_up_beside_a_pair_and_nothing_is_answered(opened: Open, made: World) -> None:
    page = opened(make_pairs(made), "data_engineer")
    at(page, 0)
    page.keyboard.press("/")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").fill("Ber")
    dialog.get_by_role("option", name="Bertil").click()
    expect(dialog.locator("[data-compare]")).to_contain_text("Bertil")
    href = dialog.get_by_role("link", name="Open their page").get_attribute("href")
    assert href == f"/people/{made.people[1].pk}/"
    page.keyboard.press("Escape")
    at(page, 0)
    assert not ReviewVote.objects.exists()


def test_photos_of_the_faces_selected_in_a_cluster_come_by_key(opened: Open, made: World) -> None:
    page = opened(make_clusters(made))
    expect(tiles(page)).to_have_count(6)
    page.keyboard.press("p")
    toast(page, "Select a face first")
    tiles(page).nth(0).click()
    tiles(page).nth(1).click()
    page.keyboard.press("p")
    shots = page.locator("[data-photos]:visible img")
    expect(shots).to_have_count(2)
    assert shots.first.evaluate("(image) => image.decode().then(() => image.naturalWidth > 0)")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("p")  # of the face that is current now
    expect(shots).to_have_count(1)
    page.keyboard.press("p")
    expect(shots).to_have_count(0)


def test_who_is_picked_by_name_is_seen_beside_the_cluster_before_both_are_one(opened: Open, made: World) -> None:
    page = opened(make_clusters(made))
    expect(page.get_by_role("heading", name="Anna")).to_be_visible()
    page.keyboard.press("m")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("option", name="Bertil").click()
    faces = dialog.locator("[data-compare] img:visible")
    expect(faces).to_have_count(2)
    assert faces.first.get_attribute("src") == f"/crops/{made.clusters[0].medoid_id}.png"
    expect(dialog.locator("[data-compare]")).to_contain_text("Bertil")
    dialog.get_by_role("combobox").fill("Berti")
    expect(faces).to_have_count(0)
    dialog.get_by_role("combobox").fill("bertil")
    page.keyboard.press("Enter")  # typed, so the face comes first
    expect(faces).to_have_count(2)
    assert not ReviewVote.objects.exists()
    dialog.get_by_role("button", name="They are one person").click()
    toast(page, "The same as Bertil")
