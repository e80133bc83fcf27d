"""The other browser sessions of the person who asks."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone


def _others(request: HttpRequest) -> Iterator[Session]:
    mine = str(request.user.pk)
    live = Session.objects.filter(expire_date__gt=timezone.now()).exclude(pk=request.session.session_key)
    for session in live.iterator():
        if session.get_decoded().get(SESSION_KEY) == mine:
            yield session


def count_others(request: HttpRequest) -> int:
    """How many other sessions this person has."""
    return sum(1 for _ in _others(request))


def end_others(request: HttpRequest) -> int:
    """End them; returns how many there were."""
    keys = [session.pk for session in _others(request)]
    Session.objects.filter(pk__in=keys).delete()
    return len(keys)
