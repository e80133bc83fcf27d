from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from annotation.models import CropPack, EmbeddingSpace, Face, PackVectors
from annotation.queries.vectors import load_vectors
from annotation.services import engines, spaces
from annotation.services.packs import read_crops
from foundation.errors import Conflict, InvalidInput
from jobs import services as jobs
from jobs.models import Job, JobState
from models_zoo.models import ModelRelease
from models_zoo.queries import champion
from tests.annotation.ingest.running import run_folder

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registered")]
LIVE, READY, RETIRED = EmbeddingSpace.State.LIVE, EmbeddingSpace.State.READY, EmbeddingSpace.State.RETIRED


def embed(space: EmbeddingSpace) -> Job:
    return jobs.run_to_end(job_id=jobs.enqueue(kind="embed", params={"space": space.pk}).pk)


@pytest.fixture()
def faces(album: Callable[[int], Path]) -> EmbeddingSpace:
    """Eighty portraits in two packs, not yet embedded; the live space."""
    run_folder(album(80))
    assert CropPack.objects.count() == 2
    return EmbeddingSpace.objects.get(state=LIVE)


@pytest.fixture()
def challenger() -> ModelRelease:
    """A second release with the champion's very weights under another digest."""
    release = champion(ModelRelease.Kind.EMBEDDER)
    release.pk, release.version, release.digest = None, 2, "f" * 64
    release.save()
    return release


def test_every_face_has_the_vector_that_the_embedder_gives_its_crop(faces: EmbeddingSpace) -> None:
    assert embed(faces).state == JobState.FINISHED
    loaded = load_vectors(faces)
    ids, vectors = loaded.face_ids, loaded.vectors
    assert ids.tolist() == sorted(Face.objects.values_list("id", flat=True)) and loaded.without == 0
    assert vectors.shape == (len(ids), 128) and vectors.dtype == np.float32
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-5
    embedder = engines.embedder_of(faces.release)
    place = {face: row for row, face in enumerate(ids.tolist())}
    for pack in CropPack.objects.all():
        expected = embedder.embed(read_crops(pack=pack))
        for face in pack.faces.all():
            assert vectors[place[face.pk]] @ expected[face.row] > 0.999


def test_embedding_twice_is_once(faces: EmbeddingSpace) -> None:
    embed(faces)
    before = list(PackVectors.objects.order_by("pk").values_list("pk", "blob"))
    assert embed(faces).units_total == 0
    assert spaces.embed_packs(space=faces, packs=list(CropPack.objects.all())) == 0
    assert list(PackVectors.objects.order_by("pk").values_list("pk", "blob")) == before


def test_a_space_without_all_packs_does_not_go_live(faces: EmbeddingSpace, challenger: ModelRelease) -> None:
    embed(faces)
    beside = spaces.create_space(release=challenger)
    assert spaces.create_space(release=challenger).pk == beside.pk
    with pytest.raises(Conflict) as caught:
        spaces.go_live(space=beside)
    assert caught.value.code == "vectors_missing"
    assert load_vectors(beside).without == Face.objects.count()
    spaces.embed_packs(space=beside, packs=[CropPack.objects.order_by("pk")[0]])
    assert not spaces.complete(space=beside)
    faces.refresh_from_db()
    assert faces.state == LIVE and champion("embedder") == faces.release


def test_going_live_swaps_space_and_champion_at_once(faces: EmbeddingSpace, challenger: ModelRelease) -> None:
    embed(faces)
    beside = spaces.create_space(release=challenger)
    assert embed(beside).result["complete"]
    beside.refresh_from_db()
    assert beside.state == READY
    for _ in range(2):
        assert spaces.go_live(space=beside).state == LIVE
    faces.refresh_from_db()
    assert faces.state == RETIRED
    assert champion("embedder") == challenger
    assert spaces.ensure_live().pk == beside.pk
    spaces.go_live(space=faces)
    beside.refresh_from_db()
    assert beside.state == RETIRED and champion("embedder") == faces.release


def test_a_detector_has_no_space() -> None:
    with pytest.raises(InvalidInput):
        spaces.create_space(release=champion(ModelRelease.Kind.DETECTOR))
