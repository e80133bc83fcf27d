"""What people do, in a real browser against a real server and database. The server runs in threads of this process."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from accounts.models import User
from accounts.services import create_login_code
from annotation.models import Decision, Identity, Label, Upload
from jobs.models import Job
from mining.models import ReviewBatch, ReviewItem
from tests.factories import PASSWORD, World, make_users, make_world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    # Playwright's loop lives in this thread; Django must not take its presence for an asynchronous view.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield found
        found.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def people(transactional_db: Any) -> dict[str, User]:
    return make_users()


@pytest.fixture
def made(transactional_db: Any) -> World:
    return make_world([6, 4, 3], names=["Anna", "Bertil"])


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(10_000)
    yield opened
    opened.close()


@pytest.fixture
def problems() -> list[str]:
    """What the browser's console complained about; every test that asks for `page` ends with it empty."""
    return []


@pytest.fixture
def page(context: BrowserContext, problems: list[str]) -> Iterator[Page]:
    opened = context.new_page()
    opened.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    assert problems == []


@pytest.fixture
def signed_in(context: BrowserContext, live_server: Any) -> Callable[[User], None]:
    """`signed_in(user)` gives the browser a session of that user."""

    def sign_in(user: User) -> None:
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": str(session.session_key), "url": live_server.url}
        context.add_cookies([cookie])  # type: ignore[list-item]

    return sign_in


@pytest.fixture
def cluster(
    page: Page, live_server: Any, people: dict[str, User], made: World, signed_in: Callable[[User], None]
) -> Page:
    """The grid of Anna's six faces, weakest first, opened by the annotator."""
    signed_in(people["annotator"])
    page.goto(live_server.url + reverse("ui:cluster", args=[made.clusters[0].pk]))
    return page


def toast(page: Page, text: str) -> None:
    expect(page.locator(".toast", has_text=text)).to_be_visible()


def test_signing_in_by_password_and_by_code(page: Page, live_server: Any, people: dict[str, User]) -> None:
    page.goto(live_server.url + "/people/")
    page.get_by_label("User name").fill("annotator")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="People")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("One-time code").fill(create_login_code(user=people["manager"]))
    page.get_by_role("button", name="Sign in with the code").click()
    expect(page.get_by_role("link", name="Users")).to_be_visible()


def test_crops_are_there_and_nothing_moves_when_they_come(cluster: Page) -> None:
    tiles = cluster.locator("#grid img")
    expect(tiles).to_have_count(6)
    for number in range(6):
        assert tiles.nth(number).evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 112
    shift = """() => new Promise((done) => {
      let total = 0;
      new PerformanceObserver((list) => list.getEntries().forEach((one) => (total += one.value)))
        .observe({ type: "layout-shift", buffered: true });
      setTimeout(() => done(total), 200);
    })"""
    assert cluster.evaluate(shift) < 0.01


def test_rejecting_faces_by_key_and_undoing_it(cluster: Page, made: World) -> None:
    weakest = int(cluster.locator("#grid [role=option]").first.get_attribute("data-face") or 0)
    cluster.keyboard.press("ArrowRight")
    cluster.keyboard.press("Space")
    expect(cluster.locator("[data-status]")).to_have_text("1 face selected")
    cluster.keyboard.press("r")
    toast(cluster, "Rejected: 1 face")
    decision = Decision.objects.get(kind="reject")
    assert (decision.faces, decision.identity) == ([weakest], made.people[0])
    assert decision.seconds is not None
    assert decision.evidence["cluster"] == made.clusters[0].pk
    assert Label.objects.get(face=weakest).identity is None
    expect(cluster.locator(f'[data-face="{weakest}"]')).to_have_class(re.compile("gone"))
    cluster.keyboard.press("Control+z")
    toast(cluster, "Undone: Rejected: 1 face")
    assert Decision.objects.get(kind="revert").reverts == decision
    assert Label.objects.get(face=weakest).identity == made.people[0]
    expect(cluster.locator(f'[data-face="{weakest}"]')).not_to_have_class(re.compile("gone"))


