"""People who use Loupe, for managers."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import services
from accounts.models import User
from accounts.permissions import requires
from accounts.roles import CAPABILITIES, Capability, Role
from foundation.errors import LoupeError
from frontend.pages import page, told


@require_safe
@requires(Capability.USERS)
def index(request: HttpRequest) -> HttpResponse:
    """Everybody, with their roles, and a form to add somebody."""
    return _page(request)


@never_cache
@require_POST
@requires(Capability.USERS)
def add(request: HttpRequest) -> HttpResponse:
    """Add somebody, and show their first one-time code in the answer, once."""
    try:
        user = services.create_user(
            username=request.POST.get("username", "").strip(), role=request.POST.get("role", "")
        )
    except LoupeError as error:
        return _page(request, problem=error.message, typed=request.POST.get("username", ""), status=error.status)
    return _page(request, code_for=user, code=services.create_login_code(user=user))


@require_POST
@requires(Capability.USERS)
def set_role(request: HttpRequest, user_id: int) -> HttpResponseBase:
    """Change what somebody may do."""
    user = get_object_or_404(User, pk=user_id)
    with told(request):
        services.set_role(user=user, role=request.POST.get("role", ""))
        messages.success(request, f"{user.username} is now {user.get_role_display().lower()}.")
    return redirect("ui:users")


@never_cache
@require_POST
@requires(Capability.USERS)
def make_code(request: HttpRequest, user_id: int) -> HttpResponse:
    """A one-time sign-in code for somebody, shown once."""
    user = get_object_or_404(User, pk=user_id, is_active=True)
    return _page(request, code_for=user, code=services.create_login_code(user=user))


def _page(
    request: HttpRequest,
    *,
    code_for: User | None = None,
    code: str = "",
    problem: str = "",
    typed: str = "",
    status: int = 200,
) -> HttpResponse:
    labels = dict(Capability.choices)
    context = {
        "users": User.objects.order_by("username"),
        "roles": [
            (
                value,
                label,
                [labels[capability] for capability in Capability.values if capability in CAPABILITIES[value]],
            )
            for value, label in Role.choices
        ],
        "code_for": code_for,
        "code": code,
        "problem": problem,
        "typed": typed,
    }
    return page(request, "users/index.html", "users", context, status=status)
