"""A student's cells run in one kernel and the tests in another: what passes between them."""

from pathlib import Path
from textwrap import dedent

import pytest
import torch
from cells_run import examine, names, run, student, texts
from safetensors.torch import save

from autograder.errors import AutograderError

# What cells share, and what they do not.


def test_cells_run_in_order_and_tests_see_what_they_bind():
    first, second, check = run(
        student("x = 1"), student("x += 1\nprint('x is', x)"), examine("assert x == 2, 'two'")
    )
    assert (first.error, second.error, check.error) == (None, None, None)
    assert texts(second) == "x is 2\n"


def test_a_function_is_examined_as_it_stands_when_all_cells_have_run():
    cells = [student("def f():\n    return k"), student("k = 1"), student("k = 2")]
    assert names(run(*cells, examine("assert f() == 2, 'not the last k'"))) == ["", "", "", ""]


def test_a_test_that_fails():
    (_, report) = run(student("x = 1"), examine("y = x\nassert x == 2, 'not two'"))
    assert report.error.name == "AssertionError"
    assert report.error.message == "not two"
    assert report.error.lines == [2]
    assert report.error.by_cell
    assert report.outputs == []


def test_where_an_error_in_a_test_came_from():
    raised = "def f(x):\n    assert x, 'mine'\n    return [][x]"
    cells = [examine("def t(v):\n    f(v)\n\nt(0)", "a"), examine("\nf(1)", "b")]
    (_, mine, other) = run(student(raised), *cells)
    assert (mine.error.name, mine.error.lines) == ("AssertionError", [4, 2])
    assert not mine.error.by_cell
    assert (other.error.name, other.error.lines) == ("IndexError", [2])
    assert not other.error.by_cell


def test_what_a_function_of_the_setup_raises_is_the_authors():
    setup = "def positive(n):\n    assert n > 0, 'not positive'"
    (_, check) = run(
        student("def f():\n    return -1"), examine("x = 1\npositive(f())"), work={"setup": [setup]}
    )
    assert (check.error.message, check.error.lines, check.error.by_cell) == (
        "not positive",
        [2],
        True,
    )


def test_what_the_students_code_says_is_quoted_by_released_tests_alone():
    cells = [examine("f()", "a"), examine("f()", "b", released=False)]
    (_, shown, hidden) = run(student("def f():\n    raise ValueError('mine')"), *cells)
    assert (shown.error.name, shown.error.message) == ("ValueError", "mine")
    assert (hidden.error.name, hidden.error.message) == ("ValueError", "")


def test_a_tests_names_do_not_replace_the_students_helpers():
    helper = "def near(a, b):\n    return True\n\ndef f(a):\n    return near(a, 1)"
    own = "near = None\nf2 = f\nassert f(2) is True, 'the helper is gone'"
    reports = run(student(helper), examine(own, "a"), examine("assert near(1, 2), 'gone'", "b"))
    assert names(reports) == ["", "", ""]


def test_one_tests_names_are_not_seen_by_another():
    reports = run(examine("import math\nseen = 1", "a"), examine("assert seen, 'x'", "b"))
    assert names(reports) == ["", "NameError"]


def test_what_a_test_does_to_a_value_it_does_to_a_copy():
    (_, check) = run(
        student("kept = []\ndef f():\n    return kept"),
        examine("f().append(1)\nkept.append(1)\nassert f() == [], f'{f()}'"),
    )
    assert check.error is None


def test_until_failure_nothing_comes_after_it():
    tests = [examine("1", "a"), examine("assert False, 'no'", "b"), examine("1", "c")]
    assert names(run(*tests)) == ["", "AssertionError", ""]
    assert names(run(*tests, work={"until_failure": True})) == ["", "AssertionError"]


def test_of_a_test_that_has_failed_the_other_parts_are_not_run():
    reports = run(
        student("calls = []\ndef f():\n    calls.append(1)\n    return len(calls)"),
        examine("f()\nassert False, 'first'", "a"),
        examine("f()", "a"),
        examine("assert f() == 2, 'called once before'", "b"),
    )
    assert names(reports) == ["", "AssertionError", "AssertionError", ""]
    assert reports[2].error.message == "first"


# Which names a test sees.


def test_only_names_that_a_student_has_to_define_are_seen():
    cells = [student("f = 1\nhelper = 2"), examine("f", "a"), examine("helper", "b")]
    reports = run(*cells, work={"names": ["f"]})
    assert names(reports) == ["", "", "NameError"]
    assert reports[2].error.message == "name 'helper' is not defined"


def test_a_name_that_was_not_defined():
    (report,) = run(examine("f(1)"), work={"names": ["f"]})
    assert (report.error.name, report.error.message) == ("NameError", "name 'f' is not defined")


