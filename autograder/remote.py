"""What stands in the examiner for the student's objects, which stay in the student's kernel.

Values that cross are data (`student_side.wire`); everything else is one of the proxies below. A
tensor that the student's code can differentiate can be differentiated here too: its gradient is
asked for when `backward()` reaches it.
"""

import builtins
import copy
import io
import itertools
import pickle
import socket
import time
import types
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

from autograder.student_side import wire
from autograder.student_side.limits import Limits
from autograder.student_side.wire import Decoder, Encoder, Message, ProtocolError

# What an author sends is bounded by what the student's kernel may use.
_NO_LIMITS = Limits(value_bytes=2**40, value_items=10**9, value_depth=900, text_bytes=10**9)

_MAX_CALLBACKS = 100_000
_MAX_NESTED = 20
_MAX_TEXT = 500
_RELEASE_AT = 64

# Objects of these packages can be sent as copies, since the other side has the packages too.
_SHARED_PACKAGES = {
    "torch", "torchvision", "detseg", "numpy", "builtins", "collections", "pathlib", "fractions",
}  # fmt: skip


class StudentEndedError(BaseException):
    """The student's kernel does not answer any more; no Exception, so that tests let it by.

    `ending`: "died", "hung" (a cell's time), "timeout" (the submission's) or "protocol".
    """

    def __init__(self, ending: str) -> None:
        super().__init__(ending)
        self.ending = ending


class ShortcutUsedError(Exception):
    """A library call was refused that the sheet forbids."""


