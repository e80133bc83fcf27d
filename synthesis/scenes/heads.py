"""Heads of people, from places in the world to boxes in the image."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.samples import Labels
from synthesis.scenes.truth import run_lengths

HEAD: Final = "head"  # the class, and the label of a person that holds theirs


def place_heads(labels: Labels) -> None:
    """Turn each person's `head_points_world` into `head`, in place: `box` [x, y, w, h] of the head, hair included, cut
    at the image's edge; `amodal_box` and `amodal_area` uncut; and of the pixels within the head's outline that show the
    person (what of their own arms or shoulders is before the head counts as seen) `area`, how many; `visible_box`, None
    if there are none; `mask`, their COCO run-length code; `visibility`, their share of the outline. None where the head
    is out of the image.
    """
    camera = labels["camera"]
    k, to_camera = np.array(camera["K"]), np.array(camera["world_to_camera"])
    for instance in labels["instances"]:
        if "head_points_world" in instance:
            points = np.array(instance.pop("head_points_world")) @ to_camera[:3, :3].T + to_camera[:3, 3]
            instance[HEAD] = _head(labels["instance_map"], points, k, int(instance["id"]))


def _head(
    seen: NDArray[Any], points: NDArray[np.float64], k: NDArray[np.float64], number: int
) -> dict[str, Any] | None:
    if points[:, 2].min() < 0.05:
        return None
    pixels = (points @ k.T)[:, :2] / points[:, 2:]
    height, width = seen.shape
    low, high = np.floor(pixels.min(axis=0)).astype(int), np.ceil(pixels.max(axis=0)).astype(int) + 1
    x0, y0, x1, y1 = max(0, low[0]), max(0, low[1]), min(width, high[0]), min(height, high[1])
    if x0 >= x1 or y0 >= y1:
        return None
    hull = cv2.convexHull(np.round(pixels - low).astype(np.int32))
    outline = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillConvexPoly(outline, hull, 1)
    inside = outline[y0 - low[1] : y1 - low[1], x0 - low[0] : x1 - low[0]].astype(bool)
    shown = np.zeros(seen.shape, np.bool_)
    shown[y0:y1, x0:x1] = inside & (seen[y0:y1, x0:x1] == number)
    area, whole = int(shown.sum()), max(1, int(outline.sum()))
    return {
        "box": [int(x0), int(y0), int(x1 - x0), int(y1 - y0)],
        "amodal_box": [int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])],
        "amodal_area": whole,
        "area": area,
        "visible_box": list(cv2.boundingRect(shown.astype(np.uint8))) if area else None,
        "mask": run_lengths(shown),
        "visibility": round(area / whole, 3),
    }
