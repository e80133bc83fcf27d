"""Mining runs in a real browser: the estimate follows the form, sheets and changes come when they are wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from jobs.models import Job
from tests.factories import World, painted
from tests.frontend.showcase import make_showcase

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def showcase(people: dict[str, User]) -> World:
    return make_showcase(people, [replace(one, person=f"Person {n // 4}") for n, one in enumerate(painted(60))])


def test_a_run_is_started_from_the_form(
    page: Page, live_server: Any, people: dict[str, User], signed_in: Callable[[User], None], made: World
) -> None:
    signed_in(people["data_engineer"])
    page.goto(live_server.url + reverse("ui:start_mining"))
    estimate = page.locator("[data-estimate]")
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
    expect(estimate).to_have_text("Less than a minute")
    page.get_by_role("checkbox", name="People of few faces").check()
    page.get_by_label("Questions of each kind, at most").fill("200")
    page.get_by_label("People who answer each question").fill("3")
    expect(estimate).to_have_text("About 30 min")
    page.get_by_label("Candidates").fill("2")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Mining has started.")).to_be_visible()
    job = Job.objects.get(kind="mine")
    assert page.url.endswith(reverse("ui:mining_run", args=[job.pk]))
    assert job.params["options"] == {"rare_identities": {"faces": [1, 3], "candidates": 2}}
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()


def test_sheets_and_changes_come_by_themselves(
    page: Page, live_server: Any, people: dict[str, User], signed_in: Callable[[User], None], showcase: World
) -> None:
    signed_in(people["data_engineer"])
    run = Job.objects.get(kind="mine", state="finished")
    page.goto(live_server.url + reverse("ui:mining_run", args=[run.pk]))
    expect(page.get_by_text("Faces that moved")).to_be_visible()
    first = page.locator(".contact-sheet").first.get_by_role("img", name="First face of question 1", exact=True)
    first.scroll_into_view_if_needed()
    expect(first).to_be_visible()
    page.wait_for_function("image => image.complete && image.naturalWidth === 112", arg=first.element_handle())
    expect(page.locator(".contact-sheet")).to_have_count(1)
    closed = page.get_by_text("Contact sheet of Merges that something blocks")
    closed.scroll_into_view_if_needed()
    closed.click()
    expect(page.locator(".contact-sheet")).to_have_count(2)
