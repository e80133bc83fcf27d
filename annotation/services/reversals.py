"""Taking back many decisions as one step: one annotator's since a time, those of one run, those about one person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from django.db import transaction

from accounts.models import User
from annotation.ledger.entries import Entry, Kind
from annotation.ledger.labels import FIRST_NEW, NOBODY, Int
from annotation.ledger.replay import replay
from annotation.ledger.state import State
from annotation.ledger.taking_back import entries_to_revert
from annotation.models import Decision, Identity
from annotation.queries.cluster_pages import current_run
from annotation.queries.decision_access import check_may_take_back
from annotation.queries.decisions import ledger_end, ledger_entries
from annotation.queries.labels import clustered_faces, last_labels
from annotation.queries.ledger_pages import LedgerFilter, choose_decisions
from annotation.services.decisions import By, Draft, record
from annotation.services.labels import derive
from annotation.services.ledger_locks import while_deciding
from annotation.services.standing import hold
from foundation.errors import Conflict, InvalidInput

SHOWN_FACES, SHOWN_PEOPLE = 24, 12
SOMEBODY_NEW = -2  # as a person: one who would be made


@dataclass(frozen=True)
class FaceChange:
    """A face whose person would change; None is nobody, SOMEBODY_NEW a person yet to be made."""

    face: int
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Reversal:
    """What taking the chosen decisions back would do.

    Attributes:
        decisions: that would be taken back; `kinds` counts them by kind, `actors` by user name.
        first_at, last_at: when the earliest and the latest of them was made.
        faces: whose person would change: `lost` to nobody, `gained` from nobody, `moved` from one to another.
        people: (person, faces lost, faces gained), most affected first, up to SHOWN_PEOPLE.
        examples: up to SHOWN_FACES of these faces.
        conflicts: decisions that contradict later ones, before and after.
        upto: the ledger's last entry at the time; pass it on so that exactly these are taken back.
    """

    decisions: int
    kinds: dict[str, int]
    actors: dict[str, int]
    first_at: datetime | None
    last_at: datetime | None
    faces: int
    lost: int
    gained: int
    moved: int
    people: tuple[tuple[Identity, int, int], ...]
    examples: tuple[FaceChange, ...]
    conflicts: tuple[int, int]
    upto: int


def preview_reversal(*, user: User, chosen: LedgerFilter) -> Reversal:
    """What `take_back` would do now; nothing is written. Linear in the pool.

    Raises InvalidInput (`nothing_chosen`) or Forbidden (`not_your_decision`).
    """
    _check_narrow(chosen)
    chosen = replace(chosen, upto=min(chosen.upto or ledger_end(), ledger_end()))
    targets = _targets(user, chosen)
    wanted = {target.pk for target in targets}
    entries = ledger_entries()
    end = entries[-1].id if entries else 0
    without = [*entries, *(Entry(end + n, Kind.REVERT, reverts=pk) for n, pk in enumerate(sorted(wanted), 1))]
    before, after = replay(entries), replay(without)
    changes = _changes(entries, before, without, after)
    times = sorted(target.created_at for target in targets)
    return Reversal(
        decisions=len(targets),
        kinds=dict(Counter(target.kind for target in targets).most_common()),
        actors=dict(Counter(str(target.actor or "Loupe") for target in targets).most_common()),
        first_at=times[0] if times else None,
        last_at=times[-1] if times else None,
        faces=len(changes),
        lost=sum(change.after is None for change in changes),
        gained=sum(change.before is None for change in changes),
        moved=sum(None not in (change.before, change.after) for change in changes),
        people=_most_affected(changes),
        examples=tuple(changes[:: max(1, len(changes) // SHOWN_FACES)][:SHOWN_FACES]),
        conflicts=(len(before.conflicts), len(after.conflicts)),
        upto=chosen.upto or 0,
    )


def take_back(*, user: User, chosen: LedgerFilter) -> list[Decision]:
    """Take back every decision that the filter means and that has an effect, as one action; reverting it restores all.

    Raises InvalidInput (`nothing_chosen`), Forbidden (`not_your_decision`), or Conflict (`already_reverted`) where none
    of them has an effect any more.
    """
    _check_narrow(chosen)
    with transaction.atomic():
        while_deciding()
        hold(list(choose_decisions(chosen).values_list("pk", flat=True)))
        targets = _targets(user, chosen)
        if not targets:
            raise Conflict("None of these decisions has an effect any more.", code="already_reverted")
        drafts = [Draft(Kind.REVERT, reverts=target.pk) for target in targets]
        shown = {name: str(value) for name, value in vars(chosen).items() if value not in (None, "")}
        return record(drafts, by=By(user, evidence={"page": "reversal", **shown}))


def _check_narrow(chosen: LedgerFilter) -> None:
    if replace(chosen, upto=None, kind="", since=None, until=None) == LedgerFilter():
        raise InvalidInput("Say whose decisions, or those about whom or of which run.", code="nothing_chosen")


def _targets(user: User, chosen: LedgerFilter) -> list[Decision]:
    """Those of the chosen that must be reverted, the latest first."""
    numbers = set(choose_decisions(chosen).values_list("pk", flat=True))
    reverts = dict(Decision.objects.filter(kind=Kind.REVERT).values_list("pk", "reverts_id"))
    wanted = entries_to_revert({revert: of for revert, of in reverts.items() if of is not None}, numbers)
    targets = list(Decision.objects.filter(pk__in=wanted).select_related("actor").defer("evidence").order_by("-pk"))
    check_may_take_back(user, [target.actor_id for target in targets])
    return targets


def _changes(entries: Sequence[Entry], before: State, without: Sequence[Entry], after: State) -> list[FaceChange]:
    run = current_run()
    last = last_labels()
    faces = clustered_faces(run, also=last.human.union(last.given, before.decided_by, after.decided_by))
    old, new = derive(entries, before, faces, last, run), derive(without, after, faces, last, run)
    differs = np.flatnonzero(_persons(old.identity) != _persons(new.identity))
    columns = (column[differs].tolist() for column in (faces.face_ids, old.identity, new.identity))
    return [FaceChange(face, _who(was), _who(will)) for face, was, will in zip(*columns, strict=True)]


def _persons(identity: Int) -> Int:
    return np.where(identity <= FIRST_NEW, SOMEBODY_NEW, identity)


def _who(identity: int) -> int | None:
    return None if identity == NOBODY else max(identity, SOMEBODY_NEW)


def _most_affected(changes: Sequence[FaceChange]) -> tuple[tuple[Identity, int, int], ...]:
    lost = Counter(change.before for change in changes)
    gained = Counter(change.after for change in changes)
    most = [(person, count) for person, count in (lost + gained).most_common() if person is not None and person > 0]
    people = Identity.objects.in_bulk([person for person, _ in most[:SHOWN_PEOPLE]])
    return tuple((people[person], lost[person], gained[person]) for person, _ in most if person in people)
