"""Writes the golden vectors: `python -m tests.models_zoo.golden.make WEIGHTS.onnx`. Needed only when a spec changes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models_zoo.alignment import align
from models_zoo.embedding.onnxruntime import OnnxRuntimeEmbedder
from models_zoo.weights import sha256_of
from tests.models_zoo.drawn import LANDMARKS, SKINS, drawn_face

GOLDEN = Path(__file__).parent / "sface.json"


def golden_crops() -> NDArray[np.uint8]:
    """uint8 (4, 112, 112, 3): one drawn face in four colours."""
    return np.stack([align(drawn_face(skin), LANDMARKS) for skin in SKINS])


def main(weights: Path) -> None:
    vectors = OnnxRuntimeEmbedder(weights, batch_size=1).embed(golden_crops())
    rounded = [[round(float(value), 6) for value in row] for row in vectors]
    GOLDEN.write_text(json.dumps({"weights_sha256": sha256_of(weights), "vectors": rounded}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
