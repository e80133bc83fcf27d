"""Scenes that Blender renders: specs are drawn here, images and exact labels come back from its own process."""
