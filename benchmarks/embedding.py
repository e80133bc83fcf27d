"""How many faces per second does each runtime embed, how near to the reference, and does it tell people apart as well?

    python -m benchmarks.embedding [--pairs ../shared/data/lfw/pairs.csv] [--device cuda] [--repeats 3] [--save]

One JSON line per runtime, precision and batch size. `speedup` is against ONNX Runtime on CPU called with one face at a
time on the shipped file; both take turns, so that other load on the machine hits both, and it is the median of the
turns. `faces_per_second` is that of the best turn.
With `--pairs` the faces are real and `lfw_accuracy` is told; without, they are made-up crops.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.lfw import Pairs, accuracy, load_pairs
from benchmarks.machine import save, tell
from models_zoo.detection import YuNet
from models_zoo.embedding.base import BatchEmbedder
from models_zoo.embedding.onnxruntime import OnnxRuntimeEmbedder
from models_zoo.embedding.openvino import PRECISIONS, OpenVinoEmbedder
from models_zoo.embedding.torch import TorchEmbedder
from models_zoo.specs import spec
from models_zoo.weights import fetch

BATCHES = {"cpu": (1, 8, 32, 128), "cuda": (1, 32, 256, 1024)}
Crops = NDArray[np.uint8]
Floats = NDArray[np.float32]

CHECKED = 128  # faces whose vectors are compared at every batch size


class Speed(NamedTuple):
    """Faces per second by the clock, and milliseconds of all processors per face, which other load hardly changes."""

    rate: float
    processor_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, help="LFW's pairs.csv, with photos/ beside it")
    parser.add_argument("--device", choices=sorted(BATCHES), default="cpu")
    parser.add_argument("--batches", type=int, nargs="+", help="instead of the device's usual sizes")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seconds", type=float, default=1.0, help="least time per turn")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    parser.add_argument("--save", action="store_true", help="keep the figures in benchmarks/results/")
    options = parser.parse_args()
    pairs = None
    if options.pairs:
        pairs = load_pairs(options.pairs, YuNet(fetch(spec("yunet"), directory=options.weights)))
    results = []
    for result in compare(options, pairs):
        tell(result)
        results.append(result)
    if options.save:
        command = f"python -m benchmarks.embedding --device {options.device}"
        if pairs:
            command += " --pairs lfw/pairs.csv"
        save(f"embedding-{options.device}", results, command=command)


def compare(options: argparse.Namespace, pairs: Pairs | None) -> Iterator[dict[str, Any]]:
    """One row per runtime and batch size, the reference first. Only one runtime is open beside the reference."""
    weights = fetch(spec("sface"), directory=options.weights)
    crops = pairs.crops if pairs else made_up_crops(1024)
    reference = OnnxRuntimeEmbedder(weights, threads=options.threads, batch_size=1)
    true = reference.embed(crops if pairs else crops[:CHECKED])
    batches = options.batches or BATCHES[options.device]
    yield row(reference, [speed(reference, crops, options.seconds)], [1.0], true, true, pairs)
    for make in runtimes(weights, options.device, options.threads, batches):
        embedder = make()
        turns, ratios = [], []
        for _ in range(options.repeats):
            turns.append(speed(embedder, crops, options.seconds))
            ratios.append(turns[-1].rate / speed(reference, crops, options.seconds).rate)
        # The size of a batch changes no more than the last bit, so that one size per runtime is enough to check whole.
        whole = embedder.batch_size == max(batches)
        known = len(true) if whole else CHECKED
        yield row(embedder, turns, ratios, embedder.embed(crops[:known]), true[:known], pairs if whole else None)


def row(
    embedder: BatchEmbedder, turns: list[Speed], ratios: list[float], vectors: Floats, true: Floats, pairs: Pairs | None
) -> dict[str, Any]:
    """What is told of one runtime."""
    best = max(turn.rate for turn in turns)
    result: dict[str, Any] = {
        "benchmark": "embedding",
        "runtime": embedder.name,
        "batch": embedder.batch_size,
        "faces_per_second": round(best, 1),
        "ms_per_face": round(1000 / best, 3),
        "processor_ms_per_face": round(min(turn.processor_ms for turn in turns), 2),
        "speedup": round(statistics.median(ratios), 2),
        "lowest_cosine": round(float((vectors * true).sum(axis=1).min()), 6),
        "faces": len(true),
    }
    if pairs:
        result |= {"lfw_accuracy": round(accuracy(vectors, pairs), 5), "pairs": len(pairs.same)}
    return result


def runtimes(weights: Path, device: str, threads: int, batches: Iterable[int]) -> Iterator[Callable[[], BatchEmbedder]]:
    """Opens each runtime that this device has, at each batch size."""
    for batch in batches:
        # The reference is ONNX Runtime on CPU with one face at a time already.
        if (device, batch) != ("cpu", 1):
            yield partial(OnnxRuntimeEmbedder, weights, device=device, threads=threads, batch_size=batch)
        yield partial(TorchEmbedder, weights, device=device, batch_size=batch)
        if device == "cpu":
            for precision in PRECISIONS:
                yield partial(OpenVinoEmbedder, weights, threads=threads, batch_size=batch, precision=precision)


def speed(embedder: BatchEmbedder, crops: Crops, seconds: float) -> Speed:
    """Whole batches, after one to warm up, for at least so many seconds."""
    batch = embedder.batch_size
    embedder.embed(crops[:batch])
    done, started, processor = 0, time.perf_counter(), time.process_time()
    while (elapsed := time.perf_counter() - started) < seconds:
        at = done % max(1, len(crops) - batch)
        done += len(embedder.embed(crops[at : at + batch]))
    return Speed(done / elapsed, 1000 * (time.process_time() - processor) / done)


def made_up_crops(count: int) -> Crops:
    """Smooth random pictures, uint8 (count, 112, 112, 3)."""
    coarse = np.random.default_rng(0).integers(0, 256, (count, 14, 14, 3), dtype=np.uint8)
    return np.repeat(np.repeat(coarse, 8, axis=1), 8, axis=2)


if __name__ == "__main__":
    main()
