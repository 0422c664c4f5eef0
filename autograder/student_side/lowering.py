"""Student's values as plain data, where they are data under another class."""

import collections.abc
import enum
from typing import Any

import numpy as np
import torch


def lower(value: Any) -> Any:
    """The plain value that an honest subclass stands for; the value itself where there is none.

    A Parameter is a tensor, a NumPy scalar a number, `torch.Size` and a named tuple are tuples,
    every mapping is a dict. A tensor is detached only when it is sent.

    >>> lower(torch.Size([2, 3])), lower(np.float32(0.5)), lower({True: 1})
    ((2, 3), 0.5, {1: 1})
    """
    if isinstance(value, torch.Tensor):
        return _plain_tensor(value)
    if isinstance(value, np.generic) and type(value.item()) in (bool, int, float, str, bytes):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return np.array(value, subok=False)
    if isinstance(value, enum.Enum) and not isinstance(value, int | str):
        return value
    kinds: tuple[Any, ...] = (int, float, str, bytes, tuple, list)
    for kind in kinds:
        if isinstance(value, kind):
            # An enumeration of texts says its name where it is asked for its text.
            return kind(value.value if isinstance(value, enum.Enum) else value)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, collections.abc.Mapping):
        return {lower(key): item for key, item in value.items()}
    return value


def _plain_tensor(tensor: torch.Tensor) -> torch.Tensor:
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.device.type not in ("cpu", "meta"):
        tensor = tensor.cpu()
    return tensor if type(tensor) is torch.Tensor else tensor.as_subclass(torch.Tensor)
