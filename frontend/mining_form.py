"""The form that starts a mining run, read and shown again as it was filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from foundation.errors import InvalidInput
from mining.run_pages import Choice, choices
from mining.services.runs import GOLD, MAX_BUDGET
from mining.strategies.options import Option

BUDGET = 100
# Of known answers, as the page offers them.
SHARES = {"0": "none", "0.05": "5 %", "0.1": "10 %", "0.15": "15 %"}


@dataclass(frozen=True)
class OptionField:
    """An option of a strategy as a field; `value` is what stands in it."""

    option: Option
    name: str
    value: str


@dataclass(frozen=True)
class StrategyField:
    """A strategy that can be ticked."""

    choice: Choice
    ticked: bool
    options: Sequence[OptionField]


@dataclass(frozen=True)
class MiningForm:
    """What the page shows. The others are the texts of their fields."""

    strategies: Sequence[StrategyField]
    budget: str
    overlap: str
    gold: str
    diversity: str

    @property
    def minutes(self) -> float:
        """What answering takes at most, if every strategy finds as much as it may."""
        seconds = sum(field.choice.seconds for field in self.strategies if field.ticked)
        budget, overlap = (int(text) if text.isdigit() else 0 for text in (self.budget, self.overlap))
        return seconds * budget * overlap / 60


def form_of(given: QueryDict | None = None) -> MiningForm:
    """As it was filled in, or with the usual choices."""
    if given is None or "budget" not in given:
        return MiningForm([_field(one, one.usual, None) for one in choices()], str(BUDGET), "1", str(GOLD), "0")
    ticked = set(given.getlist("strategies"))
    return MiningForm(
        [_field(one, one.name in ticked, given) for one in choices()],
        *(given.get(name, "") for name in ("budget", "overlap", "gold", "diversity")),
    )


def _field(choice: Choice, ticked: bool, given: QueryDict | None) -> StrategyField:
    names = {f"{choice.name}.{option.name}": option for option in choice.options}
    fields = [
        OptionField(option, name, option.text if given is None else given.get(name, option.text))
        for name, option in names.items()
    ]
    return StrategyField(choice, ticked, fields)


def chosen_of(given: QueryDict) -> dict[str, Any]:
    """What `start_mining` takes. Raises InvalidInput where a field is no number or nothing is ticked."""
    form = form_of(given)
    ticked = [field for field in form.strategies if field.ticked]
    if "choosing" in given and not ticked:
        raise InvalidInput("Tick at least one strategy.", code="unknown_strategy")
    return {
        "strategies": [field.choice.name for field in ticked] or None,
        "budget": int(_number(form.budget, "The number of questions", whole=True, usual=BUDGET)),
        "overlap": int(_number(form.overlap, "The number of people", whole=True, usual=1)),
        "gold": _number(form.gold, "The share of known answers", usual=GOLD),
        "diversity": _number(form.diversity, "The diversity", usual=0),
        "options": {
            field.choice.name: {one.option.name: one.value for one in field.options if one.value.strip()}
            for field in ticked
            if field.options
        },
    }


def _number(text: str, name: str, *, usual: float, whole: bool = False) -> float:
    if not text.strip():
        return usual
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if not abs(found) <= MAX_BUDGET * 10 or (whole and found != int(found)):
        raise InvalidInput(f"{name} must be a {'whole ' if whole else ''}number.", code="bad_number")
    return found
