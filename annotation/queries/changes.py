"""What was said of a person since somebody looked, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import Q

from accounts.models import User
from annotation.ledger.entries import Kind
from annotation.models import Decision

MOST, ENTRIES = 3, 4  # steps told, and entries of each; the ledger has all


@dataclass(frozen=True)
class Change:
    """What somebody did in one step; `by` is empty if nobody said it."""

    by: str
    did: tuple[str, ...]
    at: datetime

    def __str__(self) -> str:
        """As `Ana named this person Zoe Ball and confirmed 3 faces of this person 12 seconds ago.`"""
        when = naturaltime(self.at).replace("\xa0", " ")
        return f"{self.by or 'Loupe'} {' and '.join(self.did)} {'just now' if when == 'now' else when}."


def changes_of(person: int, *, count: int, reader: User | None = None) -> list[Change]:
    """The last `count` steps that name a person, at most `MOST`, the latest first, as the reader is told of them."""
    about = Decision.objects.filter(Q(identity=person) | Q(into=person) | Q(reverts__identity=person))
    rows = about.select_related("actor", "into", "reverts").order_by("-id")[: MOST * ENTRIES]
    steps = [list(step) for _, step in groupby(rows, key=lambda row: row.action)][: min(max(count, 1), MOST)]
    return [
        Change(
            by=_who(step[0].actor, reader),
            did=tuple(_did(row, person) for row in reversed(step)),
            at=step[0].created_at,
        )
        for step in steps
    ]


def _who(actor: User | None, reader: User | None) -> str:
    if actor is None:
        return ""
    return "You" if actor == reader else actor.username


def _did(decision: Decision, person: int) -> str:
    faces = len(decision.faces)
    some = f"{faces} face{'' if faces == 1 else 's'}"
    match Kind(decision.kind):
        case Kind.ASSIGN:
            return f"confirmed {some} of this person"
        case Kind.REJECT:
            return f"rejected {some} of this person"
        case Kind.RENAME:
            return f"named this person {decision.text}" if decision.text else "removed the name of this person"
        case Kind.MERGE if decision.into_id == person:
            return "merged another person into this one"
        case Kind.MERGE:
            name = decision.into.name if decision.into else ""
            return f"merged this person into {name or f'person {decision.into_id}'}"
        case Kind.REVERT if decision.reverts is not None:
            return f"took back: {_did(decision.reverts, person)}"
        case kind:
            return f"said something of this person ({kind.value.replace('_', ' ')})"
