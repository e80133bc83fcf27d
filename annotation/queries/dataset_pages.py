"""What the dataset pages show."""

from __future__ import annotations

from django.db.models import Count, QuerySet

from annotation.models import DatasetVersion, TestUse


def list_versions() -> QuerySet[DatasetVersion]:
    """All versions, newest first within each name, with aliases and how often the test split was used."""
    return (
        DatasetVersion.objects.select_related("created_by")
        .prefetch_related("aliases")
        .annotate(uses=Count("test_uses"))
        .order_by("name", "-version")
    )


def find_version(name: str, version: int) -> DatasetVersion | None:
    """One version with its aliases."""
    rows = DatasetVersion.objects.select_related("created_by", "run", "job").prefetch_related("aliases")
    return rows.filter(name=name, version=version).first()


def list_test_uses(version: DatasetVersion, *, limit: int = 50) -> list[TestUse]:
    """Who used the locked test split, latest first."""
    return list(version.test_uses.select_related("release", "user").order_by("-id")[:limit])
