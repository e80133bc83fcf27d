"""What an answer about a cluster means, in words of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from annotation.ledger.entries import Kind
from annotation.models import ClusterMember, Identity, Label
from annotation.services.decisions import Draft
from annotation.services.identities import assignment, create_person, merger, rejection
from foundation.errors import Conflict, InvalidInput
from mining.models import ReviewItem


@dataclass(frozen=True)
class Said:
    """What an answer names: faces by what becomes of them, and who the rest are.

    Attributes:
        split: groups of faces, each a person of their own.
        name, into: what the rest are called, or who else they are.
    """

    rejected: tuple[int, ...] = ()
    split: tuple[tuple[int, ...], ...] = ()
    ignored: tuple[int, ...] = ()
    not_faces: tuple[int, ...] = ()
    name: str = ""
    into: int | None = None

    @property
    def out(self) -> list[int]:
        """All faces that don't stay."""
        return [*self.rejected, *chain(*self.split), *self.ignored, *self.not_faces]


def about_cluster(item: ReviewItem, answer: str, payload: Mapping[str, Any]) -> list[Draft]:
    """`same`: all its faces are the person, but those that the payload takes out; `different`: the widest pair are two
    people.

    The payload may hold `rejected`, `ignored` and `not_faces` (face ids), `split` (lists of face ids, each a person of
    their own), and either `name`, what the person is called, or `into`, whom else the person is. Raises InvalidInput
    (`unknown_answer`, `bad_payload`, `face_not_in_cluster`) or Conflict (`cluster_empty`).
    """
    if answer == "different":
        a, b = item.faces[-2:]
        return [Draft(Kind.DIFFERENT, faces=(a,), others=(b,)), *parting(a, b)]
    if answer != "same":
        raise InvalidInput("A cluster is `same` or `different`.", code="unknown_answer")
    said = read_payload(payload)
    person = known_now(item.identities[0])
    out = set(said.out)
    inside, theirs = _faces_of(item, person, out)
    if missing := len(out) - inside:
        raise InvalidInput(f"{missing} of these faces are not in the cluster.", code="face_not_in_cluster")
    rest = tuple(face for face in theirs if face not in out)
    if not rest and (said.rejected or said.name or said.into is not None or not out):
        raise Conflict("No face of this cluster is left to confirm.", code="cluster_empty")
    return _taken_out(said, person) + (_confirmed(said, rest, person) if rest else [])


def _faces_of(item: ReviewItem, person: int, out: set[int]) -> tuple[int, Iterable[int]]:
    """How many of the faces that leave are in the cluster, and all its faces that are the person's."""
    if item.gold:
        grid = sorted(face for face, _, _ in item.evidence["grid"])
        return len(out.intersection(grid)), grid
    members = ClusterMember.objects.filter(cluster=item.evidence["cluster"])
    # By membership: the labels of a large cluster come back some time after an undo.
    inside = members.filter(face__in=out).count() if out else 0
    return inside, members.filter(face__label__identity=person).order_by("face_id").values_list("face_id", flat=True)


def read_payload(payload: Mapping[str, Any]) -> Said:
    """Raises InvalidInput (`bad_payload`)."""
    if payload.keys() - {"rejected", "split", "ignored", "not_faces", "name", "into"}:
        raise InvalidInput("An answer names `rejected`, `split`, `ignored`, `not_faces`, `name`.", code="bad_payload")
    name, into, groups = payload.get("name", ""), payload.get("into"), payload.get("split", [])
    if not isinstance(name, str) or not (into is None or is_id(into)) or (name.strip() and into is not None):
        raise InvalidInput("There is either `name`, a text, or `into`, a person's id.", code="bad_payload")
    if not isinstance(groups, list) or [] in groups:
        raise InvalidInput("`split` are lists of face ids.", code="bad_payload")
    rejected, ignored, not_faces = (faces_in(payload.get(key, [])) for key in ("rejected", "ignored", "not_faces"))
    said = Said(rejected, tuple(map(faces_in, groups)), ignored, not_faces, name.strip(), into)
    if len(set(said.out)) < len(said.out):
        raise InvalidInput("Each face leaves a cluster in one way only.", code="bad_payload")
    return said


def faces_in(given: object) -> tuple[int, ...]:
    """Ids of faces, each once. Raises InvalidInput (`bad_payload`)."""
    if not isinstance(given, list) or not all(map(is_id, given)):
        raise InvalidInput("Faces are named by their ids.", code="bad_payload")
    return tuple(dict.fromkeys(given))


def is_id(given: object) -> bool:
    return type(given) is int and 0 < given < 2**63


def _taken_out(said: Said, person: int) -> list[Draft]:
    drafts = [rejection(person, said.rejected, leaving=said.out)] if said.rejected else []
    for group in said.split:
        drafts += assignment(group, create_person().pk, leaving=said.out)
    drafts += [Draft(Kind.IGNORE, faces=said.ignored)] if said.ignored else []
    return drafts + ([Draft(Kind.NOT_A_FACE, faces=said.not_faces)] if said.not_faces else [])


def _confirmed(said: Said, rest: tuple[int, ...], person: int) -> list[Draft]:
    drafts = [Draft(Kind.ASSIGN, faces=rest, identity=person, trusted=True)]
    if said.name:
        drafts.append(Draft(Kind.RENAME, identity=person, text=said.name))
    if said.into is not None and (other := known_now(said.into)) != person:
        drafts.append(merger(person, other))
    return drafts


def parting(subject: int, other: int) -> list[Draft]:
    """A given label stays with a face until somebody speaks against it: two faces that are apart can't both keep it."""
    labels = {label.face_id: label for label in Label.objects.filter(face__in=(subject, other))}
    a, b = labels.get(subject), labels.get(other)
    given = (Label.Source.IMPORT, Label.Source.SYNTHETIC)
    if a is None or b is None or a.identity_id is None or a.identity_id != b.identity_id or a.source not in given:
        return []
    return [Draft(Kind.REJECT, faces=(subject,), identity=a.identity_id)]


def known_now(person: int) -> int:
    """Whom a person was merged into, if so."""
    into = Identity.objects.filter(pk=person).values_list("merged_into", flat=True).first()
    return person if into is None else known_now(into)