def test_confirming_goes_on_to_the_next_cluster_and_undo_comes_back(cluster: Page, made: World) -> None:
    cluster.keyboard.press("Enter")
    cluster.wait_for_url(f"**{reverse('ui:cluster', args=[made.clusters[1].pk])}")
    assert Label.objects.filter(identity=made.people[0], source="human").count() == 6
    cluster.keyboard.press("Control+z")
    cluster.wait_for_url(f"**{reverse('ui:cluster', args=[made.clusters[0].pk])}")
    assert Label.objects.filter(identity=made.people[0], source="human").count() == 0


def test_naming_with_a_new_name(cluster: Page, made: World) -> None:
    cluster.keyboard.press("e")
    cluster.get_by_label("Name", exact=True).fill("Anna Andersson")
    cluster.keyboard.press("Enter")
    toast(cluster, "Named: Anna Andersson")
    expect(cluster.get_by_role("heading", name="Anna Andersson")).to_be_visible()
    made.people[0].refresh_from_db()
    assert made.people[0].name == "Anna Andersson"


def test_choosing_a_completed_name_merges(cluster: Page, made: World) -> None:
    cluster.keyboard.press("e")
    cluster.get_by_label("Name", exact=True).fill("bert")
    option = cluster.locator("#name-list [role=option]")
    expect(option).to_have_text(re.compile("Bertil"))
    cluster.keyboard.press("ArrowDown")
    cluster.keyboard.press("Enter")
    cluster.keyboard.press("Enter")
    expect(cluster.get_by_role("heading", name="Bertil")).to_be_visible()
    made.people[0].refresh_from_db()
    assert made.people[0].merged_into == made.people[1]


def test_merging_shows_both_covers_first(cluster: Page, made: World) -> None:
    cluster.keyboard.press("m")
    cluster.get_by_label("Who is it the same as?").fill("Bert")
    cluster.locator("#merge-list [role=option]", has_text="Bertil").click()
    expect(cluster.locator("#merge-dialog [data-compare] img")).to_have_count(2)
    cluster.get_by_role("button", name="They are one person").click()
    expect(cluster.get_by_role("heading", name="Bertil")).to_be_visible()
    assert Decision.objects.get(kind="merge").into == made.people[1]
    cluster.keyboard.press("Control+z")
    expect(cluster.get_by_role("heading", name="Anna")).to_be_visible()
    made.people[0].refresh_from_db()
    assert made.people[0].merged_into is None


def test_splitting_a_range_out_as_somebody_new(cluster: Page, made: World) -> None:
    tiles = cluster.locator("#grid [role=option]")
    tiles.nth(0).click()
    tiles.nth(2).click(modifiers=["Shift"])
    expect(cluster.locator("[data-status]")).to_have_text("3 faces selected")
    cluster.keyboard.press("s")
    cluster.get_by_label("Who are they?").fill("Cecilia")
    cluster.keyboard.press("Enter")
    toast(cluster, "Split out: 3 faces as Cecilia")
    somebody = Identity.objects.get(name="Cecilia")
    assert Label.objects.filter(identity=somebody, source="human").count() == 3
    assert Decision.objects.get(kind="split").identity == made.people[0]


def test_setting_faces_aside_by_key(cluster: Page) -> None:
    tiles = cluster.locator("#grid [role=option]:not(.gone)")
    tiles.nth(0).click()
    cluster.keyboard.press("n")
    toast(cluster, "1 face is no face")
    tiles.nth(0).click()
    cluster.keyboard.press("i")
    toast(cluster, "1 face set aside")
    assert sorted(Label.objects.exclude(reason="").values_list("reason", flat=True)) == ["ignored", "not_a_face"]


