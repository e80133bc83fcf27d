"""Materials: one principled shader each, with a picture or a pattern where needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

# From this roughness on nobody sees a highlight.
_MATTE = 0.6


def linear(colour: Any) -> tuple[float, float, float, float]:
    """sRGB 0 to 255 as Blender's linear colour with alpha."""
    red, green, blue = (v / 255 / 12.92 if v / 255 <= 0.04045 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in colour)
    return red, green, blue, 1.0


def plain(name: str, colour: Any, roughness: float = 0.5, metallic: float = 0.0, coat: float = 0.0) -> Any:
    """One colour, linear (r, g, b) or with alpha."""
    material, shader = _principled(name)
    shader.inputs["Base Color"].default_value = (*colour[:3], 1)
    _finish(shader, roughness, metallic, coat)
    return material


def printed(name: str, picture: Path, roughness: float, metallic: float = 0.0, coat: float = 0.0) -> Any:
    """A picture laid on by the mesh's texture coordinates."""
    material, shader = _principled(name)
    tree = material.node_tree
    image = tree.nodes.new("ShaderNodeTexImage")
    image.image = bpy.data.images.load(str(picture), check_existing=True)
    image.extension = "EXTEND"
    tree.links.new(image.outputs["Color"], shader.inputs["Base Color"])
    _finish(shader, roughness, metallic, coat)
    return material


def tiles(name: str, colour: Any, joint: Any, size: float, roughness: float) -> Any:
    """Square tiles of `size` metres with thin joints, speckled a little."""
    material, shader = _principled(name)
    tree = material.node_tree
    place = tree.nodes.new("ShaderNodeTexCoord")
    brick = tree.nodes.new("ShaderNodeTexBrick")
    brick.offset = 0.0
    values = {
        "Scale": 1.0,
        "Brick Width": size,
        "Row Height": size,
        "Mortar Size": 0.004,
        "Mortar Smooth": 0.1,
        "Bias": 0.0,
    }
    for key, value in values.items():
        brick.inputs[key].default_value = value
    brick.inputs["Color1"].default_value = (*colour, 1)
    brick.inputs["Color2"].default_value = (*(0.94 * c for c in colour), 1)
    brick.inputs["Mortar"].default_value = (*joint, 1)
    tree.links.new(place.outputs["Object"], brick.inputs["Vector"])
    tree.links.new(brick.outputs["Color"], shader.inputs["Base Color"])
    _finish(shader, roughness, 0.0, 0.0)
    return material


def glowing(name: str, colour: Any, strength: float) -> Any:
    """A lit panel that is seen but lights nothing (lamps do that)."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    shader, end = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
    shader.inputs["Color"].default_value = (*colour, 1)
    shader.inputs["Strength"].default_value = strength
    tree.links.new(shader.outputs[0], end.inputs[0])
    material.cycles.emission_sampling = "NONE"
    return material


def light_up(material: Any, strength: float) -> None:
    """Let a surface glow a little in its own colour, to the eye only: for light that isn't traced back to it."""
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    if shader.inputs["Base Color"].links:
        tree.links.new(shader.inputs["Base Color"].links[0].from_socket, shader.inputs["Emission Color"])
    else:
        shader.inputs["Emission Color"].default_value = shader.inputs["Base Color"].default_value
    shader.inputs["Emission Strength"].default_value = strength
    material.cycles.emission_sampling = "NONE"


def _principled(name: str) -> tuple[Any, Any]:
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    return material, material.node_tree.nodes["Principled BSDF"]


def _finish(shader: Any, roughness: float, metallic: float, coat: float) -> None:
    # Matte things without a highlight, and highlights of one bounce between facets: a tenth of a shelf's time.
    shader.distribution = "GGX"
    if roughness >= _MATTE and not metallic:
        shader.inputs["Specular IOR Level"].default_value = 0
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Metallic"].default_value = metallic
    if coat:
        shader.inputs["Coat Weight"].default_value = coat
        shader.inputs["Coat Roughness"].default_value = 0.08


def tinted(name: str, roughness: float) -> Any:
    """The colours of the mesh's points, see `meshes.coloured`."""
    material, shader = _principled(name)
    tint = material.node_tree.nodes.new("ShaderNodeVertexColor")
    tint.layer_name = "tint"
    material.node_tree.links.new(tint.outputs["Color"], shader.inputs["Base Color"])
    _finish(shader, roughness, 0.0, 0.0)
    return material
