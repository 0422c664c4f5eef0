"""The student's kernel after all cells have run: it answers what the examiner asks.

The examiner names what it wants: a name of the notebook, a call, an attribute, the next item, the
parameters of a module, gradients. What comes back is data where it can be, and a number (a
*handle*) for everything else, which stays here.
"""

import builtins
import copy
import itertools
import pickle
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from autograder.student_side.blocking import ShortcutError
from autograder.student_side.limits import Limits
from autograder.student_side.lowering import lower
from autograder.student_side.shell import text_of
from autograder.student_side.wire import DTYPES, Decoder, Encoder, Message, is_plain, receive, send

_MAX_LAYERS = 10_000

# What the examiner sends is bounded by its author.
_NO_LIMITS = Limits(value_bytes=2**40, value_items=10**9, value_depth=900, text_bytes=10**9)


class ExaminerGoneError(BaseException):
    """Nobody asks any more; no Exception, so that no student's code can hold it up."""


class Server:
    """Answers requests about one notebook's namespace.

    Args:
        before_call: puts in order what the notebook may have left changed.
    """

    def __init__(
        self,
        connection: socket.socket,
        namespace: dict[str, Any],
        limits: Limits,
        before_call: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._namespace = namespace
        self._limits = limits
        self._before_call = before_call
        self._one_at_a_time = threading.RLock()
        self._objects: dict[int, Any] = {}
        self._handles: dict[int, int] = {}
        self._numbers = itertools.count(1)
        # By call: tensors that can be differentiated, and what with respect to.
        self._graphs: dict[int, tuple[list[torch.Tensor], list[torch.Tensor]]] = {}
        # By handle of a module whose parameters the examiner has: which version of them.
        self._known: dict[int, list[tuple[int, int]]] = {}

    def serve(self) -> None:
        """Answer until the other side is gone."""
        while True:
            try:
                self._answer(*self._receive())
            except ExaminerGoneError:
                return

    def _answer(self, request: Message, blobs: memoryview) -> None:
        encoder = _Values(self)
        try:
            self._before_call()
            answer = getattr(self, f"_do_{request['do']}")(request, _Requests(blobs, self), encoder)
            self._send(answer | {"stale": self._stale()}, encoder.blobs)
        except ExaminerGoneError:
            raise
        except BaseException as error:
            raised = {"raised": _name_of(error), "text": text_of(error), "stale": self._stale()}
            self._send(raised, [])

    def _receive(self) -> tuple[Message, memoryview]:
        try:
            return receive(self._connection, _NO_LIMITS)
        except (EOFError, OSError) as error:
            raise ExaminerGoneError from error

    def _send(self, message: Message, blobs: list[bytes]) -> None:
        try:
            send(self._connection, message, blobs)
        except OSError as error:
            raise ExaminerGoneError from error

    # What the examiner can ask for.

    def _do_get(self, request: Message, _: Decoder, encoder: Encoder) -> Message:
        if request["name"] not in self._namespace:
            raise NameError(f"name '{request['name']}' is not defined")
        return {"value": encoder.encode(self._namespace[request["name"]])}

    def _do_attribute(self, request: Message, _: Decoder, encoder: Encoder) -> Message:
        value = getattr(self._objects[request["target"]], request["name"])
        return {"value": encoder.encode(value)}

    def _do_call(self, request: Message, decoder: Decoder, encoder: Encoder) -> Message:
        function = self._objects[request["target"]]
        args = decoder.decode(request["args"])
        kwargs = decoder.decode(request["kwargs"])
        inputs = list(decoder.with_gradient)
        for module in request["modules"]:
            inputs += _parameters(self._objects[module]).values()
        result = function(*args, **kwargs)
        if request["after"]:
            result = (result, args)
        return self._with_graph(request["call"], encoder, result, inputs)

    def _do_iter(self, request: Message, _: Decoder, __: Encoder) -> Message:
        items = iter(self._objects[request["target"]])
        return {"value": ["handle", self.handle_of(items), "object"]}

    def _do_next(self, request: Message, _: Decoder, encoder: Encoder) -> Message:
        try:
            item = next(self._objects[request["target"]])
        except StopIteration:
            return {"end": True}
        return self._with_graph(request["call"], encoder, item, [])

    def _with_graph(
        self, call: int, encoder: Encoder, result: Any, inputs: list[torch.Tensor]
    ) -> Message:
        """The answer with a result; what can be differentiated is kept for `_do_backward`."""
        value = encoder.encode(result)
        outputs = [t for t in encoder.tensors if t.requires_grad and t.is_floating_point()]
        if outputs:
            self._graphs[call] = outputs, inputs
        return {"value": value}

    def _do_backward(self, request: Message, decoder: Decoder, encoder: Encoder) -> Message:
        outputs, inputs = self._graphs[request["of"]]
        gradients = decoder.decode(request["gradients"])
        pairs = [(o, g) for o, g in zip(outputs, gradients, strict=True) if g is not None]
        wanted = [tensor for tensor in inputs if tensor.requires_grad]
        found: Iterator[torch.Tensor | None] = iter(())
        if wanted and pairs:
            found = iter(
                torch.autograd.grad(
                    [output for output, _ in pairs],
                    wanted,
                    [gradient for _, gradient in pairs],
                    retain_graph=True,
                    allow_unused=True,
                )
            )
        of_inputs = [next(found, None) if tensor.requires_grad else None for tensor in inputs]
        return {"value": encoder.encode(of_inputs)}

    def _do_parameters(self, request: Message, _: Decoder, encoder: Encoder) -> Message:
        module = self._objects[request["target"]]
        self._known[request["target"]] = _versions(module)
        return {"value": encoder.encode(_parameters(module))}

    def _do_copy(self, request: Message, _: Decoder, encoder: Encoder) -> Message:
        return {"value": encoder.encode(copy.deepcopy(self._objects[request["target"]]))}

    def _do_state(self, request: Message, _: Decoder, encoder: Encoder) -> Message:
        state = self._objects[request["target"]].state_dict()
        return {"value": encoder.encode({name: value.detach() for name, value in state.items()})}

    def _do_load(self, request: Message, decoder: Decoder, encoder: Encoder) -> Message:
        self._objects[request["target"]].load_state_dict(decoder.decode(request["state"]))
        return {"value": encoder.encode(None)}

    def _do_mode(self, request: Message, _: Decoder, encoder: Encoder) -> Message:
        self._objects[request["target"]].train(request["train"])
        return {"value": encoder.encode(None)}

    def _do_layers(self, request: Message, _: Decoder, encoder: Encoder) -> Message:
        layers = itertools.islice(self._objects[request["target"]].modules(), _MAX_LAYERS)
        return {"value": encoder.encode([type(layer).__name__ for layer in layers])}

    def _do_release(self, request: Message, _: Decoder, encoder: Encoder) -> Message:
        for handle in request["handles"]:
            self._handles.pop(id(self._objects.pop(handle, None)), None)
            self._known.pop(handle, None)
        for call in request["calls"]:
            self._graphs.pop(call, None)
        return {"value": encoder.encode(None)}

    # Parameters of modules of which the examiner has a copy.

    def _do_set(self, request: Message, decoder: Decoder, encoder: Encoder) -> Message:
        module = self._objects[request["target"]]
        named = dict(module.named_parameters())
        with torch.no_grad():
            for name, value in decoder.decode(request["values"]).items():
                named[name].copy_(value)
        self._known[request["target"]] = _versions(module)
        return {"value": encoder.encode(None)}

    def _stale(self) -> list[int]:
        """Modules whose parameters have changed since the examiner got or sent them."""
        now = {handle: _versions(self._objects[handle]) for handle in self._known}
        found = [handle for handle, versions in now.items() if versions != self._known[handle]]
        self._known = now
        return found

    # What is no data.

    def handle_of(self, value: object) -> int:
        """The number by which the examiner may name this object."""
        number = self._handles.get(id(value))
        if number is None:
            number = self._handles[id(value)] = next(self._numbers)
            self._objects[number] = value
        return number

    def object_of(self, handle: int) -> Any:
        return self._objects[handle]

    def call_back(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function of the examiner's, which runs there; returns its answer."""
        with self._one_at_a_time:  # threads of the student's may call, and the socket is one
            return self._call_back(number, args, kwargs)

    def _call_back(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        encoder = _Values(self)
        message = {
            "callback": number,
            "args": encoder.encode(list(args)),
            "kwargs": encoder.encode(kwargs),
        }
        self._send(message, encoder.blobs)
        while True:
            answer, blobs = self._receive()
            if "do" in answer:  # the function that was called asks for something in its turn
                self._answer(answer, blobs)
            elif "raised" in answer:
                raise getattr(builtins, answer["raised"], RuntimeError)
            elif "end" in answer:
                raise StopIteration
            else:
                return _Requests(blobs, self).decode(answer["value"])


class _Values(Encoder):
    """Encodes what goes to the examiner: what is no data becomes a handle."""

    def __init__(self, server: Server) -> None:
        super().__init__(server._limits)
        self._server = server

    def other(self, value: Any, depth: int) -> Any:
        lowered = lower(value)
        if lowered is not value and _crosses(lowered):
            return self.encode(lowered, depth)
        kind = "module" if isinstance(value, torch.nn.Module) else "object"
        return ["handle", self._server.handle_of(value), kind]


class _Requests(Decoder):
    """Decodes what comes from the examiner, which is trusted."""

    def __init__(self, blobs: memoryview, server: Server) -> None:
        super().__init__(blobs, _NO_LIMITS)
        self._server = server

    def _tensor(self, dtype: Any, shape: Any, gradient: Any) -> torch.Tensor:
        tensor = super()._tensor(dtype, shape, gradient)
        return tensor.requires_grad_(gradient)

    def other(self, tag: str, rest: list[Any], depth: int) -> Any:
        if tag == "handle":
            return self._server.object_of(rest[0])
        if tag == "callback":
            return lambda *args, **kwargs: self._server.call_back(rest[0], args, kwargs)
        if tag == "iterator":
            return _Items(self._server, rest[0])
        if tag == "pickle":
            return pickle.loads(self.take(rest[0]))
        if tag == "strided":
            order, node = rest
            return self._strided(order, node, depth)
        return super().other(tag, rest, depth)

    def _strided(self, order: list[int], node: Any, depth: int) -> torch.Tensor:
        """A tensor whose axes lie in memory in another order than they are named in."""
        gradient = node[3]
        laid_out = self.decode([*node[:3], False], depth)
        tensor = laid_out.permute([order.index(axis) for axis in range(len(order))])
        if gradient:
            self.with_gradient.append(tensor)
        return tensor.requires_grad_(gradient)


class _Items:
    """An iterator of the examiner's."""

    def __init__(self, server: Server, number: int) -> None:
        self._server, self._number = server, number

    def __iter__(self) -> "_Items":
        return self

    def __next__(self) -> Any:
        return self._server.call_back(self._number, (), {})


def _crosses(value: Any) -> bool:
    """Whether the encoder takes this very value as data, whatever is in it."""
    if type(value) is torch.Tensor:
        return is_plain(value)
    if type(value) is dict:
        return all(type(key) in (str, int) for key in value)
    if type(value) is int:
        return value.bit_length() <= 1024
    if type(value) is np.ndarray:
        return value.dtype.name in DTYPES
    return type(value) in (bool, float, str, bytes, list, tuple)


def _versions(module: torch.nn.Module) -> list[tuple[int, int]]:
    return [(p._version, p.data_ptr()) for p in _parameters(module).values()]


def _parameters(module: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """By name, but for those of lazy layers that have no shape yet."""
    return {n: p for n, p in module.named_parameters() if not torch.nn.parameter.is_lazy(p)}


def _name_of(error: BaseException) -> str:
    """The name of the built-in class that an exception belongs to."""
    if isinstance(error, ShortcutError):
        return ShortcutError.__name__
    return next(c.__name__ for c in type(error).__mro__ if getattr(builtins, c.__name__, 0) is c)
