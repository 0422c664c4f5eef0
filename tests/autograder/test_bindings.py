"""Which names code binds at its top level, without running it."""

import keyword

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.bindings import bound_names, statements


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(): pass", {"f"}),
        ("async def f(): pass", {"f"}),
        ("class F: inner = 1", {"F"}),
        ("import torch", {"torch"}),
        ("import torch.nn.functional", {"torch"}),
        ("import torch.nn.functional as F", {"F"}),
        ("from torchvision.ops import nms", {"nms"}),
        ("from torchvision.ops import nms as other, box_iou", {"other", "box_iou"}),
        ("from torchvision.ops import *", {"*"}),
        ("x = 1", {"x"}),
        ("x: int = 1", {"x"}),
        ("x += 1", {"x"}),
        ("(a, [b, *c]), d = e", {"a", "b", "c", "d"}),
        ("a.b = 1; a[0] = 2", set()),
        ("for a, b in c: d = 1", {"a", "b", "d"}),
        ("while True:\n    f = 1\nelse:\n    g = 2", {"f", "g"}),
        ("with open('x') as a: b = 1", {"a", "b"}),
        ("if (n := 3): a = 1\nelif n:\n    b = 2\nelse:\n    def c(): pass", {"n", "a", "b", "c"}),
        ("try:\n    a = 1\nexcept E:\n    from m import b\nelse:\n    c = 1\nfinally:\n    d = 1",
         {"a", "b", "c", "d"}),
        ("match x:\n    case [a, *b]:\n        def c(): pass\n    case {'k': d}:\n        e = 1",
         {"a", "b", "c", "d", "e"}),
        ("def f():\n    global a\n    a = 1\n    b = 2", {"f", "a"}),
        ("x = [y for y in z]", {"x"}),
        ("x = [(w := y) for y in z]", {"x", "w"}),
        ("x = lambda y: (z := y)", {"x"}),
        ("def f(y): x = 1", {"f"}),
        ("# x = 1", set()),
        ("'x = 1'", set()),
        ("", set()),
        ("def", set()),
        ("x = '\0'", set()),
    ],
)  # fmt: skip
def test_names_bound_at_top_level(source, names):
    assert bound_names([source]) == names


def test_names_of_several_cells():
    assert bound_names(["a = 1", "b = (", "c = 1"]) == {"a", "c"}
    assert bound_names([]) == set()


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("%%time\ndef f(): pass", {"f"}),
        ("%matplotlib inline\ndef f(): pass", {"f"}),
        ("!pip install x\nf = 1", {"f"}),
        ("f = 1\nf?", {"f"}),
        ("f = 1\n?f", {"f"}),
        ("f = 1\nf.g??  ", {"f"}),
        ("files = !ls\nf = 1", {"files", "f"}),
        ("a, b = %who\nf = 1", {"a", "b", "f"}),
        ("if f:\n    %who\n    g = 1", {"g"}),
    ],
)
def test_ipythons_own_syntax_hides_nothing(source, names):
    assert bound_names([source]) == names


@pytest.mark.parametrize(
    "source",
    [
        "-" * 7000 + "1",
        "not " * 9000 + "1",
        "lambda: " * 3000 + "0",
        "1" + "+1" * 5000,
        "(" * 500 + ")" * 500,
        "x" + "=x" * 9000,
        "a" + ".b" * 2500,
        "if a:\n    pass\n" + "elif a:\n    pass\n" * 2000,
    ],
    ids=["signs", "nots", "lambdas", "sum", "brackets", "assignments", "attributes", "branches"],
)
def test_code_as_deep_as_no_parser_likes_it(source):
    assert bound_names([source, "f = 1"]) >= {"f"}


def test_spaces_without_end_take_no_time():
    source = "!\n" + " " * 200_000 + "\n" + "=" * 200_000 + "\n" + "a" * 200_000
    assert statements(source) == []


words = st.sampled_from([*keyword.kwlist, *"()[]=%!?*'\"#.,:@\\\n", "    ", "f", "1"])


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.lists(words).map(" ".join)))
def test_any_text_at_all(source):
    assert isinstance(bound_names([source]), set)
