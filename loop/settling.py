"""Rounds that follow each other until labels stop changing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from annotation.queries.convergence import LabelChange, label_change
from foundation.errors import InvalidInput
from loop.models import Round

UNTIL = "until_settled"  # in a round's parameters: {"rounds": how many at most, this one included, "share": target}
MOST_ROUNDS = 50
USUAL_ROUNDS = 5


def checked_until(given: Any) -> dict[str, Any]:
    """`{"rounds": 1..50, "share": 0..1 or None}` from what was asked for. Raises InvalidInput `bad_until_settled`."""
    if not isinstance(given, Mapping) or (unknown := set(given) - {"rounds", "share"}):
        names = f" Unknown: {', '.join(sorted(map(str, unknown)))}." if isinstance(given, Mapping) else ""
        raise InvalidInput(f"{UNTIL} must be an object with `rounds` and `share`.{names}", code="bad_until_settled")
    rounds, share = given.get("rounds", USUAL_ROUNDS), given.get("share")
    if not isinstance(rounds, int) or isinstance(rounds, bool) or not 1 <= rounds <= MOST_ROUNDS:
        raise InvalidInput(f"rounds must be a whole number from 1 to {MOST_ROUNDS}.", code="bad_until_settled")
    if share is not None:
        fine = isinstance(share, int | float) and not isinstance(share, bool) and math.isfinite(share)
        if not fine or not 0 < share <= 1:
            raise InvalidInput("share must be a number above 0, at most 1.", code="bad_until_settled")
    return {"rounds": rounds, "share": None if share is None else float(share)}


def change_of(round: Round) -> LabelChange | None:
    """What the round's last clustering did to labels: the one with the new vectors where the round promoted a model.
    None before its first clustering has ended."""
    for name in ("recluster", "cluster"):
        result = (round.stages.get(name) or {}).get("result")
        if isinstance(result, Mapping) and (change := label_change(result)) is not None:
            return change
    return None


def target_of(round: Round) -> float | None:
    """The share that was asked for; None for the usual one."""
    share = (round.parameters.get(UNTIL) or {}).get("share")
    return None if share is None else float(share)


def has_settled(round: Round) -> bool:
    """Whether the round has ended well and changed fewer labels than its target, or than the usual one."""
    change = change_of(round) if round.finished_at is not None else None
    return change is not None and change.settled(target_of(round))


def next_parameters(round: Round) -> dict[str, Any] | None:
    """Of the round that shall follow this one, which has ended; None where none shall."""
    wanted = round.parameters.get(UNTIL)
    if not wanted or wanted["rounds"] <= 1 or has_settled(round):
        return None
    return {**round.parameters, UNTIL: {**wanted, "rounds": wanted["rounds"] - 1}}
