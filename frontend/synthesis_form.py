"""A recipe's settings as the groups of a form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from synthesis.recipes.settings import Setting

# Parts that only hold others; saying them helps nobody.
_HOLDERS: Final = {"all_of", "one_of", "some_of", "effect", "effects", "mix", "corpora", "warp", "warps", "one_warp_of"}
_CHANCES: Final = {"probably", "probably_warp"}
_OPEN: Final = 3


@dataclass(frozen=True, slots=True)
class Field:
    """One setting. `id` is unique on the page."""

    id: str
    label: str
    setting: Setting

    @property
    def is_range(self) -> bool:
        return self.setting.kind in ("range", "whole_range")

    @property
    def step(self) -> str:
        return "1" if self.setting.kind in ("whole", "whole_range") else "any"

    @property
    def limits(self) -> dict[str, str]:
        """Attributes `min` and `max` of its number inputs."""
        ends = {"min": self.setting.least, "max": self.setting.greatest}
        return {name: f"{end:.12g}" for name, end in ends.items() if end is not None}

    @property
    def shown(self) -> Any:
        """The value, or the two of a range, as inputs hold them."""
        value = self.setting.value
        return [_text(end) for end in value] if self.is_range else _text(value)


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """The settings of one part; the first groups are open."""

    title: str
    fields: list[Field]
    open: bool


def groups_of(settings: Sequence[Setting]) -> list[FieldGroup]:
    """The settings part by part, in the recipe's order."""
    groups: dict[str, list[Field]] = {}
    chances: list[Field] = []
    for number, setting in enumerate(settings):
        part, _, name = setting.path.rpartition(".")
        field = Field(f"setting-{number}", name.replace("_", " ").capitalize(), setting)
        if part.rpartition(".")[2] in _CHANCES:
            chances.append(replace(field, label="How often"))  # belongs to the part that comes next
            continue
        groups.setdefault(part, []).extend([*chances, field])
        chances = []
    return [FieldGroup(_title(part), fields, place < _OPEN) for place, (part, fields) in enumerate(groups.items())]


def _title(part: str) -> str:
    """`mixture.generators[1].text_lines.effects.all_of.effects[3].noise` becomes `2: text lines, noise`."""
    words, number = [], ""
    for step in part.split("."):
        name, place = re.fullmatch(r"(\w*)(?:\[(\d+)\])?", step).groups()  # type: ignore[union-attr]
        if name == "generators":
            number = f"{int(place) + 1}: "
        elif name not in _HOLDERS | _CHANCES | {"mixture", "inside"}:
            words.append(name.replace("_", " "))
    text = ", ".join(words[1:] if len(words) > 1 and not number else words)
    return f"{number}{text}" if number else text[:1].upper() + text[1:]


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
