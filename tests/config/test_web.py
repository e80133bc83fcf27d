"""What every answer carries, and what a forgotten line does not open."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from accounts.models import User
from accounts.roles import Role
from config.environment import REPOSITORY


class Forgotten(APIView):
    def get(self, request: Request) -> Response:
        return Response({"secret": 1})


def test_a_view_that_names_no_permission_is_closed_to_everybody() -> None:
    for user in (AnonymousUser(), User(username="boss", role=Role.MANAGER, is_superuser=True)):
        request = APIRequestFactory().get("/")
        force_authenticate(request, user=user)
        assert Forgotten.as_view()(request).status_code in {401, 403}


@pytest.mark.django_db
def test_answers_forbid_framing_sniffing_and_foreign_scripts() -> None:
    headers = Client().get("/api/v1/me").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy


@pytest.mark.parametrize(("url", "secure"), [("https://loupe.example.org", "True"), ("http://loupe.local", "False")])
def test_cookies_are_secure_where_people_come_by_https(tmp_path: Path, url: str, secure: str) -> None:
    asked = "import django; from django.conf import settings as s; "
    asked += "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_SAMESITE)"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=REPOSITORY,
        env={**os.environ, "LOUPE_HOME": str(tmp_path), "LOUPE_PUBLIC_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [secure, secure, "Lax"]


def test_a_web_process_is_ready_before_its_first_request(tmp_path: Path) -> None:
    """Pages are compiled, what stays is out of the collector's way, and threads give way quickly."""
    asked = "import gc, sys; from config import wsgi; from django.template import engines; "
    asked += "loaders = engines.all()[0].engine.template_loaders; "
    asked += "print(len(loaders[0].get_template_cache), gc.get_freeze_count() > 100_000, sys.getswitchinterval())"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=REPOSITORY,
        env={**os.environ, "LOUPE_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    compiled, *rest = done.stdout.split()
    assert int(compiled) >= len(list((REPOSITORY / "frontend" / "templates").rglob("*.html")))
    assert rest == ["True", "0.001"]
