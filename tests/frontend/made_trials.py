"""A run of synthetic faces, and the job that compared training without and with them. Made-up numbers."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from annotation.models import DatasetVersion
from jobs.models import Job
from synthesis.models import SynthesisRun


def make_faces_run(user: User) -> SynthesisRun:
    """A finished run whose faces are a version of `people-aimed`."""
    now = timezone.now()
    job = Job.objects.create(
        kind="synthesise",
        title="Synthesise aimed at dark",
        state="finished",
        units_total=4,
        units_done=4,
        started_at=now - timedelta(minutes=3),
        finished_at=now - timedelta(minutes=2),
        created_by=user,
    )
    version = DatasetVersion.objects.create(
        name="people-aimed",
        version=1,
        state="published",
        digest=hashlib.sha256(b"people-aimed").hexdigest(),
        counts={"train_extra": {"faces": 2000, "identities": 96}},
        created_by=user,
    )
    return SynthesisRun.objects.create(
        name="people-aimed",
        title="aimed at dark",
        recipe={"low_light": {"log2_photons": [3.0, 4.0]}},
        seed=7,
        count=2000,
        format="faces",
        shard_size=500,
        generator_digest="b" * 64,
        job=job,
        version=version,
        created_by=user,
    )


def make_trial(run: SynthesisRun, *, dataset: DatasetVersion, models: tuple[str, str], gain: float = 0.019) -> Job:
    """An ended trial on `dataset`; `models` are the references of the two that were trained."""
    assert run.version is not None
    now = timezone.now()
    parts = [
        _part("dark (brightness at most 61.2)", 80, gain, 0.008, 1e-2),
        _part("dark (brightness at most 61.2)", 80, gain / 2, 0.021, 1e-3),
        _part("overall", 402, 0.004, 0.006, 1e-2),
        _part("unsharp (sharpness at most 41)", 81, -0.009, 0.006, 1e-2),
    ]
    result = {
        "slice": {"name": "dark", "measure": "brightness", "low": True, "limit": 61.2},
        "parts": parts,
        "words": [f"dark: {gain:+.3f}, better for sure.", "overall: +0.004, no sure difference."],
        "unjudged": ["turned (turn at least 31): There are no pairs to compare."],
        "real_only": models[0],
        "with_synthetic": models[1],
        "better": models[1],
        "split": "val_blackbox",
        "dataset": str(dataset),
    }
    return Job.objects.create(
        kind="synthetic_trial",
        title="Compare real with synthetic data",
        state="finished",
        params={"dataset": dataset.pk, "extras": [run.version.pk], "slice": "", "limits": None},
        result=result,
        units_total=3,
        units_done=3,
        started_at=now - timedelta(minutes=9),
        finished_at=now - timedelta(minutes=1),
        created_by=run.created_by,
    )


def _part(name: str, faces: int, gain: float, half: float, far: float) -> dict[str, Any]:
    rates = {"real_only": 0.834, "with_synthetic": 0.834 + gain}
    return {
        "part": name,
        "faces": faces,
        "people": 21,
        "far": far,
        "gain": gain,
        "ci": [gain - half, gain + half],
    } | rates
