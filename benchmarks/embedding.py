"""How many faces per second does each runtime embed, how near to the reference, and does it tell people apart as well?

    python -m benchmarks.embedding [--pairs ../shared/data/lfw/pairs.csv] [--device cuda] [--repeats 3] [--save]

One JSON line per runtime, precision and batch size. `speedup` is against ONNX Runtime called with one face at a time on
the shipped file; runtimes take turns, so that other load on the machine hits all of them, and the best turn counts.
With `--pairs` the faces are real and `lfw_accuracy` is told; without, they are made-up crops.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.lfw import Pairs, accuracy, load_pairs
from benchmarks.machine import save, tell
from models_zoo.detection import YuNet
from models_zoo.embedding import Embedder
from models_zoo.embedding.onnxruntime import OnnxRuntimeEmbedder
from models_zoo.embedding.openvino import OpenVinoEmbedder
from models_zoo.embedding.torch import TorchEmbedder
from models_zoo.specs import spec
from models_zoo.weights import fetch

BATCHES = {"cpu": (1, 8, 32, 128), "cuda": (1, 32, 256, 1024)}
Crops = NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, help="LFW's pairs.csv, with photos/ beside it")
    parser.add_argument("--device", choices=sorted(BATCHES), default="cpu")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seconds", type=float, default=1.5, help="least time per turn")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    parser.add_argument("--save", action="store_true", help="keep the figures in benchmarks/results/")
    options = parser.parse_args()
    pairs = None
    if options.pairs:
        pairs = load_pairs(options.pairs, YuNet(fetch(spec("yunet"), directory=options.weights)))
    results = compare(options, pairs)
    for result in results:
        tell(result)
    if options.save:
        command = f"python -m benchmarks.embedding --device {options.device}"
        if pairs:
            command += " --pairs lfw/pairs.csv"
        save(f"embedding-{options.device}", results, command=command)


def compare(options: argparse.Namespace, pairs: Pairs | None) -> list[dict[str, Any]]:
    """One row per runtime and batch size, the reference first."""
    weights = fetch(spec("sface"), directory=options.weights)
    crops = pairs.crops if pairs else made_up_crops(2048)
    reference = OnnxRuntimeEmbedder(weights, threads=options.threads, batch_size=1)
    embedders = [reference, *runtimes(weights, options.device, options.threads)]
    rates = [0.0] * len(embedders)
    for _ in range(options.repeats):
        for number, embedder in enumerate(embedders):
            rates[number] = max(rates[number], faces_per_second(embedder, crops, options.seconds))
    true = reference.embed(crops if pairs else crops[:256])
    results = []
    for embedder, rate in zip(embedders, rates, strict=True):
        vectors = true if embedder is reference else embedder.embed(crops[: len(true)])
        result: dict[str, Any] = {
            "benchmark": "embedding",
            "runtime": embedder.name,
            "batch": embedder.batch_size,
            "threads": options.threads,
            "faces_per_second": round(rate, 1),
            "ms_per_face": round(1000 / rate, 3),
            "speedup": round(rate / rates[0], 2),
            "lowest_cosine": round(float((vectors * true).sum(axis=1).min()), 6),
            "faces": len(true),
        }
        if pairs:
            result |= {"lfw_accuracy": round(accuracy(vectors, pairs), 5), "pairs": len(pairs.same)}
        results.append(result)
    return results


def runtimes(weights: Path, device: str, threads: int) -> list[Any]:
    """Every runtime that this device has, at every batch size."""
    makers: list[Callable[[int], Embedder]] = [
        lambda batch: OnnxRuntimeEmbedder(weights, device=device, threads=threads, batch_size=batch),
        lambda batch: TorchEmbedder(weights, device=device, batch_size=batch),
    ]
    if device == "cpu":
        makers += [
            lambda batch: OpenVinoEmbedder(weights, threads=threads, batch_size=batch, precision="f32"),
            lambda batch: OpenVinoEmbedder(weights, threads=threads, batch_size=batch, precision="bf16"),
        ]
    sizes = BATCHES[device]
    # The reference is ONNX Runtime on CPU with one face at a time already.
    return [
        make(size) for make in makers for size in sizes if not (device == "cpu" and make is makers[0] and size == 1)
    ]


def faces_per_second(embedder: Any, crops: Crops, seconds: float) -> float:
    """Whole batches, after one to warm up, for at least so many seconds."""
    batch = embedder.batch_size
    embedder.embed(crops[:batch])
    done, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        at = done % max(1, len(crops) - batch)
        done += len(embedder.embed(crops[at : at + batch]))
    return done / elapsed


def made_up_crops(count: int) -> Crops:
    """Smooth random pictures, uint8 (count, 112, 112, 3)."""
    coarse = np.random.default_rng(0).integers(0, 256, (count, 14, 14, 3), dtype=np.uint8)
    return np.repeat(np.repeat(coarse, 8, axis=1), 8, axis=2)


if __name__ == "__main__":
    main()
