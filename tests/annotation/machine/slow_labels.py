"""Who each face shows, face by face in plain Python: what `annotation.ledger.labelling` says, read a second time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.ledger.entries import Entry, Kind
from tests.annotation.ledger.oracle import Oracle

NEW = -2  # -2, -3, ... are persons yet to be made


@dataclass(frozen=True)
class Row:
    """A face of a clustering; `cluster` is 0 where it stands alone, `profile` 0 where it is in none."""

    face: int
    photo: int
    cluster: int
    similarity: float
    quality: float
    profile: int


@dataclass
class Shown:
    """What is to become of a face. `open`: clustering may still label it."""

    person: int | None = None
    human: bool = False
    reason: str = ""
    open: bool = True
    outside: bool = False

    def close(self, reason: str, *, human: bool = False) -> None:
        self.person, self.reason, self.open, self.human, self.outside = None, reason, False, human, False


class SlowLabels:
    """`shown` holds each face's label, `named` the person of each cluster."""

    def __init__(
        self,
        oracle: Oracle,
        entries: Sequence[Entry],
        rows: Sequence[Row],
        previous: Mapping[int, int],
        rules: Mapping[str, Any],
        given: Mapping[int, int],
    ) -> None:
        self.oracle, self.rules = oracle, rules
        self.rows = {row.face: row for row in sorted(rows, key=lambda row: row.face)}
        self.cluster = {face: row.cluster for face, row in self.rows.items()}
        self.shown = {face: Shown() for face in self.rows}
        self.groups: dict[int, set[int]] = {}  # face -> the open faces that `same` ties to it, itself included
        self.before = {face: self._root(person) for face, person in self._parted(entries, previous).items()}
        self._people()
        self._groups()
        self.given = {face: person for face in self._open() if (person := self._given(face, given)) is not None}
        self._poor()
        self._profiles()
        self._small()
        self.named = self._persons()
        for face in self._open():
            self.shown[face].person = self.named[self.cluster[face]]
        for face, person in self.given.items():
            self.shown[face] = Shown(person, open=False, outside=True)
        for face, shown in self.shown.items():
            refused = shown.person is None and not shown.human and self._root(given.get(face, 0)) in self.rejected(face)
            if refused or (shown.open and shown.person in self.rejected(face)):
                shown.close("rejected", human=True)
        self._pairs()
        self._photos()

    def _root(self, person: int) -> int:
        return self.oracle.root.get(person, person)

    def _open(self) -> list[int]:
        return [face for face, shown in self.shown.items() if shown.open]

    def rejected(self, face: int) -> set[int]:
        """Whom the face is not: as people said; where they don't say who it is, also as follows."""
        said = {-b for _, kind, a, b in self.oracle.accepted if kind == 2 and a == face}
        return said if self.oracle.person(face) is not None else said | self.oracle.excluded(face)

    def _parted(self, entries: Sequence[Entry], previous: Mapping[int, int]) -> dict[int, int]:
        """The previous persons, but for clusters that only a merge which was taken back had taken along."""
        active = {entry.id for entry in self.oracle.active}
        wanted: dict[int, tuple[int, int]] = {}
        for merge in entries:
            if merge.kind is not Kind.MERGE or merge.id in active:
                continue
            identity, into = merge.identity or 0, merge.into or 0
            if self._root(identity) != self._root(into):
                theirs = {self.cluster.get(face, 0) for face in merge.faces}
                others = {self.cluster.get(face, 0) for face in merge.others}
                for cluster in theirs - others - {0}:
                    wanted[cluster] = (identity, into)
        out = {face: person for face, person in previous.items() if face in self.rows}
        for face, cluster in self.cluster.items():
            if cluster in wanted and face in out and self._root(out[face]) == self._root(wanted[cluster][1]):
                out[face] = wanted[cluster][0]
        return out

    def _people(self) -> None:
        for face, shown in self.shown.items():
            person, aside = self.oracle.person(face), self.oracle.aside.get(face)
            if aside is not None:
                shown.close("ignored" if aside is Kind.IGNORE else "not_a_face", human=True)
                self.cluster[face] = 0
            elif person is not None:
                shown.person, shown.human, shown.open = person, True, False

    def _groups(self) -> None:
        tied = {face for _, kind, a, b in self.oracle.accepted if kind == 1 for face in (a, b)}
        for face in self._open():
            if face in tied:
                component = self.oracle.component(face)
                self.groups[face] = {other for other in component if other in self.shown and self.shown[other].open}
        fresh = -1
        for face, group in sorted(self.groups.items()):
            if face == min(group):
                homes = Counter(self.cluster[other] for other in sorted(group) if self.cluster[other])
                home = max(homes, key=lambda cluster: homes[cluster]) if homes else fresh
                fresh -= 1
                self.cluster.update(dict.fromkeys(group, home))

    def _given(self, face: int, given: Mapping[int, int]) -> int | None:
        """Whom most labels from outside say that the face and those tied to it are, unless people say it is not."""
        people = [self._root(given[other]) for other in self.groups.get(face, {face}) if other in given]
        votes = Counter(person for person in people if person not in self.rejected(face))
        return min(votes, key=lambda person: (-votes[person], person)) if votes else None

    def _vouched(self, face: int) -> bool:
        return face in self.groups

    def _poor(self) -> None:
        for face in self._open():
            if not self._vouched(face) and self.rows[face].quality < self.rules["min_quality"]:
                self.shown[face].close("low_quality")

    def _first_face(self, cluster: int) -> int:
        return min(face for face, number in self.cluster.items() if number == cluster)

    def _profiles(self) -> None:
        owners = {}
        for profile in {row.profile for row in self.rows.values()} - {0}:
            sizes = Counter(
                self.cluster[face]
                for face, shown in self.shown.items()
                if self.rows[face].profile == profile and self.cluster[face] and (shown.open or shown.person)
            )
            large = [cluster for cluster in sizes if sizes[cluster] >= 2]
            if large:
                owners[profile] = min(large, key=lambda cluster: (-sizes[cluster], self._first_face(cluster)))
        for face in self._open():
            owner = owners.get(self.rows[face].profile)
            if owner is not None and self.cluster[face] != owner and not self._vouched(face):
                self.shown[face].close("profile_prior")

    def _small(self) -> None:
        for face in self._open():
            mates = [self.shown[o] for o, number in self.cluster.items() if number == self.cluster[face] != 0]
            said = any(mate.human and mate.person for mate in mates)
            enough = sum(bool(mate.open or (mate.human and mate.person)) for mate in mates) >= self.rules["min_size"]
            if not self.cluster[face] or not (said or enough):
                self.shown[face].human = False
                self.shown[face].reason = "singleton"
        for shown in self.shown.values():
            if shown.reason == "singleton":
                shown.open = False

    def _persons(self) -> dict[int, int | None]:
        before = {face: person for face, person in self.before.items() if person not in self.rejected(face)}
        before.update(self.given)
        clusters = sorted({number for number in self.cluster.values() if number}, key=self._first_face)
        named: dict[int, int | None] = dict.fromkeys(clusters)
        for cluster in clusters:
            mates = [face for face in self._open() if self.cluster[face] == cluster and face in before]
            habits = Counter(before[face] for face in mates)
            movable = Counter(before[face] for face in mates if face not in self.given)
            habit = min(habits, key=lambda p: (-habits[p], -movable[p], p)) if habits else None
            first = self._elected(cluster, habit)
            named[cluster] = first and self._elected(cluster, first)
        settled: dict[int, int | None] = {}
        late: dict[int, int | None] | None = None
        while late is None or late:  # once more without those who are somebody else now
            named.update(late or {})
            settled = dict(named)
            self._keep(settled, before, clusters)
            waiting = {self.cluster[face] for face in self._open() if named[self.cluster[face]] is None}
            late = {cluster: self._elected(cluster, settled[cluster]) for cluster in waiting}
            late = {cluster: person for cluster, person in late.items() if person is not None}
        named = settled
        number = NEW
        for cluster in clusters:
            if named[cluster] is None and any(self.cluster[face] == cluster for face in self._open()):
                named[cluster] = number
                number -= 1
        return named

    def _elected(self, cluster: int, usual: int | None) -> int | None:
        """Whom most of its faces are by people, but for those taken from the usual person or from its open faces."""
        votes = Counter(
            shown.person
            for face, shown in self.shown.items()
            if shown.human and shown.person and self.cluster[face] == cluster
            if usual not in self.rejected(face) and not self._parted_from(face, cluster)
        )
        return min(votes, key=lambda p: (-votes[p], p != usual, p or 0)) if votes else None

    def _parted_from(self, face: int, cluster: int) -> bool:
        """Whether people told the face apart from an open one of the cluster."""
        others = {a if b == face else b for _, kind, a, b in self.oracle.accepted if kind == 3 and face in (a, b)}
        return any(self.cluster.get(other) == cluster and self.shown[other].open for other in others)

    def _keep(self, named: dict[int, int | None], before: Mapping[int, int], clusters: Sequence[int]) -> None:
        """Persons of the last labels stay with the clusters that hold most of them."""
        waiting = [face for face in self._open() if named[self.cluster[face]] is None]
        cells = Counter((before[face], self.cluster[face]) for face in waiting if face in before)
        size = Counter(self.cluster[face] for face in waiting)
        parts = Counter((before[face], self.cluster[face], face in self.given) for face in waiting if face in before)
        whole = Counter((before[face], face in self.given) for face in waiting if face in before)
        used = {shown.person for shown in self.shown.values() if shown.human}
        merged = {root for person, root in self.oracle.root.items() if person != root}
        for person, cluster in sorted(cells, key=lambda cell: (-cells[cell], cell[0], clusters.index(cell[1]))):
            both = cells[person, cluster]
            large = both / size[cluster] >= self.rules["min_overlap"]
            kinds = [kind for kind in (False, True) if whole[person, kind]]
            shares = [parts[person, cluster, kind] / whole[person, kind] for kind in kinds]
            if named[cluster] is not None or not (large or max(shares) >= self.rules["min_overlap"]):
                continue
            if person not in used or (person in merged and large):
                named[cluster] = person
                used.add(person)

    def _pairs(self) -> None:
        for a, b in sorted((a, b) for _, kind, a, b in self.oracle.accepted if kind == 3):
            if a in self.shown and b in self.shown and self._both(a, b):
                self._drop_weaker(a, b, "rejected", human=True)

    def _photos(self) -> None:
        for a in sorted(self.rows):
            for b in sorted(self.rows):
                tied = b in self.groups.get(a, ())
                either = self.shown[a].open or self.shown[b].open
                if a < b and self.rows[a].photo == self.rows[b].photo and either and self._both(a, b) and not tied:
                    self._drop_weaker(a, b, "same_photo")

    def _both(self, a: int, b: int) -> bool:
        one, two = self.shown[a], self.shown[b]
        return one.person is not None and one.person == two.person and not (one.human and two.human)

    def _drop_weaker(self, a: int, b: int, reason: str, *, human: bool = False) -> None:
        weaker = min(a, b, key=lambda face: (*self._strength(face), *self._sureness(face), -face))
        for face in self.groups.get(weaker, {weaker}):
            self.shown[face].close(reason, human=human)

    def _strength(self, face: int) -> tuple[bool, bool]:
        return self.shown[face].human, self.shown[face].outside

    def _sureness(self, face: int) -> tuple[bool, float]:
        low, high = self.rules["doubtful_at"], self.rules["confident_at"]
        similarity = np.float32(self.rows[face].similarity)
        return self._vouched(face), float(np.clip((similarity - low) / (high - low), 0, 1).astype(np.float32))
