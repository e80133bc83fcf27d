"""Labels of a rendered scene, from what Blender's process left.

A scene's labels are a dict of

- `instance_map`: uint16 (h, w), the id of the instance that each pixel's centre sees; 0 where there is none.
- `depth`: float32 (h, w), metres along the optical axis; 0 where nothing is.
- `camera`: `K`, intrinsics (3 x 3 lists) for pixels whose centres are whole numbers, and `world_to_camera` (4 x 4):
  x right, y down, z forward, metres.
- `instances`: a list of one dict for each instance, hidden ones too, with
  - `id`: its value in `instance_map`; `class`: a name; and whatever the scene adds (SKU, texts, order in the queue).
  - `area`: pixels that show it. `box`: their [x, y, w, h], or None if there are none.
  - `amodal_area`, `amodal_box`: the same of its whole silhouette, as if nothing stood before it and the image went on
    by its own width and height on every side; the box may reach beyond the image.
  - `visibility`: `area` / `amodal_area`, 0 to 1, as BOP defines it: lower both for what is hidden and what is cut off.
  - `silhouette`: the silhouette within the image as a COCO run-length code: `{"size": [h, w], "counts": str}`.
  - `pose`: rigid 4 x 4 matrix from its main object to the camera, metres.

The two arrays are of the image's size; everything else is JSON.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from foundation.errors import LoupeError
from synthesis.effects.base import Image
from synthesis.samples import Labels
from synthesis.scenes.silhouettes import silhouettes


class BadScene(LoupeError):
    """A kind of scene broke its contract with the driver."""

    code = "bad_scene"
    status = 500


def read(answer: dict[str, Any], folder: Path) -> tuple[Image, Labels]:
    """The image, uint8 RGB (h, w, 3), and its labels.

    Args:
        answer: the worker's, to `render`.
        folder: `image.png` and `passes.npz`.

    Raises:
        BadScene: instances share an id, or a pixel shows one that isn't listed.
    """
    image = cv2.imread(str(folder / "image.png"), cv2.IMREAD_COLOR)
    if image is None:
        raise BadScene("Blender's image can't be read.")
    with np.load(folder / "passes.npz") as passes:
        index, depth = passes["index"], passes["depth"]
        points, corners, owner = passes["points"], passes["corners"], passes["owner"]
    ids = [int(instance["id"]) for instance in answer["instances"]]
    if len(set(ids)) < len(ids) or not set(np.unique(index).tolist()) <= {0, *ids}:
        raise BadScene("The scene's instances are not those of its image.")
    k = np.array(answer["camera"]["K"])
    shapes = silhouettes(points, corners, owner, k, index.shape)
    seen = _extents(index)
    instances = []
    for instance in answer["instances"]:
        number = int(instance["id"])
        area, box = seen.get(number, (0, None))
        whole = shapes.get(number)
        inside = np.zeros(index.shape, np.bool_, order="F") if whole is None else whole.inside
        if box is not None:
            x, y, w, h = box
            inside[y : y + h, x : x + w] |= index[y : y + h, x : x + w] == number
        # A pixel on the rim may belong to what Cycles saw and not to what we draw.
        amodal_area = max(area, whole.area if whole else 0)
        instances.append(
            {name: value for name, value in instance.items() if name != "object"}
            | {
                "area": area,
                "box": box,
                "amodal_area": amodal_area,
                "amodal_box": _union(box, whole.box if whole else None),
                "visibility": round(area / amodal_area, 4) if amodal_area else 0.0,
                "silhouette": run_lengths(inside),
                "pose": answer["poses"][str(number)],
            }
        )
    labels = {"instance_map": index, "depth": depth, "camera": answer["camera"], "instances": instances}
    return np.ascontiguousarray(image[..., ::-1]), labels


def run_lengths(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """COCO's compressed run-length code of a boolean (h, w)."""
    code = coco_mask.encode(np.asfortranarray(mask, np.bool_).view(np.uint8))
    return {"size": list(mask.shape), "counts": code["counts"].decode("ascii")}


def _extents(index: NDArray[np.uint16]) -> dict[int, tuple[int, list[int]]]:
    """Area and box of every id in the map."""
    found: dict[int, tuple[int, list[int]]] = {}
    rows, columns = np.nonzero(index)
    order = np.argsort(index[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    ids, starts = np.unique(index[rows, columns], return_index=True)
    for number, start, end in zip(ids.tolist(), starts, [*starts[1:], len(rows)][: len(ids)], strict=True):
        y, x = rows[start:end], columns[start:end]
        left, top = int(x.min()), int(y.min())
        found[number] = int(end - start), [left, top, int(x.max()) - left + 1, int(y.max()) - top + 1]
    return found


def _union(one: list[int] | None, other: list[int] | None) -> list[int] | None:
    if one is None or other is None:
        return one or other
    left, top = min(one[0], other[0]), min(one[1], other[1])
    right, bottom = max(one[0] + one[2], other[0] + other[2]), max(one[1] + one[3], other[1] + other[3])
    return [left, top, right - left, bottom - top]
