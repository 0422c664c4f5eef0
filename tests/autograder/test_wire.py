"""Messages between the kernels: what crosses comes out as it went in; the rest is refused."""

import json
import math
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from autograder.student_side import wire
from autograder.student_side.limits import Limits
from autograder.student_side.wire import Decoder, Encoder, ProtocolError, TooLargeError

LIMITS = Limits(value_bytes=1000, value_items=20, value_depth=4, text_bytes=10)


def there_and_back(value, limits=Limits()):  # noqa: B008
    """A value, encoded, written as JSON, read and decoded."""
    encoder = Encoder(limits)
    text = json.dumps({"value": encoder.encode(value)}).encode()
    decoder = Decoder(memoryview(b"".join(encoder.blobs)), limits)
    found = decoder.decode(wire.parse(text)["value"])
    decoder.finish()
    return found


def decoded(node, blobs=b"", limits=LIMITS):
    decoder = Decoder(memoryview(blobs), limits)
    value = decoder.decode(node)
    decoder.finish()
    return value


def assert_same(found, given):
    """Equal, and of the same types all the way down; not-a-number equals itself."""
    assert type(found) is type(given)
    if isinstance(given, torch.Tensor | np.ndarray):
        assert found.dtype == given.dtype
        assert found.shape == given.shape
        same = torch.equal if isinstance(given, torch.Tensor) else np.array_equal
        not_numbers = given != given
        assert same(found != found, not_numbers)
        assert same(found[~not_numbers], given[~not_numbers])
    elif isinstance(given, list | tuple):
        assert len(found) == len(given)
        for one, other in zip(found, given, strict=True):
            assert_same(one, other)
    elif isinstance(given, dict):
        assert_same(list(found), list(given))
        assert_same(list(found.values()), list(given.values()))
    elif isinstance(given, float):
        assert struct.pack("d", found) == struct.pack("d", given)
    else:
        assert found == given


# Every kind of value.


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -1, 2**1024 - 1, -(2**1024) + 1, 0.5, -0.0, math.inf, -math.inf,
        math.nan, 5e-324, "", "ä\x00\n€𝄞", "list", b"", b"\x00\xff", [], [[]], (), ((),), [1, (2,)],
        ["tensor", "float32", [2], False], {}, {"a": 1, 2: "b"}, {2**1000: {}}, {"": [b"x", b"y"]},
    ],
)  # fmt: skip
def test_plain_values_cross(value):
    assert_same(there_and_back(value), value)


@pytest.mark.parametrize("shape", [(), (0,), (3,), (17, 11), (2, 0, 3), (1,) * 12])
@pytest.mark.parametrize("name", list(wire.DTYPES))
def test_tensors_cross_with_their_item_type_and_shape(name, shape):
    values = torch.arange(math.prod(shape)).reshape(shape) % 3
    assert_same(there_and_back(values.to(getattr(torch, name))), values.to(getattr(torch, name)))


@pytest.mark.parametrize("shape", [(), (0,), (3,), (17, 11), (2, 0, 3)])
@pytest.mark.parametrize("name", [name for name in wire.DTYPES if name != "bfloat16"])
def test_arrays_cross_with_their_item_type_and_shape(name, shape):
    value = np.array(np.arange(math.prod(shape)).reshape(shape) % 3, name)
    assert_same(there_and_back(value), value)


def test_an_array_of_the_other_byte_order_arrives_in_this_machines():
    value = np.array([1, 256, -2], ">i4")
    found = there_and_back(value)
    assert found.dtype == np.dtype("i4")
    assert found.dtype.isnative
    assert found.tolist() == [1, 256, -2]


def test_views_arrive_with_what_they_show():
    tensor = torch.arange(12.0).reshape(3, 4)
    array = np.arange(12).reshape(3, 4)
    for view in (tensor.T, tensor[:, ::2], tensor[1].expand(5, 4), tensor[:0], tensor.flip(0)):
        assert_same(there_and_back(view), view.contiguous())
    for part in (array.T, array[:, ::2], array[::-1], np.asfortranarray(array)):
        assert_same(there_and_back(part), np.ascontiguousarray(part))


def test_only_what_a_view_shows_is_sent():
    encoder = Encoder(Limits())
    encoder.encode([torch.zeros(1000)[3], torch.zeros(1000)[5:7], np.zeros(1000)[1:2]])
    assert [len(blob) for blob in encoder.blobs] == [4, 8, 8]


