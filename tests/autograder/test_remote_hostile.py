"""A student's kernel that says what it likes: the tests get data, an exception, or an end."""

import itertools
import math
import struct
import time

import pytest
import torch
from kernel_pair import hostile, student

from autograder import remote
from autograder.remote import StudentEndedError
from autograder.student_side.limits import Limits

FUNCTION = {"value": ["handle", 1, "object"], "stale": []}
MODULE = {"value": ["handle", 1, "module"], "stale": []}
TENSOR = ({"value": ["tensor", "float32", [2], True], "stale": []}, [struct.pack("2f", 1, 2)])


def _value(node: object) -> dict:
    return {"value": node, "stale": []}


# What is no answer.

_NO_ANSWERS = {
    "nothing": {},
    "no value": {"stale": []},
    "a value of no kind": _value(["set", 1]),
    "a pickle": _value(["pickle", 0]),
    "a callback that is none": _value(["callback", 1]),
    "no word of what changed": {"value": 1},
    "a word of what changed that is none": {"value": 1, "stale": ["x"]},
    "a word of what changed that is a number": {"value": 1, "stale": 1},
    "a handle by a text": _value(["handle", "1", "object"]),
    "a handle by a bool": _value(["handle", True, "object"]),
    "a handle by a float": _value(["handle", 1.0, "object"]),
    "a handle of another kind": _value(["handle", 1, "__class__"]),
    "a handle of a list": _value(["handle", 1, ["module"]]),
    "raw bytes too many": ({"value": 1, "stale": []}, [b"x"]),
    "an exception by a number": {"raised": 1, "text": ""},
    "an exception without text": {"raised": "ValueError"},
    "an exception that is none": {"raised": "print", "text": ""},
    "an exception of nobody": {"raised": "StudentEndedError", "text": ""},
    "an exception of a path": {"raised": "os.error", "text": ""},
    "no JSON": struct.pack(">IQ", 1, 0) + b"x",
    "no object": struct.pack(">IQ", 2, 0) + b"[]",
    "too much": struct.pack(">IQ", 2, 2**63) + b"{}",
    "a call of a function that is none": {"callback": 1, "args": ["list"], "kwargs": ["dict"]},
    "a call of what has no number": {"callback": [], "args": ["list"], "kwargs": ["dict"]},
}


@pytest.mark.parametrize("answer", _NO_ANSWERS.values(), ids=_NO_ANSWERS)
def test_what_is_no_answer_ends_the_student(answer):
    with hostile([answer]) as s:
        for _ in range(2):
            with pytest.raises(StudentEndedError, match="protocol"):
                s.get("x")


@pytest.mark.parametrize("number", [0, -1, 2**64, 2**1000])
def test_handles_with_odd_numbers_are_only_numbers(number):
    with hostile([_value(["handle", number, "object"]), _value(1)]) as s:
        assert s.get("x").remote_number == number


def test_a_kernel_that_ends_in_the_middle_has_died():
    with hostile([b"\x00\x00"]) as s, pytest.raises(StudentEndedError, match="died"):
        s.get("x")


@pytest.mark.parametrize(
    ("cell", "submission", "ending"), [(0.01, 60, "hung"), (60, 0.01, "timeout")]
)
def test_a_kernel_that_does_not_answer_is_late(cell, submission, ending):
    with student(
        "import threading\nstop = threading.Event()\ndef f(): stop.wait()\ndef go(): stop.set()"
    ) as s:
        function = s.get("f")
        now = time.monotonic()
        s.cell_deadline, s.submission_deadline = now + cell, now + submission
        with pytest.raises(StudentEndedError, match=ending):
            function()
        s.server._namespace["go"]()


def test_half_an_answer_is_late():
    def half():
        yield struct.pack(">IQ", 100, 0) + b"{"
        while not done:
            yield b" "

    done: list = []
    with hostile(half()) as s:
        s.cell_deadline = time.monotonic() + 0.05
        with pytest.raises(StudentEndedError, match=r"hung|protocol"):
            s.get("x")
        done.append(True)


# Gradients that are none.


def _gradients(kind: str, dtype: str, shape: list[int], size: int, *rest: bool) -> tuple:
    return _value(["list", [kind, dtype, shape, *rest]]), [bytes(size)]


_NO_GRADIENTS = {
    "none": ({"value": ["list"], "stale": []}, []),
    "a number": ({"value": ["list", 1.0], "stale": []}, []),
    "another shape": _gradients("tensor", "float32", [3], 12, False),
    "a shape that spreads": _gradients("tensor", "float32", [1], 4, False),
    "too many": ({"value": ["list", None, None], "stale": []}, []),
    "a tuple": ({"value": ["tuple", None], "stale": []}, []),
    "an array": _gradients("array", "float32", [2], 8),
    "integers": _gradients("tensor", "int64", [2], 16, False),
    "an object": ({"value": ["list", ["handle", 7, "object"]], "stale": []}, []),
    "an end": ({"end": True, "stale": []}, []),
}  # fmt: skip


