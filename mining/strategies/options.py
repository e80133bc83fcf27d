"""What can be chosen about a strategy: declared once, checked here, shown by the page, REST and the command line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from foundation.errors import InvalidInput

BETWEEN = ".."  # of the ends of a range, where it is text


@dataclass(frozen=True)
class Option:
    """One choice.

    Attributes:
        name: as in `--option name=value`.
        kind: `whole` and `number` are numbers; `wholes` and `numbers` are ranges of them, both ends included.
        default: a number, a (low, high) or one of `choices`.
        help: one sentence.
        low, high: what every number must lie between.
        choices: of kind `choice`.
    """

    name: str
    kind: Literal["whole", "number", "wholes", "numbers", "choice"]
    default: float | tuple[float, float] | str
    help: str
    low: float = 0.0
    high: float = 1.0
    choices: tuple[str, ...] = ()

    @property
    def is_range(self) -> bool:
        return self.kind in ("wholes", "numbers")

    @property
    def text(self) -> str:
        """The default as one would write it."""
        ends = self.default if isinstance(self.default, tuple) else (self.default,)
        return BETWEEN.join(end if isinstance(end, str) else f"{end:g}" for end in ends)

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        numbers = "whole number" if self.kind in ("whole", "wholes") else "number"
        if self.is_range:
            return f"two {numbers}s, as {self.text}, from {self.low:g} to {self.high:g}"
        return f"a {numbers} from {self.low:g} to {self.high:g}"

    def described(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {**asdict(self), "allowed": self.allowed}

    def read(self, given: object) -> Any:
        """The value, of what JSON or text says. Raises ValueError with the reason."""
        if self.choices:
            if given not in self.choices:
                raise ValueError(f"{given!r} is not {self.allowed}")
            return given
        if not self.is_range:
            return self._number(given)
        ends = given.split(BETWEEN) if isinstance(given, str) else given
        if not isinstance(ends, Sequence) or len(ends) != 2:
            raise ValueError(f"{given!r} is not {self.allowed}")
        low, high = (self._number(end) for end in ends)
        if low > high:
            raise ValueError(f"the range {low:g}{BETWEEN}{high:g} is reversed")
        return low, high

    def _number(self, given: object) -> float:
        try:
            found = float(given) if isinstance(given, (int, float, str)) and not isinstance(given, bool) else math.nan
        except (ValueError, OverflowError):
            found = math.nan
        whole = self.kind in ("whole", "wholes")
        if not math.isfinite(found) or (whole and found != int(found)):
            raise ValueError(f"{given!r} is not {self.allowed}")
        if not self.low <= found <= self.high:
            raise ValueError(f"{found:g} is out of range: {self.allowed}")
        return int(found) if whole else found


def checked(strategy: str, options: Sequence[Option], given: Mapping[str, object]) -> dict[str, Any]:
    """All options of a strategy, as given or else by default.

    Raises InvalidInput (`unknown_option`, `bad_option`) with a message that names the option.
    """
    known = {option.name: option for option in options}
    for name in given:
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise InvalidInput(f"{strategy} has no option {name!r}; {has}.", code="unknown_option")
    values: dict[str, Any] = {}
    for name, option in known.items():
        try:
            values[name] = option.read(given[name]) if name in given else option.default
        except ValueError as error:
            raise InvalidInput(f"The option {name} of {strategy}: {error}.", code="bad_option") from error
    return values
