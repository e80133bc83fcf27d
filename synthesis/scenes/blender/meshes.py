"""From plain arrays to Blender's meshes and objects."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from .forms import Form

_CUBE = [(0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]


def mesh(name: str, form: Form, materials: list[Any]) -> Any:
    """A mesh with texture coordinates and a material for each slot."""
    made = bpy.data.meshes.new(name)
    made.from_pydata(form.vertices.tolist(), [], form.faces)
    made.uv_layers.new(name="UVMap").data.foreach_set("uv", np.asarray(form.uvs, np.float32).ravel())
    made.polygons.foreach_set("material_index", np.asarray(form.slots, np.int32))
    made.polygons.foreach_set("use_smooth", np.asarray(form.smooth, bool))
    for material in materials:
        made.materials.append(material)
    made.update()
    return made


def put(name: str, made: Any, matrix: Any = None) -> Any:
    """An object of this mesh (shared with others) in the scene, with a 3 x 4 or 4 x 4 matrix."""
    thing = bpy.data.objects.new(name, made)
    if matrix is not None:
        rows = [list(row) for row in matrix]
        thing.matrix_world = Matrix(rows if len(rows) == 4 else [*rows, [0, 0, 0, 1]])
    bpy.context.scene.collection.objects.link(thing)
    return thing


def block(name: str, low: Any, high: Any, material: Any) -> Any:
    """A box between two corners."""
    corners = [(x, y, z) for z in (low[2], high[2]) for x, y in
               ((low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1]))]  # fmt: skip
    made = bpy.data.meshes.new(name)
    made.from_pydata(corners, [], _CUBE)
    made.materials.append(material)
    return put(name, made)


def sheet(name: str, width: float, height: float, material: Any, bend: float = 0.0) -> Any:
    """A mesh of a card that looks along -y, its middle at the origin; `bend` metres of bulge towards the viewer."""
    count = 8 if bend else 1
    across = np.linspace(-0.5, 0.5, count + 1)
    vertices = [(s * width, -bend * (1 - 4 * s * s), t * height) for t in (-0.5, 0.5) for s in across]
    faces: list[tuple[int, ...]] = [(k, k + 1, k + count + 2, k + count + 1) for k in range(count)]
    uvs = [(across[i] + 0.5, t) for k in range(count) for i, t in ((k, 0), (k + 1, 0), (k + 1, 1), (k, 1))]
    return mesh(name, Form(np.array(vertices), faces, np.array(uvs), [0] * count, [True] * count), [material])


def coloured(name: str, vertices: Any, faces: Any, colours: Any, smooth: bool = True) -> Any:
    """A mesh of triangles whose points have a colour, `tint`: uint8 sRGB or linear floats (n, 3). No material yet."""
    made = bpy.data.meshes.new(name)
    made.vertices.add(len(vertices))
    made.vertices.foreach_set("co", np.asarray(vertices, np.float32).ravel())
    made.loops.add(3 * len(faces))
    made.loops.foreach_set("vertex_index", np.asarray(faces, np.int32).ravel())
    made.polygons.add(len(faces))
    made.polygons.foreach_set("loop_start", np.arange(0, 3 * len(faces), 3, dtype=np.int32))
    made.polygons.foreach_set("use_smooth", np.full(len(faces), smooth))
    whole = np.ones((len(vertices), 4), np.float32)
    kind, field = ("FLOAT_COLOR", "color") if colours.dtype.kind == "f" else ("BYTE_COLOR", "color_srgb")
    whole[:, :3] = colours if colours.dtype.kind == "f" else colours / 255
    made.color_attributes.new("tint", kind, "POINT").data.foreach_set(field, whole.ravel())
    made.update(calc_edges=True)
    return made
