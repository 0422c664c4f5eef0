"""The device that the pages compute on."""

import os

import torch

from detseg.errors import ArgumentError

VARIABLE = "DETSEG_DEVICE"


def device() -> torch.device:
    """The fastest device of this machine: CUDA, else MPS, else the CPU.

    The environment variable `DETSEG_DEVICE` overrides the choice (`cpu`, `cuda`, `cuda:1`, `mps`).

    Returns:
        A device that tensors can be moved to.

    Raises:
        ArgumentError: `DETSEG_DEVICE` names no device, or one that this machine does not have.

    Example:
        >>> import os
        >>> os.environ["DETSEG_DEVICE"] = "cpu"
        >>> device()
        device(type='cpu')
        >>> del os.environ["DETSEG_DEVICE"]
    """
    asked = os.environ.get(VARIABLE, "").strip()
    if asked:
        return _checked(asked)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _checked(asked: str) -> torch.device:
    available = ["cpu"]
    available += ["cuda"] if torch.cuda.is_available() else []
    available += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    available += ["mps"] if torch.backends.mps.is_available() else []
    if asked not in available:
        raise ArgumentError(
            f"environment variable {VARIABLE}={asked!r} names no device of this machine; "
            f"it has {', '.join(available)}. Unset it to let detseg choose."
        )
    return torch.device(asked)
