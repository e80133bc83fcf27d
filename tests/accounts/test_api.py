"""Tokens and `me` over REST."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AccessToken, User

MakeUser = Callable[[str], User]
ClientFor = Callable[..., APIClient]


def test_me(make_user: MakeUser, client_for: ClientFor) -> None:
    user = make_user("data_engineer")
    answer = client_for(user, ["jobs", "ingest"]).get("/api/v1/me")
    assert answer.json() == {
        "id": user.pk,
        "username": "data_engineer",
        "role": "data_engineer",
        "capabilities": ["ingest", "jobs"],
    }


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Bearer a b", "Basic eA==", "Bearer \xff"])
def test_the_unknown_are_refused(db: Any, header: str) -> None:
    answer = APIClient().get("/api/v1/me", **({"HTTP_AUTHORIZATION": header} if header else {}))
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"] == 'Bearer realm="loupe"'
    assert answer.json()["code"] in {"not_authenticated", "invalid_token"}


def test_a_token_is_shown_once(make_user: MakeUser, client_for: ClientFor) -> None:
    client = client_for(make_user("annotator"))
    made = client.post("/api/v1/tokens", {"name": "laptop"})
    assert made.status_code == 201
    assert made["Cache-Control"] == "no-store"
    secret = made.json()["secret"]
    listed = client.get("/api/v1/tokens")
    assert [token["name"] for token in listed.json()["results"]] == ["laptop", "test"]
    assert secret not in listed.content.decode()
    one = client.get(f"/api/v1/tokens/{made.json()['id']}")
    assert one.json()["scopes"] == ["review"]
    fresh = APIClient()
    fresh.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert fresh.get("/api/v1/me").status_code == 200
    assert client.delete(f"/api/v1/tokens/{made.json()['id']}").status_code == 204
    assert fresh.get("/api/v1/me").status_code == 401


def test_other_peoples_tokens_do_not_exist(make_user: MakeUser, client_for: ClientFor) -> None:
    client_for(make_user("annotator"))
    other = AccessToken.objects.get()
    client = client_for(make_user("manager"))
    assert client.get(f"/api/v1/tokens/{other.pk}").status_code == 404
    assert client.delete(f"/api/v1/tokens/{other.pk}").status_code == 404
    other.refresh_from_db()
    assert other.revoked_at is None


def test_a_token_makes_none_that_can_do_more(make_user: MakeUser, client_for: ClientFor) -> None:
    user = make_user("manager")
    client = client_for(user, ["jobs"])
    AccessToken.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    answer = client.post("/api/v1/tokens", {"name": "x", "scopes": ["users"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_beyond_token")
    later = (timezone.now() + timedelta(days=1)).isoformat()
    answer = client.post("/api/v1/tokens", {"name": "x", "expires_at": later})
    assert (answer.status_code, answer.json()["code"]) == (400, "expiry_beyond_token")
    answer = client.post("/api/v1/tokens", {"name": "x"})
    assert answer.json()["scopes"] == ["jobs"]
    assert answer.json()["expires_at"] is not None


def test_the_browser_needs_a_csrf_token(make_user: MakeUser) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(make_user("annotator"))
    assert client.get("/api/v1/me").status_code == 200
    answer = client.post("/api/v1/tokens", {"name": "x"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
