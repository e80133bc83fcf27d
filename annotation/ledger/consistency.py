"""Statements that can't all hold: keep every later one, drop an earlier one that contradicts them.

A union-find over faces and persons, with links that are forbidden between groups. Two persons never share a group.
Union by size without path compression: paths stay logarithmic, and the joins on them tell which statement tied two
faces together.
"""

from __future__ import annotations

from collections.abc import Iterator


def person_node(identity: int) -> int:
    """The node that stands for a person among the faces (ids are positive, so the two never meet)."""
    return -identity


class Groups:
    """Groups of nodes known to be one person, and pairs of groups known not to be. Statements come newest first."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}
        self._size: dict[int, int] = {}
        self._joined: dict[int, int] = {}  # node -> position of the join that hung it under its parent
        self._entries: list[int] = []  # position of a join -> entry
        self._person: dict[int, int] = {}  # root -> the person of the group
        self._apart: dict[int, dict[int, int]] = {}  # root -> {root of a group that it can't join: entry}

    def root(self, node: int) -> int:
        parent = self._parent
        while (above := parent.get(node, node)) != node:
            node = above
        return node

    def person(self, node: int) -> int | None:
        """The person whose group this is, if any."""
        root = self.root(node)
        return -root if root < 0 else self._person.get(root)

    def persons_excluded(self, node: int) -> Iterator[tuple[int, int]]:
        """Every person that the node's group can't be, with an entry that says so."""
        for other, entry in self._apart.get(self.root(node), {}).items():
            person = self.person(other)
            if person is not None:
                yield person, entry

    def join(self, a: int, b: int, entry: int) -> int | None:
        """Make a and b one person. Returns None, or the entry that forbids it; then nothing changes."""
        root_a, root_b = self.root(a), self.root(b)
        if root_a == root_b:
            return None
        forbidding = self._apart.get(root_a, {}).get(root_b)
        if forbidding is not None:
            return forbidding
        person_a, person_b = self.person(root_a), self.person(root_b)
        if person_a is not None and person_b is not None:
            return self._bottleneck(a, person_node(person_a)) if a > 0 else self._bottleneck(b, person_node(person_b))
        self._merge(root_a, root_b, entry)
        return None

    def part(self, a: int, b: int, entry: int) -> int | None:
        """Make a and b two persons. Returns None, or the entry that ties them together; then nothing changes."""
        root_a, root_b = self.root(a), self.root(b)
        if root_a == root_b:
            return self._bottleneck(a, b)
        self._apart.setdefault(root_a, {}).setdefault(root_b, entry)
        self._apart.setdefault(root_b, {}).setdefault(root_a, entry)
        return None

    def _merge(self, root_a: int, root_b: int, entry: int) -> None:
        person = self.person(root_a) or self.person(root_b)
        size_a, size_b = self._size.get(root_a, 1), self._size.get(root_b, 1)
        high, low = (root_a, root_b) if size_a >= size_b else (root_b, root_a)
        self._parent[low] = high
        self._size[high] = size_a + size_b
        self._joined[low] = len(self._entries)
        self._entries.append(entry)
        if person is not None:
            self._person[high] = person
        moved = self._apart.pop(low, {})
        for other, said in moved.items():
            del self._apart[other][low]
            self._apart[other].setdefault(high, said)
            self._apart.setdefault(high, {}).setdefault(other, said)

    def _bottleneck(self, a: int, b: int) -> int:
        """The join after which a and b were in one group: the last one on the path between them."""
        last: dict[int, int] = {a: -1}
        node, seen = a, -1
        while node in self._parent:
            seen = max(seen, self._joined[node])
            node = self._parent[node]
            last[node] = seen
        node, seen = b, -1
        while node not in last:
            seen = max(seen, self._joined[node])
            node = self._parent[node]
        return self._entries[max(seen, last[node])]
