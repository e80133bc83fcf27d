"""Every page, every method, every role: who gets past the door, and that no page links to one that refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from accounts.roles import Role
from frontend import urls as pages
from tests.factories import make_users, painted
from tests.frontend import showcase
from tests.roles.table import OPEN_PAGES, PAGES, ROUTES

pytestmark = pytest.mark.django_db
METHODS = ("get", "post", "put", "patch", "delete")
NUMBER, NAME = 999_999, "people"


@pytest.fixture
def users() -> dict[str, User]:
    return make_users()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def patterns() -> Iterator[URLPattern]:
    yield from (entry for entry in pages.urlpatterns if isinstance(entry, URLPattern))


def address(name: str) -> str:
    pattern = next(entry for entry in patterns() if entry.name == name)
    wanted = {key: NAME if key == "name" else NUMBER for key in pattern.pattern.converters}
    return reverse(f"ui:{name}", kwargs=wanted)


def test_every_page_is_in_the_table() -> None:
    assert {entry.name for entry in patterns()} == {name for _, name in PAGES} | OPEN_PAGES


def everything(resolver: Any = None) -> Iterator[URLPattern]:
    for entry in (resolver or get_resolver()).url_patterns:
        yield from everything(entry) if isinstance(entry, URLResolver) else [entry]


def test_nothing_is_served_but_pages_and_rest() -> None:
    known = {name for _, name in PAGES} | OPEN_PAGES | {name for _, name in ROUTES}
    assert [str(entry.pattern) for entry in everything() if entry.name not in known] == ["^api/"]  # says not found


@pytest.mark.parametrize("name", sorted({name for _, name in PAGES}))
def test_who_gets_past_the_door(users: dict[str, User], name: str) -> None:
    for method in METHODS:
        roles = PAGES.get((method, name))
        for role in Role.values:
            answer = getattr(signed_in(users[role]), method)(address(name))
            if roles is None:
                assert answer.status_code in (403, 405), (method, role, answer.status_code)
            else:
                assert (answer.status_code != 403) == (role in roles), (method, role, answer.status_code)
                assert answer.status_code < 500 and answer.status_code != 405, (method, role, answer.status_code)
        stranger = getattr(Client(), method)(address(name))
        refused = stranger.status_code in (403, 405) or stranger.headers.get("Location", "").startswith("/login/")
        assert refused, (method, stranger.status_code)


def test_who_has_no_role_gets_nowhere(users: dict[str, User]) -> None:
    User.objects.filter(username="manager").update(role="gone")
    client = signed_in(User.objects.get(username="manager"))
    for name in sorted({name for _, name in PAGES} - {"sign_out"}):
        for method in METHODS:
            assert getattr(client, method)(address(name)).status_code in (403, 405), (method, name)


@pytest.mark.parametrize("role", Role.values)
def test_no_link_leads_to_a_page_that_refuses(users: dict[str, User], role: str, settings: Any, tmp_path: Any) -> None:
    options = {"location": str(tmp_path)}
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    world = showcase.make_showcase(users, list(painted(24)))
    client = signed_in(users[role])
    seen, waiting = set(), {reverse("ui:dashboard"), *showcase.addresses(world).values()}
    allowed = {one for one in waiting if client.get(one).status_code in (200, 302)}
    waiting = set(allowed)
    while waiting and len(seen) < 150:
        here = waiting.pop()
        seen.add(here)
        answer = client.get(here)
        if not answer.headers.get("Content-Type", "").startswith("text/html") or answer.status_code != 200:
            assert answer.status_code != 403, here
            continue
        found = re.findall(r'(?:href|data-source|data-faces|src)="(/[^"#]*)', answer.content.decode())
        for link in {one.replace("&amp;", "&") for one in found if not one.startswith(("/static/", "/api/v1/docs"))}:
            kind = re.sub(r"\d+", "0", link.partition("?")[0])
            if kind not in {re.sub(r"\d+", "0", one.partition("?")[0]) for one in seen | waiting}:
                waiting.add(link)
                status = client.get(link).status_code
                assert status not in (403, 404), f"{here} links to {link}: {status}"
