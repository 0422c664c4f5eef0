"""Trained weights that come with the course."""

import json
import platform
from pathlib import Path
from typing import Any, TypeVar

import torch
import torchvision
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from detseg.device import device as default_device
from detseg.errors import DataError

Model = TypeVar("Model", bound=nn.Module)

CHECKPOINTS = Path(__file__).resolve().parent.parent / "data" / "checkpoints"


def save_checkpoint(
    folder: Path, name: str, weights: dict[str, torch.Tensor], log: dict[str, Any]
) -> None:
    """Write `name.safetensors`, and beside it the log of the run and the versions that it used."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / f"{name}.safetensors")
    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
    }
    text = json.dumps(log | {"versions": versions}, indent=1)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def load_weights(model: nn.Module, path: Path) -> None:
    """Give a model the weights of a safetensors file that `make checkpoints` made.

    Raises:
        DataError: the file is missing or is not a checkpoint of this model.
    """
    try:
        model.load_state_dict(load_file(path))
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing: 'make checkpoints' trains it") from error
    except (SafetensorError, RuntimeError) as error:
        raise DataError(
            f"{path} is not a checkpoint of this model; 'make checkpoints' makes one: {error}"
        ) from error


def load_trained(model: Model, path: Path, device: torch.device | str | None = None) -> Model:
    """A model with the weights of a checkpoint, in evaluation mode, on a device.

    Args:
        device: the fastest one where None.

    Raises:
        DataError: the file is missing or is not a checkpoint of this model.
    """
    load_weights(model, path)
    return model.eval().to(default_device() if device is None else device)
