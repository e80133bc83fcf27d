"""Statements that can't all hold: keep every later one, drop an earlier one that contradicts them.

A union-find over faces and persons, with links that are forbidden between groups. Two persons never share a group. The
links themselves are kept beside it, to say which statements a dropped one contradicts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

LONGEST_SEARCH = 10_000  # nodes looked at for one explanation; beyond, only its end is named


def person_node(identity: int) -> int:
    """The node that stands for a person among the faces (ids are positive, so the two never meet)."""
    return -identity


class Groups:
    """Groups of nodes known to be one person, and pairs of groups known not to be. Statements come newest first."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}
        self._size: dict[int, int] = {}
        self._person: dict[int, int] = {}  # root -> the person of the group
        self._links: dict[int, list[tuple[int, int]]] = {}  # node -> [(node, entry)] that were joined directly
        # root -> {root of a group that it can't join: (entry, node here, node there)}
        self._apart: dict[int, dict[int, tuple[int, int, int]]] = {}

    def root(self, node: int) -> int:
        parent = self._parent
        root = node
        while (above := parent.get(root)) is not None:
            root = above
        while node != root:
            parent[node], node = root, parent[node]
        return root

    def person(self, node: int) -> int | None:
        """The person whose group this is, if any."""
        root = self.root(node)
        return -root if root < 0 else self._person.get(root)

    def persons_excluded(self, node: int) -> Iterator[tuple[int, int]]:
        """Every person that the node's group can't be, with an entry that says so."""
        for other, (entry, _, _) in self._apart.get(self.root(node), {}).items():
            person = self.person(other)
            if person is not None:
                yield person, entry

    def join(self, a: int, b: int, entry: int) -> tuple[int, ...]:
        """Make a and b one person. Returns nothing, or the entries that forbid it; then nothing changes."""
        root_a, root_b = self.root(a), self.root(b)
        if root_a != root_b:
            forbidding = self._apart.get(root_a, {}).get(root_b)
            if forbidding is not None:
                said, here, there = forbidding
                return _rising({said, *self._path(a, here), *self._path(there, b)})
            person_a, person_b = self.person(root_a), self.person(root_b)
            if person_a is not None and person_b is not None:
                ends = self._path(a, person_node(person_a)), self._path(b, person_node(person_b))
                return _rising({said for end in ends for said in end})
            self._merge(root_a, root_b)
        self._links.setdefault(a, []).append((b, entry))
        self._links.setdefault(b, []).append((a, entry))
        return ()

    def part(self, a: int, b: int, entry: int) -> tuple[int, ...]:
        """Make a and b two persons. Returns nothing, or the entries that tie them; then nothing changes."""
        root_a, root_b = self.root(a), self.root(b)
        if root_a == root_b:
            return _rising(self._path(a, b))
        self._apart.setdefault(root_a, {}).setdefault(root_b, (entry, a, b))
        self._apart.setdefault(root_b, {}).setdefault(root_a, (entry, b, a))
        return ()

    def _merge(self, root_a: int, root_b: int) -> None:
        person = self.person(root_a) or self.person(root_b)
        size_a, size_b = self._size.get(root_a, 1), self._size.get(root_b, 1)
        high, low = (root_a, root_b) if size_a >= size_b else (root_b, root_a)
        self._parent[low] = high
        self._size[high] = size_a + size_b
        if person is not None:
            self._person[high] = person
        for other, said in self._apart.pop(low, {}).items():
            back = self._apart[other].pop(low)
            self._apart[other].setdefault(high, back)
            self._apart.setdefault(high, {}).setdefault(other, said)

    def _path(self, a: int, b: int) -> set[int]:
        """The entries of a shortest chain of links from a to b, which are in one group."""
        came: dict[int, tuple[int, int]] = {a: (a, 0)}
        queue = deque([a])
        while queue and b not in came and len(came) < LONGEST_SEARCH:
            node = queue.popleft()
            for other, entry in self._links.get(node, ()):
                if other not in came:
                    came[other] = (node, entry)
                    queue.append(other)
        if b not in came:
            return {self._links[b][-1][1]}
        entries = set()
        while b != a:
            b, entry = came[b]
            entries.add(entry)
        return entries


def _rising(entries: set[int]) -> tuple[int, ...]:
    return tuple(sorted(entries))
