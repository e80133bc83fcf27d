"""Near-duplicate groups of photos, kept up to date as photos come."""

from __future__ import annotations

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from annotation.imaging.near_duplicates import groups, near_pairs
from annotation.models import CollectionPhoto, Photo

# Any number that only this uses: groups are computed by one process at a time.
_LOCK = 0x10D0
_CHUNK = 5000
_UPDATE = """
UPDATE annotation_photo AS photo SET duplicate_group = new.grouped
FROM unnest(%s::bigint[], %s::bigint[]) AS new(id, grouped) WHERE photo.id = new.id
"""


def refresh_duplicate_groups() -> int:
    """Give every hashed photo its near-duplicate group; only photos without one are compared with the rest.

    A known degraded copy belongs to the group of its source. Groups only ever grow together.

    Returns:
        How many photos got another group than they had.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        rows = list(
            Photo.objects.exclude(dhash=None).order_by("id").values_list("id", "dhash", "duplicate_group", "digest")
        )
        if not rows:
            return 0
        ids = np.array([row[0] for row in rows], np.int64)
        hashes = np.array([row[1] for row in rows], np.int64)
        known = np.array([-1 if row[2] is None else row[2] for row in rows], np.int64)
        pairs = np.concatenate([near_pairs(hashes, known < 0), _copies(ids)])
        new = groups(ids, known, pairs)
        # In the order in which ingest locks photos, so that neither ever waits for the other in a circle.
        changed = sorted(np.flatnonzero(new != known).tolist(), key=lambda row: rows[row][3])
        for start in range(0, len(changed), _CHUNK):
            part = changed[start : start + _CHUNK]
            _write(ids[part], new[part])
    return len(changed)


def _write(ids: NDArray[np.int64], grouped: NDArray[np.int64]) -> None:
    list(Photo.objects.filter(pk__in=ids.tolist()).order_by("digest").select_for_update(no_key=True).values_list("pk"))
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, [ids.tolist(), grouped.tolist()])


def _copies(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of `ids` that are known to be a copy and its source: (m, 2)."""
    known = CollectionPhoto.objects.exclude(source=None).exclude(photo__dhash=None).exclude(source__dhash=None)
    found = np.array(list(known.values_list("photo_id", "source_id")), np.int64).reshape(-1, 2)
    return np.searchsorted(ids, found)
