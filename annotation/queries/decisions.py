"""Reading the ledger as a whole."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Max

from annotation.ledger.entries import Entry, Kind
from annotation.ledger.replay import replay
from annotation.ledger.state import State
from annotation.models import Decision
from foundation.errors import NotFound

_FIELDS = ("id", "kind", "faces", "others", "identity_id", "into_id", "text", "reverts_id")


def ledger_entries() -> list[Entry]:
    """Every entry, oldest first, in one query."""
    rows = Decision.objects.order_by("id").values_list(*_FIELDS).iterator(chunk_size=5000)
    return [
        Entry(number, Kind(kind), tuple(faces), tuple(others), identity, into, text, reverts)
        for number, kind, faces, others, identity, into, text, reverts in rows
    ]


def ledger_state() -> State:
    """What the whole ledger amounts to now; linear in its length."""
    return replay(ledger_entries())


def people_state() -> State:
    """The same as far as names and merges go, which don't hang on faces: far fewer entries, without their faces."""
    kept: set[int] = set()
    entries = []
    rows = Decision.objects.filter(kind__in=(Kind.MERGE, Kind.RENAME, Kind.REVERT)).order_by("id")
    fields = ("id", "kind", "identity_id", "into_id", "text", "reverts_id")
    for number, kind, identity, into, text, reverts in rows.values_list(*fields).iterator(chunk_size=5000):
        if kind != Kind.REVERT or reverts in kept:
            kept.add(number)
            entries.append(Entry(number, Kind(kind), (), (), identity, into, text, reverts))
    return replay(entries)


def ledger_end() -> int:
    """Id of the latest entry, 0 while there is none."""
    return int(Decision.objects.aggregate(end=Max("id"))["end"] or 0)


def decision_by_id(decision_id: int) -> Decision:
    """One entry. Raises NotFound."""
    found = Decision.objects.select_related("actor", "identity", "into").filter(pk=decision_id).first()
    if found is None:
        raise NotFound(f"There is no decision {decision_id}.", code="no_decision")
    return found


def decisions_of_action(action: UUID) -> list[Decision]:
    """The entries that one action of a person made, oldest first."""
    return list(Decision.objects.filter(action=action).order_by("id"))


def count_human_decisions() -> int:
    """Entries that a person made, reverts included."""
    return Decision.objects.filter(actor__isnull=False).count()
