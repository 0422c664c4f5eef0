"""Cells run in a process of their own: what they may do, and what they cannot."""

import multiprocessing
from pathlib import Path

import pytest
from cells_run import examine, names, run, student, texts

# What cells share, and what they do not.


def test_cells_run_in_order_and_tests_see_what_they_bind():
    first, second, check = run(
        student("x = 1"), student("x += 1\nprint('x is', x)"), examine("assert x == 2, 'two'")
    )
    assert (first.error, second.error, check.error) == (None, None, None)
    assert texts(second) == "x is 2\n"


def test_a_test_that_fails():
    (_, report) = run(student("x = 1"), examine("y = x\nassert x == 2, 'not two'"))
    assert report.error.name == "AssertionError"
    assert report.error.message == "not two"
    assert report.error.lines == (2,)
    assert report.error.by_cell
    assert report.outputs == []


def test_where_an_error_in_a_test_came_from():
    raised = "def f(x):\n    assert x, 'mine'\n    return [][x]"
    cells = [examine("def t(v):\n    f(v)\n\nt(0)", "a"), examine("\nf(1)", "b")]
    (_, mine, other) = run(student(raised), *cells)
    assert (mine.error.name, mine.error.lines) == ("AssertionError", (4, 2))
    assert not mine.error.by_cell
    assert (other.error.name, other.error.lines) == ("IndexError", (2,))
    assert not other.error.by_cell


def test_a_tests_names_do_not_replace_the_students_helpers():
    helper = "def near(a, b):\n    return True\n\ndef f(a):\n    return near(a, 1)"
    own = "near = None\nf2 = f\nassert f(2) is True, 'the helper is gone'"
    reports = run(student(helper), examine(own, "a"), examine("assert near(1, 2), 'gone'", "b"))
    assert names(reports) == ["", "", ""]


def test_one_tests_names_are_not_seen_by_another():
    reports = run(examine("import math\nseen = 1", "a"), examine("assert seen, 'x'", "b"))
    assert names(reports) == ["", "NameError"]


def test_of_a_test_that_has_failed_the_other_parts_are_not_run():
    reports = run(
        student("calls = []"),
        examine("calls.append(1)\nassert False, 'first'", "a"),
        examine("calls.append(2)", "a"),
        examine("assert calls == [1], f'{calls}'", "b"),
    )
    assert names(reports) == ["", "AssertionError", "AssertionError", ""]
    assert reports[2].error.message == "first"


def test_every_submission_starts_afresh_in_an_empty_folder_of_its_own():
    code = """
        import builtins, os, pathlib, sys
        print(os.listdir(), hasattr(builtins, "left"), os.getcwd(), pathlib.Path.home())
        builtins.left = 1
        pathlib.Path("left.txt").write_text("left")
    """
    (one,), (two,) = run(student(code)), run(student(code))
    assert one.error is None
    for report in (one, two):
        assert texts(report).startswith("[] False /")
        _, _, folder, home = texts(report).split()[:4]
        assert Path(home).parent == Path(folder).parent
        assert not Path(folder).parent.exists()
    assert texts(one) != texts(two)


def test_random_numbers_are_the_same_every_time():
    code = "import random, numpy, torch\nprint(random.random(), numpy.random.rand(), torch.rand(1))"
    (one, two), (three,) = run(student(code), student(code)), run(student(code))
    assert texts(one) == texts(two) == texts(three) != ""


def test_a_daemon_can_grade_too(monkeypatch):
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    assert names(run(student("x = 1"))) == [""]


def test_the_grader_itself_is_not_what_main_is():
    (report,) = run(
        student(
            "import pickle, sys\n"
            "class Box: pass\n"
            "print(__name__, Box.__module__, hasattr(sys.modules['__main__'], '__file__'))"
        )
    )
    assert texts(report) == "__main__ __main__ False\n"


# IPython's rules.


@pytest.mark.parametrize(
    "source",
    [
        "%matplotlib inline",
        "%%time\nx = 1",
        "import asyncio\nawait asyncio.sleep(0)",
        "x = !true",
        "?print",
        "import warnings\nwarnings.warn('mine')",
        "import sys\nprint('no matter', file=sys.stderr)",
        "",
    ],
)
def test_what_a_notebook_may_say(source):
    assert names(run(student(source), examine("assert True, 'x'"))) == ["", ""]


def test_what_is_written_is_kept_and_the_last_value():
    (report,) = run(student("import sys\nprint('out')\nprint('err', file=sys.stderr)\n6 * 7"))
    assert report.outputs == [{"text": "out\n42\n"}, {"text": "err\n"}]


def test_pictures_are_kept():
    draw = "import matplotlib.pyplot as plt\nfig, ax = plt.subplots(figsize=(1, 1))\n"
    image = "from PIL import Image\nimage = Image.new('RGB', (2, 2))\n"
    codes = [
        f"{draw}ax.plot([1, 2])\nplt.show()",
        f"{draw}plt.close()\nfig",
        f"{draw}42",
        f"{image}image",
        f"{image}display(image)",
    ]
    for report in run(*map(student, codes)):
        (picture,) = [output["png"] for output in report.outputs if "png" in output]
        assert picture.startswith("iVBORw0KGgo")


def test_nothing_can_be_read_from_a_keyboard():
    reports = run(student("input()"), student("import sys\nprint(repr(sys.stdin.read()))"))
    assert reports[0].error is not None
    assert texts(reports[1]) == "''\n"


# Errors.


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("def", "SyntaxError"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise BaseException('x')", "BaseException"),
        ("raise SystemExit(3)", "SystemExit"),
        ("import sys\nsys.exit()", "SystemExit"),
        ("raise NotImplementedError()", "NotImplementedError"),
        ("def f(): f()\nf()", "RecursionError"),
        ("class Odd(Exception): pass\nraise Odd", "Odd"),
        ("x = '\0'", "SyntaxError"),
    ],
)
def test_an_exception_ends_a_cell_and_nothing_else(source, name):
    reports = run(student(source), student("x = 1"), examine("assert x == 1, 'one'"))
    assert names(reports) == [name, "", ""]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("import sys\n    sys.exit('bye')", "SystemExit"),
        ("raise type('Secret31337', (ValueError,), {})('x')", "ValueError"),
        ("raise type('AssertionError', (OSError,), {})('x')", "OSError"),
        ("raise type('Died', (BaseException,), {})('x')", "BaseException"),
        ("raise __import__('torch').linalg.LinAlgError('x')", "RuntimeError"),
    ],
)
def test_an_exception_in_a_test_goes_by_a_builtin_name(source, name):
    function = f"def f():\n    {source}"
    reports = run(student(function), examine("f()", "a"), examine("assert True, 'x'", "b"))
    assert names(reports) == ["", name, ""]


@pytest.mark.parametrize("method", ["raise ValueError", "return 3", "return 'm' * 10**6"])
def test_an_exceptions_text_may_be_anything(method):
    odd = f"class Odd(Exception):\n    def __str__(self):\n        {method}\n\nraise Odd"
    function = odd.replace("\n", "\n    ").join(["def f():\n    ", "\n"])
    reports = run(student(odd), student(function), examine("f()"))
    assert names(reports) == ["Odd", "", "Exception"]
    for report in (reports[0], reports[2]):
        assert len(report.error.message) in (0, 500)


def test_an_exception_that_is_false():
    code = "class Odd(Exception):\n    def __bool__(self):\n        return False\n\nraise Odd"
    assert names(run(student(code))) == ["Odd"]
