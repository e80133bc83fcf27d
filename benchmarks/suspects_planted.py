"""How well are label errors found that were planted among people whose labels are right?

    python -m benchmarks.suspects_planted --photos ../shared/data/lfw/photos [--seeds 5] [--tuning] [--save]

Published errors of the folder are left out; then 1 in 100 photos gets a wrong label. Half of these are one person's
photo under a name of its own; of the others a third each are exchanged with another photo, moved to one of the five
people most like it, and taken from somebody who has no other photo and put under another name. One line per way to
rank: average precision over the seeds. cleanlab has the settings that do best on these very errors, seed by seed.

Last line: 30 pairs of people with two or more photos each get one name. Average precision of the names by how much the
evidence is for two people, how many are asked about, and the share of faces that the cut puts on the right side.
"""

from __future__ import annotations

import argparse
import hashlib
from collections import defaultdict
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.clustering.mixtures import find_mixtures
from benchmarks.machine import save, tell
from benchmarks.suspects import Faces, Int, load_faces, make_pool, read_rows, wrong_rows
from benchmarks.suspects_peers import average_precision, cleanlab_scores, plain_score, sums_of
from mining.strategies.expectations import expected_of_people, expected_of_strangers
from mining.strategies.label_suspects import weigh
from mining.strategies.pool import Pool

SHARE = 0.01
LIKE = 5
MIXED = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--faces", type=Path, help="keep the embedded faces here, or take them from here")
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--tuning", action="store_true", help="only the people that may be tuned on")
    parser.add_argument("--save", action="store_true", help="keep the figures in benchmarks/results/")
    options = parser.parse_args()
    faces = load_faces(options.photos, options.weights, options.faces)
    kept = np.ones(len(faces.images), np.bool_)
    kept[wrong_rows(faces, read_rows(options.photos.parent / "errata.csv"))] = False
    if options.tuning:
        kept &= np.array([int(hashlib.sha256(str(who).encode()).hexdigest(), 16) % 10 > 3 for who in faces.people])
    faces = subset(faces, np.flatnonzero(kept))
    results = [*measured(faces, options.seeds), mixed(faces, options.seeds)]
    for result in results:
        tell(result)
    if options.save:
        whom = " --tuning" if options.tuning else ""
        command = f"python -m benchmarks.suspects_planted --photos lfw/photos --seeds {options.seeds}{whom} --save"
        save("suspects-planted", results, command=command)


def measured(faces: Faces, seeds: int) -> list[dict[str, Any]]:
    """A line per way to rank."""
    pool = make_pool(faces)
    found: dict[str, list[float]] = defaultdict(list)
    planted = 0
    for seed in range(seeds):
        labels, wrong = plant(pool, np.random.default_rng(seed))
        planted += len(wrong)
        for name, precision in ranked(replace(pool, identity=labels), wrong).items():
            found[name].append(precision)
    setting = {"benchmark": "suspects_planted", "n": len(faces.images), "seeds": seeds, "planted": planted}
    return [
        setting
        | {"peer": name, "average_precision": round(float(np.mean(values)), 4)}
        | {"lowest": round(min(values), 4), "highest": round(max(values), 4)}
        for name, values in found.items()
    ]


def ranked(pool: Pool, wrong: Int) -> dict[str, float]:
    """Average precision by way to rank."""
    rows = np.arange(len(pool.identity))
    scores = {
        "ours": weigh(pool, rows).score,
        "ours, one pass": weigh(pool, rows, passes=1).score,
        "nearest other minus mean own": plain_score(pool.vectors, pool.identity),
    }
    scores |= {name: score for name, score, _ in cleanlab_scores(pool.vectors, pool.identity, wrong)}
    return {name: average_precision(score, wrong) for name, score in scores.items()}


def plant(pool: Pool, rng: np.random.Generator) -> tuple[Int, Int]:
    """New labels (n,) 0.. and the rows that are wrong; no two of them are of one person."""
    labels = pool.identity.copy()
    sizes = np.bincount(labels)
    count = round(SHARE * len(labels))
    sums, _ = sums_of(pool.vectors, labels)
    middles = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    several, alone = (rng.permutation(rows) for rows in (np.flatnonzero(sizes > 1), np.flatnonzero(sizes == 1)))
    subjects = [int(rng.choice(np.flatnonzero(pool.identity == person))) for person in several[: 2 * count]]
    renamed, subjects = subjects[: count // 2], subjects[count // 2 :]
    labels[renamed] = len(sizes) + np.arange(len(renamed))
    third = (count - len(renamed)) // 3
    exchanged, moved = subjects[: third // 2 * 2], subjects[third // 2 * 2 :][:third]
    labels[exchanged] = labels[exchanged[::-1]]
    for row in moved:
        like = middles @ pool.vectors[row]
        like[pool.identity[row]] = -1
        labels[row] = rng.choice(np.argsort(-like)[:LIKE])
    strangers = [int(np.flatnonzero(pool.identity == person)[0]) for person in alone[:third]]
    labels[strangers] = pool.identity[rng.choice(subjects[2 * third :], len(strangers), replace=False)]
    wrong = np.flatnonzero(labels != pool.identity)
    return np.unique(labels, return_inverse=True)[1].astype(np.int64), wrong


def mixed(faces: Faces, seeds: int) -> dict[str, Any]:
    """Two people under one name: found, and taken apart."""
    pool = make_pool(faces)
    precision, asked, right, others = [], 0, [], 0
    for seed in range(seeds):
        several = np.flatnonzero(np.bincount(pool.identity) > 1)
        pairs = np.random.default_rng(seed).permutation(several)[: 2 * MIXED].reshape(-1, 2)
        labels = pool.identity.copy()
        for kept, renamed in pairs:
            labels[labels == renamed] = kept
        strangers = expected_of_strangers(pool, pool.vectors, labels)
        found = find_mixtures(pool.vectors, labels, impostors=strangers, prior=expected_of_people(pool))
        planted = np.isin(found.labels, pairs[:, 0])
        precision.append(average_precision(found.score, np.flatnonzero(planted)))
        asked += int((found.score[planted] > 0).sum())
        others += int((found.score[~planted] > 0).sum())
        for kept, _ in pairs:
            agree = float((found.smaller == (pool.identity == kept))[labels == kept].mean())
            right.append(max(agree, 1 - agree))
    return {
        "benchmark": "mixtures_planted",
        "n": len(faces.images),
        "seeds": seeds,
        "planted": MIXED * seeds,
        "average_precision": round(float(np.mean(precision)), 4),
        "found": asked,
        "others_asked": others,
        "right_side": round(float(np.mean(right)), 4),
    }


def subset(faces: Faces, rows: NDArray[np.integer]) -> Faces:
    """These faces only."""
    columns = {field.name: getattr(faces, field.name) for field in fields(faces) if field.name != "missed"}
    return Faces(**{name: column[rows] for name, column in columns.items()}, missed=faces.missed)


if __name__ == "__main__":
    main()
