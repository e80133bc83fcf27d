"""Recipes for what the champion does worst on, and whether training with them paid off."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from accounts.models import User
from annotation.exporters.parquet import read_manifest
from annotation.models import DatasetVersion
from annotation.services.datasets import materialise
from foundation.errors import InvalidInput
from foundation.progress import Progress, silent
from loop.aims import OVERALL
from loop.measuring import BATCH, FAR, GATE_FAR, SEED
from models_zoo.embedding import Embedder
from models_zoo.evaluation import (
    Difference,
    FaceSet,
    Slice,
    Trial,
    difference,
    find_slices,
    rank_slices,
    slice_called,
    tar_at_far,
    verification_trial,
)
from models_zoo.training.dataset import CropReader, read_training_set
from synthesis.aiming import Proposal, crop_measures, propose

# Enough for distributions; a larger split is drawn from, the same faces each time.
MOST_FACES: Final = 6000
MOST_CLEAN: Final = 800
_COLUMNS = ("face_digest", "identity", "source_digest", "size_px", "yaw", "pitch", "quality")


@dataclass(frozen=True)
class MeasuredFaces:
    """Faces of a split with all that can be measured of them.

    Attributes:
        crops: uint8 RGB (n, 112, 112, 3).
        people, sources: int64 (n,), as in `FaceSet`.
        measures: {name: float32 (n,)}, those of `synthesis.aiming` with yaw and pitch.
        quality: float32 (n,), 0..1.
    """

    crops: NDArray[np.uint8]
    people: NDArray[np.int64]
    sources: NDArray[np.int64]
    measures: dict[str, NDArray[np.float32]]
    quality: NDArray[np.float32]

    def sets(self, vectors: NDArray[np.float32], rows: NDArray[np.bool_] | None = None) -> tuple[FaceSet, FaceSet]:
        """The faces of `rows`, or all, and those to compare them with: the better half by quality."""
        good = self.quality >= np.median(self.quality)
        chosen = np.ones(len(self.people), bool) if rows is None else rows
        probes = FaceSet(vectors[chosen], self.people[chosen], self.sources[chosen])
        return probes, FaceSet(vectors[good], self.people[good], self.sources[good])


@contextmanager
def materialised(version: DatasetVersion, split: str, purpose: str, user: User | None) -> Iterator[Path]:
    """The split as files, for the time of the block."""
    scratch = Path(settings.LOUPE_HOME) / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        yield materialise(
            version=version, directory=Path(folder) / "dataset", splits=[split], purpose=purpose, user=user
        )


def read_measured(directory: Path, split: str, *, most: int = MOST_FACES, best: bool = False) -> MeasuredFaces:
    """The labelled faces of `split`, at most `most`, drawn the same way each time.

    Args:
        best: only the better half by quality.

    Raises:
        InvalidInput: there are none.
    """
    table = read_manifest(directory / "manifest.parquet", splits=[split], columns=[*_COLUMNS, "split"])
    columns = {name: np.array(table.column(name).to_pylist(), dtype=object) for name in _COLUMNS}
    known = np.flatnonzero(columns["identity"] != None)  # noqa: E711 element by element
    quality = columns["quality"][known].astype(np.float32)
    if best:
        known = known[quality >= np.median(quality)] if len(known) else known
    if not len(known):
        raise InvalidInput(f"Nobody in {split} is known.", code="empty_split")
    rows = np.sort(np.random.default_rng(SEED).permutation(known)[:most])
    faces = read_training_set(directory, splits=[split])
    with CropReader(faces) as reader:
        crops = np.stack([reader.read(row) for row in rows.tolist()])
    numbers = {name: columns[name][rows].astype(np.float32) for name in ("size_px", "yaw", "pitch", "quality")}
    measures = crop_measures(crops, numbers["size_px"]) | {name: numbers[name] for name in ("yaw", "pitch")}
    return MeasuredFaces(
        crops,
        columns["identity"][rows].astype(np.int64),
        np.unique(columns["source_digest"][rows].astype(str), return_inverse=True)[1].astype(np.int64),
        measures,
        numbers["quality"],
    )


def choose_slice(faces: MeasuredFaces, name: str, embedder: Embedder) -> tuple[Slice, list[dict[str, Any]]]:
    """The slice of that name, or the one with the lowest rate; and the rates of all that could be told.

    Raises:
        InvalidInput: no name was given, and too few pairs of known people to tell. NotFound: no such slice here.
    """
    try:
        ranked = rank_slices(*faces.sets(_vectors(embedder, faces.crops)), faces.measures, far=GATE_FAR)
    except InvalidInput:
        if not name:
            raise
        ranked = []
    told = [{"slice": one.name} | rate.as_dict(GATE_FAR) for one, rate in ranked]
    return (slice_called(name, faces.measures) if name else ranked[0][0]), told


def aim(faces: MeasuredFaces, clean: MeasuredFaces, at: Slice, *, seed: int, progress: Progress = silent) -> Proposal:
    """The recipe that makes the clean faces look like those of the slice. Raises InvalidInput: too few of either."""
    rows = at.rows(faces.measures)
    target = {name: values[rows] for name, values in faces.measures.items()}
    return propose(clean.crops, target, size_px=clean.measures["size_px"], seed=seed, progress=progress)


def slice_of(limits: dict[str, Any]) -> Slice:
    """A slice as a job's result holds it."""
    return Slice(**limits)