class Student:
    """The student's kernel as the examiner sees it: names, calls, attributes, gradients.

    Who runs the tests sets the deadlines, of `time.monotonic()`, and whether exceptions keep what
    the student's code says in them.

    Args:
        connection: the private socket between the kernels.
    """

    def __init__(self, connection: socket.socket, limits: Limits) -> None:
        self.with_text = False
        self.cell_deadline = self.submission_deadline = float("inf")
        self._connection = connection
        self.limits = limits
        self._ending = ""
        self._depth = 0
        self._calls = itertools.count(1)
        self._callbacks: dict[int, Callable[..., Any]] = {}
        self._proxies: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self._released: dict[str, set[int]] = {"handles": set(), "calls": set()}

    def get(self, name: str) -> Any:
        """The value of a name in the student's notebook.

        Raises:
            NameError: it is not defined there.
        """
        return self._ask({"do": "get", "name": name})

    def attribute(self, target: int, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"'{name}' is not for tests to read")
        return self._ask({"do": "attribute", "target": target, "name": name})

    def copy(self, target: int) -> Any:
        return self._ask({"do": "copy", "target": target})

    def call(
        self, target: int, args: tuple[Any, ...], kwargs: dict[str, Any], *, after: bool = False
    ) -> Any:
        """Call an object there; with `after`, also returns the arguments as they are then."""
        self._push_parameters()
        encoder = _Arguments(self)
        modules = self._differentiable(target)
        request = {
            "do": "call",
            "modules": [module.remote_number for module in modules],
            "target": target,
            "args": encoder.encode(list(args)),
            "kwargs": encoder.encode(kwargs),
            "after": after,
        }
        inputs = [t for t in encoder.tensors if t.requires_grad and t.is_floating_point()]
        for module in modules:
            inputs += module.mirrors().values()
        return self._ask(request, encoder, inputs)

    def _differentiable(self, target: int) -> "list[RemoteModule]":
        """Modules whose parameters a call may be differentiated with respect to."""
        modules = [m for m in self._proxies.values() if isinstance(m, RemoteModule)]
        if not torch.is_grad_enabled():
            return []
        return [m for m in modules if m.remote_number == target or m.has_copies()]

    def iterate(self, target: int) -> Any:
        """An iterator over an object there."""
        return self._ask({"do": "iter", "target": target})

    def next(self, target: int) -> Any:
        """The next item of an iterator there.

        Raises:
            StopIteration: there is none.
        """
        return self._ask({"do": "next", "target": target})

    def parameters(self, target: int) -> dict[str, tuple[torch.Tensor, bool]]:
        """A module's parameters by name, and whether each takes a gradient."""
        answer, decoder = self._exchange({"do": "parameters", "target": target}, _Arguments(self))
        try:
            values = decoder.decode(answer.get("value"))
            decoder.finish()
        except ProtocolError as error:
            raise self._end("protocol") from error
        if type(values) is not dict or not all(
            type(name) is str and type(value) is torch.Tensor for name, value in values.items()
        ):
            raise self._end("protocol")
        with_gradient = {id(tensor) for tensor in decoder.with_gradient}
        return {name: (value, id(value) in with_gradient) for name, value in values.items()}

    def set_parameters(self, target: int, values: dict[str, torch.Tensor]) -> None:
        encoder = _Arguments(self)
        self._ask({"do": "set", "target": target, "values": encoder.encode(values)}, encoder)

    def state(self, target: int) -> Any:
        return self._ask({"do": "state", "target": target})

    def load_state(self, target: int, state: Mapping[str, Any]) -> None:
        encoder = _Arguments(self)
        self._ask({"do": "load", "target": target, "state": encoder.encode(dict(state))}, encoder)

    def set_mode(self, target: int, *, train: bool) -> None:
        self._ask({"do": "mode", "target": target, "train": train})

    def layers(self, target: int) -> Any:
        return self._ask({"do": "layers", "target": target})

    def gradients(
        self, call: int, gradients: list[torch.Tensor | None], shapes: list[torch.Size]
    ) -> list[torch.Tensor | None]:
        """Gradients with respect to a call's inputs, given those of its outputs."""
        encoder = _Arguments(self)
        request = {"do": "backward", "of": call, "gradients": encoder.encode(gradients)}
        found = self._ask(request, encoder)
        if type(found) is not list or len(found) != len(shapes):
            raise self._end("protocol")
        for gradient, shape in zip(found, shapes, strict=True):
            if gradient is not None and not (
                type(gradient) is torch.Tensor
                and gradient.is_floating_point()
                and gradient.shape == shape
            ):
                raise self._end("protocol")
        return found

    def release(self, kind: str, number: int) -> None:
        """Say that a proxy or a call is not needed any more; told when there are many."""
        self._released[kind].add(number)

    # One request and its answer, during which functions of the examiner's may be called.

    def _ask(
        self,
        request: Message,
        encoder: "_Arguments | None" = None,
        inputs: list[torch.Tensor] | None = None,
    ) -> Any:
        number = next(self._calls)
        answer, decoder = self._exchange(request | {"call": number}, encoder or _Arguments(self))
        self._refresh(answer.get("stale"))
        decoder.link = _Link(self, number, inputs or [])
        try:
            if request["do"] == "next" and answer.get("end") is True:
                raise StopIteration
            if "value" not in answer:
                raise ProtocolError("an answer without a value")
            value = decoder.decode(answer.get("value"))
            decoder.finish()
        except ProtocolError as error:
            raise self._end("protocol") from error
        decoder.link.outputs = len(decoder.with_gradient)
        return value

    def _exchange(self, request: Message, encoder: "_Arguments") -> tuple[Message, "_Answers"]:
        if self._ending:
            raise StudentEndedError(self._ending)
        if self._depth == 0 and sum(map(len, self._released.values())) > _RELEASE_AT:
            self._tell_released()
        if self._depth >= _MAX_NESTED:
            raise RecursionError(f"calls nested more than {_MAX_NESTED} deep between the kernels")
        self._depth += 1
        failures: list[BaseException] = []
        try:
            self._send(request, encoder.blobs)
            for _ in range(_MAX_CALLBACKS):
                answer, blobs = self._receive()
                decoder = _Answers(blobs, self)
                if "callback" not in answer:
                    break
                self._call_back(answer, decoder, failures)
            else:
                raise self._end("hung")
        finally:
            self._depth -= 1
        if failures:
            raise failures[0]
        if "raised" in answer:
            raise self._exception(answer)
        return answer, decoder

    def _send(self, message: Message, blobs: list[bytes]) -> None:
        try:
            left = self._deadline() - time.monotonic()
            self._connection.settimeout(None if left == float("inf") else max(1e-3, left))
            wire.send(self._connection, message, blobs)
        except TimeoutError as error:
            raise self._end(self._late()) from error
        except OSError as error:
            raise self._end("died") from error

    def _receive(self) -> tuple[Message, memoryview]:
        try:
            return wire.receive(self._connection, self.limits, self._deadline())
        except TimeoutError as error:
            raise self._end(self._late()) from error
        except ProtocolError as error:
            raise self._end("protocol") from error
        except (EOFError, OSError) as error:
            raise self._end("died") from error

    def _deadline(self) -> float:
        return min(self.cell_deadline, self.submission_deadline)

    def _late(self) -> str:
        return "hung" if self.cell_deadline < self.submission_deadline else "timeout"

    def _end(self, ending: str) -> StudentEndedError:
        self._ending = ending
        return StudentEndedError(ending)

    def _exception(self, answer: Message) -> BaseException:
        """What the student's code raised, as a built-in exception."""
        name, text = answer["raised"], answer.get("text")
        if type(name) is not str or type(text) is not str:
            return self._end("protocol")
        shown = text[:_MAX_TEXT] if self.with_text else ""
        if name == "ShortcutError":
            return ShortcutUsedError(shown)
        if name in ("StopIteration", "StopAsyncIteration"):
            # Would end the loops of a test that calls a function, as if all were done.
            return RuntimeError(f"{name}: {shown}")
        kind = getattr(builtins, name, None)
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            return self._end("protocol")
        try:
            return kind(shown) if shown else kind()
        except TypeError:  # some want more than a text
            return RuntimeError(f"{name}: {shown}")

    # The other way: functions and iterators of the examiner's that were passed as arguments.

    def callback(self, function: Callable[..., Any]) -> int:
        number = len(self._callbacks) + 1
        self._callbacks[number] = function
        return number

    def _call_back(
        self, message: Message, decoder: "_Answers", failures: list[BaseException]
    ) -> None:
        """Run a function of the tests on what the student's code gives it, and answer.

        What its asserts say is the tests' word, whatever the student's code makes of the
        exception.
        """
        try:
            function = self._callbacks[message["callback"]]
            args = decoder.decode(message.get("args"))
            kwargs = decoder.decode(message.get("kwargs"))
            decoder.finish()
        except (KeyError, TypeError, ProtocolError) as error:
            raise self._end("protocol") from error
        if type(args) is not list or type(kwargs) is not dict:
            raise self._end("protocol")
        encoder = _Arguments(self)
        try:
            answer: Message = {"value": encoder.encode(function(*args, **kwargs))}
        except StudentEndedError:
            raise
        except StopIteration:
            answer = {"end": True}
        except BaseException as error:
            if isinstance(error, AssertionError):
                failures.append(error)
            encoder = _Arguments(self)
            names = [c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins"]
            answer = {"raised": names[0]}
        self._send(answer, encoder.blobs)

    # Proxies.

    def proxy(self, number: int, kind: str) -> Any:
        self._released["handles"].discard(number)
        found = self._proxies.get(number)
        if found is None:
            found = RemoteModule(self, number) if kind == "module" else RemoteObject(self, number)
            self._proxies[number] = found
        return found

    def _tell_released(self) -> None:
        told = {kind: sorted(numbers) for kind, numbers in self._released.items()}
        for numbers in self._released.values():
            numbers.clear()
        self._ask({"do": "release", **told})

    def _push_parameters(self) -> None:
        """Send what tests changed in their copies of parameters, an optimiser for example."""
        for found in list(self._proxies.values()):
            if isinstance(found, RemoteModule):
                found.push()

    def _refresh(self, stale: Any) -> None:
        """Fetch the parameters that the student's code changed."""
        if type(stale) is not list or not all(type(number) is int for number in stale):
            raise self._end("protocol")
        for number in stale:
            found = self._proxies.get(number)
            if isinstance(found, RemoteModule):
                found.fetch()


class _Arguments(Encoder):
    """Encodes what goes to the student: copies of data and modules, numbers for functions."""

    def __init__(self, student: Student) -> None:
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


class _Answers(Decoder):
    """Decodes what the student's kernel says."""

    def __init__(self, blobs: memoryview, student: Student) -> None:
        super().__init__(blobs, student.limits)
        self._student = student
        self.link: _Link | None = None

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


class _Link:
    """One call whose outputs can be differentiated in the student's kernel."""

    def __init__(self, student: Student, call: int, inputs: list[torch.Tensor]) -> None:
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
    def forward(ctx: Any, link: _Link, output: int, value: torch.Tensor, *_: Any) -> torch.Tensor:
        ctx.link, ctx.output = link, output
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        found = ctx.link.gradients(ctx.output, gradients[0].contiguous())
        return (None, None, None, None, *found)


class RemoteObject:
    """A function, class, generator or other object of the student's.

    It can be called and iterated over; its attributes can be read. Comparing it compares
    identities.
    """

    def __init__(self, student: Student, number: int) -> None:
        self._student = student
        self.remote_number = number

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._student.call(self.remote_number, args, kwargs)

    def remote_after(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a call, and the arguments as the call left them: see `detseg.exam`."""
        return self._student.call(self.remote_number, args, kwargs, after=True)

    def __getattr__(self, name: str) -> Any:
        return self._student.attribute(self.remote_number, name)

    def __iter__(self) -> Iterator[Any]:
        items = self._student.iterate(self.remote_number)
        for _ in range(self._student.limits.value_items):
            try:
                yield next(items)
            except StopIteration:
                return
        raise OverflowError("more items than a test reads")

    def __next__(self) -> Any:
        return self._student.next(self.remote_number)

    def __bool__(self) -> bool:
        raise TypeError("the student's code gave an object where a value is expected")

    def __copy__(self) -> Any:
        raise TypeError("a student's object is copied with copy.deepcopy")

    def __deepcopy__(self, _: dict[int, Any]) -> Any:
        return self._student.copy(self.remote_number)

    def __del__(self) -> None:
        self._student.release("handles", self.remote_number)


class RemoteModule(torch.nn.Module):
    """An `nn.Module` of the student's, with copies of its parameters.

    Gradients arrive at the copies; what an optimiser changes in them is sent before the next call.
    """

    def __init__(self, student: Student, number: int) -> None:
        super().__init__()
        self._student = student
        self.remote_number = number
        self._copies: dict[str, torch.nn.Parameter] | None = None
        self._sent: dict[str, tuple[int, int]] = {}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._student.call(self.remote_number, args, kwargs)

    def remote_after(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a call, and the arguments as the call left them: see `detseg.exam`."""
        return self._student.call(self.remote_number, args, kwargs, after=True)

    def remote_layers(self) -> Any:
        """Class names of the modules in it: see `detseg.exam`."""
        return self._student.layers(self.remote_number)

    def mirrors(self) -> dict[str, torch.nn.Parameter]:
        """The copies of the parameters, by name."""
        if self._copies is None:
            self._copies = {}
            for name, (value, gradient) in self._student.parameters(self.remote_number).items():
                # An int parameter of a quantised layer cannot require a gradient.
                self._copies[name] = torch.nn.Parameter(value, requires_grad=gradient)
            self._sent = self._versions()
        return self._copies

    def has_copies(self) -> bool:
        return self._copies is not None

    def push(self) -> None:
        """Send the copies that were changed here."""
        now = self._versions()
        changed = {name for name in now if now[name] != self._sent[name]}
        if changed:
            self._sent = now
            values = {n: c.detach() for n, c in (self._copies or {}).items() if n in changed}
            self._student.set_parameters(self.remote_number, values)

    def fetch(self) -> None:
        """Take over what the student's code changed."""
        copies = self._copies or {}
        values = self._student.parameters(self.remote_number)
        if {n: v.shape for n, (v, _) in values.items()} != {n: c.shape for n, c in copies.items()}:
            self._copies = None  # other parameters than before: other copies
            return
        with torch.no_grad():
            for name, (value, _) in values.items():
                copies[name].copy_(value)
        self._sent = self._versions()

    def _versions(self) -> dict[str, tuple[int, int]]:
        return {name: (c._version, c.data_ptr()) for name, c in (self._copies or {}).items()}

    def named_parameters(self, *_: Any, **__: Any) -> Iterator[tuple[str, torch.nn.Parameter]]:
        yield from self.mirrors().items()

    def train(self, mode: bool = True) -> "RemoteModule":
        self._student.set_mode(self.remote_number, train=mode)
        return self

    @property
    def training(self) -> bool:
        return bool(self._student.attribute(self.remote_number, "training"))

    @training.setter
    def training(self, mode: bool) -> None:
        """What `nn.Module` sets at its start says nothing about the student's module."""

    def named_children(self) -> Any:
        raise NotImplementedError("a student's module is asked for its layers by their names")

    def named_modules(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("see detseg.exam.layer_types for the layers of a module")

    def named_buffers(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("a student's module is asked for its buffers by their names")

    def state_dict(self, *_: Any, **__: Any) -> Any:
        self.push()
        return self._student.state(self.remote_number)

    def load_state_dict(self, state_dict: Mapping[str, Any], *_: Any, **__: Any) -> Any:
        self._student.load_state(self.remote_number, state_dict)

    def _apply(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("tests do not move or convert a student's module")

    def __getattr__(self, name: str) -> Any:
        return self.__dict__["_student"].attribute(self.__dict__["remote_number"], name)

    def __copy__(self) -> Any:
        raise TypeError("a student's object is copied with copy.deepcopy")

    def __deepcopy__(self, _: dict[int, Any]) -> Any:
        self.push()
        return self._student.copy(self.remote_number)

    def __del__(self) -> None:
        self._student.release("handles", self.remote_number)


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
