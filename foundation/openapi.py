"""Adds to the OpenAPI schema what is true of every call: it may answer with a problem."""

from __future__ import annotations

from typing import Any

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence for a person"},
        "code": {"type": "string", "pattern": "^[a-z0-9_]+$", "description": "Stable, for programs"},
        "errors": {
            "type": "object",
            "description": "Field to what is wrong with it",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}
ANSWER = {
    "description": "Any error",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def add_problems(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """A drf-spectacular post-processing hook: `default: Problem` on every operation that states no default."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    for operations in result.get("paths", {}).values():
        for operation in operations.values():
            if isinstance(operation, dict) and "responses" in operation:
                operation["responses"].setdefault("default", ANSWER)
    return result
