"""Effects on faces, text lines, Blender scenes."""
