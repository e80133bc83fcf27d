"""Signing in by password or one-time code, and out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.services import FAILURES_ALLOWED, create_login_code
from tests.factories import PASSWORD


def test_a_password_signs_in_and_leads_on(users: dict[str, User]) -> None:
    client = Client()
    answer = client.post("/login/", {"username": "data_engineer", "password": PASSWORD, "next": "/people/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/people/")
    assert client.get("/").status_code == 200


def test_a_code_signs_in_once(users: dict[str, User]) -> None:
    code = create_login_code(user=users["annotator"])
    assert Client().post("/login/", {"code": code.lower()}).headers["Location"] == "/"
    again = Client().post("/login/", {"code": code})
    assert again.status_code == 403
    assert b"wrong, used or expired" in again.content


def test_a_code_in_the_address_does_nothing(users: dict[str, User]) -> None:
    client = Client()
    code = create_login_code(user=users["annotator"])
    assert client.get("/login/", {"code": code}).status_code == 200
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", ""])
def test_nobody_is_led_to_another_site(users: dict[str, User], target: str) -> None:
    answer = Client().post("/login/", {"username": "annotator", "password": PASSWORD, "next": target})
    assert answer.headers["Location"] == "/"


def test_guessing_is_stopped(users: dict[str, User]) -> None:
    client = Client()
    for _ in range(FAILURES_ALLOWED):
        assert client.post("/login/", {"username": "annotator", "password": "wrong"}).status_code == 403
    stopped = client.post("/login/", {"username": "annotator", "password": PASSWORD})
    assert stopped.status_code == 429
    assert b"Too many failed sign-ins" in stopped.content


def test_signing_out_needs_a_post_with_our_token(as_role: Callable[[str], Client], users: dict[str, User]) -> None:
    client = as_role("annotator")
    assert client.get(reverse("ui:sign_out")).status_code == 405
    assert client.post(reverse("ui:sign_out")).headers["Location"] == "/login/"
    assert client.get("/").status_code == 302
    strict = Client(enforce_csrf_checks=True)
    refused = strict.post("/login/", {"username": "annotator", "password": PASSWORD})
    assert refused.status_code == 403
    assert b"This form has expired" in refused.content
