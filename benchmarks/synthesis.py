"""How many text lines a core makes in a second, for each preset; each effect's cost; scenes; peers beside them.

`python -m benchmarks.synthesis [--count 1000] [--scenes 10] [--trdg PYTHON] [--synthtiger PYTHON]
[--albumentations PYTHON]`

Peers run in an interpreter of their own: trdg and synthtiger need Pillow < 10, synthtiger also numpy < 2. The latter
sets single words of the Latin list in our fonts, by `benchmarks/synthesis_synthtiger.py`. Of albumentations it is the
nearest thing to each effect, which may do less: CoarseDropout fills a rectangle, where a bar has form, light, shadow;
Downscale repeats pixels, Rotate and Perspective leave black what comes in at the rim. Time is this process's own
CPU time, one thread, after as many images again to warm the caches; of text after three times as many, as a font is
read when it is first met. Blender's scenes, where it is set up, are measured as `benchmarks.scenes` does. One JSON
object per line.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import string
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from benchmarks import scenes
from benchmarks.machine import save, tell
from models_zoo.alignment import CROP_SIZE, TEMPLATE
from synthesis.effects import EFFECTS, make_effect
from synthesis.effects.seeds import item_rng
from synthesis.parts import write_part
from synthesis.recipes import PRESETS, load_preset
from synthesis.samples import Generator, make_sample
from synthesis.text.fonts import open_shelf
from synthesis.text.vocabulary import read_words
from synthesis.writers.tar import Tar

_WARMING: Final = 3
_SYNTHTIGER: Final = Path(__file__).with_name("synthesis_synthtiger.py")
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
    """Images and lines of text a second; "packed" as a job does it, with PNG, labels, digests and the tar."""
    for name in (name for name in PRESETS if name.startswith("text_")):
        generator = load_preset(name)
        _packed(generator, 1, _WARMING * count)
        kept = []  # little of each sample: thousands of them would be the collector's work, not the generator's
        begin = time.process_time()
        for index in range(count):
            sample = make_sample(generator, 7, index)
            lines = sample.labels["text"].count("\n") + 1
            kept.append((*sample.image.shape[:2], lines, sample.attempt, sample.labels["font"]))
        seconds = time.process_time() - begin
        packed = _packed(generator, 8, count)
        heights, widths, lines_of, attempts, fonts = zip(*kept, strict=True)
        yield {
            "what": "preset",
            "name": name,
            "images": count,
            "images_per_s": round(count / seconds),
            "lines_per_s": round(sum(lines_of) / seconds),
            "images_per_s_packed": round(count / packed),
            "median_height": statistics.median(heights),
            "median_width": statistics.median(widths),
            "rejected_draws_per_image": round(sum(attempts) / count, 4),
            "fonts": len(set(fonts)),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }


def _packed(generator: Generator, seed: int, count: int) -> float:
    """Seconds for a shard of these samples, but for the database."""
    begin = time.process_time()
    with tempfile.TemporaryDirectory() as name, Tar(Path(name) / "pictures.tar") as pictures:
        write_part(
            generator,
            format=generator.formats()[0],
            seed=seed,
            indices=range(count),
            ordinal=0,
            target=Path(name) / "part",
            pictures=pictures.add,
        )
    return time.process_time() - begin


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


def synthtiger(python: str, count: int) -> Any:
    """SynthTIGER's rate with our Latin words and those of the fonts that have the plain alphabet."""
    words, _ = read_words("latin")
    letters = set("".join(words) + "".join(words).upper())
    with tempfile.TemporaryDirectory() as folder:
        fonts = Path(folder) / "fonts"
        fonts.mkdir()
        for face in open_shelf().faces.values():
            if set(string.ascii_letters) <= face.coverage:
                (fonts / face.name).symlink_to(face.path)
                (fonts / face.name).with_suffix(".txt").write_text("".join(sorted(letters & face.coverage)), "utf-8")
        listed = Path(folder) / "words.txt"
        listed.write_text("\n".join(words), "utf-8")
        return _peer(python, str(_SYNTHTIGER), count, str(listed), str(fonts))


def _peer(python: str, *arguments: Any) -> Any:
    """What the interpreter prints last, as JSON."""
    run = subprocess.run([python, *map(str, arguments)], capture_output=True, text=True)
    if run.returncode:
        return {"failed": run.stderr.strip().splitlines()[-1:]}
    return json.loads(run.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--trdg", metavar="PYTHON", help="an interpreter that has trdg")
    parser.add_argument("--synthtiger", metavar="PYTHON", help="an interpreter that has synthtiger")
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
        yield {"what": "peer", "name": "trdg", "images_per_s": _peer(options.trdg, "-c", _TRDG, options.count)}
    if options.synthtiger:
        yield {"what": "peer", "name": "synthtiger"} | synthtiger(options.synthtiger, options.count)
    rates = _peer(options.albumentations, "-c", _ALBUMENTATIONS, options.count) if options.albumentations else {}
    if "failed" in rates:
        yield {"what": "peer", "name": "albumentations"} | rates
        rates = {}
    yield from effects(options.count, rates)
    if options.scenes:
        yield from scenes.rates([], [8], options.scenes)


if __name__ == "__main__":
    main()
