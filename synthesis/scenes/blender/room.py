"""The shop around a scene: floor, walls, ceiling, lights, the camera."""

from __future__ import annotations

from typing import Any

import bpy

from .materials import glowing, light_up, plain, tiles
from .meshes import block, put


def build_room(room: dict[str, Any], low: tuple[float, float], high: tuple[float, float]) -> None:
    """Close the space between two corners on the floor, (x, y), and light it.

    The walls and the ceiling are seen but cast no shadow and take no light away: the even light of the world stands for
    what a bright shop throws back from everywhere, without rays spent on it.
    """
    top = room["ceiling"]
    grey = [0.55 * c for c in room["floor"]]
    stone = tiles("floor", room["floor"], grey, room["tile"], room["floor_roughness"])
    floor = block("floor", (low[0], low[1], -0.1), (high[0], high[1], 0), stone)
    floor.visible_shadow = False
    wall, white = plain("wall", room["wall"], 0.8), tiles("ceiling", [0.8, 0.8, 0.78], [0.5, 0.5, 0.5], 0.6, 0.9)
    light_up(white, 0.25)
    shell = [
        block("wall_left", (low[0] - 0.1, low[1], 0), (low[0], high[1], top), wall),
        block("wall_right", (high[0], low[1], 0), (high[0] + 0.1, high[1], top), wall),
        block("wall_back", (low[0], high[1], 0), (high[0], high[1] + 0.1, top), wall),
        block("wall_front", (low[0], low[1] - 0.1, 0), (high[0], low[1], top), wall),
        block("ceiling", (low[0], low[1], top), (high[0], high[1], top + 0.1), white),
    ]
    for part in shell:
        part.visible_diffuse = part.visible_shadow = part.visible_transmission = False
    _world(room)
    _lamps(room, low, high)


def _world(room: dict[str, Any]) -> None:
    world = bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.use_nodes = True
    background = world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (*room["light"], 1)
    background.inputs["Strength"].default_value = room["ambient"]


def _lamps(room: dict[str, Any], low: tuple[float, float], high: tuple[float, float]) -> None:
    """Strips along x: lamps over the aisle, and more strips that only are seen."""
    panel = glowing("panel", room["light"], 6.0)
    count, wide, top = room["lights"], 0.25, room["ceiling"] - 0.02
    places = [-room["aisle"] * (k + 1) / (count + 1) for k in range(count)]
    for k, y in enumerate(places):
        lamp = bpy.data.lights.new(f"lamp{k}", "AREA")
        lamp.shape, lamp.size, lamp.size_y = "RECTANGLE", high[0] - low[0] - 1, wide
        lamp.energy, lamp.color = room["watts"] * (high[0] - low[0]) / 2 / count, room["light"]
        thing = put(f"lamp{k}", lamp)
        thing.location = (0.5 * (low[0] + high[0]), y, top - 0.03)
        thing.visible_camera = False
    y = high[1] - 0.7
    while y > low[1]:
        strip = block("strip", (low[0], y - wide / 2, top - 0.005), (high[0], y + wide / 2, top), panel)
        strip.visible_diffuse = strip.visible_shadow = False
        y -= 1.6


def build_camera(camera: dict[str, Any]) -> None:
    """`matrix` (camera to world), `angle` (horizontal, radians), `aperture` and `focus`, `exposure` in stops,
    `soft_highlights`."""
    lens = bpy.data.cameras.new("camera")
    lens.sensor_fit, lens.lens_unit, lens.angle = "HORIZONTAL", "FOV", camera["angle"]
    lens.clip_start, lens.clip_end = 0.02, 60
    if camera["aperture"]:
        lens.dof.use_dof, lens.dof.aperture_fstop, lens.dof.focus_distance = True, camera["aperture"], camera["focus"]
    scene = bpy.context.scene
    scene.camera = put("camera", lens, camera["matrix"])
    # Phones roll highlights off, more or less; AgX does it more and needs a stop more of light.
    soft, view = camera["soft_highlights"], scene.view_settings
    view.view_transform = "AgX" if soft else "Standard"
    view.look = "AgX - Medium High Contrast" if soft else "None"
    view.exposure = camera["exposure"] + (0.9 if soft else 0.0)
