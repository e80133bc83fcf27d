"""Does a recipe aimed at the worst quality slice help it more than untargeted effects do?

    python -m benchmarks.aimed --photos ../shared/data/lfw/photos [--develop] [--epochs 2] [--seeds 3] [--save]

People are told apart by sha256(name) % 10: 4..9 train on clean photos, 2 and 3 choose, 0 and 1 test. Choosing and test
people are photographed by the five cameras of `benchmarks.aimed_pool`. The start model names the slice that it does
worst on among the choosing people, `synthesis.aiming` proposes a recipe for it from their quality measures and the
clean training crops, and two models are trained for each seed with the same faces, epochs and share of changed views:

    untargeted   changed views are the loop's usual training augmentation
    aimed        half of them are made by the recipe instead

One JSON line per finding, the last ones on the test people: true-accept rate of the slice's faces and of all faces
against clean ones, and the gain with its interval over people. `--develop` divides the training people among the three
parts instead, and leaves choosing and test people alone. Finished trainings in the folder `--work` are not repeated.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from annotation.exporters.shards import write_shard
from benchmarks.aimed_pool import CAMERAS, Pool, load_pool
from benchmarks.machine import save, tell
from models_zoo.alignment import TEMPLATE
from models_zoo.detection import YuNet
from models_zoo.embedding import open_embedder
from models_zoo.evaluation import FaceSet, Slice, mean_difference, rank_slices, tar_at_far, verification_trial
from models_zoo.quality import measure
from models_zoo.specs import spec
from models_zoo.training import Augment, TrainConfig, train
from models_zoo.weights import fetch
from synthesis.aiming import Proposal, crop_measures, propose
from synthesis.effects.combinators import Probably
from synthesis.effects.recipes import TRAINING_AUGMENTATION
from synthesis.recipes import build

Floats = NDArray[np.float32]
# The rate to choose the slice by: what the choosing people can tell.
CHOOSE_FAR: Final = 1e-2
FARS: Final = (1e-3, 1e-2)
AIMED_SHARE: Final = 0.5
PEOPLE: Final = {
    False: {"train": {4, 5, 6, 7, 8, 9}, "choose": {2, 3}, "test": {0, 1}},
    True: {"train": {6, 7, 8, 9}, "choose": {5}, "test": {4}},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="LFW's photos, a folder for each person")
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    parser.add_argument("--work", type=Path, default=Path("var/benchmarks/aimed"))
    parser.add_argument("--develop", action="store_true", help="on the training people alone")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=1e-4, help="peak learning rate of both arms")
    parser.add_argument("--frozen", type=int, default=13, help="units of the network that stay as they are")
    parser.add_argument("--save", action="store_true", help="keep the figures in benchmarks/results/")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    results = []
    for result in run(options):
        tell(result)
        results.append(result)
    if options.save:
        save("aimed", results, command=f"python -m benchmarks.aimed --photos lfw/photos --epochs {options.epochs}")


def run(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    detector = YuNet(fetch(spec("yunet"), directory=options.weights))
    start = fetch(spec("sface"), directory=options.weights)
    people = PEOPLE[options.develop]
    pools = {
        part: load_pool(
            options.photos,
            people[part],
            detector,
            options.work,
            shots=("good",) if part == "train" else tuple(CAMERAS),
        )
        for part in people
    }
    pools |= {part: known_well(pools[part]) for part in ("train", "test")}
    for part, pool in pools.items():
        yield {"benchmark": "aimed", "part": part, "faces": len(pool), "people": len(set(pool.people))}
    chosen = measures_of(pools["choose"])
    faces, gallery = face_sets(pools["choose"], vectors_of(start, pools["choose"], options.work))
    ranked = rank_slices(faces, gallery, chosen, far=CHOOSE_FAR)
    for one, rate in ranked:
        yield {"benchmark": "aimed", "choosing": one.name} | rate.as_dict(CHOOSE_FAR)
    worst = ranked[0][0]
    proposal = aim(pools["train"], chosen, worst)
    yield {"benchmark": "aimed", "slice": str(worst)} | proposal.as_dict()
    arms = trained(options, pools["train"], start, proposal)
    yield from figures(pools["test"], worst, start, arms, options.work)


def known_well(pool: Pool) -> Pool:
    """Without people of whom there is but one photo, as dataset versions are frozen."""
    photos = {name: len(set(pool.sources[pool.people == name].tolist())) for name in set(pool.people.tolist())}
    return pool.subset(np.array([photos[name] >= 2 for name in pool.people.tolist()]))


def measures_of(pool: Pool) -> dict[str, Floats]:
    """All quality measures of its faces."""
    quality = measure(pool.crops, pool.landmarks, pool.scores)
    return crop_measures(pool.crops, quality.size_px) | {"yaw": quality.yaw, "pitch": quality.pitch}


def vectors_of(weights: Path, pool: Pool, work: Path) -> Floats:
    """Embeddings of its faces; kept in `work` for the next time."""
    told = hashlib.sha256(weights.read_bytes() + pool.crops[::50].tobytes() + len(pool).to_bytes(4)).hexdigest()
    kept = work / f"vectors-{told[:16]}.npy"
    if not kept.is_file():
        embedder = open_embedder(weights, threads=torch.get_num_threads())
        found = [embedder.embed(pool.crops[row : row + 256]) for row in range(0, len(pool), 256)]
        np.save(kept, np.concatenate(found))
    vectors: Floats = np.load(kept)
    return vectors


def face_sets(pool: Pool, vectors: Floats, rows: NDArray[np.bool_] | None = None) -> tuple[FaceSet, FaceSet]:
    """The faces of `rows`, all if None, and the clean ones to compare them with."""
    people = np.unique(pool.people, return_inverse=True)[1].astype(np.int64)
    clean = pool.cameras == "good"
    probes = np.ones(len(pool), bool) if rows is None else rows
    return tuple(FaceSet(vectors[one], people[one], pool.sources[one]) for one in (probes, clean))  # type: ignore[return-value]


def aim(pool: Pool, chosen: dict[str, Floats], worst: Slice) -> Proposal:
    rows = worst.rows(chosen)
    target = {name: values[rows] for name, values in chosen.items()}
    sizes = measure(pool.crops, pool.landmarks, pool.scores).size_px
    return propose(pool.crops, target, size_px=sizes, seed=1)


def trained(options: argparse.Namespace, pool: Pool, start: Path, proposal: Proposal) -> dict[str, list[Path]]:
    """{arm: the weights of each seed}."""
    dataset = write_dataset(options.work, pool)
    mixed = Probably(AIMED_SHARE, build(proposal.node), otherwise=TRAINING_AUGMENTATION)
    effects = {"untargeted": TRAINING_AUGMENTATION, "aimed": mixed}
    made: dict[str, list[Path]] = {arm: [] for arm in effects}
    for seed in range(options.seeds):
        config = TrainConfig(
            seed=seed, epochs=options.epochs, learning_rate=options.rate, frozen_units=options.frozen, workers=1
        )
        for arm, effect in effects.items():  # seed by seed, so that a run cut short has both arms of some
            facts = json.dumps([config.as_dict(), repr(effect), dataset.name])
            output = options.work / f"{arm}-{seed}-{hashlib.sha256(facts.encode()).hexdigest()[:10]}"
            if not (output / "weights.safetensors").is_file():
                train(config, dataset=dataset, start_weights=start, output=output, augment=augmenting(effect))
            made[arm].append(output / "weights.safetensors")
    return made


def augmenting(effect: Any) -> Augment:
    def augment(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        changed: NDArray[np.uint8] = effect(crop, rng, TEMPLATE)
        return changed

    return augment


def write_dataset(work: Path, pool: Pool) -> Path:
    """A dataset version of the pool's crops, with their true people; its folder."""
    pngs = [cv2.imencode(".png", crop[..., ::-1])[1].tobytes() for crop in pool.crops]
    digests = [hashlib.sha256(png).hexdigest() for png in pngs]
    root = work / f"dataset-{hashlib.sha256(''.join(digests).encode()).hexdigest()[:10]}"
    if (root / "manifest.parquet").is_file():
        return root
    (root / "shards").mkdir(parents=True, exist_ok=True)
    with (root / "shards" / "part").open("wb") as file:
        shard, places = write_shard(file, zip(digests, pngs, strict=True))
    (root / "shards" / "part").replace(root / "shards" / f"{shard}.tar")
    numbers = np.unique(pool.people, return_inverse=True)[1]
    rows: dict[str, list[Any]] = {
        "face_digest": digests,
        "identity": numbers.tolist(),
        "shard": [shard] * len(pool),
        "offset": [places[digest].offset for digest in digests],
        "length": [places[digest].length for digest in digests],
    }
    same = {"label_source": "import", "confidence": 1.0, "split": "train", "weight": 1.0}
    pq.write_table(pa.table(rows | {name: [one] * len(pool) for name, one in same.items()}), root / "manifest.parquet")
    return root


