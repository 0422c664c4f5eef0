"""What an author may write in a test, with the student's objects in another kernel."""

import contextlib
import copy
import gc

import pytest
import torch
from kernel_pair import student

from autograder.proxies import RemoteObject
from autograder.remote import ShortcutUsedError, StudentEndedError
from detseg.exam import layer_types

# Functions, classes, other objects.


def test_a_function_takes_arguments_in_every_way():
    with student("def f(a, *more, key=1, **others): return [a, more, key, others]") as s:
        assert s.get("f")(1, 2, 3, key=4, x=5) == [1, (2, 3), 4, {"x": 5}]
        assert s.get("f")(None) == [None, (), 1, {}]


def test_data_is_fetched_as_it_is():
    with student("import torch\nTHRESHOLD = 0.5\nANCHORS = torch.ones(2, 3)") as s:
        assert s.get("THRESHOLD") == 0.5
        assert torch.equal(s.get("ANCHORS"), torch.ones(2, 3))


def test_a_name_that_the_student_does_not_define_is_a_name_error():
    with student("") as s, pytest.raises(NameError):
        s.get("missing")


def test_a_class_can_be_used():
    source = """
    class Box:
        sides = 4
        def __init__(self, w, h): self.w, self.h = w, h
        def area(self, scale=1): return self.w * self.h * scale
        def twice(self): return Box(self.w * 2, self.h * 2)
        @classmethod
        def unit(cls): return cls(1, 1)
    """
    with student(source) as s:
        kind = s.get("Box")
        box = kind(3, h=2)
        assert (box.w, box.area(), box.area(scale=2), box.twice().area()) == (3, 6, 12, 24)
        assert (kind.sides, kind.unit().w) == (4, 1)
        with pytest.raises(AttributeError):
            _ = box.depth
        assert not hasattr(box, "_hidden")


def test_an_object_goes_back_to_the_students_code():
    source = """
    class Box:
        size = 3
    def make(): return Box()
    def same(a, b): return a is b
    def size(box): return box.size
    def inside(d): return d["boxes"][0].size
    """
    with student(source) as s:
        box = s.get("make")()
        assert s.get("same")(box, box) is True
        assert s.get("same")(box, s.get("make")()) is False
        assert s.get("size")(box=box) == 3
        assert s.get("inside")({"boxes": [box]}) == 3


def test_the_same_object_is_the_same_proxy():
    with student("def f(): return 1\nalso = f") as s:
        function = s.get("f")
        assert s.get("also") is function


def test_an_object_can_be_copied():
    with student("class Box: pass\nbox = Box(); box.size = [1]\ndef size(b): return b.size") as s:
        box = s.get("box")
        other = copy.deepcopy(box)
        assert other is not box
        assert s.get("size")(other) == [1]


def test_a_shallow_copy_of_a_proxy_does_not_take_the_object_away():
    with student("class Box: size = 1\nbox = Box()\ndef f(b): return b.size") as s:
        box, function = s.get("box"), s.get("f")
        for _ in range(100):
            with contextlib.suppress(TypeError):
                copy.copy(box)
        assert function(box) == 1


# Exceptions.

_RAISES = """
class Own(ValueError):
    pass
class Fake(Exception):
    pass
Fake.__name__ = Fake.__qualname__ = "AssertionError"
class Loud(Exception):
    def __str__(self): raise KeyboardInterrupt
def f(kind):
    raise {"value": ValueError("the text"), "own": Own("the text"), "fake": Fake("x"),
           "assert": AssertionError("x"), "exit": SystemExit(3), "loud": Loud(),
           "unicode": UnicodeDecodeError("utf-8", b"", 0, 1, "x"), "end": GeneratorExit(),
           "group": ExceptionGroup("x", [ValueError()])}[kind]
"""


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("value", ValueError), ("own", ValueError), ("fake", Exception), ("assert", AssertionError),
     ("exit", SystemExit), ("loud", Exception), ("unicode", RuntimeError), ("none", KeyError),
     ("end", GeneratorExit), ("group", RuntimeError)],
)  # fmt: skip
@pytest.mark.parametrize("with_text", [True, False])
def test_exceptions_cross_as_built_in_classes(kind, expected, with_text):
    with student(_RAISES) as s:
        s.with_text = with_text
        function = s.get("f")
        with pytest.raises(BaseException) as caught:  # noqa: PT011
            function(kind)
        assert caught.type is expected
        assert ("the text" in str(caught.value)) == (with_text and kind in ("value", "own"))


def test_texts_of_exceptions_are_cut():
    with student("def f(): raise ValueError('x' * 10_000)") as s:
        s.with_text = True
        with pytest.raises(ValueError, match=r"^x{500}$"):
            s.get("f")()


def test_a_forbidden_call_is_told_apart():
    source = """
    from autograder.student_side.blocking import ShortcutError
    def f(): raise ShortcutError("torchvision.ops.nms")
    """
    with student(source) as s:
        s.with_text = True
        with pytest.raises(ShortcutUsedError, match=r"torchvision\.ops\.nms"):
            s.get("f")()


@pytest.mark.parametrize("large", ["[0] * 200_000", "'x' * 100_000", "bytes(300_000_000)"])
def test_what_is_too_large_is_an_error_and_the_kernel_goes_on(large):
    with student(f"def f(): return {large}\ndef g(): return 1") as s:
        with pytest.raises(ValueError):  # noqa: PT011
            s.get("f")()
        assert s.get("g")() == 1


def test_what_a_notebook_changed_for_all_is_put_in_order_before_each_call(tmp_path):
    source = f"""
    import os, torch
    here = os.getcwd()
    def spoil():
        torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False)
        os.chdir({str(tmp_path)!r})
    def look():
        return [str(torch.get_default_dtype()), torch.is_grad_enabled(), os.getcwd() == here]
    """
    with student(source) as s:
        s.get("spoil")()
        assert s.get("look")() == ["torch.float32", True, True]


# Handles.


def test_objects_that_the_tests_dropped_are_let_go():
    with student("class Box: pass\ndef make(): return Box()") as s:
        make = s.get("make")
        for _ in range(500):
            make()
        gc.collect()
        make()
        assert len(s.server._objects) < 100


def test_graphs_that_the_tests_dropped_are_let_go():
    with student("def f(x): return x * 2") as s:
        function, x = s.get("f"), torch.ones(1, requires_grad=True)
        for _ in range(500):
            function(x)
        gc.collect()
        function(x)
        assert len(s.server._graphs) < 100


def test_an_object_that_the_tests_keep_stays():
    source = "class Box:\n    def __init__(self, n): self.n = n\ndef make(n): return Box(n)"
    with student(source) as s:
        make = s.get("make")
        kept = [make(n) for n in range(300)]
        for n in range(300):
            make(n)
        assert [box.n for box in kept] == list(range(300))


def test_ended_students_say_so_every_time():
    with student("x = 1") as s:
        s._connection.shutdown(2)
        for _ in range(2):
            with pytest.raises(StudentEndedError, match="died"):
                s.get("x")


def test_names_of_layers_are_those_of_the_student():
    with student("import torch\nnet = torch.nn.Sequential(torch.nn.ReLU())") as s:
        assert layer_types(s.get("net")) == ["Sequential", "ReLU"]
        assert isinstance(s.get("net"), torch.nn.Module)
        assert not isinstance(s.get("net"), RemoteObject)
