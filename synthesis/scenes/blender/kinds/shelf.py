"""A shop's shelf as `synthesis.scenes.shelf` drew it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Euler, Matrix

from ..forms import BODY, LID, form, locate
from ..materials import linear, plain, printed, tiles
from ..meshes import block, mesh, put, sheet
from ..room import build_camera, build_room

# Roughness, metallic, coat of what is printed, by class.
_PRINT = {
    "box": (0.42, 0, 0),
    "bottle": (0.35, 0, 0),
    "can": (0.28, 0.25, 0),
    "jar": (0.45, 0, 0),
    "bag": (0.22, 0.1, 0.2),
    "pouch": (0.3, 0, 0.15),
}
# Texts on faces that turn away further than this are not read: cosine of the angle to the viewer.
_READABLE = 0.25
_GLASS = ("wine", "longneck", "oil")


def build(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Build it. Metres; x along the shelf, y into it, z up; the aisle is at negative y.

    Each instance holds, besides `id` and `class`, of goods: `sku`, `ean`, `brand`, `name`, `variant`, `category` and
    `facing` (front, turned, fallen); of price tags (`price_tag`): the `sku` they belong to, and the `price`. Both:
    `text_quads_world`, `text`, `role` and four corners in metres of each text that faces the camera.
    """
    folder = Path(spec["textures"])
    gondola, room = spec["gondola"], spec["room"]
    reach = gondola["half_length"] + 1.5
    build_room(room, (-reach, -room["aisle"] - 1.2), (reach, 4.5))
    build_camera(spec["camera"])
    _gondola(gondola)
    _opposite(room, gondola)
    viewer = np.array(spec["camera"]["matrix"])[:3, 3]
    made = [_goods(f"goods{k:03d}", goods, folder) for k, goods in enumerate(spec["products"])]
    shapes: dict[int, list[dict[str, Any]]] = {k: _placed(goods) for k, goods in enumerate(spec["products"])}
    found = []
    for number, item in enumerate(spec["items"], start=1):
        goods = spec["products"][item["product"]]
        thing = put(f"item{number:04d}", made[item["product"]], item["matrix"])
        thing.pass_index = number
        found.append(
            {"id": number, "class": goods["package"]["kind"], "facing": item["facing"]}
            | {key: goods[key] for key in ("sku", "ean", "brand", "name", "variant", "category")}
            | {"text_quads_world": _facing(shapes[item["product"]], np.array(item["matrix"]), viewer)}
        )
    return found + [_tag(number, tag, folder, viewer) for number, tag in enumerate(spec["tags"], len(found) + 1)]


def _goods(name: str, goods: dict[str, Any], folder: Path) -> Any:
    """The mesh that all items of a product share."""
    package = goods["package"]
    label = printed(f"{name}_label", folder / goods["texture"], *_PRINT[package["kind"]])
    shape = form(package)
    materials = [label]
    if max(shape.slots) >= BODY:
        materials.append(_body(name, goods))
    if max(shape.slots) >= LID:
        tin = package["kind"] == "can"
        lid = ((0.72, 0.72, 0.72), 0.25, 0.9) if tin else (linear(goods["lid"]), 0.35)
        materials.append(plain(f"{name}_lid", *lid))
    return mesh(name, shape, materials)


def _body(name: str, goods: dict[str, Any]) -> Any:
    """What isn't printed of a package: glass and drinks, or plastic."""
    profile = goods["package"]["profile"]
    colour, roughness, coat = goods["body"], 0.3, 0.0
    if profile == "jar":
        colour, roughness, coat = goods["content"], 0.08, 0.6
    elif profile in _GLASS:
        roughness, coat = 0.06, 0.5
    elif profile == "soda":
        colour, roughness, coat = goods["content"], 0.12, 0.5
    return plain(f"{name}_body", linear(colour), roughness, 0.0, coat)


def _placed(goods: dict[str, Any]) -> list[dict[str, Any]]:
    """Each text's corners, (4, 3), and its face's normal, on the package."""
    placed = []
    for text in goods["texts"]:
        corners, normals = locate(goods["package"], np.array(text["quad"], dtype=float))
        placed.append({"text": text["text"], "role": text["role"], "corners": corners, "normals": normals})
    return placed


