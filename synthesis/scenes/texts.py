"""Texts of a scene, from places in the world to quads in the image."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.samples import Labels


def place_texts(labels: Labels) -> None:
    """Turn each instance's `text_quads_world` (texts on what faces the camera) into `texts`, in place: `text`, `role`,
    `quad` (four [x, y] in pixels, from the text's own upper left clockwise), `height` of the quad in pixels, and
    `visible`, the share of the quad that is in the image with nothing before its instance.
    """
    camera = labels["camera"]
    k, to_camera = np.array(camera["K"]), np.array(camera["world_to_camera"])
    seen = labels["instance_map"]
    for instance in labels["instances"]:
        found = []
        for text in instance.pop("text_quads_world", []):
            points = np.array(text["quad"]) @ to_camera[:3, :3].T + to_camera[:3, 3]
            if points[:, 2].min() < 0.02:
                continue
            quad = (points @ k.T)[:, :2] / points[:, 2:]
            visible = _visible(seen, quad, int(instance["id"]))
            if visible is None:
                continue
            sides = np.linalg.norm(quad[[3, 2]] - quad[[0, 1]], axis=1)
            found.append(
                {
                    "text": text["text"],
                    "role": text["role"],
                    "quad": np.round(quad, 2).tolist(),
                    "height": round(float(sides.mean()), 2),
                    "visible": visible,
                }
            )
        instance["texts"] = found


def _visible(seen: NDArray[Any], quad: NDArray[np.float64], number: int) -> float | None:
    """None where the quad is out of the image."""
    height, width = seen.shape
    left, top = np.floor(quad.min(axis=0)).astype(int)
    right, bottom = np.ceil(quad.max(axis=0)).astype(int) + 1
    x0, y0, x1, y1 = max(0, left), max(0, top), min(width, right), min(height, bottom)
    if x0 >= x1 or y0 >= y1:
        return None
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillConvexPoly(mask, np.round(quad - (x0, y0)).astype(np.int32), 1)
    if not mask.any():
        return None
    # What lies beyond the frame isn't seen either.
    whole = max(float(mask.sum()), cv2.contourArea(quad.astype(np.float32)))
    return round(float((mask & (seen[y0:y1, x0:x1] == number)).sum()) / whole, 3)
