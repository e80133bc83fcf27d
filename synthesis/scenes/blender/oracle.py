"""What is seen in a pixel, asked of Blender's own ray casting rather than of Cycles: the test oracle."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from . import passes


def cast(scene: Any, pixels: list[list[int]]) -> list[int]:
    """The pass index of what each pixel's centre, (x, y), sees; 0 for what has none."""
    k, to_camera = passes.camera(scene)
    from_camera = to_camera.inverted()
    turn, origin = from_camera.to_3x3(), from_camera.to_translation()
    depsgraph = bpy.context.evaluated_depsgraph_get()
    rays = np.linalg.solve(k, np.column_stack([np.array(pixels, np.float64), np.ones(len(pixels))]).T).T
    found = []
    for ray in rays:
        hit, _, _, _, one, _ = scene.ray_cast(depsgraph, origin, (turn @ Vector(ray)).normalized())
        found.append(one.pass_index if hit else 0)
    return found
