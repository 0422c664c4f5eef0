"""Messages between the two kernels: data, and nothing that could be code.

A message is a JSON object, followed by the raw bytes of its tensors, arrays and byte strings:

    4 bytes length of the JSON, 8 bytes length of what follows it, JSON, raw bytes

In the JSON, None, bool, int, float and str stand for themselves; everything else is a list that
begins with its kind: `["tuple", 1, 2]`, `["dict", "a", 1]`, `["tensor", "float32", [2, 3], false]`.
What a stranger sent is read by `Decoder`, which knows these kinds and no others, builds objects of
exactly these types, and refuses the rest with one error.
"""

import json
import math
import socket
import struct
import time
from typing import Any

import numpy as np
import torch

from autograder.student_side.limits import Limits

_HEAD = struct.Struct(">IQ")
_MAX_JSON_BYTES = 8_000_000
_MAX_INT_BITS = 1024
_MAX_DIMENSIONS = 32
_CHUNK = 1 << 20

# The item type of what crosses. NumPy has no bfloat16.
DTYPES = {
    "bool": 1, "uint8": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8,
    "uint16": 2, "uint32": 4, "uint64": 8,
    "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8,
}  # fmt: skip

Message = dict[str, Any]


class ProtocolError(Exception):
    """The other side sent what is no message, or one that breaks a limit."""


class TooLargeError(ValueError):
    """A value that is larger than what may cross; said before it is sent."""


def send(connection: socket.socket, message: Message, blobs: list[bytes]) -> None:
    """Write one message.

    Raises:
        TooLargeError: what would have to be read at once is too long.
        OSError: nobody is left to read it.
    """
    text = json.dumps(message).encode()
    if len(text) > _MAX_JSON_BYTES:
        raise TooLargeError("the value has too many items")
    size = sum(len(blob) for blob in blobs)
    connection.sendall(_HEAD.pack(len(text), size) + text)
    for blob in blobs:
        connection.sendall(blob)


def receive(
    connection: socket.socket, limits: Limits, deadline: float = math.inf
) -> tuple[Message, memoryview]:
    """Read one message: the JSON object and the raw bytes that follow it.

    Args:
        deadline: of `time.monotonic()`.

    Raises:
        TimeoutError: the message is not there in whole at the deadline.
        EOFError: nobody is left to write it.
        ProtocolError: it is none, or larger than the limits allow.
    """
    text_length, size = _HEAD.unpack(_exactly(connection, _HEAD.size, deadline))
    if text_length > _MAX_JSON_BYTES:
        raise ProtocolError(f"a message of {text_length} characters")
    if size > limits.value_bytes:
        raise ProtocolError(f"a message of {size} bytes; at most {limits.value_bytes} are read")
    text = _exactly(connection, text_length, deadline)
    return parse(text), _exactly(connection, size, deadline)


def parse(text: bytes | memoryview) -> Message:
    """The JSON object of a message.

    Raises:
        ProtocolError: it is none.
    """
    try:
        message = json.loads(str(text, "utf-8"))
    except (ValueError, RecursionError) as error:
        raise ProtocolError("not JSON") from error
    if type(message) is not dict:
        raise ProtocolError("not a JSON object")
    return message


def _exactly(connection: socket.socket, count: int, deadline: float) -> memoryview:
    # Grows with what arrives, not with what was announced.
    received = bytearray()
    while len(received) < count:
        if deadline < math.inf:
            connection.settimeout(max(1e-3, deadline - time.monotonic()))
        try:
            chunk = connection.recv(min(count - len(received), _CHUNK))
        except TimeoutError:
            if time.monotonic() < deadline:
                continue
            raise
        except ConnectionError as error:
            raise EOFError from error
        if not chunk:
            raise EOFError
        received += chunk
    return memoryview(received)


