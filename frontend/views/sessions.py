"""Signing in and out."""

from __future__ import annotations

from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.services import check_password, redeem_login_code
from foundation.errors import LoupeError

BACKEND = "django.contrib.auth.backends.ModelBackend"


@sensitive_post_parameters("password", "code")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """A form for the password, and one for a one-time code; a code is never taken from an address."""
    target = _target(request)
    if request.user.is_authenticated and request.method != "POST":
        return redirect(target)
    context = {"next": target, "username": request.POST.get("username", ""), "use_code": "code" in request.POST}
    if request.method != "POST":
        return render(request, "frontend/sign_in.html", context)
    try:
        user = _check(request)
    except LoupeError as error:
        return render(request, "frontend/sign_in.html", {**context, "problem": error.message}, status=error.status)
    login(request, user, backend=BACKEND)
    return redirect(target)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("ui:sign_in")


def _check(request: HttpRequest) -> User:
    address = request.META.get("REMOTE_ADDR", "")
    if "code" in request.POST:
        return redeem_login_code(code=request.POST["code"], address=address)
    return check_password(
        username=request.POST.get("username", ""),
        password=request.POST.get("password", ""),
        address=address,
        request=request,
    )


def _target(request: HttpRequest) -> str:
    """Where to go afterwards: an address of this site only."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else "/"
