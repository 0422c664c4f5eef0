"""Small changes of a solution: which are made, each once."""

import ast

import pytest

from autograder.mutants import mutants


def after(body: str) -> list[str]:
    """The changed lines of every mutant of a function with this body."""
    source = "def f(x, y):\n    " + body.replace("\n", "\n    ")
    return [mutant.after for mutant in mutants("f", source)]


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ("return x < y", ["return x <= y", "return x > y"]),
        ("return x <= y", ["return x < y", "return x >= y"]),
        ("return x > y", ["return x >= y", "return x < y"]),
        ("return x >= y", ["return x > y", "return x <= y"]),
        ("return x == y", ["return x != y"]),
        ("return x != y", ["return x == y"]),
        ("return x in y", ["return x not in y"]),
        ("return x not in y", ["return x in y"]),
        ("return x is y", ["return x is not y"]),
        ("return x is not y", ["return x is y"]),
    ],
)
def test_comparisons(body, changed):
    assert after(body) == changed


def test_every_part_of_a_chain_of_comparisons():
    assert after("return x < y == x") == [
        "return x <= y == x", "return x > y == x", "return x < y != x"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "changed"),
    [("+", "-"), ("-", "+"), ("*", "/"), ("/", "*"), ("//", "/"), ("%", "//"), ("**", "*"),
     ("|", "&"), ("&", "|")],
)  # fmt: skip
def test_arithmetic(before, changed):
    assert after(f"return x {before} y") == [f"return x {changed} y"]
    assert f"x {changed}= y" in after(f"x {before}= y\nreturn x")


def test_a_step_of_a_sum_may_be_forgotten():
    assert after("x += y") == ["pass", "x -= y"]
    assert after("for i in y:\n    x += i") == ["pass", "x -= i"]


@pytest.mark.parametrize(
    ("body", "forgotten"),
    [
        ("x.append(y)", ["pass"]),
        ("while x:\n    break", ["pass"]),
        ("for i in x:\n    continue", ["pass"]),
        ("with x:\n    y.clear()", ["pass"]),
        ("if x:\n    y.clear()", ["if True:", "if False:", "pass"]),
        ("if x:\n    return 'a'\nelse:\n    y += x", ["if True:", "if False:", "pass", "y -= x"]),
        ("'docstring'", []),
        ("x", []),
        ("return f(x)", []),
        ("y = f(x)", []),
    ],
)
def test_calls_and_jumps_may_be_forgotten(body, forgotten):
    assert after(body) == forgotten


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ("return x and y", ["return x or y"]),
        ("return x or y", ["return x and y"]),
        ("return -x", ["return x"]),
        ("return not x", ["return x"]),
        ("return ~x", ["return x"]),
        ("return +x", []),
        ("return True", ["return False"]),
        ("return False", ["return True"]),
        ("return 3", ["return 4", "return 2"]),
        ("return 0.5", ["return 1.5", "return -0.5"]),
        ("return 'text'", []),
        ("return None", []),
    ],
)
def test_junctions_signs_and_constants(body, changed):
    assert after(body) == changed


def test_branches_are_always_or_never_taken():
    assert after("if x:\n    return y") == ["if True:", "if False:"]
    assert after("return x if x else y") == ["return x if True else y", "return x if False else y"]


def test_axes_are_swapped():
    assert after("return x[y, :]") == ["return x[:, y]"]
    assert after("return x[None, y, :2]") == [
        "return x[:2, y, None]", "return x[None, y, :3]", "return x[None, y, :1]"
    ]  # fmt: skip
    assert after("return x[y]") == []


@pytest.mark.parametrize(
    ("method", "twin"),
    [("maximum", "minimum"), ("max", "min"), ("argmin", "argmax"), ("zeros", "ones"),
     ("mean", "sum"), ("ceil", "floor"), ("all", "any"), ("logical_or", "logical_and")],
)  # fmt: skip
def test_functions_with_a_twin(method, twin):
    assert after(f"return torch.{method}(x)") == [f"return torch.{twin}(x)"]
    assert after(f"return x.{method}(y)") == [f"return x.{twin}(y)"]
    assert after(f"return {method}(x)") == []


def test_a_method_that_is_easily_forgotten():
    assert after("return x.clamp(y)") == ["return x"]
    assert after("return (x - y).abs()") == ["return x - y", "return (x + y).abs()"]
    assert after("return torch.clamp(x, y)") == []
    assert after("return x.tolist()") == []


def test_a_mutant_says_what_it_changed_and_runs():
    source = "def f(x):\n    y = x  # a comment\n    return y > 2"
    first, *_ = mutants("g", source)
    assert (first.exercise, first.before, first.after) == ("g", "return y > 2", "return y >= 2")
    names: dict = {}
    exec(first.code, names)
    assert names["f"](2) is True


def test_one_change_each_and_none_twice():
    source = "def f(x):\n    if x > 1 and not x.any():\n        x += -1\n    return x.sum() * 2\n"
    original = ast.unparse(ast.parse(source))
    made = mutants("f", source)
    codes = [mutant.code for mutant in made]
    assert len(codes) == len(set(codes))
    assert original not in codes
    assert len(made) == len({(m.before, m.after) for m in made})
    for mutant in made:
        ast.parse(mutant.code)
        assert "\n" not in mutant.before, "one line is changed"


def test_the_same_change_made_in_two_ways_is_one_mutant():
    assert after("return not not x") == ["return not x"]


def test_helpers_in_the_cell_are_changed_too():
    source = "def f(x):\n    return g(x)\n\ndef g(x):\n    return -x"
    assert [mutant.after for mutant in mutants("f", source)] == ["return x"]


def test_nothing_to_change():
    assert mutants("f", "def f(x):\n    return x") == []
