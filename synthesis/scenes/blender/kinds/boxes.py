"""A table with painted boxes on it, under one lamp."""

from __future__ import annotations

import math
from typing import Any

import bpy
from mathutils import Vector

_FACES = [(0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]


def build(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Build what `synthesis.scenes.boxes.Boxes` drew. Metres, z up."""
    scene = bpy.context.scene
    table = _box("table", (3.0, 3.0, 0.02), _paint("table", spec["table"], 0.6))
    table.location = (0, 0, -0.01)
    for box in spec["boxes"]:
        made = _box(
            f"box{box['id']:03d}", box["size"], _paint(f"paint{box['id']:03d}", box["colour"], box["roughness"])
        )
        made.location = (*box["at"], box["size"][2] / 2)
        made.rotation_euler = (0, 0, box["turn"])
        made.pass_index = box["id"]
    world = bpy.data.worlds.new("world")
    scene.world = world
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (*spec["sky"], 1)
    lamp = bpy.data.lights.new("lamp", "AREA")
    lamp.energy, lamp.size = spec["lamp"]["watts"], spec["lamp"]["size"]
    _place("lamp", lamp, spec["lamp"]["at"])
    camera = bpy.data.cameras.new("camera")
    camera.lens_unit, camera.angle = "FOV", math.radians(spec["camera"]["angle"])
    if spec["camera"]["aperture"]:
        camera.dof.use_dof = True
        camera.dof.aperture_fstop = spec["camera"]["aperture"]
        camera.dof.focus_distance = math.dist(spec["camera"]["at"], (0, 0, 0))
    scene.camera = _place("camera", camera, spec["camera"]["at"])
    return [{"id": box["id"], "class": box["class"], "size": box["size"]} for box in spec["boxes"]]


def _box(name: str, size: Any, material: Any) -> Any:
    mesh = bpy.data.meshes.new(name)
    corners = [(x, y, z) for z in (-0.5, 0.5) for x, y in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))]
    mesh.from_pydata([tuple(a * b for a, b in zip(corner, size, strict=True)) for corner in corners], [], _FACES)
    mesh.materials.append(material)
    return _link(bpy.data.objects.new(name, mesh))


def _paint(name: str, colour: Any, roughness: float) -> Any:
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1)
    shader.inputs["Roughness"].default_value = roughness
    return material


def _place(name: str, data: Any, at: Any) -> Any:
    """An object at a place, looking at the origin."""
    made = _link(bpy.data.objects.new(name, data))
    made.location = at
    made.rotation_euler = (-Vector(at)).to_track_quat("-Z", "Y").to_euler()
    return made


def _link(made: Any) -> Any:
    bpy.context.scene.collection.objects.link(made)
    return made
