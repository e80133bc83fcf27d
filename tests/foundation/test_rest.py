"""Every error leaves as problem+json; pages are stable; bodies have limits."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core import exceptions as django_errors
from django.db import DataError, OperationalError
from django.http import Http404
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import exceptions as drf_errors
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from accounts.models import User
from foundation.errors import Conflict, InvalidInput, LoupeError, StorageFull
from foundation.parsers import LimitedJSONParser, LimitedMultiPartParser
from foundation.problems import of_field_errors
from foundation.rest import CursorPagination, problem_handler

factory = APIRequestFactory()


class Raises(APIView):
    permission_classes = ()
    error: Exception = RuntimeError()

    def get(self, request: Request) -> Response:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidInput("No."), 400, "invalid_input"),
        (Conflict("No.", code="already_merged"), 409, "already_merged"),
        (StorageFull("No."), 507, "storage_full"),
        (LoupeError("No."), 400, "error"),
        (drf_errors.NotFound(), 404, "not_found"),
        (drf_errors.PermissionDenied(), 403, "forbidden"),
        (drf_errors.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (drf_errors.ParseError(), 400, "malformed_body"),
        (drf_errors.UnsupportedMediaType("x/y"), 415, "unsupported_media_type"),
        (drf_errors.Throttled(wait=3), 429, "too_many_requests"),
        (drf_errors.ValidationError({"name": ["Needed."]}), 400, "invalid_input"),
        (Http404("secret"), 404, "not_found"),
        (User.DoesNotExist("secret"), 404, "not_found"),
        (django_errors.PermissionDenied(), 403, "forbidden"),
        (django_errors.ValidationError({"name": ["Needed."]}), 400, "invalid_input"),
        (django_errors.RequestDataTooBig("secret"), 413, "body_too_large"),
        (django_errors.SuspiciousOperation("secret"), 400, "malformed_request"),
        (DataError("secret"), 400, "invalid_input"),
        (OperationalError("secret"), 503, "database_unavailable"),
        (RuntimeError("secret"), 500, "server_error"),
        (KeyError("secret"), 500, "server_error"),
    ],
)
def test_every_error_is_a_problem(error: Exception, status: int, code: str) -> None:
    response: Any = Raises.as_view(error=error)(factory.get("/"))
    response.render()
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert set(response.data) >= {"type", "title", "status", "detail", "code"}
    assert (response.data["status"], response.data["code"]) == (status, code)
    assert response.data["type"] == f"urn:loupe:problem:{code}"
    assert b"secret" not in response.content
    assert b"Traceback" not in response.content


def test_how_long_to_wait_is_told() -> None:
    response = problem_handler(drf_errors.Throttled(wait=3), {})
    assert response["Retry-After"] == "3"


def test_field_errors_are_flat_sentences() -> None:
    nested = {"faces": [{}, {"id": ["Wrong."]}], "name": ["Needed.", "Short."], "non_field_errors": ["Both differ."]}
    problem = of_field_errors(nested)
    assert problem.errors == {"faces.1.id": ["Wrong."], "name": ["Needed.", "Short."]}
    assert problem.detail == "Both differ."
    assert of_field_errors(["One.", "Two."]).detail == "One. Two."


class UserSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id",)


class Users(ListAPIView[User]):
    permission_classes = ()
    queryset = User.objects.all()
    serializer_class = UserSerializer
    pagination_class = CursorPagination


def ids(response: Any) -> list[int]:
    return [row["id"] for row in response.data["results"]]


def test_pages_stay_put_while_rows_come(db: Any) -> None:
    made = [User.objects.create(username=str(i)).pk for i in range(7)]
    view = Users.as_view()
    first: Any = view(factory.get("/", {"page_size": 3}))
    User.objects.create(username="late")
    second: Any = view(factory.get(first.data["next"]))
    third: Any = view(factory.get(second.data["next"]))
    assert ids(first) + ids(second) + ids(third) == made[::-1]
    assert third.data["next"] is None


@pytest.mark.parametrize("size", ["0", "-1", "x", "1e9", "", "100000"])
def test_page_sizes_are_bounded(db: Any, size: str) -> None:
    User.objects.bulk_create(User(username=str(i)) for i in range(520))
    response: Any = Users.as_view()(factory.get("/", {"page_size": size}))
    assert len(ids(response)) == (500 if size == "100000" else 100)


@pytest.mark.parametrize("cursor", ["x", "cD1hYmM=", "cD0lMDA=", "bz0xJnA9OTk5OTk5OTk5OTk5OTk5OTk5OTk5OQ=="])
def test_a_broken_cursor_is_the_callers_mistake(db: Any, cursor: str) -> None:
    User.objects.create(username="u")
    response: Any = Users.as_view()(factory.get("/", {"cursor": cursor}))
    assert response.status_code in {200, 400}
    if response.status_code == 400:
        assert response.data["code"] == "invalid_cursor"


class Echo(APIView):
    permission_classes = ()
    parser_classes = (LimitedJSONParser, LimitedMultiPartParser)

    def post(self, request: Request) -> Response:
        return Response({"got": str(request.data)[:20]})


def post(body: bytes, content_type: str = "application/json") -> Any:
    return Echo.as_view()(factory.generic("POST", "/", body, content_type=content_type))


def test_bodies_have_limits(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    settings.LOUPE_MAX_UPLOAD_BYTES = 2000
    assert post(b'"' + b"x" * 900 + b'"').status_code == 200
    response = post(b'"' + b"x" * 1000 + b'"')
    assert (response.status_code, response.data["code"]) == (413, "body_too_large")
    response = post(b"x" * 2001, "multipart/form-data; boundary=b")
    assert (response.status_code, response.data["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 200_000, b"NaN", b"1" * 5000])
def test_broken_json_is_refused(body: bytes) -> None:
    response = post(body)
    assert (response.status_code, response.data["code"]) == (400, "malformed_body")


def test_broken_forms_are_refused() -> None:
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=" + "b" * 300):
        response = post(b"--b\r\nx", content_type).render()
        assert response.status_code in {400, 415}
        assert response["Content-Type"] == "application/problem+json"


@given(st.recursive(st.none() | st.integers(-(2**60), 2**60) | st.text(), lambda inner: st.lists(inner), max_leaves=20))
def test_json_within_limits_is_what_drf_reads(value: Any) -> None:
    body = json.dumps(value).encode()
    context = {"encoding": "utf-8"}
    assert LimitedJSONParser().parse(io.BytesIO(body), None, context) == JSONParser().parse(
        io.BytesIO(body), None, context
    )
