"""Keys that people choose: nothing impossible, no two actions on one key where they meet."""

from __future__ import annotations

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from accounts.services import create_user
from accounts.shortcuts import EVERYWHERE, SHORTCUTS, check_keys, keys_of, shown
from foundation.errors import Conflict, InvalidInput

PUT = {"content_type": "application/json"}


def test_the_defaults_do_not_clash() -> None:
    assert check_keys({}) == {}
    assert check_keys(keys_of({})) == {}


@pytest.mark.parametrize("key", ["Tab", "Escape", "ArrowLeft", "?", "7", "ctrl+w", "F5", "R", "", "ab", " ", "alt+x"])
def test_keys_that_browsers_or_the_pages_need_are_refused(key: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_keys({"reject": key})
    assert refused.value.code == "bad_key"


def test_two_actions_that_meet_can_not_share_a_key_and_others_can() -> None:
    with pytest.raises(Conflict) as refused:
        check_keys({"reject": "m"})
    assert refused.value.code == "key_clash"
    assert check_keys({"different": "j"}) == {"different": "j"}  # `next` is never on the same page
    assert check_keys({"reject": "m", "merge": "r"}) == {"reject": "m", "merge": "r"}


@given(st.dictionaries(st.sampled_from(sorted(SHORTCUTS)), st.sampled_from([*"abcdefghij", "Enter", "Space"])))
def test_whatever_is_accepted_has_no_clash(chosen: dict[str, str]) -> None:
    try:
        kept = check_keys(chosen)
    except Conflict:
        return
    keys = keys_of(kept)
    for place in ("grid", "question"):
        there = [keys[action] for action, one in SHORTCUTS.items() if one.place in (place, EVERYWHERE)]
        assert len(there) == len(set(there))


def test_keys_are_written_as_on_a_keyboard() -> None:
    assert [shown(key) for key in ("ctrl+shift+z", "r", "/", "Enter", "+")] == ["Ctrl Shift Z", "R", "/", "Enter", "+"]


@pytest.mark.django_db
def test_choosing_over_rest_keeps_only_what_differs_and_a_clash_changes_nothing(client: Client) -> None:
    user = create_user(username="ann", role="annotator")
    client.force_login(user)
    answer = client.put("/api/v1/me/keys", {"keys": {"reject": "x", "merge": "m"}}, **PUT)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.content
    assert answer.json()["keys"]["reject"] == "x"
    assert User.objects.get(pk=user.pk).keys == {"reject": "x"}
    clash = client.put("/api/v1/me/keys", {"keys": {"merge": "Enter"}}, **PUT)  # type: ignore[arg-type]
    assert clash.status_code == 409
    assert clash.json()["code"] == "key_clash"
    assert client.get("/api/v1/me/keys").json()["keys"]["reject"] == "x"
