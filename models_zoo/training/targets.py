"""What the frozen start model says of every face: the targets of distillation."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models_zoo.networks.sface import SFace
from models_zoo.training.dataset import CropReader
from models_zoo.training.forward import embed
from models_zoo.training.views import as_tensor

BATCH = 128


def start_embeddings(network: SFace, reader: CropReader, count: int, device: torch.device) -> Tensor:
    """What to distil towards: (count, 128) float32, normalised.

    The direction of each face's and its mirror image's embeddings summed. The sum is steadier than either, and makes
    the trained network care less which way a face looks.
    """
    parts: list[Tensor] = []
    for start in range(0, count, BATCH):
        crops = np.stack([reader.read(row) for row in range(start, min(start + BATCH, count))])
        with torch.no_grad():
            pixels = as_tensor(crops, device)
            plain, mirrored = embed(network, pixels), embed(network, pixels.flip(3))
        parts.append(functional.normalize(functional.normalize(plain, dim=1) + functional.normalize(mirrored, dim=1)))
    return torch.cat(parts)
