"""Cycles as we use it: few samples, denoised, index and depth from the same render, the same bytes every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

_FEW_LAMPS = 8


def configure(scene: Any, settings: dict[str, Any], seed: int, threads: int, device: str) -> None:
    """Render settings of a built scene.

    Args:
        settings: `width`, `height` in pixels, `samples` per pixel.
        device: `cpu` or `cuda` (OptiX where there is one).
    """
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y, render.resolution_percentage = settings["width"], settings["height"], 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1
    render.threads_mode, render.threads = "FIXED", threads
    render.use_persistent_data = False
    render.dither_intensity = 0
    render.use_compositing = render.use_sequencer = False
    render.use_file_extension = False
    cycles.device = _device(device)
    cycles.seed, cycles.samples = seed % 2**31, settings["samples"]
    cycles.use_adaptive_sampling = False
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    cycles.denoising_prefilter, cycles.denoising_quality = "FAST", "BALANCED"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 2, 2
    cycles.transmission_bounces, cycles.transparent_max_bounces = 3, 8
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.use_auto_tile = False
    # With a few lamps the tree finds the same light as trying each, an eighth slower.
    cycles.use_light_tree = sum(one.type == "LIGHT" for one in scene.objects) > _FEW_LAMPS
    if scene.world is not None:
        scene.world.cycles.sampling_method, scene.world.cycles.sample_map_resolution = "MANUAL", 256
    layer = bpy.context.view_layer
    layer.use_pass_object_index = layer.use_pass_z = True


def beauty(scene: Any, out: Path) -> Path:
    """Render `image.png` and, without blur of any kind, its passes; the EXR that holds exact passes."""
    exr = _render(scene, out / "beauty.exr")
    picture = scene.render.image_settings
    picture.media_type = "IMAGE"
    picture.file_format, picture.color_mode, picture.color_depth, picture.compression = "PNG", "RGB", "8", 0
    bpy.data.images["Render Result"].save_render(filepath=str(out / "image.png"), scene=scene)
    return _sharp(scene, out) if _blurred(scene) else exr


def _blurred(scene: Any) -> bool:
    return bool(scene.camera.data.dof.use_dof or scene.render.use_motion_blur)


def _sharp(scene: Any, out: Path) -> Path:
    """One more sample, through the centre of each pixel, of the scene without blur."""
    scene.camera.data.dof.use_dof = scene.render.use_motion_blur = False
    flat = bpy.data.materials.new("flat")
    flat.use_nodes = True
    flat.node_tree.nodes.clear()
    shader = flat.node_tree.nodes.new("ShaderNodeEmission")
    end = flat.node_tree.nodes.new("ShaderNodeOutputMaterial")
    flat.node_tree.links.new(shader.outputs[0], end.inputs[0])
    bpy.context.view_layer.material_override = flat
    scene.cycles.samples, scene.cycles.use_denoising = 1, False
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 0.01
    scene.cycles.max_bounces = 0
    scene.world = None
    return _render(scene, out / "sharp.exr")


def _render(scene: Any, path: Path) -> Path:
    picture = scene.render.image_settings
    picture.media_type = "MULTI_LAYER_IMAGE"
    picture.file_format, picture.color_depth, picture.exr_codec = "OPEN_EXR_MULTILAYER", "32", "NONE"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    return path


def _device(device: str) -> str:
    """`GPU` where one was asked for and is there. Written for OptiX and CUDA; not yet run on a GPU."""
    if device != "cuda":
        return "CPU"
    preferences = bpy.context.preferences.addons["cycles"].preferences
    for kind in ("OPTIX", "CUDA"):
        try:
            preferences.compute_device_type = kind
        except TypeError:  # this build of Blender lacks it
            continue
        preferences.get_devices()
        found = [one for one in preferences.devices if one.type == kind]
        for one in preferences.devices:
            one.use = one in found
        if found:
            return "GPU"
    return "CPU"
