"""Signing in, uploading, themes, narrow screens and scrolling, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from accounts.services import create_login_code
from annotation.models import Upload
from jobs.models import Job
from tests.factories import PASSWORD, World, make_world
from tests.frontend.seen import toast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_signing_in_by_password_and_by_code(page: Page, live_server: Any, people: dict[str, User]) -> None:
    page.goto(live_server.url + "/people/")
    page.get_by_label("User name").fill("data_engineer")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="People")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("One-time code").fill(create_login_code(user=people["manager"]))
    page.get_by_role("button", name="Sign in with the code").click()
    expect(page.get_by_role("link", name="Users")).to_be_visible()


def test_more_clusters_come_while_scrolling_and_can_be_selected_like_the_first(
    page: Page, live_server: Any, people: dict[str, User], signed_in: Callable[[User], None]
) -> None:
    world = make_world([2] * 70 + [200])
    signed_in(people["data_engineer"])
    page.goto(live_server.url + reverse("ui:clusters"))
    expect(page.locator(".people-grid .person")).to_have_count(60)
    page.locator(".pager").scroll_into_view_if_needed()
    expect(page.locator(".people-grid .person")).to_have_count(71)
    page.goto(live_server.url + reverse("ui:cluster", args=[world.clusters[0].pk]))
    tiles = page.locator("#grid [role=option]")
    expect(tiles.first).to_be_visible()
    assert tiles.count() < 100  # of 200; the others come when they are looked at
    page.keyboard.press("Control+a")
    expect(page.locator("[data-status]")).to_have_text("200 faces selected")


def test_dropping_files_uploads_them_and_names_the_bad_one(
    page: Page, live_server: Any, people: dict[str, User], signed_in: Callable[[User], None], tmp_path: Path
) -> None:
    signed_in(people["data_engineer"])
    rng = np.random.default_rng(1)
    paths = []
    for number in range(3):
        path = tmp_path / f"photo-{number}.jpg"
        cv2.imwrite(str(path), rng.integers(0, 255, (40, 60, 3), np.uint8))
        paths.append(path)
    page.goto(live_server.url + reverse("ui:import"))
    page.evaluate(
        """(files) => {
          const data = new DataTransfer();
          for (const [name, numbers] of files) data.items.add(new File([new Uint8Array(numbers)], name));
          const event = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
          document.getElementById("dropzone").dispatchEvent(event);
        }""",
        [[path.name, list(path.read_bytes())] for path in paths] + [["notes.txt", [104, 105]]],
    )
    toast(page, "1 file is no photo by name")
    expect(page.locator("#upload-done")).to_contain_text("3 files arrived")
    assert sorted(Upload.objects.values_list("path", flat=True)) == [path.name for path in paths]
    job = Job.objects.get(kind="ingest")
    assert page.get_by_role("link", name="Follow the import").get_attribute("href") == f"/jobs/{job.pk}/"


def test_the_theme_follows_the_system_until_it_is_chosen(
    page: Page, live_server: Any, people: dict[str, User], signed_in: Callable[[User], None]
) -> None:
    signed_in(people["data_engineer"])
    background = "() => getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    page.goto(live_server.url)
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(background)
    assert light != dark
    page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="Switch theme").click()
    assert page.evaluate(background) == dark
    page.reload()
    assert page.evaluate(background) == dark
    assert page.locator("html").get_attribute("data-theme") == "dark"  # from the server, so nothing flashes


@pytest.mark.parametrize("area", ["dashboard", "import", "photos", "people", "clusters", "ledger", "jobs", "account"])
def test_nothing_is_wider_than_a_narrow_screen(
    page: Page,
    live_server: Any,
    people: dict[str, User],
    made: World,
    signed_in: Callable[[User], None],
    area: str,
) -> None:
    signed_in(people["manager"])
    page.set_viewport_size({"width": 420, "height": 860})
    page.goto(live_server.url + reverse(f"ui:{area}"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    link = page.locator(".sidebar nav a", has_text="Clusters")
    expect(link).not_to_be_visible()
    page.get_by_role("button", name="Menu").click()
    expect(link).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(link).not_to_be_visible()