def test_a_test_has_pythons_own_functions_whatever_a_student_calls_alike():
    code = "import builtins\nabs = builtins.abs = lambda _: 3\ndef f():\n    return abs(-1)"
    cells = [student(code), examine("assert (abs(-1), f()) == (1, 3), 'not its own'")]
    assert names(run(*cells)) == ["", ""]


def test_a_test_has_the_authors_imports_whatever_a_student_calls_alike():
    cells = [student("import math\nmath.pi = math = 3"), examine("assert math.pi > 3.1, 'x'")]
    reports = run(*cells, work={"setup": ["import math"], "names": ["math"]})
    assert names(reports) == ["", ""]


def test_setup_is_run_for_the_tests_and_each_has_its_own_names():
    setup = ["import math", "def near(a, b):\n    return math.isclose(a, b)"]
    tests = [examine("assert near(1, 1), 'x'\nnear = None", "a"), examine("assert near(1, 1), 'y'")]
    assert names(run(*tests, work={"setup": setup})) == ["", ""]


def test_setup_that_fails_is_the_authors_mistake():
    with pytest.raises(AutograderError, match=r"the sheet's own setup fails: KeyError: 'x'$"):
        run(examine("True"), work={"setup": ["{}['x']"]})


def test_a_students_kernel_does_not_run_what_the_tests_need():
    (report,) = run(student("print('secret' in globals())"), work={"setup": ["secret = 1"]})
    assert texts(report) == "False\n"


# Every submission for itself.


def test_every_submission_starts_afresh_in_an_empty_folder_of_its_own():
    code = """
        import builtins, os, pathlib, sys, tempfile
        home = pathlib.Path.home()
        print(os.listdir(), os.listdir(home), hasattr(builtins, "left"), os.getcwd())
        print(os.listdir(tempfile.gettempdir()), os.listdir("/dev/shm"))
        builtins.left = 1
        for folder in (".", home, tempfile.gettempdir(), "/dev/shm"):
            (pathlib.Path(folder) / "left-behind.txt").write_text("left")
    """
    for _ in range(2):
        (report,) = run(student(code))
        assert report.error is None
        assert texts(report) == "[] [] False /scratch/work\n[] []\n"
    for folder in ("/scratch/work", "/tmp", "/dev/shm", Path.home(), "."):
        assert not Path(folder, "left-behind.txt").exists()


def test_without_a_lock_every_submission_has_a_folder_of_its_own_too():
    code = """
        import os, pathlib
        print(os.listdir(), os.getcwd(), pathlib.Path.home())
        pathlib.Path("left.txt").touch()
    """
    (one,), (two,) = run(student(code), locked=False), run(student(code), locked=False)
    for report in (one, two):
        assert report.error is None
        files, folder, home = texts(report).split()
        assert files == "[]"
        assert Path(home).parent == Path(folder).parent
        assert not Path(folder).parent.exists()
    assert texts(one) != texts(two)


def test_what_was_handed_in_lies_in_the_working_folder():
    content = bytes(range(256))
    code = (
        "import os\nfiles = sorted(os.listdir())\n"
        "def read(name):\n    return open(name, 'rb').read()"
    )
    test = (
        "assert files == ['a.bin', 'b.txt'], f'{files}'\n"
        "assert read('a.bin') == bytes(range(256)), 'other bytes'"
    )
    given = {"a.bin": content, "b.txt": b""}
    assert names(run(student(code), examine(test), work={"files": given})) == ["", ""]


def test_a_test_reads_weights_that_were_handed_in_and_no_other_file(tmp_path, monkeypatch):
    (tmp_path / "other.safetensors").write_bytes(save({"w": torch.ones(1)}))
    monkeypatch.chdir(tmp_path)
    test = """
        from detseg import exam
        weights, problem = exam.read_weights("a.safetensors", 1000)
        assert weights["w"].tolist() == [1, 2], "other numbers"
        assert problem == "", problem
        assert exam.read_weights("other.safetensors", 1000)[1], "a file of the grader's"
        assert "too large" in exam.read_weights("a.safetensors", 10)[1], "any size"
        assert "damaged" in exam.read_weights("b.safetensors", 1000)[1], "any content"
    """
    weights = save({"w": torch.tensor([1.0, 2])})
    given = {"a.safetensors": weights, "b.safetensors": b"PK\3\4" + bytes(100)}
    assert names(run(student("x = 1"), examine(dedent(test)), work={"files": given})) == ["", ""]


@pytest.mark.parametrize(
    ("last", "points"),
    [
        ("2", 2.0),
        ("0.25", 0.25),
        ("None", None),
        ("x = 3", None),
        ("def f(): return 3", None),
        ("True", 0.0),
        ("float('nan')", 0.0),
        ("float('inf')", 0.0),
        ("'3'", 0.0),
        ("thing", 0.0),
        ("[3.0]", 0.0),
        ("numbers", 0.0),
    ],
)
def test_a_test_may_end_in_a_number_of_points(last, points):
    code = "thing, numbers = object(), [3]"
    _, report = run(student(code), examine(f"assert numbers == [3], 'numbers'\n{last}"))
    assert (report.error, report.points) == (None, points)


