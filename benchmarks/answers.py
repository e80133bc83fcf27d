"""What is a person's answer worth? BCubed F after so many "same/different" answers, by how the pairs are chosen.

    python -m benchmarks.answers --photos DIR [--degraded 0.5] [--least-photos 4] [--answers 200] [--save NAME]

All photos are mixed into one album and clustered by the label-free calibration; the folder names answer. `queue` asks
the most valuable pair and clusters again after every answer; `refined` does the same, and the answers move the merge
threshold as well. `near` asks random ones of the pairs that the queue would ask at all, `random` any two faces. Every
answer becomes a must-link or a cannot-link.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from annotation.clustering import (
    Answers,
    Calibration,
    Clustering,
    Constraints,
    Questions,
    Thresholds,
    agreement,
    calibrate,
    cluster,
    settling,
    worthwhile_questions,
)
from benchmarks.album import Album, embed_folder
from benchmarks.machine import save, tell

CHOICES = ("queue", "refined", "near", "random")
TOLD = (0, 1, 2, 5, 10, 20, 50, 100, 200)


def curve(album: Album, calibration: Calibration, choice: str, answers: int) -> Iterator[dict[str, Any]]:
    """One line for each of TOLD."""
    rng, said = np.random.default_rng(0), Said(album)
    thresholds = calibration.thresholds
    clustering = said.cluster(thresholds)
    before, first = clustering.labels, agreement(clustering.labels, album.truth).bcubed.f
    queue = choice in ("queue", "refined")
    pool = worthwhile_questions(album.vectors, before, thresholds, said.pairs).faces
    if choice == "random":
        pool = np.sort(np.stack([rng.choice(len(album.truth), 2, replace=False) for _ in range(answers)]), axis=1)
    pool = pool[rng.permutation(len(pool))]
    for count in range(min(answers, answers if queue else len(pool)) + 1):
        if count in TOLD:
            if not queue:
                clustering = said.cluster(thresholds)
            found = agreement(clustering.labels, album.truth)
            settled = settling(before, clustering.labels, album.truth, decisions=count)
            yield {
                "benchmark": "answers",
                "choice": choice,
                "n": len(album.truth),
                "answers": count,
                "same": int(said.same.sum()),
                "bcubed_f": round(found.bcubed.f, 5),
                "gain": round(found.bcubed.f - first, 5),
                "pairwise_f": round(found.pairwise.f, 5),
                "clusters": found.clusters,
                "settled": settled.settled - settled.unsettled,
                "settled_per_answer": round(settled.per_decision, 3),
                "threshold": round(thresholds.merge_similarity or 0.0, 4),
            }
        if queue:
            now = calibration.refined_by(said.answers) if choice == "refined" else calibration
            thresholds, tied = now.thresholds, said.pairs[said.same]
            asked = worthwhile_questions(album.vectors, clustering.labels, thresholds, said.pairs, tied=tied)
            if not len(asked):
                return
            said.add(asked.take(np.arange(1)))
            clustering = said.cluster(thresholds)
        elif count < len(pool):
            said.pairs = np.concatenate([said.pairs, pool[count : count + 1]])


class Said:
    """Pairs (m, 2) that were answered, and how alike the two clusters were where the queue had asked about two."""

    def __init__(self, album: Album) -> None:
        self._album, self.pairs = album, np.empty((0, 2), np.int64)
        self._similarity: list[float] = []
        self._same: list[bool] = []

    @property
    def same(self) -> npt.NDArray[np.bool_]:
        """(m,) what the truth says of the pairs."""
        of = self._album.truth[self.pairs]
        return np.asarray(of[:, 0] == of[:, 1])

    def add(self, asked: Questions) -> None:
        """One question of the queue."""
        self.pairs = np.concatenate([self.pairs, asked.faces])
        if asked.clusters[0, 0] != asked.clusters[0, 1]:
            self._similarity.append(float(asked.similarity[0]))
            self._same.append(bool(self.same[-1]))

    @property
    def answers(self) -> Answers:
        """Those about two clusters."""
        return Answers(np.array(self._similarity), np.array(self._same, np.bool_))

    def cluster(self, thresholds: Thresholds) -> Clustering:
        """Everything that was said is a must-link or a cannot-link."""
        none = Constraints.none(len(self._album.truth))
        constraints = Constraints(none.identity, none.photo, self.pairs[self.same], self.pairs[~self.same])
        album = self._album
        return cluster(album.vectors, constraints=constraints, thresholds=thresholds, quality=album.quality)


def load_album(arguments: argparse.Namespace) -> Album:
    """The folder's album, or what an earlier run with the same options kept of it."""
    if arguments.faces is not None and arguments.faces.exists():
        with np.load(arguments.faces) as kept:
            return Album(kept["vectors"], kept["truth"], int(kept["missed"]), kept["quality"])
    album = embed_folder(arguments.photos, arguments)
    if arguments.faces is not None:
        np.savez(arguments.faces, vectors=album.vectors, truth=album.truth, missed=album.missed, quality=album.quality)
    return album


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--answers", type=int, default=200)
    parser.add_argument("--degraded", type=float, default=0.0)
    parser.add_argument("--least-photos", type=int, default=1)
    parser.add_argument("--tuning", action="store_true", help="without the people kept for judging")
    parser.add_argument("--faces", type=Path, help="a file that keeps the embedded album between runs")
    parser.add_argument("--choices", nargs="+", choices=CHOICES, default=CHOICES)
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    parser.add_argument("--save", help="name of a file under benchmarks/results to keep the results in")
    arguments = parser.parse_args()
    album = load_album(arguments)
    calibration = calibrate(album.vectors)
    results = []
    for choice in arguments.choices:
        for result in curve(album, calibration, choice, arguments.answers):
            result |= {"degraded": arguments.degraded, "least_photos": arguments.least_photos}
            tell(result)
            results.append(result)
    if arguments.save:
        options = f"--degraded {arguments.degraded} --least-photos {arguments.least_photos}"
        save(arguments.save, results, command=f"python -m benchmarks.answers --photos DIR {options}")


if __name__ == "__main__":
    main()
