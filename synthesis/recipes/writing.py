"""Recipes as people read them: keys in the order in which parts declare them, whatever order a database kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Annotated, Any, get_args, get_origin

import yaml

from synthesis.recipes.building import hints_of, part_class
from synthesis.recipes.registry import PARTS


def as_yaml(node: Any) -> str:
    """The plain values of a recipe as YAML, which `read_node` reads back; ranges and other short lists on one line."""
    return yaml.safe_dump(ordered(node), sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)


def ordered(node: Any) -> Any:
    """The same values with keys in their parts' order; what is no part keeps its own."""
    if isinstance(node, list):
        return [ordered(item) for item in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        ((name, arguments),) = node.items()
        if name in PARTS and isinstance(arguments, dict):
            return {name: _arguments(part_class(name), arguments)}
    return {key: ordered(value) for key, value in node.items()}


def _arguments(cls: type, given: Mapping[str, Any]) -> dict[str, Any]:
    hints = hints_of(cls)
    known = {key: _argument(hint, given[key]) for key, hint in hints.items() if key in given}
    return known | {key: ordered(value) for key, value in given.items() if key not in hints}


def _argument(hint: Any, value: Any) -> Any:
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if isinstance(value, dict) and is_dataclass(hint) and not getattr(hint, "__abstractmethods__", None):
        return _arguments(hint, value)  # type: ignore[arg-type]
    return ordered(value)
