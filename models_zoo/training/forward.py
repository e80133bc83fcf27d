"""SFace's forward pass as training runs it: the same function, less work.

Batch-norm statistics stay frozen (batches of some dozen faces, half of them spoilt, would only blur them), so each norm
is an affine map that is folded into its convolution's weights on the fly. Gradients still reach the weights, scales and
shifts. The PReLU slopes stay frozen too. On a CPU the passes over the activations dominate, and that halves them.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from models_zoo.networks.sface import EMBEDDING_SIZE, ConvUnit, SFace


def embed(network: SFace, crops: Tensor, *, frozen_units: int = 0) -> Tensor:
    """Embeddings (n, 128), not normalised, of crops float32 RGB (n, 3, 112, 112) in 0..255.

    Equals `network(crops)` in eval mode but for rounding. No gradient reaches the first `frozen_units` units.
    """
    values = (crops - 127.5) * 0.0078125
    with torch.no_grad():
        for unit in network.units[:frozen_units]:
            values = _unit(unit, values)
    for unit in network.units[frozen_units:]:
        values = _unit(unit, values)
    return _project(network, values)


def trained_parameters(network: SFace, frozen_units: int) -> list[nn.Parameter]:
    """The parameters that `embed` lets gradients reach."""
    parts = [*network.units[frozen_units:], network.features_norm, network.projection, network.embedding_norm]
    slopes = {id(unit.slope.weight) for unit in network.units}
    return [parameter for part in parts for parameter in part.parameters() if id(parameter) not in slopes]


class FrozenSlopePReLU(torch.autograd.Function):
    """PReLU whose slopes get no gradient; torch's own backward pass computes one at twice the cost."""

    @staticmethod
    def forward(context: Any, values: Tensor, slopes: Tensor) -> Tensor:
        context.save_for_backward(values, slopes)
        return functional.prelu(values, slopes)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        values, slopes = context.saved_tensors
        passed = torch.ops.aten.threshold_backward(gradients[0], values, 0)
        return torch.lerp(passed, gradients[0], slopes[:, None, None]), None


def _unit(unit: ConvUnit, values: Tensor) -> Tensor:
    convolution = unit.convolution
    scale, shift = _affine(unit.norm)
    weight = convolution.weight * scale[:, None, None, None]
    values = functional.conv2d(
        values, weight, shift, convolution.stride, convolution.padding, convolution.dilation, convolution.groups
    )
    slopes = unit.slope.weight.detach().to(values.dtype)
    if not values.requires_grad:
        return functional.prelu(values, slopes)
    return cast(Tensor, FrozenSlopePReLU.apply(values, slopes))  # type: ignore[no-untyped-call]


def _project(network: SFace, values: Tensor) -> Tensor:
    scale, shift = _affine(network.features_norm)
    # Channels last to the end: flattening channels first would turn every gradient below, which is many times slower.
    weight = network.projection.weight.view(EMBEDDING_SIZE, -1, 7, 7).permute(0, 2, 3, 1)
    bias = network.projection.bias + weight.sum((1, 2)) @ shift
    flat = values.permute(0, 2, 3, 1).reshape(len(values), -1)
    projected = functional.linear(flat, (weight * scale).reshape(EMBEDDING_SIZE, -1), bias)
    scale, shift = _affine(network.embedding_norm)
    return projected.float() * scale + shift


def _affine(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Scale and shift per channel that the norm amounts to in eval mode."""
    mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    return scale, norm.bias - mean * scale
