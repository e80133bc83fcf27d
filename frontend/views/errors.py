"""Pages for what went wrong. Addresses under `/api/` answer problem+json instead."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string

from foundation.problems import Problem, of_status


def _answer(request: HttpRequest, status: int, heading: str, text: str) -> HttpResponseBase:
    if request.path.startswith("/api/"):
        return of_status(status).response()
    return render(request, "frontend/error.html", {"status": status, "heading": heading, "text": text}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    """400."""
    return _answer(request, 400, "This request is malformed", "Go back, reload the page and try again.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    """403, with the reason where a permission check gave one."""
    reason = str(exception) if exception and str(exception) else "Your role does not include this."
    if request.path.startswith("/api/"):
        return Problem(403, "forbidden", reason).response()
    text = f"{reason.rstrip('.')}. A manager can change your role."
    return _answer(request, 403, "You may not open this", text)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    """404."""
    return _answer(
        request, 404, "There is nothing here", "The address is wrong, or what it named is not there for you."
    )


def server_error(request: HttpRequest) -> HttpResponseBase:
    """500. Rendered without the request: whatever failed may fail again."""
    if request.path.startswith("/api/"):
        return of_status(500).response()
    text = "Something went wrong on the server. It was logged. Nothing that you decided before is lost."
    context = {"status": 500, "heading": "That did not work", "text": text}
    return HttpResponse(render_to_string("frontend/error.html", context), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """403 because the form was not ours or is too old."""
    if request.path.startswith("/api/"):
        return Problem(403, "csrf_failed", "The CSRF token is missing or wrong. Reload the page.").response()
    return _answer(request, 403, "This form has expired", "Go back, reload the page and send it again.")
