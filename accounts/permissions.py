"""Permission checks for views and REST. Deny by default: what `accounts.roles` does not grant is refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import AccessToken, User
from accounts.roles import CAPABILITIES, Capability


def capabilities(user: User | AnonymousUser | None, *, token: AccessToken | None = None) -> frozenset[str]:
    """What `user` may do; with a token, only what its scopes also name."""
    if not isinstance(user, User) or not user.is_active:
        return frozenset()
    granted = CAPABILITIES.get(user.role, frozenset())
    if token is None:
        return granted
    if token.user_id != user.pk or not token.is_live:
        return frozenset()
    return granted & frozenset(token.scopes)


def can(user: User | AnonymousUser | None, capability: str, *, token: AccessToken | None = None) -> bool:
    """Whether `user` (through `token`, if given) has `capability`. Unknown users, roles and capabilities have none."""
    return str(capability) in capabilities(user, token=token)


def token_of(request: Request) -> AccessToken | None:
    """The token that a REST request came with, which may be allowed less than its user; None for a session."""
    return request.auth if isinstance(request.auth, AccessToken) else None


def request_can(request: Request, capability: str) -> bool:
    """`can` for a REST request, whichever way it was authenticated."""
    return can(request.user, capability, token=token_of(request))


def Requires(capability: str, *, read: str | None = None) -> type[BasePermission]:  # noqa: N802 makes a class
    """A DRF permission class: `capability` for every call, or `read` for GET, HEAD and OPTIONS where it is given."""
    write_capability = Capability(capability)
    read_capability = Capability(read) if read is not None else write_capability

    class RequiresCapability(BasePermission):
        def has_permission(self, request: Request, view: APIView) -> bool:
            needed = read_capability if request.method in SAFE_METHODS else write_capability
            return request_can(request, needed)

    RequiresCapability.__name__ = RequiresCapability.__qualname__ = f"Requires_{capability}"
    return RequiresCapability


class SignedIn(BasePermission):
    """Any active person with a known role, by session or any live token."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(capabilities(request.user))


View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def requires(capability: str | None = None) -> Callable[[View], View]:
    """Decorate a Django view: the signed-out go to the sign-in page, others without `capability` get a 403.

    None: whoever has any role.
    """
    needed = None if capability is None else Capability(capability)

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not capabilities(request.user):
                raise PermissionDenied("You have no role.")
            if needed is not None and not can(request.user, needed):
                raise PermissionDenied(f"Your role does not include: {needed.label.lower()}")
            return view(request, *args, **kwargs)

        return cast(View, checked)

    return decorate