def test_what_arrives_can_be_written_to():
    found = there_and_back([torch.zeros(2), np.zeros(2), torch.zeros(2, dtype=torch.bool)])
    for item in found:
        item[0] = 1
        assert item.tolist() == [1, 0]


@pytest.mark.parametrize("node", [["tensor", "bool", [3], False], ["array", "bool", [3]]])
def test_a_byte_that_is_neither_0_nor_1_becomes_a_plain_true(node):
    value = decoded(node, b"\x00\x02\xff")
    raw = value.numpy() if isinstance(value, torch.Tensor) else value
    assert raw.tobytes() == b"\x00\x01\x01"


def test_a_tensor_says_whether_a_gradient_can_be_had():
    encoder = Encoder(Limits())
    node = encoder.encode([torch.zeros(1, requires_grad=True), torch.zeros(1), torch.arange(1)])
    decoder = Decoder(memoryview(b"".join(encoder.blobs)), Limits())
    found = decoder.decode(node)
    assert [item is found[0] for item in decoder.with_gradient] == [True]
    assert not any(item.requires_grad for item in found)


def test_integers_have_no_gradient_whatever_is_said():
    decoder = Decoder(memoryview(bytes(8)), LIMITS)
    decoder.decode(["tensor", "int64", [1], True])
    assert decoder.with_gradient == []


# Inverse law.

