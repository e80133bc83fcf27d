"""Who each face shows: what people said, then what a clustering and the last labels add to it.

1. Faces of people's decisions have their label or are set aside, whatever the clustering says.
2. Poor faces, those of a profile that are not in its largest cluster, and clusters that are too small, stay without
   a label. A face that a person tied to others by `same` is judged with them, not by itself.
3. A cluster is the person that most of its human-labelled faces are. A label given by taking the face away from the
   cluster's previous person, or from one of its open faces, does not speak for the cluster.
4. Other clusters keep previous persons, largest overlap first, one each; so ids and names outlive a new clustering.
   Persons that people put on faces elsewhere are not up for this, but one merged from several keeps all it had.
5. The rest are new persons.
6. Nobody gets a person that was rejected for them; of two faces that can't be one person (an answer, one photo) and
   would both become it, the less similar one stays without a label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from annotation.ledger.entries import Kind
from annotation.ledger.labels import CODE, FIRST_NEW, NOBODY, Bool, Clustered, Int, Labels, Reason, Rules
from annotation.ledger.matching import keep_previous
from annotation.ledger.state import State


def label(state: State, faces: Clustered, *, previous: Mapping[int, int], rules: Rules) -> Labels:
    """Label every row. The result depends on what is given alone, not on the numbering of clusters or order of rows.

    Args:
        state: what the ledger amounts to.
        faces: the rows of one cluster run.
        previous: face -> the person that clustering gave it last time.
        rules: when to label, and how sure to be.
    """
    work = _Labelling(state, faces, rules)
    work.obey_decisions()
    work.keep_groups_together()
    work.set_aside_poor_faces()
    work.apply_profile_prior()
    work.set_aside_small_clusters()
    persons = work.persons_of_clusters(previous)
    work.spread(persons)
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
        persons = self._persons_by_people(before)
        taken = set(self._identity[self._human].tolist())
        waiting = self._open & (np.append(persons, 0)[self._cluster] == NOBODY) & (self._cluster >= 0)
        keep_previous(
            persons,
            self._cluster[waiting],
            before[waiting],
            taken=taken,
            many=set(self._state.root.values()),
            min_overlap=self._rules.min_overlap,
        )
        inhabited = np.zeros(self._count, np.bool_)
        inhabited[self._cluster[waiting]] = True
        new = np.flatnonzero(inhabited & (persons == NOBODY))
        persons[new] = FIRST_NEW - np.arange(len(new))
        return persons

    def _persons_by_people(self, before: Int) -> Int:
        persons = np.full(self._count, NOBODY, np.int64)
        habit = _most_frequent(self._cluster[self._open], before[self._open])
        parted = self._parted_from()
        votes: dict[int, Counter[int]] = {}
        for row in np.flatnonzero(self._human & (self._cluster >= 0)).tolist():
            cluster = int(self._cluster[row])
            rejected = self._state.rejected.get(int(self._faces.face_ids[row]), ())
            if habit.get(cluster) not in rejected and cluster not in parted.get(row, ()):
                votes.setdefault(cluster, Counter())[int(self._identity[row])] += 1
        for cluster, counts in votes.items():
            persons[cluster] = min(counts, key=lambda p: (-counts[p], p != habit.get(cluster), p))
        return persons

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

    def obey_rejections(self) -> None:
        for face, rejected in self._state.rejected.items():
            row = self._row.get(face)
            if row is not None and self._open[row] and (person := int(self._identity[row])) in rejected:
                self._close([row], Reason.REJECTED)
                self._decision[row] = rejected[person]

    def separate_pairs(self) -> None:
        for (a, b), entry in sorted(self._state.cannot.items()):
            row_a, row_b = self._row.get(a), self._row.get(b)
            if row_a is not None and row_b is not None and self._both(row_a, row_b):
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
                    if a < b and self._both(a, b) and not self._tied(a, b):
                        self._drop_weaker(a, b, Reason.SAME_PHOTO)

    def _both(self, a: int, b: int) -> bool:
        return bool(self._identity[a] == self._identity[b] != NOBODY and (self._open[a] or self._open[b]))

    def _tied(self, a: int, b: int) -> bool:
        group = self._state.group_of.get(int(self._faces.face_ids[a]), 0)
        return group == self._state.group_of.get(int(self._faces.face_ids[b]), -1)

    def _drop_weaker(self, a: int, b: int, reason: Reason) -> list[int]:
        """Take the label from the row that is less sure, and from all faces that a person tied to it."""

        def strength(row: int) -> tuple[bool, bool, float, int]:
            vouched, confidence = bool(self._vouched[row]), float(self._confidence[row])
            return not self._open[row], vouched, confidence, -int(self._faces.face_ids[row])

        weaker = min(a, b, key=strength)
        group = self._state.group_of.get(int(self._faces.face_ids[weaker]))
        rows = self._group[group] if group is not None else [weaker]
        self._close(rows, reason)
        return rows

    def result(self, persons: Int) -> Labels:
        renumbered = self._renumber_new()
        self._confidence[self._human] = 1
        self._confidence[self._identity == NOBODY] = 0
        names = dict.fromkeys(np.unique(self._faces.clusters[self._faces.clusters >= 0]).tolist(), NOBODY)
        for old, person in zip(self._old_number.tolist(), persons.tolist(), strict=True):
            if old in names:
                names[old] = renumbered.get(person, NOBODY) if person <= FIRST_NEW else person
        return Labels(
            identity=self._identity,
            human=self._decision > 0,
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


def _most_frequent(clusters: Int, persons: Int) -> dict[int, int]:
    """Cluster -> the person that most of its rows are, smallest id on a tie; NOBODY does not count."""
    known = persons != NOBODY
    cells, sizes = np.unique(np.stack([clusters[known], persons[known]], 1), axis=0, return_counts=True)
    best: dict[int, tuple[int, int]] = {}
    for (cluster, person), size in zip(cells.tolist(), sizes.tolist(), strict=True):
        if size > best.get(cluster, (0, 0))[0]:
            best[cluster] = (size, person)
    return {cluster: person for cluster, (_, person) in best.items()}
