"""How many text lines a core makes in a second, for each preset; each effect's cost; scenes; peers beside them.

`python -m benchmarks.synthesis [--count 1000] [--scenes 10] [--trdg PYTHON] [--albumentations PYTHON]`

Peers run in an interpreter of their own (trdg needs Pillow < 10). Time is this process's own CPU time, after as many
images again to warm the caches; one thread. Blender's scenes, where it is set up, are measured as `benchmarks.scenes`
does. One JSON object per line.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import time
from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np

from benchmarks import scenes
from benchmarks.machine import save, tell
from models_zoo.alignment import CROP_SIZE, TEMPLATE
from synthesis.effects import EFFECTS, make_effect
from synthesis.effects.seeds import item_rng
from synthesis.recipes import PRESETS, load_preset
from synthesis.samples import make_sample
from synthesis.writers.base import encode_png

_TRDG: Final = """
import json, sys, time
from trdg.generators import GeneratorFromDict
made = GeneratorFromDict(length=2, size=48, skewing_angle=5, random_skew=True, blur=1, random_blur=True,
                         background_type=0, distorsion_type=3, count=2 * int(sys.argv[1]))
for _ in range(int(sys.argv[1])):
    next(made)
begin = time.process_time()
for _ in range(int(sys.argv[1])):
    next(made)
print(json.dumps(int(sys.argv[1]) / (time.process_time() - begin)))
"""
_ALBUMENTATIONS: Final = """
import json, sys, time
import albumentations as A, cv2, numpy as np
cv2.setNumThreads(1)
image = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
ours = {"motion_blur": A.MotionBlur(blur_limit=(5, 11), p=1), "defocus_blur": A.Defocus(radius=(2, 4), p=1),
        "noise": A.GaussNoise(p=1), "jpeg": A.ImageCompression(quality_range=(25, 75), p=1),
        "low_resolution": A.Downscale(scale_range=(0.14, 0.25), p=1),
        "brightness_contrast": A.RandomBrightnessContrast(p=1), "colour_cast": A.RGBShift(p=1),
        "gamma": A.RandomGamma(p=1), "haze": A.RandomFog(p=1), "colour_noise": A.ISONoise(p=1),
        "low_light": A.ShotNoise(p=1), "shadow": A.RandomShadow(p=1), "glare": A.RandomSunFlare(p=1),
        "roll": A.Rotate(30, p=1), "viewpoint": A.Perspective(p=1), "misalignment": A.Affine(rotate=(-4, 4), p=1),
        "light_falloff": A.Illumination(p=1), "turbulence": A.ElasticTransform(p=1), "fade": A.ToSepia(p=1),
        "bar": A.CoarseDropout(num_holes_range=(1, 1), p=1)}
rates = {}
for name, effect in ours.items():
    for _ in range(50):
        effect(image=image)
    begin = time.process_time()
    for _ in range(int(sys.argv[1])):
        effect(image=image)
    rates[name] = int(sys.argv[1]) / (time.process_time() - begin)
print(json.dumps(rates))
"""


def presets(count: int) -> Iterator[dict[str, Any]]:
    """Images and lines of text a second, with and without PNG."""
    for name in (name for name in PRESETS if name.startswith("text_")):
        generator = load_preset(name)
        for index in range(count):
            make_sample(generator, 1, index)
        begin = time.process_time()
        samples = [make_sample(generator, 7, index) for index in range(count)]
        seconds = time.process_time() - begin
        begin = time.process_time()
        for sample in samples:
            encode_png(sample.image)
        lines = sum(sample.labels["text"].count("\n") + 1 for sample in samples)
        yield {
            "what": "preset",
            "name": name,
            "images": count,
            "images_per_s": round(count / seconds),
            "lines_per_s": round(lines / seconds),
            "images_per_s_with_png": round(count / (seconds + time.process_time() - begin)),
            "median_height": statistics.median(sample.image.shape[0] for sample in samples),
            "median_width": statistics.median(sample.image.shape[1] for sample in samples),
            "rejected_draws_per_image": round(sum(sample.attempt for sample in samples) / count, 4),
            "fonts": len({sample.labels["font"] for sample in samples}),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }


def effects(count: int, peer: dict[str, float]) -> Iterator[dict[str, Any]]:
    """Applications a second of each effect to an aligned crop, drawing its parameters included."""
    image = np.random.default_rng(0).integers(0, 256, (CROP_SIZE, CROP_SIZE, 3), dtype=np.uint8)
    for name in EFFECTS:
        effect = make_effect(name)
        for index in range(20):
            effect(image, item_rng(0, index), TEMPLATE)
        rngs = [item_rng(7, index) for index in range(count)]
        begin = time.process_time()
        for rng in rngs:
            effect(image, rng, TEMPLATE)
        row = {"what": "effect", "name": name, "per_s": round(count / (time.process_time() - begin))}
        yield row | ({"albumentations_per_s": round(peer[name])} if name in peer else {})


def _peer(python: str, script: str, count: int) -> Any:
    run = subprocess.run([python, "-c", script, str(count)], capture_output=True, text=True)
    if run.returncode:
        return {"failed": run.stderr.strip().splitlines()[-1:]}
    return json.loads(run.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--trdg", metavar="PYTHON", help="an interpreter that has trdg")
    parser.add_argument("--albumentations", metavar="PYTHON", help="an interpreter that has albumentations")
    parser.add_argument("--scenes", type=int, default=10, help="images of each of Blender's presets")
    parser.add_argument("--save", action="store_true", help="keep the results in benchmarks/results")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rows = []
    for row in measure(options):
        tell(row)
        rows.append(row)
    if options.save:
        save("synthesis", rows, command="python -m benchmarks.synthesis")


def measure(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One row per preset, peer, effect and kind of scene."""
    yield from presets(options.count)
    if options.trdg:
        yield {"what": "peer", "name": "trdg", "images_per_s": _peer(options.trdg, _TRDG, options.count)}
    rates = _peer(options.albumentations, _ALBUMENTATIONS, options.count) if options.albumentations else {}
    if "failed" in rates:
        yield {"what": "peer", "name": "albumentations"} | rates
        rates = {}
    yield from effects(options.count, rates)
    if options.scenes:
        yield from scenes.rates([], [8], options.scenes)


if __name__ == "__main__":
    main()