class Encoder:
    """Turns one value into JSON and raw bytes (in `blobs`).

    Each side makes its own kind of this, which says what becomes of what is no data.

    Args:
        limits: what the other side would refuse is refused here.
    """

    def __init__(self, limits: Limits) -> None:
        self.blobs: list[bytes] = []
        self.tensors: list[torch.Tensor] = []
        self._limits = limits
        self._items = 0
        self._bytes = 0

    def encode(self, value: Any, depth: int = 0) -> Any:
        """The JSON of a value.

        Raises:
            TooLargeError: it breaks a limit; the text says which.
        """
        self._count(depth)
        kind = type(value)
        if value is None or kind is bool or kind is float:
            return value
        if kind is int and value.bit_length() <= _MAX_INT_BITS:
            return value
        if kind is str and self._is_short_text(value):
            return value
        if kind is list or kind is tuple:
            return [kind.__name__, *(self.encode(item, depth + 1) for item in value)]
        if kind is dict and all(type(key) in (str, int) for key in value):
            parts = (part for pair in value.items() for part in pair)
            return ["dict", *(self.encode(part, depth + 1) for part in parts)]
        if kind is bytes:
            return ["bytes", self.add(value)]
        if kind is np.ndarray and value.dtype.name in DTYPES:
            plain = np.ascontiguousarray(value, value.dtype.newbyteorder("="))
            self.add(plain.tobytes())
            return ["array", value.dtype.name, list(value.shape)]
        if kind is torch.Tensor and is_plain(value):
            return self.tensor(value)
        return self.other(value, depth)

    def tensor(self, value: torch.Tensor) -> list[Any]:
        """The JSON of a tensor for which `is_plain` holds."""
        self.add(_bytes_of(value))
        self.tensors.append(value)
        return ["tensor", name_of(value.dtype), list(value.shape), value.requires_grad]

    def other(self, value: Any, depth: int) -> Any:  # noqa: ARG002
        """The JSON of what is no data, for the sides to say.

        Raises:
            TypeError: there is none.
        """
        raise TypeError(f"a {type(value).__name__} does not cross")

    def add(self, blob: bytes) -> int:
        """Append raw bytes; returns how many."""
        self._bytes += len(blob)
        if self._bytes > self._limits.value_bytes:
            raise TooLargeError(f"the value has more than {self._limits.value_bytes} bytes")
        self.blobs.append(blob)
        return len(blob)

    def _count(self, depth: int) -> None:
        self._items += 1
        if self._items > self._limits.value_items:
            raise TooLargeError(f"the value has more than {self._limits.value_items} items")
        if depth > self._limits.value_depth:
            raise TooLargeError(f"the value is nested deeper than {self._limits.value_depth}")

    def _is_short_text(self, text: str) -> bool:
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            raise TooLargeError("the text has halves of characters, which UTF-8 cannot") from error
        if size > self._limits.text_bytes:
            raise TooLargeError(f"the text has more than {self._limits.text_bytes} bytes")
        return True


def is_plain(tensor: torch.Tensor) -> bool:
    """Whether a tensor is dense, on the CPU, and of an item type that crosses."""
    return (
        tensor.layout is torch.strided
        and tensor.device.type == "cpu"
        and not tensor.is_quantized
        and name_of(tensor.dtype) in DTYPES
    )


def name_of(dtype: torch.dtype) -> str:
    """
    >>> name_of(torch.float32)
    'float32'
    """
    return str(dtype).removeprefix("torch.")


def _bytes_of(tensor: torch.Tensor) -> bytes:
    compact = tensor.detach().resolve_neg().contiguous()
    if compact.dtype is torch.bfloat16:
        compact = compact.view(torch.int16)
    return compact.numpy().tobytes()


