"""People, tokens and signing in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.utils import timezone

from accounts import services
from accounts.models import AccessToken, LoginCode, SignInAttempt, User
from accounts.services import (
    SignInRefused,
    TooManyAttempts,
    check_password,
    create_login_code,
    create_token,
    create_user,
    find_live_token,
    redeem_login_code,
    revoke_token,
    set_role,
)
from foundation.errors import Conflict, InvalidInput

MakeUser = Callable[[str], User]


def test_a_token_is_found_by_its_plaintext_only(make_user: MakeUser) -> None:
    user = make_user("data_engineer")
    token, secret = create_token(user=user, name="laptop")
    assert find_live_token(secret) == token
    assert secret.startswith(token.prefix)
    for field in AccessToken._meta.fields:
        assert secret not in str(getattr(token, field.attname))
    for wrong in ("", secret[:-1], secret + "x", token.hash, "\udcff"):
        assert find_live_token(wrong) is None


def test_tokens_end(make_user: MakeUser) -> None:
    user = make_user("annotator")
    token, secret = create_token(user=user, name="t", expires_at=timezone.now() + timedelta(hours=1))
    assert find_live_token(secret) is not None
    AccessToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    assert find_live_token(secret) is None
    other, other_secret = create_token(user=user, name="t")
    revoke_token(token=other)
    revoked_at = other.revoked_at
    revoke_token(token=other)
    assert other.revoked_at == revoked_at
    assert find_live_token(other_secret) is None
    _, third = create_token(user=user, name="t")
    User.objects.update(is_active=False)
    assert find_live_token(third) is None


def test_last_use_is_noted_once_a_minute(make_user: MakeUser, django_assert_num_queries: Any) -> None:
    _, secret = create_token(user=make_user("annotator"), name="t")
    with django_assert_num_queries(4):  # the update in a savepoint of this test's transaction
        find_live_token(secret)
    with django_assert_num_queries(1):
        find_live_token(secret)
    assert AccessToken.objects.get().last_used_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_long_request_keeps_no_other_of_its_token_waiting() -> None:
    _, secret = create_token(user=create_user(username="u", role="annotator"), name="t")
    found: list[AccessToken | None] = []

    def other_request() -> None:
        found.append(find_live_token(secret))
        connections.close_all()

    with transaction.atomic():
        find_live_token(secret)  # its note of the use is not committed yet
        thread = threading.Thread(target=other_request)
        thread.start()
        thread.join(timeout=10)
        assert found
    assert AccessToken.objects.get().last_used_at is not None


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"scopes": ["fly"]}, "unknown_scope"),
        ({"scopes": ["users"]}, "scope_beyond_role"),
        ({"name": " "}, "invalid_name"),
        ({"name": "x" * 101}, "invalid_name"),
        ({"expires_at": timezone.now()}, "expired"),
    ],
)
def test_bad_tokens_are_not_made(make_user: MakeUser, wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        create_token(**{"user": make_user("annotator"), "name": "t", **wrong})
    assert caught.value.code == code
    assert not AccessToken.objects.exists()


def test_a_login_code_works_once_however_it_is_typed(make_user: MakeUser) -> None:
    user = make_user("annotator")
    code = create_login_code(user=user)
    assert LoginCode.objects.filter(hash=code).count() == 0
    assert redeem_login_code(code=f" {code.lower().replace('-', ' ')} ", address="::1") == user
    with pytest.raises(SignInRefused):
        redeem_login_code(code=code, address="::1")


def test_every_refusal_reads_the_same(make_user: MakeUser) -> None:
    user = make_user("annotator")
    used, late, locked = (create_login_code(user=user) for _ in range(3))
    redeem_login_code(code=used, address="a")
    LoginCode.objects.filter(used_at=None).order_by("id")[:1].get()
    messages = set()
    for code in (used, "AAAA-BBBB", ""):
        with pytest.raises(SignInRefused) as caught:
            redeem_login_code(code=code, address="a")
        messages.add((caught.value.code, caught.value.message))
    LoginCode.objects.filter(hash=services._hash(late.replace("-", ""))).update(expires_at=timezone.now())
    User.objects.update(is_active=True)
    with pytest.raises(SignInRefused) as caught:
        redeem_login_code(code=late, address="a")
    messages.add((caught.value.code, caught.value.message))
    User.objects.update(is_active=False)
    with pytest.raises(SignInRefused) as caught:
        redeem_login_code(code=locked, address="a")
    messages.add((caught.value.code, caught.value.message))
    assert len(messages) == 1


def test_guessing_is_slowed_per_address(make_user: MakeUser) -> None:
    user = make_user("annotator")
    code = create_login_code(user=user)
    for _ in range(services.FAILURES_ALLOWED):
        with pytest.raises(SignInRefused):
            redeem_login_code(code="WRONG", address="1.2.3.4")
    with pytest.raises(TooManyAttempts):  # even with the right code
        redeem_login_code(code=code, address="1.2.3.4")
    with pytest.raises(TooManyAttempts):
        check_password(username="annotator", password="correct horse battery", address="1.2.3.4")
    assert redeem_login_code(code=code, address="5.6.7.8") == user
    SignInAttempt.objects.update(at=timezone.now() - services.FAILURE_WINDOW)
    again = create_login_code(user=user)
    assert redeem_login_code(code=again, address="1.2.3.4") == user


def test_passwords(make_user: MakeUser) -> None:
    user = make_user("manager")
    assert check_password(username="manager", password="correct horse battery", address="a") == user
    for name, password in (("manager", "wrong"), ("nobody", "correct horse battery")):
        with pytest.raises(SignInRefused):
            check_password(username=name, password=password, address="a")


@pytest.mark.django_db(transaction=True)
def test_of_two_requests_with_one_code_one_gets_in() -> None:
    code = create_login_code(user=create_user(username="u", role="annotator"))
    barrier = threading.Barrier(4)
    entered: list[bool] = []

    def enter() -> None:
        barrier.wait()
        try:
            redeem_login_code(code=code, address=threading.current_thread().name)
            entered.append(True)
        except SignInRefused:
            entered.append(False)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entered) == [False, False, False, True]


def test_users_are_checked(make_user: MakeUser) -> None:
    make_user("annotator")
    cases: list[tuple[dict[str, str], type[Exception], str]] = [
        ({"username": "annotator", "role": "annotator"}, Conflict, "user_exists"),
        ({"username": "new", "role": "root"}, InvalidInput, "unknown_role"),
        ({"username": "a b", "role": "annotator"}, InvalidInput, "invalid_user"),
        ({"username": "new", "role": "annotator", "password": "12345"}, InvalidInput, "invalid_user"),
    ]
    for arguments, error, code in cases:
        with pytest.raises(error) as caught:
            create_user(**arguments)
        assert caught.value.code == code  # type: ignore[attr-defined]
    assert User.objects.count() == 1


def test_without_a_password_none_works(db: Any) -> None:
    user = create_user(username="u", role="annotator")
    assert not user.has_usable_password()


def test_the_last_manager_stays(make_user: MakeUser) -> None:
    first = make_user("manager")
    with pytest.raises(Conflict) as caught:
        set_role(user=first, role="annotator")
    assert caught.value.code == "last_manager"
    set_role(user=make_user("annotator"), role="manager")
    set_role(user=first, role="annotator")
    assert User.objects.get(pk=first.pk).role == "annotator"


def test_commands(db: Any) -> None:
    out = StringIO()
    call_command("create_user", "anna", "--role", "manager", stdout=out)
    assert redeem_login_code(code=out.getvalue(), address="a").role == "manager"
    out = StringIO()
    call_command("login_code", "anna", stdout=out)
    assert redeem_login_code(code=out.getvalue(), address="a").username == "anna"
    out = StringIO()
    call_command("access_token", "anna", "--scope", "jobs", stdout=out)
    token = find_live_token(out.getvalue().strip())
    assert token is not None
    assert token.scopes == ["jobs"]
    for words in (["login_code", "bob"], ["create_user", "anna"], ["access_token", "bob"]):
        with pytest.raises(CommandError):
            call_command(*words)
