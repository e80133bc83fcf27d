"""What every REST view shares: problem+json errors (RFC 9457), cursor pagination, limits on request bodies."""

from __future__ import annotations

import logging
from typing import Any

from django.core import exceptions as django_errors
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import DataError, InterfaceError, OperationalError, transaction
from django.http import Http404, HttpRequest, JsonResponse
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf_errors
from rest_framework.pagination import CursorPagination as DrfCursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, set_rollback

from foundation.errors import InvalidInput, LoupeError
from foundation.problems import Problem, of_field_errors, of_status

log = logging.getLogger(__name__)

_TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
# DRF's own codes that say too little, or differ from the rest of Loupe.
_CODES = {
    "authentication_failed": "invalid_token",
    "error": "server_error",
    "invalid": "invalid_input",
    "parse_error": "malformed_body",
    "permission_denied": "forbidden",
    "throttled": "too_many_requests",
}


def problem_handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER: every error leaves as `application/problem+json`, never with a stack trace.

    Body: `type`, `title`, `status`, `detail`, `code` (snake_case, stable), and `errors` (field -> sentences) for input.
    """
    set_rollback()
    problem = to_problem(error)
    if problem.status >= 500:
        log.error("%s in %s", problem.code, type(context.get("view")).__name__, exc_info=error)
    headers = {}
    if isinstance(error, drf_errors.APIException):
        if getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = str(error.auth_header)  # type: ignore[attr-defined]
        if getattr(error, "wait", None):
            headers["Retry-After"] = str(int(error.wait))  # type: ignore[attr-defined]
    return Response(problem.body(), status=problem.status, headers=headers, content_type=Problem.MEDIA_TYPE)


def to_problem(error: Exception) -> Problem:
    """Translate any exception. What is not expected becomes `server_error` without a word of its text."""
    if isinstance(error, LoupeError):
        return Problem(error.status, error.code, error.message, facts=error.facts)
    if isinstance(error, drf_errors.ValidationError):
        return of_field_errors(error.detail)
    if isinstance(error, drf_errors.APIException):
        code = str(getattr(error.detail, "code", "") or error.default_code)
        return Problem(error.status_code, _CODES.get(code, code), str(error.detail))
    if isinstance(error, Http404 | django_errors.ObjectDoesNotExist):
        return of_status(404)
    if isinstance(error, django_errors.PermissionDenied):
        return Problem(403, "forbidden", str(error) or of_status(403).detail)
    if isinstance(error, django_errors.ValidationError):
        return of_field_errors(error.message_dict if hasattr(error, "error_dict") else error.messages)
    if isinstance(error, _TOO_LARGE):
        return of_status(413)
    if isinstance(error, django_errors.SuspiciousOperation | MultiPartParserError):
        return of_status(400)
    if isinstance(error, OperationalError | InterfaceError):
        return Problem(503, "database_unavailable", "The database does not answer at the moment.")
    if isinstance(error, DataError | UnicodeEncodeError):
        return Problem(400, "invalid_input", "A value is too large, or holds characters that can't be stored.")
    return of_status(500)


class CursorPagination(DrfCursorPagination):
    """Stable pages by falling id unless the view has an `ordering` of its own: `?cursor=...&page_size=1..500`."""

    ordering = "-id"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 500

    def decode_cursor(self, request: Request) -> Any:
        try:
            return super().decode_cursor(request)
        except drf_errors.NotFound as error:
            raise InvalidInput("This is no cursor of ours.", code="invalid_cursor") from error

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        try:
            with transaction.atomic():  # a refused value must not break a transaction around us
                return super().paginate_queryset(queryset, request, view)
        except (ValueError, OverflowError, DataError, django_errors.ValidationError) as error:
            if self.cursor_query_param not in request.query_params:
                raise
            # The cursor is well-formed but its position is no value of the ordering's field.
            raise InvalidInput("This is no cursor of ours.", code="invalid_cursor") from error


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """Plain Django view for unknown addresses under `/api/`."""
    return of_status(404).response()