def figures(pool: Pool, worst: Slice, start: Path, arms: dict[str, list[Path]], work: Path) -> Iterator[dict[str, Any]]:
    """Rates of each model and gains of the aimed ones, on the worst slice, on everything and on clean faces."""
    found = measures_of(pool)
    parts: dict[str, NDArray[np.bool_]] = {
        f"worst slice: {worst}": worst.rows(found),
        "overall": np.ones(len(pool), bool),
        "the rest": ~worst.rows(found),
    }
    parts |= {f"camera {name}": pool.cameras == name for name in CAMERAS}
    vectors = {
        arm: [vectors_of(path, pool, work) for path in paths] for arm, paths in {"start": [start], **arms}.items()
    }
    for part, rows in parts.items():
        for far in FARS:
            trials = {
                arm: [verification_trial(*face_sets(pool, one, rows), far=far) for one in many]
                for arm, many in vectors.items()
            }
            rates = {arm: [tar_at_far(one, far) for one in many] for arm, many in trials.items()}
            gain = mean_difference(trials["untargeted"], trials["aimed"], far)
            yield {
                "benchmark": "aimed",
                "part": part,
                "far": far,
                "faces": int(rows.sum()),
                "genuine_pairs": rates["start"][0].genuine,
                "people": rates["start"][0].people,
                "start": round(rates["start"][0].value, 4),
                "start_ci": [round(rates["start"][0].low, 4), round(rates["start"][0].high, 4)],
                **{f"{arm}_seeds": [round(one.value, 4) for one in rates[arm]] for arm in arms},
                **{arm: round(float(np.mean([one.value for one in rates[arm]])), 4) for arm in arms},
                "gain": round(gain.value, 4),
                "gain_ci": [round(gain.low, 4), round(gain.high, 4)],
            }


if __name__ == "__main__":
    main()
