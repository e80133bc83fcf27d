from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from accounts.models import User
from mining.models import ReviewBatch
from tests.factories import World, make_users, make_world
from tests.frontend.made_queues import Open

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE_MS = 30_000  # a machine under load may take its time; only what fails waits that long
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def users(db: Any) -> dict[str, User]:
    """One person of each role."""
    return make_users()


@pytest.fixture
def world(db: Any) -> World:
    """Three people with clusters of 5, 3 and 2 faces, the first two with names, and one face alone."""
    return make_world([5, 3, 2], names=["Anna", "Bertil"], alone=1)


@pytest.fixture
def as_role(users: dict[str, User]) -> Callable[[str], Client]:
    """`as_role("annotator")` is a browser in which that person has signed in."""

    def sign_in(role: str) -> Client:
        client = Client()
        client.force_login(users[role])
        return client

    return sign_in


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
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.close()


@pytest.fixture
def intercepting(context: BrowserContext) -> None:
    """Routes set on an open page catch its next request; the first route of all, set there, may let it pass."""
    context.route("**/nowhere", lambda route: route.abort())


@pytest.fixture
def excused() -> list[str]:
    """What the browser's console may complain about in this test, as parts of its messages; of nothing else."""
    return []


@pytest.fixture
def page(context: BrowserContext, excused: list[str]) -> Iterator[Page]:
    opened = context.new_page()
    problems: list[str] = []
    opened.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    assert [one for one in problems if not any(part in one for part in excused)] == []


@pytest.fixture
def signed_in(context: BrowserContext, live_server: Any) -> Callable[[User], None]:
    """`signed_in(user)` gives the browser a session of that user."""

    return lambda user: context.add_cookies([session_cookie(user, live_server.url)])


def session_cookie(user: User, url: str) -> Any:
    """What a browser sends whose session is that user's."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return {"name": settings.SESSION_COOKIE_NAME, "value": str(session.session_key), "url": url}


@pytest.fixture
def cluster(
    page: Page, live_server: Any, people: dict[str, User], made: World, signed_in: Callable[[User], None]
) -> Page:
    """The grid of Anna's six faces, weakest first, opened by the annotator."""
    signed_in(people["data_engineer"])
    page.goto(live_server.url + reverse("ui:cluster", args=[made.clusters[0].pk]))
    return page


@pytest.fixture
def opened(page: Page, live_server: Any, people: dict[str, User], signed_in: Callable[[User], None]) -> Open:
    """A batch, as somebody of a role has it before them."""

    def go(batch: ReviewBatch, role: str = "annotator") -> Page:
        signed_in(people[role])
        page.goto(live_server.url + reverse("ui:batch", args=[batch.pk]))
        return page

    return go
