"""A student's values as plain data, where they honestly stand for some."""

import collections
import enum
import types
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from autograder.student_side.lowering import lower


class _Box(NamedTuple):
    x: int
    y: int


class _Number(float):
    pass


class _Whole(int):
    pass


class _Word(str):
    __slots__ = ()


class _Numbers(list):
    pass


class _Colour(enum.IntEnum):
    RED = 1


class _Name(str, enum.Enum):  # noqa: UP042
    RED = "red"


class _Shade(enum.StrEnum):
    RED = "red"


class _Kind(enum.Enum):
    RED = 1


_STANDS_FOR = [
    (np.float32(0.5), 0.5), (np.float64(0.1), 0.1), (np.int64(-3), -3), (np.uint8(255), 255),
    (np.bool_(True), True), (np.str_("a"), "a"), (np.bytes_(b"a"), b"a"), (_Number(0.5), 0.5),
    (_Whole(3), 3), (_Word("a"), "a"), (_Colour.RED, 1), (_Name.RED, "red"), (_Shade.RED, "red"),
    (_Box(1, 2), (1, 2)), (torch.Size([2, 3]), (2, 3)), (_Numbers([1]), [1]),
    (bytearray(b"ab"), b"ab"), (memoryview(b"ab"), b"ab"),
    (collections.OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
    (collections.defaultdict(int, {"a": 1}), {"a": 1}),
    (collections.Counter("aab"), {"a": 2, "b": 1}),
    (types.MappingProxyType({"a": 1}), {"a": 1}), ({True: 1}, {1: 1}), ({np.int64(3): 1}, {3: 1}),
    ({np.str_("a"): 1}, {"a": 1}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "plain"), _STANDS_FOR, ids=[type(value).__name__ for value, _ in _STANDS_FOR]
)
def test_an_honest_subclass_becomes_what_it_stands_for(value, plain):
    found = lower(value)
    assert type(found) is type(plain)
    assert found == plain
    if isinstance(plain, dict):
        assert [(type(key), key) for key in found] == [(type(key), key) for key in plain]


@pytest.mark.parametrize(
    "value", [None, object(), print, _Kind.RED, 1j, {1}, range(3), iter([]), np.datetime64(1, "s")],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_stands_for_nothing_plain_stays_itself(value):
    assert lower(value) is value


def _assert_plain(found, values):
    assert type(found) is torch.Tensor
    assert found.layout is torch.strided
    assert found.tolist() == values


@pytest.mark.filterwarnings("ignore:.*quantized tensor creation:UserWarning")
def test_tensors_of_other_kinds_become_dense_ones():
    dense = torch.tensor([[0.0, 2.0], [0.0, 0.0]])
    _assert_plain(lower(dense.to_sparse()), dense.tolist())
    _assert_plain(lower(torch.quantize_per_tensor(dense, 1.0, 0, torch.qint8)), dense.tolist())
    _assert_plain(
        lower(tv_tensors.BoundingBoxes([[1.0, 2, 3, 4]], format="XYXY", canvas_size=(5, 6))),
        [[1, 2, 3, 4]],
    )


def test_a_parameter_becomes_a_tensor_that_still_has_its_gradient():
    parameter = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    found = lower(parameter)
    _assert_plain(found, [1, 2])
    assert found.requires_grad
    (gradient,) = torch.autograd.grad(found.sum() * 2, parameter)
    assert gradient.tolist() == [2, 2]


def test_a_sparse_tensor_still_has_its_gradient():
    values = torch.tensor([1.0, 2.0], requires_grad=True)
    sparse = torch.sparse_coo_tensor([[0, 2]], values, (4,), check_invariants=True)
    found = lower(sparse)
    _assert_plain(found, [1, 0, 2, 0])
    (gradient,) = torch.autograd.grad((found * torch.arange(4.0)).sum(), values)
    assert gradient.tolist() == [0, 2]


@pytest.mark.parametrize("dtype", ["?", "i1", "u2", "f2", "f8", ">i4"])
def test_an_array_of_a_subclass_becomes_an_array(dtype):
    found = lower(np.ma.masked_array([1, 0], dtype=dtype))
    assert type(found) is np.ndarray
    assert found.dtype == np.dtype(dtype)
    assert found.tolist() == [1, 0]


def test_what_is_inside_a_container_is_left_to_its_turn():
    inside = np.float32(1)
    assert lower(_Numbers([inside]))[0] is inside
    assert lower(collections.OrderedDict(a=inside))["a"] is inside


class _Refuses(float):
    def __float__(self):
        raise ValueError("no number after all")


def test_what_a_values_own_methods_raise_is_raised():
    with pytest.raises(ValueError, match="no number after all"):
        lower(_Refuses(1))
