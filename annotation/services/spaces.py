"""Embedding spaces: building one pack by pack, and making it the live one."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from numpy.typing import NDArray

from annotation.imaging.pack import stack
from annotation.models import CropPack, EmbeddingSpace, PackVectors
from annotation.services import engines
from annotation.services.packs import read_crops
from foundation import blobs
from foundation.errors import Conflict, InvalidInput
from models_zoo.models import ModelRelease
from models_zoo.queries import CHAMPION, champion
from models_zoo.services import move_alias

State = EmbeddingSpace.State
# Any number that only this uses: which space is live is decided by one process at a time.
_LOCK = 0x57AC
_EMBEDDER = ModelRelease.Kind.EMBEDDER


class VectorsMissing(Conflict):
    """Some faces have no vector in this space yet; embed first."""

    code = "vectors_missing"


def create_space(*, release: ModelRelease) -> EmbeddingSpace:
    """The space of an embedder release, made if there is none.

    Raises:
        InvalidInput: the release is no embedder.
    """
    if release.kind != _EMBEDDER:
        raise InvalidInput(f"{release} is a {release.kind}, not an embedder.", code="wrong_kind")
    dimension = int(release.preprocessing["output_dimension"])
    return EmbeddingSpace.objects.get_or_create(release=release, defaults={"dimension": dimension})[0]


def ensure_live() -> EmbeddingSpace:
    """The live space; where there is none yet, the champion's becomes it, so that the first faces have a home.

    Raises:
        NotFound: `no_champion`.
    """
    live = EmbeddingSpace.objects.filter(state=State.LIVE).first()
    if live is not None:
        return live
    with transaction.atomic():
        _lock()
        live = EmbeddingSpace.objects.filter(state=State.LIVE).first()
        if live is None:
            live = create_space(release=champion(_EMBEDDER))
            live.state, live.live_since = State.LIVE, timezone.now()
            live.save(update_fields=["state", "live_since"])
    return live


def missing_packs(space: EmbeddingSpace) -> QuerySet[CropPack]:
    """Packs without vectors in this space, oldest first."""
    there = PackVectors.objects.filter(space=space, pack=OuterRef("pk"))
    return CropPack.objects.filter(~Exists(there)).order_by("pk")


def complete(*, space: EmbeddingSpace) -> bool:
    """Whether every pack has its vectors; a space that was being built is then ready."""
    if missing_packs(space).exists():
        return False
    EmbeddingSpace.objects.filter(pk=space.pk, state=State.BUILDING).update(state=State.READY)
    return True


def go_live(*, space: EmbeddingSpace) -> EmbeddingSpace:
    """Make `space` the live one and its release the champion, at once; the old one is retired. Twice is once.

    Raises:
        VectorsMissing: packs without vectors; nothing has changed.
    """
    with transaction.atomic():
        _lock()
        missing = missing_packs(space).count()
        if missing:
            raise VectorsMissing(f"{missing} packs have no vectors in this space yet.")
        EmbeddingSpace.objects.filter(state=State.LIVE).exclude(pk=space.pk).update(state=State.RETIRED)
        space = EmbeddingSpace.objects.select_related("release").get(pk=space.pk)
        if space.state != State.LIVE:
            space.state, space.live_since = State.LIVE, timezone.now()
            space.save(update_fields=["state", "live_since"])
        move_alias(kind=_EMBEDDER, alias=CHAMPION, release=space.release)
    return space


def embed_packs(*, space: EmbeddingSpace, packs: Sequence[CropPack]) -> int:
    """Embed packs that have no vectors yet; how many faces. Done before or done twice at once, the result is one.

    Raises:
        NotFound, CorruptPack: a pack is missing or damaged.
    """
    known = set(PackVectors.objects.filter(space=space, pack__in=packs).values_list("pack_id", flat=True))
    wanted = [pack for pack in packs if pack.pk not in known]
    if not wanted:
        return 0
    crops = [read_crops(pack=pack) for pack in wanted]
    vectors = engines.embedder_of(space.release).embed(np.concatenate(crops) if crops else stack([]))
    if vectors.shape[1] != space.dimension:
        raise InvalidInput(
            f"{space.release} gives {vectors.shape[1]} numbers, not {space.dimension}.", code="wrong_dimension"
        )
    ends = np.cumsum([len(rows) for rows in crops])
    rows = [
        PackVectors(space=space, pack=pack, blob=_store(part))
        for pack, part in zip(wanted, np.split(vectors, ends[:-1]), strict=True)
    ]
    PackVectors.objects.bulk_create(sorted(rows, key=lambda row: row.pack_id), ignore_conflicts=True)
    return len(vectors)


def _store(vectors: NDArray[np.float32]) -> str:
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(vectors, dtype=np.float32), allow_pickle=False)
    return blobs.put("vectors", stream.getvalue())


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
