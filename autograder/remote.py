"""The student's kernel as the examiner sees it: one socket, requests, and what may go wrong."""

import builtins
import itertools
import socket
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from autograder.crossing import Answers, Arguments, Link
from autograder.proxies import RemoteModule, RemoteObject
from autograder.student_side import wire
from autograder.student_side.limits import Limits
from autograder.student_side.wire import Message, ProtocolError

_MAX_CALLBACKS = 100_000
_MAX_NESTED = 20
_MAX_TEXT = 500
_RELEASE_AT = 64

# What values are asked, and objects are not: `result.allclose(expected)` would let an object say
# for itself that it is right.
_OF_DATA = frozenset(
    name
    for kind in (torch.Tensor, np.ndarray, str, bytes, list, tuple, dict, int, float)
    for name in dir(kind)
) - {"name", "names"}


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
        if name in _OF_DATA:
            raise AttributeError(
                f"the student's code gave an object where a value is expected: no '{name}' to ask"
            )
        return self._ask({"do": "attribute", "target": target, "name": name})

    def copy(self, target: int) -> Any:
        return self._ask({"do": "copy", "target": target})

    def call(
        self, target: int, args: tuple[Any, ...], kwargs: dict[str, Any], *, after: bool = False
    ) -> Any:
        """Call an object there; with `after`, also returns the arguments as they are then."""
        self._push_parameters()
        encoder = Arguments(self)
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
        answer, decoder = self._exchange({"do": "parameters", "target": target}, Arguments(self))
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
        encoder = Arguments(self)
        self._ask({"do": "set", "target": target, "values": encoder.encode(values)}, encoder)

    def state(self, target: int) -> Any:
        return self._ask({"do": "state", "target": target})

    def load_state(self, target: int, state: Mapping[str, Any]) -> None:
        encoder = Arguments(self)
        self._ask({"do": "load", "target": target, "state": encoder.encode(dict(state))}, encoder)

    def set_mode(self, target: int, *, train: bool) -> None:
        self._ask({"do": "mode", "target": target, "train": train})

    def layers(self, target: int) -> Any:
        return self._ask({"do": "layers", "target": target})

    def gradients(
        self, call: int, gradients: list[torch.Tensor | None], shapes: list[torch.Size]
    ) -> list[torch.Tensor | None]:
        """Gradients with respect to a call's inputs, given those of its outputs."""
        encoder = Arguments(self)
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
        encoder: "Arguments | None" = None,
        inputs: list[torch.Tensor] | None = None,
    ) -> Any:
        number = next(self._calls)
        answer, decoder = self._exchange(request | {"call": number}, encoder or Arguments(self))
        self._refresh(answer.get("stale"))
        decoder.link = Link(self, number, inputs or [])
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

    def _exchange(self, request: Message, encoder: "Arguments") -> tuple[Message, "Answers"]:
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
                decoder = Answers(blobs, self)
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
        self, message: Message, decoder: "Answers", failures: list[BaseException]
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
        encoder = Arguments(self)
        try:
            answer: Message = {"value": encoder.encode(function(*args, **kwargs))}
        except StudentEndedError:
            raise
        except StopIteration:
            answer = {"end": True}
        except BaseException as error:
            if isinstance(error, AssertionError):
                failures.append(error)
            encoder = Arguments(self)
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
