"""SFace's forward pass as training runs it: the same function, less work.

Batch-norm statistics stay frozen (batches of some dozen faces, half of them spoilt, would only blur them), so each norm
is an affine map that is folded into its convolution's weights on the fly. Gradients still reach the weights, scales and
shifts, and the passes over the activations, which dominate on a CPU, are halved.
"""

from __future__ import annotations

from typing import cast

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
    return [parameter for part in parts for parameter in part.parameters()]


def _unit(unit: ConvUnit, values: Tensor) -> Tensor:
    convolution = unit.convolution
    scale, shift = _affine(unit.norm)
    weight = convolution.weight * scale[:, None, None, None]
    values = functional.conv2d(
        values, weight, shift, convolution.stride, convolution.padding, convolution.dilation, convolution.groups
    )
    return functional.prelu(values, unit.slope.weight.to(values.dtype))


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