@pytest.mark.parametrize("answer", _NO_GRADIENTS.values(), ids=_NO_GRADIENTS)
def test_gradients_that_are_none_end_the_student(answer):
    with hostile([FUNCTION, TENSOR, answer, _value(["tuple", 2])]) as s:
        x = torch.ones(2, requires_grad=True)
        with pytest.raises(StudentEndedError, match="protocol"):
            s.get("f")(x).sum().backward()
        assert x.grad is None


@pytest.mark.parametrize(
    "node", [1, None, ["dict", 1, 2], ["set"], ["dict", "w", ["handle", 1, "module"]]]
)
def test_parameters_that_are_none_end_the_student(node):
    with hostile([MODULE, _value(node)]) as s:
        module = s.get("net")
        with pytest.raises(StudentEndedError, match="protocol"):
            list(module.parameters())


# Without end.


def test_callbacks_without_end_are_stopped(monkeypatch):
    monkeypatch.setattr(remote, "_MAX_CALLBACKS", 100)
    calls = []
    endless = itertools.repeat({"callback": 1, "args": ["list"], "kwargs": ["dict"]})
    with (
        hostile(itertools.chain([FUNCTION], endless)) as s,
        pytest.raises(StudentEndedError, match="hung"),
    ):
        s.get("f")(lambda: calls.append(1))
    assert len(calls) == 100


def test_parameters_that_are_said_to_change_each_time_are_fetched_once_an_answer():
    stale = {"value": ["dict"], "stale": [1]}
    with hostile(itertools.chain([MODULE], itertools.repeat(stale))) as s:
        assert s.get("net")(1) == {}


def test_items_without_end_are_bounded():
    with (
        hostile(itertools.repeat(FUNCTION), Limits(value_items=30)) as s,
        pytest.raises(OverflowError),
    ):
        list(s.get("items"))


def test_an_end_where_there_is_nothing_to_end_is_no_stop():
    with (
        hostile([FUNCTION, {"end": True, "stale": []}]) as s,
        pytest.raises(StudentEndedError, match="protocol"),
    ):
        list(map(s.get("f"), [1]))


def test_answers_to_questions_that_were_not_asked_yet_are_only_answers():
    with student("def f(): return 1") as s:
        queued = [_value(math.pi), _value("x")]
        for message in queued:
            remote.wire.send(s.server._connection, message, [])
        assert [s.get("f"), s.get("f")] == [math.pi, "x"]


def test_bytes_beyond_the_limit_are_not_read():
    with (
        hostile(
            [({"value": ["bytes", 2000], "stale": []}, [bytes(2000)])], Limits(value_bytes=1000)
        ) as s,
        pytest.raises(StudentEndedError, match="protocol"),
    ):
        s.get("x")


def test_texts_of_exceptions_are_cut_here_too():
    with hostile([{"raised": "ValueError", "text": "x" * 10_000}]) as s:
        s.with_text = True
        with pytest.raises(ValueError, match=r"^x{500}$"):
            s.get("x")


def test_a_result_of_no_call_of_ours_is_not_differentiated_with_other_inputs():
    module_with_a_weight = (
        {"value": ["dict", "w", ["tensor", "float32", [2], True]], "stale": []},
        [bytes(8)],
    )
    gradients = ({"value": ["list", ["tensor", "float32", [2], False]], "stale": []}, [bytes(8)])
    with hostile([MODULE, module_with_a_weight, TENSOR, gradients]) as s:
        module = s.get("net")
        weight = next(module.parameters())
        module().sum().backward()
        assert weight.grad.tolist() == [0, 0]


@pytest.mark.parametrize("kind", ["object", "torch.nn.Module"])
@pytest.mark.parametrize("question", ["allclose", "equal", "all", "tolist", "shape", "items"])
def test_an_object_does_not_say_for_itself_that_it_is_right(kind, question):
    source = f"""
        import torch
        class Yes({kind}):
            def {question}(self, *others):
                return True
        def scale(tensor):
            return Yes()
    """
    with student(source) as s:
        result = s.get("scale")(torch.zeros(2))
        with pytest.raises(AttributeError, match="an object where a value is expected"):
            getattr(result, question)
        with pytest.raises(TypeError):
            assert result == 1 or result[0]


def test_callbacks_from_many_threads_come_one_after_the_other():
    source = """
        from concurrent.futures import ThreadPoolExecutor
        def map_in_threads(function, items):
            with ThreadPoolExecutor(4) as pool:
                return list(pool.map(function, items))
    """
    with student(source) as s:
        squares = s.get("map_in_threads")(lambda number: number**2, list(range(100)))
    assert squares == [number**2 for number in range(100)]
