"""Kinds of scenes: `<kind>.build(spec)` fills the emptied file and returns one JSON dict per labelled instance.

A build makes meshes, materials, world, lights and `bpy.context.scene.camera`, and sets `pass_index` = 1, 2, ... on what
is labelled (objects may share one). Each dict holds `id` (the pass index), `class` and whatever else belongs in the
labels; `object`, if given, names the object whose pose is the instance's (else the first by name that has its index).
"""
