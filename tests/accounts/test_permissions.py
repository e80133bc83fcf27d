"""Who may do what, as the product says it; written out here a second time on purpose."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Requires, SignedIn, can, capabilities, requires
from accounts.roles import CAPABILITIES, Capability, Role
from accounts.services import create_token, revoke_token

A, D, E, M = "annotator", "data_engineer", "algorithm_engineer", "manager"
TABLE = {
    "view": {D, E, M},
    "review": {A, D, E, M},
    "curate": {D, E, M},
    "ingest": {D, E, M},
    "jobs": {D, E, M},
    "mining": {D, E, M},
    "adjudicate": {D, E, M},
    "synthesis": {D, E, M},
    "rounds": {D, E, M},
    "datasets": {E, M},
    "models": {E, M},
    "users": {M},
    "revert_others": {M},
    "locked_test": {M},
}


def test_the_table_covers_everything() -> None:
    assert set(TABLE) == set(Capability.values)
    assert set(CAPABILITIES) == set(Role.values)


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("capability", Capability.values)
def test_role_by_capability(role: str, capability: str) -> None:
    assert can(User(username="x", role=role), capability) == (role in TABLE[capability])


@pytest.mark.parametrize(
    "user",
    [
        None,
        AnonymousUser(),
        User(username="x", role=""),
        User(username="x", role="root"),
        User(role=M, is_active=False),
    ],
)
def test_everybody_else_may_do_nothing(user: Any) -> None:
    assert capabilities(user) == frozenset()
    assert not any(can(user, capability) for capability in Capability.values)


def test_an_unknown_capability_is_never_granted() -> None:
    assert not can(User(role=M), "fly")
    for factory in (requires, Requires):
        with pytest.raises(ValueError, match="fly"):
            factory("fly")


def test_djangos_own_flags_widen_nothing() -> None:
    assert not can(User(role=A, is_superuser=True, is_staff=True), "users")


def test_a_token_only_narrows(make_user: Callable[[str], User]) -> None:
    user = make_user(D)
    token, _ = create_token(user=user, name="t", scopes=["ingest", "jobs"])
    assert capabilities(user, token=token) == {"ingest", "jobs"}
    user.role = A
    assert capabilities(user, token=token) == frozenset()


def test_a_dead_or_foreign_token_grants_nothing(make_user: Callable[[str], User]) -> None:
    user, other = make_user(M), make_user(A)
    token, _ = create_token(user=user, name="t")
    assert capabilities(other, token=token) == frozenset()
    token.expires_at = timezone.now() - timedelta(seconds=1)
    assert capabilities(user, token=token) == frozenset()
    token.expires_at = None
    revoke_token(token=token)
    assert capabilities(user, token=token) == frozenset()


@pytest.mark.parametrize(("method", "role", "allowed"), [("GET", A, True), ("POST", A, False), ("POST", D, True)])
def test_reading_may_need_less_than_writing(method: str, role: str, allowed: bool) -> None:
    request: Any = SimpleNamespace(method=method, user=User(role=role), auth=None)
    view: Any = None
    assert Requires("jobs", read="review")().has_permission(request, view) is allowed
    assert SignedIn().has_permission(request, view) is True


def test_the_view_decorator(rf: RequestFactory) -> None:
    @requires("ingest")
    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse("in")

    request = rf.get("/photos/?a=b")
    request.user = AnonymousUser()
    answer = page(request)
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/photos/%3Fa%3Db")
    request.user = User(role=A)
    with pytest.raises(PermissionDenied):
        page(request)
    request.user = User(role=D)
    assert page(request).content == b"in"
