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
LEAST_TRUST = 0.2


def start_embeddings(network: SFace, reader: CropReader, count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """What to distil towards, and how far to trust it.

    Returns:
        (count, 128) float32, normalised: the direction of each face's and its mirror image's embeddings summed. The sum
        is steadier than either, and makes the trained network care less which way a face looks.
        (count,) float32, mean 1: weights that rise with the rank of the embedding's norm, which is small where the
        network makes little of a face (Kim, Jain, Liu: AdaFace, CVPR 2022); what it says of such a face is no good aim.
    """
    parts: list[Tensor] = []
    norms: list[Tensor] = []
    for start in range(0, count, BATCH):
        crops = np.stack([reader.read(row) for row in range(start, min(start + BATCH, count))])
        with torch.no_grad():
            pixels = as_tensor(crops, device)
            plain, mirrored = embed(network, pixels), embed(network, pixels.flip(3))
        parts.append(functional.normalize(functional.normalize(plain, dim=1) + functional.normalize(mirrored, dim=1)))
        norms.append(plain.norm(dim=1))
    ranks = torch.cat(norms).argsort().argsort().float() / max(count - 1, 1)
    return torch.cat(parts), LEAST_TRUST + 2.0 * (1.0 - LEAST_TRUST) * ranks
