from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import create_token, create_user


@pytest.fixture
def make_user(db: Any) -> Callable[[str], User]:
    """`make_user(role)` gives a person of that role, named after it."""
    return lambda role: create_user(username=role, role=role, password="correct horse battery")


@pytest.fixture
def client_for() -> Callable[..., APIClient]:
    """`client_for(user, scopes=None)` is a REST client with a token of that user."""

    def make(user: User, scopes: list[str] | None = None) -> APIClient:
        _, secret = create_token(user=user, name="test", scopes=scopes)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return client

    return make
