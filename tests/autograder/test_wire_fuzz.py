"""A hundred thousand broken messages: each is refused with one error, or is plain data.

What a student's kernel sends is read by the process that forms the verdict, so nothing that it can
write may run code there, take memory without bound, or come out as anything but data.
"""

import builtins
import codecs
import contextlib
import copy
import json
import pickle
import random
import resource
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from autograder.crossing import Answers
from autograder.remote import Student
from autograder.student_side import wire
from autograder.student_side.limits import Limits
from autograder.student_side.wire import DTYPES, Decoder, Encoder, ProtocolError

LIMITS = Limits(value_bytes=100_000, value_items=1000, value_depth=10, text_bytes=1000)

_TYPES = (type(None), bool, int, float, str, bytes)
_ARRAY_DTYPES = {np.dtype(name) for name in DTYPES if name != "bfloat16"}
_INTERESTING = [
    None, True, False, 0, 1, -1, 2, 255, 2**31, 2**40, 2**63, 2**64, 2**1024, 10**400, 0.0, -1.5,
    float("nan"), float("inf"), "", "list", "tuple", "dict", "bytes", "array", "tensor", "handle",
    "module", "pickle", "callback", "iterator", "strided", "float32", "bool", "object", "O", "V",
    "float64", "bfloat16", "complex64", "qint8", "load", "__class__", "os.system", "\ud800",
    "x" * 1001, [], {}, [[]], ["list"], ["dict"], ["handle", 1, "module"], ["bytes", 3],
    ["pickle", 10], ["tensor", "float32", [1], True], ["array", "uint8", [2, 2]], [0, 2**39],
]  # fmt: skip


def _valid_messages() -> list[tuple[dict, bytes]]:
    values = [
        None, 1.5, "text", [1, [2, (3, "x")]], {"a": 1, 2: {"b": b"bytes"}}, [torch.zeros(2, 3)],
        (torch.arange(5), np.zeros((2, 2))), {"boxes": torch.rand(3, 4), "labels": [1, 2]},
        [torch.zeros(2, requires_grad=True), np.array(True), torch.zeros(0, 4)],
        [torch.zeros(2, dtype=torch.bfloat16), b"", np.zeros((0, 3), "i2"), True, 2**100],
    ]  # fmt: skip
    messages = []
    for value in values:
        encoder = Encoder(LIMITS)
        node = ["list", encoder.encode(value), ["handle", 3, "module"], ["handle", 4, "object"]]
        messages.append(({"value": node, "stale": [1, 2]}, b"".join(encoder.blobs)))
        messages.append(({"value": node[1], "stale": []}, b"".join(encoder.blobs)))
    return messages


def _places(node: object) -> list[tuple[list | dict, int | str]]:
    """Every place of a JSON value where another can be put."""
    found: list = []
    inside = [node]
    while inside:
        one = inside.pop()
        keys = range(len(one)) if isinstance(one, list) else list(one)
        found += [(one, key) for key in keys]
        inside += [one[key] for key in keys if isinstance(one[key], list | dict)]
    return found


def _with_other_structure(message: dict, chance: random.Random) -> bytes:
    """The message with some of its values replaced, removed, repeated or nested."""
    message = copy.deepcopy(message)
    for _ in range(chance.randint(1, 4)):
        place, key = chance.choice(_places(message) or [(message, "value")])
        change = chance.randrange(5)
        if change == 0 and isinstance(place, list):
            del place[key]
        elif change == 1 and isinstance(place, list):
            place[key:key] = [copy.deepcopy(place[key])] * chance.choice([1, 2, 50])
        elif change == 2:
            place[key] = [chance.choice(["list", "tuple", "dict", "handle", "tensor"]), place[key]]
        else:
            place[key] = copy.deepcopy(chance.choice(_INTERESTING))
    return json.dumps(message).encode()


def _with_other_bytes(text: bytes, chance: random.Random) -> bytes:
    """The message with some of its bytes changed, dropped or added."""
    changed = bytearray(text)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(changed) + 1)
        end = at + chance.choice([0, 1, 1, 1, 2, 10])
        changed[at:end] = chance.choice(
            [b"", chance.randbytes(1), b"[", b"]", b'"', b"9" * 30, b"\\ud800", b"-", b"e99", b"{"]
        )
    return bytes(changed)


def _malformed(count: int, seed: int):
    """Broken messages, each a JSON text and raw bytes; some happen to be whole."""
    chance = random.Random(seed)
    valid = _valid_messages()
    for number in range(count):
        message, blobs = chance.choice(valid)
        kind = number % 4
        if kind == 0:
            text = _with_other_bytes(json.dumps(message).encode(), chance)
        elif kind == 3 and number % 20 == 3:
            text = chance.randbytes(chance.randrange(200))
        else:
            text = _with_other_structure(message, chance)
        if chance.random() < 0.3:
            kept = chance.randrange(len(blobs) + 1)
            blobs = blobs[:kept] + chance.randbytes(chance.randrange(9))
        yield text, blobs