def test_a_test_that_fails_in_its_last_line_has_no_points():
    test = "def points():\n    assert x == 2, 'two'\n    return 3\npoints()"
    _, report = run(student("x = 1"), examine(test))
    assert (report.error.name, report.error.lines, report.points) == (
        "AssertionError",
        [4, 2],
        None,
    )


def test_a_function_is_called_with_everything_as_it_was_at_the_start():
    leave = (
        "import os, torch\nos.mkdir('elsewhere')\nos.chdir('elsewhere')\n"
        "torch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)"
    )
    look = "def f():\n    return os.getcwd()[-5:], torch.ones(1), torch.is_grad_enabled()"
    test = (
        "import torch\nfolder, one, gradients = f()\nassert folder == '/work', folder\n"
        "assert one.dtype == torch.float32, f'{one.dtype}'\nassert gradients, 'no gradients'"
    )
    assert names(run(student(leave), student(look), examine(test))) == ["", "", ""]


def test_the_grader_itself_is_not_what_main_is():
    (report,) = run(
        student(
            "import pickle, sys\n"
            "class Box: pass\n"
            "print(__name__, Box.__module__, hasattr(sys.modules['__main__'], '__file__'))"
        )
    )
    assert texts(report) == "__main__ __main__ False\n"


# Random numbers.

DRAW = "import random, numpy, torch\nprint(random.random(), numpy.random.rand(), torch.rand(1))"
TELL = DRAW.replace("print(", "assert False, str((").replace("rand(1))", "rand(1)))")


def test_a_students_random_numbers_are_the_same_every_time():
    (one, two), (three,) = run(student(DRAW), student(DRAW)), run(student(DRAW))
    assert texts(one) == texts(three) != ""
    assert texts(two) != texts(one), "a cell goes on where the one before it was"


def test_the_tests_random_numbers_are_those_of_the_seed_for_every_test():
    def drawn(seed: int) -> list[str]:
        reports = run(student(DRAW), examine(TELL, "a"), examine(TELL, "b"), work={"seed": seed})
        return [texts(reports[0]).strip(), *(report.error.message for report in reports[1:])]

    (_, one, two), (_, again, _), (students, other, _) = drawn(2**50), drawn(2**50), drawn(7)
    assert one == two == again != other
    assert students.split()[0] not in one + other


def test_the_setup_draws_from_the_seed_too():
    setup = ["import torch", "drawn = torch.rand(1)"]
    test = examine("assert False, str(drawn)")
    drawn = [run(test, work={"setup": setup, "seed": n})[0].error.message for n in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_tests_seed_is_nowhere_in_the_students_kernel():
    search = """
        import gc
        def values(holder):
            return list(holder.values() if type(holder) is dict else holder)
        holders = [held for held in gc.get_objects() if type(held) in (dict, list)]
        holders += [held for holder in holders for held in values(holder) if type(held) is dict]
        held = [held for holder in holders for held in values(holder)]
        numbers = {number for number in held if type(number) in (int, float)}
        print(sorted(numbers & {77.25, 123454321}))
    """
    (report,) = run(student(search), work={"seed": 123454321}, cell_seconds=77.25)
    assert texts(report) == "[77.25]\n", "what the kernel knows is found, and the seed is not"


# Errors in what a test calls.


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("import sys\n    sys.exit('bye')", "SystemExit"),
        ("raise StopIteration", "RuntimeError"),
        ("raise UnicodeDecodeError('utf-8', b'', 0, 0, 'x')", "RuntimeError"),
        ("raise type('Secret31337', (ValueError,), {})('x')", "ValueError"),
        ("raise type('AssertionError', (OSError,), {})('x')", "OSError"),
        ("raise type('Died', (BaseException,), {})('x')", "BaseException"),
        ("raise type('StudentEndedError', (BaseException,), {})('died')", "BaseException"),
        ("raise type('ShortcutError', (TypeError,), {})('x')", "TypeError"),
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


# Forbidden library calls.


def test_a_forbidden_call_is_refused_to_functions_that_are_examined():
    code = "import statistics\ndef f():\n    return getattr(statistics, 'me' + 'an')([1.0])"
    test = examine("assert f() == 1, 'x'")
    forbidden = {"forbidden": ("statistics.mean",)}
    assert names(run(student(code), test, work=forbidden)) == ["", "ShortcutUsedError"]
    assert names(run(student(code), test)) == ["", ""]


def test_a_forbidden_call_may_be_made_by_a_cell_that_compares():
    code = "import statistics\nprint(statistics.mean([1, 3]))"
    (report,) = run(student(code), work={"forbidden": ("statistics.mean",)})
    assert texts(report) == "2\n"
