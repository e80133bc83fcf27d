"""What new faces are joined to: old clusters, which stay as they are, and the new faces that people tied together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from annotation.clustering.resolution import Resolution
from annotation.clustering.vectors import Indexes, number_clusters

Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Groups:
    """Groups 0..k-1 of n faces, numbered by smallest face.

    Attributes:
        of: int64 (n,), the group of each face.
        fixed: bool (k,), whether it holds an old cluster; then it holds one whole, and new faces at will.
    """

    of: Indexes
    fixed: Bool

    def __len__(self) -> int:
        return len(self.fixed)

    @cached_property
    def first(self) -> Indexes:
        """The smallest face of each, int64 (k,)."""
        first: Indexes = np.unique(self.of, return_index=True)[1].astype(np.int64)
        return first

    def merged(self, into: Indexes) -> Groups:
        """Groups of groups: `into` (k,) tells which of these belong together."""
        of = number_clusters(into[self.of])
        fixed = np.zeros(int(of.max(initial=-1)) + 1, np.bool_)
        fixed[of[self.first[self.fixed]]] = True
        return Groups(of, fixed)


def first_groups(settled: Indexes, resolution: Resolution) -> Groups:
    """Old clusters and must-link components of new faces, before anything else is merged.

    New faces that people tied to old ones are in the cluster of most of these, on a tie in the one whose first face
    is smaller. Old clusters stay apart from each other even where people tied them: joining these is a full run's.

    Args:
        settled: int64 (n,), the cluster of each old face, -1 for a new one.
    """
    new = settled < 0
    home = _homes(settled, resolution.component)
    clusters = int(settled.max(initial=-1)) + 1
    of = np.where(new, clusters + resolution.component, settled)
    tied = new & (home[resolution.component] >= 0)
    of[tied] = home[resolution.component[tied]]
    of = number_clusters(of)
    fixed = np.zeros(int(of.max(initial=-1)) + 1, np.bool_)
    fixed[of[~new]] = True
    return Groups(of, fixed)


def _homes(settled: Indexes, component: Indexes) -> Indexes:
    """The cluster that new faces of each must-link component go to, -1 where it has no old face."""
    home = np.full(int(component.max(initial=-1)) + 1, -1, np.int64)
    wanted = np.zeros(len(home), np.bool_)
    wanted[component[settled < 0]] = True
    old = np.flatnonzero((settled >= 0) & wanted[component])
    _, first = np.unique(settled, return_index=True)
    first_of = dict(zip(settled[first].tolist(), first.tolist(), strict=True))
    count: defaultdict[int, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    for c, cluster in zip(component[old].tolist(), settled[old].tolist(), strict=True):
        count[c][cluster] += 1
    for c, clusters in count.items():
        home[c] = min(clusters, key=lambda cluster: (-clusters[cluster], first_of[cluster]))
    return home


class ArrivalApartness:
    """Which groups may never become one, kept up to date while they merge; two with an old cluster each never do.

    A group stands for all must-link components that it touches, also where these reach into another old cluster: who
    is apart from one face is apart from every face that people tied to it. Old clusters may contradict decisions that
    came after them; they then keep away whatever any of their faces keeps away.
    """

    def __init__(self, groups: Groups, resolution: Resolution) -> None:
        touching = np.unique(np.stack([groups.of, resolution.component], axis=1), axis=0)
        self._fixed = set(np.flatnonzero(groups.fixed).tolist())
        self._people = _sets(groups.of, resolution.identity)
        self._photos = _photos(groups.of, touching, resolution)
        self._cannot = _cannot(touching, resolution)

    def forbids(self, a: int, b: int) -> bool:
        """Whether two live groups may not merge."""
        return (a in self._fixed and b in self._fixed) or self.kept_apart(a, b)

    def kept_apart(self, a: int, b: int) -> bool:
        """Whether they hold two identities, two faces of one photo, or a cannot pair."""
        people_a, people_b = self._people.get(a), self._people.get(b)
        if people_a and people_b and len(people_a | people_b) > 1:
            return True
        if b in self._cannot.get(a, ()):
            return True
        photos_a, photos_b = self._photos.get(a), self._photos.get(b)
        return photos_a is not None and photos_b is not None and not photos_a.isdisjoint(photos_b)

    def merge(self, kept: int, dissolved: int) -> None:
        """Group `dissolved` becomes part of `kept`."""
        if dissolved in self._fixed:
            self._fixed.discard(dissolved)
            self._fixed.add(kept)
        for sets in (self._people, self._photos):
            if dissolved in sets:
                sets.setdefault(kept, set()).update(sets.pop(dissolved))
        for other in self._cannot.pop(dissolved, set()):
            self._cannot[other].discard(dissolved)
            self._cannot[other].add(kept)
            self._cannot.setdefault(kept, set()).add(other)


class Renamed:
    """The same apartness for groups that have other numbers now: number g was `names[g]`."""

    def __init__(self, apart: ArrivalApartness | Renamed, names: Indexes) -> None:
        self._apart, self._names = apart, names.tolist()

    def forbids(self, a: int, b: int) -> bool:
        return self._apart.forbids(self._names[a], self._names[b])

    def kept_apart(self, a: int, b: int) -> bool:
        return self._apart.kept_apart(self._names[a], self._names[b])

    def merge(self, kept: int, dissolved: int) -> None:
        self._apart.merge(self._names[kept], self._names[dissolved])


def _sets(groups: Indexes, values: Indexes) -> dict[int, set[int]]:
    """The values of each group, those below 0 left out."""
    known = values >= 0
    pairs = np.unique(np.stack([groups[known], values[known]], axis=1), axis=0)
    sets: dict[int, set[int]] = {}
    for group, value in pairs.tolist():
        sets.setdefault(group, set()).add(value)
    return sets


def _photos(of: Indexes, touching: Indexes, resolution: Resolution) -> dict[int, set[int]]:
    """The photos of each group's components; photos with one face say nothing, and neither does a group's own."""
    _, inverse, counts = np.unique(resolution.photo, return_inverse=True, return_counts=True)
    shared = np.flatnonzero((counts[inverse] > 1) & (resolution.photo >= 0))
    sets = _sets(of[shared], resolution.photo[shared])
    reaching = _reaching(touching)
    if len(reaching):
        photos = _sets(resolution.component[shared], resolution.photo[shared])
        for group, component in reaching.tolist():
            sets.setdefault(group, set()).update(photos.get(component, ()))
    return sets


def _reaching(touching: Indexes) -> Indexes:
    """(group, component) of the components that lie in several groups."""
    counts = np.bincount(touching[:, 1])
    reaching: Indexes = touching[counts[touching[:, 1]] > 1]
    return reaching


def _cannot(touching: Indexes, resolution: Resolution) -> dict[int, set[int]]:
    pairs = resolution.component[resolution.cannot]
    concerned = touching[np.isin(touching[:, 1], pairs)]
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for group, component in concerned.tolist():
        groups[component].append(group)
    cannot: dict[int, set[int]] = {}
    for one, other in pairs.tolist():
        for a in groups[one]:
            for b in groups[other]:
                if a != b:
                    cannot.setdefault(a, set()).add(b)
                    cannot.setdefault(b, set()).add(a)
    return cannot
