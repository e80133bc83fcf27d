"""What share of the faces in street and group photos is found, how many of the finds are faces, and how fast?

    python -m benchmarks.detection --groups ../shared/data/groups [--sheet misses.png] [--save]
    python -m benchmarks.detection --portraits ../shared/data/lfw/photos [--step 6] [--save]

`--groups`: a folder with `photos/` and `boxes.csv` (photo, x, y, width, height, label); one JSON line for all and one
per width of the true boxes, at IoU 0.4. `ignore` boxes count neither way. The sheet frames the misses in red and what
was found beside the truth in yellow. `--portraits`: any folder of photos with a face each; the share in which a face is
found, as they are and degraded.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.lfw import read
from benchmarks.machine import save, tell
from models_zoo.detection import Detections, Detector, YuNet
from models_zoo.specs import spec
from models_zoo.weights import fetch
from synthesis.effects.recipes import degrade
from synthesis.effects.seeds import item_rng

IOU = 0.4
WIDTHS = ((0, 8), (8, 16), (16, 32), (32, 64), (64, 10_000))
TILE, COLUMNS = 128, 10
RED, YELLOW, GREEN = (40, 40, 230), (0, 200, 230), (60, 180, 60)
Image = NDArray[np.uint8]
Boxes = NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=Path)
    parser.add_argument("--sheet", type=Path, help="write the misses and false finds as one PNG")
    parser.add_argument("--portraits", type=Path)
    parser.add_argument("--step", type=int, default=6, help="take every so many portraits")
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    parser.add_argument("--save", action="store_true", help="keep the figures in benchmarks/results/")
    options = parser.parse_args()
    detector = YuNet(fetch(spec("yunet"), directory=options.weights))
    results, command = [], "python -m benchmarks.detection"
    if options.groups:
        command += " --groups groups"
        results += list(groups(detector, options.groups, options.sheet))
    if options.portraits:
        command += f" --portraits lfw/photos --step {options.step}"
        results += list(portraits(detector, options.portraits, options.step))
    for result in results:
        tell(result)
    if options.save:
        save("detection", results, command=command)


def groups(detector: Detector, folder: Path, sheet: Path | None) -> Iterator[dict[str, Any]]:
    """Recall and precision over all photos, and recall by the width of the face."""
    truth = true_boxes(folder / "boxes.csv")
    names = sorted(path.name for path in (folder / "photos").iterdir())
    photos = [read(folder / "photos" / name) for name in names]
    detector.detect(photos[:4])
    started = time.perf_counter()
    found = detector.detect(photos)
    seconds = time.perf_counter() - started
    widths, hits, wrong, tiles = [], [], 0, []
    for name, photo, faces in zip(names, photos, found, strict=True):
        wanted, ignored = truth[name]
        owner = matched(faces, wanted, ignored)
        hit = np.isin(np.arange(len(wanted)), owner)
        widths += wanted[:, 2].tolist()
        hits += hit.tolist()
        wrong += int((owner == -1).sum())
        tiles += [tile(photo, box, wanted, faces, RED) for box in wanted[~hit]]
        tiles += [tile(photo, box, wanted, faces, YELLOW) for box in faces.boxes[owner == -1]]
    if sheet:
        cv2.imwrite(str(sheet), contact_sheet(tiles))
    right, size = np.array(hits), np.array(widths)
    yield {
        "benchmark": "detection",
        "photos": len(photos),
        "faces": len(right),
        "recall": round(float(right.mean()), 4),
        "precision": round(int(right.sum()) / (int(right.sum()) + wrong), 4),
        "found_beside_the_truth": wrong,
        "iou": IOU,
        "photos_per_second": round(len(photos) / seconds, 1),
    }
    for low, high in WIDTHS:
        inside = (size >= low) & (size < high)
        yield {"benchmark": "detection", "width_px": [low, high], "faces": int(inside.sum())} | (
            {"recall": round(float(right[inside].mean()), 4)} if inside.any() else {}
        )


def portraits(detector: Detector, folder: Path, step: int) -> Iterator[dict[str, Any]]:
    """The share of photos with a face, as they are and degraded."""
    photos = [read(path) for path in sorted(folder.rglob("*.jpg"))[::step]]
    degraded = [np.asarray(degrade(photo, item_rng(0, row)), np.uint8) for row, photo in enumerate(photos)]
    for name, images in (("as they are", photos), ("degraded", degraded)):
        started = time.perf_counter()
        found = detector.detect(images)
        seconds = time.perf_counter() - started
        yield {
            "benchmark": "detection",
            "portraits": name,
            "photos": len(images),
            "found": round(float(np.mean([len(faces) > 0 for faces in found])), 5),
            "faces_per_photo": round(float(np.mean([len(faces) for faces in found])), 3),
            "photos_per_second": round(len(images) / seconds, 1),
        }


def true_boxes(file: Path) -> dict[str, tuple[Boxes, Boxes]]:
    """For each photo the boxes that count and those to ignore, each (k, 4)."""
    rows: dict[str, tuple[list[list[float]], list[list[float]]]] = defaultdict(lambda: ([], []))
    with file.open() as lines:
        for row in csv.DictReader(lines):
            box = [float(row[key]) for key in ("x", "y", "width", "height")]
            rows[row["photo"]][row["label"] == "ignore"].append(box)
    empty = np.empty((0, 4), np.float32)
    made = {name: tuple(np.array(part or empty, np.float32) for part in both) for name, both in rows.items()}
    return defaultdict(lambda: (empty, empty), made)  # type: ignore[arg-type]


def matched(found: Detections, wanted: Boxes, ignored: Boxes) -> NDArray[np.intp]:
    """For each find, best first: the true box it takes, -1 if none, -2 if it lies on one to ignore."""
    owner = np.full(len(found), -1)
    overlap = ious(found.boxes, wanted)
    for row in range(len(found)):
        free = [column for column in range(len(wanted)) if column not in owner and overlap[row, column] >= IOU]
        if free:
            owner[row] = max(free, key=lambda column: float(overlap[row, column]))
        elif len(ignored) and ious(found.boxes[row : row + 1], ignored).max() >= IOU:
            owner[row] = -2
    return owner


def ious(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """(len(a), len(b)) intersection over union."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum((a[:, :2] + a[:, 2:])[:, None], (b[:, :2] + b[:, 2:])[None])
    common = np.clip(high - low, 0, None).prod(axis=2)
    return np.asarray(common / (a[:, 2:].prod(axis=1)[:, None] + b[:, 2:].prod(axis=1)[None] - common), np.float32)


