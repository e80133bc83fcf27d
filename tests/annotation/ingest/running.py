"""Running ingests, and what must be true after any of them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from annotation.imaging.pack import decode_crop, read_pack
from annotation.models import CropPack, Face, Photo
from foundation import blobs
from jobs import services as jobs
from jobs.models import Job


def run(**params: Any) -> Job:
    return jobs.run_to_end(job_id=jobs.enqueue(kind="ingest", params=params).pk)


def run_folder(folder: Path, **params: Any) -> Job:
    return run(folder=str(folder), **params)


def errors(job: Job) -> dict[str, str]:
    """{path: code} of failed units."""
    return dict(job.units.filter(state="failed").values_list("key", "error_code"))


def check_everything_fits() -> None:
    """Every photo's state, faces, packs and blobs agree; no face is missing or doubled."""
    for photo in Photo.objects.all():
        count = photo.faces.count()
        assert (photo.state == Photo.State.READY) == (count > 0), photo
        assert photo.state != Photo.State.STORED
        assert sorted(photo.faces.values_list("ordinal", flat=True)) == list(range(count))
        if photo.blob:
            assert blobs.verify(photo.blob)
    for pack in CropPack.objects.all():
        faces = list(pack.faces.order_by("row"))
        assert [face.row for face in faces] == list(range(pack.faces_count))
        data = blobs.read(pack.blob)
        assert len(data) == pack.bytes
        crops = read_pack(io.BytesIO(data))
        for face in faces:
            one = decode_crop(data[face.offset : face.offset + face.length])
            assert np.array_equal(one, crops[face.row])
    assert Face.objects.count() == sum(CropPack.objects.values_list("faces_count", flat=True))
