"""Tokens, sessions and users through the pages."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from accounts.models import AccessToken, User
from accounts.services import find_live_token
from tests.factories import PASSWORD


def test_a_token_is_shown_once_and_can_be_revoked(as_role: Callable[[str], Client], users: dict[str, User]) -> None:
    client = as_role("annotator")
    made = client.post(reverse("ui:create_token"), {"name": "laptop", "days": "30", "scopes": ["review", "users"]})
    secret = re.search(r'<code id="secret">([^<]+)</code>', made.content.decode())
    assert secret is not None
    token = find_live_token(secret[1])
    assert token is not None
    assert token.scopes == ["review"]  # what the role does not hold is left out
    assert secret[1] not in client.get(reverse("ui:account")).content.decode()
    client.post(reverse("ui:revoke_token", args=[token.pk]))
    assert find_live_token(secret[1]) is None


def test_nobody_revokes_the_token_of_another(as_role: Callable[[str], Client], users: dict[str, User]) -> None:
    as_role("manager").post(reverse("ui:create_token"), {"name": "server", "days": "0", "scopes": ["view"]})
    token = AccessToken.objects.get()
    assert token.expires_at is None
    assert as_role("annotator").post(reverse("ui:revoke_token", args=[token.pk])).status_code == 404
    token.refresh_from_db()
    assert token.is_live


def test_a_token_without_a_name_is_refused_in_words(as_role: Callable[[str], Client]) -> None:
    answer = as_role("annotator").post(reverse("ui:create_token"), {"name": " ", "scopes": ["view"]})
    assert answer.status_code == 400
    assert b"A token needs a name" in answer.content


def test_ending_other_sessions_keeps_this_one_and_those_of_others(users: dict[str, User]) -> None:
    here, there, other = Client(), Client(), Client()
    for client, name in ((here, "annotator"), (there, "annotator"), (other, "manager")):
        client.post("/login/", {"username": name, "password": PASSWORD})
    here.post(reverse("ui:end_sessions"))
    assert [client.get("/account/").status_code for client in (here, there, other)] == [200, 302, 200]


def test_a_manager_adds_people_who_sign_in_by_code(as_role: Callable[[str], Client]) -> None:
    client = as_role("manager")
    made = client.post(reverse("ui:add_user"), {"username": "new", "role": "annotator"})
    code = re.search(r'<code id="login-code">([^<]+)</code>', made.content.decode())
    assert code is not None
    browser = Client()
    assert browser.post("/login/", {"code": code[1]}).status_code == 302
    assert browser.get("/review/").status_code == 200
    twice = client.post(reverse("ui:add_user"), {"username": "new", "role": "annotator"})
    assert twice.status_code == 409


def test_the_last_manager_keeps_the_role(as_role: Callable[[str], Client], users: dict[str, User]) -> None:
    client = as_role("manager")
    manager, annotator = users["manager"], users["annotator"]
    answer = client.post(reverse("ui:set_role", args=[manager.pk]), {"role": "annotator"}, follow=True)
    assert b"The last manager" in answer.content
    client.post(reverse("ui:set_role", args=[annotator.pk]), {"role": "data_engineer"})
    annotator.refresh_from_db()
    assert annotator.role == "data_engineer"


def test_others_cannot_touch_users(as_role: Callable[[str], Client], users: dict[str, User]) -> None:
    client = as_role("algorithm_engineer")
    assert client.post(reverse("ui:add_user"), {"username": "x", "role": "manager"}).status_code == 403
    assert client.post(reverse("ui:set_role", args=[users["annotator"].pk]), {"role": "manager"}).status_code == 403
    assert client.post(reverse("ui:make_code", args=[users["manager"].pk])).status_code == 403
