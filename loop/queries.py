"""Reads of rounds, for pages and REST alike."""

from __future__ import annotations

from django.db.models import QuerySet

from foundation.errors import NotFound
from loop.models import Round


def rounds() -> QuerySet[Round]:
    """All rounds, newest first, with what they point at."""
    return Round.objects.select_related("job", "champion", "challenger", "dataset", "created_by").order_by("-number")


def round_by_number(number: int) -> Round:
    """One round. Raises NotFound."""
    found = rounds().filter(number=number).first()
    if found is None:
        raise NotFound(f"There is no round {number}.", code="unknown_round")
    return found
