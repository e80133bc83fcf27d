"""Ids in REST bodies: bounded, so that the database never sees one that it can't hold."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

LARGEST = 2**63 - 1


class IdField(serializers.IntegerField):
    """The id of a row, whether or not there is one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST, **options)


@extend_schema_field({"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": LARGEST}})
class IdListField(serializers.Field[list[int], Any, Any, Any]):
    """Ids by the ten thousand, checked in one pass; a ListField would take a second for them."""

    default_error_messages = {
        "not_ids": "A list of whole numbers from 1 is expected.",
        "too_many": "At most {most} are allowed.",
    }

    def __init__(self, *, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.most = most

    def to_internal_value(self, data: Any) -> list[int]:
        if not isinstance(data, list) or not all(type(item) is int and 1 <= item <= LARGEST for item in data):
            self.fail("not_ids")
        if len(data) > self.most:
            self.fail("too_many", most=self.most)
        return data

    def to_representation(self, value: Any) -> Any:
        return list(value)
