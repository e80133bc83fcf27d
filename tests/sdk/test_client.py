"""Signing in, calling, retrying."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from loupe import credentials
from loupe.client import ATTEMPTS, Client
from loupe.credentials import Credentials
from loupe.errors import LoupeClientError, NotFound, NotSignedIn, Unreachable, UsageError

Handler = Callable[[httpx.Request], httpx.Response]


def make(handler: Handler) -> Client:
    return Client(Credentials("https://loupe.test", "secret"), transport=httpx.MockTransport(handler), pause=0)


def test_every_call_carries_the_token_and_every_write_a_key() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    with make(handler) as client:
        client.get("me", a=None, b=1)
        client.post("rounds")
        client.post("rounds")
    assert [str(request.url) for request in seen] == [
        "https://loupe.test/api/v1/me?b=1",
        "https://loupe.test/api/v1/rounds",
        "https://loupe.test/api/v1/rounds",
    ]
    assert {request.headers["Authorization"] for request in seen} == {"Bearer secret"}
    assert "Idempotency-Key" not in seen[0].headers
    assert len({request.headers["Idempotency-Key"] for request in seen[1:]}) == 2


@pytest.mark.parametrize("failure", [httpx.ConnectError("no"), httpx.ReadTimeout("slow"), 502, 503, 504, 429])
def test_a_lost_answer_is_asked_for_again_with_the_same_key(failure: Any) -> None:
    keys: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) < 3:
            if isinstance(failure, Exception):
                raise failure
            return httpx.Response(failure)
        return httpx.Response(201, json={"id": 1})

    with make(handler) as client:
        assert client.post("rounds") == {"id": 1}
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_it_gives_up_in_the_end() -> None:
    calls: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        raise httpx.ConnectError("refused")

    with make(handler) as client, pytest.raises(Unreachable, match=r"loupe\.test does not answer: refused"):
        client.get("me")
    assert len(calls) == ATTEMPTS


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, LoupeClientError), (401, NotSignedIn), (404, NotFound), (409, LoupeClientError), (503, Unreachable)],
)
def test_problems_become_errors(status: int, error: type[LoupeClientError]) -> None:
    body = {"code": "its_code", "detail": "What happened.", "errors": {"name": ["Needed."]}}
    with make(lambda request: httpx.Response(status, json=body)) as client, pytest.raises(error) as caught:
        client.get("me")
    assert (caught.value.code, caught.value.message) == ("its_code", "What happened. name: Needed.")


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, text="<html>"), httpx.Response(500, text="oops"), httpx.Response(302, json=[])]
)
def test_other_servers_are_recognised(answer: httpx.Response) -> None:
    with make(lambda request: answer) as client, pytest.raises(LoupeClientError):
        client.get("me")


def test_pages_follow_the_cursor_and_nothing_else() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "loupe.test"
        assert request.url.params["state"] == "failed"
        cursor = int(request.url.params.get("cursor", 0))
        following = f"https://evil.test/api/v1/jobs?cursor={cursor + 1}" if cursor < 2 else None
        return httpx.Response(200, json={"results": [{"id": cursor}], "next": following})

    with make(handler) as client:
        assert [row["id"] for row in client.pages("jobs", state="failed")] == [0, 1, 2]


def test_stored_for_the_owner_alone(here: Path) -> None:
    with pytest.raises(NotSignedIn):
        credentials.load()
    found = Credentials("https://a.test", "secret")
    path = credentials.save(found)
    assert credentials.load() == found
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["credentials.json"]
    assert "secret" not in repr(found)
    assert credentials.forget()
    assert not credentials.forget()


def test_the_environment_wins_but_a_token_stays_with_its_server(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials.save(Credentials("https://a.test", "secret"))
    monkeypatch.setenv("LOUPE_URL", "https://a.test/")
    assert credentials.load().token == "secret"
    monkeypatch.setenv("LOUPE_URL", "https://b.test")
    with pytest.raises(NotSignedIn):
        credentials.load()
    monkeypatch.setenv("LOUPE_TOKEN", "other")
    assert credentials.load() == Credentials("https://b.test", "other")


@pytest.mark.parametrize("content", ["", "{", "[]", "5", json.dumps({"url": 1})])
def test_a_broken_file_says_to_sign_in(here: Path, content: str) -> None:
    path = credentials.save(Credentials("https://a.test", "secret"))
    path.write_text(content)
    with pytest.raises(NotSignedIn):
        credentials.load()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("loupe.example.org", "https://loupe.example.org"),
        ("localhost:8000/", "http://localhost:8000"),
        ("127.0.0.1", "http://127.0.0.1"),
        (" http://h/prefix/ ", "http://h/prefix"),
    ],
)
def test_addresses_as_people_type_them(given: str, meant: str) -> None:
    assert credentials.normalised_url(given) == meant


@pytest.mark.parametrize("wrong", ["", "ftp://x", "https://", "https://me:pw@x", "https://x?a=b"])
def test_addresses_that_are_none(wrong: str) -> None:
    with pytest.raises(UsageError):
        credentials.normalised_url(wrong)
