"""From the renderer's multilayer EXR to arrays, and from the scene to its camera, poses and triangles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import OpenEXR
from mathutils import Matrix

# Blender looks along -z with y up; labels say z forward, y down, as OpenCV does.
_FLIP = Matrix.Diagonal((1, -1, -1, 1))
_FAR = 1e9


def read(exr: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pass indices, uint16 (h, w), and depth along the optical axis, float32 (h, w) in metres, 0 where nothing is."""
    with OpenEXR.File(str(exr), separate_channels=True) as file:
        channels = {name: value.pixels for part in file.parts for name, value in part.channels.items()}
    index = next(pixels for name, pixels in channels.items() if name.endswith("Object Index.X"))
    depth = next(pixels for name, pixels in channels.items() if name.endswith("Depth.Z"))
    return np.rint(index).astype(np.uint16), np.where(depth < _FAR, depth, 0).astype(np.float32)


def camera(scene: Any) -> tuple[np.ndarray, Matrix]:
    """Intrinsics (3, 3), for pixels whose centres are whole numbers, and the matrix from world to camera."""
    width, height = scene.render.resolution_x, scene.render.resolution_y
    if scene.camera.data.type != "PERSP":
        raise ValueError("the scene's camera is not a perspective one")
    p = scene.camera.calc_matrix_camera(bpy.context.evaluated_depsgraph_get(), x=width, y=height)
    k = np.array(
        [
            [p[0][0] * width / 2, 0, width / 2 * (1 - p[0][2]) - 0.5],
            [0, p[1][1] * height / 2, height / 2 * (1 + p[1][2]) - 0.5],
            [0, 0, 1],
        ]
    )
    return k, _FLIP @ _rigid(scene.camera.matrix_world).inverted()


def poses(instances: list[dict[str, Any]], to_camera: Matrix) -> dict[int, list[list[float]]]:
    """Rigid 4x4 matrices from each instance's main object to the camera, by pass index."""
    main: dict[int, Any] = {}
    for one in sorted(bpy.context.scene.objects, key=lambda one: one.name):
        main.setdefault(one.pass_index, one)
    found = {}
    for instance in instances:
        one = bpy.data.objects[instance["object"]] if "object" in instance else main.get(instance["id"])
        if one is None:
            raise ValueError(f"no object has the pass index {instance['id']} of {instance['class']}")
        found[instance["id"]] = [list(row) for row in to_camera @ _rigid(one.matrix_world)]
    return found


def triangles(to_camera: Matrix) -> dict[str, np.ndarray]:
    """Labelled surfaces: `points` float32 (n, 3), camera coordinates; `corners` int32 (m, 3); `owner` uint16 (m,)."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    shapes: dict[Any, tuple[np.ndarray, np.ndarray]] = {}
    points, corners, owners, count = [], [], [], 0
    for placed in depsgraph.object_instances:
        one = placed.object
        if not one.pass_index or one.type not in ("MESH", "CURVE", "SURFACE", "FONT", "META"):
            continue
        shape = shapes.get(one.data)
        if shape is None:
            shape = shapes[one.data] = _shape(one)
        matrix = np.array(to_camera @ placed.matrix_world)
        points.append((shape[0] @ matrix[:3, :3].T + matrix[:3, 3]).astype(np.float32))
        corners.append(shape[1] + count)
        owners.append(np.full(len(shape[1]), one.pass_index, np.uint16))
        count += len(shape[0])
    return {
        "points": np.concatenate([np.zeros((0, 3), np.float32), *points]),
        "corners": np.concatenate([np.zeros((0, 3), np.int32), *corners]).astype(np.int32),
        "owner": np.concatenate([np.zeros(0, np.uint16), *owners]),
    }


def _shape(one: Any) -> tuple[np.ndarray, np.ndarray]:
    mesh = one.to_mesh()
    mesh.calc_loop_triangles()
    points = np.empty(3 * len(mesh.vertices), np.float32)
    corners = np.empty(3 * len(mesh.loop_triangles), np.int32)
    mesh.vertices.foreach_get("co", points)
    mesh.loop_triangles.foreach_get("vertices", corners)
    one.to_mesh_clear()
    return points.reshape(-1, 3).astype(np.float64), corners.reshape(-1, 3)


def _rigid(matrix: Matrix) -> Matrix:
    """The matrix without its scale."""
    place, turn, _ = matrix.decompose()
    return Matrix.LocRotScale(place, turn, None)