def _is_data(value: object, handles: type) -> bool:
    """Whether a value and all in it is of exactly the types that may cross."""
    kind = type(value)
    if kind in (list, tuple):
        return all(_is_data(item, handles) for item in value)
    if kind is dict:
        return all(type(k) in (str, int) and _is_data(v, handles) for k, v in value.items())
    if kind is np.ndarray:
        return value.dtype in _ARRAY_DTYPES and value.flags.writeable
    if kind is torch.Tensor:
        return wire.name_of(value.dtype) in DTYPES and value.layout is torch.strided
    return kind in _TYPES or kind is handles


class _Handle:
    """Stands for a proxy; it has nothing that decoding could call."""


class _Nobody(Student):
    """A student who is not there: counts the proxies that are asked for."""

    def __init__(self) -> None:
        self.limits = LIMITS
        self.asked = 0

    def proxy(self, number: int, kind: str) -> _Handle:
        assert type(number) is int
        assert kind in ("module", "object")
        self.asked += 1
        return _Handle()


@contextlib.contextmanager
def _code_runs_noted() -> Iterator[list[str]]:
    """The names of whatever could run code and was called meanwhile."""
    called: list[str] = []
    # Imported when first used, by `json` for texts that look like UTF-16.
    for codec in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"):
        codecs.lookup(codec)

    def noted(real: Callable, name: str) -> Callable:
        def note(*args, **kwargs):
            if args[0] != "numpy._core._dtype":  # NumPy's own, for the words of an error
                called.append(f"{name} {args[:1]}")
            return real(*args, **kwargs)

        return note

    with pytest.MonkeyPatch.context() as patch:
        for where, name in [
            (builtins, "eval"), (builtins, "exec"), (builtins, "compile"), (pickle, "loads"),
            (pickle, "load"), (pickle, "Unpickler"), (torch, "load"), (np, "load"),
            (builtins, "__import__"),
        ]:  # fmt: skip
            patch.setattr(where, name, noted(getattr(where, name), name))
        yield called


def _read(count: int, seed: int, decoder_of) -> Counter:
    """Read many broken messages; how many were refused, and how many were data."""
    seen: Counter = Counter()
    with _code_runs_noted() as called:
        for text, blobs in _malformed(count, seed):
            try:
                decoder = decoder_of(memoryview(blobs))
                value = decoder.decode(wire.parse(text).get("value"))
                decoder.finish()
            except ProtocolError:
                seen["refused"] += 1
                continue
            assert _is_data(value, _Handle), (text, value)
            seen["data"] += 1
    assert called == []
    return seen


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def test_broken_messages_are_refused_or_plain_data():
    before = _peak_megabytes()
    seen = _read(100_000, 1, lambda blobs: Decoder(blobs, LIMITS))
    assert seen.total() == 100_000
    assert min(seen["refused"], seen["data"]) > 1000, seen
    assert _peak_megabytes() - before < 100


def test_broken_answers_are_refused_or_data_and_proxies():
    before = _peak_megabytes()
    nobody = _Nobody()
    seen = _read(50_000, 2, lambda blobs: Answers(blobs, nobody))
    assert seen.total() == 50_000
    assert min(seen["refused"], seen["data"], nobody.asked) > 1000, (seen, nobody.asked)
    assert _peak_megabytes() - before < 100


_LARGEST = {
    "lists": b'{"value": ["list"' + b",[]" * 2_600_000 + b"]}",
    "objects": b'{"value": [' + b'{"":0},' * 1_100_000 + b"0]}",
    "numbers": b'{"value": ["list"' + b",1.1" * 1_900_000 + b"]}",
    "sizes": b'{"value": ["tensor", "int8", [' + b"1," * 3_900_000 + b"1], false]}",
    "announced bytes": b'{"value": ["list"' + b',["bytes",99999999]' * 400_000 + b"]}",
    "tensors of nothing": b'{"value": ["list"' + b',["tensor","int8",[0],false]' * 250_000 + b"]}",
}  # fmt: skip


@pytest.mark.parametrize("text", _LARGEST.values(), ids=_LARGEST)
def test_the_largest_messages_take_no_more_than_the_json_itself(text):
    assert len(text) <= 8_000_000
    before = _peak_megabytes()
    with pytest.raises(ProtocolError):
        Decoder(memoryview(b""), LIMITS).decode(wire.parse(text)["value"])
    # Python's objects for eight million characters of JSON.
    assert _peak_megabytes() - before < 600
