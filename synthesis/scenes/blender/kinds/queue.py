"""People before a counter as `synthesis.scenes.queue` drew them."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ..materials import plain, tinted
from ..meshes import block, coloured, put
from ..room import build_camera, build_room

_UNIT = 1e-4  # metres, of the coordinates in a body's file
_ROUGHNESS = {"skin": 0.5, "eyes": 0.1, "hair": 0.55, "shoes": 0.4, "top": 0.85, "bottom": 0.85}
_LOW, _HIGH = (-7.0, -10.0), (7.0, 3.0)


def build(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Build it. Metres; the counter's front is at y = 0, the queue at negative y; z up.

    Each person (class `person`) has `role` (queue, staff, bystander), `order` (1 is served next; None outside the
    queue), `person` (number in the crowd) and `head_points_world`, corners of the head's convex hull in metres.
    """
    build_room(spec["room"], _LOW, _HIGH)
    build_camera(spec["camera"])
    _counter(spec["counter"])
    for rack in spec["racks"]:
        _rack(rack)
    _barriers(spec["barriers"])
    materials = {name: tinted(name, roughness) for name, roughness in _ROUGHNESS.items()}
    folder = Path(spec["textures"])
    return [_person(number, entry, folder, materials) for number, entry in enumerate(spec["people"], start=1)]


def _person(number: int, entry: dict[str, Any], folder: Path, materials: dict[str, Any]) -> dict[str, Any]:
    matrix = Matrix.Translation((*entry["at"], 0)) @ Matrix.Rotation(math.radians(entry["turn"]), 4, "Z")
    with np.load(folder / entry["body"]) as body:
        names = sorted(name.removesuffix("_faces") for name in body.files if name.endswith("_faces"))
        for name in names:
            vertices = body[f"{name}_vertices"] * _UNIT
            made = coloured(f"person{number:02d}_{name}", vertices, body[f"{name}_faces"], body[f"{name}_colours"])
            made.materials.append(materials[name.split("_")[0]])
            put(made.name, made, matrix).pass_index = number
        head = body["head"] * _UNIT
    turned = head @ np.array(matrix)[:3, :3].T + np.array(matrix)[:3, 3]
    skin = next(name for name in names if name.startswith("skin"))
    return {
        "id": number,
        "class": "person",
        "object": f"person{number:02d}_{skin}",
        "role": entry["role"],
        "order": entry["order"],
        "person": entry["number"],
        "head_points_world": np.round(turned, 4).tolist(),
    }


def _counter(counter: dict[str, Any]) -> None:
    half, deep, high = counter["width"] / 2, counter["depth"], counter["height"]
    block("counter", (-half, 0.03, 0), (half, deep, high - 0.04), plain("front", counter["front"], 0.4))
    block(
        "counter_top",
        (-half - 0.04, 0, high - 0.04),
        (half + 0.04, deep + 0.03, high),
        plain("top", counter["top"], 0.25),
    )
    dark, at = plain("till", (0.03, 0.03, 0.035), 0.3), counter["till"]
    block("till", (at - 0.16, deep - 0.34, high), (at + 0.16, deep - 0.05, high + 0.12), dark)
    block("screen", (at - 0.15, deep - 0.20, high + 0.14), (at + 0.15, deep - 0.17, high + 0.36), dark)
    sign = plain("sign", counter["sign"], 0.4)
    block("sign", (-half, deep, 2.35), (half, deep + 0.05, 2.75), sign)


def _rack(rack: dict[str, Any]) -> None:
    """Along a wall: x runs with the wall, y into the room; then moved to its place."""
    boxes = np.array(rack["boxes"])
    low = np.column_stack([boxes[:, 0], np.full(len(boxes), 0.02), np.array(rack["boards"])[boxes[:, 2].astype(int)]])
    high = low + np.column_stack([boxes[:, 1] - boxes[:, 0], np.full(len(boxes), 0.3), boxes[:, 3]])
    corner = np.stack([np.where(np.array(pick), high[:, None], low[:, None])[:, 0] for pick in
                       [(x, y, z) for z in (0, 1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]], axis=1)  # fmt: skip
    faces = np.array([(0, 3, 2), (0, 2, 1), (4, 5, 6), (4, 6, 7), (0, 1, 5), (0, 5, 4), (1, 2, 6), (1, 6, 5), (2, 3, 7),
                      (2, 7, 6), (3, 0, 4), (3, 4, 7)])  # fmt: skip
    every = (faces[None] + 8 * np.arange(len(boxes))[:, None, None]).reshape(-1, 3)
    made = coloured(
        f"goods_{rack['wall']}", corner.reshape(-1, 3), every, np.repeat(boxes[:, 4:7], 8, axis=0), smooth=False
    )
    made.materials.append(tinted(f"goods_{rack['wall']}", 0.4))
    place = {
        "back": Matrix.Translation((-rack["length"] / 2, _HIGH[1] - 0.36, 0)),
        "left": Matrix.Translation((_LOW[0] + 0.36, -1.5 - rack["length"], 0)) @ Matrix.Rotation(math.pi / 2, 4, "Z"),
        "right": Matrix.Translation((_HIGH[0] - 0.36, -1.5, 0)) @ Matrix.Rotation(-math.pi / 2, 4, "Z"),
    }[rack["wall"]]
    put(made.name, made, place)
    metal = plain(f"rack_{rack['wall']}", (0.5, 0.5, 0.5), 0.4)
    for height in rack["boards"]:
        board = block(f"board_{rack['wall']}", (0, 0, height - 0.03), (rack["length"], 0.36, height), metal)
        board.matrix_world = place
    panel = block(f"panel_{rack['wall']}", (0, 0.33, 0), (rack["length"], 0.36, 2.2), metal)
    panel.matrix_world = place


def _barriers(posts: list[list[float]]) -> None:
    if not posts:
        return
    steel, belt = plain("steel", (0.5, 0.5, 0.5), 0.25, 0.9), plain("belt", (0.02, 0.02, 0.025), 0.7)
    for x, y in posts:
        block("post", (x - 0.025, y - 0.025, 0), (x + 0.025, y + 0.025, 0.95), steel)
        block("foot", (x - 0.16, y - 0.16, 0), (x + 0.16, y + 0.16, 0.02), steel)
    for (x0, y0), (x1, y1) in pairwise(posts):
        length = math.dist((x0, y0), (x1, y1))
        band = block("band", (0, -0.002, 0.86), (length, 0.002, 0.91), belt)
        band.matrix_world = Matrix.Translation((x0, y0, 0)) @ Matrix.Rotation(math.atan2(y1 - y0, x1 - x0), 4, "Z")
    bpy.context.view_layer.update()
