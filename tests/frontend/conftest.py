from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import World, make_users, make_world


@pytest.fixture
def users(db: Any) -> dict[str, User]:
    """One person of each role."""
    return make_users()


@pytest.fixture
def world(db: Any) -> World:
    """Three people with clusters of 5, 3 and 2 faces, the first two with names, and one face alone."""
    return make_world([5, 3, 2], names=["Anna", "Bertil"], alone=1)


@pytest.fixture
def as_role(users: dict[str, User]) -> Callable[[str], Client]:
    """`as_role("annotator")` is a browser in which that person has signed in."""

    def sign_in(role: str) -> Client:
        client = Client()
        client.force_login(users[role])
        return client

    return sign_in