_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_ints = st.integers(-(2**1024) + 1, 2**1024 - 1)
_arrays = npst.arrays(
    st.sampled_from([np.dtype(name) for name in wire.DTYPES if name != "bfloat16"]),
    npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
_tensors = _arrays.map(lambda array: torch.from_numpy(np.array(array)))
_scalars = st.one_of(st.none(), st.booleans(), _ints, st.floats(), _texts, st.binary(max_size=20))
_values = st.recursive(
    st.one_of(_scalars, _arrays, _tensors),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.one_of(_texts, _ints), inner, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(_values)
def test_reading_undoes_writing(value):
    assert_same(there_and_back(value), value)


# Limits, which hold on both sides.

_TOO_MUCH = {
    "items": ([0] * 20, ["list", *[0] * 20], b""),
    "items, repeated": ([[1] * 6] * 3, ["list", *[["list", *[1] * 6]] * 3], b""),
    "items of dicts": (dict.fromkeys(range(10)), ["dict", *[0, None] * 10], b""),
    "depth": ([[[[[0]]]]], ["list", ["list", ["list", ["list", ["list", 0]]]]], b""),
    "depth of dicts": ({0: {0: {0: {0: {0: 0}}}}},
                       ["dict", 0, ["dict", 0, ["dict", 0, ["dict", 0, ["dict", 0, 0]]]]], b""),
    "text": ("ääääää", "ääääää", b""),
    "text of a key": ({"k" * 11: 0}, ["dict", "k" * 11, 0], b""),
    "int": (2**1024, 2**1024, b""),
    "negative int": (-(2**1024), -(2**1024), b""),
    "int of a key": ({2**1024: 0}, ["dict", 2**1024, 0], b""),
    "half a character": ("\ud800", "\ud800", b""),
    "half a character of a key": ({"\udfff": 0}, ["dict", "\udfff", 0], b""),
    "bool of a key": ({True: 0}, ["dict", True, 0], b""),
    "float of a key": ({0.5: 0}, ["dict", 0.5, 0], b""),
    "tuple of a key": ({(): 0}, ["dict", ["tuple"], 0], b""),
    "None of a key": ({None: 0}, ["dict", None, 0], b""),
}  # fmt: skip


@pytest.mark.parametrize(("value", "node", "blobs"), _TOO_MUCH.values(), ids=_TOO_MUCH)
def test_what_breaks_a_limit_is_neither_written_nor_read(value, node, blobs):
    with pytest.raises((TooLargeError, TypeError)):
        Encoder(LIMITS).encode(value)
    with pytest.raises(ProtocolError):
        decoded(node, blobs)


_JUST_RIGHT = [
    [0] * 19, [[1] * 5] * 3, dict.fromkeys(range(9)), [[[[[]]]]], {0: {0: {0: {0: {}}}}}, "äääää",
    {"k" * 10: 0}, 2**1024 - 1, "\ud7ff", bytes(1000), torch.zeros(250),
]  # fmt: skip


@pytest.mark.parametrize("value", _JUST_RIGHT, ids=lambda value: type(value).__name__)
def test_what_just_keeps_to_the_limits_crosses(value):
    assert_same(there_and_back(value, LIMITS), value)


@pytest.mark.parametrize("value", [bytes(1001), [bytes(500), bytes(501)], torch.zeros(251),
                                   np.zeros(126), [torch.zeros(126)] * 2])  # fmt: skip
def test_too_many_bytes_are_not_written(value):
    with pytest.raises(TooLargeError, match="1000 bytes"):
        Encoder(LIMITS).encode(value)


def test_a_list_that_holds_itself_is_not_written():
    endless: list = []
    endless.append(endless)
    with pytest.raises(TooLargeError, match="deeper than 4"):
        Encoder(LIMITS).encode(endless)


class _Int(int):
    pass


class _List(list):
    pass


_NO_DATA = [
    1j, {1}, range(3), object(), print, _Int(1), _List(), bytearray(b"x"), np.float32(1),
    torch.Size([1]), torch.float32, np.array(["x"]), np.array([None]), np.zeros(1, "c8"),
    np.zeros(1, "M8[s]"), np.zeros(1, [("a", "f4")]), torch.zeros(1, dtype=torch.complex64),
    torch.zeros(2).to_sparse(), torch.nn.Parameter(torch.zeros(1)), torch.zeros(1, device="meta"),
    np.ma.masked_array([1.0]),
]  # fmt: skip


@pytest.mark.parametrize("value", _NO_DATA, ids=lambda value: type(value).__name__)
def test_what_is_no_data_is_not_written(value):
    with pytest.raises(TypeError, match="does not cross"):
        Encoder(Limits()).encode(value)


_NO_NODES = {
    "no tag": [],
    "a number as tag": [1, 2],
    "an unknown tag": ["set", 1],
    "an object": {"a": 1},
    "a handle": ["handle", 1, "module"],
    "a pickle": ["pickle", 0],
    "a tag in another case": ["List"],
    "a key too many": ["dict", 1],
    "negative bytes": ["bytes", -1],
    "half a byte": ["bytes", 0.5],
    "bytes by a bool": ["bytes", True],
    "bytes by nobody": ["bytes"],
    "bytes twice": ["bytes", 0, 0],
    "an array without shape": ["array", "int8"],
    "an array of objects": ["array", "object", [0]],
    "an array of a NumPy code": ["array", "f4", [0]],
    "an array of bfloat16": ["array", "bfloat16", [0]],
    "an array of a list": ["array", ["f4"], [0]],
    "a shape that is a number": ["array", "int8", 0],
    "a negative side": ["array", "int8", [-1]],
    "two negative sides": ["array", "int8", [-1, -1]],
    "a side that is a float": ["array", "int8", [0.0]],
    "a side that is a bool": ["array", "int8", [True]],
    "a huge side": ["array", "int8", [2**40]],
    "a huge product": ["array", "int8", [2**39] * 32],
    "a huge product that is empty": ["tensor", "int8", [0, *[2**39] * 4], False],
    "too many axes": ["tensor", "int8", [1] * 33, False],
    "complex": ["tensor", "complex64", [0], False],
    "a tensor without gradient": ["tensor", "int8", [0]],
    "a gradient of 1": ["tensor", "int8", [0], 1],
    "a name in torch": ["tensor", "load", [0], False],
    "a quantised tensor": ["tensor", "qint8", [0], False],
    "an item type with a prefix": ["tensor", "torch.int8", [0], False],
    "None as item type": ["tensor", None, [0], False],
    "fewer bytes than said": ["bytes", 4],
}


@pytest.mark.parametrize("node", _NO_NODES.values(), ids=_NO_NODES)
def test_what_is_no_value_is_not_read(node):
    with pytest.raises(ProtocolError):
        Decoder(memoryview(b"123"), LIMITS).decode(node)


def test_bytes_that_belong_to_nothing_are_an_error():
    with pytest.raises(ProtocolError, match="2 bytes belong to nothing"):
        decoded(["bytes", 1], b"123")