class Decoder:
    """Builds values out of one message's JSON and raw bytes.

    Each side makes its own kind of this, which says what further kinds of values there are.

    Args:
        blobs: the raw bytes, which the values use in order.
        limits: on items and depth of the message's values, together, and on the length of texts.
    """

    def __init__(self, blobs: memoryview, limits: Limits) -> None:
        self._blobs = blobs
        self._used = 0
        self._items = 0
        self._limits = limits
        # Tensors of the values that said that a gradient can be had, in order.
        self.with_gradient: list[torch.Tensor] = []

    def finish(self) -> None:
        """Say that all values have been read.

        Raises:
            ProtocolError: raw bytes are left over.
        """
        if self._used != len(self._blobs):
            raise ProtocolError(f"{len(self._blobs) - self._used} bytes belong to nothing")

    def decode(self, node: Any, depth: int = 0) -> Any:
        """The value of a JSON node.

        Raises:
            ProtocolError: it is of no known kind, or breaks a limit.
        """
        self._items += 1
        if self._items > self._limits.value_items or depth > self._limits.value_depth:
            raise ProtocolError("a value with too many items, or nested too deep")
        kind = type(node)
        if node is None or kind is bool or kind is float:
            return node
        if kind is int:
            if node.bit_length() <= _MAX_INT_BITS:
                return node
            raise ProtocolError("an int that is too large")
        if kind is str:
            return self._text(node)
        if kind is list and node and type(node[0]) is str:
            return self._tagged(node[0], node[1:], depth)
        raise ProtocolError(f"no value: {kind.__name__}")

    def _text(self, text: str) -> str:
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            raise ProtocolError("a text with halves of characters") from error
        if size > self._limits.text_bytes:
            raise ProtocolError(f"a text of {size} bytes")
        return text

    def _tagged(self, tag: str, rest: list[Any], depth: int) -> Any:
        if tag == "list":
            return [self.decode(item, depth + 1) for item in rest]
        if tag == "tuple":
            return tuple([self.decode(item, depth + 1) for item in rest])
        if tag == "dict":
            return self._dict(rest, depth)
        try:
            if tag == "bytes":
                (count,) = rest
                return bytes(self.take(_size(count)))
            if tag == "array":
                dtype, shape = rest
                return self._array(dtype, shape)
            if tag == "tensor":
                dtype, shape, gradient = rest
                return self._tensor(dtype, shape, gradient)
            return self.other(tag, rest, depth)
        except (TypeError, ValueError, OverflowError, RuntimeError) as error:
            raise ProtocolError(f"a {tag[:20]} that is none") from error

    def other(self, tag: str, rest: list[Any], depth: int) -> Any:  # noqa: ARG002
        """A value of a further kind, for the sides to say."""
        raise ProtocolError(f"no kind of value: {tag[:20]!r}")

    def _dict(self, rest: list[Any], depth: int) -> dict[Any, Any]:
        if len(rest) % 2:
            raise ProtocolError("a dict with a key too many")
        found = {}
        for key, value in zip(rest[::2], rest[1::2], strict=True):
            if type(key) not in (str, int):
                raise ProtocolError(f"a dict with a key that is a {type(key).__name__}")
            found[self.decode(key, depth + 1)] = self.decode(value, depth + 1)
        return found

    def take(self, count: int) -> memoryview:
        """The next raw bytes."""
        part = self._blobs[self._used : self._used + count]
        if len(part) != count:
            raise ProtocolError("a value with fewer bytes than it says")
        self._used += count
        return part

    def _raw(self, dtype: Any, shape: Any) -> tuple[memoryview, list[int]]:
        if type(dtype) is not str or dtype not in DTYPES:
            raise ProtocolError("an item type that does not cross")
        if type(shape) is not list or len(shape) > _MAX_DIMENSIONS:
            raise ProtocolError("a shape that is none")
        sizes = [_size(side) for side in shape]
        return self.take(math.prod(sizes) * DTYPES[dtype]), sizes

    def _array(self, dtype: Any, shape: Any) -> np.ndarray:
        raw, sizes = self._raw(dtype, shape)
        if dtype == "bfloat16":
            raise ProtocolError("NumPy has no bfloat16")
        if dtype == "bool":  # a byte that is neither 0 nor 1 is no bool
            return (np.frombuffer(raw, np.uint8) != 0).reshape(sizes)
        return np.frombuffer(raw, dtype).reshape(sizes).copy()

    def _tensor(self, dtype: Any, shape: Any, gradient: Any) -> torch.Tensor:
        raw, sizes = self._raw(dtype, shape)
        if type(gradient) is not bool:
            raise ProtocolError("a tensor that does not say whether it has a gradient")
        kind = torch.uint8 if dtype == "bool" else getattr(torch, dtype)
        if len(raw):
            tensor = torch.frombuffer(bytearray(raw), dtype=kind).reshape(sizes)
        else:
            tensor = torch.empty(sizes, dtype=kind)
        if dtype == "bool":
            tensor = tensor != 0
        if gradient and tensor.is_floating_point():
            self.with_gradient.append(tensor)
        return tensor


def _size(given: Any) -> int:
    if type(given) is not int or not 0 <= given < 2**40:
        raise ProtocolError("a size that is none")
    return given
