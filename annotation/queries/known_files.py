"""Which files are here already, so that clients need not send them."""

from __future__ import annotations

from collections.abc import Collection

from annotation.models import Photo, Upload


def stored_blobs(digests: Collection[str]) -> dict[str, tuple[str, int]]:
    """{digest: (key of the blob, bytes)} of those files whose bytes are stored, as photos or as uploads."""
    photos = Photo.objects.filter(digest__in=digests).exclude(blob="").order_by()
    uploads = Upload.objects.filter(digest__in=digests).order_by()
    fields = ("digest", "blob", "bytes")
    return {digest: (blob, size) for rows in (uploads, photos) for digest, blob, size in rows.values_list(*fields)}
