"""One's own account: access tokens and sessions."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import services
from accounts.models import AccessToken
from accounts.permissions import capabilities, requires
from accounts.roles import Capability
from accounts.shortcuts import SHORTCUTS
from foundation.errors import LoupeError
from frontend.own_sessions import count_others, end_others
from frontend.pages import page, signed_in, whole_number

LIVES = [(30, "30 days"), (90, "90 days"), (365, "one year"), (0, "until revoked")]


@never_cache
@require_safe
@requires()
def show(request: HttpRequest) -> HttpResponse:
    """Who I am, my tokens, where I am signed in."""
    return _page(request)


@never_cache
@require_POST
@requires()
def create_token(request: HttpRequest) -> HttpResponse:
    """Make a token and show it in the answer, once: it is stored nowhere, not even in the session."""
    days = whole_number(request.POST.get("days"), 90) or 0
    scopes = [scope for scope in request.POST.getlist("scopes") if scope in capabilities(signed_in(request))]
    try:
        token, secret = services.create_token(
            user=signed_in(request),
            name=request.POST.get("name", ""),
            scopes=scopes,
            expires_at=timezone.now() + timedelta(days=min(days, 3650)) if days else None,
        )
    except LoupeError as error:
        return _page(request, problem=error.message, status=error.status)
    return _page(request, made=token, secret=secret)


@require_POST
@requires()
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponseBase:
    """End one of my tokens."""
    token = get_object_or_404(AccessToken, pk=token_id, user=signed_in(request))
    services.revoke_token(token=token)
    messages.success(request, f"The token {token.name} no longer works.")
    return redirect("ui:account")


@require_POST
@requires()
def end_other_sessions(request: HttpRequest) -> HttpResponseBase:
    """Sign out everywhere but here."""
    ended = end_others(request)
    messages.success(request, f"{ended} other session{'' if ended == 1 else 's'} ended.")
    return redirect("ui:account")


def _page(
    request: HttpRequest,
    *,
    made: AccessToken | None = None,
    secret: str = "",
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    user = signed_in(request)
    held = capabilities(user)
    context = {
        "tokens": AccessToken.objects.filter(user=user),
        "scopes": [(value, label) for value, label in Capability.choices if value in held],
        "lives": LIVES,
        "shortcuts": SHORTCUTS.values(),
        "other_sessions": count_others(request),
        "made": made,
        "secret": secret,
        "problem": problem,
    }
    return page(request, "account/show.html", "account", context, status=status)
