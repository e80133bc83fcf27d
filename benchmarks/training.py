"""How fast is a training step, and what do mixed precision and frozen units bring?

    python -m benchmarks.training [--device cuda] [--batch 64] [--steps 8] [--save]

One line per precision and number of frozen units: faces/s of forward, backward and optimiser on ready views, how many
threads making the views would keep busy meanwhile, and peak memory.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from benchmarks.machine import save, tell
from models_zoo.networks.sface import SFace
from models_zoo.specs import spec
from models_zoo.training.config import TrainConfig
from models_zoo.training.forward import embed, trained_parameters
from models_zoo.training.losses import distillation
from models_zoo.training.views import as_tensor
from models_zoo.weights import fetch
from synthesis.effects import item_rng, training_augment

WEIGHTS = Path("var/weights")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--batch", type=int, default=TrainConfig().batch_size)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--save", action="store_true", help="keep the figures in benchmarks/results/")
    options = parser.parse_args()
    weights = fetch(spec("sface"), directory=WEIGHTS)
    crops = made_up_crops(options.batch)
    view_seconds = seconds_per_view(crops)
    results = []
    for precision in ("float32", "bf16"):
        for frozen in sorted({0, 9, 13, TrainConfig().frozen_units}):
            result = measure(weights, crops, torch.device(options.device), precision, frozen, options.steps)
            result["view_threads"] = round(view_seconds * result["faces_per_second"], 3)
            tell(result)
            results.append(result)
    if options.save:
        save(f"training-{options.device}", results, command=f"python -m benchmarks.training --device {options.device}")


def made_up_crops(count: int) -> np.ndarray:
    """uint8 (count, 112, 112, 3); what is on them doesn't change the time."""
    return np.random.default_rng(0).integers(0, 256, (count, 112, 112, 3), dtype=np.uint8)


def seconds_per_view(crops: np.ndarray) -> float:
    started = time.perf_counter()
    for row, crop in enumerate(crops):
        training_augment(crop, item_rng(0, row))
    return (time.perf_counter() - started) / len(crops)


def measure(
    weights: Path, crops: np.ndarray, device: torch.device, precision: str, frozen: int, steps: int
) -> dict[str, Any]:
    """The best of `steps` steps, after two to warm up: other work on the machine only ever makes a step slower."""
    network = SFace.load(weights).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(trained_parameters(network, frozen), lr=1e-5)
    targets = torch.nn.functional.normalize(torch.randn(len(crops), 128, device=device), dim=1)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    seconds = []
    for _ in range(steps + 2):
        started = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            embeddings = embed(network, as_tensor(crops, device), frozen_units=frozen)
        optimiser.zero_grad()
        torch.autograd.backward(distillation(embeddings.float(), targets).mean())
        optimiser.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    best = min(seconds[2:])
    return {
        "question": "training step",
        "device": torch.cuda.get_device_name() if device.type == "cuda" else f"cpu x{torch.get_num_threads()}",
        "precision": precision,
        "frozen_units": frozen,
        "batch": len(crops),
        "milliseconds_per_face": round(best / len(crops) * 1e3, 2),
        "faces_per_second": round(len(crops) / best, 1),
        "peak_mib": round(peak_mib(device)),
    }


def peak_mib(device: torch.device) -> float:
    """On CUDA what torch took at most; on CPU what the process holds now."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return float(psutil.Process().memory_info().rss / 2**20)


if __name__ == "__main__":
    main()
