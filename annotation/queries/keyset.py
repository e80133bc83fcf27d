"""Pages that stay put while rows come and go: each starts after the last row of the one before, never by counting."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)
T = TypeVar("T")


@dataclass(frozen=True)
class Slice(Generic[T]):
    """Some rows, and the cursor with which the next ones are asked for; empty at the end."""

    rows: list[T]
    cursor: str


def take_after(queryset: QuerySet[M], *, order: Sequence[str], cursor: str, size: int) -> Slice[M]:
    """`size` rows of `queryset` in `order`, after the row that `cursor` stands for.

    Args:
        order: model or annotation fields, `-` before one for falling; together unique and never null.
        cursor: from an earlier slice; anything else starts at the beginning.
    """
    values = _decode(cursor, len(order))
    ordered = queryset.order_by(*order)
    if values is not None:
        try:
            ordered = ordered.filter(_after(order, values))
        except (ValidationError, ValueError, TypeError):  # a cursor of another list
            values = None
    rows = list(ordered[: size + 1])
    more = len(rows) > size
    return Slice(rows[:size], _encode(rows[size - 1], order) if more else "")


def _after(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Later in lexicographic order. The bound on the first field alone is redundant, but lets an index start there."""
    later = Q()
    equal = Q()
    for field, value in zip(order, values, strict=True):
        name, comparison = (field[1:], "lt") if field.startswith("-") else (field, "gt")
        later |= equal & Q(**{f"{name}__{comparison}": value})
        equal &= Q(**{name: value})
    first, bound = (order[0][1:], "lte") if order[0].startswith("-") else (order[0], "gte")
    return Q(**{f"{first}__{bound}": values[0]}) & later


def _encode(row: Model, order: Sequence[str]) -> str:
    values = []
    for field in order:
        value: Any = row
        for part in field.lstrip("-").split("__"):
            value = getattr(value, part)
        values.append(value)
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _decode(cursor: str, length: int) -> list[Any] | None:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        return None
    simple = isinstance(values, list) and all(isinstance(v, int | float | str) and v == v for v in values)
    if not simple or len(values) != length or any(isinstance(v, int) and abs(v) >= 2**63 for v in values):
        return None
    return list(values)
