"""What training minimises. All losses are per face, so that the caller weights them."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional


class ArcFaceHead(nn.Module):
    """Additive angular margin softmax (Deng et al., ArcFace, CVPR 2019) that bears people split over several classes.

    Args:
        prototypes: (classes, d), where the class centres start; the mean start embedding of each person, say.
        spared: (classes, classes) bool, pairs of classes that may be one person; a face isn't pushed from such a class.
        scale: inverse temperature.
        margin: radians added to the angle to a face's own class.
    """

    def __init__(self, prototypes: Tensor, spared: Tensor, *, scale: float, margin: float) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(functional.normalize(prototypes, dim=1).clone())
        own = torch.eye(len(spared), dtype=torch.bool, device=spared.device)
        self.register_buffer("spared", spared & ~own, persistent=False)
        self.scale, self.margin = scale, margin

    def forward(self, embeddings: Tensor, classes: Tensor) -> Tensor:
        """Embeddings (n, d), not necessarily normalised; classes (n,) int64 -> loss (n,)."""
        cosine = functional.normalize(embeddings, dim=1) @ functional.normalize(self.prototypes, dim=1).T
        own = cosine.gather(1, classes[:, None])
        logits = self.scale * cosine.scatter(1, classes[:, None], with_margin(own, self.margin))
        spared = cast(Tensor, self.spared)[classes]
        return functional.cross_entropy(logits.masked_fill(spared, float("-inf")), classes, reduction="none")


def with_margin(cosine: Tensor, margin: float) -> Tensor:
    """cos(angle + margin), continued in a straight line where the angle would pass pi, so that it keeps falling."""
    sine = (1.0 - cosine.square()).clamp_min(1e-6).sqrt()
    turned = cosine * math.cos(margin) - sine * math.sin(margin)
    return torch.where(cosine > -math.cos(margin), turned, cosine - margin * math.sin(margin))


def distillation(embeddings: Tensor, targets: Tensor) -> Tensor:
    """Cosine distance of each embedding to the frozen start model's: (n, d), (n, d) -> (n,), in 0..2.

    With the same view on both sides this holds on to what the start model knows. With a degraded view against the
    clean view's target it teaches the degraded face to look like the clean one, and needs no label.
    """
    return 1.0 - functional.cosine_similarity(embeddings, targets, dim=1)
