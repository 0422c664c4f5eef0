"""A device that is none: tensors on it are refused where they meet tensors that are elsewhere.

Code for a GPU fails in two ways on a machine that has one: it leaves something on the CPU, or it
makes something new there. This finds both on a machine that has none. Inside `FakeDevice()` the
device `cuda` is accepted; what is put there is remembered, and stays on the CPU.
"""

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

import torch
from torch.nn.functional import one_hot
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

NAME = "cuda"

# They may take tensors of two devices: copies between them, and indices from the CPU.
_BETWEEN_DEVICES = {
    "copy_",
    "_to_copy",
    "to",
    "index",
    "index_put",
    "index_put_",
    "_index_put_impl_",
    "set_",
}


class FakeDevice:
    """Context in which tensors live on two devices, `cpu` and `cuda`."""

    def __init__(self) -> None:
        # Storages are kept alive, or a new one could be taken for an old one.
        self._storages: dict[int, torch.UntypedStorage] = {}
        self._there: set[int] = set()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "FakeDevice":
        self._stack.enter_context(mock.patch("torch.Generator", _Generator))
        self._stack.enter_context(_Checking(self))
        self._stack.enter_context(_Naming(self))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def put(self, tensor: torch.Tensor, *, there: bool = True) -> None:
        """Say where a tensor is, and all views of it."""
        storage = tensor.untyped_storage()
        self._storages[storage._cdata] = storage
        (self._there.add if there else self._there.discard)(storage._cdata)

    @property
    def used(self) -> bool:
        return bool(self._there)

    def holds(self, tensor: torch.Tensor) -> bool:
        return tensor.untyped_storage()._cdata in self._there


class _Generator(torch.Generator):
    """A generator of the CPU, wherever it is asked for."""

    def __new__(cls, device: object = "cpu") -> "_Generator":
        return super().__new__(cls, "cpu" if _is_fake(device) else device)


class _Checking(TorchDispatchMode):
    """Refuses operations on tensors of both devices; results are where their inputs are."""

    def __init__(self, device: FakeDevice) -> None:
        super().__init__()
        self._device = device

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = list(_tensors((args, kwargs)))
        name = func.overloadpacket.__name__
        places = {self._device.holds(tensor) for tensor in given if tensor.dim() > 0}
        if len(places) == 2 and name not in _BETWEEN_DEVICES:
            sizes = [
                (tuple(tensor.shape), NAME if self._device.holds(tensor) else "cpu")
                for tensor in given
            ]
            raise RuntimeError(f"{name}: tensors on two devices: {sizes}")
        result = func(*args, **(kwargs or {}))
        known = {tensor.untyped_storage()._cdata for tensor in given}
        # A copy goes where its target is; a number without axes follows what it meets.
        sources = given[:1] if name in _BETWEEN_DEVICES else given
        there = any(self._device.holds(tensor) for tensor in sources)
        for made in _tensors(result):
            if made.untyped_storage()._cdata not in known:
                self._device.put(made, there=there)
        return result


class _Naming(TorchFunctionMode):
    """Takes the name of the device out of calls, and puts there what they return."""

    def __init__(self, device: FakeDevice) -> None:
        super().__init__()
        self._device = device

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func == torch.Tensor.device.__get__:
            return torch.device(NAME) if self._device.holds(args[0]) else func(*args)
        moves = func in (torch.Tensor.to, torch.Tensor.cpu, torch.Tensor.cuda)
        named = [value for value in (*args, *kwargs.values()) if _is_device(value)]
        if func is torch.Tensor.cuda:
            func, named = torch.Tensor.to, [NAME]
        if func is one_hot and self._device.holds(args[0]):
            return self._without_a_look_inside(func, args, kwargs)
        there = any(map(_is_fake, named))
        args = tuple("cpu" if moves and _is_fake(value) else value for value in args)
        kwargs = {key: "cpu" if _is_fake(value) else value for key, value in kwargs.items()}
        result = func(*args, **kwargs)
        if moves and (named or func is torch.Tensor.cpu):
            result = result.clone()
        elif not there:
            return result
        for made in _tensors(result):
            self._device.put(made, there=there)
        return result

    def _without_a_look_inside(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Call what makes tensors of its own on the way, which would seem to be on the CPU."""
        here = args[0].clone()
        self._device.put(here, there=False)
        result = func(here, *args[1:], **kwargs)
        self._device.put(result)
        return result


def _is_device(value: object) -> bool:
    return isinstance(value, torch.device) or (
        isinstance(value, str) and value.partition(":")[0] in ("cpu", NAME)
    )


def _is_fake(device: object) -> bool:
    return _is_device(device) and str(device).startswith(NAME)


def _tensors(values: Any) -> Iterator[torch.Tensor]:
    return (value for value in tree_leaves(values) if isinstance(value, torch.Tensor))
