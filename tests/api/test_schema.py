"""The OpenAPI schema is whole, and the server keeps to it whatever is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.services import create_token, create_user
from config.wsgi import application

EXAMPLES = 10  # per route, half of them as the schema wants them and half not
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def load() -> Any:
    described = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(described, default=str)))
    schema.app = application
    return schema


SCHEMA = load()
OPERATIONS = {f"{found.ok().method} {found.ok().path}": found.ok() for found in SCHEMA.get_all_operations()}


def test_the_schema_is_generated_without_a_warning(db: Any) -> None:
    out, err = StringIO(), StringIO()
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=out, stderr=err)
    assert "/api/v1/decisions" in out.getvalue()


@pytest.fixture
def one_transaction() -> Iterator[None]:
    """The server's requests keep to the test's own connection, as those of Django's test client do."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("one_transaction", "pool", "version")
@pytest.mark.parametrize("route", sorted(OPERATIONS))
def test_whatever_is_sent(route: str) -> None:
    _, secret = create_token(user=create_user(username="manager", role="manager"), name="fuzz")

    for mode in GenerationMode:

        @settings(max_examples=EXAMPLES // 2, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=OPERATIONS[route].as_strategy(generation_mode=mode))
        def check(case: Any) -> None:
            case.call_and_validate(headers={"Authorization": f"Bearer {secret}"}, checks=CHECKS)

        check()
