"""Whether a challenger replaces the champion. Pure: figures in, a verdict in words out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models_zoo.evaluation.verification import Difference


@dataclass(frozen=True)
class Criterion:
    """One measured slice.

    Attributes:
        name: as people read it.
        change: from champion to challenger, with its interval.
        primary: the slice that must gain significantly.
        tolerance: how far a slice may fall; the measured change counts, not its interval.
    """

    name: str
    change: Difference
    primary: bool = False
    tolerance: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """Promoted or not, and every reason in words."""

    promoted: bool
    reasons: tuple[str, ...]


def decide(criteria: Sequence[Criterion]) -> Verdict:
    """Promote only if every primary slice gains significantly and no slice falls beyond its tolerance."""
    promoted = any(criterion.primary for criterion in criteria)
    reasons = [] if promoted else ["Nothing to judge by: no primary metric could be measured."]
    for criterion in criteria:
        change = criterion.change
        figures = f"{criterion.name}: {change.value:+.4f} [{change.low:+.4f}, {change.high:+.4f}]"
        if criterion.primary and not change.significant_gain:
            promoted = False
            reasons.append(f"{figures}, not a significant gain.")
        elif change.value < -criterion.tolerance:
            promoted = False
            reasons.append(f"{figures}, falls by more than {criterion.tolerance:g}.")
        elif criterion.primary:
            reasons.append(f"{figures}, a significant gain.")
        else:
            reasons.append(f"{figures}, within its tolerance of {criterion.tolerance:g}.")
    return Verdict(promoted, tuple(reasons))
