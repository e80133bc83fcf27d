"""Which entries of the ledger hold and which are taken back at present, and telling apps above when that changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Set

from django.db import connection, transaction

from annotation.ledger.entries import Kind
from annotation.models import Decision
from annotation.services.ledger_locks import after_open_decisions

_REVERTS = """
    WITH RECURSIVE chain AS (
        SELECT id, reverts_id FROM annotation_decision WHERE reverts_id = ANY(%s)
        UNION SELECT d.id, d.reverts_id FROM annotation_decision d JOIN chain c ON d.reverts_id = c.id
    ) SELECT id, reverts_id FROM chain
"""
# What reverts take or bring back, through reverts of reverts.
_UNDONE = """
    WITH RECURSIVE chain AS (
        SELECT id, reverts_id FROM annotation_decision WHERE id = ANY(%s)
        UNION SELECT d.id, d.reverts_id FROM annotation_decision d JOIN chain c ON d.id = c.reverts_id
    ) SELECT id FROM chain WHERE reverts_id IS NULL
"""
_LOCK = f"SELECT id FROM annotation_decision WHERE id IN ({_UNDONE}) ORDER BY id FOR NO KEY UPDATE"  # noqa: S608 - constants

Listener = Callable[[Set[int], Set[int]], None]  # (entries that hold, entries that are taken back)
_LISTENERS: list[Listener] = []


def taken_back(entries: Collection[int]) -> set[int]:
    """Those of the entries that are taken back at present, in one statement however deep undo of undo went."""
    with connection.cursor() as cursor:
        cursor.execute(_REVERTS, [list(entries)])
        reverts = cursor.fetchall()
    gone: set[int] = set()
    for number, reverted in sorted(reverts, reverse=True):  # the last one holds, as nothing came after it
        if number not in gone:
            gone.add(reverted)
    return gone


def hold(entries: Collection[int]) -> None:
    """Until the end of this transaction nobody else takes these entries back, or brings back what they took.

    Whoever does so calls this first, before they look at what is taken back and before any question or person is
    locked: so two who mean the same come one after the other, and wait in one order.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [list(entries)])


def undone(made: Iterable[Decision]) -> set[int]:
    """The entries, not reverts themselves, that these reverts take back or bring back."""
    targets = [decision.reverts_id for decision in made if decision.reverts_id]
    if not targets:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_UNDONE, [targets])
        return {row[0] for row in cursor.fetchall()}


def on_change_of_standing(listener: Listener) -> None:
    """Have an app above told, in the same transaction, which entries hold again and which are taken back now. It may
    be told the same again."""
    if listener not in _LISTENERS:
        _LISTENERS.append(listener)


def tell(changed: Set[int]) -> None:
    """Tell the listeners which of these entries hold at present, and which do not."""
    if not changed or not _LISTENERS:
        return
    standing = changed - taken_back(changed)
    for listener in _LISTENERS:
        listener(standing, changed - standing)


def tell_again(*, since: int) -> int:
    """Tell once more what was taken or brought back after the entry `since`: of two who did so at the same moment, or
    who relied on what the other was taking back, neither saw the other. Returns what to pass as `since` next time."""
    upto = after_open_decisions()
    after_open_decisions()  # who began during that wait may not have seen all of them
    with transaction.atomic():
        tell(undone(Decision.objects.filter(kind=Kind.REVERT, pk__gt=since, pk__lte=upto).only("reverts")))
    return upto