def tile(photo: Image, box: Boxes, wanted: Boxes, found: Detections, colour: tuple[int, int, int]) -> Image:
    """BGR: the box in the middle, with twice its size around it; the truth in green, finds in yellow."""
    side = 2.5 * float(max(box[2:]))
    centre = box[:2] + box[2:] / 2
    zoom = TILE / side
    matrix = np.array([[zoom, 0, TILE / 2 - zoom * centre[0]], [0, zoom, TILE / 2 - zoom * centre[1]]], np.float64)
    picture = cv2.warpAffine(photo[:, :, ::-1], matrix, (TILE, TILE), flags=cv2.INTER_LINEAR)
    for boxes, line in ((wanted, GREEN), (found.boxes, YELLOW), (box[None], colour)):
        for x, y, width, height in boxes:
            corners = (np.array([[x, y], [x + width, y + height]]) - centre) * zoom + TILE / 2
            cv2.rectangle(picture, corners[0].astype(int).tolist(), corners[1].astype(int).tolist(), line, 1)
    cv2.putText(picture, f"{box[2]:.0f} px", (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)
    cv2.rectangle(picture, (0, 0), (TILE - 1, TILE - 1), colour, 2)
    return np.asarray(picture, np.uint8)


def contact_sheet(tiles: list[Image]) -> Image:
    """All tiles in rows of `COLUMNS`; a black one if there are none."""
    rows = max(1, -(-len(tiles) // COLUMNS))
    sheet = np.zeros((rows * TILE, COLUMNS * TILE, 3), np.uint8)
    for number, one in enumerate(tiles):
        top, left = (number // COLUMNS) * TILE, (number % COLUMNS) * TILE
        sheet[top : top + TILE, left : left + TILE] = one
    return sheet


if __name__ == "__main__":
    main()
