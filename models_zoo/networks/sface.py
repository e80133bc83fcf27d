"""SFace (Zhong et al. 2021, arXiv:2205.12010; OpenCV Zoo `face_recognition_sface_2021dec`) as a trainable module."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from foundation.errors import InvalidInput
from models_zoo.networks.sface_onnx import Tensors, read_tensors

EMBEDDING_SIZE = 128
CROP_SIZE = 112
FORMAT = "loupe-sface-1"

# (name in the ONNX file, output channels, stride, depthwise) of every convolution, in order: a MobileNet-v1 chain.
_WIDTHS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
LAYERS: list[tuple[str, int, int, bool]] = [("conv_1", 32, 1, False)]
for _number, (_width, _stride) in enumerate(_WIDTHS, start=2):
    LAYERS.append((f"conv_{_number}_dw", LAYERS[-1][1], _stride, True))
    LAYERS.append((f"conv_{_number}", _width, 1, False))


class ConvUnit(nn.Sequential):
    """Convolution without bias, batch norm, PReLU with one slope per channel."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, stride: int, groups: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, eps=1e-3),
            nn.PReLU(outputs),
        )

    @property
    def convolution(self) -> nn.Conv2d:
        return cast(nn.Conv2d, self[0])

    @property
    def norm(self) -> nn.BatchNorm2d:
        return cast(nn.BatchNorm2d, self[1])

    @property
    def slope(self) -> nn.PReLU:
        return cast(nn.PReLU, self[2])


class SFace(nn.Module):
    """Aligned face crops to embeddings.

    Input: float32 RGB (n, 3, 112, 112), values 0..255; the network scales them itself, as the published graph does.
    Output: float32 (n, 128), not normalised. Compare by cosine.
    """

    def __init__(self) -> None:
        super().__init__()
        units: list[nn.Module] = []
        channels = 3
        for name, outputs, stride, depthwise in LAYERS:
            kernel = 3 if depthwise or name == "conv_1" else 1
            units.append(ConvUnit(channels, outputs, kernel=kernel, stride=stride, groups=channels if depthwise else 1))
            channels = outputs
        self.features = nn.Sequential(*units)
        self.features_norm = nn.BatchNorm2d(channels, eps=2e-5)
        self.projection = nn.Linear(channels * 7 * 7, EMBEDDING_SIZE)
        self.embedding_norm = nn.BatchNorm1d(EMBEDDING_SIZE, eps=2e-5)

    @property
    def units(self) -> list[ConvUnit]:
        """The convolution units in order, from the input on."""
        return [cast(ConvUnit, unit) for unit in self.features]

    def forward(self, crops: Tensor) -> Tensor:
        features = self.features_norm(self.features((crops - 127.5) * 0.0078125))
        return cast(Tensor, self.embedding_norm(self.projection(features.flatten(1))))

    @classmethod
    def from_onnx(cls, path: Path) -> SFace:
        """The network with the weights of a published ONNX file, float32 or block-quantised, in eval mode.

        Raises:
            InvalidInput: the file is missing, unreadable, or is not SFace.
        """
        try:
            state = _state_from_tensors(read_tensors(path))
        except KeyError as error:
            raise InvalidInput(
                f"{path.name} is not an SFace network: it has no {error}.", code="weights_unreadable"
            ) from None
        return cls()._with_state(state, path)

    @classmethod
    def load_safetensors(cls, path: Path) -> SFace:
        """The network with weights written by `save_safetensors`, in eval mode.

        Raises:
            InvalidInput: the file is missing, unreadable, or holds other tensors than SFace's.
        """
        try:
            state = load_file(path)
        except FileNotFoundError:
            raise InvalidInput(f"No weights at {path}.", code="weights_missing") from None
        except SafetensorError as error:
            raise InvalidInput(f"{path.name} is not a safetensors file.", code="weights_unreadable") from error
        return cls()._with_state(state, path)

    @classmethod
    def load(cls, path: Path) -> SFace:
        """From `.onnx` or `.safetensors`, by the file's suffix."""
        return cls.from_onnx(path) if path.suffix == ".onnx" else cls.load_safetensors(path)

    def save_safetensors(self, path: Path) -> None:
        """Write all weights and batch-norm statistics as float32, in an order that makes equal weights equal bytes."""
        state = {name: value.detach().cpu().float().contiguous() for name, value in self._kept_state().items()}
        save_file(state, path, metadata={"format": FORMAT})

    def _kept_state(self) -> dict[str, Tensor]:
        # The batch counters are torch's bookkeeping for momentum=None, which nothing here uses.
        return {name: value for name, value in self.state_dict().items() if not name.endswith("num_batches_tracked")}

    def _with_state(self, state: dict[str, Tensor], path: Path) -> SFace:
        expected = {name: tuple(value.shape) for name, value in self._kept_state().items()}
        if {name: tuple(value.shape) for name, value in state.items()} != expected:
            raise InvalidInput(f"{path.name} does not hold the tensors of SFace.", code="weights_unreadable")
        self.load_state_dict(state, strict=False)
        return self.eval()


def _state_from_tensors(tensors: Tensors) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    for index, (name, *_) in enumerate(LAYERS):
        unit = f"features.{index}"
        state[f"{unit}.0.weight"] = torch.from_numpy(tensors[f"{name}_conv2d_weight"].copy())
        state |= _norm(tensors, f"{name}_batchnorm", f"{unit}.1")
        state[f"{unit}.2.weight"] = torch.from_numpy(tensors[f"{name}_relu_gamma"].reshape(-1).copy())
    state |= _norm(tensors, "bn1", "features_norm")
    state["projection.weight"] = torch.from_numpy(tensors["pre_fc1_weight"].copy())
    state["projection.bias"] = torch.from_numpy(tensors["pre_fc1_bias"].copy())
    return state | _norm(tensors, "fc1", "embedding_norm")


def _norm(tensors: Tensors, source: str, target: str) -> dict[str, Tensor]:
    parts = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_var": "running_var"}
    return {
        f"{target}.{ours}": torch.from_numpy(tensors[f"{source}_{theirs}"].copy()) for theirs, ours in parts.items()
    }
