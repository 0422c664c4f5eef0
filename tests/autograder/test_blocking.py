"""Library calls that a sheet forbids are refused to a notebook's code, however it reaches them."""

import os
import textwrap
import traceback

import kernel_pair  # noqa: F401
import pytest
import torchvision  # noqa: F401

import detseg  # noqa: F401

# What is blocked stays so in its process: each case runs in one of its own. `refused` and
# `allowed` run a piece of a notebook; so does `before`, before the blocker is made.
_PRELUDE = """
import functools, math, statistics, types
import torch, torchvision
import detseg
from torchvision.ops import boxes
from autograder.student_side.blocking import Blocker, ShortcutError

torch.set_num_threads(1)
notebook = {"__name__": "__main__", "torch": torch, "torchvision": torchvision,
            "functools": functools, "B": torch.tensor([[0.0, 0, 1, 1]]), "S": torch.ones(1)}

def make(*forbidden, active=True):
    global blocker
    blocker = Blocker(list(forbidden), notebook)
    blocker.active = active

def allowed(source):
    exec(source, notebook)

def refused(source):
    try:
        exec(source, notebook)
    except ShortcutError as error:
        return str(error)
    raise AssertionError(f"{source} was allowed")
"""


def _holds(code: str) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            exec(_PRELUDE + textwrap.dedent(code), {"__name__": "grader"})
        except BaseException:
            os.write(writing, traceback.format_exc().encode()[-4000:])
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        complaint = said.read()
    os.waitpid(child, 0)
    assert not complaint, complaint


def test_a_function_is_refused_by_name_and_by_every_other_name():
    _holds("""
        make("torchvision.ops.nms")
        assert refused("torchvision.ops.nms(B, S, 0.5)") == "torchvision.ops.nms"
        refused("torchvision.ops.boxes.nms(B, S, 0.5)")
        refused("from torchvision.ops import nms\\nnms(B, S, 0.5)")
        refused("import torchvision.ops.boxes as b\\nb.nms(B, S, 0.5)")
        refused("getattr(torchvision.ops, 'n' + 'ms')(B, S, 0.5)")
        refused("vars(torchvision.ops)['nms'](B, S, 0.5)")
        refused("import sys\\nsys.modules['torchvision.ops.boxes'].nms(B, S, 0.5)")
        refused("import importlib\\nimportlib.import_module('torchvision.ops').nms(B, S, 0.5)")
        allowed("torchvision.ops.box_iou(B, B)")
    """)


def test_what_a_cell_imported_before_the_tests_is_refused_during_them():
    _holds("""
        make("torchvision.ops.nms", active=False)
        allowed("from torchvision.ops import nms as mine\\nmine(B, S, 0.5)")
        blocker.active = True
        refused("mine(B, S, 0.5)")
    """)


def test_detours_through_other_callables_are_refused():
    _holds("""
        make("torchvision.ops.nms")
        refused("functools.partial(torchvision.ops.nms, B, S)(0.5)")
        refused("list(map(torchvision.ops.nms, [B], [S], [0.5]))")
        refused("(lambda f: f(B, S, 0.5))(torchvision.ops.nms)")
        refused("torch.vmap(lambda b: torchvision.ops.nms(b, S, 0.5))(B[None])")
        refused("eval('nms(B, S, 0.5)', {'nms': torchvision.ops.nms, 'B': B, 'S': S})")
        refused("torchvision.ops.batched_nms(B, S, torch.zeros(1), 0.5)")
        refused("class A:\\n    f = staticmethod(torchvision.ops.nms)\\nA.f(B, S, 0.5)")
    """)


def test_the_original_is_not_left_on_the_wrapper():
    _holds("""
        make("torchvision.ops.nms")
        assert not hasattr(torchvision.ops.nms, "__wrapped__")
        assert torchvision.ops.nms.__name__ == "nms"
    """)