def limits_of(one: Slice) -> dict[str, Any]:
    return asdict(one)


def report(faces: MeasuredFaces, at: Slice | None, before: Embedder, after: Embedder) -> dict[str, Any]:
    """Both models on the slice, overall and on every other slice, with the gain and its interval over people.

    Args:
        at: the slice that matters; None where none can be told.

    Returns:
        {"slice", "parts": [{part, faces, people, far, real_only, with_synthetic, gain, ci}], "words": sentences about
        the slice and overall, "unjudged": which parts can't be judged, and why}.
    """
    vectors = [_vectors(one, faces.crops) for one in (before, after)]
    parts: dict[str, NDArray[np.bool_]] = {} if at is None else {str(at): at.rows(faces.measures)}
    parts[OVERALL] = np.ones(len(faces.people), bool)
    others = [one for one in find_slices(faces.measures) if at is None or one.name != at.name]
    parts |= {str(one): one.rows(faces.measures) for one in others}
    rows, words, unjudged = [], [], []
    for part, chosen in parts.items():
        for far in (GATE_FAR, FAR):
            try:
                trials = [verification_trial(*faces.sets(one, chosen), far=far) for one in vectors]
            except InvalidInput as error:
                unjudged.append(f"{part}: {error.message}")
                break
            row, change = _compared(part, int(chosen.sum()), far, trials)
            rows.append(row)
            if far == GATE_FAR and part in (str(at), OVERALL):
                words.append(_sentence(row, change))
    return {"slice": None if at is None else limits_of(at), "parts": rows, "words": words, "unjudged": unjudged}


def _compared(part: str, faces: int, far: float, trials: Sequence[Trial]) -> tuple[dict[str, Any], Difference]:
    real, mixed = (tar_at_far(one, far) for one in trials)
    change = difference(trials[0], trials[1], far)
    row = {"part": part, "faces": faces, "far": far, "real_only": real.value, "with_synthetic": mixed.value}
    row |= {"genuine_pairs": real.genuine, "people": real.people, "gain": change.value, "ci": [change.low, change.high]}
    return row, change


def _sentence(row: dict[str, Any], change: Difference) -> str:
    verdict = "better for sure" if change.low > 0 else "worse for sure" if change.high < 0 else "no sure difference"
    return (
        f"{row['part']}: true-accept rate at a false-accept rate of {row['far']:g} is {row['real_only']:.3f} with real "
        f"faces only and {row['with_synthetic']:.3f} with synthetic ones too, {change.value:+.3f} "
        f"[{change.low:+.3f}, {change.high:+.3f}]: {verdict}."
    )


def _vectors(embedder: Embedder, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.concatenate([embedder.embed(crops[row : row + BATCH]) for row in range(0, len(crops), BATCH)])
