"""How many labelled scenes Blender makes in a minute, at what quality and memory, and whether they are the same again.

`python -m benchmarks.scenes [--blender var/blender] [--presets boxes,shelf] [--samples 8] [--count 10] [--quality]
[--again]`

Wall time of everything: drawing the spec and its texture pictures, building, rendering, labels, PNG. Two threads. The
first image, which starts Blender and compiles, isn't counted. Beside it the processor time, which a busy machine
disturbs less. `--quality` compares the pictures with those of 128 samples. `--again` makes the first image again after
all others, once more with a kill -9 of the worker in its middle, and says whether every byte of image and labels was
the same. One JSON object per line.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import signal
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from synthesis.recipes import PRESETS, build, load_preset, preset_node
from synthesis.samples import Sample, make_sample, make_samples
from synthesis.scenes.environment import installed
from synthesis.scenes.places import Places, configure, places
from synthesis.scenes.scene import Scene, driver
from synthesis.writers.base import encode_png

_SEED: Final = 7
_REFERENCE: Final = 128


def rates(names: list[str], samples: list[int], count: int) -> Iterator[dict[str, Any]]:
    """Images a minute of each preset at each number of samples; one row that says so where Blender is missing."""
    if installed(places().folder) is None:
        yield {"what": "scenes", "skipped": "Blender isn't set up: run 'make blender'"}
        return
    for name in names or scene_presets():
        for rays in samples:
            yield _rate(name, _scene(name, rays), count)


def scene_presets() -> list[str]:
    """Those that Blender renders."""
    return [name for name in PRESETS if isinstance(build(preset_node(name)), Scene)]


def _scene(name: str, rays: int) -> Scene:
    scene = load_preset(name)
    assert isinstance(scene, Scene), f"{name} is not rendered by Blender"
    return replace(scene, samples=rays)


def _rate(name: str, scene: Scene, count: int) -> dict[str, Any]:
    make_sample(scene, _SEED, 0)
    made, begin, cpu = [], time.perf_counter(), _cpu()
    for _, sample in make_samples(scene, _SEED, range(1, count + 1)):
        if isinstance(sample, Exception):
            raise sample
        encode_png(sample.image)
        made.append(len(sample.labels["instances"]))
    seconds, cpu = time.perf_counter() - begin, _cpu() - cpu
    return {
        "what": "scenes",
        "name": name,
        "samples": scene.samples,
        "size": [scene.width, scene.height],
        "images": count,
        "images_per_min": round(60 * count / seconds, 1),
        "images_per_hour": round(3600 * count / seconds),
        "cpu_s_per_image": round(cpu / count, 2),
        "median_instances": statistics.median(made),
        "blender_peak_mib": _peak(),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _cpu() -> float:
    """Processor time of this process and the worker so far; wrong if the worker is replaced meanwhile (200 scenes)."""
    worker = psutil.Process(driver().pid).cpu_times()
    return float(time.process_time() + worker.user + worker.system)


def _peak() -> int:
    """The worker's highest resident memory."""
    status = Path(f"/proc/{driver().pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) // 1024


def quality(name: str, samples: list[int], count: int) -> Iterator[dict[str, Any]]:
    """Mean PSNR of the pictures against those of many samples."""
    references = [make_sample(_scene(name, _REFERENCE), _SEED, index).image for index in range(1, count + 1)]
    for rays in samples:
        found = []
        for index, reference in enumerate(references, 1):
            image = make_sample(_scene(name, rays), _SEED, index).image
            found.append(10 * np.log10(255**2 / np.mean((image.astype(float) - reference) ** 2)))
        yield {
            "what": "scene quality",
            "name": name,
            "samples": rays,
            "against": _REFERENCE,
            "images": count,
            "psnr_db": round(float(np.mean(found)), 2),
        }


def again(name: str, rays: int, count: int) -> dict[str, Any]:
    """Whether an image is the same after others and after a kill."""
    scene = _scene(name, rays)
    first = _digest(make_sample(scene, _SEED, 0))
    for index in range(1, count + 1):
        make_sample(scene, _SEED, index)
    later = _digest(make_sample(scene, _SEED, 0))
    victim = driver().pid
    assert victim is not None
    threading.Timer(1.0, os.kill, (victim, signal.SIGKILL)).start()
    killed = _digest(make_sample(scene, _SEED, 0))
    return {
        "what": "scenes again",
        "name": name,
        "samples": rays,
        f"same_after_{count}_others": later == first,
        "same_after_kill_in_mid_scene": killed == first,
        "worker_was_replaced": driver().pid != victim,
    }


def _digest(sample: Sample) -> str:
    whole = hashlib.sha256(sample.image.tobytes())
    for name, value in sorted(sample.labels.items()):
        whole.update(name.encode())
        whole.update(value.tobytes() if isinstance(value, np.ndarray) else json.dumps(value, sort_keys=True).encode())
    return whole.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blender", type=Path, default=Path("var/blender"), help="where 'make blender' put it")
    parser.add_argument("--presets", default="")
    parser.add_argument("--samples", default="8")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--quality", action="store_true")
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args()
    configure(Places(options.blender))
    names = [name for name in options.presets.split(",") if name]
    samples = [int(value) for value in options.samples.split(",")]
    for row in rates(names, samples, options.count):
        print(json.dumps(row), flush=True)
    if installed(options.blender) is None:
        return
    for name in names or scene_presets():
        if options.quality:
            for row in quality(name, samples, options.count):
                print(json.dumps(row), flush=True)
        if options.again:
            print(json.dumps(again(name, samples[0], options.count)), flush=True)


if __name__ == "__main__":
    main()
