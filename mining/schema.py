"""What the options of strategies are, for the REST schema; loaded with it, as it loads every strategy."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension

from mining.strategies import STRATEGIES, find_strategy
from mining.strategies.options import Option


class StrategyOptions(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "mining.run_serializers.StrategyOptionsField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        properties = {name: _of(find_strategy(name).options) for name in STRATEGIES if find_strategy(name).options}
        return {"type": "object", "properties": properties, "additionalProperties": False}


def _of(options: tuple[Option, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {option.name: _one(option) for option in options},
        "additionalProperties": False,
    }


def _one(option: Option) -> dict[str, Any]:
    about = {"description": f"{option.help} Takes {option.allowed}.", "default": option.default}
    if option.choices:
        return {"type": "string", "enum": list(option.choices), **about}
    number = {
        "type": "integer" if option.kind in ("whole", "wholes") else "number",
        "minimum": option.low,
        "maximum": option.high,
    }
    return (
        {"type": "array", "items": number, "minItems": 2, "maxItems": 2, **about} if option.is_range else number | about
    )
