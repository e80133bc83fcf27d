"""Two people change the same at once: the second is told what the first did, and has both ways on. Who did it
themselves in another tab is told just that."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from annotation.models import Decision, Identity
from annotation.services.decisions import By
from annotation.services.identities import name_person
from tests.factories import World
from tests.frontend.made_queues import Open, make_pairs
from tests.frontend.seen import sent, toast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def second(
    page: Page,
    live_server: Any,
    made: World,
    people: dict[str, User],
    signed_in: Callable[[User], None],
    excused: list[str],
) -> Page:
    """A person's page that somebody looks at while the manager names the person Zoe Ball."""
    signed_in(people["data_engineer"])
    page.goto(live_server.url + reverse("ui:person", args=[made.people[2].pk]))
    name_person(identity_id=made.people[2].pk, name="Zoe Ball", by=By(people["manager"]))
    excused.append("409 (Conflict)")
    return page


def rename(page: Page, text: str) -> None:
    page.keyboard.press("e")
    page.get_by_role("combobox", name="Name", exact=True).fill(text)
    page.keyboard.press("Enter")


def test_who_did_what_is_told_and_mine_can_be_said_as_well(second: Page, made: World) -> None:
    rename(second, "Zoë")
    dialog = second.get_by_role("dialog", name="This has changed meanwhile")
    expect(dialog).to_contain_text("named this person Zoe Ball")
    expect(dialog).to_contain_text(re.compile("manager .* (just now|seconds? ago)"))
    expect(dialog).to_contain_text("You wanted: Named: Zoë")
    expect(dialog.get_by_role("button", name="Keep what is there")).to_be_visible()
    dialog.get_by_role("button", name="Say mine as well").click()
    toast(second, "Named: Zoë")
    assert Identity.objects.get(pk=made.people[2].pk).name == "Zoë"
    said = Decision.objects.filter(kind="rename").order_by("id").values_list("text", flat=True)
    assert list(said) == ["Zoe Ball", "Zoë"]
    rename(second, "Zoë Ball")  # the page knows where it stands
    toast(second, "Named: Zoë Ball")


def test_what_is_there_can_be_kept(second: Page, made: World) -> None:
    rename(second, "Zoë")
    second.get_by_role("button", name="Keep what is there").click()
    expect(second.get_by_role("heading", name="Zoe Ball")).to_be_visible()
    assert Decision.objects.filter(kind="rename").count() == 1


def test_escape_says_nothing_and_keeps_the_page(second: Page, made: World) -> None:
    rename(second, "Zoë")
    expect(second.get_by_role("dialog")).to_be_visible()
    second.keyboard.press("Escape")
    expect(second.get_by_role("dialog")).to_have_count(0)
    assert Decision.objects.filter(kind="rename").count() == 1


def test_who_answered_in_another_tab_is_told_so(
    opened: Open, context: BrowserContext, made: World, excused: list[str]
) -> None:
    first = opened(make_pairs(made))
    second = context.new_page()
    second.goto(first.url)
    expect(second.locator(".why:visible")).to_contain_text("why 0")
    first.keyboard.press("d")
    sent(first)
    second.keyboard.press("Enter")
    toast(second, "You answered this in another tab")
    expect(second.locator(".why:visible")).to_contain_text("why 1")
    first.keyboard.press("Space")
    sent(first)
    second.keyboard.press("Enter")
    toast(second, "You skipped this in another tab")
    assert Decision.objects.get().kind == "different"


def test_who_changed_the_person_in_another_tab_is_told_so(second: Page, made: World) -> None:
    other = second.context.new_page()
    other.goto(second.url)
    rename(other, "Zoe B.")
    toast(other, "Named: Zoe B.")
    rename(second, "Zoë")
    expect(second.get_by_role("dialog", name="This has changed meanwhile")).to_contain_text(
        "You named this person Zoe B."
    )
