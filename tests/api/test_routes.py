"""Every REST route: who may call it, and that every refusal is problem+json. A route missing here fails the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from rest_framework.test import APIClient

from accounts.roles import Role

A, D, E, M = "annotator", "data_engineer", "algorithm_engineer", "manager"
ALL, ENGINEERS, MODELLERS = {A, D, E, M}, {D, E, M}, {E, M}

# (method, route name) -> roles that get past the door.
TABLE: dict[tuple[str, str], set[str]] = {
    ("get", "schema"): ALL,
    ("get", "me"): ALL,
    ("get", "my-keys"): ALL,
    ("put", "my-keys"): ALL,
    ("get", "tokens"): ALL,
    ("post", "tokens"): ALL,
    ("get", "token"): ALL,
    ("delete", "token"): ALL,
    ("get", "jobs"): ALL,
    ("get", "job"): ALL,
    ("get", "job-units"): ALL,
    ("post", "job-cancel"): ENGINEERS,
    ("post", "job-retry"): ENGINEERS,
    ("get", "collections"): ALL,
    ("post", "collections"): ENGINEERS,
    ("get", "collection"): ALL,
    ("patch", "collection"): ENGINEERS,
    ("post", "uploads"): ENGINEERS,
    ("post", "uploads-known"): ENGINEERS,
    ("post", "uploads-by-digest"): ENGINEERS,
    ("post", "ingests"): ENGINEERS,
    ("get", "photos"): ALL,
    ("get", "photo"): ALL,
    ("get", "face"): ALL,
    ("get", "face-crop"): ALL,
    ("get", "clusterings"): ALL,
    ("post", "clusterings"): ENGINEERS,
    ("get", "clustering"): ALL,
    ("get", "clustering-difference"): ALL,
    ("post", "clustering-apply"): ENGINEERS,
    ("post", "clustering-drop"): ENGINEERS,
    ("get", "clusters"): ALL,
    ("get", "cluster"): ALL,
    ("get", "cluster-faces"): ALL,
    ("get", "identities"): ALL,
    ("get", "identity"): ALL,
    ("get", "identity-faces"): ALL,
    ("get", "decisions"): ALL,
    ("post", "decisions"): ALL,
    ("get", "decision"): ALL,
    ("post", "decision-revert"): ALL,
    ("get", "decisions-reversal"): ALL,
    ("post", "decisions-reversal"): ALL,
    ("post", "decisions-undo"): ALL,
    ("post", "decisions-redo"): ALL,
    ("get", "datasets"): ALL,
    ("post", "datasets"): MODELLERS,
    ("get", "dataset-version"): MODELLERS,
    ("get", "dataset-file"): MODELLERS,
    ("post", "mining-runs"): ENGINEERS,
    ("get", "mining-runs"): ENGINEERS,
    ("get", "mining-run"): ENGINEERS,
    ("get", "mining-strategies"): ENGINEERS,
    ("get", "review-batches"): ALL,
    ("get", "review-batch-items"): ALL,
    ("get", "review-item-faces"): ALL,
    ("post", "review-lease"): ALL,
    ("post", "review-release"): ALL,
    ("post", "review-answer"): ALL,
    ("post", "review-answers"): ALL,
    ("post", "review-withdrawals"): ALL,
    ("post", "review-skip"): ALL,
    ("post", "review-withdraw"): ALL,
    ("get", "annotators"): ALL,
    ("get", "my-answers"): ALL,
    ("get", "models"): ALL,
    ("get", "model"): ALL,
    ("post", "model-promote"): MODELLERS,
    ("get", "rounds"): ALL,
    ("post", "rounds"): ENGINEERS,
    ("get", "round"): ALL,
    ("post", "round-abandon"): ENGINEERS,
}
# What everybody signed in may do with what is theirs, whatever their token is limited to.
OWN = {"schema", "me", "my-keys", "tokens", "token"}
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
    assert found == set(TABLE)


@pytest.mark.parametrize(("method", "name"), sorted(TABLE))
def test_who_gets_past_the_door(client_of: Callable[..., APIClient], method: str, name: str) -> None:
    for role in Role.values:
        answer = getattr(client_of(role), method)(address(name))
        allowed = answer.status_code not in {401, 403}
        assert allowed == (role in TABLE[method, name]), (role, answer.status_code, answer.content[:300])
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
    for name in {name for _, name in TABLE}:
        unknown = next(method for method in METHODS if (method, name) not in TABLE)
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
