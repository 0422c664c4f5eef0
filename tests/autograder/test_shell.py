"""A student's cell, run by IPython's rules: what it may say, what is kept of what it shows."""

import pytest
from cells_run import examine, names, run, student, texts


@pytest.mark.parametrize(
    "source",
    [
        "%matplotlib inline",
        "%%time\nx = 1",
        "import asyncio\nawait asyncio.sleep(0)",
        "?print",
        "import warnings\nwarnings.warn('mine')",
        "import sys\nprint('no matter', file=sys.stderr)",
        "",
    ],
)
def test_what_a_notebook_may_say(source):
    assert names(run(student(source), examine("assert True, 'x'"))) == ["", ""]


@pytest.mark.parametrize(
    "line", ["!pip install torch", "%pip install torch", "files = !ls", "!!ls"]
)
def test_a_line_for_the_system_is_not_run_and_the_rest_of_its_cell_is(line):
    reports = run(student(f"{line}\nx = 1"), examine("assert x == 1, 'x'"))
    assert names(reports) == ["", ""]


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


def test_an_exception_that_is_false():
    code = "class Odd(Exception):\n    def __bool__(self):\n        return False\n\nraise Odd"
    assert names(run(student(code))) == ["Odd"]


# Output.


def test_endless_output_is_cut():
    code = "while True:\n    print('x' * 1000)"
    (report, after) = run(student(code), student("print(1)"), cell_seconds=1, output_bytes=5000)
    assert len(texts(report)) == 5000
    assert report.ran_too_long
    assert texts(after) == "", "the allowance is the submission's, not the cell's"


def test_stdout_and_stderr_share_the_allowance():
    code = "import sys\nprint('x' * 70)\nprint('y' * 70, file=sys.stderr)"
    (report,) = run(student(code), output_bytes=100)
    assert texts(report) == "x" * 70 + "\n" + "y" * 29


def test_too_many_and_too_large_pictures_are_dropped():
    code = (
        "from IPython.display import display\n"
        "def show(data):\n"
        "    display({'image/png': data}, raw=True)\n"
        "show('a' * 5001)\n"
        "for _ in range(7):\n"
        "    show('b' * 1000)\n"
        "show(3)"
    )
    (report,) = run(student(code), output_bytes=1000)
    assert [output["png"][:1] for output in report.outputs] == ["b"] * 5


def test_halves_of_characters_arrive_as_something_that_can_be_written():
    (report, raised) = run(student("print('\\ud800')"), student("raise ValueError('\\ud800')"))
    assert texts(report) == "?\n"
    assert raised.error.message == ""
