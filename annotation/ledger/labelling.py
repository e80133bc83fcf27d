"""Who each face shows: what people said, then what a clustering and the last labels add to it.

1. Faces of people's decisions have their label or are set aside, whatever the clustering says.
2. Poor faces, those of a profile that are not in its largest cluster, and clusters that are too small, stay without
   a label. A face that a person tied to others by `same` is judged with them, not by itself.
3. A label from outside holds where people say nothing else, and for the faces that people tied to it by `same`.
4. A cluster is the person that most of its human-labelled faces are. A label given by taking the face away from the
   cluster's previous person, or from one of its open faces, does not speak for the cluster.
5. Other clusters keep previous persons, largest overlap first, one each; so ids and names outlive a new clustering.
   Persons that people put on faces elsewhere are not up for this, but one merged from several keeps all it had.
6. The rest are new persons.
7. Nobody gets a person that was rejected for them; of two faces that can't be one person (an answer, one photo) and
   would both become it, one without a label from outside, else the less similar one, stays without.

Labelling again, with what came of it as the previous persons, changes nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from annotation.ledger.entries import Kind
from annotation.ledger.labels import CODE, FIRST_NEW, NOBODY, Bool, Clustered, Int, Labels, Reason, Rules
from annotation.ledger.matching import keep_previous
from annotation.ledger.state import State


def label(
    state: State,
    faces: Clustered,
    *,
    previous: Mapping[int, int],
    rules: Rules,
    given: Mapping[int, int] | None = None,
) -> Labels:
    """Label every row. The result depends on what is given alone, not on the numbering of clusters or order of rows.

    Args:
        state: what the ledger amounts to.
        faces: the rows of one cluster run.
        previous: face -> the person that clustering gave it last time.
        rules: when to label, and how sure to be.
        given: face -> the person that it is by a label from outside.
    """
    work = _Labelling(state, faces, rules)
    work.obey_decisions()
    work.keep_groups_together()
    work.read_given(given or {})
    work.set_aside_poor_faces()
    work.apply_profile_prior()
    work.set_aside_small_clusters()
    persons = work.persons_of_clusters(previous)
    work.spread(persons)
    work.keep_given()
    work.obey_rejections()
    work.separate_pairs()
    work.separate_photos()
    return work.result(persons)


class _Labelling:
    """The columns while they are being filled. `open` rows are those that still may get a label from clustering."""

    def __init__(self, state: State, faces: Clustered, rules: Rules) -> None:
        n = len(faces.face_ids)
        self._state, self._faces, self._rules = state, faces, rules
        self._row: dict[int, int] = {face: row for row, face in enumerate(faces.face_ids.tolist())}
        self._identity: Int = np.full(n, NOBODY, np.int64)
        self._human: Bool = np.zeros(n, np.bool_)
        self._vouched: Bool = np.zeros(n, np.bool_)
        self._open: Bool = np.ones(n, np.bool_)
        self._reason = np.zeros(n, np.int8)
        self._decision: Int = np.zeros(n, np.int64)
        self._cluster: Int = faces.clusters.astype(np.int64)  # a copy
        self._group: dict[int, list[int]] = {}  # smallest face id -> rows
        self._given: Int = np.full(n, NOBODY, np.int64)  # by labels from outside, as far as people say nothing else
        self._refused: dict[int, int] = {}  # row -> entry that says it is not who it was by a label from outside
        span = float(rules.confident_at - rules.doubtful_at)
        self._confidence = np.clip((faces.similarity - rules.doubtful_at) / span, 0, 1).astype(np.float32)

    def _close(self, rows: Bool | list[int], reason: Reason) -> None:
        self._open[rows] = False
        self._identity[rows] = NOBODY
        self._reason[rows] = CODE[reason]

    def obey_decisions(self) -> None:
        for face, person in self._state.identity_of.items():
            row = self._row.get(face)
            if row is not None:
                self._identity[row], self._human[row], self._open[row] = person, True, False
                self._decision[row] = self._state.decided_by[face]
        for face, kind in self._state.set_aside.items():
            row = self._row.get(face)
            if row is not None:
                self._close([row], Reason.IGNORED if kind is Kind.IGNORE else Reason.NOT_A_FACE)
                self._cluster[row] = -1
                self._decision[row] = self._state.decided_by[face]

    def keep_groups_together(self) -> None:
        """Move each group tied by `same` to the cluster that holds most of it; the first of its faces breaks ties."""
        for face, group in sorted(self._state.group_of.items()):
            row = self._row.get(face)
            if row is not None and self._open[row]:
                self._group.setdefault(group, []).append(row)
        fresh = int(self._cluster.max(initial=-1)) + 1
        for rows in self._group.values():
            self._vouched[rows] = True
            homes = Counter(int(self._cluster[row]) for row in rows if self._cluster[row] >= 0)
            home = homes.most_common(1)[0][0] if homes else fresh
            fresh += not homes
            self._cluster[rows] = home
        self._number_clusters()

    def read_given(self, given: Mapping[int, int]) -> None:
        """Of faces tied by `same`, most labels from outside speak for all, the smallest person on a tie."""
        votes: defaultdict[int, list[int]] = defaultdict(list)
        for face, person in given.items():
            row, person = self._row.get(face), self._state.root_of(person)
            if row is None or self._decision[row]:
                continue
            entry = self._state.rejected.get(face, {}).get(person)
            if entry is not None:
                self._refused[row] = entry
            else:
                votes[self._tied_rows(row)[0]].append(person)
        for row, persons in votes.items():
            self._given[self._tied_rows(row)] = min(set(persons), key=lambda p: (-persons.count(p), p))

    def _tied_rows(self, row: int) -> list[int]:
        """The open rows that a person tied to this one by `same`, itself included."""
        group = self._state.group_of.get(int(self._faces.face_ids[row]))
        return [row] if group is None else self._group.get(group, [row])

    def _number_clusters(self) -> None:
        """Renumber 0.. by smallest face id, so that nothing hangs on the numbering of the run."""
        self._old_number, number = np.unique(self._cluster, return_inverse=True)
        smallest = np.full(len(self._old_number), np.iinfo(np.int64).max)
        np.minimum.at(smallest, number, self._faces.face_ids)
        alone = self._old_number < 0
        smallest[alone] = -1
        order = np.argsort(smallest, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order)) - int(alone.sum())
        self._old_number = self._old_number[order][int(alone.sum()) :]
        self._cluster = rank[number]
        self._count = len(self._old_number)

    def set_aside_poor_faces(self) -> None:
        poor = self._open & ~self._vouched & (self._faces.quality < self._rules.min_quality)
        self._close(poor, Reason.LOW_QUALITY)

    def apply_profile_prior(self) -> None:
        """Within a profile the largest cluster of two or more faces is the owner, and the rest is noise."""
        counted = (self._open | (self._human & (self._identity != NOBODY))) & (self._cluster >= 0)
        counted &= self._faces.profiles >= 0
        cells, sizes = np.unique(
            np.stack([self._faces.profiles[counted], self._cluster[counted]], 1), axis=0, return_counts=True
        )
        owner: dict[int, tuple[int, int]] = {}
        for (profile, cluster), size in zip(cells.tolist(), sizes.tolist(), strict=True):
            if size >= 2 and size > owner.get(profile, (0, 0))[0]:
                owner[profile] = (size, cluster)
        for profile, (_, cluster) in owner.items():
            strangers = self._open & ~self._vouched & (self._faces.profiles == profile) & (self._cluster != cluster)
            self._close(strangers, Reason.PROFILE_PRIOR)

    def set_aside_small_clusters(self) -> None:
        labelled = self._human & (self._cluster >= 0)
        sizes = np.bincount(self._cluster[(self._open | labelled) & (self._cluster >= 0)], minlength=self._count)
        small = sizes < self._rules.min_size
        small[self._cluster[labelled]] = False
        self._close(self._open & np.append(small, True)[self._cluster], Reason.SINGLETON)

    def persons_of_clusters(self, previous: Mapping[int, int]) -> Int:
        """(clusters,) person, NOBODY where no row is open, or a new person's number."""
        before = np.array(
            [self._state.root_of(previous[face]) if face in previous else NOBODY for face in self._row], np.int64
        )
        for face, rejected in self._state.rejected.items():
            row = self._row.get(face)
            if row is not None and int(before[row]) in rejected:
                before[row] = NOBODY
        fixed = self._given != NOBODY
        before[fixed] = self._given[fixed]
        persons = self._settled(before, fixed)
        inhabited = np.unique(self._cluster[self._open])
        new = inhabited[persons[inhabited] == NOBODY]
        persons[new] = FIRST_NEW - np.arange(len(new))
        return persons

    def _settled(self, before: Int, fixed: Bool) -> Int:
        """(clusters,) whom people or else the last labels give each cluster, NOBODY where neither does."""
        voters = self._voters()
        habit = _most_frequent(self._cluster[self._open], before[self._open], fixed[self._open])
        persons = np.full(self._count, NOBODY, np.int64)
        for cluster, rows in voters.items():
            person = self._elected(rows, habit.get(cluster, NOBODY))
            persons[cluster] = person if person == NOBODY else self._elected(rows, person)
        while True:
            kept = persons.copy()
            waiting = self._open & (np.append(persons, NOBODY)[self._cluster] == NOBODY)
            keep_previous(
                kept,
                self._cluster[waiting],
                before[waiting],
                fixed=fixed[waiting],
                taken=set(self._identity[self._human].tolist()),
                many=set(self._state.root.values()),
                min_overlap=self._rules.min_overlap,
            )
            # Who was taken away from the usual person speaks after all where the cluster isn't that one any more.
            late = {
                cluster: person
                for cluster in voters.keys() & set(self._cluster[waiting].tolist())
                if (person := self._elected(voters[cluster], int(kept[cluster]))) != NOBODY
            }
            if not late:
                return kept
            persons[list(late)] = list(late.values())

    def _voters(self) -> dict[int, list[int]]:
        """Cluster -> the rows that people labelled, but for those told apart from one of its open faces."""
        parted = self._parted_from()
        voters: defaultdict[int, list[int]] = defaultdict(list)
        for row in np.flatnonzero(self._human & (self._cluster >= 0)).tolist():
            cluster = int(self._cluster[row])
            if cluster not in parted.get(row, ()):
                voters[cluster].append(row)
        return voters

    def _elected(self, voters: Sequence[int], habit: int) -> int:
        """The person of most of those who were not taken away from `habit`, the smallest on a tie, or NOBODY."""
        faces = self._faces.face_ids
        loyal = [row for row in voters if habit not in self._state.rejected.get(int(faces[row]), ())]
        counts = Counter(self._identity[loyal].tolist())
        return min(counts, key=lambda p: (-counts[p], p != habit, p)) if counts else NOBODY

    def _parted_from(self) -> dict[int, set[int]]:
        """Row -> the clusters with an open face that people have told apart from it."""
        found: dict[int, set[int]] = {}
        for a, b in self._state.cannot:
            for row, other in ((self._row.get(a), self._row.get(b)), (self._row.get(b), self._row.get(a))):
                if row is not None and other is not None and self._open[other]:
                    found.setdefault(row, set()).add(int(self._cluster[other]))
        return found

    def spread(self, persons: Int) -> None:
        self._identity[self._open] = persons[self._cluster[self._open]]

    def keep_given(self) -> None:
        given = self._given != NOBODY
        self._identity[given], self._open[given], self._reason[given] = self._given[given], False, CODE[Reason.NONE]
        for row, entry in self._refused.items():
            if self._identity[row] == NOBODY:
                self._close([row], Reason.REJECTED)
                self._decision[row] = entry

    def obey_rejections(self) -> None:
        for face, rejected in self._state.rejected.items():
            row = self._row.get(face)
            if row is not None and self._open[row] and (person := int(self._identity[row])) in rejected:
                self._close([row], Reason.REJECTED)
                self._decision[row] = rejected[person]

    def separate_pairs(self) -> None:
        for (a, b), entry in sorted(self._state.cannot.items()):
            row_a, row_b = self._row.get(a), self._row.get(b)
            if row_a is not None and row_b is not None and self._one_person(row_a, row_b):
                for row in self._drop_weaker(row_a, row_b, Reason.REJECTED):
                    self._decision[row] = entry

    def separate_photos(self) -> None:
        """Nobody is in one photo twice, unless a person said so."""
        labelled = np.flatnonzero(self._identity != NOBODY)
        order = labelled[np.lexsort((self._identity[labelled], self._faces.photo_ids[labelled]))]
        photo, person = self._faces.photo_ids[order], self._identity[order]
        again = np.flatnonzero((photo[1:] == photo[:-1]) & (person[1:] == person[:-1]))
        for cell in {(int(photo[i]), int(person[i])) for i in again}:
            rows = order[(photo == cell[0]) & (person == cell[1])].tolist()
            for a in rows:
                for b in rows:
                    either = self._open[a] or self._open[b]
                    if a < b and either and self._one_person(a, b) and not self._tied(a, b):
                        self._drop_weaker(a, b, Reason.SAME_PHOTO)

    def _one_person(self, a: int, b: int) -> bool:
        return bool(self._identity[a] == self._identity[b] != NOBODY and not (self._human[a] and self._human[b]))

    def _tied(self, a: int, b: int) -> bool:
        group = self._state.group_of.get(int(self._faces.face_ids[a]), 0)
        return group == self._state.group_of.get(int(self._faces.face_ids[b]), -1)

    def _drop_weaker(self, a: int, b: int, reason: Reason) -> list[int]:
        """Take the label from the row that is less sure, and from all faces that a person tied to it."""

        def strength(row: int) -> tuple[bool, bool, bool, float, int]:
            given, vouched = bool(self._given[row] != NOBODY), bool(self._vouched[row])
            return bool(self._human[row]), given, vouched, float(self._confidence[row]), -int(self._faces.face_ids[row])

        rows = self._tied_rows(min(a, b, key=strength))
        self._close(rows, reason)
        return rows

    def result(self, persons: Int) -> Labels:
        renumbered = self._renumber_new()
        outside = (self._given != NOBODY) & (self._identity != NOBODY)
        self._confidence[self._human | outside] = 1
        self._confidence[self._identity == NOBODY] = 0
        names = dict.fromkeys(np.unique(self._faces.clusters[self._faces.clusters >= 0]).tolist(), NOBODY)
        for old, person in zip(self._old_number.tolist(), persons.tolist(), strict=True):
            if old in names:
                names[old] = renumbered.get(person, NOBODY) if person <= FIRST_NEW else person
        return Labels(
            identity=self._identity,
            human=self._decision > 0,
            outside=outside,
            confidence=self._confidence,
            reason=self._reason,
            decision=self._decision,
            cluster_identity=names,
            new=len(renumbered),
        )

    def _renumber_new(self) -> dict[int, int]:
        """New persons who lost all their faces since are not made."""
        used = [person for person in np.unique(self._identity).tolist() if person <= FIRST_NEW][::-1]
        renumbered = {person: FIRST_NEW - k for k, person in enumerate(used)}
        for person, number in renumbered.items():
            self._identity[self._identity == person] = number
        return renumbered


def _most_frequent(clusters: Int, persons: Int, fixed: Bool) -> dict[int, int]:
    """Cluster -> the person that most of its rows are; on a tie that of more rows not `fixed`, then the smallest."""
    known = persons != NOBODY
    cells, cell, sizes = np.unique(
        np.stack([clusters[known], persons[known]], 1), axis=0, return_inverse=True, return_counts=True
    )
    movable = np.bincount(cell, weights=~fixed[known], minlength=len(cells))
    best: dict[int, tuple[int, int, int]] = {}
    for (cluster, person), size, free in zip(cells.tolist(), sizes.tolist(), movable.tolist(), strict=True):
        if (size, free) > best.get(cluster, (0, 0))[:2]:
            best[cluster] = (size, free, person)
    return {cluster: person for cluster, (_, _, person) in best.items()}
