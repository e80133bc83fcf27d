"""What is a person's answer worth? BCubed F after so many "same/different" answers, by how the pairs are chosen.

    python -m benchmarks.answers --photos DIR [--degraded 0.5] [--least-photos 4] [--answers 200] [--save NAME]

All photos are mixed into one album and clustered by the label-free calibration; the folder names answer. `queue` asks
the most valuable pair and clusters again after every answer. `near` asks random ones of the pairs that the queue would
ask at all, `random` any two faces. Every answer becomes a must-link or a cannot-link.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from annotation.clustering import Clustering, Constraints, Thresholds, agreement, calibrate, cluster, settling
from annotation.clustering.questions import worthwhile_questions
from annotation.clustering.vectors import Indexes
from benchmarks.album import Album, embed_folder
from benchmarks.machine import save, tell

CHOICES = ("queue", "near", "random")
TOLD = (0, 1, 2, 5, 10, 20, 50, 100, 200)


def curve(album: Album, thresholds: Thresholds, choice: str, answers: int) -> Iterator[dict[str, Any]]:
    """One line for each of TOLD."""
    rng, pairs = np.random.default_rng(0), np.empty((0, 2), np.int64)
    clustering, first = _cluster(album, thresholds, pairs), 0.0
    before = clustering.labels
    pool = worthwhile_questions(album.vectors, clustering.labels, thresholds, pairs).faces
    if choice == "random":
        pool = np.sort(np.stack([rng.choice(len(album.truth), 2, replace=False) for _ in range(answers)]), axis=1)
    pool = pool[rng.permutation(len(pool))]
    for count in range(min(answers, len(pool) if choice != "queue" else answers) + 1):
        if count in TOLD:
            if choice != "queue":
                clustering = _cluster(album, thresholds, pairs)
            found = agreement(clustering.labels, album.truth)
            if count == 0:
                first = found.bcubed.f
            settled = settling(before, clustering.labels, album.truth, decisions=count)
            same = album.truth[pairs[:, 0]] == album.truth[pairs[:, 1]]
            yield {
                "benchmark": "answers",
                "choice": choice,
                "n": len(album.truth),
                "answers": count,
                "same": int(same.sum()),
                "bcubed_f": round(found.bcubed.f, 5),
                "gain": round(found.bcubed.f - first, 5),
                "pairwise_f": round(found.pairwise.f, 5),
                "clusters": found.clusters,
                "settled": settled.settled - settled.unsettled,
                "settled_per_answer": round(settled.per_decision, 3),
            }
        if choice == "queue":
            asked = worthwhile_questions(album.vectors, clustering.labels, thresholds, pairs).faces
            if not len(asked):
                return
            pairs = np.concatenate([pairs, asked[:1]])
            clustering = _cluster(album, thresholds, pairs)
        elif count < len(pool):
            pairs = np.concatenate([pairs, pool[count : count + 1]])


def _cluster(album: Album, thresholds: Thresholds, pairs: Indexes) -> Clustering:
    same = album.truth[pairs[:, 0]] == album.truth[pairs[:, 1]]
    none = Constraints.none(len(album.truth))
    constraints = Constraints(none.identity, none.photo, pairs[same], pairs[~same])
    return cluster(album.vectors, constraints=constraints, thresholds=thresholds)


def load_album(arguments: argparse.Namespace) -> Album:
    """The folder's album, or what an earlier run with the same options kept of it."""
    if arguments.faces is not None and arguments.faces.exists():
        with np.load(arguments.faces) as kept:
            return Album(kept["vectors"], kept["truth"], int(kept["missed"]))
    album = embed_folder(arguments.photos, arguments)
    if arguments.faces is not None:
        np.savez(arguments.faces, vectors=album.vectors, truth=album.truth, missed=album.missed)
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
    thresholds = calibrate(album.vectors).thresholds
    results = []
    for choice in arguments.choices:
        for result in curve(album, thresholds, choice, arguments.answers):
            result |= {"degraded": arguments.degraded, "least_photos": arguments.least_photos}
            tell(result)
            results.append(result)
    if arguments.save:
        options = f"--degraded {arguments.degraded} --least-photos {arguments.least_photos}"
        save(arguments.save, results, command=f"python -m benchmarks.answers --photos DIR {options}")


if __name__ == "__main__":
    main()
