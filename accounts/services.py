"""The verbs of accounts: people, access tokens, signing in. Secrets are returned once and kept only as hashes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import AccessToken, LoginCode, SignInAttempt, User
from accounts.roles import CAPABILITIES, Capability, Role
from accounts.shortcuts import check_keys
from foundation.errors import Conflict, InvalidInput, LoupeError

TOKEN_MARK = "loupe_"  # noqa: S105 lets secret scanners find leaked tokens; not a secret itself
CODE_ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # nothing that is misread when typed
CODE_LENGTH = 16  # 16 * log2(30) = 78 bits
FAILURES_ALLOWED = 10
FAILURE_WINDOW = timedelta(minutes=10)
LAST_USED_STEP = timedelta(minutes=1)  # one write per minute and token, not one per request


class SignInRefused(LoupeError):
    """Wrong, used or expired: one answer for all, so that it tells nothing."""

    code = "sign_in_refused"
    status = 403


class TooManyAttempts(LoupeError):
    """Too many failed sign-ins from one address."""

    code = "too_many_attempts"
    status = 429
    permanent = False


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def create_user(*, username: str, role: str, password: str | None = None, email: str = "") -> User:
    """Add a person. Without a password they sign in by one-time codes."""
    if role not in Role.values:
        raise InvalidInput(f"There is no role {role!r}; roles are {', '.join(Role.values)}.", code="unknown_role")
    user = User(username=username, email=email, role=role)
    try:
        if password is not None:
            validate_password(password, user)
        user.set_password(password)
        user.full_clean()
    except ValidationError as error:
        if User.objects.filter(username=username).exists():
            raise Conflict(f"There already is a user {username!r}.", code="user_exists") from error
        raise InvalidInput(" ".join(error.messages), code="invalid_user") from error
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise Conflict(f"There already is a user {username!r}.", code="user_exists") from error
    return user


def set_role(*, user: User, role: str) -> None:
    """Change what a person may do. The last active manager stays one, or nobody could manage people any more."""
    if role not in Role.values:
        raise InvalidInput(f"There is no role {role!r}; roles are {', '.join(Role.values)}.", code="unknown_role")
    with transaction.atomic():
        managers = User.objects.select_for_update().filter(role=Role.MANAGER, is_active=True)
        if role != Role.MANAGER and {manager.pk for manager in managers} == {user.pk}:
            raise Conflict("The last manager can't give up the role.", code="last_manager")
        user.role = role
        user.save(update_fields=["role"])


def choose_keys(*, user: User, keys: Mapping[str, str]) -> User:
    """Set the person's own keys; actions left out have their default again. Raises as `check_keys`."""
    user.keys = check_keys(keys)
    user.save(update_fields=["keys"])
    return user


def create_token(
    *, user: User, name: str, scopes: Iterable[str] | None = None, expires_at: datetime | None = None
) -> tuple[AccessToken, str]:
    """Make an access token; returns it and its plaintext, which can't be had again.

    `scopes` are capabilities; None means all that the user's role has now. A role that shrinks later shrinks the
    token with it.
    """
    granted = CAPABILITIES.get(user.role, frozenset())
    wanted = granted if scopes is None else frozenset(scopes)
    if unknown := sorted(wanted - frozenset(Capability.values)):
        raise InvalidInput(f"Unknown scopes: {', '.join(unknown)}.", code="unknown_scope")
    if beyond := sorted(wanted - granted):
        raise InvalidInput(f"Your role does not include: {', '.join(beyond)}.", code="scope_beyond_role")
    if not name.strip() or len(name) > 100:
        raise InvalidInput("A token needs a name of 1 to 100 characters.", code="invalid_name")
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidInput("The expiry lies in the past.", code="expired")
    secret = TOKEN_MARK + secrets.token_urlsafe(32)
    token = AccessToken.objects.create(
        user=user,
        name=name.strip(),
        prefix=secret[: len(TOKEN_MARK) + 6],
        hash=_hash(secret),
        scopes=sorted(wanted),
        expires_at=expires_at,
    )
    return token, secret


def revoke_token(*, token: AccessToken) -> None:
    """End a token at once. Doing it again changes nothing."""
    AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    token.refresh_from_db()


def find_live_token(secret: str) -> AccessToken | None:
    """The live token of an active user with this plaintext, or None.

    It is found by its hash, so how long a miss takes says nothing about any stored token.
    """
    token = AccessToken.objects.select_related("user").filter(hash=_hash(secret)).first()
    if token is None or not token.is_live or not token.user.is_active:
        return None
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > LAST_USED_STEP:
        _note_use(token, now)
    return token


def _note_use(token: AccessToken, now: datetime) -> None:
    with transaction.atomic():
        # Whoever is first notes it; the others never wait for its transaction.
        free = AccessToken.objects.select_for_update(skip_locked=True).filter(pk=token.pk)
        AccessToken.objects.filter(pk__in=free.values("pk")).update(last_used_at=now)


def create_login_code(*, user: User, valid_for: timedelta = timedelta(hours=1)) -> str:
    """Make a one-time sign-in code like `ABCD-EFGH-JKMN-PQRS`; returned once, kept as a hash."""
    LoginCode.objects.filter(expires_at__lt=timezone.now()).delete()
    letters = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
    LoginCode.objects.create(user=user, hash=_hash(letters), expires_at=timezone.now() + valid_for)
    return "-".join(letters[i : i + 4] for i in range(0, CODE_LENGTH, 4))


def redeem_login_code(*, code: str, address: str) -> User:
    """The user of an unused, unexpired code, which is then used up. `address` is where the request comes from.

    Raises:
        SignInRefused: wrong, used, expired, or the user is no longer active; always the same answer.
        TooManyAttempts: this address has failed too often of late.
    """
    _check_rate(address)
    now = timezone.now()
    letters = "".join(character for character in code.upper() if character.isalnum())
    live = LoginCode.objects.filter(hash=_hash(letters), used_at=None, expires_at__gt=now, user__is_active=True)
    found = live.select_related("user").first()
    # The update decides: of two requests with one code, one changes the row.
    if found is None or not LoginCode.objects.filter(pk=found.pk, used_at=None).update(used_at=now):
        _note_failure(address)
        raise SignInRefused("This sign-in code is wrong, used or expired.")
    return found.user


def check_password(*, username: str, password: str, address: str, request: HttpRequest | None = None) -> User:
    """The active user with this name and password, under the same limits and with the same errors as a code."""
    _check_rate(address)
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        _note_failure(address)
        raise SignInRefused("This name and password do not fit together.")
    return user


def _check_rate(address: str) -> None:
    since = timezone.now() - FAILURE_WINDOW
    if SignInAttempt.objects.filter(address=address[:64], at__gt=since).count() >= FAILURES_ALLOWED:
        minutes = int(FAILURE_WINDOW.total_seconds() // 60)
        raise TooManyAttempts(f"Too many failed sign-ins from your address. Wait {minutes} minutes.")


def _note_failure(address: str) -> None:
    SignInAttempt.objects.filter(at__lt=timezone.now() - FAILURE_WINDOW).delete()
    SignInAttempt.objects.create(address=address[:64])