def test_two_people_at_once_are_told(cluster: Page, made: World, people: dict[str, User], problems: list[str]) -> None:
    from annotation.services.decisions import decide

    decide(user=people["manager"], kind="rename", identity=made.people[0].pk, text="Annika")
    cluster.locator("#grid [role=option]").first.click()
    cluster.keyboard.press("r")
    toast(cluster, "has changed since you looked")
    assert not Decision.objects.filter(kind="reject").exists()
    problems.clear()  # the browser notes the 409


def test_the_list_of_keys_opens_and_lets_no_key_through(cluster: Page) -> None:
    cluster.keyboard.press("?")
    expect(cluster.get_by_role("dialog")).to_contain_text("Split the selected faces out")
    cluster.keyboard.press("r")
    cluster.keyboard.press("Escape")
    expect(cluster.locator("#keys")).not_to_be_visible()
    assert Decision.objects.count() == 0


def test_taking_back_in_the_ledger(cluster: Page, live_server: Any) -> None:
    cluster.locator("#grid [role=option]").first.click()
    cluster.keyboard.press("r")
    toast(cluster, "Rejected: 1 face")
    cluster.goto(live_server.url + reverse("ui:ledger"))
    cluster.get_by_role("button", name="Take back").click()
    toast(cluster, "was taken back")
    assert Decision.objects.filter(kind="revert").count() == 1
    expect(cluster.locator("tr.struck")).to_have_count(1)


def make_questions(world: World, strategy: str, count: int = 3) -> ReviewBatch:
    batch = ReviewBatch.objects.create(strategy=strategy, run=world.run)
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
    expect(page.get_by_text("why 0")).to_be_visible()
    page.keyboard.press("d")
    expect(page.get_by_text("why 1")).to_be_visible()
    expect(page.get_by_text("why 0")).not_to_be_visible()
    page.keyboard.press("x")
    expect(page.get_by_text("why 2")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_text("This batch is done")).to_be_visible()
    assert list(batch.items.order_by("ordinal").values_list("state", flat=True)) == ["answered", "answered", "skipped"]
    assert Label.objects.get(face=made.faces[1]).identity == made.people[1]
    assert Label.objects.get(face=made.faces[2]).identity is None
    page.keyboard.press("Control+z")
    toast(page, "Undone: Neither of the two")
    assert Label.objects.get(face=made.faces[2]).identity == made.people[0]


def test_answering_pairs_and_meeting_somebody_faster(
    page: Page,
    live_server: Any,
    people: dict[str, User],
    made: World,
    signed_in: Callable[[User], None],
    problems: list[str],
) -> None:
    batch = make_questions(made, "pairs_near_threshold", count=2)
    signed_in(people["annotator"])
    page.goto(live_server.url + reverse("ui:batch", args=[batch.pk]))
    expect(page.get_by_text("why 0")).to_be_visible()
    batch.items.filter(ordinal=0).update(state="skipped")
    page.get_by_role("button", name="Same person").first.click()
    toast(page, "This question is closed")
    problems.clear()  # the browser notes the 409
    expect(page.get_by_text("why 1")).to_be_visible()
    page.keyboard.press("d")
    expect(page.get_by_text("This batch is done")).to_be_visible()
    assert Decision.objects.get().kind == "different"


def test_more_clusters_come_while_scrolling_and_can_be_selected_like_the_first(
    page: Page, live_server: Any, people: dict[str, User], signed_in: Callable[[User], None]
) -> None:
    world = make_world([2] * 70 + [200])
    signed_in(people["annotator"])
    page.goto(live_server.url + reverse("ui:clusters"))
    expect(page.locator(".people-grid .person")).to_have_count(60)
    page.locator(".pager").scroll_into_view_if_needed()
    expect(page.locator(".people-grid .person")).to_have_count(71)
    page.goto(live_server.url + reverse("ui:cluster", args=[world.clusters[0].pk]))
    expect(page.locator("#grid [role=option]")).to_have_count(180)
    page.locator("#grid .pager").scroll_into_view_if_needed()
    expect(page.locator("#grid [role=option]")).to_have_count(200)
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
    signed_in(people["annotator"])
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
