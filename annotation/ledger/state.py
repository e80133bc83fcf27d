"""What a ledger amounts to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from annotation.ledger.entries import Kind

Clash = Literal["answer", "merge"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """An entry part of which no longer holds because later ones say otherwise, unknown perhaps to who made them.

    A plain change of mind (assign again, answer the same pair again) is no conflict.

    Attributes:
        dropped: the entry that lost.
        because: the later (or equally old) entries that contradict it together, rising.
        faces: the one or two faces about which `dropped` no longer holds.
        clash: `answer` if answers about pairs take part, `merge` if it arose because two persons were merged.
    """

    dropped: int
    because: tuple[int, ...]
    faces: tuple[int, ...]
    clash: Clash


@dataclass(frozen=True, slots=True)
class State:
    """The result of a replay. Identities are roots throughout: merged ones appear under the one they became.

    Attributes:
        identity_of: face -> the person that people say it is, directly or by `same` with such a face.
        decided_by: face -> the entry that labelled it or set it aside.
        rejected: face -> {person that it is not: entry}; for a face without a label this includes what follows from
            `different` and `same`.
        set_aside: face -> `ignore` or `not_a_face`. Such faces are never in `identity_of`.
        must: pair (smaller face id first) -> the `same` entry that holds.
        cannot: pair -> the entry that holds: `different`, or a `reject` or `split` with `others`.
        group_of: face -> smallest face id of its group, for faces without a label that `same` ties to others.
        root: identity -> what it was merged into, only for identities that were.
        names: identity -> name, where it was given one; empty where the name was taken away.
        identity_tags, face_tags: sorted tags.
        conflicts: by `dropped`, then faces.
        reverted: entries that are taken back at present.
    """

    identity_of: Mapping[int, int] = field(default_factory=dict)
    decided_by: Mapping[int, int] = field(default_factory=dict)
    rejected: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    set_aside: Mapping[int, Kind] = field(default_factory=dict)
    must: Mapping[tuple[int, int], int] = field(default_factory=dict)
    cannot: Mapping[tuple[int, int], int] = field(default_factory=dict)
    group_of: Mapping[int, int] = field(default_factory=dict)
    root: Mapping[int, int] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    identity_tags: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    face_tags: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()
    reverted: frozenset[int] = frozenset()

    def root_of(self, identity: int) -> int:
        """The person that this identity is, after all merges."""
        return self.root.get(identity, identity)
