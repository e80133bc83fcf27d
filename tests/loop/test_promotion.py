"""Promoting by hand: nothing is live before it is complete, and what arrives meanwhile is waited for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from annotation.models import CropPack, EmbeddingSpace, PackVectors
from annotation.services import spaces
from foundation.errors import Conflict, InvalidInput
from jobs.models import Job, JobState
from jobs.services import run_to_end
from loop.models import Round
from loop.promotion import EmbeddingFailed, embed_missing, start_promotion
from models_zoo.models import ModelRelease
from models_zoo.queries import champion
from tests.factories import make_releases, make_world


class Directions:
    """Stands for an embedder: unit vectors, counted."""

    def __init__(self) -> None:
        self.calls = 0

    def embed(self, crops: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        self.calls += 1
        return np.eye(128, dtype=np.float32)[np.arange(len(crops)) % 128]


@pytest.fixture
def candidate(db: Any) -> ModelRelease:
    make_world([4, 3])
    start = make_releases()[1]
    return ModelRelease.objects.create(
        name="better", version=1, kind="embedder", architecture="sface", digest="a" * 64, blob=start.blob,
        filename="weights.safetensors", preprocessing=start.preprocessing, licence=start.licence, parent=start,
    )  # fmt: skip


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> Directions:
    made = Directions()
    monkeypatch.setattr(spaces.engines, "embedder_of", lambda release: made)
    return made


def test_the_release_goes_live_once_every_pack_is_embedded(candidate: ModelRelease, embedder: Directions) -> None:
    job = start_promotion(release=candidate)
    first = embed_missing(job=job)
    assert first is not None
    assert embed_missing(job=job) == first  # while it runs no second one is started
    assert champion("embedder") != candidate
    run_to_end(job_id=first.pk)
    make_world([2], seed=9)  # a pack that came meanwhile
    again = embed_missing(job=job)
    assert again not in (None, first)
    assert champion("embedder") != candidate
    assert again is not None
    run_to_end(job_id=again.pk)
    assert embed_missing(job=job) is None
    ended = run_to_end(job_id=job.pk)
    assert ended.state == JobState.FINISHED
    assert champion("embedder") == candidate
    live = EmbeddingSpace.objects.get(state="live")
    assert live.release == candidate
    assert PackVectors.objects.filter(space=live).count() == CropPack.objects.count()
    assert Job.objects.get(kind="cluster").params == {"space": live.pk}


def test_a_failed_embedding_changes_nothing(candidate: ModelRelease, embedder: Directions) -> None:
    job = start_promotion(release=candidate)
    child = embed_missing(job=job)
    assert child is not None
    Job.objects.filter(pk=child.pk).update(state=JobState.FAILED)
    with pytest.raises(EmbeddingFailed):
        embed_missing(job=job)
    assert champion("embedder") != candidate


def test_what_can_not_be_promoted(candidate: ModelRelease) -> None:
    detector, start = make_releases()
    with pytest.raises(Conflict, match="already"):
        start_promotion(release=start)
    with pytest.raises(Conflict, match="already"):
        start_promotion(release=detector)
    detector.aliases.all().delete()
    with pytest.raises(InvalidInput, match="not an embedder"):
        start_promotion(release=detector)
    Round.objects.create(number=1)
    with pytest.raises(Conflict, match="has not ended"):
        start_promotion(release=candidate)
