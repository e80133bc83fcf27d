"""What can be changed in a recipe: every number, range, switch and word of its parts, by path."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import yaml

from foundation.errors import InvalidInput
from synthesis.bounds import Among, Bound, Within
from synthesis.recipes.building import hints_of, part_class
from synthesis.recipes.registry import PARTS

_RANGES = ((float, float), (int, int))
_KINDS: dict[Any, str] = {float: "number", int: "whole", bool: "switch", str: "word"}
_DOTS = re.compile(r"\s*(-?[\d.]+?)\s*\.\.\s*(-?[\d.]+)\s*")


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of a recipe.

    Attributes:
        path: `text_lines.warps[0].rotation.degrees`.
        kind: range, whole_range, number, whole, switch or word.
        value: what the recipe says, or else the part's default.
        given: whether the recipe says it.
        least, greatest: what a number, or each end of a range, may be; None for switches and words.
        words: those that a word may be; any if there are none.
    """

    path: str
    kind: str
    value: Any
    given: bool
    least: float | None = None
    greatest: float | None = None
    words: tuple[str, ...] = ()


def settings_of(node: Any) -> list[Setting]:
    """All settings of a recipe that `building.build` accepts, in the order of its parts."""
    return list(_of_part(node, ""))


def with_settings(node: Any, changes: Mapping[str, Any]) -> Any:
    """A copy of the recipe with other values.

    Args:
        changes: {path, or an end of it that only one has: value}. A text is read as YAML; `1..2` is a range, and one
            number stands for a range of no width.

    Raises:
        InvalidInput: no such setting, or several; the message lists them.
    """
    changed = copy.deepcopy(node)
    known = {setting.path: setting for setting in settings_of(node)}
    for name, given in changes.items():
        setting = known[_full(name, list(known))]
        value = given if setting.kind == "word" else _read(given)
        if "range" in setting.kind and isinstance(value, int | float) and not isinstance(value, bool):
            value = [value, value]
        _put(changed, setting.path, value)
    return changed


def _of_part(node: Any, where: str) -> Iterator[Setting]:
    if not isinstance(node, dict) or len(node) != 1:
        return
    ((name, arguments),) = node.items()
    if name in PARTS:
        yield from _of_class(part_class(name), arguments or {}, f"{where}{name}")


def _of_class(cls: type, arguments: Mapping[str, Any], where: str) -> Iterator[Setting]:
    hints = hints_of(cls)
    for field in fields(cls):
        if field.name in hints:
            given = field.name in arguments
            value = arguments[field.name] if given else _default(field)
            yield from _of_value(hints[field.name], value, f"{where}.{field.name}", given)


def _of_value(hint: Any, value: Any, where: str, given: bool) -> Iterator[Setting]:
    if get_origin(hint) in (Union, UnionType):
        hint = next(option for option in get_args(hint) if option is not NoneType)
    bounds: list[Bound] = []
    if get_origin(hint) is Annotated:
        hint, *bounds = get_args(hint)
    if value is None and not is_dataclass(hint):
        return
    inner = get_args(hint)
    if hint in _KINDS:
        yield _bounded(Setting(where, _KINDS[hint], value, given), bounds)
    elif inner in _RANGES:
        yield _bounded(Setting(where, "range" if inner[0] is float else "whole_range", list(value), given), bounds)
    elif get_origin(hint) is tuple and given:
        for place, item in enumerate(value):
            yield from _of_part(item, f"{where}[{place}].")
    elif is_dataclass(hint) and not getattr(hint, "__abstractmethods__", None):
        yield from _of_class(hint, value if given else {}, where)  # type: ignore[arg-type]
    elif given:
        yield from _of_part(value, f"{where}.")


def _bounded(setting: Setting, bounds: Iterable[Bound]) -> Setting:
    for bound in bounds:
        if isinstance(bound, Within):
            setting = replace(setting, least=bound.least, greatest=bound.greatest)
        elif isinstance(bound, Among):
            setting = replace(setting, words=bound.words)
    return setting


def _default(field: Any) -> Any:
    if field.default is not MISSING:
        return field.default
    return None


def _full(name: str, paths: list[str]) -> str:
    fitting = [path for path in paths if path == name] or [path for path in paths if path.endswith(f".{name}")]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise InvalidInput(f"{name!r} may be {', '.join(fitting[:8])}: write more of it.", code="unclear_setting")
    near = [path for path in paths if name.split(".")[-1] in path][:8] or paths[:8]
    raise InvalidInput(f"There is no setting {name!r}; there are {', '.join(near)}.", code="unknown_setting")


def _read(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if match := _DOTS.fullmatch(value):
        value = f"[{match[1]}, {match[2]}]"
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise InvalidInput(f"{value!r} can't be read as a value.", code="bad_setting") from error


def _put(node: Any, path: str, value: Any) -> None:
    steps = [int(step[1:-1]) if step.startswith("[") else step for step in re.findall(r"\[\d+\]|[^.\[\]]+", path)]
    for step in steps[:-1]:
        if isinstance(step, str) and node.get(step) is None:
            node[step] = {}
        node = node[step]
    node[steps[-1]] = value
