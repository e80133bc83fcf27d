"""A small recipe, a generator whose items can fail, and runs that are worked off in this process."""

from __future__ import annotations

import hashlib
import tarfile
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.random import Generator as Rng

from annotation.models import DatasetVersion
from foundation import blobs
from foundation.errors import InvalidInput
from jobs import services as jobs
from synthesis.effects.base import Image, Params
from synthesis.models import SynthesisRun
from synthesis.samples import Generator, Labels
from synthesis.services.runs import start_run


@dataclass(frozen=True, slots=True)
class Grey(Generator):
    """One grey picture of 8 x 8; `broken` values of grey can't be made, unless repaired."""

    broken: tuple[int, int] = (256, 256)
    repaired: ClassVar[bool] = False

    def sample(self, rng: Rng) -> Params:
        return {"grey": int(rng.integers(256))}

    def render(self, params: Params) -> tuple[Image, Labels]:
        grey = params["grey"]
        if self.broken[0] <= grey <= self.broken[1] and not Grey.repaired:
            raise InvalidInput(f"Grey {grey} has run out.", code="no_paint")
        return np.full((8, 8, 3), grey, np.uint8), {"grey": grey}

    def shard_size(self) -> int:
        return 10


TEXT: Final[dict[str, Any]] = {"text_lines": {"corpus": {"codes": {"alphabet": "ABC123"}}}}


def run_of(recipe: Any, **given: Any) -> SynthesisRun:
    """A run that has ended, however it did."""
    run = start_run(recipe=recipe, **{"count": 25, "seed": 7, **given})
    assert run.job is not None
    jobs.run_to_end(job_id=run.job.pk)
    return SynthesisRun.objects.select_related("job", "version").get(pk=run.pk)


def version_of(run: SynthesisRun) -> DatasetVersion:
    assert run.job is not None
    assert run.version is not None, (run.job.state, run.job.error)
    return run.version


def files_of(version: DatasetVersion) -> dict[str, str]:
    """{path: SHA-256} of all files of a version, out of its tars."""
    found = {}
    for shard in version.shards:
        with blobs.open(shard["blob"]) as file, tarfile.open(fileobj=file) as tar:
            for entry in tar:
                content = tar.extractfile(entry)
                assert content is not None
                assert entry.name not in found
                found[entry.name] = hashlib.sha256(content.read()).hexdigest()
    return found
