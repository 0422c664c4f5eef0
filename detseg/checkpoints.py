"""Trained weights that come with the course."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from detseg.errors import DataError

CHECKPOINTS = Path(__file__).resolve().parent.parent / "data" / "checkpoints"


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
