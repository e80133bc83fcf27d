"""What the figures were measured on, and how a benchmark tells them."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("numpy", "torch", "openvino", "onnxruntime", "faiss-cpu", "opencv-python-headless", "numba", "Django")


def describe() -> dict[str, Any]:
    """Processor, cores, memory and versions of this machine."""
    processor = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "packages": versions,
    }


def tell(result: dict[str, Any]) -> None:
    """Print one result line."""
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


def save(name: str, results: list[dict[str, Any]], *, command: str) -> Path:
    """Keep the results with the machine's description and the command that made them in `benchmarks/results/`."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"command": command, "machine": describe(), "results": results}, indent=1) + "\n")
    return path
