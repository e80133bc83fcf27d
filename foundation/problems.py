"""The body of an error answer (RFC 9457) as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar

from django.http import JsonResponse

_STATUS = {
    400: ("malformed_request", "The request is malformed."),
    401: ("not_authenticated", "Sign in, or send an access token."),
    403: ("forbidden", "You may not do this."),
    404: ("not_found", "There is nothing here, or nothing that you may see."),
    405: ("method_not_allowed", "This address does not support this method."),
    413: ("body_too_large", "The request is larger than this server accepts."),
    500: ("server_error", "Something went wrong on the server. It was logged."),
}


@dataclass(frozen=True)
class Problem:
    """One error answer. `errors` maps a field (dotted path; empty for the whole) to sentences; `facts` are further
    members of the body."""

    MEDIA_TYPE: ClassVar[str] = "application/problem+json"

    status: int
    code: str
    detail: str
    errors: Mapping[str, list[str]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": f"urn:loupe:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.errors:
            body["errors"] = dict(self.errors)
        return {**self.facts, **body}

    def response(self) -> JsonResponse:
        return JsonResponse(self.body(), status=self.status, content_type=self.MEDIA_TYPE)


def of_status(status: int) -> Problem:
    """The plain problem of an HTTP status."""
    code, detail = _STATUS[status]
    return Problem(status, code, detail)


def of_field_errors(detail: Any) -> Problem:
    """`invalid_input` from the nested lists and mappings in which DRF and Django collect errors of input."""
    errors: dict[str, list[str]] = {}
    _collect(detail, "", errors)
    whole = errors.pop("", [])
    sentence = " ".join(whole) or f"Check {', '.join(sorted(errors)[:10])}."
    return Problem(400, "invalid_input", sentence, errors)


def _collect(detail: Any, path: str, errors: dict[str, list[str]]) -> None:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            # Errors about the whole belong to the path that holds them.
            last = "" if name in {"non_field_errors", "__all__", "detail"} else str(name)
            _collect(inner, ".".join(part for part in (path, last) if part), errors)
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list | tuple)
            _collect(inner, f"{path}.{index}".lstrip(".") if nested else path, errors)
    else:
        errors.setdefault(path, []).append(str(detail))
