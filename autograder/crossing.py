"""What becomes of values on their way from tests to the student's code, and back.

Data is `student_side.wire`'s. Modules go as copies, functions of the tests as numbers by which they
are called back; what comes back and is no data becomes one of the `proxies`. A tensor that the
student's code can differentiate can be differentiated here too: its gradient is asked for when
`backward()` reaches it.
"""

import copy
import io
import pickle
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from autograder.proxies import RemoteModule, RemoteObject
from autograder.student_side import wire
from autograder.student_side.limits import Limits
from autograder.student_side.wire import Decoder, Encoder

if TYPE_CHECKING:
    from autograder.remote import Student

# What an author sends is bounded by what the student's kernel may use.
_NO_LIMITS = Limits(value_bytes=2**40, value_items=10**9, value_depth=900, text_bytes=10**9)

# Objects of these packages can be sent as copies, since the other side has the packages too.
_SHARED_PACKAGES = {
    "torch", "torchvision", "detseg", "numpy", "builtins", "collections", "pathlib", "fractions",
}  # fmt: skip


class Arguments(Encoder):
    """Encodes what goes to the student: copies of data and modules, numbers for functions."""

    def __init__(self, student: "Student") -> None:
        super().__init__(_NO_LIMITS)
        self._student = student

    def tensor(self, value: torch.Tensor) -> list[Any]:
        order = sorted(range(value.dim()), key=lambda axis: -value.stride()[axis])
        laid_out = value.detach().permute(order)
        if value.is_contiguous() or not laid_out.is_contiguous():
            return super().tensor(value)
        node = super().tensor(laid_out)
        self.tensors[-1] = value
        return ["strided", order, [*node[:3], value.requires_grad]]

    def other(self, value: Any, depth: int) -> Any:
        if isinstance(value, RemoteObject | RemoteModule):
            return ["handle", value.remote_number]
        if isinstance(value, torch.Tensor) and wire.is_plain(value):
            return self.tensor(value)
        if not isinstance(value, torch.nn.Module):
            if isinstance(value, Iterator):
                return ["iterator", self._student.callback(lambda: next(value))]
            if callable(value) and not isinstance(value, type) and not _is_of_library(value):
                return ["callback", self._student.callback(value)]
        if _is_of_library(value) or type(value).__module__.partition(".")[0] in _SHARED_PACKAGES:
            return ["pickle", self.add(_pickled(value))]
        if callable(value):
            return ["callback", self._student.callback(value)]
        return super().other(value, depth)


def _is_of_library(value: object) -> bool:
    """Whether a function is one of a package's, which the other side has under the same name."""
    home = getattr(value, "__module__", None) or ""
    return isinstance(value, types.FunctionType) and home.partition(".")[0] in _SHARED_PACKAGES


class Answers(Decoder):
    """Decodes what the student's kernel says."""

    def __init__(self, blobs: memoryview, student: "Student") -> None:
        super().__init__(blobs, student.limits)
        self._student = student
        self.link: Link | None = None

    def other(self, tag: str, rest: list[Any], depth: int) -> Any:
        if tag == "handle":
            number, kind = rest
            if type(number) is int and kind in ("module", "object"):
                return self._student.proxy(number, kind)
        return super().other(tag, rest, depth)

    def _tensor(self, dtype: Any, shape: Any, gradient: Any) -> torch.Tensor:
        before = len(self.with_gradient)
        tensor = super()._tensor(dtype, shape, gradient)
        if self.link is None or before == len(self.with_gradient) or not torch.is_grad_enabled():
            return tensor
        return _Remote.apply(self.link, before, tensor, _ANCHOR, *self.link.inputs)


# Something to differentiate with respect to, for calls whose inputs need no gradient here.
_ANCHOR = torch.zeros((), requires_grad=True)


class Link:
    """One call whose outputs can be differentiated in the student's kernel."""

    def __init__(self, student: "Student", call: int, inputs: list[torch.Tensor]) -> None:
        self.inputs = inputs
        self.outputs = 0
        self._student, self._call = student, call

    def gradients(self, output: int, gradient: torch.Tensor) -> list[torch.Tensor | None]:
        given: list[torch.Tensor | None] = [None] * self.outputs
        given[output] = gradient
        shapes = [tensor.shape for tensor in self.inputs]
        return self._student.gradients(self._call, given, shapes)

    def __del__(self) -> None:
        if self.outputs:
            self._student.release("calls", self._call)


class _Remote(torch.autograd.Function):
    """The identity, whose gradient the student's kernel computes."""

    @staticmethod
    def forward(ctx: Any, link: Link, output: int, value: torch.Tensor, *_: Any) -> torch.Tensor:
        ctx.link, ctx.output = link, output
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        found = ctx.link.gradients(ctx.output, gradients[0].contiguous())
        return (None, None, None, None, *found)


class _CompactPickler(pickle.Pickler):
    """Writes tensors without the storage that they are views of."""

    def reducer_override(self, value: Any) -> Any:
        if type(value) is torch.nn.Parameter:
            return torch.nn.Parameter, (value.detach().clone(), value.requires_grad)
        if type(value) is torch.Tensor and value.untyped_storage().nbytes() > value.nbytes:
            return copy.copy, (value.detach().clone(),)
        return NotImplemented


def _pickled(value: object) -> bytes:
    buffer = io.BytesIO()
    _CompactPickler(buffer, pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()
