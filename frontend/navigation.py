"""The entries of the side bar, and the capability that each one needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.roles import Capability


@dataclass(frozen=True)
class Entry:
    """One link. `area` is what a page puts into its template's `area` block variable to be marked as current."""

    area: str
    label: str
    route: str
    icon: str
    needs: Capability


@dataclass(frozen=True)
class Group:
    """Entries under one small heading."""

    label: str
    entries: tuple[Entry, ...]


GROUPS: tuple[Group, ...] = (
    Group("", (Entry("dashboard", "Dashboard", "ui:dashboard", "gauge", Capability.VIEW),)),
    Group(
        "Photos",
        (
            Entry("import", "Import", "ui:import", "upload", Capability.INGEST),
            Entry("photos", "Photos", "ui:photos", "image", Capability.CURATE),
        ),
    ),
    Group(
        "People",
        (
            Entry("clusters", "Clusters", "ui:clusters", "grid", Capability.CURATE),
            Entry("review", "Review", "ui:review", "scales", Capability.REVIEW),
            Entry("people", "People", "ui:people", "people", Capability.CURATE),
            Entry("annotators", "Annotators", "ui:annotators", "gauge", Capability.REVIEW),
            Entry("ledger", "Ledger", "ui:ledger", "book", Capability.CURATE),
        ),
    ),
    Group(
        "Loop",
        (
            Entry("synthesis", "Synthesis", "ui:synthesis", "spark", Capability.SYNTHESIS),
            Entry("rounds", "Rounds", "ui:rounds", "loop", Capability.VIEW),
            Entry("datasets", "Datasets", "ui:datasets", "layers", Capability.VIEW),
            Entry("models", "Models", "ui:models", "chip", Capability.VIEW),
            Entry("jobs", "Jobs", "ui:jobs", "list", Capability.VIEW),
        ),
    ),
    Group("Settings", (Entry("users", "Users", "ui:users", "key", Capability.USERS),)),
)


def visible_groups(capabilities: Iterable[str]) -> list[Group]:
    """The groups and entries that somebody with these capabilities may open."""
    held = {str(capability) for capability in capabilities}
    groups = [Group(g.label, tuple(e for e in g.entries if e.needs.value in held)) for g in GROUPS]
    return [group for group in groups if group.entries]