def _facing(texts: list[dict[str, Any]], matrix: np.ndarray, viewer: np.ndarray) -> list[dict[str, Any]]:
    """Those of the texts whose four corners face the viewer, in the world."""
    if not texts:
        return []
    turn, shift = matrix[:, :3], matrix[:, 3]
    corners = np.stack([text["corners"] for text in texts]) @ turn.T + shift
    normals = np.stack([text["normals"] for text in texts]) @ turn.T
    towards = viewer - corners
    towards /= np.linalg.norm(towards, axis=2, keepdims=True)
    facing = (normals * towards).sum(axis=2).min(axis=1) > _READABLE
    return [
        {"text": texts[k]["text"], "role": texts[k]["role"], "quad": np.round(corners[k], 5).tolist()}
        for k in np.flatnonzero(facing)
    ]


def _tag(number: int, tag: dict[str, Any], folder: Path, viewer: np.ndarray) -> dict[str, Any]:
    wide, tall = tag["size"]
    name = f"tag{number:04d}"
    material = printed(name, folder / tag["texture"], 0.35)
    turn = Euler((math.radians(tag["tilt"][1]), math.radians(tag["tilt"][0]), 0)).to_matrix().to_4x4()
    matrix = np.array(Matrix.Translation(tag["at"]) @ turn)[:3]
    thing = put(name, sheet(name, wide, tall, material), matrix)
    thing.pass_index = number
    texts = []
    for text in tag["texts"]:
        quad = np.array(text["quad"], dtype=float)
        corners = np.column_stack([(quad[:, 0] - 0.5) * wide, np.zeros(4), (0.5 - quad[:, 1]) * tall])
        texts.append({**text, "corners": corners, "normals": np.tile([0.0, -1.0, 0.0], (4, 1))})
    return {
        "id": number,
        "class": "price_tag",
        "sku": tag["sku"],
        "price": tag["tag"]["price"],
        "text_quads_world": _facing(texts, matrix, viewer),
    }


def _gondola(gondola: dict[str, Any]) -> None:
    """Boards, rails, back panel, uprights and foot."""
    half, deep, thick = gondola["half_length"], gondola["depth"], gondola["thickness"]
    boards = gondola["boards"]
    metal = plain("board", gondola["colour"], 0.6)
    if gondola["perforated"]:
        back = tiles("back", gondola["back"], [0.5 * c for c in gondola["back"]], 0.05, 0.6)
    else:
        back = plain("back", gondola["back"], 0.6)
    rail, post = plain("rail", gondola["rail"], 0.3), plain("post", [0.8 * c for c in gondola["colour"]], 0.6)
    top = boards[-1] + 0.45
    block("back", (-half, deep, 0), (half, deep + 0.03, top), back)
    block("foot", (-half, 0.02, 0), (half, deep, boards[0] - thick), metal)
    for height in boards:
        block("board", (-half, 0.0, height - thick), (half, deep, height), metal)
        block("rail", (-half, -0.006, height - 0.041), (half, -0.0005, height + 0.003), rail)
    at = -half + gondola["offset"] * gondola["bay"]
    while at < half:
        block("post", (at - 0.02, deep - 0.03, 0), (at + 0.02, deep + 0.002, top), post)
        at += gondola["bay"]


def _opposite(room: dict[str, Any], gondola: dict[str, Any]) -> None:
    """The back of the next gondola beyond this one, over whose top one may look, and the one behind the viewer."""
    colour = plain("opposite", room["opposite"], 0.6)
    half = gondola["half_length"]
    block("beyond", (-half, gondola["depth"] + 2.6, 0), (half, gondola["depth"] + 3.2, 2.0), colour)
    behind = block("behind", (-half, -room["aisle"] - 0.6, 0), (half, -room["aisle"] - 0.1, 1.9), colour)
    behind.visible_shadow = behind.visible_diffuse = False
    bpy.context.view_layer.update()
