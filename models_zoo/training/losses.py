"""What training minimises. All losses are per face, so that the caller weights them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class ArcFaceHead(nn.Module):
    """Additive angular margin softmax (Deng et al., ArcFace, CVPR 2019), with label smoothing against wrong labels.

    Args:
        prototypes: (classes, d), where the class centres start; the mean start embedding of each person, say.
        scale: inverse temperature.
        margin: radians added to the angle to a face's own class.
        smoothing: share of the target spread evenly over all classes.
    """

    def __init__(self, prototypes: Tensor, *, scale: float, margin: float, smoothing: float = 0.0) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(functional.normalize(prototypes, dim=1).clone())
        self.scale, self.margin, self.smoothing = scale, margin, smoothing

    def forward(self, embeddings: Tensor, classes: Tensor) -> Tensor:
        """Embeddings (n, d), not necessarily normalised; classes (n,) int64 -> loss (n,)."""
        cosine = functional.normalize(embeddings, dim=1) @ functional.normalize(self.prototypes, dim=1).T
        own = cosine.gather(1, classes[:, None])
        logits = self.scale * cosine.scatter(1, classes[:, None], with_margin(own, self.margin))
        return functional.cross_entropy(logits, classes, reduction="none", label_smoothing=self.smoothing)


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


def recognition(embeddings: Tensor, bank: Tensor, own: Tensor, ignored: Tensor, *, scale: float) -> Tensor:
    """Cross-entropy of finding each face's own clean view among all faces of the bank (InfoNCE, van den Oord 2018).

    Args:
        embeddings: (n, d) of degraded views.
        bank: (m, d), normalised, the start model's embeddings of the clean views of all faces.
        own: (n,) int64, the row of the bank that each view was made from.
        ignored: (n, m) bool, rows that may show the same person; neither pulled nor pushed.
        scale: inverse temperature.

    Returns:
        loss (n,).
    """
    logits = scale * functional.normalize(embeddings, dim=1) @ bank.T
    return functional.cross_entropy(logits.masked_fill(ignored, float("-inf")), own, reduction="none")
