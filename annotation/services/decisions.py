"""The one way into the ledger, for pages, REST and commands alike.

A decision writes its entry, the labels of the few faces that it names, and asks a job for the rest; so it takes the
same short time whatever it touches. Entries of one action of a person share its id and are undone together.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import transaction
from django.db.models import BigIntegerField, F, Value
from django.db.models.functions import Cast

from accounts.models import User
from annotation.ledger.entries import Entry, Kind
from annotation.models import Decision, Identity
from annotation.queries.changes import changes_of
from annotation.queries.decision_access import check_may_take_back
from annotation.queries.picture_access import count_showable
from annotation.services import direct_labels
from annotation.services.label_jobs import request_labels
from annotation.services.ledger_locks import while_deciding
from annotation.services.standing import hold, taken_back, tell, undone
from foundation.errors import Conflict, InvalidInput, NotFound

MAX_FACES = 200_000
MAX_TEXT = 200
MAX_EVIDENCE = 8_000


@dataclass(frozen=True)
class Draft:
    """An entry before it has an id; see `annotation.ledger.entries.Entry`.

    `trusted`: the faces were just read from the database as ones that may be shown.
    """

    kind: Kind
    faces: tuple[int, ...] = ()
    others: tuple[int, ...] = ()
    identity: int | None = None
    into: int | None = None
    text: str = ""
    reverts: int | None = None
    trusted: bool = False


@dataclass(frozen=True)
class By:
    """Who decided, and how.

    Attributes:
        seconds: how long the person took, None if unknown.
        evidence: what was shown: run, cluster, similarity, release.
        expected_revision: refuse with Conflict unless the person is still at this revision.
        about: the person whose revision that is; by default the first one named.
    """

    user: User | None
    seconds: float | None = None
    evidence: Mapping[str, Any] | None = None
    expected_revision: int | None = None
    about: int | None = None


def decide(
    *,
    user: User | None,
    kind: str,
    faces: Sequence[int] = (),
    others: Sequence[int] = (),
    identity: int | None = None,
    into: int | None = None,
    text: str = "",
    seconds: float | None = None,
    evidence: Mapping[str, Any] | None = None,
    expected_revision: int | None = None,
) -> Decision:
    """Write one entry as it is. What a page calls "confirm" or "merge" is in `clusters` and `identities`.

    Raises:
        InvalidInput: fields that do not make an entry; `unknown_kind`, `bad_seconds`, `bad_text`, `too_many_faces`.
        NotFound: `no_face` (also for faces that nobody may see), `no_identity`.
        Conflict: `identity_merged`, `stale_revision`.
    """
    if kind not in list(Kind) or kind == Kind.REVERT:
        raise InvalidInput(f"There is no decision of kind {kind!r}.", code="unknown_kind")
    draft = Draft(Kind(kind), tuple(faces), tuple(others), identity, into, text)
    return record([draft], by=By(user, seconds, evidence, expected_revision))[0]


def revert(
    *, user: User | None, decision_id: int, seconds: float | None = None, evidence: Mapping[str, Any] | None = None
) -> list[Decision]:
    """Take back a decision with all that its action did; reverting a revert redoes. Returns the new entries.

    Raises NotFound, Forbidden (somebody else's decision) or Conflict (`already_reverted`).
    """
    with transaction.atomic():
        while_deciding()
        action = Decision.objects.filter(pk=decision_id).values("action")
        targets = list(Decision.objects.filter(action__in=action).order_by("id").defer("faces", "others", "evidence"))
        if not targets:
            raise NotFound(f"There is no decision {decision_id}.", code="no_decision")
        if user is not None:
            check_may_take_back(user, [target.actor_id for target in targets])
        hold([target.pk for target in targets])
        standing = _standing(targets)
        if not standing:
            raise Conflict("This was taken back already.", code="already_reverted")
        # From the last to the first, as each was made on top of those before it.
        drafts = [Draft(Kind.REVERT, reverts=target.pk) for target in reversed(standing)]
        return record(drafts, by=By(user, seconds, evidence))


def undo(*, user: User) -> list[Decision]:
    """Take back the person's latest action that still holds and is no undo itself. Raises NotFound if there is none."""
    recent = Decision.objects.filter(actor=user).exclude(kind=Kind.REVERT).order_by("-id").only("pk")[:200]
    for decision in _standing(list(recent)):
        return revert(user=user, decision_id=decision.pk)
    raise NotFound("There is nothing to undo.", code="nothing_to_undo")


def redo(*, user: User) -> list[Decision]:
    """Take back the person's latest undo, unless they decided something since. Raises NotFound if there is none."""
    latest = Decision.objects.filter(actor=user).order_by("-id").only("kind").first()
    if latest is None or latest.kind != Kind.REVERT:
        raise NotFound("There is nothing to redo.", code="nothing_to_redo")
    reverts = Decision.objects.filter(actor=user, kind=Kind.REVERT, reverts__in=_never_reverts()).order_by("-id")
    for decision in _standing(list(reverts.only("pk")[:200])):
        return revert(user=user, decision_id=decision.pk)
    raise NotFound("There is nothing to redo.", code="nothing_to_redo")


def record(drafts: Sequence[Draft], *, by: By, action: UUID | None = None) -> list[Decision]:
    """Write the entries of one action in one transaction; the services' way in, see `decide` for what it raises."""
    drafts = [_checked(draft) for draft in drafts]
    _check_circumstances(by)
    with transaction.atomic():
        while_deciding()
        _check_identities(drafts, by)
        _check_faces(drafts)
        made = _insert(drafts, by, action or uuid4())
        changed = undone(made)
        tell(changed)  # first, as an answer locks its question before the people in it
        direct_labels.apply(made, changed)
        request_labels(user=by.user)
    return made


def _insert(drafts: Sequence[Draft], by: By, action: UUID) -> list[Decision]:
    made = Decision.objects.bulk_create(_rows(drafts, by, action))
    for decision, draft in zip(made, drafts, strict=True):
        decision.faces, decision.others = list(draft.faces), list(draft.others)
    return made


def _array(faces: tuple[int, ...]) -> Any:
    """As text, for the field would look at each number by itself: tens of milliseconds for a large cluster."""
    return Cast(Value("{" + ",".join(map(str, faces)) + "}"), ArrayField(BigIntegerField()))


def _rows(drafts: Iterable[Draft], by: By, action: UUID) -> list[Decision]:
    return [
        Decision(
            kind=draft.kind.value,
            faces=_array(draft.faces),
            others=_array(draft.others),
            identity_id=draft.identity,
            into_id=draft.into,
            text=draft.text,
            reverts_id=draft.reverts,
            actor=by.user,
            action=action,
            seconds=by.seconds,
            evidence=dict(by.evidence or {}),
        )
        for draft in drafts
    ]


def _checked(draft: Draft) -> Draft:
    """The draft with each face once, after the ledger's own checks."""
    if len(draft.faces) + len(draft.others) > MAX_FACES:
        raise InvalidInput(f"One decision can name {MAX_FACES} faces.", code="too_many_faces")
    text = draft.text.strip()
    if len(text) > MAX_TEXT or any(not character.isprintable() for character in text):
        raise InvalidInput(f"A name or tag has up to {MAX_TEXT} printable characters.", code="bad_text")
    faces, others = tuple(dict.fromkeys(draft.faces)), tuple(dict.fromkeys(draft.others))
    Entry(1, draft.kind, faces, others, draft.identity, draft.into, text, draft.reverts)
    return Draft(draft.kind, faces, others, draft.identity, draft.into, text, draft.reverts, draft.trusted)


def _check_circumstances(by: By) -> None:
    if by.seconds is not None and not (math.isfinite(by.seconds) and 0 <= by.seconds <= 86_400):
        raise InvalidInput("Seconds must lie between 0 and a day.", code="bad_seconds")
    if len(json.dumps(dict(by.evidence or {}), default=str)) > MAX_EVIDENCE:
        raise InvalidInput(f"Evidence has up to {MAX_EVIDENCE} characters.", code="evidence_too_long")


def _check_identities(drafts: Sequence[Draft], by: By) -> None:
    """Lock the people named, in the order of their ids, and count their revisions up."""
    named = {number for draft in drafts for number in (draft.identity, draft.into) if number is not None}
    seen = None if by.expected_revision is None else by.about or drafts[0].identity
    wanted = named if seen is None else named | {seen}
    people = {
        person.pk: person
        for person in Identity.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
    }
    if missing := wanted - people.keys():
        raise NotFound(f"There is no person {min(missing)}.", code="no_identity")
    for person in people.values():
        if person.merged_into_id is not None:
            raise _changed(person, by, code="identity_merged")
    if seen is not None and people[seen].revision != by.expected_revision:
        raise _changed(people[seen], by, code="stale_revision", since=by.expected_revision)
    Identity.objects.filter(pk__in=named).update(revision=F("revision") + 1)


def _changed(person: Identity, by: By, *, code: str, since: int | None = None) -> Conflict:
    """Says who did what to the person meanwhile; `revision` is what to expect to say one's own on top of it."""
    count = 1 if since is None else person.revision - since
    changes = [str(change) for change in changes_of(person.pk, count=count, reader=by.user)]
    return Conflict(
        " ".join(changes) or f"Person {person.pk} has changed since you looked.",
        code=code,
        facts={"changes": changes, "revision": person.revision, "into": person.merged_into_id},
    )


def _check_faces(drafts: Sequence[Draft]) -> None:
    wanted = {face for draft in drafts if not draft.trusted for face in draft.faces + draft.others}
    if not wanted:
        return
    shown = count_showable(wanted)
    if shown != len(wanted):
        raise NotFound(f"{len(wanted) - shown} of these faces do not exist, or nobody may see them.", code="no_face")


def _standing(targets: Sequence[Decision]) -> list[Decision]:
    """Those of the decisions that are not taken back at present, in the order given."""
    gone = taken_back([target.pk for target in targets])
    return [target for target in targets if target.pk not in gone]


def _never_reverts() -> Any:
    return Decision.objects.exclude(kind=Kind.REVERT).values("pk")
