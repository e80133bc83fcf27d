"""Every REST route: who may call it, and that every refusal is problem+json. A route missing here fails the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from rest_framework.test import APIClient

from accounts.roles import Role
from tests.roles.table import OWN, ROUTES, M

METHODS = ("get", "post", "put", "patch", "delete")
ARGUMENTS = {
    "id": 999_999,
    "number": 999_999,
    "name": "people",
    "version": "v1",
    "reference": "nobody@v1",
    "digest": "0" * 64,
}


def routes(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, path)
        elif path.startswith("api/v1/"):
            yield path, entry


def address(name: str) -> str:
    pattern = next(entry for _, entry in routes() if entry.name == name)
    wanted = {key: ARGUMENTS[key] for key in pattern.pattern.converters}
    return reverse(name, kwargs=wanted)


def test_every_route_is_in_the_table() -> None:
    found = set()
    for path, entry in routes():
        view: Any = getattr(entry.callback, "cls", None) or getattr(entry.callback, "view_class", None)
        assert view is not None, f"{path} is no class-based view"
        assert entry.name, f"{path} has no name"
        found |= {(method, entry.name) for method in METHODS if hasattr(view, method)}
    assert found == set(ROUTES)


@pytest.mark.parametrize(("method", "name"), sorted(ROUTES))
def test_who_gets_past_the_door(client_of: Callable[..., APIClient], method: str, name: str) -> None:
    for role in Role.values:
        answer = getattr(client_of(role), method)(address(name))
        allowed = answer.status_code not in {401, 403}
        assert allowed == (role in ROUTES[method, name]), (role, answer.status_code, answer.content[:300])
        assert answer.status_code < 500, answer.content
        check_problem(answer)
    stranger = getattr(APIClient(), method)(address(name))
    assert stranger.status_code == 401
    check_problem(stranger)
    if name not in OWN:
        scopeless = getattr(client_of(M, []), method)(address(name))
        assert scopeless.status_code == 403
        check_problem(scopeless)


def test_other_methods_and_addresses_are_problems_too(client_of: Callable[..., APIClient]) -> None:
    client = client_of(M)
    for name in {name for _, name in ROUTES}:
        unknown = next(method for method in METHODS if (method, name) not in ROUTES)
        answer = getattr(client, unknown)(address(name))
        assert answer.status_code == 405
        check_problem(answer)
    for path in ("/api/v1/nothing", "/api/v2/me", "/api/v1/faces/x", "/api/v1/jobs/-1"):
        answer = client.get(path)
        assert answer.status_code == 404
        check_problem(answer)


def check_problem(answer: Any) -> None:
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json", answer.content[:300]
        body = answer.json()
        assert body["status"] == answer.status_code
        assert body["code"].replace("_", "").isalnum()
        assert body["code"] == body["code"].lower()
        assert body["detail"]