def test_a_module_means_all_that_it_defines():
    _holds("""
        make("statistics", "torchvision.ops.boxes")
        assert refused("import statistics\\nstatistics.mean([1])") == "statistics.mean"
        refused("from statistics import median\\nmedian([1])")
        refused("torchvision.ops.box_iou(B, B)")
        refused("torchvision.ops.nms(B, S, 0.5)")
        allowed("import math\\nmath.fsum([1])")
    """)


def test_a_builtin_function_is_refused():
    _holds("""
        make("math.fsum")
        refused("import math\\nmath.fsum([1])")
        refused("from math import fsum\\nfsum([1])")
        allowed("import math\\nmath.sqrt(1)")
    """)


def test_an_operator_namespace_is_refused():
    _holds("""
        make("torch.ops.torchvision")
        assert refused("torch.ops.torchvision.nms(B, S, 0.5)") == "torch.ops.torchvision.nms"
        refused("getattr(torch.ops, 'torchvision').nms(B, S, 0.5)")
        refused("ops = torch.ops.torchvision\\nops.nms")
        allowed("torch.ops.aten.relu(S)")
    """)


def test_the_courses_own_code_may_use_what_is_forbidden():
    _holds("""
        make("torchvision.ops.nms", "torch.ops.torchvision")
        library = types.ModuleType("detseg.made_up")
        exec("def keep(B, S):\\n    import torchvision\\n    return torchvision.ops.nms(B, S, 0.5)",
             vars(library))
        notebook["keep"] = library.keep
        allowed("assert keep(B, S).tolist() == [0]")
    """)


def test_nothing_is_refused_before_the_tests():
    _holds("""
        make("torchvision.ops.nms", "torch.ops.torchvision", "statistics", active=False)
        allowed("torchvision.ops.nms(B, S, 0.5)")
        allowed("torch.ops.torchvision.nms(B, S, 0.5)")
        allowed("import statistics\\nstatistics.mean([1])")
        blocker.active = True
        refused("torchvision.ops.nms(B, S, 0.5)")
        refused("torch.ops.torchvision.nms(B, S, 0.5)")
        refused("statistics.mean([1])")
    """)


def test_what_is_imported_later_is_refused_too():
    _holds("""
        import pathlib, sys, tempfile
        package = pathlib.Path(tempfile.mkdtemp()) / "late"
        package.mkdir()
        (package / "__init__.py").write_text("from late.inner import double\\n")
        (package / "inner.py").write_text(
            "def double(x):\\n    return 2 * x\\n\\ndef half(x):\\n    return x / 2\\n")
        (package / "other.py").write_text("def half(x):\\n    return x / 2\\n")
        sys.path.insert(0, str(package.parent))
        make("late.inner.double", "late.other")
        assert not any(name.startswith("late") for name in sys.modules)
        assert refused("import late\\nlate.double(1)") == "late.inner.double"
        refused("from late.inner import double\\ndouble(1)")
        assert refused("from late.other import half\\nhalf(1)") == "late.other.half"
        allowed("from late.inner import half\\nhalf(1)")
    """)


def test_what_does_not_exist_is_no_error():
    _holds("""
        make("torchvision.ops.no_such", "no_such_package.function", "torch.no_such.thing")
        allowed("torchvision.ops.nms(B, S, 0.5)")
    """)


@pytest.mark.parametrize(
    "answer",
    ["nms = getattr(torchvision.ops, 'nms')", "nms = functools.partial(torchvision.ops.nms)",
     "class A:\n    __call__ = staticmethod(torchvision.ops.nms)\nnms = A()"],
)  # fmt: skip
def test_a_forbidden_function_under_the_exercises_own_name_is_refused_to_the_tests(answer):
    """Between the tests and the library there is then no line of the notebook's."""
    _holds(f"""
        make("torchvision.ops.nms")
        allowed({answer!r})
        import kernel_pair
        from autograder.remote import ShortcutUsedError
        with kernel_pair.student_of(notebook) as s:
            try:
                s.get("nms")(notebook["B"], notebook["S"], 0.5)
            except ShortcutUsedError:
                pass
            else:
                raise AssertionError("the tests called the library")
    """)
