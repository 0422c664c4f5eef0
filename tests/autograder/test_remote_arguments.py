"""What a test passes to the student's code, and iterates over: copies, callbacks, generators."""

import numpy as np
import pytest
import torch
from kernel_pair import student

from autograder.student_side import wire
from detseg.exam import after

# Generators and iterators.


def test_a_generator_is_read_item_by_item():
    source = (
        "seen = []\ndef count(n):\n    for i in range(n):\n        seen.append(i)\n        yield i"
    )
    with student(source) as s:
        assert list(s.get("count")(4)) == [0, 1, 2, 3]
        endless = s.get("count")(10**9)
        assert [next(endless), next(endless)] == [0, 1]
        assert s.get("seen")[4:] == [0, 1]


def test_the_end_of_a_generator_is_a_stop():
    with student("def none():\n    return\n    yield") as s:
        assert next(s.get("none")(), "end") == "end"
        assert list(s.get("none")()) == []


def test_an_endless_generator_is_bounded():
    limits = wire.Limits(value_items=50)
    with (
        student("import itertools\nnumbers = itertools.count()", limits) as s,
        pytest.raises(OverflowError),
    ):
        list(s.get("numbers"))


_LOADER = """
class Loader:
    name = "loader"
    def __iter__(self):
        yield from [1, 2]
loader = Loader()
"""


def test_what_can_be_iterated_over_twice_is_the_same_twice():
    with student(_LOADER) as s:
        assert list(s.get("loader")) == [1, 2]
        assert list(s.get("loader")) == [1, 2]


def test_what_was_iterated_over_keeps_its_attributes():
    with student(_LOADER) as s:
        loader = s.get("loader")
        list(loader)
        assert loader.name == "loader"


def test_generators_of_the_tests_are_read_by_the_students_code():
    pulled = []

    def numbers():
        for i in range(10):
            pulled.append(i)
            yield torch.tensor([i])

    source = """
    def first(items, n): return [next(items) for _ in range(n)]
    def rest(items): return list(items)
    """
    with student(source) as s:
        given = numbers()
        assert [t.item() for t in s.get("first")(given, 3)] == [0, 1, 2]
        assert pulled == [0, 1, 2]
        assert len(s.get("rest")(given)) == 7


# A student's iteration must not end the loops of a test.


def test_a_stop_raised_by_a_function_does_not_end_a_loop_of_the_tests():
    with student("def f(x): raise StopIteration") as s:
        function = s.get("f")
        with pytest.raises(RuntimeError):
            list(map(function, [1, 2]))


# Functions of the tests as arguments.


def test_a_function_of_the_tests_is_called_back():
    with student("def apply(f, xs): return [f(x, scale=2) for x in xs]") as s:
        assert s.get("apply")(lambda x, scale: x * scale, [1, 2.5, "a"]) == [2, 5.0, "aa"]


def test_callbacks_may_call_the_students_code_in_their_turn():
    source = """
    def outer(f, n): return f(n) + 1
    def inner(n): return n * 10
    """
    with student(source) as s:
        outer, inner = s.get("outer"), s.get("inner")
        assert outer(lambda n: inner(n) + 1, 2) == 22
        assert outer(lambda n: outer(lambda m: inner(m), n), 2) == 22


def test_what_a_callback_returns_may_be_a_function():
    with student("def f(make): return make(3)(4)") as s:
        assert s.get("f")(lambda a: lambda b: a + b) == 7


def test_an_objects_methods_are_called_back():
    calls = []
    with student("def f(append): append(1); append(2)") as s:
        assert s.get("f")(calls.append) is None
    assert calls == [1, 2]


def test_an_assertion_in_a_callback_counts_though_the_student_swallows_it():
    source = """
    def f(check):
        try:
            check([1])
        except BaseException:
            pass
        return "all is well"
    """

    def check(value):
        assert value == [2], "called with something else"

    with student(source) as s:
        with pytest.raises(AssertionError, match="called with something else"):
            s.get("f")(check)
        assert s.get("f")(lambda _: None) == "all is well"


