"""Text lines drawn by Pillow, OpenCV and NumPy, with a transcription and quads that follow every warp.

`lines.py` is the generator; `corpora.py` and `phrases.py` what is written, with words of `vocabulary.py` in the scripts
of `scripts.py`; `fonts.py` and `glyphs.py` with what, `layout.py` where, `warps.py` and `geometry.py` how it is bent,
`paint.py` and `palettes.py` how it looks, `legibility.py` whether it can be read.
"""
