"""What runs inside Blender's own process (`python -m blender.worker`). Imports bpy, numpy, OpenEXR, its siblings."""