def test_other_exceptions_of_a_callback_reach_the_students_code_by_name():
    source = """
    def f(g):
        try:
            g()
        except KeyError as error:
            return ["KeyError", str(error)]
    """

    class OwnError(KeyError):
        pass

    def refuse():
        raise OwnError("a secret of the tests")

    with student(source) as s:
        assert s.get("f")(refuse) == ["KeyError", ""]


def test_calls_nested_without_end_are_stopped():
    with student("def f(g): return g(g)") as s:
        function = s.get("f")

        def again(_):
            return function(again)

        with pytest.raises(RecursionError):
            function(again)
        assert function(lambda _: 1) == 1


# What is sent.


def _blobs_of(monkeypatch, function, *args) -> list[int]:
    sizes = []
    real = wire.send

    def send(connection, message, blobs):
        if message.get("do") == "call":
            sizes.extend(len(blob) for blob in blobs)
        real(connection, message, blobs)

    monkeypatch.setattr(wire, "send", send)
    function(*args)
    return sizes


def test_a_view_does_not_carry_its_storage(monkeypatch):
    storage = torch.arange(10_000.0)
    views = [storage[:3], storage[5], storage[:100].reshape(10, 10)[:, ::5],
             storage[0].expand(4, 5), np.arange(1000)[::100]]  # fmt: skip
    with student("def f(values): return [v.tolist() for v in values]") as s:
        assert _blobs_of(monkeypatch, s.get("f"), views) == [12, 4, 80, 80, 80]
        assert s.get("f")(views) == [view.tolist() for view in views]


def test_a_view_inside_what_is_copied_whole_does_not_carry_its_storage(monkeypatch):
    storage = torch.arange(100_000.0)
    module = torch.nn.Linear(2, 2)
    module.register_buffer("part", storage[:2])
    module.weight = torch.nn.Parameter(storage[:4].reshape(2, 2))
    with student("def f(module, d): return [module.part.tolist(), d[(1, 2)].tolist()]") as s:
        (first, second) = _blobs_of(monkeypatch, s.get("f"), module, {(1, 2): storage[7:8]})
        assert first < 10_000
        assert second < 10_000
        assert s.get("f")(module, {(1, 2): storage[7:8]}) == [[0, 1], [7]]


def test_the_layout_of_a_tensor_is_kept():
    given = torch.zeros(2, 3, 4).permute(2, 0, 1)
    with student("def f(x): return [list(x.stride()), list(x.shape), x.is_contiguous()]") as s:
        assert s.get("f")(given) == [list(given.stride()), [4, 2, 3], False]
        assert s.get("f")(given.contiguous())[2] is True


def test_what_the_libraries_define_is_sent_as_a_copy():
    source = """
    import torch
    def kind(x): return type(x).__name__
    def run(module, x): return module(x)
    def spoil(module):
        torch.nn.init.zeros_(module[0].weight)
    """
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    with student(source) as s:
        names = [s.get("kind")(x) for x in (module, torch.float32, {1}, range(3), torch.Size([1]))]
        assert names == ["Sequential", "dtype", "set", "range", "Size"]
        x = torch.rand(5, 2)
        torch.testing.assert_close(s.get("run")(module, x), module(x))
        before = module[0].weight.detach().clone()
        s.get("spoil")(module)
        assert torch.equal(module[0].weight, before)


def test_a_librarys_function_arrives_as_itself():
    source = """
    import torch
    def f(loss):
        x = torch.ones(2, requires_grad=True)
        loss(x, torch.zeros(2)).backward()
        return x.grad
    """
    with student(source) as s:
        assert s.get("f")(torch.nn.functional.mse_loss).tolist() == [1, 1]


def test_the_tests_own_arguments_are_never_changed():
    tensor, numbers, array = torch.zeros(2), [1, [2]], np.zeros(2)
    with student("def f(t, n, a):\n    t += 1; n[1].append(3); a += 1\n    return t") as s:
        assert s.get("f")(tensor, numbers, array).tolist() == [1, 1]
        result, (t, n, a) = after(s.get("f"), tensor, numbers, array)
    assert (tensor.tolist(), numbers, array.tolist()) == ([0, 0], [1, [2]], [0, 0])
    assert (result.tolist(), t.tolist(), n, a.tolist()) == ([1, 1], [1, 1], [1, [2, 3]], [1, 1])
