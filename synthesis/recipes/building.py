"""From plain values (YAML, JSON) to the parts that they name, checked against the constructors' own types."""

from __future__ import annotations

import math
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from importlib import import_module
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from foundation.errors import InvalidInput
from synthesis.recipes.registry import PARTS


def build(node: Any, where: str = "recipe") -> Any:
    """The part that `node`, a mapping of one name to its arguments, describes.

    Args:
        where: the path to `node`, for messages.

    Raises:
        InvalidInput: an unknown part or key, a missing one, or a value out of place. The message names the key.
    """
    if not isinstance(node, dict) or len(node) != 1:
        raise _wrong(where, f"a part is written as 'name: {{arguments}}', not {node!r}")
    ((name, arguments),) = node.items()
    if name not in PARTS:
        raise InvalidInput(f"{where}: nothing is called {name!r}; known are {', '.join(PARTS)}.", code="unknown_part")
    return _construct(part_class(name), arguments, f"{where}.{name}")


def part_class(name: str) -> type:
    """The class of one of `PARTS`."""
    module, _, cls = PARTS[name].rpartition(".")
    found: type = getattr(import_module(module), cls)
    return found


def _construct(cls: type, arguments: Any, where: str) -> Any:
    arguments = {} if arguments is None else arguments
    if not isinstance(arguments, dict):
        raise _wrong(where, f"arguments are a mapping, not {arguments!r}")
    hints = hints_of(cls)
    if unknown := [str(key) for key in arguments if key not in hints]:
        raise InvalidInput(
            f"{where} has no key {', '.join(unknown)}; known are {', '.join(hints) or 'none'}.", code="unknown_setting"
        )
    if missing := [key for key in _required(cls) if key not in arguments]:
        raise _wrong(where, f"the key {', '.join(missing)} is missing")
    values = {key: _convert(value, hints[key], f"{where}.{key}") for key, value in arguments.items()}
    try:
        return cls(**values)
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error.message}", code=error.code) from error


@cache
def hints_of(cls: type) -> dict[str, Any]:
    """Types, with their bounds, of what a recipe may say of a part, in the constructor's order.

    Not of what names places on this machine, as recipes come from anybody.
    """
    hints = get_type_hints(cls, include_extras=True)
    return {one.name: hints[one.name] for one in fields(cls) if one.init and one.metadata.get("recipe", True)}


def _required(cls: type) -> list[str]:
    return [f.name for f in fields(cls) if f.init and f.default is MISSING and f.default_factory is MISSING]


def _convert(value: Any, hint: Any, where: str) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        converted = _convert(value, inner[0], where)
        for bound in inner[1:]:
            if problem := bound.problem(converted):
                raise InvalidInput(f"{where}: {problem}.", code="out_of_bounds")
        return converted
    if origin in (Union, UnionType):
        if value is None and NoneType in inner:
            return None
        return _convert(value, next(option for option in inner if option is not NoneType), where)
    if origin is tuple:
        return _items(value, inner, where)
    if hint in (float, int, str, bool):
        return _plain(value, hint, where)
    if is_dataclass(hint) and not getattr(hint, "__abstractmethods__", None):
        return _construct(hint, value, where)  # type: ignore[arg-type]
    part = build(value, where)
    if not isinstance(part, hint):
        raise _wrong(where, f"{next(iter(value))} is no {hint.__name__}")
    return part


def _items(value: Any, inner: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _wrong(where, f"a list is needed, not {value!r}")
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(_convert(item, inner[0], f"{where}[{place}]") for place, item in enumerate(value))
    if len(value) != len(inner):
        raise _wrong(where, f"{len(inner)} values are needed, not {len(value)}")
    items = tuple(_convert(item, hint, where) for item, hint in zip(value, inner, strict=True))
    if inner in ((float, float), (int, int)) and items[0] > items[1]:
        raise InvalidInput(f"{where}: the range {list(value)} is turned round.", code="range_reversed")
    return items


def _plain(value: Any, hint: type, where: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise _wrong(where, f"{hint.__name__} is needed, not {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise _wrong(where, f"{value} is no finite number")
    return value


def _wrong(where: str, what: str) -> InvalidInput:
    return InvalidInput(f"{where}: {what}.", code="bad_recipe")
